"""Oddities of a data set: what no rule forbids and hardly anybody means, counted as rows come, told once.

Everything found is a sentence with how many, the first example and the way out. They stand among the assumptions of a
data set, begin with `ODD`, and every report repeats them among its warnings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import polars as pl

from engine.data.provenance import ODD
from engine.data.strangers import Strangers
from engine.data.tables import MEDIA, Tables
from engine.stopping import check

# An empty stretch between two arrivals that no closing season explains.
GAP_DAYS = 90
# A survey counts for years; one of long before the first interaction is more likely of another data set.
SURVEY_DAYS = 366
_EPOCH, _DAY_S, _HOUR_S = date(1970, 1, 1), 86_400.0, 3600.0
# From fewer times nothing is concluded about their unit.
_ENOUGH = 50


@dataclass(frozen=True)
class _Limit:
    """Seconds of one column that are odd beyond a limit; if most are beyond another, their unit is doubted."""

    column: str
    what: str
    media: tuple[str, ...]
    most_s: float
    said: str
    unit_s: float


# A message or an email may wait for days, a call may not.
_LIVE = ("voice", "chat")
LIMITS = (
    _Limit("handle_s", "handling times", MEDIA, 8 * _HOUR_S, "8 hours", 2 * _HOUR_S),
    _Limit("acw_s", "times of after-call work", MEDIA, 8 * _HOUR_S, "8 hours", 2 * _HOUR_S),
    _Limit("wait_s", "waits of calls and chats", _LIVE, _DAY_S, "a day", _HOUR_S),
    _Limit("alert_s", "alerting times", MEDIA, _HOUR_S, "an hour", 600.0),
)
# Most calls take minutes; times that mostly take less than this look like minutes themselves.
_LEAST_HANDLE_S = 10.0


@dataclass
class _Seen:
    """What was seen of one column."""

    n: int = 0
    n_positive: int = 0
    n_short: int = 0
    n_doubted: int = 0
    n_over: int = 0
    first: tuple[str, float] | None = None

    def add(self, rows: pl.DataFrame, limit: _Limit, numbers: Iterable[int]) -> None:
        """Some rows, and what `_numbers` says of them."""
        n, n_positive, n_short, n_doubted, n_over = numbers
        self.n += n
        self.n_positive += n_positive
        self.n_short += n_short
        self.n_doubted += n_doubted
        if self.first is None and n_over:
            over = rows.filter(pl.col(limit.column) > limit.most_s)
            self.first = over.select("interaction_id", limit.column).row(0)
        self.n_over += n_over

    def said(self, limit: _Limit) -> Iterator[str]:
        """What is odd about it."""
        name, enough = f"{limit.what} ({limit.column})", self.n_positive >= _ENOUGH
        if enough and 2 * self.n_doubted > self.n_positive:
            yield (
                f"more than half of the {self.n:,} {name} are longer than {_lasting(limit.unit_s)}; columns in _s are "
                "seconds: if these are milliseconds divide them by 1,000"
            )
        elif self.first is not None:
            yield (
                f"{name} longer than {limit.said}: {self.n_over:,} of {self.n:,}, first {self.first[0]!r} with "
                f"{_lasting(self.first[1])}; leave {limit.column} empty where it is not true"
            )
        if limit.column != "handle_s":
            return
        if enough and 2 * self.n_short > self.n_positive:
            yield (
                f"more than half of the {self.n:,} {name} are shorter than {_LEAST_HANDLE_S:g} s; if these are minutes "
                "multiply them by 60"
            )
        elif self.n and not self.n_positive:
            yield f"all {self.n:,} {name} are 0, so nobody is ever busy; give talk, hold and after-call work in seconds"


def _counted(limit: _Limit) -> pl.Expr:
    """Seconds of the rows that count, null in the others."""
    # Some logs write 0 s of handling for those whom nobody answered.
    counts = pl.lit(limit.column == "wait_s") | pl.col("outcome").is_in(("answered", "unknown"))
    some = pl.col("media").is_in(limit.media) & counts
    return pl.when(some).then(pl.col(limit.column)).alias(limit.column)


def _numbers(limit: _Limit) -> list[pl.Expr]:
    """How many seconds there are, and of them those above 0, short, doubted, and over the limit."""
    seconds = pl.col(limit.column)
    short = (seconds > 0) & (seconds < _LEAST_HANDLE_S)
    ways = (seconds > 0, short, seconds > limit.unit_s, seconds > limit.most_s)
    numbers = [seconds.count(), *(way.sum() for way in ways)]
    return [number.alias(f"{limit.column} {place}") for place, number in enumerate(numbers)]


def _lasting(seconds: float) -> str:
    """A time as people read it."""
    if seconds >= 2 * _DAY_S:
        return f"{seconds / _DAY_S:,.1f} days"
    return f"{seconds / _HOUR_S:,.1f} hours" if seconds >= 2 * _HOUR_S else f"{seconds:,.0f} s"


@dataclass
class Oddities:
    """What is odd about interactions, batch by batch, and about the tables beside them.

    Parameters
    ----------
    strangers : Strangers
        Who answered, known or not.
    """

    strangers: Strangers = field(default_factory=Strangers)
    _seen: dict[str, _Seen] = field(init=False, default_factory=lambda: {limit.column: _Seen() for limit in LIMITS})
    # Interactions of each UTC day, and the first of them.
    _days: dict[int, tuple[int, str]] = field(init=False, default_factory=dict)
    _n_acw: int = field(init=False, default=0)
    _first_acw: str = field(init=False, default="")

    def add(self, interactions: pl.DataFrame) -> None:
        """Look at some rows.

        Parameters
        ----------
        interactions : polars.DataFrame
            Checked rows of the table, in any order.
        """
        check()
        self.strangers.add(interactions)
        # All columns at once: of few rows one question costs as much as thirty.
        more = (pl.col("acw_s") > pl.col("handle_s")).fill_null(False)
        rows = interactions.select("interaction_id", *map(_counted, LIMITS), more=more)
        found = iter(
            rows.select(pl.col("more").sum(), *(number for limit in LIMITS for number in _numbers(limit))).row(0)
        )
        n_more = next(found)
        if n_more and not self._n_acw:
            self._first_acw = str(rows["interaction_id"].filter(rows["more"])[0])
        self._n_acw += n_more
        for limit in LIMITS:
            self._seen[limit.column].add(rows, limit, islice(found, 5))
        days = interactions.group_by(day=pl.col("arrived_at").dt.epoch("d")).agg(
            pl.len(), pl.col("interaction_id").sort_by("arrived_at").first()
        )
        for day, n, first in days.iter_rows():
            before = self._days.get(day)
            self._days[day] = (n, first) if before is None else (before[0] + n, before[1])

    def said(self, tables: Tables) -> list[str]:
        """Everything odd, in words.

        Parameters
        ----------
        tables : Tables
            Beside the interactions that were added; their own rows are not looked at.

        Returns
        -------
        list of str
            Each begins with `ODD`, but what is said of agents who are not known.

        Raises
        ------
        InvalidTable
            If more than 1 % of the answered interactions name agents who are not known.

        Examples
        --------
        >>> from engine.data.checks import check
        >>> call = {"interaction_id": ["i"], "queue_id": ["q"], "arrived_at": [datetime(2026, 3, 2, tzinfo=UTC)],
        ...         "agent_id": ["a"], "handle_s": [259200.0]}
        >>> rows, agents = check("interactions", pl.DataFrame(call)), check("agents", pl.DataFrame({"agent_id": ["a"]}))
        >>> odd = Oddities()
        >>> odd.add(rows)
        >>> odd.said(Tables(agents=agents, interactions=rows))[0][:90]
        "odd: handling times (handle_s) longer than 8 hours: 1 of 1, first 'i' with 3.0 days; leave"
        """
        found = [said for limit in LIMITS for said in self._seen[limit.column].said(limit)]
        if self._n_acw:
            found.append(
                f"after-call work (acw_s) longer than handling as a whole (handle_s): {self._n_acw:,}, first "
                f"{self._first_acw!r}; handle_s is talk, hold and after-call work together"
            )
        found += [*self._gaps(), *self._beside(tables), *_long_blocks(tables)]
        return [*self.strangers.said(tables.agents), *(ODD + said for said in found)]

    def _gaps(self) -> Iterator[str]:
        """Arrivals far away from all others."""
        days = sorted(self._days)
        gaps = [(later - day, day, later) for day, later in pairwise(days)]
        long = [gap for gap in gaps if gap[0] > GAP_DAYS]
        if not long:
            return
        length, day, later = max(long)
        before = sum(self._days[each][0] for each in days if each <= day)
        after = sum(self._days[each][0] for each in days) - before
        n, side, start = (before, "before", days[0]) if before <= after else (after, "after", later)
        more = f"; {len(long) - 1} more such gaps" if len(long) > 1 else ""
        yield (
            f"interactions {side} a gap of {length:,} days without any arrival: {n:,} of {before + after:,}, first "
            f"{self._days[start][1]!r} on {_date(start)}; if that is a mistake correct arrived_at, else choose "
            f"the days that belong together (--from, --to){more}"
        )

    def _beside(self, tables: Tables) -> Iterator[str]:
        """Tables that lie wholly outside the days of the interactions."""
        if not self._days:
            return
        first, last = _date(min(self._days)), _date(max(self._days))
        # Days are those of UTC here, and local ones may reach a day further.
        start, end = _midnight(first) - timedelta(days=1), _midnight(last) + timedelta(days=2)
        span = f"the interactions ({first} to {last})"
        for name, then in (("staffing", "nobody is on queue then"), ("busy", "none of it counts")):
            blocks: pl.DataFrame = getattr(tables, name)
            if blocks.height and blocks.filter(pl.col("start_at") < end, pl.col("end_at") > start).is_empty():
                yield f"{name} ({_range(blocks, 'start_at', 'end_at')}) lies outside the days of {span}: {then}"
        surveys = tables.surveys
        if not surveys.height:
            return
        at = pl.col("completed_at")
        if surveys.filter(at < end).is_empty():
            yield (
                f"all surveys ({_range(surveys, 'completed_at', 'completed_at')}) were completed after {span}: as of "
                "their days no agent has one"
            )
        elif surveys.filter(at >= start - timedelta(days=SURVEY_DAYS)).is_empty():
            yield (
                f"all surveys ({_range(surveys, 'completed_at', 'completed_at')}) were completed more than a year "
                f"before {span}"
            )


def _long_blocks(tables: Tables) -> Iterator[str]:
    long = tables.staffing.filter(pl.col("end_at") - pl.col("start_at") > timedelta(days=1))
    if long.height:
        row: dict[str, Any] = long.row(0, named=True)
        yield (
            f"blocks of staffing longer than a day: {long.height:,} of {tables.staffing.height:,}, first of "
            f"{row['agent_id']!r}: {row['start_at']:%Y-%m-%d %H:%M} to {row['end_at']:%Y-%m-%d %H:%M} UTC"
        )


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _range(frame: pl.DataFrame, first: str, last: str) -> str:
    start, end = frame.select(pl.min(first).dt.date(), pl.max(last).dt.date().alias("end")).row(0)
    return f"{start} to {end}"
