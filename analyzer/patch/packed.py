"""Undo the packing in which archives hand out threads, and people keep patches."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import NamedTuple, Protocol

from analyzer.base import AnalyzerError

#: What unpacks to more is no patch series.
_MAX_BYTES = 256 << 20
#: The memory that xz may ask for; its own strongest setting takes 65 MB.
_MOST_FOR_XZ = 128 << 20


class _Unpacker(Protocol):
    """What unpacks one member of a packed file."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


#: An unpacker, and what it raises where the data is damaged.
_Opened = tuple[_Unpacker, type[Exception]]


class _Packing(NamedTuple):
    name: str
    magic: bytes
    open: Callable[[], _Opened] | None  # None: nothing here reads it


def _open_gzip() -> _Opened:
    return zlib.decompressobj(wbits=31), zlib.error


def _open_xz() -> _Opened:
    import lzma  # not in every Python, and seldom needed

    return lzma.LZMADecompressor(memlimit=_MOST_FOR_XZ), lzma.LZMAError


def _open_bzip2() -> _Opened:
    import bz2  # likewise

    return bz2.BZ2Decompressor(), OSError


_PACKINGS = (
    _Packing("gzip", b"\x1f\x8b", _open_gzip),
    _Packing("xz", b"\xfd7zXZ\0", _open_xz),
    _Packing("bzip2", b"BZh", _open_bzip2),
    _Packing("zstd", b"\x28\xb5\x2f\xfd", None),
    _Packing("zip", b"PK\3\4", None),
)


def unpacked(data: bytes, name: str) -> bytes:
    """Return data without its packing; name stands for it in messages.

    Raise AnalyzerError where it is damaged, cut off or too large, or packed in another way.
    """
    packing = next((p for p in _PACKINGS if data.startswith(p.magic)), None)
    if packing is None:
        return data
    out: list[bytes] = []
    room = _MAX_BYTES
    while data.startswith(packing.magic):  # several members may follow each other
        unpacker, damage = _opened(packing, name)
        try:
            out.append(unpacker.decompress(data, room + 1))
        except damage as error:
            raise AnalyzerError(f"{name}: not readable as {packing.name}: {error}") from error
        room -= len(out[-1])
        if room < 0:
            raise AnalyzerError(f"{name}: more than {_MAX_BYTES >> 20} MB when unpacked")
        if not unpacker.eof:
            raise AnalyzerError(f"{name}: not readable as {packing.name}: it is cut off")
        data = unpacker.unused_data.lstrip(b"\0")
    return b"".join(out)


def _opened(packing: _Packing, name: str) -> _Opened:
    if packing.open is not None:
        try:
            return packing.open()
        except ImportError:
            pass
    raise AnalyzerError(f"{name}: packed with {packing.name}, which is not read here: unpack it")
