"""Every switch of Genesys' routing: read by every method it could concern, else said to change nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.data.encode import encode
from engine.errors import InvalidScenario
from engine.estimates.assumptions import Assumptions, Switches
from engine.methods import METHODS
from engine.reports.compare import compare
from engine.run import choose, run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from tests.small_centres import DAY, call, rated, tables_of
from tests.strategies import MIDNIGHT

NINE = MIDNIGHT + timedelta(hours=9)
HOUR = 3600.0
IDLE = ("alert_resets_idle", "resets_on_queue", "new_agents_last", "lookback_days")
BEST = ("language_in_mean", "longest_idle")
VALUES: dict[str, dict[str, Any]] = {
    "language_in_mean": {"language_in_mean": True}, "alert_resets_idle": {"alert_resets_idle": True},
    "resets_on_queue": {"resets_on_queue": True}, "new_agents_last": {"new_agents_last": True},
    "lookback_days": {"new_agents_last": True, "lookback_days": 1 / 24}, "longest_idle": {"longest_idle": 1},
}  # fmt: skip


def blocks(*spells: tuple[str, float, float]) -> list[dict[str, Any]]:
    """Who was there from how many hours after nine to how many."""
    return [
        {"agent_id": name, "start_at": NINE + timedelta(hours=start), "end_at": NINE + timedelta(hours=end)}
        for name, start, end in spells
    ]


def worked(name: str) -> dict[str, Any]:
    """Tables in which a switch changes who answers the last call, for whoever asks who is idle for longest.

    resets: a has worked and is back from a break at ten, b is there since half past nine and new. alert: the second
    call alerts a in vain. last: b is new. lookback: b's work is four hours old when coming back.
    """
    agents = [{"agent_id": name, "skills": rated(["tech"]), "languages": rated(["en"])} for name in "ab"]
    members = [{"queue_id": "q", "agent_id": name} for name in "ab"]
    centre: dict[str, Any] = {"agents": agents, "members": members}
    if name == "resets_on_queue":
        calls = [call(0, 0.0, handle_s=60.0), call(1, 1.5 * HOUR)]
        return centre | {"interactions": calls, "staffing": blocks(("a", 0, 0.5), ("a", 1, 2), ("b", 0.5, 2))}
    if name == "alert_resets_idle":
        # Alerted at 0.1 h, the customer leaves before the answer; b comes between, and the third call is at noon.
        calls = [
            call(0, 0.1 * HOUR, alert_s=30.0, patience_s=5.0, outcome="abandoned", wait_s=5.0),
            call(1, 1.0 * HOUR),
        ]  # fmt: skip
        return centre | {"interactions": calls, "staffing": blocks(("a", 0, 2), ("b", 0.05, 2))}
    if name == "new_agents_last":
        calls = [call(0, 0.0, handle_s=60.0), call(1, 0.5 * HOUR)]
        return centre | {"interactions": calls, "staffing": blocks(("a", 0, 2), ("b", 0, 2))}
    if name == "lookback_days":
        calls = [call(0, 0.0, handle_s=60.0), call(1, 0.4 * HOUR), call(2, 4.6 * HOUR)]
        return centre | {
            "interactions": calls, "staffing": blocks(("a", 0, 0.3), ("b", 0.3, 6), ("a", 4.5, 6)),
        }  # fmt: skip
    level = [{"name": "tech", "proficiency": 3.0}], [{"name": "tech", "proficiency": 4.0}]
    speaks = [{"name": "en", "proficiency": 5.0}], [{"name": "en", "proficiency": 1.0}]
    agents = [
        {"agent_id": who, "skills": skills, "languages": languages}
        for who, skills, languages in zip("ab", level, speaks, strict=True)
    ]
    calls = [call(0, 1.0 * HOUR, skills=["tech"], language="en")]
    queues = [{"queue_id": "q", "evaluation_method": "BEST"}]
    return centre | {
        "agents": agents, "interactions": calls, "queues": queues, "staffing": blocks(("a", 0, 2), ("b", 0.5, 2)),
    }  # fmt: skip


def scenario(method: str, **switches: Any) -> Scenario:
    """Satisfaction alone, of which there is none: with the weighted score everybody ties."""
    return Scenario(
        mode="replay", method=method, switches=Switches(**switches), weights=RoutingWeights(0, 0, 1, 0.5),
        assumptions=Assumptions(patience="estimated"),
    )  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("switch", VALUES)
def test_a_switch_changes_who_answers_or_is_said_to_change_nothing(switch: str, method: str) -> None:
    tables = tables_of(**worked(switch))
    plain = {name: value for name, value in VALUES[switch].items() if name != switch}
    without = choose(scenario(method, **plain), tables).to_frame()["selected_agent_id"].to_list()
    set_ = choose(scenario(method, **VALUES[switch]), tables).to_frame()["selected_agent_id"].to_list()
    told = [note for note in run(scenario(method, **VALUES[switch]), tables).warnings if f"switch {switch} " in note]
    concerned = METHODS[method].asks_idle if switch in IDLE else METHODS[method].is_platform
    assert (without != set_) == concerned
    assert bool(told) != concerned


def test_the_methods_that_never_ask_who_is_idle_are_those_two() -> None:
    assert [name for name, method in METHODS.items() if not method.asks_idle] == ["fixed_order", "random"]


@pytest.mark.parametrize("switch", IDLE)
def test_a_yardstick_that_is_the_rule_in_force_answers_alike_under_any_switch(switch: str) -> None:
    """One queue, no rings, no skills: genesys asks the longest idle, and so does the yardstick."""
    tables = tables_of(**worked(switch))
    both = [choose(scenario(name, **VALUES[switch]), tables).to_frame() for name in ("genesys", "longest_idle")]
    assert both[0]["selected_agent_id"].to_list() == both[1]["selected_agent_id"].to_list()


@pytest.mark.parametrize(("switches", "more", "why"), [
    ({"lookback_days": 3.0}, {}, "it needs new_agents_last=true beside it"),
    ({"alert_resets_idle": True}, {}, "no alert comes to nothing"),
    ({"longest_idle": 5}, {}, "no queue has evaluation_method BEST"),
    ({"language_in_mean": True}, {"queues": [{"queue_id": "q", "evaluation_method": "BEST"}]}, "requires a language"),
])  # fmt: skip
def test_a_switch_that_finds_nothing_to_change_in_the_data_is_said_to(switches, more, why) -> None:
    tables = tables_of(interactions=[call(0, skills=["tech"])], **more)
    notes = run(scenario("genesys", **switches), tables).warnings
    assert [why in note for note in notes if "changes nothing here" in note] == [True]


def test_scores_read_no_switch_and_refuse_one() -> None:
    with pytest.raises(InvalidScenario, match="switch resets_on_queue changes what a replay plays"):
        Scenario(switches=Switches(resets_on_queue=True))
    assert Scenario(switches=Switches(resets_on_queue=False)).mode == "score"


def test_a_comparison_says_which_rule_does_not_read_a_switch() -> None:
    tables = tables_of(**worked("resets_on_queue"))
    given = [scenario(name, resets_on_queue=True) for name in ("genesys", "longest_idle", "random")]
    notes = [note for note in compare(given, encode(tables)).warnings if "switch" in note]
    assert [note.partition(":")[0] for note in notes] == ["random"]
    assert DAY.days == 1
