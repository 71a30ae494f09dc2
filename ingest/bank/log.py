"""Read the published call log of a bank, in any of its forms, into one frame of recorded calls.

The log is the "Anonymous Bank" data of the Technion (I. Guedj and A. Mandelbaum, 2000). Its monthly text
files are read as published; extracts of it as Parquet or CSV are told apart by what is in the file.
Customer numbers are not read at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from engine.data.checks import Place, shorten
from engine.errors import InvalidTable, MissingInput
from engine.typing import Progress

PUBLISHED = (
    "vru+line", "call_id", "customer_id", "priority", "type", "date", "vru_entry", "vru_exit", "vru_time",
    "q_start", "q_exit", "q_time", "outcome", "ser_start", "ser_exit", "ser_time", "server",
)  # fmt: skip
EXTRACT = (
    "call", "day", "arrival_at", "vru_s", "queue_at", "wait_s", "service_at", "service_s", "type", "priority",
    "customer", "outcome", "agent",
)  # fmt: skip
# Customer numbers are left where they are; the other three tell nothing that is not told elsewhere.
UNREAD = ("customer_id", "customer", "day", "vru+line", "vru_exit")
DURATIONS = ("vru_time", "q_time", "ser_time", "vru_s", "wait_s", "service_s")
LINE = "\0line"
OUTCOMES = ("AGENT", "HANG", "PHANTOM")
DAY_S = 86_400
LONGEST_MENU_S = 43_200


def read_log(paths: Sequence[Path], progress: Progress | None = None) -> pl.DataFrame:
    """Read one or more files of the log.

    Times are local without zone, null where nothing happened; `rolled` says that a time was moved to the day it
    belongs to.
    """
    if not paths:
        raise MissingInput("bank log: no file was given; name the monthly text files or an extract of them")
    forms = [_form(path) for path in paths]
    if "published" in forms and set(forms) != {"published"}:
        raise InvalidTable(
            "bank log: text files as published and an extract were given together; their agents are named "
            "differently, so import one or the other"
        )
    frames = []
    for done, (path, form) in enumerate(zip(paths, forms, strict=True), start=1):
        frames.append(_read_published(path) if form == "published" else _read_extract(path, form))
        if progress is not None:
            progress("read", done, len(paths))
    return pl.concat(frames)


def _form(path: Path) -> str:
    if not path.is_file():
        raise MissingInput(f"{path}: there is no such file; give the files of the bank log one by one")
    with path.open("rb") as handle:
        start = handle.read(4096)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"PK"):
        raise InvalidTable(f"{path.name}: this is a zip archive; unpack it and give the text files in it")
    header = start.splitlines()[0].decode("latin-1").lower() if start.strip() else ""
    if "vru+line" in header:
        return "published"
    if {"call", "arrival_at", "outcome"} <= {name.strip() for name in header.split(",")}:
        return "csv"
    raise InvalidTable(
        f"{path.name}, row 1, column 1: {header[:50]!r}: no bank log; a text file starts with "
        f"{', '.join(PUBLISHED[:4])} ..., an extract with {', '.join(EXTRACT[:4])} ..."
    )


def _read_text(path: Path, separator: str) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, separator=separator, infer_schema=False, encoding="utf8-lossy", glob=False)
    except pl.exceptions.PolarsError as error:
        first = str(error).splitlines()[0]
        raise InvalidTable(f"{path.name}: a row does not fit its header: {first}; repair or remove it") from error
    frame = frame.rename({name: name.strip().lower() for name in frame.columns})
    stripped = pl.all().str.strip_chars()
    frame = frame.select(pl.when(stripped != "").then(stripped))
    # Blank lines hold no call; the others keep the line number a person sees.
    return frame.with_row_index(LINE, offset=2).filter(pl.any_horizontal(pl.exclude(LINE).is_not_null()))


def _missing(path: Path, frame: pl.DataFrame, names: Sequence[str]) -> None:
    lost = [name for name in names if name not in frame.columns]
    if lost:
        raise InvalidTable(
            f"{path.name}, row 1, column {lost[0]}: missing, found {', '.join(frame.columns)}; "
            "give the file with its header as published"
        )


def _read_published(path: Path) -> pl.DataFrame:
    with path.open("rb") as handle:
        separator = "\t" if b"\t" in handle.readline() else ","
    text = _read_text(path, separator)
    _missing(path, text, PUBLISHED)
    typed = text.select(
        "call_id", "type", "outcome", "server",
        _date().alias("date"),
        *(_clock(name) for name in ("vru_entry", "q_start", "q_exit", "ser_start", "ser_exit")),
        *(_whole(name) for name in ("priority", "vru_time", "q_time", "ser_time")),
    )  # fmt: skip
    _refuse(path, text, typed, required=[name for name in PUBLISHED if name not in UNREAD])
    queued = (pl.col("q_start") != 0) | (pl.col("q_exit") != 0) | (pl.col("q_time") != 0)
    served = (pl.col("ser_start") != 0) | (pl.col("ser_exit") != 0) | (pl.col("ser_time") != 0)
    return _placed(
        typed.select(
            pl.format("{}-{}", pl.col("date").dt.strftime("%y%m%d"), "call_id").alias("call"),
            _at("vru_entry").alias("menu_at"),
            pl.col("vru_time").alias("vru_s"),
            pl.when(queued).then(_at("q_start")).alias("queue_at"),
            pl.when(queued).then("q_time").alias("wait_s"),
            pl.when(served).then(_at("ser_start")).alias("service_at"),
            pl.when(served).then("ser_time").alias("service_s"),
            "type", "priority", "outcome",
            pl.when(pl.col("server").str.to_uppercase() != "NO_SERVER").then(pl.col("server").str.to_uppercase())
            .alias("server"),
        )
    )  # fmt: skip


def _read_extract(path: Path, form: str) -> pl.DataFrame:
    names = [name for name in EXTRACT if name not in UNREAD]
    if form == "csv":
        text = _read_text(path, ",")
    else:
        try:
            text = pl.read_parquet(path, glob=False).with_row_index(LINE)
        except (pl.exceptions.PolarsError, OSError) as error:
            first = str(error).splitlines()[0]
            raise InvalidTable(f"{path.name}: not a readable Parquet file ({first}); copy it again") from error
    _missing(path, text, names)
    schema = text.schema
    typed = text.select(
        pl.col("call").cast(pl.String),
        *(_local(name, schema[name]) for name in ("arrival_at", "queue_at", "service_at")),
        *(_whole(name) for name in ("vru_s", "wait_s", "service_s", "priority")),
        *(pl.col(name).cast(pl.String) for name in ("type", "outcome", "agent")),
    )
    _refuse(path, text, typed, required=("call", "arrival_at", "vru_s", "type", "priority", "outcome"))
    return _placed(typed.rename({"arrival_at": "menu_at", "agent": "server"}))


def _date() -> pl.Expr:
    text = pl.col("date")
    return pl.coalesce(
        text.str.to_date("%Y-%m-%d", strict=False), ("19" + text.str.zfill(6)).str.to_date("%Y%m%d", strict=False)
    )


def _clock(name: str) -> pl.Expr:
    time = pl.col(name).str.zfill(8).str.to_time("%H:%M:%S", strict=False)
    return (time.cast(pl.Int64) // 1_000_000_000).alias(name)


def _whole(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64, strict=False)


def _local(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:
        return pl.col(name).str.replace(" ", "T").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    return pl.col(name).cast(pl.Datetime("us"), strict=False)


def _at(clock: str) -> pl.Expr:
    return pl.col("date").cast(pl.Datetime("us")) + pl.duration(seconds=clock)


def _refuse(path: Path, text: pl.DataFrame, typed: pl.DataFrame, required: Sequence[str]) -> None:
    """Raise for values that could not be read, are missing, or mean nothing in this log."""
    problems = list(_problems(Place(path.name), text, typed, required))
    if problems:
        raise InvalidTable(*shorten(problems))


def _problems(place: Place, text: pl.DataFrame, typed: pl.DataFrame, required: Sequence[str]) -> Iterator[str]:
    rules = [
        ("outcome", ~pl.col("outcome").is_in(OUTCOMES), f"must be one of {', '.join(OUTCOMES)}"),
        ("type", ~pl.col("type").str.contains(r"^[A-Z]{2}$"), "must be a call type of two letters, like PS or NW"),
        ("priority", ~pl.col("priority").is_between(0, 2), "must be 0, 1 or 2"),
    ]
    rules += [
        (name, ~pl.col(name).is_between(-DAY_S, DAY_S), "must be a number of seconds within one day")
        for name in typed.columns
        if name in DURATIONS
    ]
    for name in typed.columns:
        unreadable = text[name].is_not_null() & typed[name].is_null()
        rules.append((name, pl.lit(unreadable), "cannot be read as a " + _kind(typed.schema[name])))
        if name in required:
            rules.append((name, pl.lit(text[name].is_null()), "must not be empty"))
    for name, bad, remedy in rules:
        rows = typed.select(pl.arg_where(bad.fill_null(False))).to_series()
        if rows.len():
            more = f" ({rows.len()} rows have this)" if rows.len() > 1 else ""
            row = int(rows[0])
            yield place.problem(int(text[LINE][row]), name, text[name][row], remedy + more)


def _kind(dtype: pl.DataType) -> str:
    kinds = {pl.Date: "date like 990101 or 1999-01-01", pl.Datetime: "time like 1999-01-01T08:00:00"}
    return kinds.get(dtype.base_type(), "whole number, or a clock time like 8:05:09")


def _placed(log: pl.DataFrame) -> pl.DataFrame:
    """Move times past midnight to the day they belong to, and say in which rows."""
    queue_at = _nearest("queue_at", pl.col("menu_at"))
    service_at = _nearest("service_at", pl.coalesce("queue_at", "menu_at"))
    moved = log.with_columns(queue_at=queue_at).with_columns(service_at=service_at)
    seconds = {
        name: pl.when(pl.col(name) < -lowest).then(pl.col(name) + DAY_S).otherwise(name)
        for name, lowest in (("vru_s", LONGEST_MENU_S), ("wait_s", 0), ("service_s", 0))
    }
    moved = moved.with_columns(**seconds)
    rolled = pl.any_horizontal(
        (pl.lit(moved[name]) != pl.lit(log[name])).fill_null(False) for name in ("queue_at", "service_at")
    )
    return moved.with_columns(rolled=rolled)


def _nearest(name: str, reference: pl.Expr) -> pl.Expr:
    # A clock without a date, or with the date of the call's start, belongs to the nearest day.
    apart_s = (reference - pl.col(name)).dt.total_seconds()
    return pl.col(name) + pl.duration(days=(apart_s / DAY_S).round().cast(pl.Int64))
