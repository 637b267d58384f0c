"""Choose parts of words that a search for literal text finds fast.

ripgrep searches with vector instructions as long as all that it looks for has no more than some 250
bytes together, and is the faster the rarer the first bytes of each are. So words are looked for by
parts of them; in the lines that are found they are told apart afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

#: Bytes of text that ripgrep still looks for with vector instructions.
ROOM = 250
#: A shorter part stands in too many lines.
SHORTEST = 7
#: The bytes of C, the most frequent first.
_FREQUENT = b"etairsnodlcpumf_ghbvywkxzjqPRSTEA"
_RARITY = {byte: n for n, byte in enumerate(_FREQUENT)}
_RAREST = len(_FREQUENT)
#: The first bytes decide how often a place is looked at more closely.
_FIRST = 3
_WEIGHT = 5


def shares_of(words: Collection[bytes]) -> Iterator[tuple[bytes, ...]]:
    """Yield for each pass over a tree the parts to look for; every word holds one of them."""
    alone = sorted(w for w in words if not any(o != w and o in w for o in words))
    passes = -(-len(alone) * SHORTEST // ROOM)
    for start in range(passes):
        share = alone[start::passes]
        yield tuple(sorted({stem_of(word, ROOM // len(share)) for word in share}))


def stem_of(word: bytes, length: int) -> bytes:
    """Return the part of a word, of a length at most, that seems the rarest."""
    starts = range(max(len(word) - length, 0) + 1)
    best = max(starts, key=lambda at: (_rarity(word[at : at + length]), -at))
    return word[best : best + length]


def _rarity(part: bytes) -> int:
    weights = [_RARITY.get(byte, _RAREST) for byte in part]
    return _WEIGHT * sum(weights[:_FIRST]) + sum(weights[_FIRST:])
