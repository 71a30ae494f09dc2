"""Settings of queues: what the platform gives is read in every spelling, what it cannot give is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.data.centre import Centre
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.errors import InvalidTable
from engine.methods.settings import MOST_REMOVED, MOST_RINGS, MOST_RULES, Ring, Rule, rings_of, rules_of, unsupported
from tests.strategies import table


def centre_with(**settings: Any) -> Centre:
    """Two queues: a has no settings, b has these; what is not text is written as JSON."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}
    queues = table("queues", [{"queue_id": "a"}, {"queue_id": "b", **texts}])
    return encode(Tables(table("agents", [{"agent_id": "x"}]), table("interactions", []), queues=queues)).centre


def criterion(threshold: Any = 10.0, type_: Any = "TIMEOUT_SECONDS") -> list[dict[str, Any]]:
    """Expansion criteria of one ring."""
    return [{"type": type_, "threshold": threshold}]


def ring(removed: Any = (), **more: Any) -> dict[str, Any]:
    """A ring as the API writes it."""
    return {"expansionCriteria": criterion(), "actions": {"skillsToRemove": list(removed)}} | more


RINGS = [ring([{"id": "7", "name": "tech"}, {"id": "8"}]), ring(expansionCriteria=criterion(5))]
SNAKE = [
    {"expansion_criteria": criterion(), "actions": {"skills_to_remove": [{"id": "7", "name": "tech"}, "8"]}},
    {"expansion_criteria": criterion(5), "actions": None, "member_groups": [{"id": "g"}]},
]


@pytest.mark.parametrize("given", [RINGS, {"rings": RINGS}, {"bullseye": {"rings": RINGS}}, SNAKE, {"rings": SNAKE}])
def test_rings_are_read_in_either_spelling_alone_or_in_their_object(given: Any) -> None:
    removed = rings_of(centre_with(rings=given))[1][0].removed
    assert set(removed) == {"tech", "7", "8"}
    assert rings_of(centre_with(rings=given)) == [(), (Ring(10.0, removed), Ring(5.0))]


RULES = [{"operator": "MEETS_THRESHOLD", "threshold": 80, "waitSeconds": 30}, {"operator": "ANY", "waitSeconds": 2.5}]
SNAKE_RULES = [
    {"operator": "MEETS_THRESHOLD", "threshold": 80, "wait_seconds": 30},
    {"operator": "ANY", "threshold": None, "wait_seconds": 2.5},
]


@pytest.mark.parametrize(
    "given", [RULES, SNAKE_RULES, {"routingRules": RULES}, {"routing_rules": SNAKE_RULES}, {"rules": RULES}]
)
def test_rules_are_read_in_either_spelling_alone_or_in_their_object(given: Any) -> None:
    assert rules_of(centre_with(routing_rules=given)) == [(), (Rule(30.0, 80.0), Rule(2.5))]


@pytest.mark.parametrize("nothing", ["", "  ", "null", "[]", "{}", '{"rings": null}', '{"bullseye": null}'])
def test_nothing_means_no_rings(nothing: str) -> None:
    assert rings_of(centre_with(rings=nothing)) == [(), ()]


def test_the_last_ring_may_have_no_time_out() -> None:
    assert rings_of(centre_with(rings=[ring(), ring(expansionCriteria=[])]))[1][1].timeout_s is None


BAD_RINGS = [
    ("{rings}", "is not JSON"),
    ("[" * 100_000, "is not JSON"),
    ("9" * 5_000, "is not JSON"),
    (7, "where a list is wanted"),
    ({"ring": []}, "where a list is wanted"),
    ({"rings": {"1": ring()}}, "where a list is wanted"),
    (["ring"], "each an object"),
    ([ring()] * (MOST_RINGS + 1), f"at most {MOST_RINGS} rings"),
    ([ring(expansionCriteria=[]), ring()], "ring 1 needs one expansion criterion"),
    ([ring(expansionCriteria=criterion() * 2)], "ring 1 needs one expansion criterion"),
    ([ring(expansionCriteria={"threshold": 1})], "ring 1 needs one expansion criterion"),
    ([ring(), ring(expansionCriteria=criterion(type_="AGENTS"))], "ring 2 expands by 'AGENTS'; only TIMEOUT_SECONDS"),
    ([ring(expansionCriteria=[5])], "an object with type"),
    *(([ring(expansionCriteria=criterion(bad))], "has threshold") for bad in (None, "10", True, -1, 1e300, [1])),
    ('[{"expansionCriteria": [{"type": "TIMEOUT_SECONDS", "threshold": NaN}]}]', "has threshold nan"),
    ([ring(actions=[])], "an object with skills_to_remove"),
    ([ring("tech", actions={"skillsToRemove": "tech"})], "where a list is wanted"),
    ([ring([{}])], "ring 1 removes skills"),
    ([ring([""])], "ring 1 removes skills"),
    ([ring(["s"] * (MOST_REMOVED + 1))], "50 at most"),
]


@pytest.mark.parametrize(("given", "finding"), BAD_RINGS)
def test_rings_that_cannot_be_are_refused_by_queue_column_and_value(given: Any, finding: str) -> None:
    centre = centre_with(rings=given)
    with pytest.raises(InvalidTable) as refused:
        rings_of(centre)
    (problem,) = refused.value.problems
    assert problem.startswith("queues, queue 'b', column rings: ")
    assert finding in problem
    assert len(problem) < 300


def rule(**changed: Any) -> dict[str, Any]:
    """A rule with something changed."""
    return {"operator": "MEETS_THRESHOLD", "threshold": 80, "waitSeconds": 30} | changed


BAD_RULES = [
    ([rule(operator="BELOW")], "rule 1 has operator 'BELOW'; use MEETS_THRESHOLD or ANY"),
    ([rule(operator=["ANY"])], "rule 1 has operator"),
    ([rule(), rule(threshold=None)], "rule 2 has threshold nothing; use a number from 0 to 100"),
    ([rule(threshold=101)], "rule 1 has threshold 101"),
    ([rule(waitSeconds=None)], "rule 1 has wait_seconds"),
    ([rule(waitSeconds=-1)], "rule 1 has wait_seconds -1"),
    ([rule()] * (MOST_RULES + 1), f"at most {MOST_RULES} rules"),
    ({"routingRules": "ANY"}, "where a list is wanted"),
    ("ANY", "is not JSON"),
]


@pytest.mark.parametrize(("given", "finding"), BAD_RULES)
def test_rules_that_cannot_be_are_refused_by_queue_column_and_value(given: Any, finding: str) -> None:
    centre = centre_with(routing_rules=given)
    with pytest.raises(InvalidTable) as refused:
        rules_of(centre)
    (problem,) = refused.value.problems
    assert problem.startswith("queues, queue 'b', column routing_rules: ")
    assert finding in problem


def test_all_queues_with_a_problem_are_named_at_once() -> None:
    queues = table("queues", [{"queue_id": q, "rings": "x"} for q in ("a", "b")])
    centre = encode(Tables(table("agents", [{"agent_id": "x"}]), table("interactions", []), queues=queues)).centre
    with pytest.raises(InvalidTable) as refused:
        rings_of(centre)
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("given", ["", "null", "[]", "{}", '{"rules": []}'])
def test_without_conditional_groups_nothing_is_left_out(given: str) -> None:
    assert unsupported(centre_with(conditional_groups=given)) == []


@pytest.mark.parametrize(
    "given", [{"rules": [{"metric": "EstimatedWaitTime"}]}, {"pilot_rule": {}, "rules": [{}]}, "x"]
)
def test_queues_with_conditional_groups_are_named(given: Any) -> None:
    (sentence,) = unsupported(centre_with(conditional_groups=given))
    assert "conditional groups" in sentence
    assert sentence.endswith("'b'")


def test_many_queues_with_conditional_groups_are_counted() -> None:
    queues = table("queues", [{"queue_id": f"q{i}", "conditional_groups": "[1]"} for i in range(8)])
    centre = encode(Tables(table("agents", [{"agent_id": "x"}]), table("interactions", []), queues=queues)).centre
    (sentence,) = unsupported(centre)
    assert sentence.endswith("'q4' and 3 more")
