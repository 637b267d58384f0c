"""Search a real kernel tree by each way there is."""

from __future__ import annotations

import shutil

import pytest

from analyzer.tree import DirectoryTree, search
from analyzer.tree.words import encode_words

from ..kernel.trees import open_kernel

WORDS = ("PageReserved", "PageOffline", "__SetPageOffline", "SetPageReserved", "Page", "pfn_valid")

pytestmark = pytest.mark.kernel


def test_every_engine_finds_the_same_in_the_kernel() -> None:
    tree = open_kernel()
    assert isinstance(tree, DirectoryTree)
    names = encode_words(WORDS)
    plain = search.with_python(tree.root, names)
    tools = {"rg": search.with_ripgrep, "git": search.with_git_grep}
    found = {name: engine(tree.root, names) for name, engine in tools.items() if shutil.which(name)}

    assert "PageReserved" in plain["mm/page_alloc.c"]
    assert {name for name, hits in found.items() if hits != plain} == set()
