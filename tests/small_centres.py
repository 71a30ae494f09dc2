"""Small centres for replays: random ones full of coincidences, and plain ones for cases with a pencil.

A few calls around each of two midnights, on whole seconds, so that much happens at one instant.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from engine.data.tables import MEDIA, Tables
from engine.estimates.assumptions import Assumptions, Switches
from engine.run import run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from tests.strategies import LANGUAGES, MIDNIGHT, SKILLS, TICK, UNKNOWN_AGENT, Dice, table

DAY = timedelta(days=1)
COLUMNS = ("interaction_id", "status", "selected_agent_id", "wait_s", "start_at", "end_at", "composite_score")
PREFERRED_S = 6
GIVEN = RoutingWeights(0.4, 0.3, 0.3, 0.0)
# In every queue, where the method looks at it.
RULES = f'[{{"operator": "ANY", "waitSeconds": {PREFERRED_S}}}]'


def last_first(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """A `map` that begins with the last: wherever runs are done, none may need another."""
    return [work(item) for item in reversed(list(items))][::-1]


def centre(seed: int) -> Tables:
    """Agents, queues and calls around two midnights, between which satisfaction changes; one call on the last day."""
    dice = Dice(random.Random(seed))
    alike = dice.one(True, False)  # so many who can take the same that queues form
    names = dice.random.sample(("a1", "a10", "a2", "B", "Ä", "x;y"), dice.random.randint(1, 5))
    # Drawn apart from all else, which stays as it was without it.
    held = Dice(random.Random(seed + 2 * 10**6))
    agents = [_agent(dice, name, alike) | {"interrupted_by": held.one(None, _rules(held))} for name in names]
    return Tables(
        agents=table("agents", agents),
        interactions=table("interactions", _calls(dice, dice.random.randint(1, 24), names)),
        members=table("members", dice.one([], _members(dice, names), _members(dice, names))),
        queues=table("queues", [_queue(dice, queue) for queue in ("q1", "q2")]),
        surveys=table("surveys", [_survey(dice, n, names) for n in range(dice.one(0, 4, 12))]),
        staffing=table("staffing", dice.one([], *[_spells(dice, [*names, *names], 45)] * 3)),
        busy=table("busy", dice.one([], [row | {"media": held.maybe(*MEDIA)} for row in _spells(dice, names, 8)])),
    )


def _rules(dice: Dice) -> list[dict[str, Any]]:
    """What may interrupt some media of an agent, nothing among others."""
    return [{"media": media, "by": dice.some(*MEDIA)} for media in dice.some(*MEDIA)]


def _agent(dice: Dice, name: str, alike: bool) -> dict[str, Any]:
    levels = [
        [{"name": name, "proficiency": dice.one(0.0, 2.0, 3.0, 5.0)} for name in dice.some(*two)]
        for two in (SKILLS[:2], LANGUAGES[:2])
    ]
    capacity = [{"media": media, "count": dice.one(0, 1, 2)} for media in dice.some("voice", "chat", "email")]
    return {
        "agent_id": name,
        "agent_name": dice.maybe("Somebody"),
        "skills": [{"name": name, "proficiency": dice.one(3.0, 5.0)} for name in SKILLS[:2]] if alike else levels[0],
        "languages": [{"name": name, "proficiency": 5.0} for name in LANGUAGES[:2]] if alike else levels[1],
        "idle_since": dice.maybe(*(_moment(dice, 40) for _ in range(2))),
        "capacity": dice.one(None, None, capacity),
    }


def _moment(dice: Dice, within_s: int) -> datetime:
    """A second near one of two midnights."""
    return MIDNIGHT + dice.one(1, 2) * DAY + timedelta(seconds=dice.random.randint(-within_s, within_s))


def _calls(dice: Dice, n: int, names: list[str]) -> list[dict[str, Any]]:
    """Half of the logs record everything; in the others one handling time fits all, and nobody gives up."""
    whole, several = dice.one(True, False), dice.one(True, False)
    rows = [_call(dice, number, names, whole, several) for number in dice.random.sample(range(n), n)]
    # Somebody has worked, so that staffing can be inferred and handling times drawn.
    worked = {"outcome": "answered", "agent_id": names[0], "handle_s": 7.0}
    rows[0] |= worked | ({"patience_s": 10.0} if whole else {})
    # A call when nobody is there any more: to the end, the score is the one of the day.
    last = {"interaction_id": "~last", "arrived_at": MIDNIGHT + 3 * DAY + DAY / 2, "patience_s": 1.0}
    last |= {"outcome": "unknown", "agent_id": None, "wait_s": None}
    return [*rows, _call(dice, 0, names, whole, False) | last]


def _call(dice: Dice, number: int, names: list[str], whole: bool, several: bool) -> dict[str, Any]:
    outcome = dice.one("answered", "answered", "abandoned", "flowed_out", "unknown") if whole else "answered"
    gives_up = outcome == "abandoned" and dice.one(True, False)
    return {
        "interaction_id": f"i{number}",
        "queue_id": dice.one("q1", "q1", "q2"),
        "arrived_at": _moment(dice, 15),
        "media": dice.one("voice", "chat", "email", "callback") if several else "voice",
        "skills": dice.maybe([], *([name] for name in SKILLS[:2]), list(SKILLS[1::-1])),
        "language": dice.maybe(*LANGUAGES[:2]),
        "priority": dice.one(0.0, 0.0, 0.0, 0.1, 0.25, -0.1, 2.0),
        "outcome": outcome,
        # Who only let it ring may be anybody.
        "agent_id": dice.maybe(*names, *([UNKNOWN_AGENT] if outcome in ("abandoned", "flowed_out") else [])),
        "wait_s": float(dice.random.randint(0, 12)) if gives_up or dice.one(True, True, False) else None,
        "alert_s": dice.one(None, None, 0.0, 1.0, 3.5),
        "handle_s": dice.one(0.0, 1.0, 5.0, 9.0, 12.5, 30.0) if whole else dice.maybe(7.0),
        "acw_s": dice.one(None, 2.0) if whole else 0.0,
        "patience_s": None if gives_up or not whole else dice.one(0.0, 3.0, 10.0, 40.0, 400.0),
        "preferred": dice.maybe(
            *[[{"agent_id": a, "score": dice.one(0.0, 50.0, 99.5)} for a in dice.some(*names, *names, UNKNOWN_AGENT)]]
            * 2
        ),
    }


def _members(dice: Dice, names: list[str]) -> list[dict[str, Any]]:
    return [
        {"queue_id": queue, "agent_id": name, "joined": dice.one(True, True, True, False)}
        for queue in ("q1", "q2")
        for name in [*dice.some(*names), UNKNOWN_AGENT]
    ]


def _queue(dice: Dice, queue: str) -> dict[str, Any]:
    return {
        "queue_id": queue,
        "evaluation_method": dice.one("ALL", "ALL", "BEST", "NONE"),
        "scoring_method": dice.one("TimestampAndPriority", "TimestampAndPriority", "PriorityOnly"),
        "service_level_s": dice.one(5.0, 20.0),
        "routing_rules": RULES,
        "alerting_timeout_s": dice.maybe(1.0, 3.0),
    }


def _survey(dice: Dice, number: int, names: list[str]) -> dict[str, Any]:
    """Completed around the midnights, mostly before the second."""
    return {
        "survey_id": f"s{number}",
        "agent_id": dice.one(*names, UNKNOWN_AGENT),
        "queue_id": dice.maybe("q1", "q2"),
        "completed_at": MIDNIGHT + dice.one(1, 1, 2) * DAY + dice.one(-TICK, timedelta(0), -DAY / 2, DAY / 2),
        "score": dice.one(0.0, 0.5, 1.0, 1.0),
        "scale_min": 0.0,
        "scale_max": 1.0,
    }


def _spells(dice: Dice, names: list[str], longest_s: int) -> list[dict[str, Any]]:
    """Around the midnights, overlapping or touching, an unknown agent's among them."""
    rows = []
    for name in [*names, *names, UNKNOWN_AGENT]:
        start = _moment(dice, 25)
        end = start + timedelta(seconds=dice.random.randint(1, longest_s))
        rows.append({"agent_id": name, "start_at": start, "end_at": end})
    return rows


def scenario(seed: int, method: str) -> Scenario:
    """Assumptions of a few seconds, switches either way, coarse weights."""
    dice = Dice(random.Random(seed + 10**6))
    assumptions = Assumptions(
        join_gap_s=dice.one(900.0, 5.0), lead_s=dice.one(0.0, 2.0), tail_s=dice.one(0.0, 3.0),
        acw_s=dice.one(0.0, 1.5), patience=dice.one("estimated", "estimated", "never"),
        flow_out=dice.one("recorded", "never", 4.0), point_s=dice.one(60.0, 5.0, 0.0),
        no_answer=dice.one(0.0, 0.0, 0.4), timeout_s=dice.one(2.0, 0.5), away_s=dice.one(6.0, 0.0),
    )  # fmt: skip
    switches = Switches(
        language_in_mean=dice.one(True, False), alert_resets_idle=dice.one(True, False),
        resets_on_queue=dice.one(True, False, False), new_agents_last=dice.one(True, False),
        lookback_days=dice.one(7.0, 20 / 86_400, 0.0), longest_idle=dice.one(100, 1, 2, 0),
    )  # fmt: skip
    return Scenario(
        mode="replay", method=method, assumptions=assumptions, switches=switches, seed=dice.one(0, 5),
        weights=RoutingWeights(dice.one(0.0, 0.3), 0.2, dice.one(0.0, 0.5, 1.0), dice.one(0.0, 0.0, 0.4, 0.7)),
        required=dice.one((), ("today",), ("today",), ("skills",), ("language",)),
        csat=dice.one("asof", "asof", "asof", "all"),
        csat_missing=dice.one(0.5, 0.0, "queue-mean"), language=dice.one("binary", "proficiency"),
    )  # fmt: skip


# --- an evening and a night, for goals that are measured as a replay goes on ---------------------------------------


def busy_centre(seed: int) -> Tables:
    """Calls from ten in the evening to two, in two queues, for a few agents who differ; some surveys."""
    dice = Dice(random.Random(seed))
    names, several = ("a", "b", "c", "d")[: dice.one(2, 3, 4)], dice.one(40, 80, 140)
    rated = lambda *texts: [{"name": text, "proficiency": dice.one(1.0, 3.0, 5.0)} for text in dice.some(*texts)]  # noqa: E731
    agents = [{"agent_id": name, "skills": rated("tech", "bill"), "languages": rated("en", "fr")} for name in names]
    calls = [
        call(
            n, 13 * 3600 + dice.random.randint(0, 4 * 3600 * 4) / 4, queue_id=dice.one("p", "p", "q"),
            skills=dice.maybe(["tech"], ["bill"]), language=dice.maybe("en", "fr"),
            handle_s=float(dice.random.randint(10, 400)), patience_s=float(dice.random.randint(0, 200)),
            alert_s=dice.one(None, None, 15.0), outcome=dice.one("answered", "answered", "flowed_out"),
            wait_s=float(dice.random.randint(0, 60)),
        )
        for n in range(several)
    ]  # fmt: skip
    surveys = [
        {
            "survey_id": f"s{n}", "agent_id": dice.one(*names), "score": dice.one(0.0, 0.5, 1.0),
            "scale_min": 0.0, "scale_max": 1.0, "completed_at": MIDNIGHT + timedelta(hours=dice.random.randint(0, 23)),
        }
        for n in range(8)
    ]  # fmt: skip
    staffing = [{"agent_id": name, "start_at": MIDNIGHT, "end_at": MIDNIGHT + 2 * DAY} for name in names]
    queues = [{"queue_id": "p", "service_level_s": 30.0}, {"queue_id": "q"}]
    return tables_of(agents=agents, members=[], interactions=calls, surveys=surveys, staffing=staffing, queues=queues)


def rolling(seed: int) -> Scenario:
    """A goal measured as the replay goes on, under coarse weights."""
    dice = Dice(random.Random(seed + 10**6))
    return Scenario(
        mode="replay", goal=dice.one("80/20", "80/20", "95/30"), performance="rolling",
        weights=dice.one(GIVEN, GIVEN, RoutingWeights(0.05, 0.5, 0.05, 0.2), RoutingWeights(0.5, 0.5, 0.0, 0.5)),
        window_s=dice.one(1800.0, 600.0), replan_s=dice.one(900.0, 900.0, 300.0), csat=dice.one("asof", "all"),
    )  # fmt: skip


def untied(tables: Tables, seed: int) -> Tables:
    """No two times alike: agents idle since different instants, calls at any microsecond and of any length."""
    rng = np.random.default_rng(seed)
    micro = lambda frame: pl.Series(rng.integers(0, 200_000, frame.height))  # noqa: E731
    rows = tables.interactions
    rows = rows.with_columns(
        arrived_at=pl.col("arrived_at") + pl.duration(microseconds=micro(rows)),
        handle_s=pl.col("handle_s") + micro(rows) / 1e6,
    )
    idle = [MIDNIGHT - timedelta(hours=1 + k) for k in range(tables.agents.height)]
    agents = tables.agents.with_columns(idle_since=pl.Series(idle).dt.cast_time_unit("us"))
    return replace(tables, interactions=rows, agents=agents)


# --- plain tables ------------------------------------------------------------------------------------------------


def call(number: int, at_s: float | None = None, **more: Any) -> dict[str, Any]:
    """A call at nine, a second after the one before unless said otherwise, of ten seconds."""
    arrived_at = MIDNIGHT + timedelta(hours=9, seconds=number if at_s is None else at_s)
    return {"interaction_id": f"i{number:03}", "queue_id": "q", "arrived_at": arrived_at, "handle_s": 10.0} | more


def tables_of(**rows: list[dict[str, Any]]) -> Tables:
    """A centre of four: ann with tech and English, bob with tech, cid with English, dot in no queue; there all day."""
    held = {"ann": (["tech"], ["en"]), "bob": (["tech"], []), "cid": ([], ["en"]), "dot": (["tech"], ["en"])}
    agents = [
        {"agent_id": name, "skills": rated(skills), "languages": rated(languages)}
        for name, (skills, languages) in held.items()
    ]
    queues = {row["queue_id"] for row in [*rows.get("interactions", []), {"queue_id": "q"}]}
    defaults = {
        "agents": agents,
        "members": [{"queue_id": queue, "agent_id": name} for queue in queues for name in ("ann", "bob", "cid")],
        "staffing": [{"agent_id": name, "start_at": MIDNIGHT, "end_at": MIDNIGHT + DAY} for name in held],
    }
    return Tables.of({name: table(name, some) for name, some in (defaults | rows).items()})


def rated(names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"name": name, "proficiency": 5.0} for name in names]


def rings_json(rings: list[tuple[float | None, list[str]]]) -> str:
    """Rings as the API gives them."""
    entries = [
        {
            "expansionCriteria": [] if timeout_s is None else [{"type": "TIMEOUT_SECONDS", "threshold": timeout_s}],
            "actions": {"skillsToRemove": [{"name": skill, "id": "0-0", "selfUri": "/"} for skill in skills]},
        }
        for timeout_s, skills in rings
    ]
    return json.dumps({"rings": entries})


def rules_json(rules: list[tuple[float | None, float]]) -> str:
    """Rules as the API gives them; None admits any score."""
    operator = {True: "ANY", False: "MEETS_THRESHOLD"}
    return json.dumps(
        [{"operator": operator[least is None], "threshold": least, "waitSeconds": wait} for least, wait in rules]
    )


def engine_outcomes(chosen: Scenario, tables: Any) -> tuple[list[tuple[Any, ...]], Any]:
    """Rows of the outcomes file, and the report."""
    kept: list[Any] = []
    report = run(chosen, tables, kept.append)
    return list(kept[0].to_frame().select(COLUMNS).iter_rows()), report
