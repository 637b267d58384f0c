"""Print what a rule means."""

from __future__ import annotations

import click

from analyzer.cli.output import is_coloured, put, width_of


@click.command(short_help="Print what a rule means.")
@click.argument("rule")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colour the text.",
)
def explain(rule: str, *, color: str) -> None:
    """Print a rule's page: what should hold, what breaks, how to mend it."""
    from analyzer.report.rule import render
    from analyzer.rules import rule_named

    page = render(rule_named(rule), width=width_of(), colour=is_coloured(color, None))
    put(page, None)
