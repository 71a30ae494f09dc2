"""What came in of a made-up centre's exports, beside what really happened and what the files said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from ingest.snapshot.reading import Snapshot
from tests.exported_centre import Centre, Queue, Visit
from tests.exported_files import Style, staffing


def differences(snapshot: Snapshot, centre: Centre, style: Style) -> list[str]:
    """Everything in which a snapshot is not what the files say; empty where all came in."""
    return [*_agents(snapshot, centre, style), *_visits(snapshot, centre, style), *_counts(snapshot, centre, style),
            *_plan(snapshot, centre, style)]  # fmt: skip


def _agents(snapshot: Snapshot, centre: Centre, style: Style) -> Iterator[str]:
    agents = snapshot.table("agents")
    wanted = {agent.id for agent in centre.agents}
    if (found := set(agents["agent_id"].cast(pl.String))) != wanted:
        yield f"agents: {sorted(found ^ wanted)[:6]} are only in the snapshot or only in the centre"
        return
    rows = {row["agent_id"]: row for row in agents.to_dicts()}
    for agent in centre.agents:
        row = rows[agent.id]
        spoken = {each["name"] for each in row["languages"] or ()}
        if spoken != set(agent.languages):
            yield f"agent {agent.id}: languages {spoken}, want {agent.languages}"
        held = {each["name"]: each["proficiency"] for each in row["skills"] or ()}
        if style.skills in ("(n)", ":n", "columns") and held != agent.skills:
            yield f"agent {agent.id}: skills {held}, want {agent.skills}"
        if style.skills in ("plain", "marks") and set(held) != set(agent.skills):
            yield f"agent {agent.id}: skills {set(held)}, want {set(agent.skills)}"
    if style.skills == "queues":
        of = {queue.skill: queue.name for queue in centre.queues}
        wanted_members = {(of[skill], agent.id) for agent in centre.agents for skill in agent.skills}
        members = snapshot.table("members")
        names = _queue_names(snapshot)
        found_members = {(names[queue], agent) for queue, agent in members.select("queue_id", "agent_id").iter_rows()}
        if found_members != wanted_members:
            yield f"members: {sorted(found_members ^ wanted_members)[:4]} differ"


def _queue_names(snapshot: Snapshot) -> dict[str, str]:
    queues = snapshot.table("queues")
    names = queues["queue_name"] if "queue_name" in queues.columns else queues["queue_id"]
    return {
        key: name or key for key, name in zip(queues["queue_id"].cast(pl.String), names.cast(pl.String), strict=True)
    }


def _visits(snapshot: Snapshot, centre: Centre, style: Style) -> Iterator[str]:
    """Row by row, in the order of arrival; waits and handling times to what the style rounds away."""
    zone, by_minute = ZoneInfo(style.zone), "minutes" in style.dates or "short am" in style.dates

    def told(visit: Visit) -> tuple[datetime, str, str, str, float, float, str]:
        at = centre.at(visit.arrived - visit.arrived % 60 * by_minute).replace(tzinfo=zone).astimezone(ZoneInfo("UTC"))
        answered = visit.outcome == "answered"
        outcome = visit.outcome if style.outcome == "words" or answered else "abandoned"
        return (
            at,
            visit.queue.name,
            outcome,
            visit.agent.id if visit.agent else "",
            visit.wait,
            visit.handle * answered,
            visit.language,
        )

    rows = snapshot.table("interactions").with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    names = _queue_names(snapshot)
    have = sorted(
        (row["arrived_at"], names.get(row["queue_id"], row["queue_id"]), row.get("outcome") or "",
        row.get("agent_id") or "",
         row.get("wait_s") or 0.0, row.get("handle_s") or 0.0, row.get("language") or "")
        for row in rows.to_dicts()
    )  # fmt: skip
    want = sorted(told(visit) for visit in centre.visits)
    if len(have) != len(want):
        yield f"interactions: {len(have)} rows, want {len(want)}"
        return
    slack = 0.31 if style.durations == "min" else 0.002
    columns = ("arrived_at", "queue", "outcome", "agent", "wait_s", "handle_s", "language")
    for i, name in enumerate(columns):
        off = [
            (h, w)
            for h, w in zip(have, want, strict=True)
            if not _same(h[i], w[i], slack * (1 + 2 * (name == "handle_s")))
        ]
        if off:
            yield f"interactions: {name} differs in {len(off)} of {len(want)} rows, first {off[0][0]}, want {off[0][1]}"
            return


def _same(have: object, want: object, slack: float) -> bool:
    if isinstance(have, float):
        return abs(have - want) <= slack  # type: ignore[operator]
    if isinstance(have, datetime):
        return abs((have - want).total_seconds()) <= 0.001  # type: ignore[operator]
    return have == want


def _counts(snapshot: Snapshot, centre: Centre, style: Style) -> Iterator[str]:
    """By queue, with the goal that the snapshot knows."""
    rows = snapshot.table("interactions").with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    goals = {row["queue_id"]: row for row in snapshot.table("queues").to_dicts()}
    names = _queue_names(snapshot)
    for key, name in names.items():
        queue = next((queue for queue in centre.queues if queue.name == name), None)
        if queue is None:
            yield f"queue {name} is nobody's"
            continue
        wanted = queue if style.queues else replace(queue, share=0.8, seconds=20)
        if (goals[key]["service_level_share"], goals[key]["service_level_s"]) != (wanted.share, wanted.seconds):
            yield f"queue {name}: goal {goals[key]}, want {wanted.share}/{wanted.seconds}"
        yield from _count(rows.filter(queue_id=key), queue, wanted.seconds, centre)


def _count(rows: pl.DataFrame, queue: Queue, seconds: int, centre: Centre) -> Iterator[str]:
    answered = rows.filter(outcome="answered")
    visits = [visit for visit in centre.visits if visit.queue is queue]
    served = [visit for visit in visits if visit.outcome == "answered"]
    for what, have, want, slack in (
        ("offered", rows.height, len(visits), 0),
        ("answered", answered.height, len(served), 0),
        (
            "within",
            answered.filter(pl.col("wait_s") <= seconds).height,
            sum(visit.wait <= seconds for visit in served),
            0,
        ),
        ("ASA", answered["wait_s"].mean() or 0.0, centre.truth(tuple(visits)).asa_s, 0.1),
        ("AHT", answered["handle_s"].mean() or 0.0, sum(v.handle for v in served) / max(len(served), 1), 0.1),
    ):
        if abs(float(have) - want) > slack:  # type: ignore[arg-type]
            yield f"queue {queue.name}: {what} {have}, want {want}"


def _plan(snapshot: Snapshot, centre: Centre, style: Style) -> Iterator[str]:
    if style.plan == "none":
        return
    zone = ZoneInfo(style.zone)
    rows = snapshot.table("staffing").with_columns(pl.col("agent_id").cast(pl.String))
    have = _merged([(a, b.astimezone(zone).replace(tzinfo=None), e.astimezone(zone).replace(tzinfo=None))
                    for a, b, e in rows.select("agent_id", "start_at", "end_at").iter_rows()])  # fmt: skip
    want = _merged(staffing(centre, style))
    if have != want:
        more, less = sorted(set(have) - set(want)), sorted(set(want) - set(have))
        yield f"staffing: {len(have)} blocks, want {len(want)}; not in the plan {more[:2]}, missing {less[:2]}"


def _merged(blocks: list[tuple[str, datetime, datetime]]) -> list[tuple[str, datetime, datetime]]:
    joined: list[tuple[str, datetime, datetime]] = []
    for who, start, end in sorted(blocks):
        if joined and joined[-1][0] == who and start <= joined[-1][2]:
            joined[-1] = (who, joined[-1][1], max(end, joined[-1][2]))
        else:
            joined.append((who, start, end))
    return joined
