"""One input file to one checked table, or everything that is wrong with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from engine.data.checks import check, shorten, type_words
from engine.data.tables import CAPACITIES, INTERRUPTIONS, PREFERRED, RATED, TABLES, TEXTS, TIME
from engine.errors import InvalidTable
from engine.memory import Need
from engine.methods.settings import problems_of
from engine.typing import IntArray
from ingest.files.cells.cells import Cells
from ingest.files.cells.interruptions import interruptions
from ingest.files.cells.list_cells import pairs, texts
from ingest.files.cells.plain_cells import number, truth, whole_number, word
from ingest.files.cells.quick import quick
from ingest.files.cells.time_cells import moment
from ingest.files.clock_back import settled
from ingest.files.columns import Header, dropped_sentence, read_header
from ingest.files.csv_blocks import CsvFile
from ingest.files.frames import Framed, FramedFile, FrameFile
from ingest.files.kinds import CSV, SHEET, kind_of
from ingest.files.problems import Findings
from ingest.files.reading import Reading
from ingest.files.scale import with_scale
from ingest.files.sheet_files import SheetFile
from ingest.files.whole_files import Source, WholeFile
from ingest.sheets.blocks import Block, Lines
from ingest.sheets.columnar.arrow_blocks import ArrowFile
from ingest.workers import MEMORY

# The rows of all blocks, and all of them in one piece; what is less needs no room to be asked for. [byte]
COPIES, WORTH_ASKING = 2, 256 << 20
# How cells become values, by the type of the column.
READERS: dict[pl.DataType, Callable[[Cells], pl.Series]] = {
    pl.String(): word,
    pl.Float64(): number,
    pl.Int32(): whole_number,
    pl.Int64(): whole_number,
    pl.Boolean(): truth,
    TIME: moment,
    TEXTS: texts,
    RATED: pairs,
    CAPACITIES: pairs,
    INTERRUPTIONS: interruptions,
    PREFERRED: pairs,
}


@dataclass(frozen=True)
class FileTable:
    """A table read from a file."""

    name: str  # Key of `engine.data.tables.TABLES`
    frame: pl.DataFrame  # Checked rows, all columns of the table, in the order of the file
    given: tuple[str, ...]  # Columns that the file brought
    repairs: dict[str, int]  # What was put right, and how often
    assumptions: tuple[str, ...]  # What was not stored, or is not known for certain
    queues_of_agent: pl.DataFrame | None = None  # Rows `queue_id, agent_id` when agents came with a column `queues`


def read_file_table(name: str, source: Path | Any, reading: Reading, progress: Callable[[float], None]) -> FileTable:
    """Read and check a file, or a frame in its place.

    `InvalidTable` names all its problems, up to 20 and a count of the rest.
    """
    findings = _findings(name, source)
    file = _opened(name, source, findings)
    try:
        return _read_table(name, file, findings, reading, progress)
    except InvalidTable as error:
        if not (isinstance(file, CsvFile | ArrowFile) and findings.columns):
            raise
        seen = _findings(name, source)
        try:
            first = _opened(name, source, _findings(name, source))
            whole = WholeFile(name, first, _opened(name, source, seen), findings.columns)
            return _read_table(name, whole, seen, reading, progress)
        except InvalidTable as again:
            # What the whole column settled is no mistake; of what stays the first words hold.
            raise (again if seen.columns < findings.columns else error) from None


def _read_table(
    name: str, file: Source, findings: Findings, reading: Reading, progress: Callable[[float], None]
) -> FileTable:
    header = read_header(name, file.names, findings)
    if not header.kept:
        raise InvalidTable(*shorten(findings.problems()))
    blocks: list[_Typed] = []
    n_rows = n_bytes = 0
    for block in file.blocks({place: column.name for place, column in header.kept.items()}):
        blocks.append(_typed(block, header, findings, reading))
        n_rows += block.lines.size
        n_bytes += int(blocks[-1].frame.estimated_size())
        _check_room(name, findings.source, n_rows, n_bytes, block.share)
        progress(block.share)
    if not n_rows and not findings:
        raise findings.stop("there is a header but no row; add rows, or leave the file out")
    rows = pl.concat([block.frame for block in blocks]) if blocks else None
    said = list(file.notes) if isinstance(file, SheetFile) else []
    if rows is not None and reading.time_zone is not None:
        rows, settled_as = settled(name, rows, _places(blocks), reading.time_zone, findings)
        said += settled_as
    if name == "interactions" and rows is not None:
        rows = with_scale(rows, reading.scale, findings)
    return _checked(name, header, rows, [block.lines for block in blocks], findings, said)


def _check_room(name: str, source: str, n_rows: int, n_bytes: int, share: float) -> None:
    """Refuse a file whose rows will not fit into memory, as soon as the first of them tell how large they are."""
    rows, needed = (round(each / max(share, 1e-6)) for each in (n_rows, COPIES * n_bytes))
    if needed > WORTH_ASKING:
        timed = any(column.dtype == TIME for column in TABLES[name].columns)
        remedy = "import fewer days at a time" if timed else "leave out what is no row of it, or close other programs"
        MEMORY.check(Need(needed, f"{source}: reading {rows:,} rows", remedy))


def _findings(name: str, source: Path | Any) -> Findings:
    if isinstance(source, Framed):
        return source.findings
    return Findings(source.name if isinstance(source, Path) else name)


def _opened(name: str, source: Path | Any, findings: Findings) -> CsvFile | SheetFile | ArrowFile | FramedFile:
    if isinstance(source, Framed):
        return FramedFile(source)
    if not isinstance(source, Path):
        return FrameFile(source, findings)
    kind = kind_of(source)
    if kind == SHEET:
        return SheetFile(name, source, findings)
    return CsvFile(source, findings) if kind == CSV else ArrowFile(source, kind, findings.stop)


@dataclass(frozen=True)
class _Typed:
    """Rows of a block as values."""

    frame: pl.DataFrame
    lines: Lines
    twice: dict[str, pl.Series]  # By column of times: which a clock shows twice


def _places(blocks: Sequence[_Typed]) -> dict[str, IntArray]:
    """Places of the times that a clock shows twice, among the rows of all blocks, by column."""
    first, found = 0, defaultdict[str, list[IntArray]](list)
    for block in blocks:
        for name, twice in block.twice.items():
            found[name].append(first + np.flatnonzero(twice.to_numpy()))
        first += block.frame.height
    return {name: np.concatenate(places) for name, places in found.items()}


def _typed(block: Block, header: Header, findings: Findings, reading: Reading) -> _Typed:
    """The cells of a block as values; rows that lost a required one to a mistake are left out."""
    columns: list[pl.Series] = []
    twice: dict[str, pl.Series] = {}
    sound = pl.repeat(True, block.lines.size, dtype=pl.Boolean, eager=True)
    every = [
        Cells(
            column,
            block.frame[column.name],
            block.lines,
            findings,
            reading.time_zone,
            reading.separators,
            block.is_plain,
        )
        for column in header.kept.values()
    ]
    with ThreadPoolExecutor() as pool:
        quickly = list(pool.map(lambda cells: quick(cells, READERS[cells.column.dtype]), every))
    for cells, found in zip(every, quickly, strict=True):
        column = cells.column
        columns.append(_read(cells) if found is None else found.alias(column.name))
        if cells.twice is not None and cells.twice.any():
            twice[column.name] = cells.twice & ~cells.refused
        if column.required:
            sound &= ~cells.refused
    frame = pl.DataFrame(columns)
    if sound.all():
        return _Typed(frame, block.lines, twice)
    kept = {name: marks.filter(sound) for name, marks in twice.items()}
    return _Typed(frame.filter(sound), block.lines[sound.to_numpy()], kept)


def _read(cells: Cells) -> pl.Series:
    """Cells as values; what no rule foresaw ends the file instead of the program."""
    column = cells.column
    try:
        return READERS[column.dtype](cells).alias(column.name)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OverflowError) as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise cells.findings.stop(
            f"column {column.name} of {type_words(cells.raw.dtype)} cannot be read ({reason}); write it as text"
        ) from error


def _checked(
    name: str, header: Header, frame: pl.DataFrame | None, lines: list[Lines], findings: Findings, said: Sequence[str]
) -> FileTable:
    problems = findings.problems()
    given = tuple(column for column in (() if frame is None else frame.columns) if column in TABLES[name].names)
    if frame is not None and not header.missing:
        try:
            place = findings.place(np.concatenate(lines))
            table = check(name, frame.select(given), place)
            problems += problems_of(table, place) if name == "queues" else ()
        except InvalidTable as error:
            problems += error.problems
    if problems:
        raise InvalidTable(*shorten(problems))
    dropped = [dropped_sentence(findings.source, name, header.dropped)] if header.dropped else []
    return FileTable(name, table, given, findings.repairs, (*dropped, *said), _queues_of_agent(frame))


def _queues_of_agent(frame: pl.DataFrame | None) -> pl.DataFrame | None:
    if frame is None or "queues" not in frame.columns:
        return None
    return frame.select(queue_id="queues", agent_id="agent_id").explode("queue_id").drop_nulls("queue_id")
