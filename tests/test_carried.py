"""Scores that interactions carry in `csat` count like rows of the surveys table."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import routelab
from engine.data.checks import check
from engine.data.encode import encode
from engine.data.tables import TABLES, Tables
from engine.errors import InvalidScenario, InvalidTable
from engine.run import choose, run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario, csat_of
from ingest.files import import_files
from ingest.files.scale import Scale
from ingest.snapshot.manifest import FILE_NAME, content_id
from ingest.snapshot.reading import open_snapshot
from ingest.snapshot.writing import SnapshotWriter
from tests import oracle, small_files, strategies

ONLY_CSAT = RoutingWeights(0.0, 0.0, 1.0, 0.0)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
SCALED = {"csat_min": 1.0, "csat_max": 5.0}


def log(*calls: dict, surveys: pl.DataFrame | None = None) -> Tables:
    """Two agents and calls of one queue, an hour apart where they say nothing else."""
    rows = [
        {"interaction_id": f"i{n}", "queue_id": "q", "arrived_at": NINE + timedelta(hours=n)} | call
        for n, call in enumerate(calls)
    ]
    return Tables(
        agents=strategies.table("agents", [{"agent_id": "a"}, {"agent_id": "b"}]),
        interactions=check("interactions", strategies.table("interactions", rows)),
        surveys=TABLES["surveys"].empty() if surveys is None else check("surveys", surveys),
    )


def with_scores(data: Tables, seed: int) -> Tables:
    """The same calls, some of them with a score and some with a wait."""
    dice = random.Random(seed)
    rows = []
    for call in data.interactions.to_dicts():
        low, high = dice.choice(strategies.SCALES)
        score = dice.choice([None, low, high, low + 0.25 * (high - low)])
        rows.append(call | {"csat": score, "csat_min": low, "csat_max": high, "wait_s": dice.choice([None, 0.0, 7.5])})
    return replace(data, interactions=strategies.table("interactions", rows))


def as_surveys(data: Tables) -> Tables:
    """The slow twin: scores of calls moved to the surveys table, row by row, as the page of meanings says."""
    named = {row["interaction_id"] for row in data.surveys.to_dicts()}
    rows = data.surveys.to_dicts()
    for call in data.interactions.to_dicts():
        if call["csat"] is None or call["agent_id"] is None or call["interaction_id"] in named:
            continue
        lasted = timedelta(seconds=(call["wait_s"] or 0.0) + (call["handle_s"] or 0.0))
        rows.append(
            {
                "survey_id": f"{call['interaction_id']}#csat", "interaction_id": call["interaction_id"],
                "agent_id": call["agent_id"], "queue_id": call["queue_id"],
                "completed_at": call["arrived_at"] + lasted, "score": call["csat"],
                "scale_min": call["csat_min"], "scale_max": call["csat_max"],
            }
        )  # fmt: skip
    bare = data.interactions.with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("csat", *SCALED))
    return replace(data, interactions=bare, surveys=strategies.table("surveys", rows))


@given(strategies.tables(), strategies.scenarios(), st.integers(0, 10**6))
def test_scores_of_calls_count_exactly_as_the_same_rows_of_surveys(data, scenario, seed):
    """Means by day, choices and the report, to the last bit; a surveys table may name some of the calls."""
    carried = with_scores(data, seed)
    moved = as_surveys(carried)
    means = [csat_of(scenario, encode(tables)) for tables in (carried, moved)]
    np.testing.assert_array_equal(means[0].mean, means[1].mean)
    np.testing.assert_array_equal(means[0].fill, means[1].fill)
    np.testing.assert_array_equal(means[0].days, means[1].days)
    assert choose(scenario, carried).to_frame().equals(choose(scenario, moved).to_frame())
    assert run(scenario, carried).csat == run(scenario, moved).csat
    rows = oracle.as_rows(moved)
    noon = strategies.MIDNIGHT + timedelta(days=1, hours=12)
    known = oracle.known_surveys(rows, noon, scenario.csat)
    centre, row = encode(carried).centre, means[0].row_of((noon - strategies.EPOCH).days)
    for agent, name in enumerate(centre.agent_ids):
        slow = [s for s in known if s["agent_id"] == name]
        assert means[0].n_surveys[row, agent] == len(slow)


@pytest.mark.parametrize(("handle_s", "counts"), [(599.0, True), (600.0, False)])
def test_a_score_is_known_from_the_end_of_the_handling(handle_s, counts):
    """Ten minutes before midnight, 600 s of waiting and handling end at midnight, and count a day later."""
    call = {"arrived_at": NINE.replace(hour=23, minute=50), "agent_id": "b", "wait_s": 0.0, "handle_s": handle_s}
    next_day = {"arrived_at": NINE + timedelta(days=1)}
    data = log(call | {"csat": 5.0} | SCALED, next_day)
    chosen = choose(Scenario(weights=ONLY_CSAT, csat_missing=0.1), data).to_frame()
    assert chosen["composite_score"].to_list() == [0.1, 1.0 if counts else 0.1]


def test_a_survey_that_names_the_interaction_wins():
    survey = pl.DataFrame({
        "survey_id": ["s"], "interaction_id": ["i0"], "agent_id": ["b"], "completed_at": [NINE], "score": [5.0],
        "scale_min": [1.0], "scale_max": [5.0],
    })  # fmt: skip
    data = log({"agent_id": "a", "csat": 5.0} | SCALED, {"agent_id": "a", "csat": 2.0} | SCALED, surveys=survey)
    centre = encode(data).centre
    assert sorted(zip(centre.surveys.agent.tolist(), centre.surveys.value.tolist(), strict=True)) == [
        (0, 0.25),
        (1, 1.0),
    ]


def test_scores_without_an_agent_are_counted_and_said():
    data = log({"csat": 5.0} | SCALED, {"csat": 4.0} | SCALED, {"agent_id": "a", "csat": 4.0} | SCALED)
    said = encode(data).snapshot.assumptions
    assert "2 scores in csat are of interactions without an agent and count for nobody" in said
    assert any(text.startswith("1 scores in csat of interactions count as surveys") for text in said)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({}, "needs csat_min and csat_max"), ({"csat_min": 1.0}, "needs csat_min and csat_max"),
        ({"csat_min": 1.0, "csat_max": 4.0}, "must lie within csat_min and csat_max"),
        ({"csat_min": 6.0, "csat_max": 9.0}, "must lie within csat_min and csat_max"),
        ({"csat_min": 5.0, "csat_max": 5.0}, "csat_max: 5.0: must be greater than csat_min"),
    ],
)  # fmt: skip
def test_scores_without_a_scale_or_outside_it_are_refused(more, problem):
    with pytest.raises(InvalidTable, match=problem):
        log({"agent_id": "a", "csat": 5.0} | more)


CALLS = (
    "interaction_id,queue_id,arrived_at,outcome,agent_id,wait_s,handle_s,csat\n"
    "i1,q,2026-03-02T09:00:00Z,answered,a1,5,300,1\n"
    "i2,q,2026-03-02T10:00:00Z,answered,a2,5,300,5\n"
    "i3,q,2026-03-03T09:00:00Z,answered,a1,5,300,\n"
    "i4,q,2026-03-03T10:00:00Z,abandoned,,40,,3\n"
)


class TestFiles:
    def test_a_log_with_scores_and_no_scale_is_refused_and_the_option_named(self, tmp_path):
        paths = small_files.write(tmp_path, agents=small_files.AGENTS, interactions=CALLS)
        [line] = small_files.refused(tmp_path / "store", paths)
        assert small_files.says(line, "interactions.csv: column csat ... csat_min and csat_max ... --csat-scale 1-5")

    @pytest.mark.parametrize(
        ("header", "cells"), [("", ""), (",csat_min,csat_max", ",1,5"), (",csat_min,csat_max", ",,")]
    )
    def test_the_scale_comes_by_option_or_in_columns(self, tmp_path, header, cells):
        first, *rows = CALLS.splitlines()
        text = "\n".join([first + header, *(row + cells for row in rows)]) + "\n"
        paths = small_files.write(tmp_path, agents=small_files.AGENTS, interactions=text)
        # Columns of a template that nobody filled tell nothing.
        options = {} if cells == ",1,5" else {"csat_scale": "1-5"}
        manifest = import_files(tmp_path / "store", "x", **paths, **options)
        assert manifest.rows["surveys"] == 2
        assert any("1 scores in csat are of interactions without an agent" in said for said in manifest.assumptions)
        arrays = open_snapshot(tmp_path / "store", "x").arrays()
        assert arrays.centre.surveys.value.tolist() == [0.0, 1.0]
        outcomes = choose(Scenario(weights=ONLY_CSAT, csat="all"), arrays).to_frame()
        assert outcomes["selected_agent_id"].to_list() == ["a2"] * 4

    def test_an_option_beside_columns_or_without_scores_is_refused(self, tmp_path):
        first, *rows = CALLS.splitlines()
        scaled = "\n".join([first + ",csat_min,csat_max", *(row + ",1,5" for row in rows)]) + "\n"
        for text, said in ((scaled, "keep one"), (small_files.INTERACTIONS, "there is no column csat")):
            paths = small_files.write(tmp_path, agents=small_files.AGENTS, interactions=text)
            assert any(said in line for line in small_files.refused(tmp_path / "store", paths, csat_scale="1-5"))

    @pytest.mark.parametrize("text", ["5-1", "1", "low-high", "", "1-5-9", "1-1"])
    def test_a_scale_is_two_numbers_the_lower_first(self, text):
        with pytest.raises(InvalidScenario, match=r"--csat-scale .* lowest and the highest possible score"):
            Scale.of(text)

    @pytest.mark.parametrize("text", ["-2-2", "-2 to 2", "-2,2", "-2..2", "-2.0 : 2", (-2, 2)])
    def test_scales_are_read_as_people_write_them(self, text):
        assert Scale.of(text) == Scale(-2.0, 2.0)

    def test_made_up_calls_have_made_up_scores(self, tmp_path):
        """Or a gain would be printed from scores that nobody gave."""
        paths = small_files.write(tmp_path, agents=small_files.AGENTS, interactions=CALLS)
        manifest = import_files(tmp_path / "store", "x", **paths, csat_scale="1-5", made_up=["interactions"])
        assert set(manifest.made_up) == {"interactions", "surveys"}

    def test_codes_of_agents_are_those_of_their_scores(self, tmp_path):
        paths = small_files.write(tmp_path, agents=small_files.AGENTS, interactions=CALLS)
        import_files(tmp_path / "store", "x", **paths, csat_scale="1-5", pseudonymise=True)
        snapshot = open_snapshot(tmp_path / "store", "x")
        known = dict(snapshot.table("interactions").select("interaction_id", "agent_id").iter_rows())
        for interaction, agent in snapshot.table("surveys").select("interaction_id", "agent_id").iter_rows():
            assert known[interaction] == agent


@given(strategies.tables(), st.integers(0, 10**6))
def test_a_snapshot_written_in_batches_has_the_surveys_of_the_tables_in_memory(tmp_path_factory, data, seed):
    carried = with_scores(data, seed)
    store = tmp_path_factory.mktemp("store")
    rows = carried.interactions.sort("arrived_at", "interaction_id")
    with SnapshotWriter(store, "s", source={"kind": "test"}, time_zone="UTC") as writer:
        for name, frame in carried:
            if name != "interactions" and frame.height:
                writer.add(name, frame)
        for first in range(0, rows.height, 7):
            writer.add_interactions(rows[first : first + 7])
        writer.commit()
    opened, memory = open_snapshot(store, "s"), encode(carried)
    for found in (opened.arrays(), encode(opened.tables())):
        for name in ("agent", "completed_us", "value", "day", "first"):
            pairs = getattr(found.centre.surveys, name), getattr(memory.centre.surveys, name)
            np.testing.assert_array_equal(*pairs)
        assert found.snapshot.counts["surveys"] == memory.snapshot.counts["surveys"]


def test_a_snapshot_of_the_earlier_schema_is_read_and_its_scores_are_told_of(tmp_path):
    """It kept csat without a scale: a scale is never guessed, so the import is to be done again."""
    import json

    from ingest.snapshot.arrow_files import finish

    paths = small_files.write(tmp_path, agents=small_files.AGENTS, interactions=CALLS)
    import_files(tmp_path / "store", "x", **paths, csat_scale="1-5")
    folder = tmp_path / "store" / "x"
    old = json.loads((folder / FILE_NAME).read_text())
    _without_scale(folder)
    TABLES["surveys"].empty().write_ipc(folder / "surveys.arrow", compat_level=pl.CompatLevel.oldest())
    entries = [
        finish(folder / e["path"], folder, e["table"], e["rows"] if e["table"] != "surveys" else 0)
        for e in old["files"]
    ]
    old |= {"files": [vars(entry) for entry in entries], "rows": old["rows"] | {"surveys": 0}, "schema_version": 1}
    old["id"] = content_id(entries, old["rows"], old["dictionaries"])
    (folder / FILE_NAME).write_text(json.dumps(old))
    arrays = open_snapshot(tmp_path / "store", "x").arrays()
    assert arrays.centre.surveys.agent.size == 0
    assert any(
        said.startswith("3 scores in csat have no scale and are not read") for said in arrays.snapshot.assumptions
    )
    assert choose(Scenario(), arrays).to_frame().height == 4


def _without_scale(folder) -> None:
    from pyarrow import ipc

    for path in (folder / "interactions").iterdir():
        with ipc.open_file(path) as reader:
            batches = [reader.get_batch(n) for n in range(reader.num_record_batches)]
        slim = [batch.select([n for n in batch.schema.names if n not in SCALED]) for batch in batches]
        with ipc.new_file(path, slim[0].schema) as writer:
            for batch in slim:
                writer.write_batch(batch)


def test_frames_take_a_scale_too():
    calls = pl.read_csv(CALLS.encode(), schema_overrides={"csat": pl.Float64})
    agents = {"agent_id": ["a1", "a2"]}
    with pytest.raises(InvalidTable, match=r"or give csat_scale=\(1, 5\), say"):
        routelab.read(agents=agents, interactions=calls)
    with pytest.raises(InvalidScenario, match="csat_scale '5-1': give"):
        routelab.read(agents=agents, interactions=calls, csat_scale="5-1")
    centre = routelab.read(agents=agents, interactions=calls, csat_scale=(1, 5))
    assert centre.table("surveys")["score"].to_list() == [1.0, 5.0]
    assert centre.counts["surveys"] == 2
    scores = routelab.score(centre, weights=(0, 0, 1), threshold=0, csat="all").to_frame()
    assert scores["selected_agent_id"].to_list() == ["a2"] * 4
