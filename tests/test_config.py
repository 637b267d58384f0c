"""A kernel configuration says which symbols are set."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.base import AnalyzerError
from analyzer.config import read_config


def test_set_modular_and_unset_symbols_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / ".config"
    path.write_text(
        "# Linux/x86 6.12.0 Kernel Configuration\nCONFIG_A=y\nCONFIG_B=m\n"
        '# CONFIG_C is not set\nCONFIG_D="text"\nCONFIG_E=n\nCONFIG_F=12\n'
    )

    assert {
        "CONFIG_A": True, "CONFIG_B": True, "CONFIG_C": False,
        "CONFIG_D": True, "CONFIG_E": False, "CONFIG_F": True,
    } == read_config(path)  # fmt: skip


def test_a_file_without_symbols_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ".config"
    path.write_text("obj-y += x.o\n")

    with pytest.raises(AnalyzerError, match="not a kernel configuration"):
        read_config(path)
