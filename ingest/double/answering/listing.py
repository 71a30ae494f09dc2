"""Lists in pages, some of them shorter than asked for with more to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

from ingest.double.answering.answers import Answer, Question

Json = dict[str, Any]

DEFAULT_SIZE, MOST = 25, 100
# One list in so many without a total has a short first page always.
SHORT_ONE_IN = 3


class Pages:
    """Remembers which pages of which lists are short: a list must not lose anything by it."""

    def __init__(self) -> None:
        self._lengths: dict[tuple[str, int], dict[int, int]] = {}
        self._lock = Lock()

    def answer(
        self,
        question: Question,
        entries: Sequence[Any],
        write: Callable[[Any], Json],
        *,
        has_total: bool,
        key: str = "",
    ) -> Answer:
        """One page of a list."""
        size, number = question.number("pageSize", DEFAULT_SIZE, MOST), question.number("pageNumber", 1, 1 << 31)
        list_key = f"{question.path} {key}"
        start, stop = self._place(list_key, len(entries), size, number, question.fault == "short_page", not has_total)
        body: Json = {
            "entities": [write(entry) for entry in entries[start:stop]], "pageSize": size, "pageNumber": number,
            "firstUri": _uri(question, 1), "selfUri": _uri(question, number),
        }  # fmt: skip
        if has_total:
            pages = -(-len(entries) // size)
            body |= {"total": len(entries), "pageCount": pages, "lastUri": _uri(question, max(1, pages))}
        if stop < len(entries):
            body["nextUri"] = _uri(question, number + 1)
        return Answer(body)

    def _place(
        self, key: str, total: int, size: int, number: int, is_short: bool, may_be_short: bool
    ) -> tuple[int, int]:
        with self._lock:
            short: dict[int, int] = {}
            if may_be_short and size > 1 and crc32(key.encode()) % SHORT_ONE_IN == 0:
                short = {1: size - 1}
            lengths = self._lengths.setdefault((key, size), short)
            start = (number - 1) * size - sum(size - length for page, length in lengths.items() if page < number)
            if is_short and number not in lengths and total - start > 1:
                # Pages after this one now start earlier: whoever reads on sees some twice, and nobody misses any.
                lengths[number] = min(size, total - start) // 2
            return start, min(total, start + lengths.get(number, size))


def _uri(question: Question, number: int) -> str:
    query = {name: ",".join(values) for name, values in question.query.items()} | {"pageNumber": str(number)}
    return f"{question.path}?{urlencode(query)}"
