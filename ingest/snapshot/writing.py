"""Writing a snapshot: batch by batch, in a hidden folder, whole or not at all.

Every file is synced and hashed, the manifest comes last, and a rename gives the folder its name.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import ipc

from engine.data.call_types import CallTypeIndex
from engine.data.carried import Carried, merged
from engine.data.checks import Place, check, complete
from engine.data.oddities import Oddities
from engine.data.tables import TABLES, Tables
from engine.data.wall_time import DAY_US
from engine.errors import CorruptSnapshot, InvalidTable
from ingest.snapshot import private
from ingest.snapshot import store as stores
from ingest.snapshot.arrow_files import DayFile, Dictionaries, finish, read_plain, write_frame
from ingest.snapshot.manifest import CODED, FILE_NAME, FileEntry, Manifest, content_id
from ingest.snapshot.manifest_reading import IMPORT_AGAIN, read_manifest

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SnapshotWriter:
    """Writes a snapshot batch by batch; nothing is visible before `commit`.

    Parameters
    ----------
    store : Path
        Folder of snapshots; made when missing.
    name : str
        Name of the new snapshot.
    source : dict
        Kind of source and what is needed to read it again.
    time_zone : str
        IANA zone of the centre.
    replace : bool
        Whether an existing snapshot of this name may be replaced.

    Raises
    ------
    SnapshotExists
        If the name is taken and `replace` is false.
    """

    def __init__(
        self, store: Path, name: str, *, source: dict[str, Any], time_zone: str, replace: bool = False
    ) -> None:
        self._store, self._name, self._may_replace = Path(store), stores.check_name(name), replace
        self._source, self._time_zone = source, time_zone
        stores.tidy(self._store)
        stores.refuse_existing(self._store, name, replace)
        self._made = private.make_folder(self._store)
        self._folder = stores.side_folder(self._store, name, "partial")
        with self._telling():
            private.make_folder(self._folder / "interactions")
        self._static: dict[str, pl.DataFrame] = {}
        self._dictionaries = Dictionaries()
        self._call_types = CallTypeIndex()
        self._days: list[FileEntry] = []
        self._open_day: tuple[int, DayFile] | None = None
        self._columns: tuple[str, ...] | None = None
        self._last: tuple[datetime, str] | None = None
        self._first: datetime | None = None
        self._assumptions: list[str] = []
        self._repairs: dict[str, int] = {}
        self._made_up: list[str] = []
        self._carried: list[Carried] = []
        self._odd = Oddities()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A day that is not finished is not closed either: on a full disk that fails again.
        self._open_day = None
        shutil.rmtree(self._folder, ignore_errors=True)
        private.remove_empty(self._made)

    def add(self, name: str, frame: pl.DataFrame) -> None:
        """Give a static table, once.

        Parameters
        ----------
        name : str
            Any table but interactions.
        frame : polars.DataFrame
            Its rows, checked here.

        Raises
        ------
        InvalidTable
            If the rows do not fit the table.
        """
        if name in self._static or name == "interactions":
            raise InvalidTable(f"{name}: give static tables once, and interactions by add_interactions")
        self._static[name] = check(name, frame)

    def assume(self, sentence: str) -> None:
        """Note an assumption in words."""
        if sentence not in self._assumptions:
            self._assumptions.append(sentence)

    def count(self, label: str, rows: int) -> None:
        """Note how many rows a repair touched; equal labels add up."""
        self._repairs[label] = self._repairs.get(label, 0) + int(rows)

    def made_up(self, table: str) -> None:
        """Note that a table was drawn from a seed, not recorded."""
        self._made_up.append(table)

    def add_interactions(self, frame: pl.DataFrame) -> None:
        """Append interactions; rows come in order of arrival, then id, within and across calls.

        Parameters
        ----------
        frame : polars.DataFrame
            Columns of the interactions table; optional ones may be missing, the same ones in every call. That
            no id comes again at a later time is for the source to see to; it alone knows all of them.

        Raises
        ------
        InvalidTable
            If a value does not fit, or the rows are out of order.
        """
        if frame.is_empty():
            return
        columns = tuple(name for name in TABLES["interactions"].names if name in frame.columns)
        self._columns = self._columns or columns
        if columns != self._columns:
            raise InvalidTable(f"interactions: every batch needs the same columns, {', '.join(self._columns)}")
        checked = check("interactions", frame)
        self._check_order(checked)
        self._odd.add(checked)
        call_type = self._call_types.codes(checked)
        # The skills of a set are kept sorted and once, as scores and call types read them.
        sets = self._call_types.frame()["skills"].gather(call_type).alias("sets")
        kept = pl.when(pl.col("skills").is_not_null()).then(sets)
        if "csat" in columns:
            utc_day = (pl.col("arrived_at").dt.epoch("us") // DAY_US).cast(pl.Int32)
            typed = checked.with_columns(call_type=pl.Series(call_type, dtype=pl.Int32), day=utc_day)
            self._carried.append(Carried.of(typed))
        codes = {name: self._dictionaries.encode(name, checked[name]) for name in columns if name in CODED}
        plain = checked.with_columns(skills=kept).select(name for name in columns if name not in CODED)
        day = checked["arrived_at"].dt.epoch("us").to_numpy() // DAY_US
        starts = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), day.size], strict=True):
            part = {name: code[start:end] for name, code in codes.items()}
            with self._telling():
                self._day_file(int(day[start])).append(plain[start:end], part, call_type[start:end])

    def commit(self) -> Manifest:
        """Finish all files and give the snapshot its name.

        Returns
        -------
        Manifest
            What was written.

        Raises
        ------
        InvalidTable
            If there are no agents, or more than 1 % of the answered interactions name others.
        SnapshotExists
            If the name was taken meanwhile.
        """
        return self._swap_in(self._finished())

    def commit_if_changed(self) -> tuple[Manifest, bool]:
        """Commit, unless the snapshot of this name holds the same already; then that one stays as it is.

        Returns
        -------
        manifest : Manifest
            Of the snapshot as it stands.
        changed : bool
            Whether it was written now.
        """
        manifest = self._finished()
        try:
            before = read_manifest(self._store / self._name)
        except CorruptSnapshot:
            return self._swap_in(manifest), True
        # Nightly runs that find nothing new must not make every reader load the same data again.
        is_same = changed(before, created=manifest.created) == manifest
        # Equal by the manifest is not enough: a damaged file is written anew.
        if is_same and all(_is_intact(self._store / self._name, entry) for entry in before.files):
            return before, False
        return self._swap_in(manifest), True

    def _telling(self) -> AbstractContextManager[None]:
        """Whoever reads of a full disk looks for the snapshot, not for a hidden file."""
        return private.told_of(self._store / self._name)

    def _finished(self) -> Manifest:
        with self._telling():
            self._close_day()
            files = [*self._write_static(), *self._days]
        files.sort(key=lambda entry: entry.path)
        rows = dict.fromkeys(TABLES, 0)
        for entry in files:
            if entry.table in rows:
                rows[entry.table] += entry.rows
        return Manifest(
            name=self._name, id=content_id(files, rows, self._dictionaries.texts), source=self._source,
            time_zone=self._time_zone, created=datetime.now(UTC).isoformat(timespec="microseconds"),
            interval={"start": _iso(self._first), "end": _iso(self._last[0] if self._last else None)},
            rows=rows, files=tuple(files), dictionaries=self._dictionaries.texts,
            assumptions=tuple(self._assumptions), repairs=self._repairs, made_up=tuple(self._made_up),
        )  # fmt: skip

    def _swap_in(self, manifest: Manifest) -> Manifest:
        # Last of all: a folder without a manifest is no snapshot.
        with self._telling():
            private.write(self._folder / FILE_NAME, manifest.to_json().encode())
            self._refuse_unreadable()
            for folder in (self._folder / "interactions", self._folder):
                private.sync(folder)
            stores.swap_in(self._store, self._name, self._folder, self._may_replace)
        return manifest

    def _refuse_unreadable(self) -> None:
        """What a reader would refuse is not written either: an import must not replace what can be read."""
        try:
            read_manifest(self._folder, name=self._name, shown=self._name)
        except CorruptSnapshot as error:
            why = str(error).removesuffix(f"; {IMPORT_AGAIN}")
            raise InvalidTable(f"{why}: this cannot be kept; import fewer days, or fewer different names") from error

    def _check_order(self, frame: pl.DataFrame) -> None:
        at, name = pl.col("arrived_at"), pl.col("interaction_id")
        later = (at > at.shift(1)) | ((at == at.shift(1)) & (name > name.shift(1)))
        wrong = frame.select(pl.arg_where(~later.fill_null(True))).to_series()
        first = (frame["arrived_at"][0], frame["interaction_id"][0])
        row = int(wrong[0]) if wrong.len() else 0
        if wrong.len() or (self._last is not None and first <= self._last):
            raise InvalidTable(
                Place("interactions").problem(
                    row, "arrived_at", str(frame["arrived_at"][row]),
                    "rows must come in order of arrived_at, then interaction_id, each id once",
                )
            )  # fmt: skip
        self._first = self._first or first[0]
        self._last = (frame["arrived_at"][-1], frame["interaction_id"][-1])

    def _day_file(self, day: int) -> DayFile:
        if self._open_day is None or self._open_day[0] != day:
            self._close_day()
            date = (EPOCH + timedelta(days=day)).date().isoformat()
            path = self._folder / "interactions" / f"{date}.arrow"
            columns = self._columns or ()
            self._open_day = (day, DayFile(path, columns, self._dictionaries))
        return self._open_day[1]

    def _close_day(self) -> None:
        if self._open_day is not None:
            file = self._open_day[1]
            file.close()
            self._days.append(finish(file.path, self._folder, "interactions", file.rows))
            self._open_day = None

    def _write_static(self) -> Iterator[FileEntry]:
        # Call types and names are known only once all interactions have come.
        call_types = self._call_types.frame()
        tables, said = complete(self._tables(call_types))
        for sentence in [*said, *self._odd.said(tables)]:
            self.assume(sentence)
        for name, frame in tables:
            if name == "surveys":
                yield self._write_table(name, self._with_carried(self._with_call_type(frame)))
            elif name != "interactions" and (frame.height or name in self._static):
                yield self._write_table(name, frame)
        yield self._write_table("call_types", call_types)

    def _tables(self, call_types: pl.DataFrame) -> Tables:
        # For `complete`, one row per call type and per named agent stands for all interactions.
        agents = pl.Series("agent_id", self._dictionaries.texts["agent_id"], dtype=pl.String)
        named = pl.concat([call_types.select("queue_id"), agents.to_frame()], how="diagonal")
        interactions = pl.concat([TABLES["interactions"].empty(), named], how="diagonal")
        return Tables.of(self._static | {"interactions": interactions})

    def _write_table(self, name: str, frame: pl.DataFrame) -> FileEntry:
        path = self._folder / f"{name}.arrow"
        write_frame(path, frame)
        return finish(path, self._folder, name, frame.height)

    def _with_carried(self, surveys: pl.DataFrame) -> pl.DataFrame:
        """Surveys with those that the interactions carry; scores of made-up interactions are made up too."""
        carried = merged(self._carried).beside(surveys)
        for sentence in carried.said():
            self.assume(sentence)
        if carried.surveys.height and "interactions" in self._made_up and "surveys" not in self._made_up:
            self.made_up("surveys")
        return pl.concat([surveys, carried.surveys]) if carried.surveys.height else surveys

    def _with_call_type(self, surveys: pl.DataFrame) -> pl.DataFrame:
        """Surveys with the call type and UTC day of their interaction, null where it is unknown."""
        wanted = surveys.select(pl.col("interaction_id").drop_nulls())
        found = [_call_types_of(self._folder / entry.path, wanted) for entry in self._days if wanted.height]
        schema = {"interaction_id": pl.String, "call_type": pl.Int32, "day": pl.Int32}
        known = pl.concat([pl.DataFrame(schema=schema), *found])
        if lost := wanted.height - wanted.join(known, on="interaction_id", how="semi").height:
            self.assume(f"{lost} surveys name an interaction that is not in this data; they count by agent only")
        return surveys.join(known, on="interaction_id", how="left", maintain_order="left")


def _is_intact(folder: Path, entry: FileEntry) -> bool:
    try:
        with (folder / entry.path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256
    except OSError:
        return False


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _call_types_of(path: Path, wanted: pl.DataFrame) -> pl.DataFrame:
    with pa.memory_map(str(path)) as source:
        table = ipc.open_file(source).read_all().select(["interaction_id", "call_type", "arrived_at"])
        frame = read_plain(table).join(wanted, on="interaction_id", how="semi")
    day = (pl.col("arrived_at").dt.epoch("us") // DAY_US).cast(pl.Int32)
    return frame.select("interaction_id", "call_type", day.alias("day"))
