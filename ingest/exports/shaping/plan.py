"""Shift plans: a grid of days, or rows of shifts, as spans of time on queue."""

from __future__ import annotations

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from engine.errors import InvalidTable
from engine.texts import short
from ingest.exports.profile.profile import Part
from ingest.exports.shaping.cells import Cells, Refused, as_text, columns_of, meant, origin_of
from ingest.exports.shaping.clock import WALL, aligned, lengths
from ingest.exports.shaping.rows import ROW, Rows, joined
from ingest.sheets.blocks import Lines
from ingest.sheets.sheet import Sheet
from ingest.values.durations import read_durations
from ingest.values.shifts import Spans, read_spans
from ingest.values.times import read_times

SPAN = "must be a shift such as 08:00-16:30, or a code that the profile knows under [..values.cells]"
# Of headers below others; `8-12` is a shift.
_DAY = r"^\D*(?:\d{1,2}[./]\d{1,2}[./]?(?:\d{4}|\d{2})?|\d{4}-\d{1,2}-\d{1,2}|\d{1,2}-\d{1,2}-\d{4})\D*$"
COUNTS = "{name}: rows or columns of numbers alone are counts and no shifts, left out: {n}"
OUTSIDE = "a break must lie within its shift; write minutes, or a span such as 12:00-12:30"
# Spells of the plan: whose, from when to when by the clock on the wall, and the row that says so.
SPELLS = {"agent_id": pl.String(), "start_at": WALL, "end_at": WALL, ROW: pl.UInt32()}
# Cells of a grid.
NO_CELLS = pl.DataFrame(
    schema={"agent_id": pl.String, "day": WALL, "line": pl.Int64, "cell": pl.String, "column": pl.String}
)
# What an activity of a plan means. Only the first is time on queue; the second is cut out of it.
ON_QUEUE, BREAK, AWAY = "on_queue", "break", "away"


def read_grid(sources: Sequence[tuple[Part, Sheet]], days: Sequence[date]) -> Rows | None:
    """Spells of plans with days across or down; `days` are those that headers without a year may mean."""
    grids = [_Grid(part, sheet, days) for part, sheet in sources if part.table == "shifts"]
    if not grids:
        return None
    origin = joined([grid.origin for grid in grids])
    first = 0
    refused: list[tuple[Refused, Lines]] = []
    frames: list[pl.DataFrame] = []
    for grid in grids:
        refused += [(each, first + each.rows) for each in grid.refused]
        frames.append(grid.spells.with_columns(pl.col(ROW) + first))
        first += grid.spells.height
    rows = Rows("staffing", pl.concat(frames), origin, refused, said=[said for grid in grids for said in grid.said])
    rows.frame = rows.frame.filter(pl.col("start_at").is_not_null())
    return rows


class _Grid:
    """One sheet of a plan: a line of `spells` for each span of each cell, or one without times for a refused cell."""

    def __init__(self, part: Part, sheet: Sheet, days: Sequence[date]) -> None:
        self.name, self.part = sheet.name, part
        self.refused: list[Refused] = []
        self.said: list[str] = []
        long = self._across(sheet, days) if "agent_id" in part.columns else self._down(sheet, days)
        long = long.filter(pl.col("agent_id").is_not_null() & pl.col("cell").is_not_null())
        long = self._without_counts(long)
        found = read_spans(meant(long["cell"], part.values.get("cells")))
        spans = long.with_columns(span=found.values, bad=unknown(found)).explode("span")
        spans = spans.filter(pl.col("span").is_not_null() | pl.col("bad"))
        start, end = (pl.duration(minutes=_minute(side)) for side in ("start", "end"))
        self.spells = spans.select(
            "agent_id", start_at=pl.col("day") + start, end_at=pl.col("day") + end
        ).with_row_index(ROW).select(list(SPELLS))  # fmt: skip
        agent = self.part.columns.get("agent_id")
        theirs = {"agent_id": " + ".join(columns_of(agent))} if agent else {}
        self.origin = origin_of(sheet, theirs).gather(spans["line"].to_numpy().astype(np.int64))
        self._refuse(spans)

    def _without_counts(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Cells without the rows of numbers alone that stand under plans: how many are there, how many are needed."""
        codes = [code.strip().lower() for code in self.part.values.get("cells", {})]
        is_number = pl.col("cell").str.contains(r"^\d+(?:[.,]\d+)?$") & ~pl.col("cell").str.to_lowercase().is_in(codes)
        side = "line" if "agent_id" in self.part.columns else "agent_id"
        is_counts = cells.select(is_number.all().over(side)).to_series()
        if not is_counts.any() or is_counts.all():
            return cells
        self.said.append(COUNTS.format(name=self.name, n=cells.filter(is_counts)[side].n_unique()))
        return cells.filter(~is_counts)

    def _refuse(self, spans: pl.DataFrame) -> None:
        bad = spans.with_row_index("place").filter("bad")
        for (column,), cells in bad.group_by("column", maintain_order=True):
            places = cells["place"].to_numpy().astype(np.int64)
            self.refused.append(Refused(f'"{short(str(column), 60)}"', SPAN, places, cells["cell"].head(1)))

    def _across(self, sheet: Sheet, days: Sequence[date]) -> pl.DataFrame:
        """Agents down, days across: one row for each cell. Several blocks of weeks repeat their header below."""
        cells = Cells(Part("shifts", self.part.files, {"agent_id": self.part.columns["agent_id"]}), sheet)
        agents, frame = cells.texts("agent_id"), sheet.frame
        blocks = _blocks(frame, self._days(sheet, days), self.part.dates, days)
        pieces = [
            pl.DataFrame({
                "agent_id": agents[rows], "line": np.arange(frame.height)[rows], "cell": as_text(frame[name][rows]),
                "column": [name] * len(frame[name][rows]),
            }).with_columns(day=pl.lit(day, WALL))
            for rows, by_column in blocks for name, day in by_column.items()
        ]  # fmt: skip
        return pl.concat([NO_CELLS, *pieces], how="diagonal_relaxed")

    def _down(self, sheet: Sheet, days: Sequence[date]) -> pl.DataFrame:
        """Days down, agents across."""
        source = self.part.columns["date"]
        texts = Cells(Part("shifts", self.part.files, {"agent_id": source}), sheet).texts("agent_id")
        # Cells that are times are written in full, year first.
        order = self.part.dates if sheet.frame[columns_of(source)[0]].dtype == pl.String else "ymd"
        named = header_days(texts.drop_nulls().unique(maintain_order=True).to_list(), order, days)
        day = texts.replace_strict(named, default=None, return_dtype=WALL).dt.truncate("1d")
        known = {*self.part.unused, *self.part.personal, *columns_of(source)}
        line = np.arange(sheet.frame.height)
        pieces = [
            pl.DataFrame({"day": day, "line": line, "cell": as_text(sheet.frame[name])}).with_columns(
                agent_id=pl.lit(name), column=pl.lit(name)
            )
            for name in sheet.frame.columns
            if name not in known
        ]
        return pl.concat([NO_CELLS, *pieces], how="diagonal_relaxed").filter(pl.col("day").is_not_null())

    def _days(self, sheet: Sheet, days: Sequence[date]) -> dict[str, datetime]:
        """The day of each column whose name is one."""
        known = {*self.part.unused, *self.part.personal}
        names = [name for name in sheet.frame.columns if name not in known]
        found = header_days(names, self.part.dates, days)
        if not found:
            listed = ", ".join(short(name, 30) for name in names[:10])
            raise InvalidTable(
                f"{sheet.name}: no column is named by a day; found {listed}; a plan has a column "
                "for each day, such as 02.03.2026"
            )
        return found


def header_days(names: Sequence[str], order: str | None, days: Sequence[date]) -> dict[str, datetime]:
    """Days that names of columns mean; of those without a year or month, the ones that fall into the days of the calls.

    Examples
    --------
    >>> march = [date(2026, 3, day) for day in range(1, 8)]
    >>> [str(day.date()) for day in header_days(["Name", "Mo 02.03.", "Di 03.03."], "dmy", march).values()]
    ['2026-03-02', '2026-03-03']
    >>> [str(day.date()) for day in header_days(["Mo 2", "Di 3"], None, march).values()]
    ['2026-03-02', '2026-03-03']
    """
    # Where nobody said the order, the one counts whose days are those of the contacts.
    known = {datetime(day.year, day.month, day.day) for day in days}
    tried = [_days_in(names, each, days) for each in ([order] if order else ["dmy", "mdy", "ymd"])]
    return max(tried, key=lambda found: (len(known & set(found.values())), len(found)))


def _days_in(names: Sequence[str], order: str, days: Sequence[date]) -> dict[str, datetime]:
    cells = pl.Series(names, dtype=pl.String)
    # What stands beside the date, `Mo 02.03.2026`, is no part of it.
    bare = cells.str.extract(r"(\d{1,4}[./-]\d{1,2}[./-]\d{2,4})")
    if not len(names):
        return {}
    read = read_times(cells if bare.null_count() == bare.len() else bare, order).values
    if bare.null_count() < bare.len() or read.null_count() < read.len() / 2:
        return {name: day for name, day in zip(names, read.to_list(), strict=True) if day is not None}
    return _within_days(cells, order == "mdy", days)


def _within_days(cells: pl.Series, is_month_first: bool, days: Sequence[date]) -> dict[str, datetime]:
    """Days of which names tell the number, and the month perhaps."""
    parts = cells.str.extract_groups(r"^\D*(\d{1,2})(?:[./](\d{1,2}))?[./]?\D*$").struct.unnest()
    told = [(name, *map(_whole, numbers)) for name, numbers in zip(cells, parts.iter_rows(), strict=True)]
    found = [(name, first, second) for name, first, second in told if first is not None]
    if not found or not days:
        return {}
    pairs = [
        (name, *((second, first) if is_month_first and second is not None else (first, second)))
        for name, first, second in found
    ]
    months = Counter((day.year, day.month) for day in days)
    usual = months.most_common(1)[0][0]
    years = {month: year for year, month in months}
    dated = [
        (name, day, years.get(month, usual[0]) if month else usual[0], month or usual[1]) for name, day, month in pairs
    ]
    return {name: datetime(year, month, day) for name, day, year, month in dated if _exists(year, month, day)}


def _whole(digits: str | None) -> int | None:
    return None if digits is None else int(digits)


def _exists(year: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def _blocks(
    frame: pl.DataFrame, first: dict[str, datetime], order: str | None, days: Sequence[date]
) -> list[tuple[slice, dict[str, datetime]]]:
    """Rows under each header: the first is that of the sheet, those below are rows with days in most columns."""
    names = list(first)
    texts = frame.select(as_text(frame[name]).alias(name) for name in names)
    looks = pl.any_horizontal(pl.all().str.contains(_DAY))
    candidates = np.flatnonzero(texts.select(looks.fill_null(False)).to_series().to_numpy()).tolist()
    starts, found = [0], [first]
    ends: list[int] = []
    for row in candidates:
        cells = {name: text for name, text in zip(names, texts.row(row), strict=True) if text}
        if sum(re.match(_DAY, text) is not None for text in cells.values()) <= len(cells) / 2:
            continue
        by_text = header_days(list(dict.fromkeys(cells.values())), order, days)
        named = {name: by_text[text] for name, text in cells.items() if text in by_text}
        if len(named) > len(cells) / 2:
            ends.append(row)
            starts.append(row + 1)
            found.append(named)
    return [(slice(a, b), by) for a, b, by in zip(starts, [*ends, frame.height], found, strict=True) if a < b]


def spells_of(rows: Rows, part_cells: dict[str, str] | None, time_zone: str | None) -> pl.DataFrame:
    """Spells of a plan given as rows, breaks cut out."""
    frame = rows.frame
    if "span" in rows and "date" in rows:
        frame = _from_spans(rows, part_cells)
    elif "start_at" not in rows or "end_at" not in rows:
        raise InvalidTable(
            f"{', '.join(rows.origin.sources)}: a plan needs the start and the end of each shift, or its day and span"
        )
    frame = frame.with_columns(aligned([frame["start_at"], frame["end_at"]], time_zone))
    over_night = pl.col("end_at") <= pl.col("start_at")
    frame = frame.with_columns(
        end_at=pl.when(over_night).then(pl.col("end_at") + pl.duration(days=1)).otherwise("end_at")
    )
    if "activity" in rows:
        activity = pl.col("activity").fill_null(ON_QUEUE)
        breaks = frame.filter(activity == BREAK).select("agent_id", "start_at", "end_at")
        frame = without(frame.filter(activity == ON_QUEUE), breaks)
    if "breaks" in rows:
        frame = _without_own_breaks(rows, frame)
    return frame.select([name for name in SPELLS if name in frame.columns])


def unknown(spans: Spans) -> pl.Series:
    """Cells of a plan that are neither spans nor known to mean that nobody works."""
    return spans.refused | (spans.codes.is_not_null() & spans.values.is_null() & ~spans.is_off.fill_null(False))


def _minute(side: str) -> pl.Expr:
    return pl.col("span").struct.field(f"{side}_min")


def _from_spans(rows: Rows, meaning: dict[str, str] | None) -> pl.DataFrame:
    cells = meant(rows.frame["span"], meaning)
    found = read_spans(cells)
    rows.refuse("span", SPAN, unknown(found))
    spans = rows.frame.with_columns(span=found.values).explode("span").filter(pl.col("span").is_not_null())
    day = pl.col("date").dt.truncate("1d")
    start, end = (day + pl.duration(minutes=_minute(side)) for side in ("start", "end"))
    return spans.with_columns(start_at=start, end_at=end)


def _without_own_breaks(rows: Rows, frame: pl.DataFrame) -> pl.DataFrame:
    """Spells without the breaks that their row names: spans, or minutes, which lie in the middle."""
    spans = read_spans(frame["breaks"])
    is_span = spans.values.list.len().fill_null(0) > 0
    plain = frame["breaks"].set(is_span, None)
    # `0:30` is half an hour, `30` are minutes.
    is_clock = plain.str.contains(":", literal=True).fill_null(False)
    hours, minutes = read_durations(plain.set(~is_clock, None), "h"), read_durations(plain.set(is_clock, None), "min")
    length_s = hours.values.zip_with(is_clock, minutes.values)
    bad = hours.refused | minutes.refused
    if bad.any():
        rows.refuse(
            "breaks",
            "must be minutes, or a span such as 12:00-12:30",
            rows.frame[ROW].is_in(frame.filter(bad)[ROW].implode()),
        )
    day = pl.col("start_at").dt.truncate("1d")
    timed = frame.with_columns(span=spans.values).filter(is_span).explode("span")
    timed = timed.with_columns((day + pl.duration(minutes=_minute(side))).alias(side) for side in ("start", "end"))
    is_next = pl.col("start") < pl.col("start_at")
    timed = timed.with_columns(
        pl.when(is_next).then(pl.col(side) + pl.duration(days=1)).otherwise(side).alias(side)
        for side in ("start", "end")
    )
    middle = frame.with_columns(half=lengths(pl.lit(length_s) / 2)).filter(~is_span & ~bad)
    centre = pl.col("start_at") + (pl.col("end_at") - pl.col("start_at")) / 2
    middle = middle.filter(pl.col("half") > timedelta(0)).with_columns(
        start=centre - pl.col("half"), end=centre + pl.col("half")
    )
    columns = ["agent_id", ROW, "start_at", "end_at", "start", "end"]
    breaks = pl.concat([each.select(columns) for each in (timed, middle)])
    outside = breaks.filter((pl.col("start") < pl.col("start_at")) | (pl.col("end") > pl.col("end_at")))
    rows.refuse("breaks", OUTSIDE, rows.frame[ROW].is_in(outside[ROW].implode()))
    return without(frame, breaks.select("agent_id", start_at="start", end_at="end"))


def without(spells: pl.DataFrame, breaks: pl.DataFrame) -> pl.DataFrame:
    """Spells without the breaks of their agent, in as many pieces as those leave."""
    if not breaks.height:
        return spells
    numbered = spells.with_row_index("_spell")
    cut = numbered.select("_spell", "agent_id", _start="start_at", _end="end_at").join(breaks, on="agent_id")
    cut = cut.filter((pl.col("start_at") < pl.col("_end")) & (pl.col("end_at") > pl.col("_start"))).sort(
        "_spell", "start_at"
    )
    # Between breaks: from the end of all before to the start of the next.
    before = pl.col("end_at").cum_max().shift(1).over("_spell")
    heads = cut.select("_spell", start_at=pl.coalesce(before, "_start"), end_at="start_at")
    tails = cut.group_by("_spell").agg(start_at=pl.col("end_at").max(), end_at=pl.col("_end").first())
    pieces = pl.concat([heads, tails]).filter(pl.col("start_at") < pl.col("end_at"))
    whole = numbered.filter(~pl.col("_spell").is_in(cut["_spell"].implode()))
    others = numbered.drop("start_at", "end_at")
    split = pieces.join(others, on="_spell")
    return pl.concat([whole, split.select(whole.columns)]).sort("_spell", "start_at").drop("_spell")
