"""Reading a manifest: whatever it says has its form and can be, or the snapshot is refused."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from json import scanner
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.data.tables import MEDIA, OUTCOMES, TABLES
from engine.data.wall_time import FIRST_DAY, LAST_DAY
from engine.errors import CorruptSnapshot
from ingest.snapshot.manifest import CODED, FILE_NAME, MOST_BYTES, READABLE, FileEntry, Manifest, content_id

DAYS = "interactions"
_FILE = re.compile(rf"{DAYS}/(?P<day>\d{{4}}-\d{{2}}-\d{{2}})\.arrow|(?P<table>[a-z_]+)\.arrow")
_HASH = re.compile(r"[0-9a-f]{64}")
# A manifest has a list or map for each file and each column, and a value for each text.
MOST_PARTS, MOST_VALUES = 50_000, 500_000
# Python's quick parser lets no other thread run before it is through. [byte]
SMALL_BYTES = 1 << 19
# Of what a source says of itself.
MOST_DEEP = 16
IMPORT_AGAIN = "import the data again"


def read_manifest(
    folder: Path, handle: int | None = None, *, name: str | None = None, shown: str | None = None
) -> Manifest:
    """Read the manifest of a snapshot's folder.

    Parameters
    ----------
    folder : Path
        The snapshot.
    handle : int, optional
        Descriptor of the opened folder, to read from it whatever its name is by now.
    name : str, optional
        What the snapshot is called; by default as its folder is, whatever it was called when it was written.
    shown : str, optional
        How errors call the folder; by default by its path.

    Returns
    -------
    Manifest
        Everything it says has its form; the files it lists lie in its folder.

    Raises
    ------
    CorruptSnapshot
        If it is not there, not readable, or of another version, or says what cannot be.
    """
    place = f"{folder if shown is None else shown}/{FILE_NAME}"
    try:
        raw = _parsed(_read(folder / FILE_NAME, handle))
        version = raw["schema_version"]
        if version not in READABLE or isinstance(version, bool):
            raise CorruptSnapshot(
                f"{place}: schema version {version!r:.40}, this program reads {' and '.join(map(str, READABLE))}; "
                f"{IMPORT_AGAIN}"
            )
        files = tuple(FileEntry(**entry) for entry in _list(raw.pop("files")))
        sentences, made_up = tuple(_list(raw.pop("assumptions"))), tuple(_list(raw.pop("made_up")))
        manifest = Manifest(files=files, assumptions=sentences, made_up=made_up, **raw)
        wrong = next(_wrong(manifest), None)
    except FileNotFoundError as error:
        raise CorruptSnapshot(f"{place}: there is no manifest, so this folder is not a snapshot") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptSnapshot(f"{place}: not a readable manifest ({_reason(error)}); {IMPORT_AGAIN}") from error
    if wrong is not None:
        raise CorruptSnapshot(f"{place}: {wrong}; {IMPORT_AGAIN}")
    called = folder.absolute().name if name is None else name
    return Manifest(**{one.name: getattr(manifest, one.name) for one in fields(Manifest)} | {"name": called})


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    # Of names that are missing or unknown Python speaks in its own words.
    is_form = isinstance(error, KeyError | TypeError | AttributeError)
    return "a field is missing, unknown or of another form" if is_form else str(error)


def _read(path: Path, handle: int | None) -> bytes:
    # No link is followed and no pipe is waited for.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    opened = os.open(path, flags) if handle is None else os.open(path.name, flags, dir_fd=handle)
    with open(opened, "rb") as file:  # noqa: PTH123
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("not a plain file")
        # No more than there is: a buffer of the most would be taken for every small one.
        content = file.read(min(found.st_size, MOST_BYTES) + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"larger than {MOST_BYTES:,} bytes")
    return content


def _parsed(content: bytes) -> dict[str, Any]:
    n_parts = content.count(b"[") + content.count(b"{")
    if n_parts > MOST_PARTS or content.count(b",") > MOST_VALUES:
        raise ValueError(f"more than {MOST_PARTS:,} lists or {MOST_VALUES:,} values")
    found = _Json(is_small=len(content) <= SMALL_BYTES).decode(content.decode("utf-8"))
    if not isinstance(found, dict):
        raise TypeError
    return found


class _Json(json.JSONDecoder):
    """JSON without numbers that are none and without names that are said twice."""

    def __init__(self, *, is_small: bool) -> None:
        super().__init__(object_pairs_hook=_once, parse_constant=_refused)
        if not is_small:
            self.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is said twice")
    return found


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _wrong(manifest: Manifest) -> Iterator[str]:
    """What a manifest says that cannot be."""
    for name in ("name", "id", "time_zone", "created"):
        if not isinstance(getattr(manifest, name), str):
            yield f"{name} is not a text"
    if not _is_map(manifest.interval, str | None) or set(manifest.interval) != {"start", "end"}:
        yield "interval needs start and end"
    if not (_is_map(manifest.rows, int) and _is_map(manifest.repairs, int) and _is_sound(manifest.source)):
        yield "rows, repairs or source have another form"
    if not isinstance(manifest.source, dict) or not _is_sound([manifest.name, manifest.repairs, manifest.rows]):
        yield "source or names have another form"
    if not all(isinstance(text, str) and _is_sound(text) for text in (*manifest.assumptions, *manifest.made_up)):
        yield "assumptions or made_up are not lists of texts"
    yield from _wrong_texts(manifest.dictionaries)
    yield from _wrong_files(manifest)
    if content_id(manifest.files, manifest.rows, manifest.dictionaries) != manifest.id:
        yield "its files, rows or dictionaries do not match its id"
    yield from _wrong_sums(manifest)
    try:
        ZoneInfo(manifest.time_zone)
        _instant(manifest.created)
        yield from _wrong_interval(manifest)
    except (ValueError, OSError, TypeError, ZoneInfoNotFoundError) as error:
        why = "there is no such zone" if isinstance(error, OSError) else error
        yield f"time zone, creation or interval cannot be read ({why})"


def _is_map(value: object, kind: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(v, kind) and not isinstance(v, bool) for v in value.values())


def _is_sound(value: object, depth: int = 0) -> bool:
    """Whether a value of JSON can be answered as JSON: whole numbers of 64 bits, texts of characters, not too deep."""
    if isinstance(value, dict):
        return _is_sound([*value, *value.values()], depth)
    if isinstance(value, list):
        return depth < MOST_DEEP and all(_is_sound(one, depth + 1) for one in value)
    if isinstance(value, int):
        return abs(value) < 1 << 63
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value) if not value.isascii() else True
    return True


def _wrong_texts(dictionaries: object) -> Iterator[str]:
    lists = [*dictionaries.values()] if isinstance(dictionaries, dict) else [None]
    if not all(isinstance(texts, list) and all(isinstance(text, str) for text in texts) for texts in lists):
        yield "dictionaries are not lists of texts"
    assert isinstance(dictionaries, dict)
    if not (set(dictionaries) <= set(CODED) and all(len(set(texts)) == len(texts) for texts in lists if texts)):
        yield "dictionaries are of other columns, or have a text twice"
    if not all(_is_sound("".join(texts)) for texts in lists if texts):
        yield "dictionaries hold what is no text"
    for name, allowed in (("media", MEDIA), ("outcome", OUTCOMES)):
        if not set(dictionaries.get(name, ())) <= set(allowed):
            yield f"dictionaries hold another {name} than {', '.join(allowed)}"


def _wrong_files(manifest: Manifest) -> Iterator[str]:
    """A file outside the folder is never opened."""
    for entry in manifest.files:
        if not _is_file(entry):
            yield f"file {entry.path!r:.100} is not one of this folder, or its size, rows or hash have another form"


def _wrong_sums(manifest: Manifest) -> Iterator[str]:
    """What is listed must add up."""
    paths = [entry.path for entry in manifest.files]
    if paths != sorted(set(paths)):
        yield "files are listed twice or out of order"
    found = dict.fromkeys(TABLES, 0)
    for entry in manifest.files:
        if entry.table in found:
            found[entry.table] += entry.rows
    if not set(manifest.rows) <= set(found) or found != dict.fromkeys(TABLES, 0) | manifest.rows:
        yield "rows of its files do not add up"
    if not found["agents"]:
        yield "there are no agents"
    if found[DAYS] and not any(entry.table == "call_types" and entry.rows for entry in manifest.files):
        yield "interactions have no call types"


def _is_file(entry: FileEntry) -> bool:
    texts = all(isinstance(text, str) for text in (entry.path, entry.table, entry.sha256))
    counts = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in (entry.rows, entry.bytes))
    match = _FILE.fullmatch(entry.path) if texts and counts else None
    # A row takes a byte at least, so that nothing small says that it is large.
    if match is None or not _HASH.fullmatch(entry.sha256) or entry.rows > entry.bytes or entry.bytes >= 1 << 62:
        return False
    if match["day"]:
        return entry.table == DAYS and entry.rows > 0 and _day(match["day"]) is not None
    return entry.table == match["table"] and entry.table != DAYS and entry.table in {*TABLES, "call_types"}


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def _wrong_interval(manifest: Manifest) -> Iterator[str]:
    days = [day_of(entry) for entry in manifest.files if entry.table == DAYS]
    start, end = (manifest.interval[name] for name in ("start", "end"))
    if not days:
        if start is not None or end is not None:
            yield "interval tells of arrivals, and there are none"
        return
    if start is None or end is None or not _instant(start) <= _instant(end):
        yield "interval needs start and end"
        return
    if (_instant(start).date(), _instant(end).date()) != (days[0], days[-1]):
        yield "interval is not that of its files"


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.utcoffset() != timedelta(0):
        raise ValueError(f"{text!r:.40} is not in UTC")
    if not FIRST_DAY <= at.date() <= LAST_DAY:
        raise ValueError(f"{text!r:.40} is no time of a centre")
    return at.astimezone(UTC)


def day_of(entry: FileEntry) -> date:
    """The UTC day of a file of interactions."""
    return date.fromisoformat(entry.path.removeprefix(f"{DAYS}/").removesuffix(".arrow"))
