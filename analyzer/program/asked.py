"""Take note of what is asked, so that somebody else can be asked the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="Witness")

#: Questions, each with how to ask another one the same, and the answer.
Asked = dict[tuple[object, ...], tuple[Callable[[Any], object], object]]


class Witness:
    """Somebody who is asked. While asked is a dictionary, questions are noted there."""

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


def noted(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Let a question be noted while somebody wants to know what is asked."""

    def ask(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        found = method(self, *args, **kwargs)
        if self.asked is not None:
            self.note((method, args), lambda other: method(other, *args, **kwargs), found)
        return found

    functools.update_wrapper(ask, method)
    return ask
