"""Profiles as text: what is written reads back the same, and what a person mistypes is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidTable, MissingInput
from ingest.exports.profile.columns import FORMS, NAMES, SECONDS, columns_of, kinds_of, tables
from ingest.exports.profile.patterns import fits, pattern_of, taken
from ingest.exports.profile.profile import (
    Between,
    Copied,
    Filled,
    Joined,
    Named,
    Part,
    Profile,
    Same,
    Shifted,
    Spread,
    Summed,
)
from ingest.exports.profile.reading import ORDERS, ROWS, SCALES, UNITS, profile_of, read_profile
from ingest.exports.profile.writing import profile_text, write_profile
from ingest.sheets.sheet import Sheet

# Whatever a header can hold, line ends, quotes and hashes among it.
_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
_SEVERAL = st.lists(_NAMES, min_size=1, max_size=3).map(tuple)
_SOME = st.lists(_NAMES, max_size=3).map(tuple)
_MAPS = st.dictionaries(_NAMES, _NAMES | st.just(""), max_size=3)
_FROM = {
    Copied: st.builds(Copied, _NAMES),
    Summed: st.builds(Summed, _SEVERAL, _SOME),
    Between: st.builds(Between, _NAMES, _NAMES, st.none() | _NAMES, _SOME),
    Shifted: st.builds(Shifted, _NAMES, _SOME, _SOME),
    Joined: st.builds(Joined, _NAMES, _NAMES),
    Named: st.builds(Named, _SEVERAL),
    Spread: st.builds(Spread, _SEVERAL),
    Same: st.builds(Same, _NAMES | st.just("")),
    Filled: st.builds(Filled, _NAMES, _NAMES, _NAMES | st.just("")),
}


_UNITS = {SECONDS: UNITS, NAMES: SCALES}


@st.composite
def _parts(draw: st.DrawFn) -> Part:
    table = draw(st.sampled_from(tables()))
    kinds = kinds_of(table)
    chosen = draw(st.lists(st.sampled_from(sorted(kinds)), unique=True, max_size=5)) if kinds else []
    columns = {name: draw(st.one_of([_FROM[form] for form in FORMS[kinds[name]]])) for name in chosen}
    used = {column for source in columns.values() for column in columns_of(source)}
    return Part(
        table, draw(_SEVERAL), columns,
        values={name: draw(_MAPS) for name in draw(st.sets(st.sampled_from([*kinds, "cells"]), max_size=2))},
        dates=draw(st.none() | st.sampled_from(ORDERS)),
        units={name: draw(st.sampled_from(_UNITS[kinds[name]])) for name in chosen[:2] if kinds[name] in _UNITS},
        rows=draw(st.sampled_from(ROWS)),
        only=draw(st.dictionaries(_NAMES, _SEVERAL, max_size=2)),
        unused=draw(_SOME),
        personal=tuple(name for name in draw(_SOME) if name not in used),
    )  # fmt: skip


_PROFILES = st.builds(
    Profile, st.sampled_from([None, "UTC", "Europe/Berlin"]), st.lists(_parts(), max_size=3).map(tuple),
    _MAPS, st.just("") | _NAMES,
)  # fmt: skip


@given(_PROFILES)
def test_a_written_profile_reads_back_the_same(profile: Profile) -> None:
    """Whatever the names hold."""
    assert profile_of(profile_text(profile), "centre.toml") == profile


def test_a_profile_is_written_as_people_write_one(tmp_path: Path) -> None:
    """Column of ours, then where it comes from; a name that is no bare word in quotes."""
    profile = Profile(
        "Europe/Berlin",
        (
            Part(
                "interactions", ("export_*.csv",),
                {
                    "arrived_at": Shifted("Angenommen", less=("Wartezeit",)),
                    "handle_s": Summed(("Gespräch", "Halten", "Nacharbeit")),
                    "wait_s": Between("Start", "Angenommen", "Ende"),
                },
                values={"media": {"Sprachanruf": "voice"}}, only={"Richtung": ("Eingehend",)}, personal=("ANI",),
            ),
        ),
    )  # fmt: skip
    write_profile(profile, tmp_path / "centre.toml")
    lines = (tmp_path / "centre.toml").read_text(encoding="utf-8").splitlines()
    for line in (
        'time_zone = "Europe/Berlin"', 'files = ["export_*.csv"]', 'personal = ["ANI"]', "[file.only]",
        'arrived_at = { time = "Angenommen", less = "Wartezeit" }', 'handle_s = ["Gespräch", "Halten", "Nacharbeit"]',
        'wait_s = { from = "Start", to = "Angenommen", otherwise = "Ende" }',
        'Sprachanruf = "voice"', 'Richtung = ["Eingehend"]',
    ):  # fmt: skip
        assert line in lines, line
    assert read_profile(tmp_path / "centre.toml") == profile


_PART = '[[file]]\ntable = "interactions"\nfiles = ["a.csv"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time_zone = Europe/Berlin", "p.toml: is not TOML"),
        ('time_zone = "Europe/Berln"', "p.toml: time_zone: is 'Europe/Berln'; it is no zone of the IANA list"),
        ('timezone = "UTC"', "p.toml: timezone: is unknown; did you mean 'time_zone'?"),
        ("[people]\nada = 7", "p.toml: people.ada: is '7'; a text in quotes is meant"),
        ("[file]\ntable = \"agents\"", "each kind of file is a part that begins with [[file]]"),
        ('[[file]]\nfiles = ["a.csv"]', "p.toml: file 1: has no table"),
        ('[[file]]\ntable = "queue"\nfiles = "a"', "file 1, table: is 'queue'; did you mean 'queues'?"),
        ('[[file]]\ntable = "agents"', "file 1 (agents): names no files"),
        (_PART + 'colums = { queue_id = "Q" }', "file 1 (interactions), colums: is unknown; did you mean 'columns'?"),
        (_PART + 'columns = { queue = "Q" }', "columns.queue: is unknown; did you mean 'queue_id'?"),
        (_PART + "columns = { queue_id = 4 }", "columns.queue_id: is '4'; it names no column; write queue_id = \"D"),
        (_PART + 'columns = { queue_id = ["a", "b"] }', "a column of text cannot come about so; write queue_id = "),
        (_PART + 'columns = { wait_s = { from = "a" } }', "it lacks the key 'to'; write wait_s = "),
        (_PART + 'columns = { wait_s = { from = "a", until = "b" } }', "it has the key 'until'"),
        (_PART + "columns = { wait_s = [] }", "it has [] where names of columns are meant"),
        (_PART + 'units = { wait_s = "sec" }', "units.wait_s: is 'sec'; use one of ms, s, min, h, days"),
        (_PART + 'units = { outcome = "s" }', "units.outcome: is unknown"),
        (_PART + 'dates = "dmyy"', "dates: is 'dmyy'; did you mean 'dmy'?"),
        (_PART + 'values = { outcom = { a = "answered" } }', "values.outcom: is unknown; did you mean 'outcome'?"),
        (_PART + 'personal = ["ANI"]\ncolumns = { queue_id = "ANI" }', "personal: is 'ANI'; it is also read"),
        (_PART + "unused = [1]", "unused: is '[1]'; a list of texts is meant"),
    ],
)  # fmt: skip
def test_what_is_mistyped_is_named_with_what_was_meant(text: str, told: str) -> None:
    """Key, value and the way out."""
    with pytest.raises(InvalidTable) as refused:
        profile_of(text, "p.toml")
    assert told in str(refused.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Two mistakes, two sentences."""
    with pytest.raises(InvalidTable) as refused:
        profile_of('people = 1\nzone = "UTC"', "p.toml")
    assert len(refused.value.problems) == 2


def test_a_profile_that_is_not_there_is_missing(tmp_path: Path) -> None:
    """And one in another encoding says so."""
    with pytest.raises(MissingInput):
        read_profile(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes('source = "Münster"'.encode("latin-1"))
    with pytest.raises(InvalidTable, match="save the profile as UTF-8"):
        read_profile(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("name", "pattern", "next_month"),
    [
        ("export_2026-03.csv", "export_*.csv", "export_2026-04.csv"),
        ("Export 01.03.2026-31.03.2026.csv", "Export *.csv", "Export 01.04.2026-30.04.2026.csv"),
        ("Anrufe März 2026.xlsx", "Anrufe *.xlsx", "Anrufe April 2026.xlsx"),
        ("calls-mar26.csv.gz", "calls-*.csv.gz", "calls-apr26.csv.gz"),
        ("plan_KW10.xlsx#Tabelle1", "plan_*.xlsx#Tabelle1", "plan_KW14.xlsx#Tabelle1"),
        ("2026-03.csv", "????-??.csv", "2026-04.csv"),
        ("agents.xlsx", "agents.xlsx", "Agents.xlsx"),
        ("report (3).csv", "report *.csv", "report (12).csv"),
        ("log[1].csv", "log?1?.csv", "log[1].csv"),
        ("Interactions_20260302T080000Z.csv", "Interactions_*.csv", "Interactions_20260402T080000Z.csv"),
    ],
)  # fmt: skip
def test_the_files_of_the_next_month_fit(name: str, pattern: str, next_month: str) -> None:
    """What is a date in a name is left open, the rest is not."""
    assert pattern_of(name) == pattern
    assert fits(pattern, _sheet(name)) and fits(pattern, _sheet(next_month))
    assert not fits(pattern, _sheet("others.csv"))


def test_a_part_takes_the_files_it_names() -> None:
    """A sheet of a workbook by its name, a folder by the files in it."""
    sheets = [
        _sheet("plan.xlsx#March"),
        _sheet("plan.xlsx#Legend"),
        _sheet("2026-*.csv", "x/2026-01.csv", "x/2026-02.csv"),
    ]
    assert taken(Part("shifts", ("plan.xlsx#march",)), sheets) == [sheets[0]]
    assert taken(Part("shifts", ("plan.xlsx",)), sheets) == sheets[:2]
    assert taken(Part("interactions", ("2026-0?.csv",)), sheets) == [sheets[2]]
    assert taken(Part("interactions", ("2026-01.csv",)), sheets) == []


def _sheet(name: str, *paths: str) -> Sheet:
    return Sheet(
        name, tuple(map(Path, paths)) or (Path(name.partition("#")[0]),), pl.DataFrame(), np.empty(0, int), "CSV"
    )
