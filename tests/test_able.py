"""Who may take what: hard filters as today's rule has them, who is able in the end, and who could have got the work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.data.encode import encode
from engine.errors import InvalidScenario
from engine.replay.playing import Played, play
from engine.replay.prepare import Recorded
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario, scenario_of
from tests.small_centres import call, rings_json, rules_json, tables_of

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
    from engine.run import choose

    scored = choose(Scenario(weights=only, csat="all", csat_missing=0.0), replace(tables, members=tables.members[:1]))
    assert scored.agent.tolist() == [-1, -1]
