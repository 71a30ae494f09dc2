"""Hints at the nearest name cost little, however many names are known and however long they are."""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher, get_close_matches

import numpy as np
import pytest

from engine.data.encode import encode
from engine.near import nearest
from engine.reports import notes
from tests.small_centres import centre


@pytest.fixture
def compared(monkeypatch):
    """Lengths of the texts that were compared, one product for each comparison."""
    found = []
    ratio = SequenceMatcher.real_quick_ratio
    monkeypatch.setattr(
        SequenceMatcher, "real_quick_ratio", lambda m: found.append(len(m.a) * len(m.b)) or ratio(m)
    )  # fmt: skip
    return found


def test_few_names_are_told_as_difflib_tells_them():
    names = ["sales", "support", "Sales DE", "", "s"]
    for name in ("sale", "suport", "sales de", "x", ""):
        wanted = get_close_matches(name, names, n=1)
        assert nearest(name, names) == (wanted[0] if wanted else None)


def test_among_many_names_the_one_mistyped_is_found():
    assert nearest("queue-0123x", [f"queue-{n:05}" for n in range(20_000)]).startswith("queue-012")
    assert nearest("Queue-07777", [f"queue-{n:05}" for n in range(20_000)]) == "queue-07777"


def test_comparisons_are_bounded(compared):
    for n in (1_000, 4_000):
        for length in (300, 100_000):
            compared.clear()
            nearest("a" * length, [f"a{k:04}{'b' * 300}" for k in range(n)])
            assert (len(compared), max(compared)) == (200, 60 * 60)


def test_of_thousands_of_skills_that_nobody_has_only_those_told_are_compared(compared):
    plain, n = encode(centre(1)).centre, 2_000
    level = np.full((plain.n_agents, 2 * n), np.nan)
    level[:, n:] = 1.0
    many = replace(
        plain,
        skills=[f"skill {k:04}" for k in range(2 * n)],
        proficiency=level,
        languages=[],
        language_level=level[:, :0],
    )
    (said,) = notes.about_centre(many)
    assert f"and {n - notes.MOST_NAMES:,} more".replace(",", "") in said
    assert len(compared) <= notes.MOST_NAMES * 200
