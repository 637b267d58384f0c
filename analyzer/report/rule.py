"""Render the page of a rule."""

from __future__ import annotations

from analyzer.report.paint import painter
from analyzer.report.plain import wrap
from analyzer.rules import Rule


def render(rule: Rule, *, width: int = 80, colour: bool = False) -> str:
    """Return a rule's page: what should hold, what breaks, how to mend it, when it is wrong."""
    paint = painter(colour=colour)
    head = f"{paint(rule.id, str(rule.severity))}  ({rule.severity}, confidence {rule.confidence})"
    summary = rule.summary[:1].upper() + rule.summary[1:] + "."
    blocks = [[head], _indented(summary, width)]
    blocks.extend(
        [paint("What breaks", "title"), *_indented(p, width)] for p in rule.explanation[:1]
    )
    blocks.extend(_indented(p, width) for p in rule.explanation[1:])
    blocks.append([paint("How to mend it", "title"), *_indented(rule.remedy, width)])
    blocks.append([paint("Stale", "title"), *_code(rule.stale)])
    blocks.append([paint("Mended", "title"), *_code(rule.mended)])
    limits = [line for x in rule.limits for line in wrap(x, width, first="  - ", rest="    ")]
    blocks.append([paint("When the rule is wrong", "title"), *limits])
    return "\n\n".join("\n".join(b) for b in blocks) + "\n"


def _indented(text: str, width: int) -> list[str]:
    return wrap(text, width, first="  ", rest="  ")


def _code(text: str) -> list[str]:
    return [f"    {line.expandtabs()}".rstrip() for line in text.splitlines()]
