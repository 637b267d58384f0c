"""Hand results on to where people read them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from analyzer.base import AnalyzerError
from analyzer.cli.bounds import count
from analyzer.cli.output import file_path, new_path, put, say

_NEEDED = ("httpx", "tenacity", "jsonschema")


@click.command(short_help="Hand a report on to Patchwork, a forge or a list.")
@click.argument("report", type=file_path, metavar="REPORT")
@click.option(
    "--to",
    "service",
    type=click.Choice(["patchwork", "github", "gitlab", "mail"]),
    required=True,
    help="Where to post.",
)
@click.option("--yes", is_flag=True, help="Do it; without, only print what would be done.")
@click.option("--url", metavar="URL", help="The service's API.")
@click.option("--project", metavar="NAME", help="OWNER/NAME, a project's path or number, a list.")
@click.option("--number", type=count, metavar="N", help="The pull or merge request.")
@click.option(
    "--context", default="offlint", show_default=True, help="What the results are called there."
)
@click.option("--target-url", metavar="URL", help="Patchwork: a page that tells more.")
@click.option(
    "--patch-id",
    "patch_ids",
    type=count,
    metavar="N",
    multiple=True,
    help="Patchwork: the patches, in order. [default: by Message-Id]",
)
@click.option("--token-file", type=file_path, metavar="FILE", help="Read the token from this file.")
@click.option("--from", "sender", metavar="ADDRESS", help="Mail: who sends it.")
@click.option("--draft", type=new_path, metavar="FILE", help="Mail: write it to a file.")
@click.option(
    "--maildir", type=file_path, metavar="DIR", help="Mail: add it to a Maildir as a draft."
)
@click.option(
    "--smtp", metavar="[smtps://]HOST[:PORT]", help="Mail: send it by this server, with --yes."
)
@click.option("--archive", metavar="URL", help="Mail: where to ask whether it went out.")
@click.option("--ledger", type=file_path, metavar="FILE", help="Remember here what was posted.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For each answer of the service.",
)
def post(
    report: Path,
    *,
    service: str,
    yes: bool,
    url: str | None,
    project: str | None,
    number: int | None,
    context: str,
    target_url: str | None,
    patch_ids: tuple[int, ...],
    token_file: Path | None,
    sender: str | None,
    draft: Path | None,
    maildir: Path | None,
    smtp: str | None,
    archive: str | None,
    ledger: Path | None,
    timeout: float,
) -> None:
    """Post what `check` found, and never the same thing twice.

    REPORT is what `check --format json` wrote, or for --to mail what
    `check --format mail` wrote. Findings that a later patch of the series
    mends, and those that were there before, are not posted.
    """
    from importlib.util import find_spec

    is_draft = service == "mail" and (draft or maildir)
    if missing := [name for name in _NEEDED if not is_draft and find_spec(name) is None]:
        raise AnalyzerError(
            f"post needs {', '.join(missing)}: install them with pip install 'offlint[post]'"
        )
    from analyzer.post.ledger import default_path, open_ledger
    from analyzer.post.services import PLANS, Wish, write_drafts

    wish = Wish(
        report=report,
        url=url,
        project=project,
        number=number,
        context=context,
        target_url=target_url,
        patch_ids=patch_ids,
        token_file=token_file,
        timeout=timeout,
        sender=sender,
        draft=draft,
        maildir=maildir,
        smtp=smtp,
        archive=archive,
    )
    if is_draft:
        _say_all(write_drafts(wish))
        return
    plan = PLANS[service](wish)
    if not yes:
        for item in plan.items:
            put(f"would post: {item.title}\n{item.text.rstrip()}\n\n", None)
        say("nothing was posted: --yes posts")
        return
    with open_ledger(ledger or default_path()) as book:
        _say_all(plan.run(book))


def _say_all(lines: Iterable[str]) -> None:
    from analyzer.report.plain import harmless

    for line in lines:
        put(f"{harmless(line)}\n", None)
