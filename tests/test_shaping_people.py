"""Whom names of other files mean."""

from __future__ import annotations

import polars as pl
import pytest

from ingest.exports.shaping.people import match, words

AGENTS = pl.DataFrame(
    {
        "agent_id": ["1001", "1002", "1003", "1004"],
        "agent_name": ["Lang, Peter", "Müller, Zoë", "Groß, Anna Maria", "Ng, Li"],
        "email": ["p.lang@example.org", None, "am.gross@example.org", None],
    }
)


@pytest.mark.parametrize(
    ("name", "agent"),
    [
        ("Peter Lang", "1001"),
        ("lang,  PETER", "1001"),
        ("Dr. Peter Lang", "1001"),
        ("P.LANG@example.org", "1001"),
        ("peter.lang@other.example", "1001"),
        ("Lang, Peter (1001)", "1001"),
        ("1001 - Peter Lang", "1001"),
        ("1001", "1001"),
        ("1001.0", "1001"),
        ("01001", "1001"),
        ("Zoe Mueller", "1002"),
        ("Muller, Zoe", "1002"),
        ("Anna Maria Gross", "1003"),
        ("Li Ng", "1004"),
    ],
)
def test_an_agent_is_found_under_id_name_or_address(name: str, agent: str) -> None:
    assert match([name], AGENTS).ids == {name: agent}


def test_what_is_only_alike_is_asked_about_and_strangers_are_named() -> None:
    found = match(["Peter Lagn", "Anna Groß", "Ute Abel"], AGENTS)
    assert not found.ids
    assert found.near == {"Peter Lagn": ("1001",), "Anna Groß": ("1003",)}
    assert found.unknown == ("Ute Abel",)


def test_an_exact_name_comes_before_a_loose_one_and_a_loose_one_of_two_is_asked_about() -> None:
    twice = pl.DataFrame({"agent_id": ["1", "2"], "agent_name": ["Lang, Peter", "Peter Lang"]})
    found = match(["peter lang", "Lang, P.", "2"], twice)
    assert found.ids == {"peter lang": "2", "2": "2"}
    assert found.several == {"Lang, P.": ("1", "2")}


def test_two_agents_of_one_name_are_asked_about() -> None:
    same = pl.DataFrame({"agent_id": ["1", "2"], "agent_name": ["Lang, Peter", "Lang, Peter"]})
    assert match(["Peter Lang"], same).several == {"Peter Lang": ("1", "2")}


def test_initials_tell_where_nobody_else_is_meant() -> None:
    found = match(["L. Ng", "Z. Müller", "Zoë Müller"], AGENTS)
    # Z. Müller is Zoë Müller, who is named in full besides: one of both may be somebody else.
    assert found.ids == {"L. Ng": "1004", "Zoë Müller": "1002"}
    assert found.by_initial == 1
    assert found.near == {"Z. Müller": ("1002",)}


def test_what_somebody_settled_comes_first() -> None:
    assert match(["PETE"], AGENTS, {"Pete": "1001"}).ids == {"PETE": "1001"}


def test_words_leave_titles_numbers_and_brackets_out() -> None:
    assert words("Lang, Dr. Peter (Team 2)") == ("peter", "lang")
    assert words("1001") == ()
