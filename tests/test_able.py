"""Who may take what: hard filters as today's rule has them, who is able in the end, and who could have got the work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.data.encode import encode
from engine.errors import InvalidScenario
from engine.estimates.assumptions import Switches
from engine.levers import LEVERS
from engine.methods import METHODS
from engine.replay.playing import Played, play
from engine.replay.prepare import Recorded
from engine.reports.compare import compare
from engine.run import choose, run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario, scenario_of
from tests.made_up import made
from tests.small_centres import call, rated, rings_json, rules_json, tables_of
from tests.strategies import MIDNIGHT

NINE = MIDNIGHT + timedelta(hours=9)
# Nobody reaches it: the most that can be is 3.
HIGH = RoutingWeights(1.0, 1.0, 1.0, 9.0)
ALL, BEST, NONE = ({"evaluation_method": name} for name in ("ALL", "BEST", "NONE"))
DROPS = {"rings": rings_json([(20.0, ["tech"]), (None, [])])}
KEEPS = {"rings": rings_json([(20.0, []), (None, [])])}
PREFERS = {"routing_rules": rules_json([(50.0, 10.0)])}
ATTACHED = [{"agent_id": "cid", "score": 80.0}, {"agent_id": "bob", "score": 90.0}, {"agent_id": "dot", "score": 99.0}]


def played(chosen: Scenario, *, queue: dict[str, Any], **more: Any) -> Played:
    """A call for technology in English, before ann (both), bob (technology), cid (English); dot is no member."""
    rows = [call(0, skills=["tech"], language="en", outcome="answered", agent_id="ann", wait_s=0.0, **more)]
    tables = tables_of(interactions=rows, queues=[{"queue_id": "q", **queue}])
    return play(chosen, Recorded(encode(tables), chosen))


def names(found: Played, mask: Any) -> str:
    return " ".join(found.completed.centre.agent_ids[a] for a in np.flatnonzero(mask[0]))


# --- hard filters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["weighted", "longest_idle", "fixed_order", "random", "fastest_first"])
@pytest.mark.parametrize(("required", "queue", "eligible"), [
    ((), ALL, "ann bob cid"), (("skills",), ALL, "ann bob"), (("language",), NONE, "ann cid"),
    (("skills", "language"), NONE, "ann"),
    # As today: language and skills under ALL and BEST, but for skills that a ring removes; language under NONE.
    (None, ALL, "ann"), (None, BEST, "ann"), (None, NONE, "ann cid"),
    (None, ALL | KEEPS, "ann"), (None, BEST | KEEPS, "ann"), (None, ALL | DROPS, "ann cid"),
    (None, BEST | DROPS, "ann cid"), (None, NONE | DROPS, "ann cid"),
    # Preferred need the language only: cid joins; bob does not speak it, dot is no member.
    (None, ALL | PREFERS, "ann cid"), (None, BEST | KEEPS | PREFERS, "ann cid"),
])  # fmt: skip
def test_in_a_replay_rules_filter_on_what_todays_rule_does_unless_told_otherwise(
    method: str, required: tuple[str, ...] | None, queue: dict[str, str], eligible: str
) -> None:
    chosen = Scenario(mode="replay", method=method, required=required, weights=HIGH)
    found = played(chosen, queue=queue, preferred=ATTACHED)
    assert names(found, found.demand.kinds.eligible) == eligible
    # The threshold takes nobody out of those who are able.
    assert names(found, found.demand.kinds.able) == eligible
    assert found.served.status[0] == (3 if method == "weighted" else 0)


def test_lists_of_preferred_agents_count_only_where_a_queue_has_rules():
    chosen = Scenario(mode="replay")
    for queue, attached, eligible in (
        (ALL, ATTACHED, "ann"), (ALL | PREFERS, None, "ann"),
        # Below the least score of every rule nobody is admitted.
        (ALL | PREFERS, [{"agent_id": "cid", "score": 49.0}], "ann"),
        (ALL | PREFERS, [{"agent_id": "cid", "score": 50.0}], "ann cid"),
    ):  # fmt: skip
        found = played(chosen, queue=queue, preferred=attached)
        assert names(found, found.demand.kinds.eligible) == eligible


@pytest.mark.parametrize(("method", "queue", "able"), [
    ("genesys", ALL, "ann"), ("genesys", NONE, "ann cid"), ("genesys", ALL | DROPS, "ann"),
    ("bullseye", ALL | DROPS, "ann cid"), ("bullseye", ALL | KEEPS, "ann"), ("bullseye", ALL | PREFERS, "ann"),
    ("preferred_agent", ALL | PREFERS, "ann cid"), ("preferred_agent", ALL | DROPS, "ann cid"),
])  # fmt: skip
@pytest.mark.parametrize("required", [(), ("today",), ("skills", "language")])
def test_able_under_the_platforms_methods_are_those_of_the_last_stage_whatever_is_required(
    method: str, queue: dict[str, str], able: str, required: tuple[str, ...]
) -> None:
    """They filter by themselves: every ring open, the limit of BEST ignored."""
    chosen = Scenario(mode="replay", method=method, required=required)
    found = played(chosen, queue=queue, preferred=ATTACHED)
    assert names(found, found.demand.kinds.able) == able


@pytest.mark.parametrize("required", [(), ("today",), ("language",)])
@pytest.mark.parametrize("method", ["weighted", "genesys", "bullseye", "longest_idle"])
def test_the_baseline_is_todays_rule_whatever_a_scenario_does(method: str, required: tuple[str, ...]) -> None:
    chosen = Scenario(mode="replay", method=method, required=required, weights=HIGH)
    found = played(chosen, queue=ALL | DROPS)
    assert names(found, found.baseline) == "ann cid"


# --- the settings ---------------------------------------------------------------------------------------------------


def test_defaults_depend_on_the_mode_and_the_plain_form_shows_what_held():
    score, replay = Scenario().to_dict(), Scenario(mode="replay").to_dict()
    assert (score["required"], score["weights"]["min_score_threshold"]) == ([], 0.5)
    assert (replay["required"], replay["weights"]["min_score_threshold"]) == (["today"], 0.0)
    chosen = scenario_of({"mode": "replay", "weights": [0.5, 0.5, 0], "required": "none", "threshold": 0.25})
    assert (chosen.required, chosen.weights.threshold) == ((), 0.25)
    # Weights alone leave the threshold to the mode.
    assert scenario_of({"mode": "replay", "weights": [0.5, 0.5, 0]}).weights.threshold == 0
    assert Scenario(mode="replay", weights=RoutingWeights(0.5, 0.5, 0.0)).weights.threshold == 0
    assert Scenario(weights=RoutingWeights(0.5, 0.5, 0.0)).weights_used().threshold == 0.5


def test_a_base_of_another_mode_lends_what_was_given_and_not_its_defaults():
    given = Scenario(seed=7, required=("skills",), weights=RoutingWeights(min_score_threshold=0.2))
    chosen = scenario_of({"mode": "replay"}, given)
    assert (chosen.seed, chosen.required, chosen.weights.threshold) == (7, ("skills",), 0.2)
    chosen = scenario_of({"mode": "replay"}, Scenario(seed=7))
    assert (chosen.seed, chosen.required, chosen.weights.threshold) == (7, ("today",), 0.0)
    back = scenario_of({"mode": "score"}, chosen)
    assert (back.required, back.weights.threshold) == ((), 0.5)
    assert scenario_of(chosen_as_given(chosen)) == chosen


def chosen_as_given(chosen: Scenario) -> dict[str, Any]:
    """What a scenario file would say of it."""
    return {"mode": chosen.mode, "seed": chosen.seed, "required": [*chosen.required], "threshold": 0}


@pytest.mark.parametrize(("given", "said"), [
    ({"required": "today"}, "required 'today' is what the rule in force filters on, in a replay; in score mode use"),
    ({"mode": "replay", "required": "today,skills"}, "required names today and more"),
    ({"mode": "replay", "required": ["rings"]}, "required names 'rings'; use skills, language, or today or none"),
])  # fmt: skip
def test_what_the_filters_refuse(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidScenario, match=said):
        scenario_of(given)


# --- a key of 0 -----------------------------------------------------------------------------------------------------


def test_without_a_threshold_a_key_of_0_ranks_last_in_a_replay_and_is_nobody_in_score_mode():
    """Satisfaction alone weighs: ann has none (0), bob the middle. bob is asked first, then ann."""
    rows = [call(n, outcome="answered", agent_id="ann", wait_s=0.0) for n in range(2)]
    surveys = [
        {"survey_id": name, "agent_id": name, "score": score, "scale_min": 0.0, "scale_max": 1.0,
         "completed_at": rows[0]["arrived_at"].replace(day=1)}
        for name, score in (("ann", 0.0), ("bob", 0.5))
    ]  # fmt: skip
    members = [{"queue_id": "q", "agent_id": name} for name in ("ann", "bob")]
    tables = tables_of(interactions=rows, surveys=surveys, members=members)
    only = RoutingWeights(0.0, 0.0, 1.0, 0.0)
    chosen = Scenario(mode="replay", weights=only, csat="all")
    found = play(chosen, Recorded(encode(tables), chosen))
    assert [found.completed.centre.agent_ids[a] for a in found.served.agent] == ["bob", "ann"]
    assert found.score.tolist() == [0.5, 0.0]
    scored = choose(Scenario(weights=only, csat="all", csat_missing=0.0), replace(tables, members=tables.members[:1]))
    assert scored.agent.tolist() == [-1, -1]


# --- what is said of choice and of waiting beside free agents ---------------------------------------------------------

# ann has the skill and the language, cid the language only and is idle for longer; bob has the skill only.
THERE = [
    {"agent_id": name, "start_at": NINE - timedelta(seconds=early), "end_at": NINE + timedelta(hours=1)}
    for name, early in (("ann", 10), ("bob", 20), ("cid", 30))
]
ONE_OF_BEST = {"switches": Switches(longest_idle=1)}
SECOND_RING = [{"queue_id": "q", "agent_id": name, "ring": 2} for name in ("ann", "bob", "cid")]
NO_CALLS = [
    {"agent_id": "ann", "skills": rated(["tech"]), "languages": rated(["en"]),
     "capacity": [{"media": "voice", "count": 0}]},
    {"agent_id": "bob"}, {"agent_id": "cid"},
]  # fmt: skip


@pytest.mark.parametrize(("chosen", "queue", "call_", "tables", "wanted"), [
    # A ring that opens after 20 s; the customer would wait 50 s.
    ({"method": "bullseye"}, KEEPS, {}, {"members": SECOND_RING}, {"ring_s": 20.0}),
    # Preferred cid is not there for the 10 s of the rule.
    ({"method": "preferred_agent"}, PREFERS, {"preferred": ATTACHED[:1]}, {"staffing": THERE[:2]},
     {"preference_s": 10.0}),
    # The longest idle, the only one looked at, lacks the skill: ann sits free until the customer leaves.
    ({"method": "genesys", **ONE_OF_BEST}, BEST, {}, {}, {"limit_s": 50.0}),
    ({"method": "genesys"}, ALL, {}, {"agents": NO_CALLS}, {"capacity_s": 50.0}),
    # The customer leaves while ann is alerted.
    ({"method": "genesys"}, ALL, {"alert_s": 60.0}, {}, {"alert_s": 50.0}),
    ({"weights": HIGH}, ALL, {}, {}, {"threshold_s": 50.0}),
    # Nobody has the skill: nobody is able under a rule that filters on it, however many sit free.
    ({"method": "genesys"}, ALL, {"skills": ["fax"]}, {}, {}), ({}, BEST, {"skills": ["fax"]}, {}, {}),
    ({"weights": HIGH}, ALL, {"skills": ["fax"]}, {}, {}),
    # Under a rule that does not filter on it, those with the language are.
    ({"required": ("language",), "weights": HIGH}, ALL, {"skills": ["fax"]}, {}, {"threshold_s": 50.0}),
])  # fmt: skip
def test_waiting_beside_a_free_agent_is_of_those_able_under_the_rule_and_says_why(
    chosen: dict[str, Any],
    queue: dict[str, str],
    call_: dict[str, Any],
    tables: dict[str, Any],
    wanted: dict[str, float],
) -> None:
    asked = {"skills": ["tech"], "language": "en", "patience_s": 50.0} | call_
    rows = tables_of(
        interactions=[call(0, 0.0, **asked)], queues=[{"queue_id": "q", **queue}], **{"staffing": THERE} | tables
    )
    report = run(Scenario(mode="replay", **chosen), rows)
    waits = report.service_level
    assert waits is not None
    assert {name: s for name, s in vars(waits.idle_causes).items() if s} == wanted
    assert waits.idle_while_waiting_s == sum(wanted.values())
    said = [one for one in report.warnings if "beside a free agent whom the rule would ask in the end" in one]
    assert len(said) == bool(wanted)
    assert not any("qualified" in one for one in report.warnings)
    column = report.replay.columns[-1]
    assert (column.idle_causes, column.idle_while_waiting_share) == (waits.idle_causes, waits.idle_while_waiting_share)


def test_waiting_beside_free_agents_under_todays_rule_is_told_beside_a_scenario():
    """The ring costs 20 s under the rule in force, and nothing under the longest idle, which asks everybody at once."""
    rows = tables_of(
        interactions=[call(0, 0.0, skills=["tech"], language="en", patience_s=50.0)], members=SECOND_RING,
        queues=[{"queue_id": "q", **KEEPS}], staffing=THERE,
    )  # fmt: skip
    report = run(Scenario(mode="replay", method="longest_idle"), rows)
    assert [column.idle_while_waiting_s for column in report.replay.columns] == [None, 20.0, 0.0]
    told = [one for one in report.warnings if "beside a free agent" in one]
    assert len(told) == 1 and told[0].startswith("today's rule: customers waited 20 s (100.0 % of all waiting)")
    assert "because of a ring not open yet (100 %)" in told[0]


def test_choice_is_of_two_or_more_who_are_able_under_the_rule_of_the_column():
    """Ten calls an hour apart, for technology, English or fax: of three who sit free two, one or none are able."""
    rows = [call(n, 3600.0 * n, skills=["tech"]) for n in range(10)]
    tables = tables_of(interactions=rows)
    for chosen, share in (
        ({"method": "genesys"}, 1.0), ({"required": ("skills", "language")}, 1.0), ({"required": ()}, 1.0), ({}, 1.0),
    ):  # fmt: skip
        assert run(Scenario(mode="replay", **chosen), tables).service_level.choice_share == share
    english = replace(tables, interactions=tables.interactions.with_columns(language=pl.lit("en")))
    for chosen, share in (({"method": "genesys"}, 0.0), ({}, 0.0), ({"required": ("language",)}, 1.0)):
        report = run(Scenario(mode="replay", **chosen), english)
        assert report.service_level.choice_share == report.replay.columns[-1].choice_share == share
        # Today's rule filters on both, whatever the scenario does: only ann is able.
        assert report.replay.columns[1].choice_share == 0.0
    fax = replace(tables, interactions=tables.interactions.with_columns(skills=pl.lit(["fax"])))
    for chosen in ({"method": "genesys"}, {}):
        assert run(Scenario(mode="replay", **chosen), fax).service_level.choice_share == 0.0


@pytest.mark.parametrize("method", METHODS)
def test_in_a_replay_with_defaults_no_method_leaves_an_able_agent_idle(method: str) -> None:
    """Eight days of a made-up centre: no threshold, no ring, fewer agents than BEST's limit."""
    waits = run(Scenario(mode="replay", method=method), made()).service_level
    assert waits.idle_while_waiting_s == 0
    assert set(vars(waits.idle_causes).values()) == {0.0}
    assert waits.mean_wait_s > 1


def test_a_threshold_in_a_replay_leaves_able_agents_idle_and_is_told():
    """The defaults of score mode, where nobody is ever busy: whoever falls short of 0.5 sits beside the queue."""
    as_scored = Scenario(mode="replay", required=(), weights=RoutingWeights(min_score_threshold=0.5))
    report = run(as_scored, made())
    waits, plain = report.service_level, run(Scenario(mode="replay"), made()).service_level
    assert waits.idle_causes.threshold_s == waits.idle_while_waiting_s > 0.01 * waits.mean_wait_s * waits.offered
    assert any("because of the threshold (100 %)" in one for one in report.warnings)
    assert plain.idle_while_waiting_s == 0


@pytest.mark.parametrize(("chosen", "said"), [
    ({"weights": RoutingWeights(0.5, 0.5, 0.5)},
     "the weights add up to 1.5, so scores run from 0 to 1.5; the threshold is 0"),
    ({"weights": HIGH}, "the threshold 9 is above the largest possible score 3: nobody can be chosen"),
    ({"weights": HIGH, "method": "longest_idle"}, "longest_idle: has no score, so the threshold 9 changes nothing"),
    ({"weights": HIGH, "method": "genesys"}, "genesys: has no score, so the threshold 9 changes nothing"),
])  # fmt: skip
def test_weights_and_thresholds_that_do_odd_things_are_told_in_a_replay_too(chosen: dict[str, Any], said: str) -> None:
    assert said in run(Scenario(mode="replay", **chosen), tables_of(interactions=[call(0)])).warnings
    assert said not in run(Scenario(mode="replay"), tables_of(interactions=[call(0)])).warnings


# --- fairness ---------------------------------------------------------------------------------------------------------


def test_who_is_eligible_does_not_depend_on_the_policy():
    """Filters of today's rule; rings, thresholds, methods and a scenario's own filters leave the yardstick alone."""
    chosen = [
        {"method": "genesys"}, {"method": "random"}, {"required": ()}, {"required": ("skills",)},
        {"weights": RoutingWeights(min_score_threshold=0.9)}, {"method": "longest_idle", "required": ("language",)},
    ]  # fmt: skip
    counts = [[agent.eligible for agent in run(Scenario(mode="replay", **one), made()).agents] for one in chosen]
    assert all(each == counts[0] for each in counts)
    # Who speaks one language of two is eligible for less.
    assert min(counts[0]) < max(counts[0]) / 2


@dataclass(frozen=True)
class Taught:
    """A lever: everybody gets every skill and language."""

    about = "Everybody has every skill and language."

    @classmethod
    def of(cls, given: Any) -> Taught:
        return cls()

    def plain(self) -> bool:
        return True

    def change(self, completed: Any) -> Any:
        centre = completed.centre
        levels = {name: np.full(getattr(centre, name).shape, 5.0) for name in ("proficiency", "language_level")}
        return replace(completed, centre=replace(centre, **levels))


def test_a_lever_that_moves_the_yardstick_of_sharing_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LEVERS, "taught", Taught)
    told = "levers change who has which skill or language, so who could have got what is not the same as under today's"
    plain, taught = Scenario(mode="replay"), Scenario(mode="replay", levers=(Taught(),))
    reports = [run(chosen, made()) for chosen in (plain, taught)]
    assert [any(told in one for one in report.warnings) for report in reports] == [False, True]
    # Members with the skill are those of the column.
    before, after = (sum(agent.eligible for agent in report.agents) for report in reports)
    assert after > before
    found = compare([plain, taught], made(), names=["plain", "taught"])
    assert sum(f"taught: {told}" in one for one in found.warnings) == 1
    assert not any(f"plain: {told}" in one for one in found.warnings)
