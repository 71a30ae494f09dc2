"""The rows of one table out of all sheets that a profile reads for it, each with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.data.tables import TABLES, TEXTS
from engine.errors import InvalidTable, MissingInput
from engine.texts import short
from ingest.exports.profile.patterns import taken
from ingest.exports.profile.profile import Part, Profile
from ingest.exports.shaping.cells import Cells, Refused, named_alone
from ingest.exports.shaping.clock import WALL, aligned
from ingest.files.frames import Framed
from ingest.files.problems import Findings, Origin
from ingest.sheets.blocks import Lines
from ingest.sheets.sheet import Sheet

# Place of each row in the origin, beside the columns of the table.
ROW = "row"
# Columns that files bring beyond those of our tables.
BESIDES: dict[str, dict[str, pl.DataType]] = {
    "agents": {"queues": TEXTS, "email": pl.String()},
    "queues": {"service_level": pl.String(), "media": pl.String()},
    "staffing": {"date": WALL, "span": pl.String(), "breaks": pl.String(), "activity": pl.String()},
    "volumes": {
        "start_at": WALL, "queue_id": pl.String(), "media": pl.String(), "offered": pl.Float64(),
        "answered": pl.Float64(), "abandoned": pl.Float64(), "handle_s": pl.Float64(), "wait_s": pl.Float64(),
    },
}  # fmt: skip
# What is said to be not used, and what is said elsewhere.
UNUSED = ("opening_hours",)


@dataclass
class Rows:
    """Rows of one table, with where they come from and what is wrong in their cells.

    `frame` has the columns of the table that the files bring, some of their own, and `ROW`.
    """

    table: str
    frame: pl.DataFrame
    origin: Origin
    refused: list[tuple[Refused, Lines]]  # With the places of the cells in the origin
    n_left_out: int = 0
    said: Sequence[str] = ()

    def __contains__(self, column: str) -> bool:
        return column in self.frame.columns

    def refuse(self, column: str, remedy: str, bad: pl.Series) -> None:
        """Refuse the cells of a column of ours in which something is true, said by the column of the file."""
        if bad.any():
            found = self.frame.filter(bad)
            places = found[ROW].to_numpy().astype(np.int64)
            self.refused.append((Refused(column, remedy, places, found[column].head(1)), places))

    def called(self, column: str) -> str:
        """Files and column as the files call it."""
        names = dict.fromkeys(theirs.get(column, column) for theirs in self.origin.columns)
        said = " or ".join(f'"{short(name, 60)}"' for name in names)
        return f"{', '.join(map(short, self.origin.sources))}, column {said}"

    def rewritten(self, column: str, meant: Mapping[str, str]) -> None:
        """Put what is meant in the place of texts."""
        changed = {text: name for text, name in meant.items() if text != name}
        if changed:
            self.frame = self.frame.with_columns(pl.col(column).replace(changed))

    def texts(self, column: str) -> list[str]:
        """Distinct texts of a column, none where it is not there."""
        return self.frame[column].drop_nulls().unique(maintain_order=True).to_list() if column in self else []

    def framed(self, columns: Sequence[str]) -> Framed:
        """The rows as a source of the table, those with a refused cell left out."""
        findings = Findings(", ".join(self.origin.sources), self.origin)
        bad = np.zeros(self.origin.line.size, bool)
        for refused, places in self.refused:
            bad[places] = True
            findings.cells(refused.column, refused.remedy, places, refused.value)
        places = self.frame[ROW].to_numpy().astype(np.int64)
        frame = self.frame.select([name for name in columns if name in self.frame.columns])
        if bad.any():
            frame, places = frame.filter(~bad[places]), places[~bad[places]]
        return Framed(frame, findings, places)

    @property
    def problems(self) -> list[str]:
        """Refused cells in words."""
        return self.framed(self.frame.columns).findings.problems()


def read_rows(table: str, sources: Sequence[tuple[Part, Sheet]], time_zone: str | None) -> Rows | None:
    """All rows that a profile reads for a table, None where it reads none."""
    known = named_alone(sources) if table == "agents" and any(part.table == table for part, _ in sources) else {}
    pieces = [(part, Cells(part, sheet, time_zone, known)) for part, sheet in sources if part.table == table]
    if not pieces:
        return None
    frames = [_typed(table, part, cells) for part, cells in pieces]
    sizes = [cells.lines.size for _, cells in pieces]
    firsts = np.cumsum([0, *sizes])
    origin = joined([cells.origin for _, cells in pieces])
    refused = [
        (each, first + each.rows)
        for (_, cells), first in zip(pieces, firsts.tolist(), strict=False)
        for each in cells.refused
    ]
    said = [sentence for _, cells in pieces for sentence in cells.said]
    frame = pl.concat(_by_one_clock(frames, time_zone), how="diagonal_relaxed").with_row_index(ROW)
    return Rows(table, frame, origin, refused, sum(cells.n_left_out for _, cells in pieces), said)


def _by_one_clock(frames: Sequence[pl.DataFrame], time_zone: str | None) -> list[pl.DataFrame]:
    """Frames whose columns of times have one type each: files may differ in whether they name a zone."""
    if len(frames) < 2:
        return list(frames)
    found = list(frames)
    times = {name for frame in frames for name in frame.columns if isinstance(frame[name].dtype, pl.Datetime)}
    for name in times:
        having = [n for n, frame in enumerate(found) if name in frame.columns]
        for n, column in zip(having, aligned([found[n][name] for n in having], time_zone), strict=True):
            found[n] = found[n].with_columns(column)
    return found


def joined(origins: Sequence[Origin]) -> Origin:
    """Where rows come from that are put one below another."""
    firsts = np.cumsum([0, *(len(origin.sources) for origin in origins)]).tolist()
    return Origin(
        tuple(name for origin in origins for name in origin.sources),
        np.concatenate([first + origin.source for first, origin in zip(firsts, origins, strict=False)]),
        np.concatenate([origin.line for origin in origins]),
        tuple(columns for origin in origins for columns in origin.columns),
    )


def _typed(table: str, part: Part, cells: Cells) -> pl.DataFrame:
    types = (TABLES[table].schema() if table in TABLES else {}) | BESIDES.get(table, {})
    columns = cells.side_by_side({ours: types[ours] for ours in part.columns if ours in types})
    if unknown := [ours for ours in part.columns if ours not in types and ours not in UNUSED]:
        raise InvalidTable(
            f"{cells.name}: the profile fills a column {short(unknown[0], 40)!r} of {table}, which has none; it has "
            + ", ".join(types)
        )
    return pl.DataFrame(columns) if columns else pl.DataFrame()


def sources(profile: Profile, sheets: Sequence[Sheet]) -> list[tuple[Part, Sheet]]:
    """Which part of the profile reads which sheet; what matches nothing is refused."""
    found = [(part, sheet) for part in profile.parts for sheet in taken(part, sheets)]
    read = {id(part) for part, _ in found}
    if missing := [part for part in profile.parts if id(part) not in read]:
        given = ", ".join(short(sheet.name) for sheet in sheets) or "no file"
        raise MissingInput(
            *(
                f"the profile takes {part.table} from {' or '.join(part.files)}, and no such file is among those "
                f"given: {given}; give it, or name the file in the profile"
                for part in missing
            )
        )
    return found
