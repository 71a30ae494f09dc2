"""The implied peak: how many interactions the busiest agent would hold at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.measures.tally import Peak

SPELLS = st.lists(st.tuples(st.integers(0, 60), st.one_of(st.none(), st.integers(0, 20))), max_size=40)


def counted(spells: list[tuple[int, int | None]]) -> int:
    """Count at every second how many are running; the obvious slow way."""
    running = [sum(a <= t < a + h for a, h in spells if h is not None) for t in range(100)]
    return max(running, default=0)


@given(SPELLS, st.integers(1, 10))
def test_peak_equals_counting_second_by_second_in_any_batches(spells, size):
    spells = sorted(spells, key=lambda spell: spell[0])
    peak = Peak()
    for start in range(0, len(spells), size):
        part = spells[start : start + size]
        arrived_us = np.array([a * 1_000_000 for a, _ in part], np.int64)
        peak.add(arrived_us, np.array([np.nan if h is None else h for _, h in part], float))
    assert peak.value == counted(spells)
    assert peak.n_untimed == sum(h is None for _, h in spells)


def test_one_ends_as_the_next_begins():
    peak = Peak()
    peak.add(np.array([0, 1_000_000]), np.array([1.0, 1.0]))
    assert peak.value == 1
