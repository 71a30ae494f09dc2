"""The light: judged once, on the rule in force with everything as recorded, whatever is compared with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import routelab
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.estimates.assumptions import Assumptions, Switches
from engine.levers import levers_of
from engine.measures.light import Light, light
from engine.measures.record import MOMENT_S, Record
from engine.reports.compare import compare
from engine.run import run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from engine.study import comparing
from tests.made_up import GENESYS, WEIGHTED, made, made_tables, with_waits
from tests.small_centres import DAY, call, tables_of
from tests.strategies import MIDNIGHT, strangers_allowed, table

SAMPLE = Path(__file__).parents[1] / "data" / "sample"


@dataclass(frozen=True)
class Level:
    """What the light looks at."""

    asa_s: float | None = 100.0
    service_level: float | None = 0.8
    abandonment: float | None = 0.1


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("recorded_s", "replayed_s", "color"), [
    # 20 % where that is more than 3 s.
    (100.0, 120.0, "green"), (100.0, 120.1, "red"), (100.0, 80.0, "green"), (100.0, 79.9, "red"),
    # 3 s where that is more than 20 %, 15 s being the ASA at which both are the same.
    (2.0, 3.0, "green"), (2.0, 5.0, "green"), (2.0, 5.1, "red"), (0.0, 3.0, "green"), (0.0, 3.1, "red"),
    (14.0, 17.0, "green"), (14.0, 11.0, "green"), (15.0, 18.0, "green"), (16.0, 19.2, "green"), (16.0, 19.3, "red"),
    (0.0, 0.0, "green"), (0.0, 149_340.0, "red"), (2.5, 0.0, "green"),
])  # fmt: skip
def test_red_is_an_asa_off_by_more_than_20_per_cent_and_by_more_than_3_seconds(
    recorded_s: float, replayed_s: float, color: str
):
    lit = light(Level(recorded_s), Level(replayed_s))
    assert lit.color == color
    assert lit.asa_off_s == pytest.approx(replayed_s - recorded_s)
    # Of nothing there is no share.
    assert lit.asa_off == (None if recorded_s == 0 else pytest.approx(replayed_s / recorded_s - 1))


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("name", "limit"), [("service_level", 0.05), ("abandonment", 0.03)])
@pytest.mark.parametrize("recorded", [0.1, 0.25, 0.33, 0.75, 0.8])
def test_red_is_a_share_off_by_more_than_its_limit_in_points(name: str, limit: float, side: int, recorded: float):
    """Exactly on the limit is not beyond it, however the difference of two floats is rounded."""
    for off, color in ((limit, "green"), (limit + 1e-4, "red"), (limit - 1e-4, "green")):
        lit = light(Level(**{name: recorded}), Level(**{name: recorded + side * off}))
        assert lit.color == color
        assert getattr(lit, f"{name}_off") == pytest.approx(side * off)


@pytest.mark.parametrize("missing", [{"asa_s": None}, {"service_level": None}, {"asa_s": None, "service_level": None}])
def test_what_is_not_recorded_is_not_judged_and_what_answers_nobody_is_red(missing: dict[str, None]):
    assert light(Level(**missing), Level()).color == "unknown"
    nobody = light(Level(), Level(**missing))
    assert (nobody.color, nobody.asa_off_s, nobody.service_level_off) == ("red", None, None)
    assert "answers nobody" in nobody.why
    nothing = light(Level(None, None), Level(), Record(is_answered=False))
    assert nothing.color == "unknown" and "nothing is recorded as answered" in nothing.why


# --- words -----------------------------------------------------------------------------------------------------------


def test_the_light_says_in_words_how_far_off_and_on_which_side():
    lit = light(Level(), Level(130.0, 0.74, 0.15))
    assert lit.why == (
        "today's rule replayed has an ASA 30.0 s (30 %) above the recorded one, a service level 6.0 points below it "
        "and abandonment 5.0 points above it (limits: 20 % or 3 s, 5 points, 3 points)"
    )
    assert "an ASA 10.0 s (10 %) below the recorded one, a service level 1.0 points above it and abandonment equal" in (
        light(Level(), Level(90.0, 0.81)).why
    )


@given(st.floats(0.0, 15.0), st.floats(0.0, 500.0))
def test_no_share_is_told_of_a_moment(recorded_s: float, replayed_s: float):
    """Nothing is 100 % above 0 s, nor 50 % above 2 s: seconds tell."""
    why = light(Level(recorded_s), Level(replayed_s)).why
    assert " %)" not in why.split(" the recorded one")[0]


# --- rows that cannot be replayed ------------------------------------------------------------------------------------


def day_of_calls(n: int, special: dict[str, Any], m: int, *, staffing: list[dict[str, Any]] | None) -> Tables:
    """n calls a minute apart, answered at once by ann; m of them are special, the rest of the centre is as ever."""
    rows = [
        call(k, 60.0 * k, outcome="answered", agent_id="ann", wait_s=0.0) | (special if k % (n // max(m, 1)) == 1 and
        k // (n // max(m, 1)) < m else {}) for k in range(n)
    ]  # fmt: skip
    given = {} if staffing is None else {"staffing": staffing}
    return tables_of(interactions=rows, **given)


def lit_of(tables: Tables, chosen: Scenario = WEIGHTED) -> Light:
    # An import refuses so many strangers; a window of a data set may hold them.
    with strangers_allowed():
        report = run(chosen, tables)
    assert report.replay is not None
    return report.replay.light


NO_WAIT = {"outcome": "abandoned", "agent_id": None, "wait_s": None, "handle_s": None}
GONE = {"agent_id": "gone"}
NOBODY = {"agent_id": None}


@pytest.mark.parametrize(("special", "is_inferred", "reason"), [
    (NO_WAIT, False, "abandoned without a wait"),
    (NO_WAIT, True, "abandoned without a wait"),
    (GONE, False, "answered by somebody who is not in the agents table"),
    (GONE, True, "answered by somebody who is not in the agents table"),
    (NOBODY, True, "answered by nobody known, while staffing is inferred from who answered"),
])  # fmt: skip
def test_rows_that_cannot_be_replayed_withhold_green_above_5_per_cent(
    special: dict[str, Any], is_inferred: bool, reason: str
):
    staffing: list[dict[str, Any]] | None = [] if is_inferred else None
    # Of those answered: whoever does not give up in the replay moves every other service level.
    chosen = replace(GENESYS, service_level="answered")
    for m, color in ((5, "green"), (6, "unknown")):
        lit = lit_of(day_of_calls(100, special, m, staffing=staffing), chosen)
        assert (lit.color, lit.unplayable) == (color, m), lit.why
        assert f"{m} of 100 offered ({m}.0 %) cannot be replayed as they were: {m} {reason}" in lit.why
        assert (lit.remedy is not None) == (color == "unknown")
        # What can be told of the others is told.
        assert lit.asa_off_s == pytest.approx(0.0, abs=1e-9)


def test_answers_by_nobody_named_can_be_replayed_where_staffing_is_recorded():
    """The table says who was there; it needs no names of those who answered."""
    lit = lit_of(day_of_calls(100, NOBODY, 50, staffing=None), GENESYS)
    assert (lit.color, lit.unplayable) == ("green", 0)


def test_waits_that_are_not_recorded_are_told_where_they_are_many():
    """Such an interaction can be replayed, and nobody can say how well."""
    for m, is_told in ((5, False), (6, True)):
        lit = lit_of(day_of_calls(100, {"wait_s": None}, m, staffing=None), GENESYS)
        assert (lit.color, lit.unplayable) == ("green", 0)
        assert (f"{m} answered interactions have no wait" in lit.why) == is_told


def test_red_stays_red_over_rows_that_cannot_be_replayed():
    record = Record(offered=100, unplayable={"abandoned without a wait": 50})
    assert light(Level(), Level(200.0), record).color == "red"
    assert light(Level(), Level(), record).color == "unknown"


def test_a_verdict_stands_under_an_unknown_light_with_a_note():
    with strangers_allowed():
        report = run(WEIGHTED, day_of_calls(100, GONE, 20, staffing=None))
    assert report.replay.light.why in report.warnings
    assert report.replay.differences is not None


# --- abandonment -----------------------------------------------------------------------------------------------------


def lost_waits(share: float) -> Tables:
    """The made-up centre, of whose abandoned interactions some do not say how long they waited."""
    number = pl.int_range(pl.len()).over("outcome")
    gone = (pl.col("outcome") == "abandoned") & (number < share * pl.len().over("outcome"))
    tables = with_waits(pl.when(~gone).then("wait_s"))
    return replace(tables, interactions=tables.interactions.with_columns(patience_s=pl.lit(None, pl.Float64)))


def test_where_no_abandoned_wait_is_known_there_is_no_verdict_on_abandonment():
    tables = lost_waits(1.0)
    report = run(WEIGHTED, tables).to_dict()
    said = report["replay"]
    past, today, mine = said["columns"]
    assert past["abandonment"] > 0
    # A replay in which nobody gives up says nothing about it.
    assert today["abandonment"] is mine["abandonment"] is None
    assert today["intervals"]["abandonment"] is mine["intervals"]["abandonment"] is None
    assert said["differences"] is None or said["differences"]["abandonment"]["says"] == "not recorded"
    assert said["light"]["abandonment_off"] is None
    assert "abandonment is not judged" in said["light"]["why"]
    assert report["service_level"]["abandonment_share"] is None
    assert {row["abandonment_share"] for row in report["service_level"]["by_queue"]} == {None}
    forced = run(WEIGHTED, tables, force=True).to_dict()["replay"]
    assert forced["differences"]["abandonment"] == {"value": None, "low": None, "high": None, "says": "not recorded"}
    assert "abandonment not recorded" in forced["verdict"]
    found = compare([GENESYS, WEIGHTED], encode(tables), force=True)
    assert found.verdicts[0].abandonment == "not recorded"


def test_where_some_abandoned_waits_are_known_abandonment_is_judged():
    lit = lit_of(lost_waits(0.3))
    assert lit.abandonment_off is not None
    assert lit.unplayable > 0


def test_an_abandonment_that_is_missed_is_red():
    """Nobody gives up by assumption, a tenth did: 10 points."""
    rows = [
        call(k, 60.0 * k, outcome="answered", agent_id="ann", wait_s=0.0) if k % 10 else
        call(k, 60.0 * k, outcome="abandoned", wait_s=1.0, handle_s=None) for k in range(100)
    ]  # fmt: skip
    lit = lit_of(tables_of(interactions=rows), replace(GENESYS, assumptions=Assumptions(patience="never")))
    assert (lit.color, lit.abandonment_off) == ("red", pytest.approx(-0.1))


# --- remedies --------------------------------------------------------------------------------------------------------


def remedy(replayed: Level, **record: Any) -> str:
    return light(Level(), replayed, Record(offered=100, **record)).remedy or ""


def test_remedies_are_those_that_can_help():
    """Nothing that is recorded already; nothing that makes waits longer where they are too long, or shorter."""
    longer, shorter = Level(200.0), Level(20.0)
    assert "staffing table" in remedy(longer, is_inferred=True) and "calibrate" in remedy(longer, is_inferred=True)
    recorded = remedy(longer, gaps=("busy", "alert_s", "acw_s"))
    assert not any(word in recorded for word in ("calibrate", "busy", "alert_s", "give a staffing table"))
    assert "30 % of the recorded work lies outside its blocks" in remedy(longer, off_queue=0.3)
    assert "not shifts as planned" in remedy(shorter) and "planned" not in remedy(shorter, is_inferred=True)
    assert "busy" in remedy(shorter, gaps=("busy",)) and "calibrate" not in remedy(shorter, gaps=("busy",))
    assert "calibrate" in remedy(shorter, gaps=("acw_s",)) and "busy" not in remedy(shorter, gaps=("acw_s",))
    assert "calibrate how staffing is inferred" in remedy(shorter, is_inferred=True)
    # Nobody is alerted for a minute, and a row in a hundred moves nothing by that much.
    assert "alert_s" in remedy(Level(90.0, 0.9), gaps=("alert_s",)) and "alert_s" not in remedy(
        shorter, gaps=("alert_s",)
    )
    assert "agents table" not in remedy(shorter, unplayable={"answered by somebody who is not in the agents table": 1})
    # What was fitted needs no fitting.
    for gone in (longer, shorter):
        assert "calibrate" not in remedy(gone, gaps=("acw_s",), is_inferred=True, is_calibrated=True)
    # A service level that counts those who gave up is off where nobody does in the replay.
    lost = {"abandoned without a wait": 4}
    assert "give wait_s of abandoned" in remedy(Level(service_level=0.9), unplayable=lost, replays_abandonment=False)
    assert "patience_s" in remedy(Level(abandonment=0.2))
    assert remedy(Level()) == "" == remedy(longer, gaps=()).replace(remedy(longer), "")
    # A service level off by itself says as much about waits as an ASA.
    assert remedy(Level(service_level=0.5), is_inferred=True) == remedy(longer, is_inferred=True)
    assert remedy(Level(service_level=0.95), gaps=("busy",)) == remedy(shorter, gaps=("busy",))


def test_short_waits_that_no_column_explains_point_to_alert_s():
    """What the case of ringing comes to: calls a minute apart, answered after 8 s by an agent who is always free."""
    rows = [call(k, 60.0 * k, outcome="answered", agent_id="ann", wait_s=8.0) for k in range(30)]
    lit = lit_of(tables_of(interactions=rows), GENESYS)
    assert (lit.color, lit.asa_off_s) == ("red", -8.0)
    assert lit.remedy.startswith("give alert_s") and "calibrate" not in lit.remedy
    known = lit_of(tables_of(interactions=[row | {"alert_s": 8.0} for row in rows]), GENESYS)
    assert (known.color, known.asa_off_s) == ("green", 0.0)
    few = lit_of(tables_of(interactions=[row | {"wait_s": 2.0 + k % 2} for k, row in enumerate(rows)]), GENESYS)
    assert few.color == "green" and "alert_s" in few.why
    assert MOMENT_S == 10.0


# --- the same whatever is compared -----------------------------------------------------------------------------------


def variants() -> list[Scenario]:
    """Scenarios that share assumptions and measures, and nothing else."""
    longer = levers_of({"handle": [{"factor": 1.5}]})
    return [
        GENESYS, WEIGHTED, replace(WEIGHTED, weights=RoutingWeights(1, 0, 0, 0.9)), replace(GENESYS, levers=longer),
        replace(WEIGHTED, method="longest_idle", levers=longer), replace(WEIGHTED, required=("skills", "language")),
        replace(WEIGHTED, method="random"), replace(WEIGHTED, language="proficiency", csat="all"),
    ]  # fmt: skip


@settings(max_examples=4)
@given(st.lists(st.integers(0, 7), min_size=2, max_size=3))
def test_the_light_is_the_same_whatever_is_compared(which: list[int]):
    """Red over a record of waits twice as long, and to the last bit the one of today's rule alone."""
    arrays = encode(with_waits(2 * pl.col("wait_s")))
    alone = run(GENESYS, arrays).replay.light
    chosen = [variants()[place] for place in which]
    assert compare(chosen, arrays).light == Light(
        **{name: getattr(alone, name) for name in vars(compare(chosen, arrays).light)}
    )
    assert run(chosen[0], arrays).replay.light == alone


def test_a_lever_or_method_of_the_baseline_moves_no_light():
    """What differences refer to may be anything; the light judges what is in force."""
    arrays = made()
    rows = {"scenario": [{"name": "score", "method": "weighted"}]}
    lights = []
    for baseline in ({}, {"method": "longest_idle"}, {"handle": [{"factor": 3.0}]}, {"weights": [1, 0, 0]}):
        wanted = comparing(rows | {"baseline": baseline})
        lights.append(compare(wanted.scenarios_on(arrays), arrays, names=wanted.names).light)
    assert all(one == lights[0] for one in lights)
    assert lights[0].color == "green"


def test_assumptions_of_the_baseline_are_judged():
    """They hold for all: with after-call work of two minutes today's rule no longer meets the record."""
    arrays = encode(replace(made_tables(), interactions=made_tables().interactions.with_columns(
        acw_s=pl.lit(None, pl.Float64))))  # fmt: skip
    with_work = [replace(one, assumptions=Assumptions(acw_s=120.0)) for one in (GENESYS, WEIGHTED)]
    assert compare([GENESYS, WEIGHTED], arrays).light.color == "green"
    assert compare(with_work, arrays).light.color == "red"


def test_the_light_rests_on_recorded_handling_however_a_scenario_handles():
    """ann takes thirty times as long by the table of factors, which a replay by agent reads; the light does not."""
    rows = [
        call(k, 6.0 * k, outcome="answered", agent_id="bob", wait_s=0.0, patience_s=600.0) for k in range(80)
    ]  # fmt: skip
    there = [{"agent_id": name, "start_at": MIDNIGHT, "end_at": MIDNIGHT + DAY} for name in ("ann", "bob")]
    tables = replace(tables_of(interactions=rows, staffing=there), handle_factors=table("handle_factors", [
        {"agent_id": "ann", "factor": 30.0}]))  # fmt: skip
    by_agent = replace(GENESYS, assumptions=Assumptions(handling="agent"))
    told = [run(chosen, tables).replay for chosen in (GENESYS, by_agent)]
    assert told[0].light == told[1].light
    assert told[0].light.color == "green"
    # The columns are those of the handling asked for.
    assert told[0].columns[1].asa_s < told[1].columns[1].asa_s


def test_a_light_is_that_of_all_replications():
    """The mean over draws, not the first: waits of the answered are drawn patience away from giving up."""
    rows = [
        call(k, 3.0 * k, outcome="abandoned" if k % 3 == 0 else "answered", agent_id=None if k % 3 == 0 else "ann",
             wait_s=4.0 + k % 40, handle_s=None if k % 3 == 0 else 11.0) for k in range(300)
    ]  # fmt: skip
    tables = tables_of(interactions=rows)
    one, many = (run(replace(GENESYS, replications=n), tables).replay for n in (1, 5))
    assert one.light.asa_off_s != many.light.asa_off_s
    assert many.light.asa_off_s == pytest.approx(many.columns[1].asa_s - many.columns[0].asa_s)


def test_switches_are_those_of_the_rule_in_force():
    """How the platform works is no scenario: the same switch holds for today's rule."""
    chosen = replace(GENESYS, switches=Switches(longest_idle=1))
    said = run(chosen, made()).replay
    assert [column.name for column in said.columns] == ["recorded", "today"]


# --- the sample of the sources ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [
    ("members", "queues", "surveys", "staffing"), ("staffing",),
], ids=["as the command line reads it", "as the notebook reads it"])  # fmt: skip
def test_the_sample_is_green(names: tuple[str, ...]):
    """As the first page reads it, by a command and in a notebook."""
    centre = routelab.read(**{name: SAMPLE / f"{name}.csv" for name in ("agents", "interactions", *names)})
    assert routelab.replay(centre, method="weighted").to_dict()["replay"]["light"]["color"] == "green"
    compared = routelab.compare(centre, [{"method": "genesys"}, {"name": "ours", "method": "weighted"}], sla="80/20")
    assert compared.to_dict()["light"]["color"] == "green"


def test_the_sample_is_one_record():
    """Whoever is surveyed was answered, by the agent whom the survey names."""
    calls, surveys = (pl.read_csv(SAMPLE / f"{name}.csv") for name in ("interactions", "surveys"))
    both = surveys.join(calls, on="interaction_id", suffix="_of_call")
    assert both.height == surveys.height
    assert both["agent_id"].to_list() == both["agent_id_of_call"].to_list()
    assert (both["queue_id"] == both["queue_id_of_call"]).all()
