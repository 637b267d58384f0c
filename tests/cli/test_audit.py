"""The command audits a tree and a patch, and its status says whether anything is affected."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from .commands import PATCH, TREE, offlint


def test_a_tree_is_audited() -> None:
    done = offlint("audit", "--tree", TREE, "--format", "json", "--fail-on", "never")

    report = json.loads(done.stdout)
    assert 0 == done.status
    assert "hotplug-offline" == report["migration"]["name"]
    assert report["counts"]["uses"] == len([s for s in report["sites"] if not s["absent"]]) > 0


def test_a_patch_is_audited_with_its_delta() -> None:
    done = offlint("audit", "--tree", TREE, "--patch", PATCH, "--format", "json")

    report = json.loads(done.stdout)
    assert 1 == done.status
    affected = {s["function"] for s in report["sites"] if s["verdict"] == "affected"}
    assert {"acme_append", "foo_online_one"} == affected
    assert {"kept", "added"} & {s["delta"] for s in report["sites"]}


def test_ignored_paths_of_the_tree_are_left_out_and_counted(tmp_path: Path) -> None:
    shutil.copytree(TREE, tmp_path / "tree")
    (tmp_path / "tree/.offlint.toml").write_text('[ignore]\npaths = ["drivers/acme/"]\n')

    done = offlint("audit", "--tree", str(tmp_path / "tree"), "--patch", PATCH, "--format", "json")

    sites = json.loads(done.stdout)["sites"]
    assert {"foo_online_one"} == {s["function"] for s in sites if s["verdict"] == "affected"}
    assert not [s for s in sites if s["file"].startswith("drivers/acme/")]
    assert "in paths that .offlint.toml ignores" in done.stderr


def test_status_follows_fail_on() -> None:
    assert 0 == offlint("audit", "--tree", TREE, "--patch", PATCH, "--fail-on", "never").status


def test_reports_go_to_files(tmp_path: Path) -> None:
    table = tmp_path / "table.html"

    done = offlint(
        "audit", "--tree", TREE, "--format", "text", "--format", f"html-table={table}",
        "--fail-on", "never",
    )  # fmt: skip

    assert 0 == done.status
    assert "uses:" in done.stdout
    assert table.read_text().startswith("<table")


def test_an_unknown_migration_and_format_are_one_message() -> None:
    migration = offlint("audit", "--tree", TREE, "--migration", "hotplug-ofline")
    form = offlint("audit", "--tree", TREE, "--format", "sarif")

    assert (2, 2) == (migration.status, form.status)
    assert "did you mean hotplug-offline?" in migration.stderr
    assert "text, json, html, html-table" in form.stderr
