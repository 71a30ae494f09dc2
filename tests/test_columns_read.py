"""Every column of every table is read: change it, and something that is told to somebody changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import polars as pl
import pytest

from api.http.answering.staff import staff_of
from engine.data.checks import check
from engine.data.encode import encode
from engine.data.tables import TABLES, TIME, Column, Tables
from engine.errors import RoutingError
from engine.estimates.assumptions import Assumptions
from engine.replay.explain import explain_replay
from engine.run import choose, run
from engine.spec import Scenario
from ingest.genesys.live import LiveQueue
from ingest.snapshot.counted import beside_platform
from tests import strategies
from tests.small_centres import busy_centre, rings_json, rules_json

SEEDS = range(6)
HOUR = timedelta(hours=1)


def centre(seed: int) -> Tables:
    """A busy centre with every column filled."""
    given = busy_centre(seed)
    dice = strategies.Dice(strategies.random.Random(seed))
    agents = [
        row
        | {
            "agent_name": f"name of {row['agent_id']}", "group": dice.one("north", "south"), "presence": "ON_QUEUE",
            "routing_status": "IDLE", "queue_time_s": float(n), "idle_since": strategies.MIDNIGHT - n * HOUR,
            "capacity": row["capacity"] or [{"media": "chat", "count": 2}],
            "interrupted_by": [{"media": media, "by": []} for media in ("voice", "chat", "email")],
        }
        for n, row in enumerate(given.agents.to_dicts())
    ]  # fmt: skip
    names = [row["agent_id"] for row in agents]
    calls = []
    for n, row in enumerate(given.interactions.to_dicts()):
        agent = row["agent_id"] or (names[n % len(names)] if row["outcome"] == "answered" else None)
        calls.append(
            row
            | {
                "conversation_id": f"c{n // 2}", "media": ("voice", "chat", "voice", "email")[n % 4],
                "priority": float(n % 3), "acw_s": None if n % 2 else 5.0, "agent_id": agent,
                "csat": None if agent == names[-1] else float(n % 5 + 1), "csat_min": 1.0, "csat_max": 5.0,
                "used_routing": "Bullseye", "eligible_count": n, "handle_s": 2 * row["handle_s"],
                "preferred": row["preferred"] or [{"agent_id": names[n % len(names)], "score": float(n % 100)}],
            }
        )  # fmt: skip
    surveys = [
        {
            "survey_id": f"s{n}", "interaction_id": row["interaction_id"], "agent_id": names[n % (len(names) - 1)],
            "queue_id": calls[0]["queue_id"], "completed_at": row["arrived_at"], "score": float(n % 4),
            "scale_min": 0.0, "scale_max": 3.0,
        }
        for n, row in enumerate(calls[::3])
    ]  # fmt: skip
    members = [
        {"queue_id": queue, "agent_id": name, "ring": 1 + n % 2, "joined": n != 2}
        for queue in ("p", "q")
        for n, name in enumerate(names)
    ]
    queues = [
        {
            "queue_id": queue, "queue_name": f"queue {queue}", "evaluation_method": method,
            "scoring_method": "PriorityOnly", "service_level_share": 0.3, "service_level_s": 45.0,
            "alerting_timeout_s": 7.0, "rings": rings_json([(20.0, ["tech"]), (None, [])]),
            "routing_rules": rules_json([(15.0, 0.0)]), "conditional_groups": '{"rules": [{"waitSeconds": 5}]}',
        }
        for queue, method in (("p", "BEST"), ("q", "NONE"))
    ]  # fmt: skip
    start = calls[0]["arrived_at"]
    busy = [
        {"agent_id": name, "start_at": start - HOUR, "end_at": start + n * HOUR / 3, "why": "training", "media": media}
        for n, (name, media) in enumerate(zip(names, ("email", "voice", "chat", "message"), strict=False), start=1)
    ]
    factors = [{"agent_id": name, "skill": None, "factor": 1.0 + n / 4} for n, name in enumerate(names)]
    factors += [{"agent_id": names[0], "skill": skill, "factor": 3.0} for skill in strategies.SKILLS]
    one = calls[0]
    half_hour = one["arrived_at"].replace(minute=30 * (one["arrived_at"].minute // 30), second=0, microsecond=0)
    counted = {"queue_id": one["queue_id"], "media": one["media"], "start_at": half_hour}
    counted |= dict.fromkeys(TABLES["aggregates"].names[3:], 7)
    rows = {
        "members": members, "queues": queues, "agents": agents, "interactions": calls, "surveys": surveys,
        "busy": busy, "handle_factors": factors,
        "aggregates": [counted],
    }  # fmt: skip
    return replace(given, **{name: strategies.table(name, some) for name, some in rows.items()})


def changed(tables: Tables, table: str, column: Column) -> Tables:
    """The same with one column other than it was: empty, or moved where it may not be."""
    frame = getattr(tables, table)
    value = pl.col(column.name)
    if column.name in {"end_at", "scale_max", "csat_max"}:
        new = value + (30 * HOUR if column.dtype == TIME else 5.0)
    elif column.name in {"scale_min", "csat_min"}:
        new = value - 5.0
    elif column.name == "survey_id":
        new = pl.lit("the same")
    elif not column.required:
        new = pl.lit(column.default if column.default is not None else None, dtype=column.dtype)
    elif column.dtype == TIME:
        new = value - 30 * HOUR
    elif column.dtype == pl.Float64():
        new = 1 / (1 + value)
    else:
        # Only of some rows, so that names which must agree with other tables still do for the rest.
        new = pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.format("{}~", value)).otherwise(value)
    return replace(tables, **{table: frame.with_columns(new.alias(column.name))})


def _without_origin(report: Any) -> dict[str, Any]:
    return {name: part for name, part in report.to_dict().items() if name not in {"snapshot", "timing"}}


def scored(tables: Tables) -> Any:
    """Choices and report of score mode, the satisfaction of all surveys in it."""
    found = [Scenario(mode="score", csat=csat, csat_missing="queue-mean") for csat in ("all", "asof")]
    return [(_without_origin(run(one, tables)), choose(one, tables).to_frame().to_dicts()) for one in found]


def checked(tables: Tables) -> Any:
    """What an import would refuse."""
    for name, frame in tables:
        check(name, frame)


def replayed(method: str, **settings: Any) -> Callable[[Tables], Any]:
    """Outcomes and report of a replay."""
    scenario = Scenario(mode="replay", method=method, **settings)

    def read(tables: Tables) -> Any:
        return choose(scenario, tables).to_frame().to_dicts(), _without_origin(run(scenario, tables, force=True))

    return read


def explained(tables: Tables) -> Any:
    """Why the first interactions went where they did."""
    arrays = encode(tables)
    ids = tables.interactions.sort("arrived_at")["interaction_id"][:4]
    return [explain_replay(Scenario(mode="replay", method="weighted"), arrays, one).to_dict() for one in ids]


def live(tables: Tables) -> Any:
    """Who is available of the members who are read live."""
    queue = tables.members["queue_id"][0]
    members = tables.members.filter(pl.col("queue_id") == queue)
    read = LiveQueue(queue, strategies.MIDNIGHT, agents=tables.agents, members=members)
    return staff_of(read, {"idle"}).by_status


def compared(tables: Tables) -> Any:
    """The platform's own counts beside the record, and the queues in the order of time."""
    return beside_platform(tables.aggregates, tables.interactions, tables.queues).to_dicts()


READERS: tuple[Callable[[Tables], Any], ...] = (
    compared, live, scored, explained, replayed("genesys"), replayed("bullseye"), replayed("preferred_agent"),
    replayed("weighted", assumptions=Assumptions(handling="agent", acw_s=60.0, no_answer=0.3)),
)  # fmt: skip
COLUMNS = [(table.name, column) for table in TABLES.values() for column in table.columns]


# How many columns of a table a reader has told apart.
_found: Counter[tuple[str, Callable[[Tables], Any]]] = Counter()


@cache
def _before(seed: int, reader: Callable[[Tables], Any]) -> Any:
    return reader(centre(seed))


def _differs(seed: int, table: str, column: Column) -> Iterator[Callable[[Tables], Any]]:
    after = changed(centre(seed), table, column)
    # What names a row is read by the check that it does so once; columns of one table mostly have one reader.
    readers = (*READERS, checked) if column.name in TABLES[table].key else READERS
    for reader in sorted(readers, key=lambda reader: -_found[table, reader]):
        try:
            found = reader(after)
        except RoutingError as error:
            # A refusal that the column causes has read it too.
            found = str(error)
        if found != _before(seed, reader):
            _found[table, reader] += 1
            yield reader


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda part: getattr(part, "name", part))
def test_every_column_is_read(table, column):
    readers = next((found for seed in SEEDS if (found := next(_differs(seed, table, column), None))), None)
    assert readers is not None, f"{table}.{column.name}: nothing that anybody is told depends on it"


def test_a_column_that_nobody_reads_is_found():
    """The test above would tell."""
    assert not [*_differs(0, "interactions", Column("of_no_use", pl.String()))]
