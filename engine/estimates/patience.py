"""Patience: how long customers would have waited, where history shows only that they had not given up yet.

Abandonments are events, every other end of waiting censors (Mandelbaum and Zeltyn 2013,
doi:10.1287/opre.1120.1126, discuss why). What lies beyond a censored wait is drawn from the estimate given
that wait, so an interaction answered after 40 s never gives up before 40 s in a replay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.history import History
from engine.data.tables import MEDIA
from engine.estimates.assumptions import LONGEST_S, Assumptions
from engine.estimates.estimated import PatienceCounts, PatienceEstimate, PatienceLevel, Range
from engine.estimates.streams import PATIENCE, uniform
from engine.estimates.survival import KaplanMeier, late_hazard
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray

# With fewer a curve is a few coarse steps, and that of a wider group says more.
LEAST_ABANDONMENTS = 50
# Of the last are drawn those abandoned of a media in which no abandoned wait is known.
LEVELS = ("call_type", "queue", "all", "all_media")
HOW = (
    "patience_s where recorded, else the wait of an abandoned interaction; all others stopped waiting for another "
    "reason and get a draw beyond their wait from Kaplan-Meier curves by call type (under "
    f"{LEAST_ABANDONMENTS} abandonments: its queue, then all), media kept apart; beyond a curve's last abandonment an "
    "exponential tail at the late hazard of all interactions of the media: abandonments over seconds waited, both "
    "counted after the instant that leaves the last quarter of the abandonments; whoever abandoned without a recorded "
    "wait gets one of the waits at which others of the curve gave up, and these stand for as many more"
)
NEVER = "nobody gives up: assumed"
NO_WAIT_KNOWN = "abandonment cannot be replayed: no abandoned interaction has a wait, so nobody gives up"


@dataclass(frozen=True)
class Waits:
    """How long each interaction waits for an answer at most.

    Parameters
    ----------
    patience_s : (n,) array of float
        When the customer gives up, infinite for never. [s]
    flow_out_s : (n,) array of float
        When the flow takes the interaction away, infinite for never. [s]
    """

    patience_s: FloatArray
    flow_out_s: FloatArray

    @property
    def leave_s(self) -> FloatArray:
        """Longest wait. [s]"""
        return np.minimum(self.patience_s, self.flow_out_s)

    @property
    def flows_out(self) -> BoolArray:
        """Whether leaving then is an exit of the flow, not the customer's choice."""
        # At one and the same instant the exit counts: it is recorded, and the patience may be drawn.
        return (self.flow_out_s <= self.patience_s) & np.isfinite(self.flow_out_s)


@dataclass(frozen=True)
class _Counted:
    """Ends of waiting as curves of one level count them: when, whether at all, and for how many each stands."""

    wait_s: FloatArray
    counts: BoolArray
    weight: FloatArray | None

    def estimate(self, left: BoolArray, rows: IntArray, tail_per_s: float) -> KaplanMeier:
        """Curve of some rows."""
        weight = None if self.weight is None else self.weight[rows]
        return KaplanMeier.fit(self.wait_s[rows], left[rows], tail_per_s, weight)

    def late_hazard(self, left: BoolArray, chosen: BoolArray) -> float:
        """Late hazard of chosen rows."""
        rows = self.counts & chosen
        return late_hazard(self.wait_s[rows], left[rows], None if self.weight is None else self.weight[rows])


@dataclass(frozen=True)
class _Ends:
    """How and when each interaction stopped waiting: when, whether it is known, by giving up, by an answer."""

    wait_s: FloatArray
    seen: BoolArray
    left: BoolArray
    answered: BoolArray

    @classmethod
    def of(cls, history: History) -> _Ends:
        # Callbacks wait for nobody, so they say nothing of patience.
        holds = ~_is_callback(history)
        left = history.outcome_is("abandoned") & holds
        # Patience is the wait of whoever gave up; of others it says nothing about when they were answered.
        wait_s = np.where(left & np.isnan(history.wait_s), history.patience_s, history.wait_s)
        return cls(wait_s, ~np.isnan(wait_s) & holds, left, history.answered & holds)

    def counted(self, groups: list[IntArray], level: IntArray) -> list[_Counted]:
        """By place of the level.

        An end without a wait is stood for by those of the same kind in the narrowest group that has any, from its
        own level on. Answered interactions of whom nobody has a wait count as waiting longer than all others: a curve
        of abandonments alone would let nobody be patient.
        """
        check()
        kinds = (self.left, self.answered)
        pending = [kind & ~self.seen for kind in kinds]
        if not any(lost.any() for lost in pending):
            return [_Counted(self.wait_s, self.seen, None)] * len(groups)
        found, weight = [], np.ones(self.seen.size)
        for place, group in enumerate(groups):
            weight = weight.copy()
            for which, kind in enumerate(kinds):
                known, lost = kind & self.seen, pending[which] & (level <= place)
                n_known, n_lost = _n_in_group(group, known), _n_in_group(group, lost)
                weight[known] += n_lost[known] / n_known[known]
                pending[which] = pending[which] & ~(lost & (n_known > 0))
            beyond = pending[1]
            found.append(_Counted(np.where(beyond, np.inf, self.wait_s), self.seen | beyond, weight))
        return found


@dataclass(frozen=True)
class Curve:
    """A curve of patience and who is drawn from it.

    Parameters
    ----------
    estimate : KaplanMeier
        The curve.
    level : {"call_type", "queue", "all", "all_media"}
        What its interactions have in common.
    n_left, n_censored : int
        Abandonments and other ends of waiting that it was made of.
    rows : (n_rows,) array of int
        Interactions drawn from it: without a patience of their own.
    gave_up : (n_rows,) array of bool
        Which of them abandoned, after nobody knows how long.
    """

    estimate: KaplanMeier
    level: str
    n_left: int
    n_censored: int
    rows: IntArray
    gave_up: BoolArray


def curves(history: History, call_type_queue: Int32Array) -> list[Curve]:
    """Kaplan-Meier curves of all interactions whose patience must be drawn.

    Parameters
    ----------
    history : History
        Recorded waits and outcomes.
    call_type_queue : (n_call_types,) array of int32
        Queue of each call type.

    Returns
    -------
    list of Curve
        By call type where it has 50 abandonments, else by its queue where that has, else of all; media apart.
        Abandoned and answered interactions without a wait take no part themselves: those of the same outcome with
        one stand for them, since without them customers would seem more patient, or less, than they are.
    """
    check()
    ends, groups = _Ends.of(history), _groups(history, call_type_queue)
    known, lost = ends.left & ends.seen, ends.left & ~ends.seen
    level = np.full(history.n, LEVELS.index("all"))
    # From wide to narrow: where a call type has enough of its own, that overrules its queue.
    for place in (1, 0):
        level[_n_in_group(groups[place], known) >= LEAST_ABANDONMENTS] = place
    level[lost & (_n_in_group(groups[2], known) == 0)] = LEVELS.index("all_media")
    drawn = ~_has_patience(history) & ~_is_callback(history)
    counted = ends.counted(groups, level)
    # A single curve has few late abandonments, so its tail is that of all interactions of the media.
    tails = [counted[2].late_hazard(ends.left, groups[2] == media) for media in range(len(MEDIA))]
    found = []
    for place, group in enumerate(groups):
        drawn_of = _rows_by(group, drawn & (level == place))
        seen_of = _rows_by(group, counted[place].counts) if drawn_of else {}
        for name, rows in drawn_of.items():
            used = seen_of.get(name, np.empty(0, np.int64))
            # Other media lend the waits of their abandonments; nobody is drawn from a tail of them.
            tail = tails[name % len(MEDIA)] if place < LEVELS.index("all_media") else 0.0
            estimate = counted[place].estimate(ends.left, used, tail)
            n_left = int(ends.left[used].sum())
            found.append(Curve(estimate, LEVELS[place], n_left, used.size - n_left, rows, lost[rows]))
    return found


def patience(
    history: History,
    call_type_queue: Int32Array,
    assumptions: Assumptions,
    seed: int,
    replication: int = 0,
    known: list[Curve] | None = None,
) -> tuple[Waits, PatienceEstimate]:
    """When each interaction leaves if nobody has answered it.

    Parameters
    ----------
    history : History
        What is recorded.
    call_type_queue : (n_call_types,) array of int32
        Queue of each call type.
    assumptions : Assumptions
        `patience` and `flow_out` are read.
    seed, replication : int
        Choose the draws, with the interaction's id.
    known : list of Curve, optional
        As `curves` gives them for the same history, to save estimating them again.

    Returns
    -------
    waits : Waits
        Recorded or drawn; callbacks are never given up. Flow-outs, and whoever ended without an answer, leave at
        their recorded wait or by `flow_out`, unless the customer gives up earlier; without a recorded wait they are
        like others.
    estimate : PatienceEstimate
        What was recorded, what was drawn, and the curves.
    """
    check()
    patience_s = np.full(history.n, np.inf)
    found: list[Curve] = []
    n_tail = 0
    if assumptions.patience == "estimated":
        patience_s = np.where(np.isnan(history.patience_s), history.wait_s, history.patience_s)
        found = curves(history, call_type_queue) if known is None else known
        n_tail = _draw(patience_s, history, found, uniform(history.interaction_id, seed, PATIENCE, replication))
    check()
    flow_s = _flow_out_s(history, assumptions)
    check()
    # Nobody holds the line: a callback keeps its place until it is made, or the flow ends it.
    patience_s[_is_callback(history)] = np.inf
    check()
    estimate = _estimate(history, assumptions, found, n_tail, int(np.isinf(patience_s).sum()))
    return Waits(patience_s, flow_s), estimate


def lost_waits(history: History) -> BoolArray:
    """Who gave up, after nobody knows how long.

    Parameters
    ----------
    history : History
        What is recorded.

    Returns
    -------
    (n,) array of bool
        Abandoned with neither a wait nor a patience; a callback is never given up.
    """
    return history.outcome_is("abandoned") & ~_is_callback(history) & ~_has_patience(history)


def replays_abandonment(history: History) -> bool:
    """Whether abandonment can be replayed: not where customers gave up and no wait of any of them is known.

    Parameters
    ----------
    history : History
        What is recorded.

    Returns
    -------
    bool
        True where nobody gave up.
    """
    gave_up, lost = history.outcome_is("abandoned") & ~_is_callback(history), lost_waits(history)
    return not lost.any() or bool((gave_up & ~lost).any())


def _is_callback(history: History) -> BoolArray:
    return history.media == MEDIA.index("callback")


def _has_patience(history: History) -> BoolArray:
    gave_up = history.outcome_is("abandoned") & ~np.isnan(history.wait_s)
    return ~np.isnan(history.patience_s) | gave_up


def _groups(history: History, call_type_queue: Int32Array) -> list[IntArray]:
    """Number of each interaction's group at each level; media come last, so that no group mixes them."""
    check()
    call_type, media = history.call_type.astype(np.int64), history.media.astype(np.int64)
    queue = call_type_queue.astype(np.int64)[call_type]
    return [call_type * len(MEDIA) + media, queue * len(MEDIA) + media, media, np.zeros_like(media)]


def _n_in_group(group: IntArray, chosen: BoolArray) -> IntArray:
    """How many of the chosen the group of each has."""
    check()
    return np.bincount(group[chosen], minlength=int(group.max(initial=0)) + 1)[group]


def _rows_by(group: IntArray, chosen: BoolArray) -> dict[int, IntArray]:
    """Chosen rows of each group."""
    rows = np.flatnonzero(chosen)
    names = group[rows]
    counts = np.bincount(names)
    # Short integers are sorted by counting.
    order = np.argsort(names.astype(np.min_scalar_type(counts.size)), kind="stable")
    some = np.flatnonzero(counts)
    parts = np.split(rows[order], np.cumsum(counts[some])[:-1]) if some.size else []
    return dict(zip(some.tolist(), parts, strict=True))


def _draw(patience_s: FloatArray, history: History, found: list[Curve], u: FloatArray) -> int:
    """Put draws in place; how many came from exponential tails."""
    n_tail = 0
    for curve in found:
        drawn = curve.estimate.draw(history.wait_s[curve.rows], u[curve.rows])
        if curve.gave_up.any() and curve.n_left:
            drawn[curve.gave_up] = curve.estimate.draw_left(u[curve.rows[curve.gave_up]])
        # Longer than any table holds is never.
        drawn[drawn > LONGEST_S] = np.inf
        n_tail += int((np.isfinite(drawn) & (drawn > curve.estimate.last_s)).sum())
        patience_s[curve.rows] = drawn
    return n_tail


def _flow_out_s(history: History, assumptions: Assumptions) -> FloatArray:
    """When interactions flow out, infinite for never."""
    if assumptions.flow_out == "never":
        return np.full(history.n, np.inf)
    leave_s = history.wait_s if assumptions.flow_out == "recorded" else float(assumptions.flow_out)
    return np.where(history.flowed_out & ~np.isnan(leave_s), leave_s, np.inf)


def _estimate(
    history: History, assumptions: Assumptions, found: list[Curve], n_tail: int, n_never: int
) -> PatienceEstimate:
    n, callback, flows = history.n, _is_callback(history), history.flowed_out
    gave_up, lost = history.outcome_is("abandoned") & ~callback, lost_waits(history)
    n_drawn = sum(curve.rows.size for curve in found)
    n_lent = sum(int(curve.gave_up.sum()) for curve in found if curve.level == "all_media" and curve.n_left)
    can_replay = assumptions.patience != "estimated" or replays_abandonment(history)
    counts = PatienceCounts(
        interactions=n,
        patience_recorded=int((~np.isnan(history.patience_s) & ~callback).sum()),
        abandoned_with_wait=int((gave_up & ~lost & np.isnan(history.patience_s)).sum()),
        abandoned_without_wait=int(lost.sum()),
        abandoned_from_other_media=n_lent,
        drawn=n_drawn,
        callbacks=int(callback.sum()),
        flow_outs=int(flows.sum()),
        flow_outs_without_wait=int((flows & np.isnan(history.wait_s)).sum()),
        ended_unanswered=int(history.unanswered.sum()),
        never_leave=n_never,
    )
    n_recorded = counts.patience_recorded + counts.abandoned_with_wait
    how = HOW if assumptions.patience == "estimated" else NEVER
    return PatienceEstimate(
        patience=assumptions.patience, flow_out=assumptions.flow_out,
        how=how if can_replay else NO_WAIT_KNOWN, counts=counts, replays_abandonment=can_replay,
        share_recorded=n_recorded / n if n else None,
        share_drawn=n_drawn / n if n else None,
        share_from_tail=n_tail / n if n else None,
        levels=[_level(level, here) for level in LEVELS if (here := [c for c in found if c.level == level])],
    )  # fmt: skip


def _level(level: str, here: list[Curve]) -> PatienceLevel:
    """What the report says about the curves of one level; of several curves the lowest, middle and highest value."""
    estimates = [curve.estimate for curve in here]
    return PatienceLevel(
        level=level,
        curves=len(here),
        abandoned=sum(curve.n_left for curve in here),
        censored=sum(curve.n_censored for curve in here),
        drawn=sum(curve.rows.size for curve in here),
        median_s=_range([e.median_s for e in estimates]),
        restricted_mean_s=_range([e.restricted_mean_s for e in estimates]),
        restricted_to_s=_range([e.last_s for e in estimates]),
        tail_per_s=_range([e.tail_per_s for e in estimates]),
    )


def _range(values: list[float]) -> Range:
    """Lowest, middle and highest; null for infinite."""
    ordered = sorted(values)
    three = (ordered[0], ordered[(len(ordered) - 1) // 2], ordered[-1])
    return Range(*(value if np.isfinite(value) else None for value in three))
