"""The frame of an Arrow IPC file, looked over before anything is decoded from it.

What is refused here would make a small file large in memory (compressed buffers, parts that are listed twice) or is
written by none of our programs. The numbers are where the flatbuffers of Arrow's format have them
(https://github.com/apache/arrow/tree/main/format: File.fbs, Message.fbs, Schema.fbs).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

MAGIC = b"ARROW1"
FOOTER_TAIL = len(MAGIC) + 4
BLOCK = struct.Struct("<qi4xq")
CONTINUES = 0xFFFFFFFF
# Where numbers may start, as compiled loops read them. [byte]
ALIGNED = 8
# Values of Message.header_type.
DICTIONARY, ROWS = 2, 3
# A day is written in some batches, and a column has one dictionary.
MOST_BLOCKS = 100_000


class Block(NamedTuple):
    """Where a message lies in the file: its place, the length of its head and of its body. [byte]"""

    place: int
    head: int
    body: int


class _Flat:
    """A table of a flatbuffer; everything it reads lies within the bytes given."""

    def __init__(self, content: memoryview, place: int) -> None:
        self._content, self._place = content, place
        self._fields = place - self._number("<i", place)
        self._n_bytes = self._number("<H", self._fields)

    @classmethod
    def root(cls, content: memoryview) -> _Flat:
        return cls(content, _unpacked("<I", content, 0))

    def place(self, field: int) -> int | None:
        """Where a field lies; None where it is left out."""
        at = 4 + 2 * field
        offset = self._number("<H", self._fields + at) if at < self._n_bytes else 0
        return self._place + offset if offset else None

    def number(self, field: int, form: str, default: int = 0) -> int:
        place = self.place(field)
        return default if place is None else self._number(form, place)

    def table(self, field: int) -> _Flat:
        place = self.place(field)
        if place is None:
            raise ValueError("a part of its frame is missing")
        return _Flat(self._content, place + self._number("<I", place))

    def structs(self, field: int, form: struct.Struct) -> list[tuple[int, ...]]:
        place = self.place(field)
        if place is None:
            return []
        start = place + self._number("<I", place)
        n, start = self._number("<I", start), start + 4
        if n > MOST_BLOCKS or start + n * form.size > len(self._content):
            raise ValueError("a list in its frame is longer than the file")
        return list(form.iter_unpack(self._content[start : start + n * form.size]))

    def _number(self, form: str, place: int) -> int:
        return _unpacked(form, self._content, place)


def _unpacked(form: str, content: memoryview, place: int) -> int:
    # A negative place would be counted from the end.
    if place < 0 or place + struct.calcsize(form) > len(content):
        raise ValueError("its frame points outside of the file")
    return int(struct.unpack_from(form, content, place)[0])


def check_structure(content: memoryview) -> None:
    """Refuse a file that is framed otherwise than ours are; `ValueError` says why."""
    end = len(content) - FOOTER_TAIL
    if end < len(MAGIC) or content[-len(MAGIC) :] != MAGIC or content[: len(MAGIC)] != MAGIC:
        raise ValueError("not an Arrow file")
    start = end - _unpacked("<i", content, end)
    if not len(MAGIC) <= start < end:
        raise ValueError("its frame points outside of the file")
    footer = _Flat.root(content[start:end])
    if footer.table(1).number(0, "<h"):
        raise ValueError("its numbers have another order of bytes")
    dictionaries, rows = ([Block(*block) for block in footer.structs(field, BLOCK)] for field in (2, 3))
    _check_apart([*dictionaries, *rows], start)
    known = [_checked_message(content, block, DICTIONARY) for block in dictionaries]
    if len(set(known)) < len(known):
        raise ValueError("a dictionary is written twice")
    for block in rows:
        _checked_message(content, block, ROWS)


def _check_apart(blocks: list[Block], end: int) -> None:
    """Parts that lie in one another could say a small file again and again."""
    reached = len(MAGIC)
    for place, head, body in sorted(blocks):
        if place < reached or (place | head) % ALIGNED or head < 16 or body < 0 or place + head + body > end:
            raise ValueError("its parts lie in one another or outside of the file")
        reached = place + head + body


def _checked_message(content: memoryview, block: Block, kind: int) -> int:
    """Number of the dictionary that a message holds, 0 for rows."""
    head = content[block.place : block.place + block.head]
    continues, length = struct.unpack_from("<Ii", head)
    if continues != CONTINUES or not 0 < length <= block.head - 8:
        raise ValueError("a part has no head")
    message = _Flat.root(head[8:])
    if message.number(1, "<B") != kind or message.number(3, "<q") != block.body:
        raise ValueError("a part is not what its frame says")
    held = message.table(2)
    rows = held.table(1) if kind == DICTIONARY else held
    if rows.place(3) is not None:
        raise ValueError("it is compressed")
    if kind == DICTIONARY and held.number(2, "<B"):
        raise ValueError("a dictionary is written in pieces")
    _check_buffers(rows, block.body)
    return held.number(0, "<q") if kind == DICTIONARY else 0


def _check_buffers(rows: _Flat, body: int) -> None:
    for place, length in _pairs(rows, 2):
        if place < 0 or place % ALIGNED or length < 0 or place + length > body:
            raise ValueError("a column lies outside of its part")
    n_rows = rows.number(0, "<q")
    if n_rows < 0 or any(n < 0 or not 0 <= n_null <= n for n, n_null in _pairs(rows, 1)):
        raise ValueError("a column has an impossible length")


def _pairs(rows: _Flat, field: int) -> Iterator[tuple[int, ...]]:
    yield from rows.structs(field, struct.Struct("<qq"))
