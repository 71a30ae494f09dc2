"""The columns of one sheet as values, where a profile says that they come from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import polars as pl

from engine.data.tables import RATED, TEXTS
from engine.errors import InvalidTable
from engine.texts import short
from ingest.exports.profile.profile import (
    Between,
    Copied,
    Filled,
    From,
    Joined,
    Named,
    Part,
    Same,
    Shifted,
    Spread,
    Summed,
)
from ingest.exports.shaping.clock import WALL, aligned, lengths
from ingest.files.problems import Origin
from ingest.sheets.blocks import Lines
from ingest.sheets.sheet import Sheet
from ingest.values.clocks import read_clocks
from ingest.values.durations import read_durations
from ingest.values.marks import read_marks
from ingest.values.numbers import read_numbers
from ingest.values.rated import read_names
from ingest.values.texts import is_nothing, plain
from ingest.values.times import join, read_times

FULL_LEVEL = 5.0
# Columns of cells that are what they are, and are not names.
WRITTEN = ("interaction_id", "conversation_id", "survey_id", "span", "breaks")
# Columns of other tables with what those of agents list; a skill is often called as its queue.
NAMED_ALONE = {
    "skills": ("skills",), "language": ("languages",), "queue_id": ("queues", "skills"),
    "queue_name": ("queues", "skills"),
}  # fmt: skip
_NO_TIME = "must be a time; the column holds {words}"
_NO_DURATION = "must be a duration such as 0:03:20, or a number"
_NO_NUMBER = "must be a number"
_NO_NAMES = "must be names, as in billing (3), tech (2)"
_NO_LEVEL = "must be a level from 0 to 5, a mark such as x, or empty"
_NO_CLOCK = "must be a time of day such as 08:30"
SCALED = "{name}: levels of {ours} run from {scale} and were brought to 0 to 5"
DAY_S = 86_400.0
_EPOCH = datetime(1970, 1, 1)
# Cells of a column that tell what it holds.
_LOOKED_AT = 1_000
_INTERVAL = r"(\d{1,2}[:.h]\d{2}(?:[:.]\d{2})?)\s*(?:-|\x{2013}|bis|to|until)\s*\d{1,2}[:.h]\d{2}.*$"
_NO_JOINED = "must be a date and a time of day"


@dataclass(frozen=True)
class Refused:
    """Cells of one column of a sheet that share a mistake."""

    column: str  # As the file calls it, in quotes, or one of ours
    remedy: str
    rows: Lines  # Places among the rows that are read
    value: pl.Series  # The first of them


class Read(Protocol):
    """What a reader of values gives."""

    @property
    def values(self) -> pl.Series:
        """One for each cell, null where refused."""

    @property
    def refused(self) -> pl.Series:
        """Which cells are no such value."""

    @property
    def words(self) -> str:
        """How they are written."""


class Cells:
    """The rows of one sheet that a part reads, with what is wrong in them."""

    def __init__(
        self, part: Part, sheet: Sheet, time_zone: str | None = None, known: Mapping[str, Collection[str]] | None = None
    ) -> None:
        self.part, self.sheet, self.name, self.time_zone = part, sheet, sheet.name, time_zone
        self.known = known or {}  # By column of ours: names that stand alone in other files
        wanted = {name for source in part.columns.values() for name in columns_of(source)} | set(part.only)
        # A side of a span may be our own arrival.
        if missing := [name for name in wanted if name not in sheet.frame.columns and name not in part.columns]:
            raise InvalidTable(*(_missing(name, sheet) for name in sorted(missing)))
        keep = _only(part.only, sheet.frame)
        self.n_left_out = int((~keep).sum())
        self.frame, self.lines, self.origin = sheet.frame, sheet.rows, origin_of(sheet, self.theirs())
        if self.n_left_out:
            kept = np.flatnonzero(keep.to_numpy())
            self.frame, self.lines, self.origin = sheet.frame.filter(keep), sheet.rows[kept], self.origin.gather(kept)
        self.refused: list[Refused] = []
        self.said: list[str] = []  # Assumptions

    def __contains__(self, ours: str) -> bool:
        return ours in self.part.columns

    def theirs(self) -> dict[str, str]:
        """How the file calls what a column of ours is made of."""
        named = {ours: self._named(ours) for ours in self.part.columns}
        return {ours: theirs for ours, theirs in named.items() if theirs}

    def column(self, ours: str, dtype: pl.DataType) -> pl.Series:
        """A column of ours as values of its type."""
        if isinstance(dtype, pl.Datetime):
            return self.times(ours)
        if dtype == RATED:
            return self.rated(ours)
        if dtype == TEXTS:
            return self.names(ours)
        if dtype.is_numeric():
            return self.seconds(ours) if ours.endswith("_s") else self.numbers(ours)
        return self.texts(ours)

    def side_by_side(self, wanted: Mapping[str, pl.DataType]) -> list[pl.Series]:
        """Several columns of ours at once; what is wrong in them is noted in their order."""
        own = {ours: self._alone() for ours in wanted}
        with ThreadPoolExecutor() as pool:
            found = list(pool.map(lambda ours: own[ours].column(ours, wanted[ours]).alias(ours), wanted))
        for cells in own.values():
            self.refused += cells.refused
            self.said += cells.said
        return found

    def _alone(self) -> Cells:
        """The same rows, with notes of their own."""
        other = copy(self)
        other.refused, other.said = [], []
        return other

    def texts(self, ours: str) -> pl.Series:
        """Texts, numbers among them as people write them; what the profile knows by its meaning."""
        source = self.part.columns[ours]
        if isinstance(source, Same):
            return self._same(source.value)
        if isinstance(source, Named):
            parts = [as_text(self.frame[name]) for name in source.columns]
            joined = pl.select(pl.concat_str([pl.lit(part) for part in parts], separator=" ", ignore_nulls=True))
            return meant(joined.to_series().replace("", None), self.part.values.get(ours))
        if isinstance(source, Between):
            return self._span(source)
        if isinstance(source, Filled):
            is_filled = told(self.frame[source.column]).is_not_null()
            then, otherwise = self._same(source.then), self._same(source.otherwise)
            return then.zip_with(is_filled, otherwise)
        cells = self.frame[self._single(ours)]
        if ours in self.part.values or ours in WRITTEN:
            return meant(as_text(cells), self.part.values.get(ours))
        return told(cells)

    def times(self, ours: str) -> pl.Series:
        """Times as clocks showed them, or in UTC where the file says so."""
        source = self.part.columns[ours]
        if isinstance(source, Joined):
            found = join(self.frame[source.date], self._first(self.frame[source.clock]), self.part.dates)
            self.refuse(self._named(ours), _NO_JOINED, found.refused, self.frame[source.clock])
            return found.values
        if isinstance(source, Shifted):
            shift_s = self._sum(source.plus, source.less, ours).fill_null(0.0)
            shift = pl.DataFrame({"s": shift_s}).select(lengths(pl.col("s"))).to_series()
            return self._times(source.time) + shift
        if isinstance(source, Same):
            return self._checked(self._same(source.value), ours, lambda cells: read_times(cells, self.part.dates), "")
        return self._times(self._single(ours))

    def seconds(self, ours: str) -> pl.Series:
        """Durations in seconds."""
        source = self.part.columns[ours]
        if isinstance(source, Summed):
            return self._sum(source.columns, source.less, ours)
        if isinstance(source, Between):
            between = self._between(source)
            return between + self._sum(source.plus, (), ours).fill_null(0.0) if source.plus else between
        if isinstance(source, Same):
            return read_durations(self._same(source.value), self.part.units.get(ours)).values
        return self._durations(self._single(ours), ours)

    def _sum(self, columns: Sequence[str], less: Sequence[str], ours: str) -> pl.Series:
        """Durations of a row together, null where none of those that count is there."""
        added = {str(i): self._durations(name, ours) for i, name in enumerate(columns)}
        taken = {f"-{i}": self._durations(name, ours) for i, name in enumerate(less)}
        if not added and not taken:
            return pl.repeat(0.0, self.frame.height, eager=True)
        counting = list(added or taken)
        total = pl.sum_horizontal(*added, pl.lit(0.0)) - pl.sum_horizontal(*taken, pl.lit(0.0))
        is_known = pl.any_horizontal(pl.col(name).is_not_null() for name in counting)
        return pl.DataFrame(added | taken).select(pl.when(is_known).then(total)).to_series().alias(ours)

    def _between(self, source: Between) -> pl.Series:
        """Seconds between two times; where one is a time of day alone, to the next such time after the start."""
        start = self._side(source.start)
        length_s = self._length_s(start, self._side(source.end))
        if source.otherwise is None:
            return length_s
        return length_s.zip_with(length_s.is_not_null(), self._length_s(start, self._side(source.otherwise)))

    def _length_s(self, start: pl.Series, end: pl.Series) -> pl.Series:
        if pl.Duration not in (start.dtype, end.dtype):
            start, end = aligned([start, end], self.time_zone)
            return (end - start).dt.total_microseconds() / 1e6
        length_s = (self._time_of_day(end) - self._time_of_day(start)).dt.total_microseconds() / 1e6
        return length_s + (length_s < 0).fill_null(False).cast(pl.Float64) * DAY_S

    def _time_of_day(self, side: pl.Series) -> pl.Series:
        """Since midnight by the clock on the wall."""
        if side.dtype == pl.Duration:
            return side
        local = side if side.dtype == WALL else side.dt.convert_time_zone(self.time_zone or "UTC")
        wall = local.dt.replace_time_zone(None)
        return wall - wall.dt.truncate("1d")

    def _side(self, name: str) -> pl.Series:
        """A column of times, or the time since midnight of one that holds times of day alone."""
        if name not in self.frame.columns:
            return self.times(name)
        if not self._is_clock(name):
            return self._times(name)
        return self._checked(self.frame[name], name, read_clocks, _NO_CLOCK).cast(pl.Duration("us"))

    def _span(self, source: Between) -> pl.Series:
        """Two times of a row as a span, `12:00-12:30`."""
        sides = [self._time_of_day(self._side(name)) for name in (source.start, source.end)]
        clocks = [(pl.lit(_EPOCH) + pl.col(str(n))).dt.to_string("%H:%M") for n in range(2)]
        frame = pl.DataFrame({str(n): side for n, side in enumerate(sides)})
        return frame.select(pl.concat_str(clocks, separator="-")).to_series()

    def _is_clock(self, name: str) -> bool:
        """Whether a column has times of day only."""
        if name not in self.frame.columns:
            return False
        cells = self.frame[name].drop_nulls()
        if cells.dtype == pl.Time:
            return True
        return cells.dtype == pl.String and not read_clocks(cells.head(_LOOKED_AT)).refused.any()

    def numbers(self, ours: str) -> pl.Series:
        """Plain numbers."""
        source = self.part.columns[ours]
        cells = self._same(source.value) if isinstance(source, Same) else self.frame[self._single(ours)]
        cells = meant(as_text(cells), self.part.values[ours]) if ours in self.part.values else cells
        return self._checked(cells, self._named(ours), read_numbers, _NO_NUMBER)

    def rated(self, ours: str) -> pl.Series:
        """Lists of names with levels."""
        source = self.part.columns[ours]
        if isinstance(source, Spread):
            return self._spread(source)
        return self._renamed(self._names(ours), ours)

    def names(self, ours: str) -> pl.Series:
        """Lists of names."""
        return self.rated(ours).list.eval(pl.element().struct.field("name"))

    def refuse(self, column: str, remedy: str, bad: pl.Series, cells: pl.Series) -> None:
        """Note cells that cannot be read."""
        rows = np.flatnonzero(bad.fill_null(False).to_numpy()).astype(np.int64)
        if rows.size:
            self.refused.append(Refused(f'"{short(column, 60)}"', remedy, rows, cells.gather(rows[:1])))

    def _names(self, ours: str) -> pl.Series:
        source = self.part.columns[ours]
        cells = self._same(source.value) if isinstance(source, Same) else self.frame[self._single(ours)]
        cells = cells if cells.dtype == TEXTS else as_text(cells)
        found = read_names(cells, known=self.known.get(ours, ()))
        self.refuse(self._named(ours), _NO_NAMES, found.refused, cells)
        name, level = (pl.element().struct.field(field) for field in ("name", "level"))
        if found.scale is not None and found.scale.startswith("0-"):
            level = level * (FULL_LEVEL / float(found.scale[2:]))
            self.said.append(SCALED.format(name=self.name, ours=ours, scale=found.scale.replace("-", " to ")))
        return found.values.list.eval(pl.struct(name=name, proficiency=level.fill_null(FULL_LEVEL)))

    def _renamed(self, lists: pl.Series, ours: str) -> pl.Series:
        """Names by the meaning that the profile gives them."""
        if not (meaning := self.part.values.get(ours)):
            return lists
        entry = pl.element().struct
        folded = entry.field("name").str.strip_chars().str.to_lowercase()
        named = folded.replace_strict(_folded(meaning), default=entry.field("name"), return_dtype=pl.String)
        renamed = pl.struct(name=named.replace("", None), proficiency=entry.field("proficiency"))
        return lists.list.eval(renamed.filter(pl.element().struct.field("name").is_not_null()))

    def _spread(self, source: Spread) -> pl.Series:
        levels = {name: self._level(name) for name in source.columns}
        frame = pl.DataFrame(levels)
        entries = [
            pl.when(pl.col(name) > 0).then(pl.struct(name=pl.lit(name), proficiency=pl.col(name))) for name in levels
        ]
        return frame.select(pl.concat_list(entries).list.drop_nulls()).to_series().cast(RATED)

    def _level(self, name: str) -> pl.Series:
        """Levels of a column of its own: those written, the highest for a mark, 0 for none."""
        cells = self.frame[name]
        marks, numbers = read_marks(cells), read_numbers(as_text(cells))
        # Where there is more than a 1, it is a level too.
        is_levels = float(numbers.values.fill_null(0.0).max() or 0.0) > 1  # type: ignore[arg-type]
        marked = marks.values.cast(pl.Float64) * FULL_LEVEL
        either = (numbers.values, marked) if is_levels else (marked, numbers.values)
        level = either[0].zip_with(either[0].is_not_null(), either[1])
        self.refuse(
            name, _NO_LEVEL, (cells.is_not_null() & level.is_null() & marks.refused) | (level > FULL_LEVEL), cells
        )
        return level.fill_null(0.0).alias(name)

    def _times(self, name: str) -> pl.Series:
        cells = self._first(self.frame[name])
        return self._checked(cells, name, lambda cells: read_times(cells, self.part.dates), _NO_TIME)

    def _first(self, cells: pl.Series) -> pl.Series:
        """The start of intervals such as `08:00-08:30`."""
        if self.part.table != "volumes" or cells.dtype != pl.String:
            return cells
        return cells.str.replace(_INTERVAL, "${1}")

    def _durations(self, name: str, ours: str) -> pl.Series:
        unit = self.part.units.get(ours)
        return self._checked(self.frame[name], name, lambda cells: read_durations(cells, unit), _NO_DURATION)

    def _checked(self, cells: pl.Series, name: str, read: Callable[[pl.Series], Read], remedy: str) -> pl.Series:
        found = read(cells)
        self.refuse(name, remedy.format(words=found.words), found.refused, cells)
        return found.values

    def _same(self, value: str) -> pl.Series:
        return pl.repeat(value, self.frame.height, dtype=pl.String, eager=True)

    def _named(self, ours: str) -> str:
        """What the file calls it; nothing for what is the same in all rows."""
        return " + ".join(name for name in columns_of(self.part.columns[ours]) if name in self.sheet.frame.columns)

    def _single(self, ours: str) -> str:
        source = self.part.columns[ours]
        if isinstance(source, Copied):
            return source.column
        raise InvalidTable(
            f"{self.name}: the profile makes {ours} by {type(source).__name__.lower()}, which gives no such values; "
            "name one column of the file"
        )


def named_alone(sources: Sequence[tuple[Part, Sheet]]) -> dict[str, set[str]]:
    """Skills, languages and queues of agents as the other files name them, one in a cell."""
    found: dict[str, set[str]] = {}
    for part, sheet in sources:
        for theirs, ours in NAMED_ALONE.items():
            source = part.columns.get(theirs)
            if part.table != "agents" and isinstance(source, Copied) and source.column in sheet.frame.columns:
                names = as_text(sheet.frame[source.column]).drop_nulls().unique().to_list()
                for column in ours:
                    found.setdefault(column, set()).update(names)
    return found


def origin_of(sheet: Sheet, theirs: Mapping[str, str]) -> Origin:
    """Where the rows of a sheet come from, with what its files call our columns."""
    parts = sheet.parts or ((sheet.name, sheet.frame.height),)
    source = np.repeat(np.arange(len(parts)), [n_rows for _, n_rows in parts])
    return Origin(tuple(name for name, _ in parts), source, sheet.rows, (theirs,) * len(parts))


def columns_of(source: From) -> tuple[str, ...]:
    """Columns of the file that a column of ours is made of."""
    if isinstance(source, Summed | Spread | Named):
        return source.columns + (source.less if isinstance(source, Summed) else ())
    if isinstance(source, Between):
        return (*filter(None, (source.start, source.end, source.otherwise)), *source.plus)
    if isinstance(source, Shifted):
        return (source.time, *source.less, *source.plus)
    if isinstance(source, Joined):
        return (source.date, source.clock)
    return () if isinstance(source, Same) else (source.column,)


def as_text(cells: pl.Series) -> pl.Series:
    """Cells as people see them, empty ones null: 1001 also where a file keeps 1001.0."""
    if cells.dtype == pl.String:
        return cells
    if cells.dtype.is_float():
        whole = cells.cast(pl.Int64, strict=False)
        written = whole.cast(pl.String).zip_with((whole == cells).fill_null(False), cells.cast(pl.String))
        return written.alias(cells.name)
    if cells.dtype == pl.Duration:
        return plain(cells)
    if cells.dtype == TEXTS:
        return cells.list.join(";").replace("", None)
    return cells.cast(pl.String)


def told(cells: pl.Series) -> pl.Series:
    """Cells as people see them, those that say that there is nothing (`-`, `n/a`) as empty ones."""
    texts = as_text(cells)
    nothing = is_nothing(texts)
    return texts.set(nothing, None) if nothing.any() else texts


def fold(text: str) -> str:
    """A text without case and blanks around, as values of a profile are compared."""
    return " ".join(text.casefold().split())


def _folded(meaning: Mapping[str, str]) -> dict[str, str]:
    return {fold(name): meant for name, meant in meaning.items()}


def meant(cells: pl.Series, meaning: Mapping[str, str] | None) -> pl.Series:
    """Cells by the meaning that the profile gives them, empty for none; others stay as they are."""
    if not meaning:
        return cells
    known = _folded(meaning)
    distinct = cells.drop_nulls().unique().to_list()
    changed = {text: known[fold(text)] for text in distinct if known.get(fold(text), text) != text}
    return cells.replace(changed).replace("", None) if changed else cells


def _only(only: Mapping[str, Sequence[str]], frame: pl.DataFrame) -> pl.Series:
    keep = pl.repeat(True, frame.height, dtype=pl.Boolean, eager=True)
    for name, values in only.items():
        cells, wanted = as_text(frame[name]), {fold(value) for value in values}
        kept = [text for text in cells.drop_nulls().unique().to_list() if fold(text) in wanted]
        keep &= cells.is_in(kept).fill_null("" in wanted)
    return keep


def _missing(name: str, sheet: Sheet) -> str:
    found = ", ".join(short(column, 40) for column in sheet.frame.columns[:20])
    return (
        f"{sheet.name}: the profile reads a column {short(name, 40)!r}, which is not there; found {found}; correct the "
        "profile, or give the file that it was made for"
    )
