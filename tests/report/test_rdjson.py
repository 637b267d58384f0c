"""What reviewdog reads must be the format it describes: exclusive ends, columns in bytes."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from analyzer.report.view import Anchor, View
from analyzer.select import Selection, select

from .golden import VIEW, rendered
from .results import FINDING, RESULT, selected
from .test_formats import views

_ROOT = Path(__file__).resolve().parents[2]
FIX = """\
--- a/drivers/toy/toy.c
+++ b/drivers/toy/toy.c
@@ -5,3 +5,4 @@
 {
-\t__SetPageOffline(page);
+\tif (!PageOffline(page))
+\t\t__SetPageOffline(page);
 \tlist_add(&page->lru, &kept);
"""


def _object(required: str, **properties: Any) -> dict[str, Any]:
    """Return the schema of an object with these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 1}
_POSITION = _object("line", line=_NUMBER, column=_NUMBER)
_RANGE = _object("start", start=_POSITION, end=_POSITION)
_LOCATION = _object("path", path=_TEXT, range=_RANGE)
_SOURCE = _object("name", name=_TEXT, url=_TEXT)
#: The Reviewdog Diagnostic Format, stricter than its own schema, which allows any other field.
DIAGNOSTIC = _object(
    "message location",
    message=_TEXT,
    location=_LOCATION,
    severity={"enum": ["UNKNOWN_SEVERITY", "ERROR", "WARNING", "INFO"]},
    source=_SOURCE,
    code=_object("value", value=_TEXT, url=_TEXT),
    suggestions={"type": "array", "items": _object("range text", range=_RANGE, text=_TEXT)},
    original_output=_TEXT,
    related_locations={
        "type": "array",
        "items": _object("location", message=_TEXT, location=_LOCATION),
    },
)
RESULT_SCHEMA = _object(
    "diagnostics",
    source=_SOURCE,
    severity=DIAGNOSTIC["properties"]["severity"],
    diagnostics={"type": "array", "items": DIAGNOSTIC},
)


def diagnostics(view: View) -> list[dict[str, Any]]:
    """Return the diagnostics of a valid report."""
    report = json.loads(rendered("rdjson", view))
    jsonschema.validate(report, RESULT_SCHEMA)
    found = report["diagnostics"]
    assert isinstance(found, list)
    return found


@given(views())
@settings(max_examples=20, deadline=None)
def test_whatever_is_found_both_forms_are_valid_and_the_same(view: View) -> None:
    lines = [json.loads(line) for line in rendered("rdjsonl", view).splitlines()]

    for line in lines:
        jsonschema.validate(line, DIAGNOSTIC)
        assert {"name": "offlint"} == line.pop("source")
    assert diagnostics(view) == lines


def test_an_end_is_exclusive_and_a_trace_is_related() -> None:
    (found,) = diagnostics(View(selected=selected(FINDING)))

    span = {"start": {"line": 6, "column": 2}, "end": {"line": 6, "column": 24}}
    assert span == found["location"]["range"]
    assert ["mm/init.c", "drivers/toy/toy.c"] == [
        x["location"]["path"] for x in found["related_locations"]
    ]


def test_a_fix_is_a_suggestion_of_whole_lines() -> None:
    (found,) = diagnostics(View(selected=selected(replace(FINDING, fix=FIX))))

    assert [
        {
            "range": {"start": {"line": 6, "column": 1}, "end": {"line": 7, "column": 1}},
            "text": "\tif (!PageOffline(page))\n\t\t__SetPageOffline(page);\n",
        }
    ] == found["suggestions"]


def test_a_fix_in_another_file_is_no_suggestion() -> None:
    fixed = replace(VIEW, selected=selected(replace(FINDING, fix=FIX)), anchor=Anchor.HUNK)

    (found,) = diagnostics(fixed)

    assert "mm/init.c" == found["location"]["path"]
    assert "suggestions" not in found


@pytest.mark.slow
def test_a_validator_of_others_accepts_it(tmp_path: Path) -> None:
    program = _ROOT / "build" / "node" / "node_modules" / ".bin" / "rdformat-validator"
    if not program.exists() or shutil.which("node") is None:
        pytest.skip("no rdformat-validator: .ci/run installs it by npm under build/node")
    fixed = replace(VIEW, selected=selected(FINDING, replace(FINDING, fix=FIX)))
    bare = View(selected=select(replace(RESULT, findings=()), Selection()))
    for n, view in enumerate((VIEW, fixed, bare)):
        file = tmp_path / f"{n}.json"
        file.write_text(rendered("rdjson", view), encoding="utf-8")
        command = [str(program), "--strict", "--no-extra-fields", str(file)]

        done = subprocess.run(command, capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stdout + done.stderr
