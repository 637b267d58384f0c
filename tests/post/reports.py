"""Reports to post, as `check --format json` writes them, and the tool that posts them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analyzer.cli import main
from analyzer.findings import Finding
from analyzer.report import json
from analyzer.report.view import View

from ..report.results import FINDING, FIXED, HAZARD, REMARK, STANDING, selected
from .servers import Service

#: On a line that the change under review shows, on another line of that file, in no file of it.
INSIDE = FINDING
BESIDE = replace(REMARK, introduced_by=1)
OUTSIDE = replace(
    FINDING,
    file="drivers/acme/acme.c",
    span=replace(FINDING.span, file="drivers/acme/acme.c", line=40, end_line=40),
    function="acme_keep",
    fingerprint="0125",
)
BESIDE = replace(BESIDE, fingerprint="0124", span=replace(BESIDE.span, line=1, end_line=1))
#: What nobody is to be told: mended in the series, fixed by it, there before it.
UNTOLD = (
    replace(HAZARD, fingerprint="0200"),
    replace(FIXED, fingerprint="0201"),
    replace(STANDING, fingerprint="0202"),
)
ALL = (INSIDE, BESIDE, OUTSIDE, *UNTOLD)


@dataclass(frozen=True, slots=True)
class Done:
    """How a run ended and everything that it printed."""

    status: int
    printed: str
    complaint: str


def write_report(folder: Path, *findings: Finding, **short: Any) -> Path:
    """Write a report on a series of two patches; short says what of it was not judged."""
    path = folder / "report.json"
    held = selected(*findings)
    path.write_text(json.render(View(selected=replace(held, result=replace(held.result, **short)))))
    return path


def post(*arguments: str | Path, **environment: str) -> Done:
    """Run `offlint post` with these variables in the environment."""
    held = dict(os.environ)
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    foreign = ("GITHUB_", "CI_", "GITLAB_", "GH_", "OFFLINT_", "PATCHWORK_")
    try:
        for name in [n for n in held if n.startswith(foreign)]:
            del os.environ[name]
        os.environ.update(environment)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(["post", *map(str, arguments)])
    finally:
        os.environ.clear()
        os.environ.update(held)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return Done(status, *texts)


def variables(service: Service) -> dict[str, str]:
    """Return the environment that holds a service's token under every name."""
    names = ("PATCHWORK_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN")
    return dict.fromkeys(names, service.token)


PYTHON = sys.executable
