"""Define one call of a function as it is interpreted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from analyzer.base import FunctionId
from analyzer.c.ir import Function, Variant
from analyzer.pages.machine import Frame


@dataclass(frozen=True, slots=True)
class Activation:
    """One call of a function: its variant, depth, and the calls that led to it."""

    function: Function
    variant: Variant
    depth: int
    stack: tuple[Frame, ...]
    root: FunctionId
    _types: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_types", types_of(self.function, self.variant))

    @property
    def id(self) -> FunctionId:
        """Return the function as (path, name)."""
        return (self.function.path, self.function.name)

    def place(self, name: str) -> str:
        """Return the place of a local variable."""
        return f"{self.depth}:{name}"

    def is_local(self, name: str) -> bool:
        """Tell whether a name is a parameter, local variable or temporary."""
        return name in self._types or name.startswith("%")

    def type_of(self, name: str) -> str:
        """Return the source text of a local's type, or nothing."""
        return self._types.get(name, "")


@lru_cache(maxsize=4096)
def types_of(function: Function, variant: Variant) -> Mapping[str, str]:
    """Return the types of parameters and locals; of parameters with one name the first counts."""
    return {**variant.locals, **{p.name: p.type for p in reversed(function.params)}}
