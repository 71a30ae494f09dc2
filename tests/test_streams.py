"""Draws depend on seed, purpose, replication and id alone, and follow the published recipes to the last bit."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.estimates import streams
from engine.estimates.streams import HANDLING, NO_ANSWER, PATIENCE, PICK, uniform
from tests.oracle_streams import draw, fnv1a, split_mix

IDS = st.lists(st.text(max_size=12), min_size=1, max_size=12, unique=True)
SEEDS = st.sampled_from((0, 1, 7, 2**63 - 1))


def test_the_two_recipes_are_those_published():
    """Of the empty text FNV-1a is its offset basis; the first output of SplitMix64 from state 0 is known."""
    assert (fnv1a(""), fnv1a("a"), fnv1a("foobar")) == (0xCBF29CE484222325, 0xAF63DC4C8601EC8C, 0x85944171F73967E8)
    assert split_mix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF


@given(IDS, SEEDS, st.sampled_from((PATIENCE, HANDLING, NO_ANSWER, PICK)), st.sampled_from((0, 1, 999)))
def test_draws_are_those_of_the_slow_twin(ids, seed, purpose, replication):
    """Whatever the texts: empty, long, of any script, a slice of a longer column."""
    expected = [draw(text, seed, purpose, replication) for text in ids]
    assert uniform(pl.Series(ids), seed, purpose, replication).tolist() == expected
    inner = pl.Series(["before", *ids, "after"])[1:-1]
    assert uniform(inner, seed, purpose, replication).tolist() == expected


@given(IDS, st.randoms(use_true_random=False))
def test_who_else_is_there_changes_nothing(ids, shuffle):
    whole = dict(zip(ids, uniform(pl.Series(ids), 3, PATIENCE).tolist(), strict=True))
    some = shuffle.sample(ids, shuffle.randint(1, len(ids)))
    assert uniform(pl.Series(some), 3, PATIENCE).tolist() == [whole[text] for text in some]


def test_seeds_purposes_replications_and_ids_each_open_a_stream_of_their_own():
    ids = pl.Series([f"i{number}" for number in range(2000)])
    streams_ = [
        uniform(ids, seed, purpose, replication)
        for seed in (0, 1) for purpose in (PATIENCE, HANDLING, NO_ANSWER, PICK) for replication in (0, 1)
    ]  # fmt: skip
    assert np.abs(np.corrcoef(streams_) - np.eye(len(streams_))).max() < 0.1
    assert len(np.unique(np.concatenate(streams_))) == 2000 * len(streams_)


def test_draws_are_even_over_0_to_1():
    """Kolmogorov's distance of a hundred thousand draws of ids that hardly differ stays under its 0.1 % point."""
    draws = np.sort(uniform(pl.Series([f"i{number:06}" for number in range(100_000)]), 0, HANDLING))
    even = np.arange(draws.size) / draws.size
    assert 0 <= draws[0] < draws[-1] < 1
    assert np.abs(draws - even).max() < 1.95 / np.sqrt(draws.size)


def test_no_ids_no_draws_and_a_missing_id_is_refused():
    assert uniform(pl.Series([], dtype=pl.String), 0, PICK).tolist() == []
    with pytest.raises(ValueError, match="null"):
        uniform(pl.Series(["a", None]), 0, PICK)


def test_purposes_keep_their_numbers():
    """A new purpose must not move the others: results of earlier runs would change."""
    assert (streams.PATIENCE, streams.HANDLING, streams.NO_ANSWER, streams.PICK) == (0, 1, 2, 3)
