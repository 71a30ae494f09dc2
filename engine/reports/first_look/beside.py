"""The light at once: today's rule replayed beside the record, whole, by queue and by half hour, and what would help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.data.served import Served
from engine.measures.light import Light, off
from engine.measures.service_level import Goal, by_group
from engine.reports.columns import Study
from engine.reports.first_look.recorded import A_DAY, clock, half_hour_of
from engine.reports.first_look.result import Beside, Finding, HalfHourBeside, Level, Lit, QueueBeside
from engine.reports.notes import about_light
from engine.results import or_null
from engine.texts import short
from engine.typing import IntArray

# Of fewer interactions a share moves by more than the light allows for chance alone.
ENOUGH = 100
_LEVELS = {"service_level": "service_level", "asa_s": "asa_s", "abandonment": "abandonment_share"}
PLAN = "give a staffing table or a shift plan: inferred staffing misses who was on queue and not called"
_WORDS = {"service_level": "service level", "asa_s": "ASA", "abandonment": "abandonment"}
# Findings that change who can be asked, or when: a replay rests on them.
_TELLING = frozenset({"members", "unstaffed", "unserved", "off queue", "skills", "overlaps"})
MOST_ADVICE = 5


def lit(study: Study, findings: Sequence[Finding]) -> Lit:
    """Today's rule replayed once, judged whole and in its parts.

    Parameters
    ----------
    study : Study
        The data set, or days of it.
    findings : sequence of Finding
        What looks wrong about it.

    Returns
    -------
    Lit
        With the light as every report has it.
    """
    light = study.light()
    parts = _Parts(study)
    centre = study.arrays.centre
    names = centre.queues["queue_name"].to_list()
    queues = [
        QueueBeside(**row, queue_id=centre.queue_ids[place], queue_name=names[place])
        for place, row in enumerate(parts.by(parts.past.queue, parts.today.queue, len(centre.queue_ids)))
        if row["offered"]
    ]
    zone = centre.time_zone
    slots = [half_hour_of(side.arrived_us, zone) for side in (parts.past, parts.today)]
    half_hours = [
        HalfHourBeside(**row, start=clock(place))
        for place, row in enumerate(parts.by(slots[0], slots[1], A_DAY))
        if row["offered"]
    ]
    by_queue = sorted(queues, key=lambda row: (-row.offered, row.queue_id))
    return Lit(
        light=light, rule=study.today.rule, staffing="inferred" if study.recorded.is_inferred else "recorded",
        window=study.arrays.snapshot.window, n=parts.past.n, days=study.calendar.n,
        whole=Beside(**parts.whole(light)), by_queue=by_queue, by_half_hour=half_hours,
        notes=[*about_light(study.recorded, light)],
        advice=[*_advice(light, findings, study.recorded.is_inferred), *_where(by_queue, half_hours)],
    )  # fmt: skip


class _Parts:
    """Parts of the interactions, recorded and replayed."""

    def __init__(self, study: Study) -> None:
        self.past, self.today = study.past.served, study.today.served
        self._goal: Goal = study.goal(study.arrays.centre)
        self._judges = study.record.replays_abandonment

    def by(self, group: IntArray, replayed: IntArray, n: int) -> list[dict[str, Any]]:
        """Fields of `Beside` by group of interactions."""
        past, today = self._levels(self.past, group, n), self._levels(self.today, replayed, n)
        offered = np.bincount(group, minlength=n).tolist()
        return [self._fields(*each) for each in zip(offered, past, today, strict=True)]

    def whole(self, light: Light) -> dict[str, Any]:
        """The same of all together, in the colour of the light itself."""
        none, others = np.zeros(self.past.n, np.int64), np.zeros(self.today.n, np.int64)
        return self.by(none, others, 1)[0] | {"color": light.color}

    def _levels(self, served: Served, group: IntArray, n: int) -> list[Level]:
        found = by_group(served, self._goal, group, n)
        columns = {name: found[theirs].tolist() for name, theirs in _LEVELS.items()}
        if served is self.today and not self._judges:
            # Nobody gives up in such a replay, which says nothing about abandonment.
            columns["abandonment"] = [np.nan] * n
        return [Level(**{name: or_null(column[place]) for name, column in columns.items()}) for place in range(n)]

    def _fields(self, offered: int, past: Level, today: Level) -> dict[str, Any]:
        missed = off(past, today, judges_abandonment=self._judges)
        undefined = None in (past.asa_s, past.service_level)
        # What is met is met; what is missed may be chance where there are few.
        color = "unknown" if undefined or (missed and offered < ENOUGH) else "red" if missed else "green"
        return {
            "offered": offered, "recorded": past, "replayed": today, "color": color, "off": list(missed),
        }  # fmt: skip


def _advice(light: Light, findings: Sequence[Finding], is_inferred: bool) -> Iterator[str]:
    """What the light itself says, then findings on which a replay rests, where it misses the record."""
    remedy = light.remedy or ""
    yield from filter(None, remedy.split("; "))
    if is_inferred and "staffing table" not in remedy:
        yield PLAN
    if light.color != "green":
        yield from (each.says for each in findings if each.kind in _TELLING)


def _where(queues: Sequence[QueueBeside], half_hours: Sequence[HalfHourBeside]) -> Iterator[str]:
    """Where to look first; what is off everywhere is off nowhere in particular."""
    red = [row for row in queues if row.color == "red"]
    if 0 < len(red) < len(queues):
        named = ", ".join(f"{short(row.queue_name or row.queue_id, 40)} ({_off_text(row)})" for row in red[:3])
        more = f" and {len(red) - 3} more" if len(red) > 3 else ""
        yield f"look first at {named}{more}: who was on queue there, and who may answer what"
    red_hours = [row.start for row in half_hours if row.color == "red"]
    if 0 < 2 * len(red_hours) <= len(half_hours):
        yield f"look at {', '.join(_spans(red_hours))}: starts and ends of shifts and breaks show there first"


def _off_text(row: Beside) -> str:
    return ", ".join(_WORDS[name] for name in row.off)


def _spans(starts: Sequence[str]) -> list[str]:
    """Half hours that follow one another as one span.

    Examples
    --------
    >>> _spans(["08:00", "08:30", "12:00"])
    ['08:00 to 09:00', '12:00 to 12:30']
    """
    places = [int(start[:2]) * 2 + (start[3:] == "30") for start in starts]
    found: list[list[int]] = []
    for place in places:
        if found and found[-1][1] == place:
            found[-1][1] = place + 1
        else:
            found.append([place, place + 1])
    return [f"{clock(first)} to {clock(last)}" for first, last in found]
