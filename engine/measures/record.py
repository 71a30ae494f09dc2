"""What a record tells of itself: which of its rows can be replayed as they were, and what would tell more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.data.history import History
from engine.estimates.patience import lost_waits, replays_abandonment

NO_WAIT = "abandoned without a wait"
NOBODY_NAMED = "answered by nobody known, while staffing is inferred from who answered"
STRANGER = "answered by somebody who is not in the agents table"
# Waits up to this may be ringing or an automatic answer, which no replay makes by itself. [s]
MOMENT_S = 10.0
# Longer than this nobody is alerted on average. [s]
LONGEST_RING_S = 15.0
# Share of rows that cannot be replayed from which on they may be why a replay is off.
TELLING_SHARE = 0.02
# Share of the work done off queue above which a staffing table is not when agents were there.
OFF_QUEUE_SHARE = 0.05


@dataclass(frozen=True)
class Misses:
    """Today's rule replayed less the record: seconds and shares, None where it is not judged."""

    asa_s: float | None
    service_level: float | None
    abandonment: float | None

    def beyond(self, *is_off: bool) -> Misses:
        """Only those that miss by too much."""
        values = (self.asa_s, self.service_level, self.abandonment)
        return Misses(*(value if off else None for value, off in zip(values, is_off, strict=True)))

    @property
    def waits(self) -> float:
        """Above 0 where customers wait too long in the replay, below where they wait too short, 0 for neither."""
        if self.asa_s is not None:
            return self.asa_s
        return 0.0 if self.service_level is None else -self.service_level


@dataclass(frozen=True)
class Record:
    """What is recorded, as far as a light needs to know it.

    Parameters
    ----------
    offered : int
        Interactions.
    is_answered : bool
        Whether anything is recorded as answered.
    unplayable : mapping of str to int
        Rows that cannot be replayed as they were, by reason.
    without_wait : int
        Of those answered how many have no wait.
    replays_abandonment : bool
        Whether abandonment can be replayed: not where no abandoned wait is known at all.
    is_inferred : bool
        Whether staffing is inferred from who answered.
    is_calibrated : bool
        Whether what can be fitted was.
    off_queue : float, optional
        Share of the recorded work that lies outside blocks of staffing.
    gaps : tuple of str
        Which of wait_s, alert_s, acw_s and busy are not recorded.
    longest_s : float
        Longest wait of an answered interaction, but for the last twentieth; infinite where none is known. [s]
    """

    offered: int = 0
    is_answered: bool = True
    unplayable: Mapping[str, int] = field(default_factory=dict)
    without_wait: int = 0
    replays_abandonment: bool = True
    is_inferred: bool = False
    is_calibrated: bool = False
    off_queue: float | None = None
    gaps: tuple[str, ...] = ()
    longest_s: float = np.inf

    @classmethod
    def of(
        cls, history: History, *, is_inferred: bool, has_busy: bool = False, off_queue: float | None = None
    ) -> Record:
        """From everything that is recorded.

        Parameters
        ----------
        history : History
            The interactions.
        is_inferred : bool
            Whether staffing is.
        has_busy : bool
            Whether work elsewhere is recorded.
        off_queue : float, optional
            Share of the recorded work that lies outside blocks of staffing.

        Returns
        -------
        Record
            Of all of them.
        """
        answered, lost = history.answered, lost_waits(history)
        stranger, unnamed = (answered & (history.agent < 0) & side for side in (history.named, ~history.named))
        unplayable = {
            NO_WAIT: int(lost.sum()), NOBODY_NAMED: int(unnamed.sum()) if is_inferred else 0,
            STRANGER: int(stranger.sum()),
        }  # fmt: skip
        waits = history.wait_s[answered & ~np.isnan(history.wait_s)]
        missing = {
            "wait_s": np.isnan(history.wait_s).all(), "alert_s": np.isnan(history.alert_s[answered]).all(),
            "acw_s": np.isnan(history.acw_s[answered]).any(), "busy": not has_busy,
        }  # fmt: skip
        return cls(
            offered=history.n, is_answered=bool(answered.any()), unplayable=unplayable,
            without_wait=int((answered & np.isnan(history.wait_s)).sum()),
            replays_abandonment=replays_abandonment(history), is_inferred=is_inferred,
            off_queue=off_queue, gaps=tuple(name for name, is_missing in missing.items() if is_missing),
            longest_s=float(np.quantile(waits, 0.95)) if waits.size else np.inf,
        )  # fmt: skip

    @property
    def looks_like_ringing(self) -> bool:
        """Whether nearly all waits are so short that they may be ringing or an automatic answer, told by no column."""
        return "alert_s" in self.gaps and self.longest_s <= MOMENT_S

    @property
    def n_unplayable(self) -> int:
        """Rows that cannot be replayed as they were."""
        return sum(self.unplayable.values())

    def remedy(self, misses: Misses, *, is_lost: bool) -> str | None:
        """What is likely to help against misses that are too large; None where nothing is off.

        Parameters
        ----------
        misses : Misses
            Only those that are too large.
        is_lost : bool
            Whether too many rows cannot be replayed.

        Returns
        -------
        str or None
            Only what can help: nothing that is recorded already, nothing that makes waits longer where they are too
            long.
        """
        is_off = any(miss is not None for miss in (misses.asa_s, misses.service_level, misses.abandonment))
        # A handful of rows moves nothing by as much as the light allows.
        is_many = self.n_unplayable > TELLING_SHARE * self.offered
        found = [*(self._rows() if is_lost or (is_off and is_many) else ()), *self._columns()]
        found += [*self._too_long(misses), *self._too_short(misses)]
        if misses.abandonment is not None and misses.waits == 0:
            found.append("give patience_s, or wait_s of all abandoned interactions, since only abandonment is off")
        return "; ".join(found) or None

    def _rows(self) -> Iterator[str]:
        if self.unplayable.get(NO_WAIT):
            yield "give wait_s of abandoned interactions"
        if self.unplayable.get(NOBODY_NAMED):
            yield "give a staffing table, or agent_id of answered interactions"
        if self.unplayable.get(STRANGER):
            yield "give the agents table all who answered"

    def _columns(self) -> Iterator[str]:
        if "wait_s" in self.gaps:
            yield "give wait_s"
        elif not self.is_answered:
            yield "give outcome, or agent_id of answered interactions"

    def _too_long(self, misses: Misses) -> Iterator[str]:
        """Who waits too long in a replay misses agents."""
        if misses.waits <= 0:
            return
        if self.is_inferred:
            fitted = "" if self.is_calibrated else ", or calibrate how staffing is inferred (routelab calibrate)"
            yield f"give a staffing table{fitted}"
        elif self.off_queue is not None and self.off_queue > OFF_QUEUE_SHARE:
            yield (
                "check the staffing table, its hours and its zone, and what work elsewhere (busy) keeps agents from "
                f"(capacity, interrupted_by): {100 * self.off_queue:.0f} % of the recorded work lies outside its blocks"
            )
        else:
            yield "check members, skills and capacity: agents who answered may not be asked"

    def _too_short(self, misses: Misses) -> Iterator[str]:
        """Who waits too short in a replay finds agents who had something else to do, or was waiting for a ring."""
        if misses.waits >= 0:
            return
        if self.looks_like_ringing:
            yield "give alert_s, how long agents were alerted before they answered"
            return
        if "busy" in self.gaps:
            yield "give a table of work elsewhere (busy)"
        if not self.is_inferred:
            yield "check that the staffing table holds time on queue, not shifts as planned with their breaks"
        open_ = ["how staffing is inferred"] * self.is_inferred + ["after-call work"] * ("acw_s" in self.gaps)
        if open_ and not self.is_calibrated:
            yield f"calibrate {' and '.join(open_)} (routelab calibrate)"
        if "alert_s" in self.gaps and (misses.asa_s or 0.0) >= -LONGEST_RING_S:
            yield "give alert_s: ringing is part of a recorded wait"
