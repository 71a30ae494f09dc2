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
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray

# With fewer a curve is a few coarse steps, and that of a wider group says more.
LEAST_ABANDONMENTS = 50
LEVELS = ("call_type", "queue", "all")
HOW = (
    "patience_s where recorded, else the wait of an abandoned interaction; all others stopped waiting for another "
    "reason and get a draw beyond their wait from Kaplan-Meier curves by call type (under "
    f"{LEAST_ABANDONMENTS} abandonments: its queue, then all), media kept apart; beyond a curve's last abandonment an "
    "exponential tail at the late hazard of all interactions of the media: abandonments over seconds waited, both "
    "counted after the instant that leaves the last quarter of the abandonments"
)
NEVER = "nobody gives up: assumed"
# A draw of 0 would mean patience without end; half the smallest step of a draw stands in for it.
_LEAST_DRAW = 2.0**-54


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
class KaplanMeier:
    """Share of customers who have not given up, by time waited; exponential beyond the last abandonment.

    Parameters
    ----------
    at_s : (n_steps,) array of float
        Distinct waits of abandonments, rising. [s]
    survival : (n_steps,) array of float
        Share still waiting just after each.
    tail_per_s : float
        Hazard beyond the last step; 0: nobody gives up any more. [1/s]

    References
    ----------
    .. [1] E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations", Journal of the
       American Statistical Association 53, 1958. doi:10.1080/01621459.1958.10501452

    Examples
    --------
    >>> curve = KaplanMeier.fit([1.0, 2.0, 2.0, 5.0], [True, True, False, False])
    >>> curve.survival.tolist()
    [0.75, 0.5]
    >>> curve.draw([float("nan"), 1.0], [0.8, 0.1 / 0.75]).round(3).tolist()
    [1.0, 11.657]
    """

    at_s: FloatArray
    survival: FloatArray
    tail_per_s: float

    @classmethod
    def fit(cls, wait_s: object, left: object, tail_per_s: float | None = None) -> KaplanMeier:
        """Estimate from waits that ended by giving up or otherwise.

        Parameters
        ----------
        wait_s : (n,) array of float, >= 0
            Waits. [s]
        left : (n,) array of bool
            Whether the customer gave up; of equal waits those come first.
        tail_per_s : float, optional
            Hazard of the tail; by default `late_hazard` of the same waits. [1/s]

        Returns
        -------
        KaplanMeier
            Without steps where nobody gave up.
        """
        waits, events = np.asarray(wait_s, float), np.asarray(left, bool)
        ends = np.sort(waits)
        at_s, n_left = np.unique(waits[events], return_counts=True)
        # Whoever stopped waiting at the very instant of an abandonment was still at risk of it.
        waiting = ends.size - np.searchsorted(ends, at_s)
        tail = late_hazard(waits, events) if tail_per_s is None else tail_per_s
        return cls(at_s, np.asarray(np.cumprod(1.0 - n_left / waiting), np.float64), tail)

    @property
    def last_s(self) -> float:
        """Where the tail begins: the last abandonment. [s]"""
        return float(self.at_s[-1]) if self.at_s.size else 0.0

    @property
    def restricted_mean_s(self) -> float:
        """Mean of the patience up to `last_s`: the area under the steps. [s]"""
        held = np.concatenate([[1.0], self.survival[:-1]])[: self.at_s.size]
        return float(held @ np.diff(self.at_s, prepend=0.0))

    @property
    def median_s(self) -> float:
        """Wait after which half have given up, in the tail if need be; infinite for never. [s]"""
        return float(self.draw(np.array([np.nan]), np.array([0.5]))[0])

    def draw(self, after_s: object, u: object) -> FloatArray:
        """Patience given that it is longer than a wait: the first time at which S falls to u * S(wait).

        Parameters
        ----------
        after_s : (n,) array of float
            Waits survived; NaN for none, so that even giving up at once is possible. [s]
        u : (n,) array of float
            Draws in [0, 1).

        Returns
        -------
        (n,) array of float
            Longer than `after_s`, infinite for never. [s]
        """
        known = np.asarray(after_s, float)
        # Before 0, so that steps at 0 s, customers who leave at once, still lie ahead.
        waited = np.where(np.isnan(known), -1.0, known)
        share = np.maximum(np.asarray(u, float), _LEAST_DRAW)
        behind = np.searchsorted(self.at_s, waited, "right")
        target = share * np.concatenate([[1.0], self.survival])[behind]
        # Rounding may leave a draw next to 1 where it was; it moves on by one step at least.
        step = np.maximum(np.searchsorted(-self.survival, -target), behind)
        found = np.append(self.at_s, np.inf)[step]
        tail = np.flatnonzero(step == self.at_s.size)
        if self.tail_per_s > 0 and tail.size:
            # Those who are not beyond the steps yet must first outlive what is left of them.
            rest = max(float(self.survival[-1]), _LEAST_DRAW) if self.at_s.size else 1.0
            ratio = np.where(behind[tail] < self.at_s.size, target[tail] / rest, share[tail])
            found[tail] = np.maximum(waited[tail], self.last_s) - np.log(ratio) / self.tail_per_s
        return found


def late_hazard(wait_s: FloatArray, left: BoolArray) -> float:
    """Rate of giving up late: abandonments over time waited, both after the first three quarters of abandonments.

    Examples
    --------
    >>> late_hazard(np.array([1.0, 2.0, 3.0, 4.0, 8.0]), np.array([True, True, True, True, False]))
    0.16666666666666666
    """
    # The hazard changes with waiting, so only late abandonments say how those go on who are still there.
    events = np.sort(wait_s[left])
    if not events.size:
        return 0.0
    # Equal waits belong together: the last quarter starts with the first abandonment that is as late as its first.
    earlier = np.searchsorted(events, events[3 * events.size // 4])
    from_s = events[earlier - 1] if earlier else 0.0
    waited_s = float(np.maximum(wait_s - from_s, 0.0).sum())
    n_late = int((events > from_s).sum())
    return n_late / waited_s if n_late else 0.0


@dataclass(frozen=True)
class Curve:
    """A curve of patience and who is drawn from it.

    Parameters
    ----------
    estimate : KaplanMeier
        The curve.
    level : {"call_type", "queue", "all"}
        What its interactions have in common.
    n_left, n_censored : int
        Abandonments and other ends of waiting that it was made of.
    rows : (n_rows,) array of int
        Interactions drawn from it: without a patience of their own.
    """

    estimate: KaplanMeier
    level: str
    n_left: int
    n_censored: int
    rows: IntArray


def curves(history: History, call_type_queue: Int32Array) -> list[Curve]:
    """Kaplan-Meier curves of all interactions whose patience must be drawn.

    Parameters
    ----------
    history : History
        Recorded waits and outcomes; interactions without a wait take no part.
    call_type_queue : (n_call_types,) array of int32
        Queue of each call type.

    Returns
    -------
    list of Curve
        By call type where it has 50 abandonments, else by its queue where that has, else of all; media apart.
    """
    left = history.outcome_is("abandoned")
    seen = ~np.isnan(history.wait_s)
    groups = _groups(history, call_type_queue)
    level = np.full(history.n, LEVELS.index("all"))
    # From wide to narrow: where a call type has enough of its own, that overrules its queue.
    for place in (1, 0):
        abandoned = np.bincount(groups[place][left & seen], minlength=groups[place].max(initial=0) + 1)
        level[abandoned[groups[place]] >= LEAST_ABANDONMENTS] = place
    drawn = ~_has_patience(history) & ~_is_callback(history)
    # A single curve has few late abandonments, so its tail is that of all interactions of the media.
    tails = _late_hazards(history, left, seen)
    found = []
    for place, group in enumerate(groups):
        drawn_of = _rows_by(group, drawn & (level == place))
        seen_of = _rows_by(group, seen) if drawn_of else {}
        for name, rows in drawn_of.items():
            used = seen_of.get(name, np.empty(0, np.int64))
            estimate = KaplanMeier.fit(history.wait_s[used], left[used], tails[name % len(MEDIA)])
            n_left = int(left[used].sum())
            found.append(Curve(estimate, LEVELS[place], n_left, used.size - n_left, rows))
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
        Recorded or drawn; callbacks never leave. Flow-outs leave at their recorded wait or by `flow_out`, unless
        the customer gives up earlier; without a recorded wait they are like others.
    estimate : PatienceEstimate
        What was recorded, what was drawn, and the curves.
    """
    patience_s = np.full(history.n, np.inf)
    found: list[Curve] = []
    n_tail = 0
    if assumptions.patience == "estimated":
        patience_s = np.where(np.isnan(history.patience_s), history.wait_s, history.patience_s)
        found = curves(history, call_type_queue) if known is None else known
        n_tail = _draw(patience_s, history, found, uniform(history.interaction_id, seed, PATIENCE, replication))
    flow_s = _flow_out_s(history, assumptions)
    # Nobody holds the line: a callback keeps its place until it is made.
    patience_s[_is_callback(history)] = np.inf
    flow_s[_is_callback(history)] = np.inf
    estimate = _estimate(history, assumptions, found, n_tail, int(np.isinf(patience_s).sum()))
    return Waits(patience_s, flow_s), estimate


def _is_callback(history: History) -> BoolArray:
    return history.media == MEDIA.index("callback")


def _has_patience(history: History) -> BoolArray:
    gave_up = history.outcome_is("abandoned") & ~np.isnan(history.wait_s)
    return ~np.isnan(history.patience_s) | gave_up


def _groups(history: History, call_type_queue: Int32Array) -> list[IntArray]:
    """Number of each interaction's group at each level; media come last, so that no group mixes them."""
    call_type, media = history.call_type.astype(np.int64), history.media.astype(np.int64)
    queue = call_type_queue.astype(np.int64)[call_type]
    return [call_type * len(MEDIA) + media, queue * len(MEDIA) + media, media]


def _late_hazards(history: History, left: BoolArray, seen: BoolArray) -> list[float]:
    """Late hazard of each media."""
    masks = [seen & (history.media == media) for media in range(len(MEDIA))]
    return [late_hazard(history.wait_s[mask], left[mask]) for mask in masks]


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
    return np.where(history.outcome_is("flowed_out") & ~np.isnan(leave_s), leave_s, np.inf)


def _estimate(
    history: History, assumptions: Assumptions, found: list[Curve], n_tail: int, n_never: int
) -> PatienceEstimate:
    n, callback, flows = history.n, _is_callback(history), history.outcome_is("flowed_out")
    n_drawn = sum(curve.rows.size for curve in found)
    counts = PatienceCounts(
        interactions=n,
        patience_recorded=int((~np.isnan(history.patience_s) & ~callback).sum()),
        abandoned_with_wait=int((_has_patience(history) & np.isnan(history.patience_s) & ~callback).sum()),
        drawn=n_drawn,
        callbacks=int(callback.sum()),
        flow_outs=int(flows.sum()),
        flow_outs_without_wait=int((flows & np.isnan(history.wait_s)).sum()),
        never_leave=n_never,
    )
    n_recorded = counts.patience_recorded + counts.abandoned_with_wait
    return PatienceEstimate(
        patience=assumptions.patience, flow_out=assumptions.flow_out,
        how=HOW if assumptions.patience == "estimated" else NEVER, counts=counts,
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
