"""Search a tree ahead of time, while its user has other things to do."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator

from analyzer.base import AnalyzerError
from analyzer.tree.api import Tree


@contextlib.contextmanager
def searching(tree: Tree, words: Iterable[str]) -> Iterator[None]:
    """Search for words in the background; who asks for them meanwhile waits for the answer.

    Worth it for trees that remember what they were asked; no other thread may read the tree.
    """

    def search() -> None:
        with contextlib.suppress(AnalyzerError):  # whoever asks in earnest is told
            tree.search(words)

    thread = threading.Thread(target=search, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
