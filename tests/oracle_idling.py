"""The slow twin of waiting beside free able agents: every microsecond, every customer, every agent, one by one."""

from __future__ import annotations

from typing import Any

CAUSES = ("alert_s", "capacity_s", "threshold_s", "ring_s", "preference_s", "limit_s")


def causes(
    demand: Any, roster: Any, ladder: Any, outcomes: list[Any], in_vain: list[tuple[int, ...]]
) -> dict[str, int]:
    """Microseconds by cause, of times that are small whole numbers; `in_vain` as the twin of the loop notes it."""
    found = dict.fromkeys(CAUSES, 0)
    kinds, agents = demand.kinds, range(len(roster.idle_us))
    able = kinds.eligible if kinds.able is None else kinds.able
    for i, outcome in enumerate(outcomes):
        until_us = outcome.left_us if outcome.agent < 0 else outcome.start_us - int(demand.alert_us[i])
        kind = int(demand.kind[i])
        rows = range(ladder.first_row[kind], ladder.first_row[kind + 1])
        for now in range(int(demand.arrived_us[i]), int(until_us)):
            free = [a for a in agents if able[kind][a] and is_free(a, now, demand, roster, outcomes)]
            if free:
                row = max(row for row in rows if ladder.after_us[row] <= now - demand.arrived_us[i])
                found[cause(i, kind, now, free, rows[-1], row, demand, roster, ladder, in_vain)] += 1
    return found


def cause(
    i: int, kind: int, now: int, free: list[int], last: int, row: int, demand: Any, roster: Any, ladder: Any,
    in_vain: list[tuple[int, ...]],
) -> str:  # fmt: skip
    """What takes the last of the free from a customer who waits."""
    if any(call == i and start <= now < end for _, start, end, call, _ in in_vain):
        return "alert_s"
    free = [a for a in free if roster.capacity[a][demand.kinds.media[kind]] > 0]
    if not free:
        return "capacity_s"
    free = [a for a in free if not any(other == a and start <= now < back for other, start, _, _, back in in_vain)]
    if not free:
        return "alert_s"
    free = [a for a in free if ladder.rank[last][a] > float("-inf")]
    if not free:
        return "threshold_s"
    if not any(ladder.rank[row][a] > float("-inf") for a in free):
        return "preference_s" if ladder.prefers is not None and ladder.prefers[row] else "ring_s"
    return "limit_s" if ladder.limit is not None and ladder.limit[row] > 0 else "threshold_s"


def is_free(a: int, now: int, demand: Any, roster: Any, outcomes: list[Any]) -> bool:
    """On queue with nothing in hand, here or elsewhere."""
    spells = zip(roster.agent, roster.start_us, roster.end_us, strict=True)
    if not any(other == a and start <= now < end for other, start, end in spells):
        return False
    held = roster.held
    if any(o == a and s <= now < e for o, s, e in zip(held.agent, held.start_us, held.end_us, strict=True)):
        return False
    in_hand = (
        (outcome.start_us - int(demand.alert_us[j]), outcome.end_us)
        for j, outcome in enumerate(outcomes)
        if outcome.agent == a
    )
    return not any(start <= now < end for start, end in in_hand)
