"""What looks wrong in a record: who and what does not fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from engine.data.centre import Blocks
from engine.data.served import Status
from engine.data.tables import MEDIA
from engine.measures.idling import occupancy
from engine.measures.record import OFF_QUEUE_SHARE
from engine.measures.timeline import Timeline
from engine.reports.first_look.gaps import gaps
from engine.reports.first_look.recorded import A_DAY, Seen
from engine.reports.first_look.result import Finding
from engine.reports.notes import about_centre
from engine.stopping import check
from engine.texts import short
from engine.typing import BoolArray

MOST_NAMES, MOST_CHARS = 3, 40
# Share of the voice calls of agents that begin while another is still in hand, above which something is off.
OVERLAP_SHARE = 0.02
# Clocks of telephone systems round, so a call may seem to begin a second or two before the last has ended. [us]
OVERLAP_US, MINUTE_US = 2_000_000, 60_000_000
# Of so many arrivals it is no chance that all are on whole minutes.
ENOUGH_ON_MINUTES = 20
# Share of rows without a value from which on it is told.
MISSING_SHARE = 0.01
# Half hours from 22:00 to 06:00, in which most centres sleep.
_NIGHT = np.r_[0:12, 44:A_DAY]


def findings(seen: Seen) -> list[Finding]:
    """Everything that looks wrong, or that a reader of the figures must know; most telling first.

    Parameters
    ----------
    seen : Seen
        The data set.

    Returns
    -------
    list of Finding
        Nothing is changed or left out for them.
    """
    if not seen.history.n:
        return [Finding("empty", 0, "there are no interactions in these days")]
    found = [
        *_unserved(seen), *_members(seen), *_staffed(seen), *_twice(seen), *_overlaps(seen), *gaps(seen),
        *_night(seen), *_minutes(seen), *_missing(seen), *_idle(seen), *_empty_queues(seen),
    ]  # fmt: skip
    found += [Finding("skills", 1, said) for said in about_centre(seen.centre)]
    return found + [Finding("odd", 1, said) for said in seen.study.arrays.snapshot.oddities]


def _unserved(seen: Seen) -> Iterator[Finding]:
    """Queues with customers and nobody to serve them."""
    centre, offered = seen.centre, np.bincount(seen.served.queue, minlength=len(seen.centre.queue_ids))
    on_queue = np.ones(centre.n_agents, bool)
    if seen.spells is not None:
        on_queue = np.bincount(seen.spells.agent, minlength=centre.n_agents) > 0
    nobody = (offered > 0) & ~(centre.member & on_queue).any(axis=1)
    if nobody.any():
        many = _several(int(offered[nobody].sum()), "interaction")
        yield Finding(
            "unserved", int(nobody.sum()),
            f"nobody on queue serves {_listed(_queues(seen, nobody))}, with {many}; give their members",
        )  # fmt: skip


def _empty_queues(seen: Seen) -> Iterator[Finding]:
    offered = np.bincount(seen.served.queue, minlength=len(seen.centre.queue_ids))
    if (offered == 0).any():
        names = _queues(seen, offered == 0)
        yield Finding("empty queues", len(names), f"no interactions in {_listed(names)}")


def _members(seen: Seen) -> Iterator[Finding]:
    """Answers by agents who are no members of the queue."""
    served, centre = seen.served, seen.centre
    rows = np.flatnonzero(served.answered)
    strange = rows[~centre.member[served.queue[rows], served.agent[rows]]]
    if not strange.size:
        return
    pairs = served.queue[strange].astype(np.int64) * centre.n_agents + served.agent[strange]
    each, n = np.unique(pairs, return_counts=True)
    most = each[np.argsort(-n, kind="stable")[:MOST_NAMES]]
    said = [f"{_agent(seen, pair % centre.n_agents)} in {_queue(seen, pair // centre.n_agents)}" for pair in most]
    yield Finding(
        "members", strange.size,
        f"{_share(strange.size, rows.size)} answers come from agents who are not in the queue, so a replay does not "
        f"ask them: {_listed(said, each.size)}; add them to the members",
    )  # fmt: skip


def _staffed(seen: Seen) -> Iterator[Finding]:
    """Who answers without being on queue, where somebody says who is."""
    if seen.spells is None or seen.study.recorded.is_inferred:
        return
    centre, answered = seen.centre, seen.served.answered
    n_answers = np.bincount(seen.served.agent[answered], minlength=centre.n_agents)
    absent = (n_answers > 0) & (np.bincount(seen.spells.agent, minlength=centre.n_agents) == 0)
    if absent.any():
        yield Finding(
            "unstaffed", int(absent.sum()),
            f"{_several(int(absent.sum()), 'agent')} answered and {_verb(absent, 'stands', 'stand')} nowhere in the "
            f"staffing table: {_listed(_agents(seen, absent))}; their {int(n_answers[absent].sum()):,} answers are "
            "missing from a replay's capacity",
        )  # fmt: skip
    outside = occupancy(Timeline(seen.served.services, seen.spells, centre.n_agents)).outside
    if outside is not None and outside > OFF_QUEUE_SHARE:
        yield Finding(
            "off queue", 1,
            f"{100 * outside:.0f} % of the recorded work lies outside the hours of the staffing table; check its days, "
            "its zone and whether it is the plan that was worked",
        )  # fmt: skip


def _idle(seen: Seen) -> Iterator[Finding]:
    """Agents without any work."""
    answered = seen.served.answered
    # A record that names nobody says nothing about anybody.
    if not answered.any():
        return
    idle = np.bincount(seen.served.agent[answered], minlength=seen.centre.n_agents) == 0
    if idle.any():
        n = int(idle.sum())
        yield Finding(
            "agents", n, f"{_several(n, 'agent')} of {idle.size:,} answered nothing: {_listed(_agents(seen, idle))}"
        )


def _twice(seen: Seen) -> Iterator[Finding]:
    """Rows that are the same but for their id."""
    history, rows = seen.history, seen.served.answered & seen.history.is_handled()
    frame = pl.DataFrame(
        {
            "id": history.interaction_id.filter(pl.Series(rows)), "call_type": history.call_type[rows],
            "arrived_us": history.arrived_us[rows], "agent": history.agent[rows], "wait_s": history.wait_s[rows],
            "handle_s": history.handle_s[rows],
        }
    )  # fmt: skip
    check()
    values = frame.drop("id")
    again = frame.filter(values.is_duplicated())
    if again.height:
        n = frame.height - values.n_unique()
        yield Finding(
            "duplicates", n,
            f"{_several(n, 'answered interaction')} {'stands' if n == 1 else 'stand'} there twice under different ids: "
            f"same queue, time, agent, wait and handling time, first {again['id'][0]!r}; was a file given twice?",
        )  # fmt: skip


def _overlaps(seen: Seen) -> Iterator[Finding]:
    """Calls of one agent at once."""
    rows = seen.served.answered & (seen.history.media == MEDIA.index("voice"))
    calls = Blocks(seen.served.agent[rows], seen.served.start_us[rows], seen.served.end_us[rows])
    check()
    order = np.lexsort((calls.start_us, calls.agent))
    agent, start_us, end_us = calls.agent[order], calls.start_us[order], calls.end_us[order]
    early_us = MINUTE_US if _on_minutes(seen) else OVERLAP_US
    early = (agent[1:] == agent[:-1]) & (start_us[1:] + early_us < end_us[:-1])
    n = int(early.sum())
    if n > OVERLAP_SHARE * agent.size:
        who = _agent(seen, int(agent[1:][early][0]))
        yield Finding(
            "overlaps", n,
            f"{_share(n, agent.size)} calls begin while their agent is still on another, first of {who}; check the "
            "units of waits and handling times, and whether arrival is meant where the time of the answer stands",
        )  # fmt: skip


def _on_minutes(seen: Seen) -> bool:
    arrived_us = seen.history.arrived_us
    return bool(arrived_us.size >= ENOUGH_ON_MINUTES and (arrived_us % MINUTE_US == 0).all())


def _minutes(seen: Seen) -> Iterator[Finding]:
    if _on_minutes(seen):
        yield Finding(
            "minutes", seen.history.n,
            "all arrivals are on whole minutes: who came first within one is not known, and waits of a replay are off "
            "by as much; export times with seconds where that can be chosen",
        )  # fmt: skip


def _night(seen: Seen) -> Iterator[Finding]:
    by_slot = np.bincount(seen.half_hour, minlength=A_DAY)
    at_night = int(by_slot[_NIGHT].sum())
    if 2 * at_night > by_slot.sum():
        yield Finding(
            "night", at_night,
            f"{_share(at_night, int(by_slot.sum()))} interactions arrive between 22:00 and 06:00 "
            f"({seen.centre.time_zone}); is that the zone of these times?",
        )  # fmt: skip


def _missing(seen: Seen) -> Iterator[Finding]:
    """What rows do not say."""
    history, served = seen.history, seen.served
    answered = served.status == Status.ANSWERED
    n = int(answered.sum())
    each = (
        ("no wait", answered & np.isnan(history.wait_s), n, "answered", "ASA and service level are those of the rest"),
        ("no handling time", answered & np.isnan(history.handle_s), n, "answered", "a replay draws them from the rest"),
        ("nobody named", answered & (served.agent < 0), n, "answered", "they add nothing to anybody's work"),
        (
            "no outcome", served.status == Status.UNSERVED, history.n, "",
            "neither answered nor abandoned, they lower the service level of no definition but offered",
        ),
    )  # fmt: skip
    for what, rows, of, kind, then in each:
        some = int(rows.sum())
        if some > MISSING_SHARE * of:
            has = (
                f"{kind} interactions have {what}"
                if what != "nobody named"
                else f"{kind} interactions name nobody known"
            )
            yield Finding("missing", some, f"{_share(some, of)} {has.strip()}: {then}")


def _queues(seen: Seen, some: BoolArray) -> list[str]:
    return [_queue(seen, place) for place in np.flatnonzero(some).tolist()]


def _queue(seen: Seen, place: int) -> str:
    return short(seen.centre.queues["queue_name"][int(place)] or seen.centre.queue_ids[int(place)], MOST_CHARS)


def _agents(seen: Seen, some: BoolArray) -> list[str]:
    return [_agent(seen, place) for place in np.flatnonzero(some).tolist()]


def _agent(seen: Seen, place: int) -> str:
    return short(seen.centre.agent_names[int(place)] or seen.centre.agent_ids[int(place)], MOST_CHARS)


def _listed(names: Sequence[str], of: int | None = None) -> str:
    """The first of some names, and how many more.

    Examples
    --------
    >>> _listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    n = len(names) if of is None else of
    more = f" and {n - MOST_NAMES:,} more" if n > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _several(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _verb(some: BoolArray, one: str, more: str) -> str:
    return one if int(some.sum()) == 1 else more


def _share(n: int, of: int) -> str:
    return f"{n:,} of {of:,}"
