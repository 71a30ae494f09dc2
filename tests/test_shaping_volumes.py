"""Counts of contacts by interval alone make days with that load, and say that they are made up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.errors import InvalidTable
from ingest.exports.importing import import_exports
from ingest.exports.profile.profile import Copied, From, Joined, Part, Profile
from ingest.exports.shaping import Shaped, shape
from ingest.sheets.sheet import Sheet

COUNTS = {
    "Tag": ["02.03.2026"] * 4, "Von": ["08:00-08:30", "08:30-09:00", "08:00-08:30", "08:30-09:00"],
    "Schlange": ["Rechnung", "Rechnung", "Technik", "Technik"], "Anrufe": ["18", "9", "4", "0"],
    "AHT": ["400", "400", "00:05:00", None],
}  # fmt: skip
COLUMNS: dict[str, From] = {
    "start_at": Joined("Tag", "Von"), "queue_id": Copied("Schlange"), "offered": Copied("Anrufe"),
    "handle_s": Copied("AHT"),
}  # fmt: skip
VOLUMES = Part("volumes", ("forecast.csv",), COLUMNS, dates="dmy")


def sheet(name: str, columns: dict[str, Any]) -> Sheet:
    frame = pl.DataFrame(columns, strict=False)
    return Sheet(name, (Path(name),), frame, np.arange(2, 2 + frame.height), "made")


def rows_of(shaped: Shaped, table: str) -> pl.DataFrame:
    found = shaped.tables[table]
    assert isinstance(found, pl.DataFrame)
    return found


def test_as_many_arrive_in_each_interval_as_were_counted() -> None:
    shaped = shape(Profile("Europe/Berlin", (VOLUMES,)), [sheet("forecast.csv", COUNTS)])
    rows = rows_of(shaped, "interactions")
    counted = rows.group_by("queue_id", pl.col("arrived_at").dt.truncate("30m")).len().sort("queue_id", "arrived_at")
    # 08:00 in Berlin is 07:00 UTC in winter.
    assert counted.rows() == [
        ("Rechnung", datetime(2026, 3, 2, 7, 0, tzinfo=UTC), 18),
        ("Rechnung", datetime(2026, 3, 2, 7, 30, tzinfo=UTC), 9),
        ("Technik", datetime(2026, 3, 2, 7, 0, tzinfo=UTC), 4),
    ]
    assert shaped.made_up == ("interactions", "agents", "members", "staffing")
    assert any(said.startswith("the contacts are made up from 3 counts") for said in shaped.assumptions)
    assert set(rows["outcome"]) <= {"answered", "abandoned"}


def test_agents_are_the_work_and_its_square_root_besides() -> None:
    staffing = rows_of(shape(Profile("UTC", (VOLUMES,)), [sheet("forecast.csv", COUNTS)]), "staffing")
    counted = staffing.group_by(pl.col("agent_id").str.head(4), "start_at").len().sort("agent_id", "start_at")
    # 18 x 400 s in 1800 s are 4, and 2 besides; 9 x 400 s are 2, and 1.41; 4 x 300 s are 0.67, and 0.82.
    assert counted["len"].to_list() == [6, 4, 2]


def test_agents_and_plan_of_the_files_serve_the_load() -> None:
    plan = {"Agent": ["Lang, Peter", "Groß, Anna"], "02.03.2026": ["08:00-09:00", "8-9"]}
    people = {"Nr": [1, 2], "Name": ["Peter Lang", "Anna Groß"], "Skills": ["Rechnung", "Rechnung, Technik"]}
    columns: dict[str, From] = {"agent_id": Copied("Nr"), "agent_name": Copied("Name"), "skills": Copied("Skills")}
    parts = (
        VOLUMES, Part("agents", ("agents.xlsx",), columns),
        Part("shifts", ("plan.xlsx",), {"agent_id": Copied("Agent")}, dates="dmy"),
    )  # fmt: skip
    few = COUNTS | {"Anrufe": [2, 1, 3, 0], "AHT": [60] * 4}
    given = [sheet("forecast.csv", few), sheet("agents.xlsx", people), sheet("plan.xlsx", plan)]
    shaped = shape(Profile("Europe/Berlin", parts), given)
    assert shaped.made_up == ("interactions",)
    answered = rows_of(shaped, "interactions").drop_nulls("agent_id")
    # Only agent 2 has the skill of Technik.
    assert set(answered.filter(pl.col("queue_id") == "Technik")["agent_id"]) == {"2"}
    assert set(answered["agent_id"]) == {"1", "2"}


def test_what_is_counted_in_fractions_comes_whole_in_all() -> None:
    counts = COUNTS | {"Anrufe": ["0.4", "0.4", "0.4", "10.6"], "Schlange": ["Rechnung"] * 4,
                       "Von": ["08:00", "08:30", "09:00", "09:30"]}  # fmt: skip
    rows = rows_of(shape(Profile("UTC", (VOLUMES,)), [sheet("forecast.csv", counts)]), "interactions")
    # Sums 0.4, 0.8, 1.2, 11.8 are 0, 1, 1, 12 in whole numbers.
    assert rows.group_by(pl.col("arrived_at").dt.truncate("30m")).len().sort("arrived_at")["len"].to_list() == [1, 11]


def test_volumes_without_a_handling_time_are_refused() -> None:
    columns = {name: source for name, source in COLUMNS.items() if name != "handle_s"}
    part = Part("volumes", ("forecast.csv",), columns, dates="dmy")
    with pytest.raises(InvalidTable, match=r"forecast\.csv: volumes need .* the profile names no column for handle_s"):
        shape(Profile("UTC", (part,)), [sheet("forecast.csv", COUNTS)])


def test_they_are_imported_as_made_up(tmp_path: Path) -> None:
    path = tmp_path / "forecast.csv"
    path.write_text("made", encoding="utf-8")
    given = sheet("forecast.csv", COUNTS)
    given = Sheet(given.name, (path,), given.frame, given.rows, given.format)
    manifest = import_exports(tmp_path / "store", "day", Profile("Europe/Berlin", (VOLUMES,)), [given])
    assert manifest.rows["interactions"] == 31
    assert set(manifest.made_up) == {"interactions", "agents", "members", "staffing"}
    assert manifest.source["kind"] == "exports"
    assert manifest.source["files"]["forecast.csv"]["file"] == "forecast.csv"
    assert "volumes" in manifest.source["profile"]
