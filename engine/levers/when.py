"""When a lever holds: days of the week and a span of local time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

import numpy as np
import polars as pl

from engine.errors import InvalidScenario
from engine.setting import shown
from engine.typing import BoolArray, IntArray

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KEYS = ("weekdays", "from", "to")
_DAY_MIN = 24 * 60


@dataclass(frozen=True)
class When:
    """Days of the week and a span of local time.

    Parameters
    ----------
    weekdays : tuple of str
        Of `WEEKDAYS`; empty for all.
    from_min, to_min : int
        Minutes since midnight, the second excluded; a span that ends before it begins goes over midnight and belongs
        to the day on which it began. [min]
    """

    weekdays: tuple[str, ...] = ()
    from_min: int = 0
    to_min: int = _DAY_MIN

    @classmethod
    def of(cls, given: object) -> When:
        """From plain values, as a scenario file holds them.

        Keys weekdays (a list of mon to sun), from and to (HH:MM; 24:00 ends the day), each optional.

        Refuses any other key, day or time, and a span of no length.

        Examples
        --------
        >>> When.of({"weekdays": ["fri", "mon"], "from": "08:00", "to": "12:00"})
        When(weekdays=('mon', 'fri'), from_min=480, to_min=720)
        """
        if not isinstance(given, Mapping) or not set(given) <= set(KEYS):
            raise InvalidScenario(f"when is {shown(given)}; use a table of {', '.join(KEYS)}")
        days = given.get("weekdays", ())
        if not isinstance(days, list | tuple) or any(not isinstance(day, str) or day not in WEEKDAYS for day in days):
            raise InvalidScenario(f"weekdays is {shown(days)}; use a list of {', '.join(WEEKDAYS)}")
        from_min, to_min = _minutes("from", given.get("from", "00:00")), _minutes("to", given.get("to", "24:00"))
        if from_min == to_min:
            raise InvalidScenario(f"when from {given.get('from')} to {given.get('to')} is no time; use two times")
        return cls(tuple(day for day in WEEKDAYS if day in days), from_min, to_min)

    def plain(self) -> dict[str, Any]:
        """What `of` reads."""
        clock = {"from": self.from_min, "to": self.to_min}
        said: dict[str, Any] = {name: f"{at // 60:02}:{at % 60:02}" for name, at in clock.items()}
        return ({"weekdays": list(self.weekdays)} if self.weekdays else {}) | said

    def holds(self, at_us: IntArray, time_zone: str) -> BoolArray:
        """Whether it holds at each instant.

        Parameters
        ----------
        at_us : (n,) array of int64
            Instants. [us since 1970, UTC]
        time_zone : str
            IANA zone of the centre.

        Returns
        -------
        (n,) array of bool

        Examples
        --------
        >>> at_us = np.array([0, 13]) * 3_600_000_000  # a Thursday, one o'clock in the night and two after noon
        >>> When.of({"weekdays": ["thu"], "from": "08:00"}).holds(at_us, "Europe/Berlin").tolist()
        [False, True]
        """
        local = pl.Series(at_us).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(time_zone).dt
        minute = (local.hour().cast(pl.Int64) * 60 + local.minute().cast(pl.Int64)).to_numpy()
        day = local.weekday().cast(pl.Int64).to_numpy() - 1
        if self.from_min < self.to_min:
            inside = (minute >= self.from_min) & (minute < self.to_min)
        else:
            inside = (minute >= self.from_min) | (minute < self.to_min)
            # After midnight the shift of the day before still runs.
            day = (day - (minute < self.to_min)) % len(WEEKDAYS)
        return inside & np.isin(day, [WEEKDAYS.index(name) for name in self.weekdays or WEEKDAYS])


def _minutes(name: str, given: object) -> int:
    if isinstance(given, str) and given == "24:00":
        return _DAY_MIN
    try:
        if isinstance(given, time):
            at = given
        elif isinstance(given, str) and len(given) == len("08:00"):
            at = time.fromisoformat(given)
        else:
            raise ValueError
    except ValueError as error:
        raise InvalidScenario(f"{name} is {shown(given)}; write a time as HH:MM, for example 08:00") from error
    return at.hour * 60 + at.minute
