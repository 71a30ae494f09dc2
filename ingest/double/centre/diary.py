"""When each agent is busy, so that something odd can be put where there is room for it."""

from __future__ import annotations

from bisect import bisect_left, insort

from engine.data.tables import Tables
from ingest.double.centre.records import ms


class Diary:
    """Spells in which agents are busy."""

    def __init__(self, tables: Tables) -> None:
        self._spells: dict[str, list[tuple[int, int]]] = {}
        answered_ms = ms("arrived_at") + ms("wait_s")
        answered = tables.interactions.filter(outcome="answered").select(
            "agent_id",
            start=answered_ms - ms("alert_s").fill_null(0),
            end=answered_ms + ms("handle_s"),
        )
        for agent, start, end in answered.sort("start", "end").iter_rows():
            self._spells.setdefault(agent, []).append((start, end))
        self.on_queue: dict[str, list[tuple[int, int]]] = {}
        shifts = tables.staffing.select("agent_id", start=ms("start_at"), end=ms("end_at"))
        for agent, start, end in shifts.sort("start", "end").iter_rows():
            self.on_queue.setdefault(agent, []).append((start, end))

    def is_free(self, agent: str, start_ms: int, end_ms: int) -> bool:
        """Whether nothing of the agent touches the spell."""
        spells = self._spells.get(agent, [])
        place = bisect_left(spells, (start_ms, start_ms))
        before = max((end for _, end in spells[max(0, place - 3) : place]), default=start_ms - 1)
        return before < start_ms and (place == len(spells) or spells[place][0] > end_ms)

    def is_on_queue(self, agent: str, start_ms: int, end_ms: int) -> bool:
        """Whether one shift of the agent holds the spell."""
        return any(start <= start_ms and end_ms <= end for start, end in self.on_queue.get(agent, []))

    def add(self, agent: str, start_ms: int, end_ms: int) -> None:
        """Write a spell down."""
        insort(self._spells.setdefault(agent, []), (start_ms, end_ms))

    def is_last(self, agent: str, after_ms: int) -> bool:
        """Whether the agent does nothing that starts later."""
        spells = self._spells.get(agent, [])
        return not spells or spells[-1][0] <= after_ms
