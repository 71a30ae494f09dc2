"""The German workbook of the sample: made by its script, imported as it is, it says what was played and is met."""

from __future__ import annotations

import runpy
from pathlib import Path

import polars as pl
import pytest

from engine.reports.first_look import first_look
from ingest.exports import import_exports
from ingest.exports.inspection import inspect
from ingest.sheets import read_sheets
from ingest.snapshot.reading import open_snapshot

ROOT = Path(__file__).parents[1]
WORKBOOK = ROOT / "data" / "sample" / "stadtwerke.xlsx"
GOALS = {"Rechnung": 20.0, "Zählerstand": 30.0, "Störung": 20.0, "Umzug": 60.0}


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(WORKBOOK.with_suffix(".py")))


@pytest.fixture(scope="module")
def made(script):
    return script["made"]()


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    sheets = read_sheets([str(WORKBOOK)])
    found = inspect(sheets, time_zone="Europe/Berlin")
    assert found.questions == ()
    import_exports(store, "s", found.profile, sheets)
    return open_snapshot(store, "s")


def test_the_workbook_is_what_its_script_makes(script, made, tmp_path):
    script["write"](made, tmp_path / WORKBOOK.name)
    mine, kept = (read_sheets([str(path)]) for path in (tmp_path / WORKBOOK.name, WORKBOOK))
    assert [sheet.name for sheet in mine] == [sheet.name for sheet in kept]
    assert all(a.frame.equals(b.frame) for a, b in zip(mine, kept, strict=True))
    assert WORKBOOK.stat().st_size < 1_000_000


def test_every_call_comes_in_as_it_was_played(made, imported):
    columns = ["interaction_id", "queue_id", "arrived_at", "agent_id", "wait_s", "outcome"]
    found = imported.table("interactions").select(columns).sort("interaction_id")
    expected = (
        made.calls.select(columns).sort("interaction_id").with_columns(pl.col("arrived_at").dt.cast_time_unit("us"))
    )
    for name in columns:
        assert found[name].cast(expected[name].dtype).to_list() == expected[name].to_list(), name


def test_agents_skills_goals_and_shifts_come_in_as_they_were_made(script, made, imported):
    agents = {row["agent_id"]: row for row in imported.table("agents").to_dicts()}
    for row in made.agents.to_dicts():
        assert agents[row["agent_id"]]["agent_name"] == row["agent_name"]
        assert sorted(agents[row["agent_id"]]["skills"], key=str) == sorted(row["skills"], key=str)
    goals = {
        row["queue_id"]: (row["service_level_share"], row["service_level_s"])
        for row in imported.table("queues").to_dicts()
    }
    assert goals == {"Rechnung": (0.8, 20.0), "Zählerstand": (0.8, 30.0), "Störung": (0.9, 20.0), "Umzug": (0.7, 60.0)}
    blocks = script["staffing"](made.plan)
    found = imported.table("staffing").select(blocks.columns).sort(blocks.columns)
    assert found.rows() == blocks.sort(blocks.columns).rows()


def test_it_replays_green_with_the_figures_that_were_played(made, imported):
    look = first_look(imported.arrays())
    answered = made.calls.filter(pl.col("outcome") == "answered")
    assert (look.whole.offered, look.whole.answered) == (made.calls.height, answered.height)
    assert look.whole.asa_s == pytest.approx(answered["wait_s"].mean())
    within = answered.join(pl.DataFrame(
        {"queue_id": list(GOALS), "goal_s": list(GOALS.values())}
    ), on="queue_id").filter(pl.col("wait_s") <= pl.col("goal_s")).height  # fmt: skip
    assert look.whole.service_level == pytest.approx(within / made.calls.height)
    assert look.findings == [] and look.staffing == "recorded"
    assert look.lit.light.color == "green" and {row.color for row in look.lit.by_queue} == {"green"}
