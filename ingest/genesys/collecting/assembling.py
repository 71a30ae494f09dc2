"""From finished parts to a snapshot: day by day, so that months fit in the memory of a few days.

Two passes: the first tells apart what belongs to the chosen queues and collects the small tables; the second
writes the interactions in order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

import polars as pl

from engine.data.tables import TABLES
from engine.typing import Progress
from ingest.genesys.collecting import crosscheck
from ingest.genesys.collecting.parts import AGGREGATES, QUEUES, STATUS, USERS, Frames, Part, own, winners
from ingest.genesys.collecting.reported import Reported, interaction_id, reported
from ingest.genesys.collecting.today import Today
from ingest.genesys.collecting.wanted import DAY, Span, midnight
from ingest.genesys.objects.staffing import merge_blocks

# Parts whose tables stay in memory at once: conversations that last for days come from neighbouring parts.
KEPT_PARTS = 6


@dataclass
class Collected:
    """What the first pass finds."""

    # By part
    busy: list[pl.DataFrame] = field(default_factory=list)
    surveys: list[pl.DataFrame] = field(default_factory=list)
    # Distinct queue_id and agent_id of answered visits
    answered: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"queue_id": pl.String, "agent_id": pl.String})
    )
    offered: list[pl.DataFrame] = field(default_factory=list)  # Visits by queue_id and half hour of arrival, by part
    preferred: set[str] = field(default_factory=set)  # Agents attached to visits by preferred-agent routing
    skill_ids: set[str] = field(default_factory=set)  # Skills that visits asked for
    counts: dict[str, int] = field(default_factory=dict)  # What was left out, by reason
    # First and last arrival of each part that reports any
    arrivals: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)


class Assembly:
    """Finished parts seen as one data set."""

    def __init__(self, parts: Sequence[Part], queue_ids: Sequence[str], span: Span) -> None:
        days = set(span.utc_days())
        self._all, self._queue_ids, self._span = [part for part in parts if part.day in days], list(queue_ids), span
        self._parts = [part for part in self._all if part.kind in {QUEUES, USERS}]
        self._won = winners([part.frame("lives") for part in self._parts])
        self._reported = lru_cache(KEPT_PARTS)(self._read)

    def collect(self, progress: Progress) -> Collected:
        """The first pass."""
        found = Collected()
        for number in range(len(self._parts)):
            self._take(found, number, self._reported(number))
            progress("sort out", number + 1, len(self._parts))
        found.answered = found.answered.unique().sort("queue_id", "agent_id")
        return found

    def interactions(self, found: Collected, today: Today) -> Iterator[pl.DataFrame]:
        """The second pass: rows of the interactions table in order of arrival, one UTC day at a time."""
        for day in self._span.utc_days():
            start, end = midnight(day), midnight(day) + DAY
            touching = [n for n, (first, last) in found.arrivals.items() if first < end and last >= start]
            arrived = (pl.col("arrived_at") >= start) & (pl.col("arrived_at") < end)
            frames = [self._reported(number).visits.filter(arrived) for number in touching]
            if any(frame.height for frame in frames):
                yield _interactions(pl.concat(frames), today).sort("arrived_at", "interaction_id")

    def staffing(self) -> pl.DataFrame:
        """When agents were on queue, as it was read last of each agent and day, joined over midnight."""
        parts = [part for part in self._all if part.kind == STATUS]
        # A later part replaces an earlier one for its agents, also where it says that they were not there.
        asked = [
            pl.Series("conversation_id", [f"{p.day} {agent}" for agent in sorted(p.ids)], pl.String) for p in parts
        ]
        won = winners([ids.to_frame() for ids in asked])
        frames = []
        for number, part in enumerate(parts):
            named = part.frame("staffing").with_columns(conversation_id=pl.format(f"{part.day} {{}}", "agent_id"))
            frames.append(own(named, won[number]).drop("conversation_id"))
        blocks = merge_blocks(pl.concat([TABLES["staffing"].empty(), *frames]))
        return blocks.with_columns(
            pl.col("start_at").clip(self._span.start, self._span.end),
            pl.col("end_at").clip(self._span.start, self._span.end),
        ).filter(pl.col("start_at") < pl.col("end_at"))

    def provisional_days(self) -> list[date]:
        """UTC days whose conversations came by query, since jobs did not cover them yet."""
        return sorted({part.day for part in self._parts if part.is_provisional})

    def days_without(self, kind: str) -> list[date]:
        """UTC days of which no part of a kind could be read."""
        return sorted(set(self._span.utc_days()) - {part.day for part in self._all if part.kind == kind})

    def status_counts(self) -> dict[str, int]:
        """What could not be read of statuses, by reason."""
        counts: dict[str, int] = {}
        for part in self._all:
            for reason, n in part.frame("counts").rows() if part.kind == STATUS else ():
                counts[reason] = counts.get(reason, 0) + n
        return counts

    def counted_by_platform(self, name: str) -> pl.DataFrame | None:
        """Half-hour or survey counts of the platform, as they were read last; None where none were."""
        parts = [part for part in self._all if part.kind == AGGREGATES]
        last = {part.day: part for part in parts if part.ids >= set(self._queue_ids) and name in part.sha256}
        frames = [part.frame(name) for part in last.values()]
        if not frames:
            return None
        return pl.concat(frames).filter(pl.col("queue_id").is_in(self._queue_ids))

    def _read(self, number: int) -> Reported:
        part = self._parts[number]
        names = ("lives", "visits", "work", "surveys", "left_out")
        frames: Frames = {name: own(part.frame(name), self._won[number]) for name in names}
        return reported(frames, self._queue_ids, self._span)

    def _take(self, found: Collected, number: int, part: Reported) -> None:
        found.busy.append(part.busy)
        found.surveys.append(part.surveys)
        for label, n in part.counts.items():
            found.counts[label] = found.counts.get(label, 0) + n
        visits = part.visits
        if visits.is_empty():
            return
        named = visits.filter(pl.col("agent_id").is_not_null()).select("queue_id", "agent_id").unique()
        found.answered = pl.concat([found.answered, named])
        found.skill_ids.update(visits["skill_ids"].explode().drop_nulls().unique().to_list())
        attached = visits["preferred"].drop_nulls().explode().drop_nulls()
        found.preferred.update(attached.struct.field("agent_id").drop_nulls().to_list() if attached.len() else ())
        found.offered.append(crosscheck.half_hours(visits))
        first, last = visits["arrived_at"].min(), visits["arrived_at"].max()
        assert isinstance(first, datetime) and isinstance(last, datetime)
        found.arrivals[number] = (first, last)


def _interactions(visits: pl.DataFrame, today: Today) -> pl.DataFrame:
    """Parsed visits as rows of the interactions table; ids of skills and languages become names."""
    skill = pl.element().replace(today.skills)
    return visits.select(
        interaction_id(), "queue_id", "arrived_at", "conversation_id", "media",
        pl.col("skill_ids").list.eval(skill).alias("skills"),
        pl.col("language_id").replace(today.languages).alias("language"),
        "outcome", "agent_id", "wait_s", "alert_s", "handle_s", "acw_s", "used_routing", "eligible_count", "preferred",
    )  # fmt: skip
