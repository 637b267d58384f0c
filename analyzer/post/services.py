"""Turn what the command line asks for into a plan: what would be posted, and how to do it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.base import AnalyzerError
from analyzer.findings import Result
from analyzer.post import forge, github, gitlab, mail, patchwork
from analyzer.post.client import Client, Patience, open_client, read_token
from analyzer.post.deliver import Item, Outcome
from analyzer.post.forge import Forge
from analyzer.post.ledger import Ledger
from analyzer.post.report import read_report


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asks for; a value is None where it was not given."""

    report: Path
    url: str | None
    project: str | None
    number: int | None
    context: str
    target_url: str | None
    patch_ids: tuple[int, ...]
    token_file: Path | None
    timeout: float
    sender: str | None
    draft: Path | None
    maildir: Path | None
    smtp: str | None
    archive: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be posted, and the work that posts it and tells a line about each piece."""

    items: tuple[Item, ...]
    run: Callable[[Ledger], Iterator[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What differs between forges on the command line and in the environment."""

    url: str
    url_variable: str
    project_variable: str
    project: str
    expected: str
    number: Callable[[], str | None]
    tokens: Sequence[str]
    headers: Callable[[str], Mapping[str, str]]
    key_of: Callable[[str, str, int], str]
    open_forge: Callable[[Client, str, str, int], Forge]


_GITHUB = _Kind(
    url=github.URL,
    url_variable="GITHUB_API_URL",
    project_variable="GITHUB_REPOSITORY",
    project=r"[^/\s]+/[^/\s]+",
    expected="OWNER/NAME",
    number=lambda: _pull_of(os.environ.get("GITHUB_REF", "")),
    tokens=github.VARIABLES,
    headers=github.headers,
    key_of=github.key_of,
    open_forge=github.open_forge,
)
_GITLAB = _Kind(
    url=gitlab.URL,
    url_variable="CI_API_V4_URL",
    project_variable="CI_PROJECT_ID",
    project=r"[0-9]+|[^/\s]+(/[^/\s]+)+",
    expected="a project's number or GROUP/NAME",
    number=lambda: os.environ.get("CI_MERGE_REQUEST_IID"),
    tokens=gitlab.VARIABLES,
    headers=gitlab.headers,
    key_of=gitlab.key_of,
    open_forge=gitlab.open_forge,
)


def _forge_plan(wish: Wish, kind: _Kind) -> Plan:
    url = (wish.url or os.environ.get(kind.url_variable) or kind.url).rstrip("/")
    project = _needed(wish.project or os.environ.get(kind.project_variable), "--project")
    if not re.fullmatch(kind.project, project):
        raise AnalyzerError(f"--project: expected {kind.expected}, found {project!r}")
    number = _number(_needed(str(wish.number) if wish.number else kind.number(), "--number"))
    context = _word(wish.context)
    result = read_report(wish.report)

    def run(ledger: Ledger) -> Iterator[str]:
        client = _client(wish, url, kind.tokens, kind.headers)
        opened = kind.open_forge(client, url, project, number)
        yield from map(_told, forge.post(result, opened, context, ledger, client.patience))

    return Plan(tuple(forge.preview(result, kind.key_of(url, project, number), context)), run)


def _patchwork_plan(wish: Wish) -> Plan:
    board = patchwork.Board(
        url=_needed(wish.url, "--url").rstrip("/"),
        project=wish.project,
        context=wish.context,
        target_url=wish.target_url,
        ids=wish.patch_ids,
    )
    result: Result = read_report(wish.report)

    def run(ledger: Ledger) -> Iterator[str]:
        client = _client(wish, board.url, patchwork.VARIABLES, patchwork.headers)
        yield from map(_told, patchwork.post(result, board, client, ledger))

    return Plan(tuple(item for _, item in patchwork.checks(result, board)), run)


def _mail_plan(wish: Wish) -> Plan:
    message = mail.read_mail(wish.report, wish.sender)
    server = mail.read_server(_needed(wish.smtp, "--draft, --maildir or --smtp"))
    if message is None:
        return Plan((), lambda _ledger: iter(("nothing to say, so no mail",)))
    if not message["From"]:
        raise AnalyzerError(f"{wish.report}: no From in this mail: --from names who sends it")

    def run(ledger: Ledger) -> Iterator[str]:
        archive = _archive(wish)
        outcome, refused = mail.send(message, server, ledger, archive=archive, timeout=wish.timeout)
        yield _told(outcome)
        if refused:
            yield f"refused for {', '.join(refused)}"

    return Plan((mail.item_of(message),), run)


#: What `--to` can name.
PLANS: Mapping[str, Callable[[Wish], Plan]] = {
    "patchwork": _patchwork_plan,
    "github": lambda wish: _forge_plan(wish, _GITHUB),
    "gitlab": lambda wish: _forge_plan(wish, _GITLAB),
    "mail": _mail_plan,
}


def write_drafts(wish: Wish) -> Iterator[str]:
    """Write a mail where the user takes it up; nothing leaves the machine. Yield what was done."""
    message = mail.read_mail(wish.report, wish.sender)
    if message is None:
        yield "nothing to say, so no mail"
        return
    if wish.draft is not None:
        mail.write_draft(message, wish.draft)
        yield f"written: {wish.draft}"
    if wish.maildir is not None:
        is_new = mail.add_to_maildir(message, wish.maildir)
        yield f"{'added to' if is_new else 'already in'} {wish.maildir}"


def _client(
    wish: Wish, url: str, tokens: Sequence[str], headers: Callable[[str], Mapping[str, str]]
) -> Client:
    token = read_token(tokens, wish.token_file)
    return open_client(url, headers(token), token, timeout=wish.timeout, patience=Patience())


def _archive(wish: Wish) -> Client | None:
    if wish.archive is None:
        return None
    return open_client(
        wish.archive, {}, "", timeout=wish.timeout, patience=Patience(), option="--archive"
    )


def _needed(value: str | None, option: str) -> str:
    if not value:
        raise AnalyzerError(f"{option} is needed here: see offlint post --help")
    return value


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise AnalyzerError(f"--number: expected the number of a request, found {text!r}")
    return int(text)


def _word(context: str) -> str:
    if not re.fullmatch(r"[-a-zA-Z0-9_.]{1,255}", context):
        raise AnalyzerError(f"--context {context!r}: expected letters, digits, -, _ and .")
    return context


def _pull_of(ref: str) -> str | None:
    """Return the number in a reference such as refs/pull/12/merge."""
    match = re.fullmatch(r"refs/pull/(\d+)/\w+", ref)
    return match and match[1]


def _told(outcome: Outcome) -> str:
    return f"{outcome.fate}: {outcome.item.title} ({outcome.remote})"
