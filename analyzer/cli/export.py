"""Write a rule down for another tool."""

from __future__ import annotations

from pathlib import Path

import click

from analyzer.base import AnalyzerError
from analyzer.cli.output import put


@click.command(short_help="Write a rule as a semantic patch.")
@click.option("--rule", required=True, metavar="RULE", help="The rule.")
@click.option("--coccinelle", is_flag=True, help="As SmPL, in the kernel's coccicheck form.")
@click.option("--migration", metavar="NAME", help="The migration. [default: the first that fits]")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to a file.")
def export(rule: str, *, coccinelle: bool, migration: str | None, output: Path | None) -> None:
    """Write what a rule can say without flow for a tool that the kernel runs.

    The ratchet: once a migration is in, `make coccicheck` keeps the old
    habits out, with nothing else installed.
    """
    from analyzer.coccinelle import semantic_patch
    from analyzer.migrations import load_migrations, migration_named
    from analyzer.rules import rule_named

    if not coccinelle:
        raise AnalyzerError("export: say in which form; there is one: --coccinelle")
    wanted = [migration_named(migration)] if migration else list(load_migrations().values())
    put(semantic_patch(rule_named(rule), wanted), output)
