"""Undo the packing in which archives hand out threads, and people keep patches."""

from __future__ import annotations

import zlib
from importlib import import_module
from io import BytesIO
from typing import NamedTuple

from analyzer.base import AnalyzerError

#: What unpacks to more is no patch series.
_MAX_BYTES = 256 << 20


class _Packing(NamedTuple):
    """A way to pack, what packed data begins with, and the module that reads it, if one does."""

    name: str
    magic: bytes
    module: str


_PACKINGS = (
    _Packing("gzip", b"\x1f\x8b", "gzip"),
    _Packing("xz", b"\xfd7zXZ\0", "lzma"),
    _Packing("bzip2", b"BZh", "bz2"),
    _Packing("zstd", b"\x28\xb5\x2f\xfd", ""),
    _Packing("zip", b"PK\3\4", ""),
)


def unpacked(data: bytes, name: str) -> bytes:
    """Return data without its packing; name stands for it in messages.

    Raise AnalyzerError where it is damaged, cut off or too large, or packed in another way.
    """
    packing = next((p for p in _PACKINGS if data.startswith(p.magic)), None)
    if packing is None:
        return data
    unread = AnalyzerError(f"{name}: packed with {packing.name}, which is not read here: unpack it")
    if not packing.module:
        raise unread
    try:
        module = import_module(packing.module)
    except ImportError as error:  # a Python may have been built without it
        raise unread from error
    damage = (OSError, zlib.error, getattr(module, "LZMAError", OSError))
    try:
        text: bytes = module.open(BytesIO(data)).read(_MAX_BYTES + 1)
    except EOFError as error:
        raise AnalyzerError(f"{name}: not readable as {packing.name}: it is cut off") from error
    except damage as error:
        raise AnalyzerError(f"{name}: not readable as {packing.name}: {error}") from error
    if len(text) > _MAX_BYTES:
        raise AnalyzerError(f"{name}: more than {_MAX_BYTES >> 20} MB when unpacked")
    return text
