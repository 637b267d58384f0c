"""Render one self-contained web page: it fetches nothing and reads without scripts."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from analyzer import __version__
from analyzer.report import words
from analyzer.report.page import is_quiet, prepare
from analyzer.report.plain import harmless, tabbed
from analyzer.report.view import View

_WEB = files("analyzer.report") / "web"


def render(view: View) -> str:
    """Return the page: verdict, migration, findings with source and trace, audit, gaps.

    Whatever comes from a patch or a source is made harmless and escaped where it is put in, and a
    policy in the page lets nothing run but the page's own script, which is named by its hash.
    """
    style, script = read_web("page.css"), read_web("page.js")
    return (
        _template().render(
            page=prepare(view),
            selected=view.selected,
            result=view.selected.result,
            version=__version__,
            style=Markup(style),  # noqa: S704  (our own file)
            script=Markup(script),  # noqa: S704  (our own file)
            style_hash=_hash(style),
            script_hash=_hash(script),
            is_quiet=is_quiet,
            words=words,
        )
        + "\n"
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        finalize=_harmless,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["code"] = _code
    environment.filters["breakable"] = _breakable
    return environment.from_string(read_web("page.html"))


@cache
def read_web(name: str) -> str:
    """Return one of the files that the page is made of."""
    return (_WEB / name).read_text("utf-8").rstrip("\n")


def _harmless(value: object) -> object:
    """Spell out what steers a reader, in every text that the template puts in."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return harmless(value)


def _code(text: str) -> Markup:
    """Return source code, whose tabs stay."""
    return escape(tabbed(text))


def _breakable(text: str) -> Markup:
    """Return a path or a name that may break where its parts do."""
    opened = str(escape(harmless(text))).replace("/", "/<wbr>").replace("_", "_<wbr>")
    return Markup(opened)  # noqa: S704  (escaped)


def _hash(text: str) -> Markup:
    """Return what a content security policy calls a text."""
    digest = hashlib.sha256(text.encode()).digest()
    return Markup(f"sha256-{base64.b64encode(digest).decode()}")  # noqa: S704  (base64)
