"""Take note of what is asked, so that somebody else can be asked the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, TypeVarTuple

A = TypeVarTuple("A")
T = TypeVar("T")
S = TypeVar("S", bound="Witness")

#: Questions, each with how to ask another one the same, and the answer.
Asked = dict[tuple[object, ...], tuple[Callable[[Any], object], Any]]


class Witness:
    """Somebody who is asked. While asked is a dictionary, questions are noted there.

    Meanwhile who asks the same again is told the same.
    """

    asked: Asked | None = None

    def note(
        self, question: tuple[object, ...], again: Callable[[Any], object], answer: object
    ) -> None:
        """Take note of a question, if somebody wants to know."""
        if self.asked is not None and question not in self.asked:
            self.asked[question] = (again, answer)

    @contextmanager
    def noting(self, asked: Asked | None) -> Iterator[None]:
        """Note what is asked meanwhile somewhere else, or nowhere."""
        held, self.asked = self.asked, asked
        try:
            yield
        finally:
            self.asked = held


def noted(method: Callable[[S, *A], T]) -> Callable[[S, *A], T]:
    """Let a question be noted while somebody wants to know what is asked."""

    def ask(self: S, /, *args: *A) -> T:
        asked, question = self.asked, (method, args)
        if asked is None:
            return method(self, *args)
        if question not in asked:
            found = method(self, *args)
            self.note(question, lambda other: method(other, *args), found)
        answer: T = asked[question][1]
        return answer

    functools.update_wrapper(ask, method)
    return ask
