"""A data set as the engine reads it: a centre, interactions by day for scores, and all that is recorded for replays.

Interactions come in batches, each within one UTC day, so that a month never has to be in memory at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import numpy as np

from engine.data.centre import Centre
from engine.data.history import History
from engine.data.provenance import Provenance, Window
from engine.data.wall_time import DAY_US, FIRST_DAY, LAST_DAY, span_of_days, zone_of
from engine.errors import InvalidScenario, MissingInput
from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray


@dataclass(frozen=True)
class Batch:
    """Interactions of one UTC day, or a part of it, in order of arrival.

    Parameters
    ----------
    day : int
        Days since 1970-01-01 UTC.
    interaction_id : sequence of str
        Anything pyarrow can take as a column of text.
    call_type : (n,) array of int32
        Row of the centre's call types.
    arrived_us : (n,) array of int64
        Arrival. [us since 1970, UTC]
    agent : (n,) array of int32, optional
        The agent who was recorded, -1 for none.
    handle_s : (n,) array of float, optional
        Recorded handling time, NaN where none. [s]
    media : (n,) array of int8, optional
        Place in `engine.data.tables.MEDIA`; None where all is voice.
    """

    day: int
    interaction_id: Any
    call_type: Int32Array
    arrived_us: IntArray
    agent: Int32Array | None = None
    handle_s: FloatArray | None = None
    media: Int8Array | None = None

    def rows(self, chosen: BoolArray) -> Batch:
        """The batch with only the chosen rows."""
        if chosen.all():
            return self
        import pyarrow as pa

        return Batch(
            self.day,
            pa.array(self.interaction_id).filter(pa.array(chosen)),
            self.call_type[chosen],
            self.arrived_us[chosen],
            None if self.agent is None else self.agent[chosen],
            None if self.handle_s is None else self.handle_s[chosen],
            None if self.media is None else self.media[chosen],
        )


@dataclass(frozen=True)
class Counted:
    """How many interactions a data set holds, known without reading them.

    Parameters
    ----------
    day, rows : (n_days,) arrays of int
        Days since 1970-01-01 UTC on which anything arrived, in order, and how many did. [count]
    n_media : int
        Different media among them.
    """

    day: IntArray
    rows: IntArray
    n_media: int = 1

    @property
    def n(self) -> int:
        """Interactions in all."""
        return int(self.rows.sum())

    @property
    def span_days(self) -> int:
        """From the first day to the last, both included."""
        return int(self.day[-1] - self.day[0]) + 1 if self.day.size else 0

    def within(self, start_us: int, end_us: int) -> Counted:
        """Those of all days that a window touches; of the first and the last of them some may lie outside."""
        some = (self.day + 1 > start_us / DAY_US) & (self.day < end_us / DAY_US)
        return Counted(self.day[some], self.rows[some], self.n_media)


def _no_history() -> History:
    """Refuses: arrays made for scores only know no history."""
    raise MissingInput("these arrays hold what scores need only; a replay needs a snapshot or tables")


@dataclass(frozen=True)
class Arrays:
    """A data set as the engine reads it.

    Parameters
    ----------
    centre : Centre
        Agents, queues and call types.
    batches : callable
        Gives an iterator over `Batch` in time order, afresh at every call.
    snapshot : Provenance
        What a report says about the origin.
    history : callable
        Gives all that is recorded about the same interactions, in memory.
    counts : Counted, optional
        How many there are, where that is known already.
    history_of_days : callable, optional
        Gives what is recorded from one UTC day to another, where that can be had without the rest.
    """

    centre: Centre
    batches: Callable[[], Iterator[Batch]]
    snapshot: Provenance
    history: Callable[[], History] = _no_history
    counts: Counted | None = None
    history_of_days: Callable[[int, int], History] | None = None

    def holding(self, history: History) -> Arrays:
        """The same data set with all that is recorded in memory."""
        return replace(self, history=lambda: history, history_of_days=None)

    @property
    def counted(self) -> Counted:
        """How many interactions there are on which days; read from all batches where nobody knows."""
        if self.counts is not None:
            return self.counts
        rows: dict[int, int] = {}
        media = {0}
        for batch in self.batches():
            rows[batch.day] = rows.get(batch.day, 0) + batch.call_type.size
            media |= set() if batch.media is None else set(np.unique(batch.media).tolist())
        return Counted(np.array([*rows], np.int64), np.array([*rows.values()], np.int64), len(media))

    @property
    def has_made_up_surveys(self) -> bool:
        """Whether the surveys were drawn from a seed; then nothing is claimed from them."""
        return self.snapshot.is_made_up("surveys")

    def window(self, start_us: int, end_us: int, queue: int | None = None) -> Arrays:
        """A time window, perhaps of one queue: its interactions and blocks, and surveys up to the end of it.

        Parameters
        ----------
        start_us, end_us : int
            Arrivals from start, before end. [us since 1970, UTC]
        queue : int, optional
            Place of the queue.

        Returns
        -------
        Arrays
            The same centre; batches without a row are left out.
        """
        centre = replace(
            self.centre,
            # Surveys from before the window stay: satisfaction as known then is part of the choice.
            surveys=self.centre.surveys.before(end_us),
            staffing=self.centre.staffing.within(start_us, end_us),
            busy=self.centre.busy.within(start_us, end_us),
            held=self.centre.held.within(start_us, end_us),
        )

        def batches() -> Iterator[Batch]:
            for batch in self.batches():
                if (batch.day + 1) * DAY_US <= start_us or batch.day * DAY_US >= end_us:
                    continue
                inside = (batch.arrived_us >= start_us) & (batch.arrived_us < end_us)
                if queue is not None:
                    inside &= centre.queue[centre.requirement[batch.call_type]] == queue
                if inside.any():
                    yield batch.rows(inside)

        def history() -> History:
            read = self.history_of_days
            whole = self.history() if read is None else read(start_us // DAY_US, (end_us - 1) // DAY_US)
            inside = (whole.arrived_us >= start_us) & (whole.arrived_us < end_us)
            if queue is not None:
                inside &= centre.queue[centre.requirement[whole.call_type]] == queue
            return whole.rows(inside)

        counts = None if self.counts is None else self.counts.within(start_us, end_us)
        return Arrays(centre, batches, self.snapshot, history, counts)

    def days(self, first: date | None, last: date | None) -> Arrays:
        """Whole local days of the data set.

        Parameters
        ----------
        first, last : date, optional
            Both included; None for the first and the last there are.

        Returns
        -------
        Arrays
            Itself where both are None; else the window, named in the snapshot's summary.

        Raises
        ------
        InvalidScenario
            If all of them lie before the first interaction or after the last.
        """
        if first is None and last is None:
            return self
        span = span_of_days(first or FIRST_DAY, last or LAST_DAY, self.centre.time_zone)
        self._check_days(first, last)
        some = self.window(*span)
        return replace(some, snapshot=replace(some.snapshot, window=Window(str(first or "first"), str(last or "last"))))

    def _check_days(self, first: date | None, last: date | None) -> None:
        extent, zone = self.snapshot.interval, zone_of(self.centre.time_zone)
        if extent is None or extent.start is None or extent.end is None:
            return
        start, end = (datetime.fromisoformat(at).astimezone(zone).date() for at in (extent.start, extent.end))
        if (first is not None and first > end) or (last is not None and last < start):
            raise InvalidScenario(
                f"there are no interactions in these days; the data hold {start} to {end}, so choose days among those"
            )
