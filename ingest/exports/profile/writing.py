"""A profile as text that people read and edit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ingest.exports.profile.forms import Plain, plain
from ingest.exports.profile.profile import Part, Profile

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 120
_HEAD = """\
# How the files of a centre become tables: made by `routelab snapshot inspect`, to be looked over, corrected and kept.
# Next month: routelab snapshot files --name NAME --profile THIS-FILE FILES...
# Lines that begin with # are remarks. Names of files and columns stand in quotes, exactly as in the files.
"""
_TIME_ZONE = "# Zone of all times that name none, as in Europe/Berlin or America/New_York."
_PEOPLE = "# Names that are meant for an agent of another spelling: name = id of the agent."
_PART = {
    "interactions": 'One row is one interaction, in rows = "segment" a part of one.',
    "agents": "Who works here, with what they can do.",
    "members": "Which agent belongs to which queue.",
    "queues": "Queues, with their goals.",
    "surveys": "What customers said afterwards.",
    "staffing": "When agents were on queue: a row for each block.",
    "busy": "When agents were busy elsewhere.",
    "shifts": "A shift plan with days across: every column whose name is a day is read, so next month's fit.",
    "volumes": "Contacts by interval, where single interactions are not known.",
    "none": "Known, and not read.",
}
_COLUMNS = "# Our column = where it comes from: a column, a sum of columns, or a calculation in braces."
_VALUES = "# What the cells mean: text in the file = our value. An empty text is nothing."
_UNITS = "# Unit of plain numbers: ms, s, min, h or days."
_ONLY = "# Only rows with these values are read."
_UNUSED = "# Known and not needed."
_PERSONAL = "# Never read: what belongs to customers."
_DATES = "# Order of day, month and year: dmy, mdy or ymd."


def write_profile(profile: Profile, path: Path) -> None:
    """Write a profile to a file.

    Parameters
    ----------
    profile : Profile
        How files become tables.
    path : Path
        Where to; what was there is replaced.
    """
    path.write_text(profile_text(profile), encoding="utf-8", newline="\n")


def profile_text(profile: Profile) -> str:
    """A profile as TOML with remarks; reading it gives the same profile.

    Parameters
    ----------
    profile : Profile
        How files become tables.

    Returns
    -------
    str
        The text of the file.

    Examples
    --------
    >>> print(profile_text(Profile("Europe/Berlin")).splitlines()[-1])
    time_zone = "Europe/Berlin"
    """
    return "\n".join([*_head(profile), *(line for part in profile.parts for line in _part(part))]) + "\n"


def _head(profile: Profile) -> Iterator[str]:
    yield _HEAD
    if profile.source:
        yield f"source = {_text(profile.source)}"
    yield _TIME_ZONE
    yield f"time_zone = {_text(profile.time_zone)}" if profile.time_zone else '# time_zone = "Europe/Berlin"'
    if profile.people:
        yield from ("", _PEOPLE, *_section("people", profile.people))


def _part(part: Part) -> Iterator[str]:
    yield from ("", "", "[[file]]")
    yield f"table = {_text(part.table)}" + (f"  # {_PART[part.table]}" if part.table in _PART else "")
    yield from _list("files", part.files)
    if part.rows != "visit":
        yield f"rows = {_text(part.rows)}"
    if part.dates:
        yield from (_DATES, f"dates = {_text(part.dates)}")
    if part.unused:
        yield from (_UNUSED, *_list("unused", part.unused))
    if part.personal:
        yield from (_PERSONAL, *_list("personal", part.personal))
    if part.columns:
        yield from ("", _COLUMNS, *_section("file.columns", {name: plain(each) for name, each in part.columns.items()}))
    if part.units:
        yield from ("", _UNITS, *_section("file.units", part.units))
    if part.only:
        yield from ("", _ONLY, *_section("file.only", {name: list(values) for name, values in part.only.items()}))
    for n, (name, values) in enumerate(part.values.items()):
        yield from ("", *([_VALUES] if n == 0 else ()), *_section(f"file.values.{_key(name)}", values))


def _section(title: str, values: Mapping[str, Plain]) -> Iterator[str]:
    yield f"[{title}]"
    for name, value in values.items():
        yield f"{_key(name)} = {_value(value)}"


def _value(value: Plain) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return "{ " + ", ".join(f"{_key(name)} = {_value(each)}" for name, each in value.items()) + " }"


def _list(name: str, values: Sequence[str]) -> Iterator[str]:
    line = f"{name} = {_value(list(values))}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{name} = ["
    yield from (f"    {_text(value)}," for value in values)
    yield "]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    """A basic string of TOML: JSON escapes all that it forbids but one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
