"""The calendar of a data set: local days on which anything arrived; sums by day and time on queue are over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from engine.data.centre import Blocks
from engine.data.wall_time import local_days, midnights
from engine.stopping import check
from engine.typing import IntArray


@dataclass(frozen=True)
class Calendar:
    """Local days on which something was recorded; every column of a comparison is summed by them.

    Parameters
    ----------
    days : (n_days,) array of int64
        Days since 1970 in the order of the calendar.
    time_zone : str
        IANA zone.
    _known : list
        Places looked up last.
    """

    days: IntArray
    time_zone: str
    _known: list[tuple[IntArray, IntArray]] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def of(cls, arrived_us: IntArray, time_zone: str) -> Calendar:
        """Days on which something arrived."""
        check()
        return cls(np.unique(local_days(arrived_us, time_zone)), time_zone)

    @property
    def n(self) -> int:
        """Number of days."""
        return int(self.days.size)

    def place(self, at_us: IntArray) -> IntArray:
        """Place of the day of each instant; where nothing was recorded, of the day before, else of the first."""
        # Replays share their arrivals: looked up once for all of them.
        for seen, place in self._known:
            if seen is at_us:
                return place
        # Levers may bring arrivals outside the recorded days; paired columns need the same days, so those count next
        # door.
        place = np.maximum(np.searchsorted(self.days, local_days(at_us, self.time_zone), side="right") - 1, 0)
        self._known[:] = [(at_us, place), *self._known[:3]]
        return place

    def within(self, spells: Blocks) -> Blocks:
        """The part of some spells that lies on these days, cut at every midnight.

        Parameters
        ----------
        spells : Blocks
            In any order. [us since 1970, UTC]

        Returns
        -------
        Blocks
            A piece for each spell and day, in the order of the spells, then of the days; those without length are
            left out.

        Examples
        --------
        >>> hour = 3_600_000_000
        >>> night = Blocks(np.array([0]), np.array([22 * hour]), np.array([54 * hour]))
        >>> pieces = Calendar(np.array([0, 2]), "UTC").within(night)
        >>> (pieces.start_us // hour).tolist(), (pieces.end_us // hour).tolist()
        ([22, 48], [24, 54])
        """
        begin_us, end_us = self._edges_us
        first = np.searchsorted(end_us, spells.start_us, "right")
        n_pieces = np.maximum(np.searchsorted(begin_us, spells.end_us, "left") - first, 0)
        of = np.repeat(np.arange(n_pieces.size), n_pieces)
        # Days of a spell count up from its first: all pieces end to end, less where those of the spell begin.
        day = np.arange(of.size) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces) + first[of]
        pieces = Blocks(
            spells.agent[of], np.maximum(spells.start_us[of], begin_us[day]), np.minimum(spells.end_us[of], end_us[day])
        )
        some = pieces.start_us < pieces.end_us
        return pieces if some.all() else Blocks(pieces.agent[some], pieces.start_us[some], pieces.end_us[some])

    @cached_property
    def _edges_us(self) -> tuple[IntArray, IntArray]:
        """Midnights before and after each day. [us]"""
        return midnights(self.days, self.time_zone), midnights(self.days + 1, self.time_zone)


def days_of_sorted(arrived_us: IntArray, time_zone: str) -> list[int]:
    """Local days on which anything arrived, of arrivals in order: looked up by day, not by arrival.

    Parameters
    ----------
    arrived_us : (n,) array of int64
        Rising. [us since 1970, UTC]
    time_zone : str
        IANA zone.

    Returns
    -------
    list of int
        Days since 1970.

    Examples
    --------
    >>> days_of_sorted(np.array([0, 3_600_000_000, 90_000_000_000]), "Asia/Kolkata")
    [0, 1]
    """
    if not arrived_us.size:
        return []
    first, last = local_days(arrived_us[[0, -1]], time_zone).tolist()
    days = np.arange(first, last + 1)
    edges = np.searchsorted(arrived_us, midnights(np.append(days, last + 1), time_zone))
    return [day for day, some in zip(days.tolist(), np.diff(edges).tolist(), strict=True) if some]
