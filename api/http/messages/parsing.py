"""A body taken as JSON with nothing left to guess, a slice at a time: others go on meanwhile, and memory is bounded.

Python's own parser takes a whole text in one call, which holds the interpreter lock for as long as it runs and makes
an object of twenty times the size of every `[]`. Here it takes one value after another, each of a bounded length.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn, Protocol

from api.checks import MOST_FIELDS, pointer
from api.errors import InvalidBody, Problem, UnreadableBody

# Parsed in one go, in a tenth of a millisecond. [byte]
SMALL_BYTES = 8 * 1024
# Decoded at a time. [byte]
SLICE_BYTES = 128 * 1024
# One value, and all of an object that is not handed over row by row: parsed within some 20 ms, whatever it holds.
MOST_CHARS = 256 * 1024
# A text that was cut is refused at its end, at most in the middle of a word or an escape; or where it begins.
_CUT_CHARS, _CUT_TEXT = 16, "Unterminated string"
_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Taker(Protocol):
    """Takes the entries of a list as they are read."""

    def take(self, some: list[Any], /) -> object:
        """The next entries."""


def parse_json(body: bytes | bytearray, takers: Mapping[str, Taker] | None = None) -> Any:
    """Read JSON strictly: no NaN, no infinity, no repeated name, no broken character.

    Parameters
    ----------
    body : bytes
        As it came.
    takers : mapping of str to Taker, optional
        By name of a member of the outermost object, what takes the entries of its list and then stands in its place.

    Returns
    -------
    object
        As JSON has it.

    Raises
    ------
    UnreadableBody
        If it is no JSON.
    InvalidBody
        If a value, or all that nobody takes, is longer than any request has it.

    Examples
    --------
    >>> parse_json(b'{"top": 3}')
    {'top': 3}
    """
    if len(body) <= SMALL_BYTES and not takers:
        with suppress(ValueError, RecursionError, _Wide):
            return _at_once(body.decode())
    # What is wrong with a small body is found out as for a large one, so that it is told in the same words.
    text = _Text(body)
    try:
        if not text.peek():
            raise UnreadableBody("the body is empty; send a JSON object, see /docs for examples")
        value = _members(text, takers or {}) if text.peek() == "{" else text.value(())
        if text.peek():
            raise text.refusal("Extra data")
    except UnicodeEncodeError as error:
        raise UnreadableBody("a text holds half of a surrogate pair; write the whole character") from error
    except RecursionError as error:
        raise UnreadableBody("the body is nested too deeply; see /docs for its shape") from error
    return value


def _at_once(text: str) -> Any:
    if _SURROGATE.search(text):
        raise ValueError("escapes that may be half a character are looked at one by one")
    return _DECODER.decode(text)


def _members(text: _Text, takers: Mapping[str, Taker]) -> dict[str, Any]:
    """The members of the outermost object."""
    found: dict[str, Any] = {}
    n_chars, end = 0, text.enter("}")
    while not end:
        if text.peek() != '"':
            raise text.refusal("Expecting property name enclosed in double quotes")
        name = text.value(())
        n_chars += text.n_chars
        if name in found:
            raise _twice(name)
        if len(found) == MOST_FIELDS:
            raise _too_wide(())
        text.expect(":")
        if name in takers and text.peek() == "[":
            found[name] = takers[name]
            _hand_over(text, name, takers[name])
        else:
            found[name] = text.value((name,))
            n_chars += text.n_chars
            if n_chars > MOST_CHARS:
                raise _too_long(())
        end = text.next("}")
    return found


def _hand_over(text: _Text, name: str, taker: Taker) -> None:
    """Hand over the entries of a list, those of a slice together."""
    some: list[Any] = []
    n, n_slices, end = 0, text.n_slices, text.enter("]")
    while not end:
        some.append(text.value((name, n)))
        n += 1
        if text.n_slices > n_slices:
            taker.take(some)
            some, n_slices = [], text.n_slices
        end = text.next("]")
    taker.take(some)


class _Text:
    """A body as text, of which only a slice is there at any time."""

    def __init__(self, body: bytes | bytearray) -> None:
        self._body, self._n_read = body, 0
        self._text, self._at = "", 0
        self._line, self._column = 1, 1  # Where the slice begins
        self._has_surrogates = False
        self._scan = _DECODER.raw_decode
        self.n_slices = 0
        self.n_chars = 0  # Of the value last read

    def peek(self) -> str:
        """The next character that is no white space; nothing at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            assert found is not None
            self._at = found.end()
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def enter(self, end: str) -> bool:
        """Step over the bracket that opens; over the one that closes too, where nothing is between them."""
        self._at += 1
        return self._step(end)

    def next(self, end: str) -> bool:
        """Step over a comma, or over the bracket that closes: then it is the end."""
        if self._step(end):
            return True
        self.expect(",")
        return False

    def expect(self, sign: str) -> None:
        """Step over a sign that must stand here."""
        if not self._step(sign):
            raise self.refusal(f"Expecting {sign!r} delimiter")

    def value(self, place: tuple[str | int, ...]) -> Any:
        """The value that stands here; `place` tells whose it is where it is too long."""
        self.peek()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
                # A number may go on in the next slice, even where a point or an e is the last of this one.
                if end + _CUT_CHARS < len(self._text) or self._n_read == len(self._body):
                    break
            except _Wide as error:
                raise _too_wide(place) from error
            except json.JSONDecodeError as error:
                is_cut = error.pos > len(self._text) - _CUT_CHARS or error.msg.startswith(_CUT_TEXT)
                if not is_cut or self._n_read == len(self._body):
                    raise self.refusal(error.msg, error.pos) from error
            except ValueError as error:
                # A whole number of thousands of digits is the only other value Python refuses to read.
                raise UnreadableBody("a number has thousands of digits; write a plain number") from error
            if len(self._text) - self._at > MOST_CHARS:
                raise _too_long(place)
            self._more()
        self._at, self.n_chars = end, end - self._at
        if self._has_surrogates:
            # Half a character, as \ud800 alone, can be neither written nor compared.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value

    def refusal(self, why: str, at: int | None = None) -> UnreadableBody:
        """That something is wrong with the JSON, and where."""
        line, column = self._place(self._at if at is None else at)
        return UnreadableBody(f"{why} at line {line}, column {column}; put the JSON right")

    def _step(self, sign: str) -> bool:
        found = self.peek() == sign
        self._at += found
        return found

    def _more(self) -> bool:
        """Let go of what was read and decode the next slice; false where there is none."""
        start = self._n_read
        if start == len(self._body):
            return False
        self._line, self._column = self._place(self._at)
        some = self._body[start : start + SLICE_BYTES]
        try:
            added, n_used = codecs.utf_8_decode(some, "strict", start + len(some) == len(self._body))
        except UnicodeDecodeError as error:
            raise UnreadableBody(
                f"byte {start + error.start} of the body is not UTF-8; save or send it as UTF-8"
            ) from error
        if start == 0 and added.startswith("\ufeff"):
            raise UnreadableBody("the body begins with a byte order mark (BOM); send plain UTF-8 without one")
        self._text, self._at = self._text[self._at :] + added, 0
        self._n_read += n_used
        self._has_surrogates = _SURROGATE.search(self._text) is not None
        self.n_slices += 1
        return True

    def _place(self, at: int) -> tuple[int, int]:
        """Line and column of a character of the slice."""
        n_lines = self._text.count("\n", 0, at)
        start = self._column + at if n_lines == 0 else at - self._text.rindex("\n", 0, at)
        return self._line + n_lines, start


class _Wide(Exception):
    """An object has more fields than any request knows."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_FIELDS:
        raise _Wide
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise _twice(next(name for name, n in counts.items() if n > 1))
    return found


def _twice(name: str) -> UnreadableBody:
    return UnreadableBody(f"{name[:60]!r} stands twice in one object; keep one")


def _too_wide(place: tuple[str | int, ...]) -> InvalidBody:
    what, remedy = f"an object with more than {MOST_FIELDS} fields", "use those of this request, see /docs"
    return InvalidBody(Problem(pointer(*place), what, remedy))


def _too_long(place: tuple[str | int, ...]) -> InvalidBody:
    what = f"longer than {MOST_CHARS:,} characters"
    remedy = "no request needs that much here; see /docs for its shape"
    return InvalidBody(Problem(pointer(*place), what, remedy))


def _refuse_constant(name: str) -> NoReturn:
    raise UnreadableBody(f"{name} is not JSON; write a plain number, or null")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
