"""Settings of queues: what the platform gives is read in every spelling, what it cannot give is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.data.centre import Centre
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.errors import InvalidTable
from engine.methods.settings import MOST_REMOVED, MOST_RINGS, MOST_RULES, Ring, Rule, rings_of, rules_of, unsupported
from engine.run import choose
from engine.spec import Scenario
from ingest.files import import_files
from ingest.snapshot.reading import open_snapshot
from routelab import read
from tests.small_centres import DAY, call, tables_of
from tests.small_files import AGENTS, INTERACTIONS, refused, says, write
from tests.strategies import MIDNIGHT, table

CALL = {"interaction_id": "i", "queue_id": "q", "arrived_at": "2024-03-04T09:00:00Z"}


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


@pytest.mark.parametrize(("text", "lasts_s"), [
    ("0/30/60", (30.0, 30.0, None)), (" 0 / 15 ", (15.0, None)), ("0", (None,)), ("0/0.5/100.5", (0.5, 100.0, None)),
])  # fmt: skip
def test_rings_as_seconds_open_at_those_waits(text: str, lasts_s: tuple[float | None, ...]) -> None:
    """Waits of opening less the opening before are the time-outs, and none removes a skill."""
    assert rings_of(centre_with(rings=text))[1] == tuple(Ring(one) for one in lasts_s)


def test_rings_as_seconds_are_the_rings_of_the_same_time_outs() -> None:
    """One agent in each of three rings, all free: a call goes to ring 1; alone in ring 3 she answers after 60 s."""
    agents = [{"agent_id": name} for name in "abc"]
    members = [{"queue_id": "q", "agent_id": name, "ring": place} for place, name in enumerate("abc", 1)]
    there = [{"agent_id": "c", "start_at": MIDNIGHT, "end_at": MIDNIGHT + DAY}]
    plain = [ring(expansionCriteria=criterion(30)), ring(expansionCriteria=criterion(30)), {}]
    waits = []
    for rings in ("0/30/60", json.dumps(plain)):
        queues = [{"queue_id": "q", "rings": rings}]
        tables = tables_of(agents=agents, members=members, queues=queues, staffing=there, interactions=[call(0)])
        chosen = choose(Scenario(mode="replay", method="bullseye"), tables).to_frame()
        waits += chosen.select("selected_agent_id", "wait_s").rows()
    assert waits == [("c", 60.0)] * 2


@pytest.mark.parametrize(("column", "text", "why"), [
    ("rings", "30/60", "begin with 0"), ("rings", "three", "is not JSON"),
    ("rings", '"[{""expansionCriteria"": []}, {}]"', "ring 1 needs one expansion criterion"),
    ("routing_rules", '"[{""operator"": ""ANY""}]"', "rule 1 has wait_seconds nothing"),
    ("routing_rules", "0/30", "is not JSON"),
])  # fmt: skip
def test_what_no_replay_could_read_is_refused_at_import_with_the_line(column, text, why, tmp_path: Path) -> None:
    paths = write(tmp_path, agents=AGENTS, interactions=INTERACTIONS, queues=f"queue_id,{column}\nq1,\n\nq2,{text}\n")
    lines = refused(tmp_path / "store", paths)
    assert len(lines) == 1
    assert says(lines[0], f"queues.csv, row 4, column {column}: ... {why}")
    with pytest.raises(InvalidTable, match=f"queues, row 1, column {column}: "):
        cell = text.strip('"').replace('""', '"')
        read(agents=[{"agent_id": "a1"}], interactions=[CALL], queues={"queue_id": ["q", "r"], column: [None, cell]})


def test_rings_as_seconds_are_imported(tmp_path: Path) -> None:
    paths = write(tmp_path, agents=AGENTS, interactions=INTERACTIONS, queues="queue_id,rings\nq1,0/30/60\n")
    import_files(tmp_path / "store", "s", **paths)
    assert rings_of(open_snapshot(tmp_path / "store", "s").arrays().centre)[0][1] == Ring(30.0)
    read(agents=[{"agent_id": "a1"}], interactions=[CALL], queues=[{"queue_id": "q", "rings": "0/30/60"}])


BAD_RINGS = [
    ("{rings}", "is not JSON"),
    ("[" * 100_000, "is not JSON"),
    ("9" * 5_000, "begin with 0"),
    ("-" + "9" * 5_000, "is not JSON"),
    ("30/60", "the first ring opens at once; begin with 0, as in 0/30/60"),
    ("0/30/30", "each ring opens later than the one before"),
    ("0/60/30", "each ring opens later than the one before"),
    ("0//30", "is not JSON"),
    ("0/1.2.3", "write the seconds after which each ring opens"),
    ("0/2000000000", "each ring opens later than the one before"),
    ("/".join(map(str, range(MOST_RINGS + 1))), f"at most {MOST_RINGS}"),
    (7, "begin with 0"),
    (True, "where a list is wanted"),
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
