"""Satisfaction: when a survey counts in a score, and what a report may say about it."""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given

from engine.data.checks import check
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.run import choose, run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario, csat_of
from tests import oracle, strategies

ONLY_CSAT = RoutingWeights(0.0, 0.0, 1.0, 0.0)
DAY_1 = strategies.MIDNIGHT
SCALE = {"scale_min": 1.0, "scale_max": 5.0}


def centre(*surveys: tuple[str, str, timedelta, float], arrives: timedelta = timedelta(hours=30)) -> Tables:
    """Agents a and b, one call on the second day; surveys by agent, queue, time and score."""
    rows = [
        {"survey_id": str(n), "agent_id": agent, "queue_id": queue, "completed_at": DAY_1 + at, "score": score} | SCALE
        for n, (agent, queue, at, score) in enumerate(surveys)
    ]
    call = {"interaction_id": "1", "queue_id": "q", "arrived_at": DAY_1 + arrives}
    return Tables(
        agents=strategies.table("agents", [{"agent_id": "a"}, {"agent_id": "b"}]),
        interactions=strategies.table("interactions", [call]),
        surveys=strategies.table("surveys", rows),
    )


def score(data: Tables, **options: object) -> float:
    return float(choose(Scenario(weights=ONLY_CSAT, **options), data).score[0])


@pytest.mark.parametrize(
    ("completed", "counts"), [(timedelta(days=1) - strategies.TICK, True), (timedelta(days=1), False)]
)
@pytest.mark.parametrize("arrives", [timedelta(days=1), timedelta(days=2) - strategies.TICK])
def test_a_survey_counts_from_the_midnight_after_it(completed, counts, arrives):
    data = centre(("a", "q", completed, 5.0), arrives=arrives)
    assert score(data, csat_missing=0.1) == (1.0 if counts else 0.1)
    assert score(data, csat_missing=0.1, csat="all") == 1.0


def test_a_score_is_rescaled_by_its_own_scale():
    data = centre(("a", "q", timedelta(0), 2.0), ("a", "q", timedelta(0), 5.0))
    assert score(data, csat_missing=0.0) == 0.625  # the mean of 1/4 and 1


def test_agents_without_surveys_get_their_queues_mean_if_asked():
    data = centre(("a", "q", timedelta(0), 2.0), ("a", "other", timedelta(0), 1.0))
    outcomes = choose(Scenario(weights=ONLY_CSAT, csat_missing="queue-mean"), data).to_frame()
    chosen = outcomes.select("selected_agent_id", "selected_agent_name", "composite_score")
    assert chosen.row(0) == ("b", None, 0.25)  # a has 0.125
    elsewhere = centre(("a", "other", timedelta(0), 1.0))
    assert score(elsewhere, csat_missing="queue-mean") == 0.5


def test_shrinkage_pulls_every_agent_toward_the_mean_of_all_surveys():
    data = centre(("a", "q", timedelta(0), 5.0), ("a", "q", timedelta(0), 3.0), ("b", "q", timedelta(0), 1.0))
    assert score(data, csat_shrinkage=2.0) == round(1e9 * (1.5 + 2 * 0.5) / (2 + 2)) / 1e9
    alone = centre(("b", "q", timedelta(0), 2.0))
    assert score(alone, csat_shrinkage=1.0, csat_missing=0.9) == 0.25  # a too: the mean is known by then
    assert score(centre(), csat_shrinkage=1.0, csat_missing=0.9) == 0.9


@given(strategies.tables(), strategies.scenarios())
def test_means_by_day_equal_the_slow_twin(data, scenario):
    """Every agent on every day, also those who are never chosen."""
    arrays, rows = encode(data), oracle.as_rows(data)
    table = csat_of(scenario, arrays)
    for day in range(-2, 4):
        noon = DAY_1 + timedelta(days=day, hours=12)
        known = oracle.known_surveys(rows, noon, scenario.csat)
        row = table.row_of((noon - strategies.EPOCH).days)
        for agent, name in enumerate(arrays.centre.agent_ids):
            for place, queue in enumerate(arrays.centre.queue_ids):
                mean = table.mean[row, agent]
                fast = table.fill[row, place] if math.isnan(mean) else mean
                slow = oracle.csat_term(name, queue, known, scenario.csat_missing, scenario.csat_shrinkage)
                assert fast == pytest.approx(slow, rel=1e-12)


@dataclass(frozen=True)
class Log:
    """A made-up log and the truth behind it."""

    tables: Tables
    effect: np.ndarray  # by agent, on the scale 0-1
    recorded: np.ndarray  # agent by interaction
    level: np.ndarray  # by interaction


def made_up_log(seed: int, agent_sd: float, n_agents: int = 25, n_days: int = 20, a_day: int = 120) -> Log:
    """Agents work mostly on a queue of their own, and queues differ: a trap for plain means."""
    rng = np.random.default_rng(seed)
    effect = rng.normal(0, agent_sd, n_agents)
    level_of_queue = np.array([0.35, 0.45, 0.6])
    n = n_days * a_day
    queue = rng.integers(0, 3, n)
    home = np.arange(n_agents) % 3
    weight = np.where(home[None, :] == np.arange(3)[:, None], 8.0, 1.0)
    weight /= weight.sum(axis=1, keepdims=True)
    recorded = np.array([rng.choice(n_agents, p=weight[q]) for q in queue])
    arrived = [DAY_1 + timedelta(days=int(d), seconds=s) for d, s in
               zip(np.repeat(np.arange(n_days), a_day), np.sort(rng.uniform(0, 80_000, n)), strict=True)]  # fmt: skip
    answer = level_of_queue[queue] + effect[recorded] + rng.normal(0, 0.1, n)
    asked = rng.random(n) < 0.5
    agents = pl.DataFrame({"agent_id": [f"a{a:02}" for a in range(n_agents)]})
    calls = pl.DataFrame(
        {
            "interaction_id": [f"i{i:05}" for i in range(n)],
            "queue_id": [f"q{q}" for q in queue],
            "arrived_at": arrived,
            "agent_id": [f"a{a:02}" for a in recorded],
        }
    )
    # The scale is so wide that nothing is cut off at its ends.
    surveys = calls.with_columns(
        survey_id="interaction_id", completed_at=pl.col("arrived_at") + timedelta(hours=1),
        score=pl.Series(answer), scale_min=pl.lit(-1.0), scale_max=pl.lit(2.0),
    ).drop("arrived_at").filter(pl.Series(asked))  # fmt: skip
    tables = Tables(
        agents=check("agents", agents), interactions=check("interactions", calls), surveys=check("surveys", surveys)
    )
    return Log(tables, effect / 3, recorded, (level_of_queue[queue] + 1) / 3)


def csat_report(log: Log) -> dict:
    return run(Scenario(weights=ONLY_CSAT), log.tables).to_dict()["csat"]


def test_without_agent_effects_the_report_says_no_evidence():
    """One seed in twenty may be fooled; more than three of twelve would not be luck."""
    reports = [csat_report(made_up_log(seed, agent_sd=0.0)) for seed in range(12)]
    silent = [report for report in reports if "no evidence that the choice of agent matters" in report["how"]]
    assert len(silent) >= 9
    assert all(report["gain"] is None for report in silent)


def test_p_values_without_agent_effects_are_uniform():
    p = np.sort([csat_report(made_up_log(seed, 0.0, n_days=4))["p_value"] for seed in range(40)])
    distance = np.abs(p - (np.arange(40) + 0.5) / 40).max()
    assert distance < 1.63 / math.sqrt(40)  # Kolmogorov's 1 % point


def test_a_planted_effect_lies_within_its_interval():
    """95 % intervals miss one truth in twenty; more than two of twelve would not be luck."""
    covered = 0
    for seed in range(12):
        log = made_up_log(seed, agent_sd=0.05)
        chosen = choose(Scenario(weights=ONLY_CSAT), log.tables).agent
        truth = float((log.effect[chosen] - log.effect[log.recorded]).mean())
        report = csat_report(log)
        assert "association, not effect" in report["how"]
        assert report["gain"]["high"] - report["gain"]["low"] < 0.03  # narrow enough to say something
        covered += report["gain"]["low"] <= truth <= report["gain"]["high"]
        recorded = float((log.level + log.effect[log.recorded]).mean())
        assert report["recorded_mean"] == pytest.approx(recorded, abs=0.01)
        assert report["simulated_mean"] - report["recorded_mean"] == pytest.approx(report["gain"]["value"])
        assert report["coverage"] == pytest.approx(0.5, abs=0.05)
        assert report["agent_sd"] == pytest.approx(0.05 / 3, rel=0.6)
    assert covered >= 10


def test_what_is_reported_of_a_day_is_fitted_on_other_days():
    """Six days are three stretches of two: surveys of the first say something about the other two only."""
    log = made_up_log(2, agent_sd=0.05, n_days=6)
    first = log.tables.interactions["arrived_at"].dt.epoch("d") < (DAY_1 - strategies.EPOCH).days + 2
    name = pl.when(pl.Series(first)).then(pl.col("agent_id"))
    data = replace(log.tables, interactions=log.tables.interactions.with_columns(agent_id=name))
    means = [run(Scenario(), turned(data, days)).to_dict()["csat"] for days in (None, {0, 1}, {2}, {5})]
    assert means[0]["recorded_mean"] == means[1]["recorded_mean"]
    assert means[0]["recorded_mean"] != means[2]["recorded_mean"] != means[3]["recorded_mean"]


def turned(data: Tables, days: set[int] | None) -> Tables:
    """Scores of some days upside down."""
    if days is None:
        return data
    day = (pl.col("completed_at") - timedelta(hours=1)).dt.epoch("d") - (DAY_1 - strategies.EPOCH).days
    score = pl.when(day.is_in(list(days))).then(1.0 - pl.col("score")).otherwise(pl.col("score"))
    return replace(data, surveys=data.surveys.with_columns(score=score))


def test_plain_means_would_be_fooled_by_the_mix_of_calls():
    """The trap of the made-up log works: without agent effects plain means differ far more than chance."""
    log = made_up_log(1, agent_sd=0.0)
    means = log.tables.surveys.group_by("agent_id").agg(pl.col("score").mean())["score"]
    assert means.std() > 0.05
    assert csat_report(log)["p_value"] > 0.05


def test_surveys_that_all_say_the_same_are_no_evidence():
    log = made_up_log(1, agent_sd=0.05, n_days=4)
    same = log.tables.surveys.with_columns(score=pl.lit(0.7))
    report = run(Scenario(weights=ONLY_CSAT), replace(log.tables, surveys=same)).to_dict()["csat"]
    assert report["gain"] is None
    assert "no evidence" in report["how"]


def test_made_up_surveys_are_called_so_and_give_no_gain():
    arrays = encode(made_up_log(1, agent_sd=0.1, n_days=4).tables)
    arrays = replace(arrays, snapshot=replace(arrays.snapshot, made_up=["surveys"]))
    report = run(Scenario(), arrays).to_dict()
    assert report["csat"]["gain"] is report["csat"]["simulated_mean"] is None
    assert "made up" in report["csat"]["how"]
    assert any("made up" in said for said in report["warnings"])


def test_without_surveys_nothing_is_said_about_satisfaction():
    log = made_up_log(1, agent_sd=0.1, n_days=2)
    bare = replace(log.tables, surveys=log.tables.surveys.clear())
    report = run(Scenario(), bare).to_dict()["csat"]
    assert report["simulated_mean"] is report["recorded_mean"] is report["gain"] is None
    assert report["coverage"] == 0
