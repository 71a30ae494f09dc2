"""Replays over HTTP: the engine's report, whatever is asked for, and a service that goes on answering meanwhile."""

from __future__ import annotations

import asyncio
import math
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import httpx2
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.http.messages import models
from engine import spec as engine_scenario
from engine.errors import InvalidScenario
from engine.estimates.assumptions import HANDLING, Assumptions, Switches
from engine.levers import levers_of
from engine.run import choose, run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from ingest.files import import_files
from ingest.snapshot.reading import open_snapshot
from tests.small_files import SAMPLE, write
from tests.small_service import STAFFING, app_of, batch, client_of, refusal, without_timing, write_centre

BATCH = "/simulate/batch"
BUSY = "agent_id,start_at,end_at,why\na01,2024-03-04T09:00:00Z,2024-03-04T11:30:00Z,training\n"
FACTORS = "agent_id,skill,factor\na02,,1.6\na03,billing,0.5\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The sample, with work elsewhere and factors of handling times."""
    folder = tmp_path_factory.mktemp("store")
    import_files(folder, "sample", **SAMPLE, **write(folder, busy=BUSY, handle_factors=FACTORS))
    return folder


@pytest.fixture(scope="module")
def client(store):
    return client_of(store)


def refused(client, status=422, **body):
    return refusal(client.post(BATCH, json={"mode": "replay"} | body), status)


# --- over a snapshot -------------------------------------------------------------------------------------------

ASKED = [
    ({}, {}),
    (
        {"method": "genesys", "sla_target": "90/30", "service_level": "offered", "short_abandon_s": 5,
         "interval_min": 15, "replications": 3, "seed": 7, "required": ["language"], "expected": "staffed"},
        {"method": "genesys", "goal": "90/30", "service_level": "offered", "short_abandon_s": 5.0, "interval_min": 15,
         "replications": 3, "seed": 7, "required": ("language",), "expected": "staffed"},
    ),
    (
        {"sla_target": "80/20", "current_performance": "rolling", "window_s": 3600, "replan_s": 600,
         "weights": {"language_match": 0.9, "min_score_threshold": 0.2}},
        {"goal": "80/20", "performance": "rolling", "window_s": 3600.0, "replan_s": 600.0,
         "weights": RoutingWeights(language_match=0.9, min_score_threshold=0.2)},
    ),
    (
        {"method": "longest_idle", "assumptions": {"handling": "agent", "flow_out": 60, "acw_s": 30, "no_answer": 0.2},
         "switches": {"lookback_days": 0, "resets_on_queue": True}},
        {"method": "longest_idle", "assumptions": Assumptions(handling="agent", flow_out=60, acw_s=30, no_answer=0.2),
         "switches": Switches(lookback_days=0, resets_on_queue=True)},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "scenario"), ASKED, ids=lambda part: part.get("method", "weighted"))
def test_a_replay_over_http_is_the_report_of_the_run(client, store, body, scenario):
    report = batch(client, mode="replay", **body)
    arrays = open_snapshot(store, "sample").arrays()
    assert without_timing(report) == without_timing(run(Scenario(mode="replay", **scenario), arrays).to_dict())
    assert report["preference"] is None
    # Standard routing is the rule in force here, and nothing to compare with itself.
    columns = ["recorded", "today"] if report["scenario"]["method"] == "genesys" else ["recorded", "today", "scenario"]
    assert [column["name"] for column in report["replay"]["columns"]] == columns
    assert 0 < report["fairness"]["gini_occupancy"] < 1
    assert report["timing"]["interactions_per_s"] > 0


def test_score_mode_has_a_preference_and_no_waits(client):
    report = batch(client)
    assert report["service_level"] is report["replay"] is report["fairness"]["gini_occupancy"] is None
    assert report["preference"]["busiest_agent_id"]


def test_what_only_a_replay_reads_changes_nothing_in_score_mode(client):
    asked = {"force": True, "replications": 9, "window_s": 60, "assumptions": {"acw_s": 9}}
    plain, asked = batch(client), batch(client, **asked)
    for report in (plain, asked):
        del report["timing"], report["scenario"]
    assert plain == asked


def test_a_window_is_replayed_alone(client, store):
    report = batch(client, mode="replay", start_date="2024-03-05", end_date="2024-03-05")
    day = datetime(2024, 3, 5)
    arrays = open_snapshot(store, "sample").arrays().days(day.date(), day.date())
    assert without_timing(report) == without_timing(run(Scenario(mode="replay"), arrays).to_dict())
    assert {row["start"][:10] for row in report["service_level"]["by_interval"]} == {"2024-03-05"}


@pytest.mark.parametrize("mode", ["score", "replay"])
@pytest.mark.parametrize("days", [{"end_date": "2020-01-01"}, {"start_date": "2024-04-01"}])
def test_days_outside_the_data_are_refused_with_those_inside(client, mode, days):
    said = refused(client, mode=mode, **days)
    assert "there are no interactions in these days; the data hold 2024-03-04 to 2024-03-" in said


def test_a_verdict_is_withheld_under_a_red_light_unless_forced(client):
    # Customers who never leave are not those of the record.
    body = {"mode": "replay", "assumptions": {"patience": "never"}, "method": "fixed_order"}
    held, told = batch(client, **body), batch(client, **body, force=True)
    assert (held["replay"]["light"]["color"], held["replay"]["light"]["forced"]) == ("red", False)
    assert held["replay"]["differences"] is None
    assert held["replay"]["verdict"].startswith("withheld: ")
    assert told["replay"]["light"]["forced"]
    assert told["replay"]["differences"]["asa_s"]["value"] is not None
    assert held["service_level"] == told["service_level"]


def test_a_rolling_goal_says_what_it_changed(client):
    report = batch(client, mode="replay", sla_target="80/20", current_performance="rolling")
    goal = report["replay"]["goal"]
    assert goal["n_moves"] == len(goal["moves"]) > 0
    assert goal["without"]["offered"] == report["service_level"]["offered"]
    assert batch(client, mode="replay", sla_target="80/20")["replay"]["goal"] is None


# --- over interactions of the request ----------------------------------------------------------------------------


def rows_of(store, name="sample"):
    """The interactions of a snapshot as a request gives them."""
    table = open_snapshot(store, name).table("interactions")
    rows = table.with_columns(pl.col("arrived_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")).to_dicts()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


@pytest.mark.parametrize("assumptions", [{}, {"handling": "agent", "acw_s": 20}], ids=["recorded", "agent"])
def test_interactions_given_inline_are_replayed_as_those_of_the_snapshot(client, store, assumptions):
    """Same customers, same agents, staffing, work elsewhere and factors: the same replay to the last number."""
    body = {"mode": "replay", "sla_target": "80/20", "replications": 2, "assumptions": assumptions}
    whole, given = batch(client, **body), batch(client, **body, interactions=rows_of(store), outcomes=True)
    for part in ("routed", "unrouted", "fairness", "agents", "csat", "service_level", "replay"):
        assert given[part] == whole[part], part
    scenario = Scenario(mode="replay", goal="80/20", assumptions=Assumptions(**assumptions))
    wanted = choose(scenario, open_snapshot(store, "sample").arrays()).to_frame().to_dicts()
    found = [{"interaction_id": row.pop("id"), **row} for row in given["outcomes"]]
    for row in found:
        row |= {name: row[name] and datetime.fromisoformat(row[name]) for name in ("arrived_at", "start_at", "end_at")}
    assert found == wanted


def test_outcomes_of_a_replay_add_up_to_its_service_level(client, store):
    report = batch(client, mode="replay", method="bullseye", interactions=rows_of(store)[::-1], outcomes=True)
    outcomes, waits = report["outcomes"], report["service_level"]
    for status in ("answered", "abandoned", "flowed_out", "unserved"):
        assert sum(row["status"] == status for row in outcomes) == waits[status]
    arrived = {row["interaction_id"]: datetime.fromisoformat(row["arrived_at"]) for row in rows_of(store)}
    assert [row["id"] for row in outcomes] == [*arrived][::-1]
    for row in outcomes:
        answered = row["status"] == "answered"
        assert (row["selected_agent_id"] is not None) == (row["start_at"] is not None) == answered
        assert row["composite_score"] is None  # rings have no score
        if answered:
            start, end = datetime.fromisoformat(row["start_at"]), datetime.fromisoformat(row["end_at"])
            assert start == arrived[row["id"]] + timedelta(seconds=row["wait_s"])
            assert end >= start
    mean = sum(row["wait_s"] for row in outcomes) / len(outcomes)
    assert math.isclose(mean, waits["mean_wait_s"])


START = datetime(2024, 3, 4, 9, tzinfo=UTC)
SHIFT_S = (60, 300)
calls = st.lists(
    st.tuples(st.integers(0, 360), st.integers(0, 120), st.none() | st.integers(0, 90)), min_size=1, max_size=12
)


def one_agent(drawn):
    """What becomes of calls (arrival, handling, patience or None) with one agent on one shift, first come first."""
    free_s, shift_end_s = SHIFT_S
    came = {}
    for n, (at_s, handle_s, patience_s) in sorted(enumerate(drawn), key=lambda call: (call[1][0], f"c{call[0]:02}")):
        begin_s = max(at_s, free_s)
        if begin_s < shift_end_s and (patience_s is None or begin_s <= at_s + patience_s):
            came[f"c{n:02}"] = ("answered", begin_s - at_s, begin_s, begin_s + handle_s)
            free_s = begin_s + handle_s
        elif patience_s is not None:
            came[f"c{n:02}"] = ("abandoned", patience_s, None, None)
        else:
            came[f"c{n:02}"] = ("unserved", None, None, None)
    return came


@pytest.fixture(scope="module")
def lonely(tmp_path_factory):
    """A centre in which only ada is ever on queue."""
    store = tmp_path_factory.mktemp("lonely")
    shift = [("ada", *(START + timedelta(seconds=s) for s in SHIFT_S))]
    write_centre(store, staffing=shift, arrivals=[], surveys=[])
    return client_of(store)


@settings(max_examples=40)
@given(calls)
def test_a_single_agent_serves_first_come_first_and_loses_the_impatient(lonely, drawn):
    rows = [
        {"id": f"c{n:02}", "queue_id": "sales", "arrived_at": (START + timedelta(seconds=at_s)).isoformat(),
         "handle_s": handle_s, "patience_s": patience_s}
        for n, (at_s, handle_s, patience_s) in enumerate(drawn)
    ]  # fmt: skip
    report = batch(lonely, mode="replay", interactions=rows, outcomes=True)
    for row in report["outcomes"]:
        status, wait_s, *times = one_agent(drawn)[row["id"]]
        assert row["status"] == status
        assert wait_s is None or row["wait_s"] == wait_s
        assert row["selected_agent_id"] == ("ada" if status == "answered" else None)
        found = [at and (datetime.fromisoformat(at) - START).total_seconds() for at in (row["start_at"], row["end_at"])]
        assert found == times


ROW = {"id": "1", "queue_id": "sales", "arrived_at": "2024-03-04T09:00:00Z", "handle_s": 100}


@pytest.fixture(scope="module")
def unstaffed(tmp_path_factory):
    store = tmp_path_factory.mktemp("unstaffed")
    write_centre(store)
    return client_of(store)


def test_without_staffing_the_interactions_must_say_who_was_at_work(unstaffed):
    nobody = "interactions: no row names an agent of the agents table together with a handling time"
    assert nobody in refused(unstaffed)
    assert nobody in refused(unstaffed, interactions=[ROW])
    strangers = "1 of 1 answered interactions (100.0 %) name agents who are not in the table agents: 'adda'"
    assert strangers in refused(unstaffed, interactions=[ROW | {"agent_id": "adda"}])
    named = ROW | {"agent_id": "ada", "wait_s": 0, "outcome": "answered"}
    later = named | {"id": "2", "arrived_at": "2024-03-04T09:01:00Z", "wait_s": 40}
    report = batch(unstaffed, mode="replay", interactions=[later, named], outcomes=True)
    assert report["replay"]["estimates"]["staffing"]["source"] == "inferred"
    assert [(row["status"], row["wait_s"]) for row in report["outcomes"]] == [("answered", 40.0), ("answered", 0.0)]


def test_a_replay_needs_the_time_of_every_arrival(client):
    row = {"id": "1", "handle_s": 100}
    detail = refused(client, interactions=[row, {"id": "2"}])
    assert detail.startswith("/interactions/0/arrived_at: is missing; a replay needs to know when each interaction")
    some = refused(client, interactions=[row | {"arrived_at": "2024-03-04T09:00:00Z"}, {"id": "2"}])
    assert some.startswith("/interactions/1/arrived_at: is missing here; give it in all 2 interactions")


def test_a_replay_needs_a_handling_time_to_draw_from(client):
    row = {name: value for name, value in ROW.items() if name != "handle_s"} | {"queue_id": "care"}
    assert "interactions: 1 have no handle_s and no answered one has any to draw from" in refused(
        client, interactions=[row]
    )


def test_interactions_at_a_time_without_staffing_are_counted(client):
    row = ROW | {"queue_id": "care", "patience_s": 60}
    rows = [row | {"id": str(year), "arrived_at": f"{year}-03-05T09:00:00Z"} for year in (2023, 2024)]
    report = batch(client, mode="replay", interactions=rows, interval_min=60)
    assert report["warnings"][0] == (
        "1 of 2 interactions arrive outside the time that the snapshot's staffing covers (2024-03-04T07:00Z to "
        "2024-03-06T18:00Z): nobody is on queue then"
    )
    assert report["unrouted"] == {"total": 1, "reasons": {"abandoned": 1}}


# --- what is refused ------------------------------------------------------------------------------------------------

REFUSED = [
    ({"mode": "score", "method": "bullseye"}, "/method: method 'bullseye' asks who is idle"),
    ({"mode": "score", "sla_target": "80/20", "current_performance": "rolling"},
     "/current_performance: performance 'rolling' is measured while a replay goes on, against a goal; use mode replay"),
    ({"current_performance": "rolling"}, "/current_performance: performance 'rolling' is measured while a replay goes"),
    ({"current_performance": "often"}, '/current_performance: found "often"; write a number from 0 to 1, or "rolling"'),
    ({"current_performance": True}, "/current_performance: found true; write a number from 0 to 1"),
    ({"current_performance": 1.01}, "/current_performance: found 1.01; write a number from 0 to 1"),
    ({"window_s": 0}, "/window_s: found 0; use 1 or more"),
    ({"replan_s": 1e7}, "/replan_s: found 10000000.0; use 1,000,000 or less"),
    ({"service_level": "best"}, "/service_level: found \"best\"; use 'genesys', 'offered' or 'answered'"),
    ({"short_abandon_s": -1}, "/short_abandon_s: found -1; use 0 or more"),
    ({"interval_min": 20}, "/interval_min: found 20; use 15, 30 or 60"),
    ({"replications": 0}, "/replications: found 0; use 1 or more"),
    ({"replications": 101}, "/replications: found 101; use 100 or less"),
    ({"force": "yes"}, '/force: found "yes"; write true or false'),
    ({"answer_within_s": 5}, "/answer_within_s: found 5; a deadline cannot be kept yet"),
    ({"assumptions": None}, "/assumptions: found null; write an object in braces"),
    ({"assumptions": {"acw": 5}}, "/assumptions/acw: is not a field of this request; did you mean acw_s?"),
    ({"assumptions": {"no_answer": 1}}, "/assumptions/no_answer: found 1; use 0.95 or less"),
    ({"assumptions": {"point_s": 1e9}}, "/assumptions/point_s: found 1000000000.0; use 100,000 or less"),
    ({"assumptions": {"handling": "mine"}}, "/assumptions/handling: found \"mine\"; use 'recorded' or 'agent'"),
    ({"assumptions": {"flow_out": "soon"}},
     '/assumptions/flow_out: found "soon"; write a number from 0 to 1,000,000,000, or "recorded" or "never"'),
    ({"assumptions": {"flow_out": -1}}, "/assumptions/flow_out: found -1; write a number from 0"),
    ({"switches": {"longest_idle": 1.5}}, "/switches/longest_idle: found 1.5; write a whole number"),
    ({"switches": {"new_agents_last": 1}}, "/switches/new_agents_last: found 1; write true or false"),
    ({"outcomes": True}, "/outcomes: outcomes of a whole snapshot do not go into one answer"),
    ({"interactions": [ROW | {"preferred": [{"agent_id": "ada", "score": 101}]}]},
     "/interactions/0/preferred: found a list of 1; each entry needs an agent and a score from 0 to 100"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "wanted"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_bad_replay_is_refused_with_place_and_remedy(client, body, wanted):
    assert refused(client, **body).startswith(wanted)


def test_an_answer_of_too_many_rows_is_refused_with_the_way_out(client, monkeypatch):
    """From 5 March 1970 to that day of 2190, both included, are 80,355 days of 48 half hours; two days are 96."""
    rows = [ROW | {"id": str(year), "arrived_at": f"{year}-03-05T09:00:00Z"} for year in (1970, 2190)]
    detail = refused(client, interactions=rows)
    assert detail.startswith("/interval_min: 3,857,040 intervals from the first day to the last; use longer intervals")
    # Scores have no intervals.
    assert batch(client, mode="score", interactions=rows)
    rows[1] = rows[1] | {"arrived_at": "1970-03-06T09:00:00Z"}
    monkeypatch.setattr("api.http.answering.limits.MOST_INTERVALS", 96)
    assert batch(client, mode="replay", interactions=rows)
    monkeypatch.setattr("api.http.answering.limits.MOST_INTERVALS", 95)
    assert refused(client, interactions=rows).endswith("at most 95 intervals")
    assert batch(client, mode="replay", interactions=rows, interval_min=60)


def test_moving_weights_too_often_is_refused_with_the_way_out(client, monkeypatch):
    """Three days of 86,400 s, a change every second, twice; a study plays each scenario with both handling times."""
    rolling = {"sla_target": "80/20", "current_performance": "rolling", "replications": 2}
    detail = refused(client, **rolling, replan_s=1)
    assert detail.startswith("/replan_s: weights would be moved 518,400 times; use a longer time, fewer days or fewer")
    monkeypatch.setattr("api.http.answering.limits.MOST_PLANS", 864)
    assert batch(client, mode="replay", **rolling, replan_s=600)
    monkeypatch.setattr("api.http.answering.limits.MOST_PLANS", 863)
    assert refused(client, **rolling, replan_s=600).endswith("at most 863 times")
    goal = {"sla": "80/20", "performance": "rolling"}
    study = {"baseline": goal, "scenario": [{"name": "a"}, {"name": "b", "replan_s": 600}]}
    detail = refusal(client.post(BATCH, json=study), 422)
    # 2 x 288 of the baseline and of a, at the 900 s they have by themselves, and 2 x 432 of b.
    assert detail.startswith("/scenario/1/replan_s: weights would be moved 2,016 times")


# --- the requests and the engine must not drift apart -----------------------------------------------------------------

NAMES = {"goal": "sla_target", "performance": "current_performance", "language": "language_term", "levers": "handle"}
# A value of every field that is not its default: as a request gives it, and as the engine reads it.
CHANGED = {
    "mode": ("replay",), "method": ("bullseye",),
    "weights": ({"proficiency": 0.9}, RoutingWeights(0.9, min_score_threshold=0.0)),
    "goal": ("80/20",), "performance": (0.5,), "required": (["skills"], ("skills",)), "expected": ("uniform",),
    "csat": ("all",), "csat_missing": ("queue-mean",), "csat_shrinkage": (3.0,), "language": ("proficiency",),
    "seed": (5,), "window_s": (60.0,), "replan_s": (60.0,), "service_level": ("offered",), "short_abandon_s": (5.0,),
    "interval_min": (15,), "replications": (7,), "assumptions": ({"acw_s": 5.0}, Assumptions(acw_s=5.0)),
    "switches": ({"longest_idle": 5}, Switches(longest_idle=5)), "levers": (1.5, levers_of({"handle": 1.5})),
}  # fmt: skip


@pytest.mark.parametrize("field", fields(Scenario), ids=lambda field: field.name)
def test_every_field_of_a_scenario_can_be_asked_for(field):
    given, *read = CHANGED[field.name]
    body = {"mode": "replay", NAMES.get(field.name, field.name): given}
    scenario = models.BatchRequest(**body).scenario_to_run(timed=True)
    wanted = read[0] if read else given
    assert getattr(scenario, field.name) == wanted
    assert wanted != getattr(Scenario(), field.name)
    assert models.BatchRequest().scenario_to_run(timed=True) == Scenario()
    assert models.BatchRequest(mode="replay").scenario_to_run(timed=True) == Scenario(mode="replay")


BOTH = [(models.ReplayAssumptions, Assumptions), (models.RoutingSwitches, Switches)]


@pytest.mark.parametrize(("model", "plain"), BOTH, ids=lambda kind: kind.__name__)
def test_assumptions_and_switches_are_those_of_the_engine(model, plain):
    assert plain(**model().model_dump()) == plain()
    assert [*model.model_fields] == [field.name for field in fields(plain)]
    properties = model.model_json_schema()["properties"]
    for name, schema in properties.items():
        assert len(schema["description"]) > 20, name
        for one in schema.get("anyOf", [schema]):
            allowed = [*one.get("enum", ()), *(one[side] for side in ("minimum", "maximum") if side in one)]
            for value in allowed:
                assert getattr(plain(**model(**{name: value}).model_dump()), name) == value
            if "maximum" in one:
                with pytest.raises(InvalidScenario):
                    plain(**{name: one["maximum"] * 1.01})
    assert properties.get("handling", {}).get("enum", [*HANDLING]) == [*HANDLING]
    assert properties.get("patience", {}).get("enum", ["estimated", "never"]) == ["estimated", "never"]
    words = ["recorded", "never"]
    assert properties.get("flow_out", {"anyOf": [{}, {"enum": words}]})["anyOf"][1]["enum"] == words


def test_what_a_replay_may_be_asked_is_what_the_engine_takes():
    found = models.BatchRequest.model_json_schema()["properties"]
    assert found["service_level"]["enum"] == [*engine_scenario.DEFINITIONS]
    assert found["interval_min"]["enum"] == [*engine_scenario.INTERVALS_MIN]
    assert Scenario(replications=found["replications"]["maximum"])
    for name in ("window_s", "replan_s", "short_abandon_s"):
        for side, beyond in (("minimum", -0.5), ("maximum", 0.5)):
            assert Scenario(**{name: found[name][side]})
            with pytest.raises(InvalidScenario):
                Scenario(**{name: found[name][side] + beyond})


# --- the service goes on ---------------------------------------------------------------------------------------------


def test_a_replay_keeps_nobody_else_waiting(tmp_path):
    write_centre(tmp_path, "small", staffing=STAFFING)
    import_files(tmp_path, "sample", **SAMPLE)
    transport = httpx2.ASGITransport(app=app_of(tmp_path))
    asked = {"queue_id": "sales", "start_date": "2024-03-04", "end_date": "2024-03-05", "snapshot": "small"}

    async def scenario():
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            body = {"mode": "replay", "snapshot": "sample", "replications": 15, "replan_s": 300}
            body |= {"sla_target": "80/20", "current_performance": "rolling"}
            running = asyncio.create_task(client.post(BATCH, json=body))
            # Long enough for the first replay to be under way, far too short for all of them.
            await asyncio.sleep(0.1)
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.post("/simulate/routing", json=asked)).status_code == 200
            assert not running.done()
            return await running

    found = asyncio.run(scenario())
    assert found.status_code == 200
    assert found.json()["replay"]["replications"] == 15
