"""The event loop of a replay: arrivals, agents freed, spells on queue, stages of waiting.

Arrays in, arrays filled. Time is whole microseconds. Everything that a stopped loop must know lies in
`State`, so a run may be cut at any instant and goes on with the same result to the last bit. The plain
version is `tests.oracle_replay`.

Machine code hears nothing while it runs, so the loop is also cut after a number of steps, between two events.

Order of events at one instant: spells ending and work elsewhere starting, agents freed, work elsewhere ending,
spells starting, stages of waiting opening, arrivals; an interaction whose patience ends at that instant is still
served. What takes room away comes first, so whoever is freed then does not find it. Nobody has to be told of an
abandonment: an interaction that has left is found out when it would be served.
"""

from typing import Any, NamedTuple

import numpy as np

from engine.kernels import kernel

NEVER_US = np.iinfo(np.int64).max
# What an event of the roster is, in the order in which those of one instant come: off queue, a place taken by work
# elsewhere, the place given back, on queue.
OFF, TAKEN, GIVEN_BACK, ON = range(4)
# Status of an interaction; below ANSWERED it is not settled. MISSING: the agent it alerts will not answer.
# LOSING: the customer will leave while it alerts.
COMING, WAITING, MISSING, LOSING, ANSWERED, ABANDONED, FLOWED_OUT, UNSERVED = range(8)
# Places in State.at.
ARRIVAL, SHIFT, N_ENDS, N_STAGES, LAST_US, N_FREE, N_VAIN = range(7)
_LOWEST = -np.inf
# The loop is one piece of machine code: each part below is written into it, the large ones just once.
part = kernel(allocates=False, inlined=True)
# Position of the lowest bit of a word: multiply what is left of it by a de Bruijn sequence, look up the top six bits.
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_SHIFT, _ZERO, _ONE = np.uint64(58), np.uint64(0), np.uint64(1)
_BIT = np.zeros(64, np.int64)
for _place in range(64):
    _BIT[((1 << _place) * 0x03F79D71B4CB0A89 % 2**64) >> 58] = _place


class Calls(NamedTuple):
    """Interactions in order of arrival, an array for each column of a demand; handling is empty without factors."""

    arrived_us: Any
    leave_us: Any
    alert_us: Any
    handle_us: Any
    base_us: Any
    kind: Any
    misses: Any
    pick: Any
    flows_out: Any
    handling: Any


class Kinds(NamedTuple):
    """What interactions of one kind have in common; able, in words of 64 agents, tells who counts for a choice."""

    media: Any
    tier: Any
    lead_us: Any
    timeout_us: Any
    able: Any


class Plan(NamedTuple):
    """Who may be asked, in which order; one row per kind and stage of waiting.

    Parameters
    ----------
    first_row : (n_kinds + 1,) array of int32
        Bounds of each kind's rows.
    after_us : (n_rows,) array of int64
        Waiting from which a row holds. [us]
    limit : (n_rows,) array of int32
        How many of the longest idle are looked at; 0 for all.
    flat : (n_rows,) array of bool
        Whether all ranks of the row are equal.
    rank : (n_rows, n_agents) array of float
        Larger first, -inf never.
    able, pool : (n_rows, n_words) array of uint64
        Agents of the row, and those among whom the limit counts.
    can : (n_agents, n_kind_words) array of uint64
        Kinds that an agent may ever get.
    by_draw : bool
        Whether one of the able is drawn.
    order, ordered : arrays of int
        Agents of row r by rank lie in order[ordered[r]:ordered[r + 1]], or nothing where there are few agents.
    """

    first_row: Any
    after_us: Any
    limit: Any
    flat: Any
    rank: Any
    able: Any
    pool: Any
    can: Any
    by_draw: Any
    order: Any
    ordered: Any


class Agents(NamedTuple):
    """What agents can hold and when they are on queue.

    Parameters
    ----------
    capacity : (n_agents, n_media) array of int8
        Interactions at once.
    interrupts : (n_agents, n_media, n_media) array of bool
        Whether work of the first media may be interrupted by the second.
    single : bool
        Whether whoever has anything in hand, here or elsewhere, takes nothing more.
    factor : (n_handlings, n_agents) array of float
        Handling time relative to the base; no rows: recorded times hold.
    event_us, event_agent, event_kind, event_until_us, event_media : (n_events,) arrays
        Spells and work elsewhere that start or end, in order; the end of a spell that starts, the media of work. [us]
    lookback_us : int
        Without work for longer, an agent counts as new; 0: for ever. [us]
    resets_on_queue, alert_resets : bool
        Whether coming on queue, or an alert in vain, puts an agent at the back.
    away_us : int
        How long an agent who did not answer gets nothing. [us]
    """

    capacity: Any
    interrupts: Any
    single: Any
    factor: Any
    event_us: Any
    event_agent: Any
    event_kind: Any
    event_until_us: Any
    event_media: Any
    lookback_us: Any
    resets_on_queue: Any
    alert_resets: Any
    away_us: Any


class State(NamedTuple):
    """Everything that changes.

    Parameters
    ----------
    at : (7,) array of int64
        Next arrival, next event of spells, sizes of the two heaps, last instant, how many are free, alerts in vain.
    until_us : (n_agents,) array of int64
        End of the spell on queue. [us]
    held, n_held : arrays of int
        Interactions in hand, here or elsewhere, by agent and media, and by agent.
    idle_us : (n_agents,) array of int64
        Idle clock. [us]
    away, listed : (n_agents,) arrays
        Alerts not answered that an agent is away for; whether among the free.
    earlier, later : (n_agents + 1,) array of int32
        The list of the free, longest idle first; its ends are joined in the last place.
    free : (n_words,) array of uint64
        The same as a mask.
    head, tail : (n_kinds,) array of int32
        Ends of each kind's queue, -1 for none.
    waits : (n_kind_words,) array of uint64
        Kinds somebody waits in.
    before, after : (n,) array of int32
        Neighbours in the queue of the kind.
    staged, missed : (n,) arrays
        Whether a next stage is waited for, and alerts not answered so far.
    end_us, end_call, end_agent : arrays
        Heap of what agents are busy with.
    stage_us, stage_call : arrays
        Heap of stages that open.
    vain_call, vain_agent, vain_us, vain_end_us, vain_until_us : arrays
        Alerts that came to nothing so far: of which interaction and agent, from when to when, and until when the agent
        is not to be had. [us]
    """

    at: Any
    until_us: Any
    held: Any
    n_held: Any
    idle_us: Any
    away: Any
    listed: Any
    earlier: Any
    later: Any
    free: Any
    head: Any
    tail: Any
    waits: Any
    before: Any
    after: Any
    staged: Any
    missed: Any
    end_us: Any
    end_call: Any
    end_agent: Any
    stage_us: Any
    stage_call: Any
    vain_call: Any
    vain_agent: Any
    vain_us: Any
    vain_end_us: Any
    vain_until_us: Any


class Served(NamedTuple):
    """Outcome of each interaction: a status of those above, and who is asked or answered, -1 for nobody."""

    status: Any
    agent: Any
    start_us: Any
    end_us: Any
    left_us: Any
    found: Any


@part
def _lowest_bit(word: Any) -> Any:
    return _BIT[((word & (~word + _ONE)) * _DE_BRUIJN) >> _SHIFT]


# Called from several places, so these two are functions of their own and compiled once. Ties go by interaction and
# agent: the order of events must not depend on what a heap went through before, or a resumed run would differ.
@kernel(allocates=False)
def _push(time: Any, call: Any, agent: Any, size: Any, at_us: Any, i: Any, a: Any) -> None:
    """Add to a heap; of equal times the earlier interaction comes first, then the smaller agent."""
    place = size
    while place > 0:
        up = (place - 1) >> 1
        if (time[up], call[up], agent[up]) < (at_us, i, a):
            break
        time[place], call[place], agent[place] = time[up], call[up], agent[up]
        place = up
    time[place], call[place], agent[place] = at_us, i, a


@kernel(allocates=False)
def _pop(time: Any, call: Any, agent: Any, size: Any) -> None:
    """Remove the first of a heap that had `size` entries."""
    last = size - 1
    at_us, i, a = time[last], call[last], agent[last]
    place, down = 0, 1
    while down < last:
        right = down + 1
        if right < last and (time[right], call[right], agent[right]) < (time[down], call[down], agent[down]):
            down = right
        if (at_us, i, a) < (time[down], call[down], agent[down]):
            break
        time[place], call[place], agent[place] = time[down], call[down], agent[down]
        place, down = down, 2 * down + 1
    time[place], call[place], agent[place] = at_us, i, a


@part
def _list(state: Any, a: Any) -> None:
    """Put an agent among the free, behind all who are idle for longer."""
    end = state.listed.size
    # From the back: who has just become free is idle for less long than nearly everybody else.
    idle, spot = state.idle_us[a], state.earlier[end]
    while spot != end and (state.idle_us[spot] > idle or (state.idle_us[spot] == idle and spot > a)):
        spot = state.earlier[spot]
    behind = state.later[spot]
    state.earlier[a], state.later[a] = spot, behind
    state.later[spot], state.earlier[behind] = a, a
    state.listed[a] = True
    state.at[N_FREE] += 1
    state.free[a >> 6] |= _ONE << np.uint64(a & 63)


@part
def _unlist(state: Any, a: Any) -> None:
    spot, behind = state.earlier[a], state.later[a]
    state.later[spot], state.earlier[behind] = behind, spot
    state.listed[a] = False
    state.at[N_FREE] -= 1
    state.free[a >> 6] &= ~(_ONE << np.uint64(a & 63))


@part
def _has_room(agents: Any, state: Any, a: Any, media: Any) -> Any:
    """Whether an agent can take one more interaction of a media."""
    if agents.single:
        return state.n_held[a] == 0
    if state.held[a, media] >= agents.capacity[a, media]:
        return False
    # Work in hand of another media bars this one unless it may be interrupted by it (help centre, "Utilization").
    for other in range(state.held.shape[1]):
        if other != media and state.held[a, other] > 0 and not agents.interrupts[a, other, media]:
            return False
    return True


@part
def _has_any_room(agents: Any, state: Any, a: Any) -> Any:
    if agents.single:
        return state.n_held[a] == 0
    for media in range(state.held.shape[1]):  # noqa: SIM110  compiled, and a generator cannot be
        if _has_room(agents, state, a, media):
            return True
    return False


@part
def _relist(agents: Any, state: Any, a: Any, now: Any) -> None:
    """Put an agent where it belongs: among the free if on queue and with room for anything."""
    if state.listed[a]:
        _unlist(state, a)
    if now < state.until_us[a] and state.away[a] == 0 and _has_any_room(agents, state, a):
        _list(state, a)


@part
def _row(calls: Any, plan: Any, i: Any, kind: Any, now: Any) -> Any:
    """Stage of waiting of an interaction, as a row of the plan."""
    # A kind has a handful of stages at most, so the one that holds is looked up rather than kept in step.
    row, last = plan.first_row[kind], plan.first_row[kind + 1] - 1
    waited_us = now - calls.arrived_us[i]
    while row < last and plan.after_us[row + 1] <= waited_us:
        row += 1
    return row


@part
def _count(kinds: Any, agents: Any, state: Any, kind: Any) -> Any:
    """Able agents who are free, 2 for more."""
    # Two are as good as any more: whoever finds two has a choice, and nothing else is asked of the number.
    found, media = 0, kinds.media[kind]
    for word in range(state.free.size):
        both = state.free[word] & kinds.able[kind, word]
        while both != _ZERO:
            if agents.single or _has_room(agents, state, word * 64 + _lowest_bit(both), media):
                found += 1
                if found == 2:
                    return found
            both &= both - _ONE
    return found


@part
def _longest_idle(kinds: Any, plan: Any, agents: Any, state: Any, kind: Any, row: Any) -> Any:
    """Best of a row in order of idle time; among the first `limit` of its pool where there is one."""
    end, media, limit = state.listed.size, kinds.media[kind], plan.limit[row]
    best, key, seen = -1, _LOWEST, 0
    a = state.later[end]
    while a != end:
        word, bit = a >> 6, _ONE << np.uint64(a & 63)
        # Under a limit whoever is in the pool counts, able or not: BEST takes the 100 longest idle first and looks for
        # skills among them afterwards (help centre, "Evaluation and routing methods").
        members = plan.able if limit == 0 else plan.pool
        hit = (members[row, word] & bit) != _ZERO
        if hit and (agents.single or _has_room(agents, state, a, media)):
            # Only a better rank wins, so among equals the first, idle for longest, stays.
            if plan.rank[row, a] > key:
                best, key = a, plan.rank[row, a]
                if plan.flat[row] and limit == 0:
                    return best
            seen += 1
            if seen == limit:
                return best
        a = state.later[a]
    return best


@part
def _best_ranked(kinds: Any, plan: Any, agents: Any, state: Any, kind: Any, row: Any) -> Any:
    """Best of a row by rank, then longest idle, then id."""
    best, key, idle, media = -1, _LOWEST, NEVER_US, kinds.media[kind]
    for word in range(state.free.size):
        both = state.free[word] & plan.able[row, word]
        while both != _ZERO:
            a = word * 64 + _lowest_bit(both)
            both &= both - _ONE
            # Places rise as the words are read, so of equally long idle agents the smaller id stays.
            rank = plan.rank[row, a]
            if rank < key or (rank == key and state.idle_us[a] >= idle and best >= 0):
                continue
            if agents.single or _has_room(agents, state, a, media):
                best, key, idle = a, rank, state.idle_us[a]
    return best


@part
def _first_ranked(kinds: Any, plan: Any, agents: Any, state: Any, kind: Any, row: Any) -> Any:
    """The same as `_best_ranked`, read down the ranks until one is free; ties go to the longest idle."""
    best, idle, media = -1, NEVER_US, kinds.media[kind]
    for place in range(plan.ordered[row], plan.ordered[row + 1]):
        a = plan.order[place]
        if best >= 0 and plan.rank[row, a] < plan.rank[row, best]:
            break
        if not state.listed[a] or (best >= 0 and state.idle_us[a] >= idle):
            continue
        if agents.single or _has_room(agents, state, a, media):
            best, idle = a, state.idle_us[a]
    return best


@part
def _drawn(kinds: Any, plan: Any, agents: Any, state: Any, kind: Any, row: Any, share: Any) -> Any:
    """One of the free agents of a row, each with the same chance; agents in order of id."""
    media = kinds.media[kind]
    count = 0
    # Counted, then picked: an interaction has one draw, made outside, so that every scenario sees the same one, and a
    # list of candidates would need memory of its own.
    for turn in range(2):
        # Just below 1, share times count may round up to count.
        wanted = min(int(share * count), count - 1)
        seen = 0
        for word in range(state.free.size):
            both = state.free[word] & plan.able[row, word]
            while both != _ZERO:
                a = word * 64 + _lowest_bit(both)
                both &= both - _ONE
                if agents.single or _has_room(agents, state, a, media):
                    if turn == 1 and seen == wanted:
                        return a
                    seen += 1
        count = seen
        if count == 0:
            return -1
    return -1


@part
def _choose(calls: Any, kinds: Any, plan: Any, agents: Any, state: Any, i: Any, now: Any) -> Any:
    """Agent for an interaction, -1 for nobody."""
    kind = calls.kind[i]
    row = _row(calls, plan, i, kind, now)
    # In a busy centre most looks end here.
    nobody = True
    for word in range(state.free.size):
        if state.free[word] & plan.able[row, word] != _ZERO:
            nobody = False
            break
    if nobody:
        return -1
    if plan.by_draw:
        return _drawn(kinds, plan, agents, state, kind, row, calls.pick[i])
    if plan.flat[row] or plan.limit[row] > 0:
        return _longest_idle(kinds, plan, agents, state, kind, row)
    if plan.order.size > 0:
        # Whichever is probably shorter: going through the able who are free, or down the ranks to the first of them.
        n_able = plan.ordered[row + 1] - plan.ordered[row]
        n_hits = n_able * state.at[N_FREE] / state.listed.size
        if n_hits * n_hits > n_able:
            return _first_ranked(kinds, plan, agents, state, kind, row)
    return _best_ranked(kinds, plan, agents, state, kind, row)


@part
def _note_vain(agents: Any, state: Any, served: Any, i: Any, a: Any, now: Any, end_us: Any) -> None:
    """Remember an alert that comes to nothing: its agent is neither busy nor to be had."""
    place = state.at[N_VAIN]
    state.vain_call[place], state.vain_agent[place] = i, a
    state.vain_us[place], state.vain_end_us[place] = now, end_us
    # Where the customer leaves, the agent is free at once.
    state.vain_until_us[place] = end_us + agents.away_us if served.status[i] == MISSING else end_us
    state.at[N_VAIN] += 1


@part
def _assign(calls: Any, kinds: Any, agents: Any, state: Any, served: Any, i: Any, a: Any, now: Any) -> None:
    """Offer an interaction to an agent; how that ends is known at once."""
    kind = calls.kind[i]
    served.agent[i] = a
    state.n_held[a] += 1
    state.held[a, kinds.media[kind]] += 1
    # How many agents will not answer is drawn by interaction, whoever is asked: scenarios stay paired.
    answers = state.missed[i] >= calls.misses[i]
    ready_us = now + (calls.alert_us[i] if answers else kinds.timeout_us[kind])
    # A customer whose patience ends as the agent answers is served, as one who waits is.
    if calls.leave_us[i] < ready_us:
        served.status[i], until_us = LOSING, calls.leave_us[i]
    elif not answers:
        served.status[i], until_us = MISSING, ready_us
    else:
        handle_us = calls.handle_us[i]
        if agents.factor.shape[0] > 0:
            handle_us = np.int64(np.rint(calls.base_us[i] * agents.factor[calls.handling[i], a]))
        served.status[i], until_us = ANSWERED, ready_us + handle_us
        served.start_us[i], served.end_us[i], served.left_us[i] = ready_us, until_us, ready_us
        # The idle clock is set when an interaction is assigned and again when it ends (help centre): an agent with room
        # for a second chat goes to the back meanwhile.
        state.idle_us[a] = now
    if served.status[i] != ANSWERED:
        _note_vain(agents, state, served, i, a, now, until_us)
    _push(state.end_us, state.end_call, state.end_agent, state.at[N_ENDS], until_us, i, a)
    state.at[N_ENDS] += 1
    _relist(agents, state, a, now)


@part
def _unqueue(calls: Any, state: Any, i: Any) -> None:
    kind = calls.kind[i]
    before, after = state.before[i], state.after[i]
    if before < 0:
        state.head[kind] = after
    else:
        state.after[before] = after
    if after < 0:
        state.tail[kind] = before
    else:
        state.before[after] = before
    if state.head[kind] < 0:
        state.waits[kind >> 6] &= ~(_ONE << np.uint64(kind & 63))


@part
def _leave(calls: Any, served: Any, i: Any) -> None:
    served.status[i] = FLOWED_OUT if calls.flows_out[i] else ABANDONED
    served.left_us[i] = calls.leave_us[i]
    served.agent[i] = -1


@part
def _enqueue(calls: Any, state: Any, served: Any, i: Any) -> None:
    """Let an interaction wait at its place."""
    kind = calls.kind[i]
    head, spot, after = state.head[kind], state.tail[kind], -1
    # Interactions are numbered by arrival, so one whose alert came to nothing finds its old place by its number. It
    # was mostly the first in line, and lines may be very long, so it is looked for from the end that is nearer.
    if spot > i and i - head < spot - i:
        after = head
        while after < i:
            after = state.after[after]
        spot = state.before[after]
    else:
        while spot > i:
            after, spot = spot, state.before[spot]
    state.before[i], state.after[i] = spot, after
    if spot < 0:
        state.head[kind] = i
    else:
        state.after[spot] = i
    if after < 0:
        state.tail[kind] = i
    else:
        state.before[after] = i
    state.waits[kind >> 6] |= _ONE << np.uint64(kind & 63)
    served.status[i], served.agent[i] = WAITING, -1


@part
def _stage(calls: Any, plan: Any, state: Any, i: Any, passed_us: Any) -> None:
    """Remember when the next stage of a waiting interaction opens, counted from the instant that is over."""
    kind = calls.kind[i]
    if state.staged[i] or plan.first_row[kind + 1] - plan.first_row[kind] < 2:
        return
    row = _row(calls, plan, i, kind, passed_us)
    if row + 1 < plan.first_row[kind + 1]:
        opens_us = calls.arrived_us[i] + plan.after_us[row + 1]
        _push(state.stage_us, state.stage_call, state.stage_call, state.at[N_STAGES], opens_us, i, i)
        state.at[N_STAGES] += 1
        state.staged[i] = True


@part
def _next_for(calls: Any, kinds: Any, plan: Any, agents: Any, state: Any, served: Any, a: Any, now: Any) -> Any:
    """The waiting interaction that a free agent takes, -1 for none; and how many kinds were looked at."""
    best, tier, key, looked = -1, 2, NEVER_US, 0
    for word in range(state.waits.size):
        both = state.waits[word] & plan.can[a, word]
        while both != _ZERO:
            kind = word * 64 + _lowest_bit(both)
            both &= both - _ONE
            looked += 1
            # Only heads are compared: a kind has one head start, so the first to arrive is the first in line.
            i = state.head[kind]
            while i >= 0 and calls.leave_us[i] < now:
                _unqueue(calls, state, i)
                _leave(calls, served, i)
                i = state.head[kind]
            if i < 0 or not _has_room(agents, state, a, kinds.media[kind]):
                continue
            # The head is at the latest stage of its kind; where it may not ask this agent yet, nobody behind it may.
            if plan.rank[_row(calls, plan, i, kind, now), a] == _LOWEST:
                continue
            t = kinds.tier[kind]
            # Most waited plus head start is least arrival less head start, `now` being the same for all. Queues that
            # score by priority only (tier 0) look at points alone and come before all others.
            k = (calls.arrived_us[i] if t > 0 else 0) - kinds.lead_us[kind]
            if t < tier or (t == tier and (k < key or (k == key and i < best))):
                best, tier, key = i, t, k
    return best, looked


@part
def _end(calls: Any, kinds: Any, agents: Any, state: Any, served: Any, now: Any) -> Any:
    """The first of the ends: an interaction ends, was not answered, or an agent is back.

    Gives the interaction that looks for an agent and the agent who has room; -1 for none.
    """
    i, a = state.end_call[0], state.end_agent[0]
    _pop(state.end_us, state.end_call, state.end_agent, state.at[N_ENDS])
    state.at[N_ENDS] -= 1
    n_agents = state.listed.size
    # Agents beyond the last stand for the return from being away, so that one heap holds all that ends.
    if a >= n_agents:
        state.away[a - n_agents] -= 1
        return -1, a - n_agents
    state.n_held[a] -= 1
    state.held[a, kinds.media[calls.kind[i]]] -= 1
    # By default an alert in vain leaves the clock alone, as the help centre has it; some users report otherwise.
    if served.status[i] == ANSWERED or agents.alert_resets:
        state.idle_us[a] = now
    if served.status[i] != MISSING:
        if served.status[i] == LOSING:
            _leave(calls, served, i)
        return -1, a
    # Not answered: the agent is away for a while, the interaction goes on from its old place.
    state.missed[i] += 1
    state.away[a] += 1
    if state.listed[a]:
        _unlist(state, a)
    _push(state.end_us, state.end_call, state.end_agent, state.at[N_ENDS], now + agents.away_us, i, a + n_agents)
    state.at[N_ENDS] += 1
    return i, -1


@part
def _shift(agents: Any, state: Any, now: Any) -> Any:
    """An event of the roster; gives the agent who may have room, -1 for none. Work in hand is always finished."""
    place = state.at[SHIFT]
    state.at[SHIFT] += 1
    a, kind = agents.event_agent[place], agents.event_kind[place]
    if OFF < kind < ON:
        one = 1 if kind == TAKEN else -1
        state.n_held[a] += one
        state.held[a, agents.event_media[place]] += one
        if kind == GIVEN_BACK:
            return a
    if kind <= TAKEN:
        if state.listed[a] and (kind == OFF or not _has_any_room(agents, state, a)):
            _unlist(state, a)
        return -1
    state.until_us[a] = agents.event_until_us[place]
    if agents.resets_on_queue:
        state.idle_us[a] = now
    # The platform forgets work that is older than its look-back, and who has none comes last.
    elif agents.lookback_us > 0 and now - state.idle_us[a] > agents.lookback_us:
        state.idle_us[a] = NEVER_US
    return a


@part
def _open_stage(calls: Any, state: Any, served: Any, now: Any) -> Any:
    """A waiting interaction may ask more agents than before; gives it, -1 where it waits no longer."""
    i = state.stage_call[0]
    _pop(state.stage_us, state.stage_call, state.stage_call, state.at[N_STAGES])
    state.at[N_STAGES] -= 1
    state.staged[i] = False
    return i if served.status[i] == WAITING and calls.leave_us[i] >= now else -1


@part
def _settle(calls: Any, state: Any, served: Any, until_us: Any) -> None:
    """Find out who has left."""
    # Whole queues, not heads alone: patience differs, so people leave from the middle of a line too.
    for kind in range(state.head.size):
        i = state.head[kind]
        while i >= 0:
            after = state.after[i]
            if calls.leave_us[i] < until_us:
                _unqueue(calls, state, i)
                _leave(calls, served, i)
            i = after


@kernel(allocates=False)
def replay_until(  # noqa: PLR0912 - one branch per kind of event; a call would cost more than the event
    n_steps: Any, until_us: Any, calls: Any, kinds: Any, plan: Any, agents: Any, state: Any, served: Any
) -> Any:
    """Play events before an instant [us]; gives whether all are played, or the steps were used up before.

    A step is an event, or one of the kinds that a free agent chooses from.
    """
    n, n_shifts, at = calls.arrived_us.size, agents.event_us.size, state.at
    while n_steps > 0:
        n_steps -= 1
        arrival_us = calls.arrived_us[at[ARRIVAL]] if at[ARRIVAL] < n else NEVER_US
        shift_us = agents.event_us[at[SHIFT]] if at[SHIFT] < n_shifts else NEVER_US
        end_us = state.end_us[0] if at[N_ENDS] > 0 else NEVER_US
        stage_us = state.stage_us[0] if at[N_STAGES] > 0 else NEVER_US
        now = min(arrival_us, shift_us, end_us, stage_us)
        if now >= until_us:
            # Whoever has left unnoticed must show before anybody looks at a stopped replay.
            _settle(calls, state, served, until_us)
            return True
        # What takes room away at this instant does so before anybody is freed.
        shifts = shift_us == now
        takes = shifts and agents.event_kind[at[SHIFT]] <= TAKEN
        # Either an interaction looks for an agent, or an agent for an interaction, or nothing follows.
        i, a, kind = -1, -1, ON
        # Several events of one instant come one by one, in the order of the module: the first kind that is due.
        if end_us == now and not takes:
            i, a = _end(calls, kinds, agents, state, served, now)
        elif shifts:
            kind = agents.event_kind[at[SHIFT]]
            a = _shift(agents, state, now)
        elif stage_us == now:
            i = _open_stage(calls, state, served, now)
            if i < 0:
                continue
        else:
            i = at[ARRIVAL]
            at[ARRIVAL] += 1
        # Work elsewhere is no event of these queues: whoever is never served was not seen to wait for its sake.
        if not OFF < kind < ON:
            at[LAST_US] = now
        if a >= 0:
            _relist(agents, state, a, now)
        # An agent with room for more takes again, until nothing waits or nothing fits.
        while i >= 0 or (a >= 0 and state.listed[a]):
            if i >= 0:
                served.found[i] = max(served.found[i], _count(kinds, agents, state, calls.kind[i]))
                call, agent = i, _choose(calls, kinds, plan, agents, state, i, now)
                if agent < 0:
                    passed_us = now
                    if served.status[i] != WAITING:
                        # A stage that opens at this instant has its turn after the spells.
                        passed_us = now - 1
                        _enqueue(calls, state, served, i)
                    _stage(calls, plan, state, i, passed_us)
                i = -1
            else:
                call, looked = _next_for(calls, kinds, plan, agents, state, served, a, now)
                agent, n_steps = a, n_steps - looked
                if call < 0:
                    break
            if agent >= 0:
                if served.status[call] == WAITING:
                    _unqueue(calls, state, call)
                _assign(calls, kinds, agents, state, served, call, agent, now)
    return False
