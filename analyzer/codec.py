"""Write frozen dataclasses as JSON, and read them back by their declared types.

Not pickle: what is read can only be what the types allow, whoever has written it.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def encode(value: object) -> bytes:
    """Return a dataclass as JSON: each as the list of its fields."""
    return json.dumps(_plain(value), separators=(",", ":")).encode()


def decode(kind: type[T], data: bytes) -> T:
    """Return the dataclass that was encoded; raise ValueError where the data are none."""
    try:
        value: T = _typed(kind, json.loads(data))
    except (TypeError, KeyError, IndexError, ValueError) as error:
        raise ValueError(f"not a {kind.__name__}: {error}") from error
    return value


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [_plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(map(_plain, value), key=repr)
    if isinstance(value, Mapping):
        return [[_plain(k), _plain(v)] for k, v in value.items()]
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(v) for v in value]
    return value


def _typed(kind: Any, value: Any) -> Any:  # types of types
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        (only,) = (k for k in inner if k is not type(None))
        return _typed(only, value)
    if origin is tuple:
        if len(inner) == 2 and inner[1] is ...:
            return tuple(_typed(inner[0], v) for v in value)
        return tuple(_typed(k, v) for k, v in zip(inner, value, strict=True))
    if origin is frozenset:
        return frozenset(_typed(inner[0], v) for v in value)
    if origin is not None and issubclass(origin, Mapping):
        return {_typed(inner[0], k): _typed(inner[1], v) for k, v in value}
    if isinstance(origin, type) and dataclasses.is_dataclass(origin):  # of one type: Pair[int]
        (only,) = inner
        fields = tuple((name, only) for name, _ in _fields(origin))
        return origin(**{n: _typed(k, v) for (n, k), v in zip(fields, value, strict=True)})
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        fields = _fields(kind)
        pairs = zip(fields, value, strict=True)
        return kind(**{name: _typed(k, v) for (name, k), v in pairs})
    if issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, kind) and not (kind is float and isinstance(value, int)):
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value


@cache
def _fields(kind: type) -> tuple[tuple[str, object], ...]:
    hints = get_type_hints(kind)
    return tuple((f.name, hints[f.name]) for f in dataclasses.fields(kind) if f.init)
