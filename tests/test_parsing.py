"""Bodies read a slice at a time: the same JSON as Python's own parser reads, the same refusals, in bounded memory."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import InvalidBody, UnreadableBody
from api.http.messages import parsing
from api.http.messages.parsing import parse_json
from engine.errors import RoutingError

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5)
    | st.dictionaries(st.text("ab\u00e4\U0001f600\\\"", max_size=3), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip
MUTATIONS = [
    b"",
    b",",
    b"[",
    b"}",
    b'"',
    b"\\",
    b"\\ud800",
    b"\xff",
    b"NaN",
    b"-",
    b"1e",
    b"\n",
    b'"a":1,"a":2',
    b"tru",
]


class Kept(list):
    """Takes entries and keeps them."""

    def take(self, some):
        self.extend(some)


def read(body: bytes, slice_bytes: int, monkeypatch) -> object:
    """What a body holds, or why it is refused; `rows` is handed over entry by entry."""
    monkeypatch.setattr(parsing, "SLICE_BYTES", slice_bytes)
    try:
        return parse_json(body, {"rows": Kept()})
    except RoutingError as error:
        return type(error), str(error)


@pytest.mark.parametrize("slice_bytes", [4, 7, 31])
def test_slices_read_what_the_whole_text_holds(monkeypatch, slice_bytes):
    @settings(max_examples=150, deadline=None)
    @given(VALUES, VALUES, st.sampled_from([None, 1]), st.booleans())
    def run(value, rows, indent, is_ascii):
        whole = {"value": value, "rows": rows}
        for content in (whole, value):
            body = json.dumps(content, indent=indent, ensure_ascii=is_ascii).encode()
            assert read(body, slice_bytes, monkeypatch) == json.loads(body)

    run()


@pytest.mark.parametrize("slice_bytes", [4, 7, 31])
def test_slices_refuse_what_the_whole_text_refuses_at_the_same_place(monkeypatch, slice_bytes):
    @settings(max_examples=300, deadline=None)
    @given(VALUES, st.sampled_from(MUTATIONS), st.integers(0, 400), st.integers(0, 3), st.sampled_from([None, 1]))
    def run(value, put, at, n_removed, indent):
        body = json.dumps({"value": value, "rows": [value, 1]}, indent=indent).encode()
        at = min(at, len(body))
        body = body[:at] + put + body[at + n_removed :]
        assert read(body, slice_bytes, monkeypatch) == read(body, 1 << 20, monkeypatch)

    run()


# --- whatever a body holds, little of it is looked at in one step ---------------------------------------------------

MANY = 300_000
HOSTILE = {
    "lists": lambda n: b"[" + b"[]," * n + b"[]]",
    "lists in a member": lambda n: b'{"x":[' + b"[]," * n + b"[]]}",
    "lists in many members": lambda n: b"{%s}" % b",".join(b'"%d":[%s0]' % (i, b"[]," * (n // 90)) for i in range(90)),
    "lists in a row": lambda n: b'{"rows":[[' + b"[]," * n + b"[]]]}",
    "objects": lambda n: b"[" + b"{}," * n + b"{}]",
    "a text": lambda n: b'{"x":"' + b"ab" * n + b'"}',
    "a name": lambda n: b'{"' + b"ab" * n + b'":1}',
    "a number": lambda n: b'{"x":' + b"11" * n + b"}",
    "a fraction": lambda n: b'{"x":0.' + b"11" * n + b"}",
    "names, one of them twice": lambda n: b"{" + b"".join(b'"%d":1,' % i for i in range(n)) + b'"7":1}',
    "names in a row, one of them twice": lambda n: b'{"rows":[{%s"7":1}]}' % b"".join(b'"%d":1,' % i for i in range(n)),
    "brackets": lambda n: b"[" * n,
}  # fmt: skip


def steps(body: bytes, monkeypatch) -> tuple[list[int], int]:
    """Characters that Python's parser was given at each step, and slices that were decoded."""
    given, decoded = [], []
    scan, more = json.JSONDecoder.raw_decode, parsing._Text._more

    def counted(decoder, text, at=0):
        given.append(len(text) - at)
        return scan(decoder, text, at)

    with monkeypatch.context() as patch:
        patch.setattr(json.JSONDecoder, "raw_decode", counted)
        patch.setattr(parsing._Text, "_more", lambda text: decoded.append(0) or more(text))
        with pytest.raises((InvalidBody, UnreadableBody)):
            parse_json(body, {"rows": Kept()})
    return given, len(decoded)


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_body_that_no_request_has_is_refused_before_much_of_it_is_read(monkeypatch, make):
    """The work does not grow with the body, and no step of it, which nothing can interrupt, is long."""
    given, n_slices = steps(make(MANY), monkeypatch)
    assert max(given) <= parsing.MOST_CHARS + parsing.SLICE_BYTES
    more_given, n_more_slices = steps(make(4 * MANY), monkeypatch)
    assert (len(more_given), n_more_slices) <= (len(given), n_slices)
    assert n_slices * parsing.SLICE_BYTES <= 2 * parsing.MOST_CHARS + 2 * parsing.SLICE_BYTES


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_body_that_no_request_has_needs_no_memory_to_speak_of(make):
    body = make(MANY)
    tracemalloc.start()
    try:
        with pytest.raises((InvalidBody, UnreadableBody)):
            parse_json(body, {"rows": Kept()})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The cheapest value, [] and a comma, has 3 characters and needs 64 bytes: twice, as lists grow by copying.
    assert peak < 2 * 64 / 3 * (parsing.MOST_CHARS + parsing.SLICE_BYTES)


def test_reading_rows_costs_in_proportion_to_them(monkeypatch):
    """Steps of Python's parser, and characters it was given, for n, 2 n and 4 n rows: each value is read once."""
    sizes = []
    for n in (5_000, 10_000, 20_000):
        body = json.dumps({"rows": [{"id": f"{i:08}", "skills": ["a", "b"]} for i in range(n)]}).encode()
        given, n_slices = steps(body + b"!", monkeypatch)
        sizes.append((len(given) - n_slices, n_slices))
    n_steps, n_slices = np.array(sizes).T
    assert np.abs(n_steps[1:] / n_steps[:-1] - 2).max() < 0.02
    assert np.abs(n_slices - n_slices[0] * np.array([1, 2, 4])).max() <= 4


@given(VALUES, st.sampled_from(MUTATIONS), st.integers(0, 200))
@settings(max_examples=200)
def test_a_small_body_is_taken_in_one_go_as_it_is_slice_by_slice(value, mutation, at):
    """What is read and what is refused, in the same words, whether the body is small enough for one go or not."""
    body = json.dumps(value).encode()
    body = body[:at] + mutation + body[at:]
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for small_bytes in (parsing.SMALL_BYTES, -1):
            patch.setattr(parsing, "SMALL_BYTES", small_bytes)
            try:
                found.append(repr(parse_json(body)))
            except RoutingError as error:
                found.append((type(error), str(error)))
    assert found[0] == found[1]
