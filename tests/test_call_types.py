"""Call types are numbered once, whatever the batches, and priority never enters a score."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data import encode
from engine.data.call_types import CallTypeIndex, requirements

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["q1", "q2"]),
        st.one_of(st.none(), st.lists(st.sampled_from(["a", "b", "c;d", "é"]), max_size=3)),
        st.sampled_from([None, "en", "fr"]),
        st.sampled_from([0.0, 1.0, 1.5]),
    ),
    min_size=1,
    max_size=30,
)
SCHEMA = {"queue_id": pl.String, "skills": pl.List(pl.String), "language": pl.String, "priority": pl.Float64}


@given(ROWS, st.integers(1, 30))
def test_equal_requirements_share_a_number_in_any_batches(rows, size):
    frame = pl.DataFrame(rows, SCHEMA, orient="row")
    whole, parts = CallTypeIndex(), CallTypeIndex()
    codes = whole.codes(frame).tolist()
    batched = [c for start in range(0, len(rows), size) for c in parts.codes(frame[start : start + size]).tolist()]
    assert codes == batched
    keys = [(q, tuple(sorted(set(s or []))), lang, p) for q, s, lang, p in rows]
    assert [keys.index(key) for key in keys] == [codes.index(code) for code in codes]
    found = whole.frame().rows()
    assert [(q, tuple(s), lang, p) for q, s, lang, p in (found[c] for c in codes)] == keys


def test_priority_does_not_enter_a_requirement():
    frame = pl.DataFrame({"queue_id": ["q"] * 3, "priority": [0.0, 0.25, 7.5]})
    index = CallTypeIndex()
    index.codes(frame)
    distinct, requirement = requirements(index.frame())
    assert len(index) == 3
    assert distinct.height == 1
    assert requirement.tolist() == [0, 0, 0]


TEXTS = st.lists(st.none() | st.text(st.sampled_from("aAéß\uffee😀 ;"), max_size=3), max_size=12)


@given(TEXTS, TEXTS)
def test_few_texts_have_the_order_and_the_places_of_many(texts, others):
    """Also beyond the first 65,536 code points, which other programs put elsewhere."""
    column = pl.Series(texts, dtype=pl.String)
    ways = []
    for few in (encode.FEW, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(encode, "FEW", few)
            names = encode.distinct(pl.Series(others, dtype=pl.String))
            ways.append((encode.distinct(column), names, encode.places(column, names).tolist()))
    assert ways[0] == ways[1]
