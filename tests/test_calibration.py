"""Join gap and after-call work are found in logs whose truth is known, and a test span is no fit span."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from api.output.calibration_chart import DRIFTED, chart
from api.output.calibration_file import Fitted, content_of, read_calibration
from api.output.result_files import ResultFiles
from engine.calibration import Calibration, calibrate, default_days
from engine.calibration.agreement import part_of_day
from engine.calibration.closeness import GRAINS, MEASURES, SHOWN
from engine.calibration.drift import Change
from engine.calibration.evidence import Beside, Evidence, Limits, Origin
from engine.calibration.findings import findings
from engine.calibration.fit import not_fitted
from engine.calibration.span import Span
from engine.data.arrays import Arrays
from engine.data.encode import encode
from engine.data.served import STATUS
from engine.data.tables import Tables
from engine.errors import InvalidScenario, MissingInput
from engine.estimates.assumptions import Assumptions
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.measures.light import ASA_OFF, SERVICE_LEVEL_OFF
from engine.methods.ladder import one_row_each
from engine.replay.loop import replay
from engine.reports.columns import today_of
from engine.results import plain
from engine.run import run as simulated
from engine.spec import Scenario
from tests.strategies import table

MIDNIGHT = datetime(2024, 3, 3, tzinfo=UTC)
DAY_S, N_DAYS, N_AGENTS = 86_400, 15, 8
TALK_S, ACW_S, PATIENCE_S, BREAK_S = 150.0, 25.0, 240.0, 420.0
FIT, TEST = (date(2024, 3, 3), date(2024, 3, 11)), (date(2024, 3, 12), date(2024, 3, 17))


# --- a log whose truth is known ----------------------------------------------------------------------------------


def shifts() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eight hours a day in pieces of about two hours, with breaks of seven minutes at everybody's own times."""
    rows = []
    for day, agent in itertools.product(range(N_DAYS), range(N_AGENTS)):
        start = day * DAY_S + 8 * 3600
        edges = [start + 7200 * piece + 700 * agent for piece in range(1, 4)]
        starts, ends = [start, *(edge + BREAK_S for edge in edges)], [*edges, start + 8 * 3600]
        rows += [(agent, low, high) for low, high in zip(starts, ends, strict=True) if low < high]
    return tuple(np.array(side) for side in zip(*rows, strict=True))


def made_up(**columns: object) -> Tables:
    """What a log would show of a centre that works by the rule: no staffing, no after-call work."""
    rng = np.random.default_rng(5)
    counts = rng.poisson(1080 + 60 * (np.arange(N_DAYS) % 4))
    arrived_s = np.sort(np.repeat(DAY_S * np.arange(N_DAYS), counts) + rng.uniform(8 * 3600, 15.5 * 3600, counts.sum()))
    talk_s = np.round(rng.gamma(2.0, TALK_S / 2, arrived_s.size), 3)
    patience_s = rng.exponential(PATIENCE_S, arrived_s.size)
    kinds = Kinds.plain(np.ones((1, N_AGENTS), bool))
    demand = Demand.of(arrived_s, talk_s + ACW_S, kinds, patience_s=patience_s)
    served = replay(demand, Roster.of(N_AGENTS, *shifts()), one_row_each(np.zeros((1, N_AGENTS))))
    wait_s = (served.left_us - demand.arrived_us) / 1e6
    status = [STATUS[place] for place in served.status]
    interactions = pl.DataFrame({
        "interaction_id": [f"i{number:06d}" for number in range(arrived_s.size)], "queue_id": "q",
        "arrived_at": [MIDNIGHT + timedelta(microseconds=int(at)) for at in demand.arrived_us],
        "outcome": status, "wait_s": wait_s,
        "agent_id": [f"a{agent}" if agent >= 0 else None for agent in served.agent],
        "handle_s": np.where(served.agent >= 0, talk_s, np.nan),
    }).with_columns(pl.col("handle_s").fill_nan(None))  # fmt: skip
    rows = [row | columns for row in interactions.to_dicts()]
    agents = table("agents", [{"agent_id": f"a{agent}"} for agent in range(N_AGENTS)])
    return Tables(agents, table("interactions", rows))


@pytest.fixture(scope="module")
def log() -> Arrays:
    return encode(made_up())


@pytest.fixture(scope="module")
def found(log) -> Calibration:
    return calibrate(log, Scenario(), FIT, TEST, draws=4)


def test_known_after_call_work_and_breaks_are_found(found):
    """The longest pauses inside shifts are shorter than breaks, and the gap that is found lies between the two."""
    assert found.evidence.fitted == ["join_gap_s", "acw_s"]
    assert abs(found.assumptions["acw_s"] - ACW_S) <= 5
    assert 60 <= found.assumptions["join_gap_s"] <= BREAK_S
    low, high = found.evidence.as_good["acw_s"]
    assert low <= found.assumptions["acw_s"] <= high
    assert found.evidence.candidates == sorted(found.evidence.candidates, key=lambda one: (one.join_gap_s, one.acw_s))


def test_pauses_while_somebody_waits_show_the_after_call_work(found):
    """Here nothing else keeps an agent from the next who waits."""
    assert found.evidence.pauses.median_s == pytest.approx(ACW_S)
    assert found.evidence.pauses.mean_s == pytest.approx(ACW_S, rel=0.3)


def test_the_days_tested_come_out_nearer_than_before(found):
    tested = plain(found.evidence)["agreement"]["test"]
    for name in MEASURES:
        far, near = (abs(tested[side][name] - tested["recorded"][name]) for side in ("defaults", "calibrated"))
        assert near < far / 3
        for grain in GRAINS[1:]:
            close = tested["closeness"][grain][name]
            assert close["rmse"] < close["rmse_defaults"]
            assert close["correlation"] > 0.5
    assert tested["light"]["color"] == "green"
    assert tested["light_defaults"]["color"] == "red"


def test_the_record_is_counted_whatever_is_assumed(log, found):
    """Recorded measures equal plain sums over the rows of the span; parts add up to it."""
    rows = made_up().interactions.filter(pl.col("arrived_at").dt.date().is_between(*TEST))
    answered = rows.filter(pl.col("outcome") == "answered")
    tested = plain(found.evidence)["agreement"]["test"]
    assert tested["recorded"]["offered"] == rows.height == plain(found.evidence)["spans"]["test"]["interactions"]
    assert tested["recorded"]["asa_s"] == pytest.approx(answered["wait_s"].mean())
    assert tested["recorded"]["mean_wait_s"] == pytest.approx(rows["wait_s"].mean())
    assert tested["recorded"]["abandonment"] == pytest.approx(1 - answered.height / rows.height)
    within = answered.filter(pl.col("wait_s") <= 20).height
    assert tested["recorded"]["service_level"] == pytest.approx(within / rows.height)
    for parts in ("weekdays", "times", "types", "days"):
        assert sum(row["recorded"]["offered"] for row in tested[parts]) == rows.height
    assert sum(row["recorded"]["offered"] for row in tested["hours"].values()) == rows.height
    by_hour = rows.group_by(pl.col("arrived_at").dt.truncate("30m").dt.strftime("%H:%M")).agg(pl.col("wait_s").mean())
    times = {row["start"]: row["recorded"]["mean_wait_s"] for row in tested["times"]}
    assert times == {start: pytest.approx(mean) for start, mean in by_hour.iter_rows()}


def test_what_is_shown_is_what_simulate_says(log, found):
    """The same draws under the fitted assumptions, by another door."""
    window = log.days(*TEST)
    scenario = today_of(
        Scenario(mode="replay", replications=4, assumptions=Assumptions.of(found.assumptions)), window
    )  # fmt: skip
    column = simulated(scenario, window).to_dict()["replay"]["columns"][1]
    shown = plain(found.evidence)["agreement"]["test"]
    for name in (*SHOWN, "occupancy"):
        assert shown["calibrated"][name] == pytest.approx(column[name], rel=1e-9)
        band = shown["band"][name]
        assert band["low"] <= shown["calibrated"][name] <= band["high"]
    recorded = simulated(scenario, window).to_dict()["replay"]["columns"][0]
    assert shown["recorded"]["occupancy"] == pytest.approx(recorded["occupancy"])


def test_months_cover_both_spans_and_their_lights_follow_the_limits(found):
    months = plain(found.evidence)["months"]
    assert [(row["span"], row["month"]) for row in months] == [("fit", "2024-03"), ("test", "2024-03")]
    for row in months:
        spanned = plain(found.evidence)["agreement"][row["span"]]
        assert row["recorded"]["offered"] == spanned["recorded"]["offered"]
        asa = row["calibrated"]["asa_s"] / row["recorded"]["asa_s"] - 1
        level = row["calibrated"]["service_level"] - row["recorded"]["service_level"]
        is_red = abs(asa) > ASA_OFF or abs(level) > SERVICE_LEVEL_OFF
        assert row["light"]["color"] == ("red" if is_red else "green")
        assert row["light"]["asa_off"] == pytest.approx(asa)
        assert row["light"]["service_level_off"] == pytest.approx(level)


def test_the_same_seed_gives_the_same_calibration(log, found):
    again = calibrate(log, Scenario(), FIT, TEST, draws=4)
    assert again == found


def test_everything_is_plain_and_finite(found):
    json.dumps(plain(found.evidence), allow_nan=False)
    assert all(isinstance(sentence, str) for sentence in plain(found.evidence)["findings"])


# --- what is recorded is not fitted ------------------------------------------------------------------------------


def test_nothing_is_fitted_that_is_recorded(log):
    staffed = Tables.of({
        "agents": table("agents", [{"agent_id": f"a{agent}"} for agent in range(N_AGENTS)]),
        "interactions": made_up(acw_s=ACW_S).interactions,
        "staffing": table("staffing", [
            {"agent_id": f"a{agent}", "start_at": MIDNIGHT + timedelta(seconds=int(start)),
             "end_at": MIDNIGHT + timedelta(seconds=int(end))}
            for agent, start, end in zip(*shifts(), strict=True)
        ]),
    })  # fmt: skip
    arrays = encode(staffed)
    found = calibrate(arrays, Scenario(), FIT, TEST, draws=2)
    assert found.assumptions == {}
    assert set(plain(found.evidence)["not_fitted"]) == {"join_gap_s", "acw_s"}
    assert found.evidence.candidates == []
    only_acw = not_fitted(log, encode(made_up(acw_s=ACW_S)).history())
    assert set(only_acw) == {"acw_s"}
    assert not_fitted(log, log.history()) == {}


def test_a_credit_is_taken_only_where_it_is_determined(found):
    """All have the same priority here, so the default head start stays."""
    assert plain(found.evidence)["credit"]["point_s"] is None
    assert "point_s" not in found.assumptions
    assert plain(found.evidence)["assumptions"]["point_s"] == Assumptions().point_s


def test_a_log_without_waits_is_refused():
    rows = made_up().interactions.with_columns(wait_s=pl.lit(None, pl.Float64), outcome=pl.lit("unknown"))
    agents = table("agents", [{"agent_id": f"a{agent}"} for agent in range(N_AGENTS)])
    with pytest.raises(MissingInput, match="no wait_s of them is recorded"):
        calibrate(encode(Tables(agents, rows)), Scenario(), FIT, TEST)


# --- days --------------------------------------------------------------------------------------------------------

NO_DAYS = (None, None)


@pytest.mark.parametrize(
    ("fit", "test", "wanted"),
    [
        (NO_DAYS, NO_DAYS, (FIT, TEST)),
        (NO_DAYS, (date(2024, 3, 6), None), ((FIT[0], date(2024, 3, 5)), (date(2024, 3, 6), TEST[1]))),
        ((None, date(2024, 3, 4)), NO_DAYS, ((FIT[0], date(2024, 3, 4)), (date(2024, 3, 5), TEST[1]))),
        (TEST, FIT, (TEST, FIT)),
    ],
)
def test_days_not_given_are_the_first_sixty_percent_and_the_rest(log, fit, test, wanted):
    assert default_days(log, fit, test) == wanted


@pytest.mark.parametrize(
    ("fit", "test", "reason"),
    [
        (FIT, (FIT[1], TEST[1]), "overlap"),
        ((FIT[0], TEST[1]), (TEST[0], TEST[0]), "overlap"),
        ((TEST[0], TEST[0]), (FIT[0], TEST[1]), "overlap"),
        ((None, TEST[1]), NO_DAYS, "overlap"),
        ((FIT[1], FIT[0]), TEST, "swap them"),
        (FIT, (TEST[1], TEST[0]), "swap them"),
    ],
)
def test_days_to_test_are_never_days_to_fit(log, fit, test, reason):
    with pytest.raises(InvalidScenario, match=reason):
        default_days(log, fit, test)


def test_one_day_is_not_enough(log):
    with pytest.raises(InvalidScenario, match="at least two days"):
        default_days(log.days(FIT[0], FIT[0]), NO_DAYS, NO_DAYS)


def test_days_and_half_hours_are_local():
    """In Calcutta 18:20 UTC is 23:50 of the same day, 18:40 UTC is ten past midnight of the next."""
    rows = [
        {"interaction_id": f"i{minute}", "queue_id": "q", "arrived_at": MIDNIGHT + timedelta(hours=18, minutes=minute),
         "wait_s": 1.0, "handle_s": 60.0, "agent_id": "a", "outcome": "answered"}
        for minute in (20, 40)
    ]  # fmt: skip
    frames = {"agents": table("agents", [{"agent_id": "a"}]), "interactions": table("interactions", rows)}
    arrays = encode(Tables.of(frames, "Asia/Kolkata"))
    assert default_days(arrays, NO_DAYS, NO_DAYS) == ((FIT[0],) * 2, (date(2024, 3, 4),) * 2)
    span = Span(arrays, today_of(Scenario(mode="replay"), arrays), (FIT[0], date(2024, 3, 4)))
    assert span.dates == [FIT[0], date(2024, 3, 4)]
    assert span.slot_of_cell.tolist() == [47, 0]
    assert span.day_of_cell.tolist() == [0, 1]


def test_draws_do_not_depend_on_how_many_there_are(log):
    span = Span(log, today_of(Scenario(mode="replay"), log), (FIT[0], FIT[0]))
    assumed = Assumptions(acw_s=ACW_S)
    assert span.losses(assumed, range(3))[0] == [span.losses(assumed, range(k, k + 1))[0][0] for k in range(3)]


def spans_of(*hours: tuple[int, float]) -> Span:
    """A span whose interactions arrive on days at hours, all answered at once."""
    rows = [
        {"interaction_id": f"i{number}", "queue_id": "q", "arrived_at": MIDNIGHT + timedelta(days=day, hours=hour),
         "wait_s": 1.0, "handle_s": 60.0, "agent_id": "a", "outcome": "answered"}
        for number, (day, hour) in enumerate(hours)
    ]  # fmt: skip
    arrays = encode(Tables(table("agents", [{"agent_id": "a"}]), table("interactions", rows)))
    return Span(arrays, today_of(Scenario(mode="replay"), arrays), (FIT[0], TEST[1]))


def test_the_first_hour_begins_where_the_centre_opens():
    """Open 7:00 to 14:00, closed to 20:00 of the next day, which is over at 23:00: openings are 7:00 and 20:00."""
    first, second = [7.0, 7.5, 8.0, 10.0, 12.0, 13.0, 13.5], [20.0, 20.5, 21.0, 22.0, 22.5]
    span = spans_of(*((0, hour) for hour in first), *((1, hour) for hour in second))
    assert part_of_day(span).tolist() == [0, 0, 1, 1, 1, 2, 2, 0, 0, 1, 2, 2]


def test_a_centre_that_never_closes_has_no_first_hour():
    span = spans_of(*((day, hour / 2) for day in range(3) for hour in range(48)))
    assert set(part_of_day(span).tolist()) == {1}


def test_weekdays_say_on_how_many_days(found):
    """12 to 17 March 2024: Tuesday to Sunday, one each."""
    assert [(row.weekday, row.days) for row in found.evidence.agreement["test"].weekdays] == [
        (weekday, 1) for weekday in range(1, 7)
    ]


# --- words and pictures ------------------------------------------------------------------------------------------


def spoiled(evidence: Evidence, table: str, place: int, change: Callable[[Beside], Beside]) -> Evidence:
    """The evidence with another row of the days tested."""
    tested = evidence.agreement["test"]
    rows = list(getattr(tested, table))
    rows[place] = change(rows[place])
    return replace(evidence, agreement=evidence.agreement | {"test": replace(tested, **{table: rows})})


def test_words_name_the_places_that_are_off(found):
    evidence = found.evidence
    row = evidence.agreement["test"].times[3]
    level = row.recorded.service_level + 0.2

    def off(low: float, high: float) -> Evidence:
        calibrated, band = (
            replace(row.calibrated, service_level=level),
            replace(row.band, service_level=Limits(low, high)),
        )
        return spoiled(evidence, "times", 3, lambda row: replace(row, calibrated=calibrated, band=band))

    named = [sentence for sentence in findings(off(level - 0.01, level + 0.01)) if sentence.startswith("times of day")]
    assert len(named) == 1
    assert f"{row.start} +20.0 points" in named[0]
    others = [sentence for sentence in findings(off(0.0, 1.0)) if sentence.startswith("times of day")]
    assert not any("+20.0 points" in sentence for sentence in others), "within the noise of draws nothing is said"


def test_words_say_what_the_test_cannot_show(found):
    said = " ".join(plain(found.evidence)["findings"])
    assert "forecasts nothing" in said
    assert "while somebody waited" in said
    edge = replace(found.evidence, at_edge=["join_gap_s"])
    assert any("largest value that was tried" in sentence for sentence in findings(edge))


def test_the_picture_is_a_drawing_without_holes(found):
    evidence = spoiled(
        found.evidence, "days", 2, lambda row: replace(row, calibrated=replace(row.calibrated, asa_s=None))
    )
    root = ElementTree.fromstring(chart(evidence))
    assert root.tag.endswith("svg")
    text = chart(evidence)
    assert "nan" not in text.lower().replace("nance", "")
    assert "None" not in text
    lines = [one for one in root.iter() if one.tag.endswith("polyline")]
    assert len(lines) == 3 * 2 * 2 + 1, "a missing value cuts one line in two"


def test_the_picture_shades_what_drifted(found):
    """A month that drifted in the ASA is shaded in that panel, and in no other."""
    change = Change(recorded=10.0, off=0.3, usual=0.0, change=0.3, low=0.1, high=0.5, is_drift=True)
    row = replace(found.evidence.drift.months[-1], measures={"asa_s": change})
    drift = replace(found.evidence.drift, short="holds to noon", months=[found.evidence.drift.months[0], row])
    said = chart(replace(found.evidence, drift=drift))
    assert said.count(f'fill="{DRIFTED}"') == 1
    assert "holds to noon" in said
    assert f'fill="{DRIFTED}"' not in chart(found.evidence)


# --- files ---------------------------------------------------------------------------------------------------------


def test_a_calibration_file_comes_back_as_it_went(tmp_path, found):
    path = tmp_path / "deep" / "calibration.json"
    with ResultFiles(path) as files:
        files.write(content_of(found))
    assert read_calibration(path) == Fitted(found.assumptions, Origin(None, None), found.in_force)
    assert Assumptions.of(read_calibration(path).assumptions).acw_s == found.assumptions["acw_s"]
    assert json.loads(path.read_text())["evidence"] == json.loads(json.dumps(plain(found.evidence)))
    assert [one.name for one in path.parent.iterdir()] == ["calibration.json"]


# --- the real log ------------------------------------------------------------------------------------------------


def test_the_bank_of_may_to_july_is_nearer_to_the_record_than_before(tmp_path):
    """Fitted on January to April; the distances are those that the replay is asked to report."""
    place = os.environ.get("ROUTELAB_BANK_LOG")
    if not place:
        pytest.skip("ROUTELAB_BANK_LOG is not set: the published log of the bank is not here")
    from ingest.bank import import_bank
    from ingest.snapshot.reading import open_snapshot

    path = Path(place)
    log = sorted(path.glob("*.parquet"))[0] if path.is_dir() else path
    if import_bank([log], tmp_path, "bank").repairs["rows in the log"] != 252_290:
        pytest.skip("ROUTELAB_BANK_LOG is not the extract of January to July 1999, whose waits are known")
    fit, test = (date(1999, 1, 1), date(1999, 4, 30)), (date(1999, 5, 1), date(1999, 7, 31))
    found = calibrate(open_snapshot(tmp_path, "bank").arrays(), Scenario(), fit, test, draws=3)
    tested = plain(found.evidence)["agreement"]["test"]
    assert found.assumptions["point_s"] == 60
    assert 120 <= found.assumptions["join_gap_s"] <= 600
    assert 20 <= found.assumptions["acw_s"] <= 45
    for name in MEASURES:
        far, near = (abs(tested[side][name] - tested["recorded"][name]) for side in ("defaults", "calibrated"))
        assert near < far / 5
        for grain in GRAINS[1:]:
            assert tested["closeness"][grain][name]["rmse"] < 0.75 * tested["closeness"][grain][name]["rmse_defaults"]
    assert [row["light"]["color"] for row in plain(found.evidence)["months"]] == ["green"] * 7
    assert tested["light_defaults"]["color"] == "red"
    assert tested["closeness"]["day"]["asa_s"]["correlation"] > 0.9
