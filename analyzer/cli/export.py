"""Write a rule down for another tool."""

from __future__ import annotations

from pathlib import Path

import click

from analyzer.base import AnalyzerError
from analyzer.cli.output import put, report_path


@click.command(short_help="Write a rule as a semantic patch.")
@click.option("--rule", required=True, metavar="RULE", help="The rule.")
@click.option("--coccinelle", is_flag=True, help="As SmPL, in the kernel's coccicheck form.")
@click.option("--migration", metavar="NAME", help="The migration. [default: the first that fits]")
@click.option("--tree", metavar="DIR", help="A kernel tree whose law decides what is forbidden.")
@click.option("--git", "revision", metavar="REV", help="Read the tree at this git revision.")
@click.option("--output", type=report_path, metavar="FILE", help="Write to a file.")
def export(
    rule: str,
    *,
    coccinelle: bool,
    migration: str | None,
    tree: str | None,
    revision: str | None,
    output: Path | None,
) -> None:
    """Write what a rule can say without flow for a tool that the kernel runs.

    The ratchet: once a migration is in, `make coccicheck` keeps the old
    habits out, with nothing else installed. With --tree only what its own law
    has something against is written, for the accessors that it has.
    """
    from analyzer.coccinelle import law_of, semantic_patch
    from analyzer.migrations import known_migrations, load_migrations, migration_named
    from analyzer.rules import rule_named

    if not coccinelle:
        raise AnalyzerError("export: say in which form; there is one: --coccinelle")
    meant, known, lawful = rule_named(rule), load_migrations(), None
    if tree is not None or revision is not None:
        from analyzer.settings import settings_of
        from analyzer.tree import open_tree

        opened = open_tree(tree, revision)
        known = known_migrations(settings_of(opened).migrations)
        lawful = law_of(opened, sorted({t for m in known.values() for t in m.types}))
    wanted = [migration_named(migration, known)] if migration else list(known.values())
    put(semantic_patch(meant, wanted, lawful), output)
