"""Who else was waiting when a call left its queue for an agent; one pass over all events in time.

Machine code hears nothing while it runs, so a pass is cut after a number of steps: a step is a call that leaves, a kind
or a call that is looked at for it. How far a pass has come lies in an array, and it goes on from there. The plain
versions are in `tests.test_credit` and `tests.test_desks`.
"""

from typing import Any, NamedTuple

import numpy as np

from engine.kernels import kernel

NEVER_US = np.iinfo(np.int64).max
# Places in the array that tells how far a pass has come: calls that have left, and those that have arrived.
LEFT, CAME = range(2)
part = kernel(allocates=False, inlined=True)


class Calls(NamedTuple):
    """Calls that waited, in order of arrival.

    Parameters
    ----------
    arrived_us, left_us : (n,) array of int64
        Waiting; left_us is later. [us]
    kind, agent : (n,) array of int
        Kind, and who took it from the queue, -1 where it left otherwise.
    by_left : (n,) array of int
        The calls in the order in which they left.
    """

    arrived_us: Any
    left_us: Any
    kind: Any
    agent: Any
    by_left: Any


class Kinds(NamedTuple):
    """Calls of one kind share queue, media, level of priority and who can take them.

    Parameters
    ----------
    first, last : (n_kinds,) array of int
        The kinds that wait in the same line are first[k] to last[k] - 1.
    level : (n_kinds,) array of int
        Level of priority.
    able : (n_kinds, n_agents) array of bool
        Who can take them.
    """

    first: Any
    last: Any
    level: Any
    able: Any


class Lists(NamedTuple):
    """Calls waiting now, a list for each kind in order of arrival: head, tail by kind; before, after by call."""

    head: Any
    tail: Any
    before: Any
    after: Any


@part
def _append(lists: Any, kind: Any, i: Any) -> None:
    last = lists.tail[kind]
    lists.before[i], lists.after[i] = last, -1
    if last < 0:
        lists.head[kind] = i
    else:
        lists.after[last] = i
    lists.tail[kind] = i


@part
def _remove(lists: Any, kind: Any, i: Any) -> None:
    before, after = lists.before[i], lists.after[i]
    if before < 0:
        lists.head[kind] = after
    else:
        lists.after[before] = after
    if after < 0:
        lists.tail[kind] = before
    else:
        lists.before[after] = before


@part
def _oldest(calls: Any, kinds: Any, lists: Any, i: Any, oldest_us: Any) -> Any:
    """Fill the earliest arrival at each level among those the agent could have taken; gives levels found, and steps."""
    oldest_us[:] = NEVER_US
    kind, now, n_levels, steps = calls.kind[i], calls.left_us[i], 1, 0
    oldest_us[kinds.level[kind]] = calls.arrived_us[i]
    for other in range(kinds.first[kind], kinds.last[kind]):
        steps += 1
        if not kinds.able[other, calls.agent[i]]:
            continue
        j = lists.head[other]
        # Which of those who left at this very instant went first is not known.
        while j >= 0 and calls.left_us[j] == now:
            j = lists.after[j]
            steps += 1
        if j >= 0:
            level = kinds.level[other]
            n_levels += oldest_us[level] == NEVER_US
            oldest_us[level] = min(oldest_us[level], calls.arrived_us[j])
    return n_levels, steps


@kernel(allocates=False)
def sweep(
    n_steps: Any, at: Any, calls: Any, kinds: Any, lists: Any, lead_us: Any, oldest_us: Any, compared: Any, agreed: Any
) -> Any:  # fmt: skip
    """Fill whether each call's exit can be compared, and with which candidates it agrees; gives whether all are done.

    lead_us (n_candidates, n_levels): head start; oldest_us (n_levels): work space; agreed (n, n_candidates).
    """
    while at[LEFT] < calls.by_left.size:
        if n_steps <= 0:
            return False
        i, n_levels, steps = calls.by_left[at[LEFT]], 0, 0
        # An agent freed at the instant of an arrival looked for a call before it.
        while at[CAME] < calls.by_left.size and calls.arrived_us[at[CAME]] < calls.left_us[i]:
            _append(lists, calls.kind[at[CAME]], at[CAME])
            at[CAME] += 1
        if calls.agent[i] >= 0:
            n_levels, steps = _oldest(calls, kinds, lists, i, oldest_us)
        if n_levels > 1:
            compared[i] = True
            steps += lead_us.size
            level = kinds.level[calls.kind[i]]
            for c in range(lead_us.shape[0]):
                mine_us, first = calls.arrived_us[i] - lead_us[c, level], True
                for other in range(oldest_us.size):
                    if oldest_us[other] != NEVER_US and oldest_us[other] - lead_us[c, other] < mine_us:
                        first = False
                agreed[i, c] = first
        _remove(lists, calls.kind[i], i)
        at[LEFT] += 1
        n_steps -= 1 + steps
    return True


@part
def _first_kind(calls: Any, kinds: Any, lists: Any, lead_us: Any, i: Any) -> Any:
    kind, now, steps = calls.kind[i], calls.left_us[i], 0
    best, at_us = kind, calls.arrived_us[i] - lead_us[kind]
    for other in range(kinds.level.size):
        steps += 1
        if kinds.first[other] != kinds.first[kind] or not kinds.able[other, calls.agent[i]]:
            continue
        j = lists.head[other]
        while j >= 0 and calls.left_us[j] == now:
            j = lists.after[j]
            steps += 1
        if j >= 0 and calls.arrived_us[j] - lead_us[other] < at_us:
            best, at_us = other, calls.arrived_us[j] - lead_us[other]
    return best, steps


@kernel(allocates=False)
def first_in_line(n_steps: Any, at: Any, calls: Any, kinds: Any, lists: Any, lead_us: Any, first: Any) -> Any:
    """Fill which kind came first of those that the agent could take when it took a call from the queue; else -1.

    Gives whether all are done. Kinds of one media are compared over all lines, by arrival less head start; lead_us is
    by kind. The call taken is one of those waiting; of equal ones it stays.
    """
    while at[LEFT] < calls.by_left.size:
        if n_steps <= 0:
            return False
        i, steps = calls.by_left[at[LEFT]], 0
        while at[CAME] < calls.by_left.size and calls.arrived_us[at[CAME]] < calls.left_us[i]:
            _append(lists, calls.kind[at[CAME]], at[CAME])
            at[CAME] += 1
        if calls.agent[i] >= 0:
            first[i], steps = _first_kind(calls, kinds, lists, lead_us, i)
        _remove(lists, calls.kind[i], i)
        at[LEFT] += 1
        n_steps -= 1 + steps
    return True
