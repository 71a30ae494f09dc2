"""A profile from its text; what a person mistyped is named, with what was meant."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.errors import InvalidTable, MissingInput
from engine.near import nearest
from engine.texts import short
from ingest.exports.profile.columns import FORMS, NAMES, SECONDS, TIME, columns_of, kinds_of, tables
from ingest.exports.profile.forms import EXAMPLES, NotAForm, understood
from ingest.exports.profile.profile import From, Part, Profile

ORDERS = ("dmy", "mdy", "ymd")
UNITS = ("ms", "s", "min", "h", "days")
# Of levels, where they are not 0 to 5.
SCALES = ("0-5", "0-10", "0-100", "A-E")
ROWS = ("visit", "segment")
_KEYS = ("time_zone", "source", "people", "file")
_PART_KEYS = ("table", "files", "rows", "dates", "only", "columns", "units", "values", "unused", "personal")


def read_profile(path: Path) -> Profile:
    """The profile in a file.

    Parameters
    ----------
    path : Path
        TOML, as `write_profile` writes it and people edit it.

    Returns
    -------
    Profile
        How files become tables.

    Raises
    ------
    MissingInput
        If the file is not there or cannot be read.
    InvalidTable
        If it is no TOML, or something in it is unknown, each with key, value and the way out.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidTable(f"{path.name}: is not UTF-8 at byte {error.start}; save the profile as UTF-8") from None
    except OSError as error:
        raise MissingInput(
            f"{path}: cannot be read ({error.strerror}); `routelab snapshot inspect` writes one"
        ) from None
    return profile_of(text, path.name)


def profile_of(text: str, name: str) -> Profile:
    """The profile in a text.

    Examples
    --------
    >>> text = '''
    ... [[file]]
    ... table = "queues"
    ... files = ["queues.xlsx"]
    ... columns = { queue_id = "Warteschlange" }
    ... '''
    >>> profile_of(text, "centre.toml").parts[0].columns
    {'queue_id': Copied(column='Warteschlange')}
    """
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidTable(f"{name}: is not TOML: {error}; texts stand in quotes, lists in square brackets") from None
    reader = _Reader(name)
    profile = reader.profile(content)
    if reader.problems:
        raise InvalidTable(*reader.problems)
    return profile


@dataclass
class _Reader:
    """Reads one text and keeps what is wrong with it."""

    name: str
    problems: list[str] = field(default_factory=list)

    def profile(self, content: Mapping[str, Any]) -> Profile:
        self._known(content, _KEYS, "")
        given = content.get("file", [])
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            self._tell("file", given, "each kind of file is a part that begins with [[file]]")
            given = []
        parts = tuple(self._part(each, f"file {n}") for n, each in enumerate(given, 1))
        return Profile(
            time_zone=self._time_zone(content),
            parts=tuple(part for part in parts if part is not None),
            people=self._texts(content, "people", ""),
            source=self._text(content, "source", "") or "",
        )

    def _part(self, given: Mapping[str, Any], where: str) -> Part | None:
        table = self._one_of(given, "table", tables(), f"{where}, ")
        if table is None:
            if "table" not in given:
                self.problems.append(
                    f'{self.name}: {where}: has no table; say which it becomes, as in table = "interactions"'
                )
            return None
        where = f"{where} ({table})"
        self._known(given, _PART_KEYS, f"{where}, ")
        files = self._list(given, "files", f"{where}, ")
        if not files:
            self.problems.append(f'{self.name}: {where}: names no files; say which, as in files = ["export_*.csv"]')
        known = kinds_of(table)
        columns = {
            name: source
            for name, value in self._table(given, "columns", f"{where}, ").items()
            if self._is_column(name, known, f"{where}, columns.") and (source := self._from(name, value, known, where))
        }
        return Part(
            table=table, files=files, columns=columns, values=self._values(given, known, where),
            dates=self._one_of(given, "dates", ORDERS, f"{where}, "), units=self._units(given, known, where),
            rows=self._one_of(given, "rows", ROWS, f"{where}, ") or "visit", only=self._only(given, where),
            unused=self._list(given, "unused", f"{where}, "), personal=self._personal(given, columns, where),
        )  # fmt: skip

    def _from(self, name: str, value: object, known: Mapping[str, str], where: str) -> From | None:
        allowed = FORMS[known[name]]
        ways = " or ".join(f"{name} = {EXAMPLES[form]}" for form in allowed)
        try:
            source = understood(value)
        except NotAForm as error:
            self._tell(f"{where}, columns.{name}", value, f"it {error}; write {ways}")
            return None
        if not isinstance(source, allowed):
            self._tell(
                f"{where}, columns.{name}", value, f"a column of {known[name]} cannot come about so; write {ways}"
            )
            return None
        return source

    def _values(self, given: Mapping[str, Any], known: Mapping[str, str], where: str) -> dict[str, dict[str, str]]:
        maps = self._table(given, "values", f"{where}, ")
        names = [*known, "cells"]
        return {
            name: self._texts(maps, name, f"{where}, values.")
            for name in maps
            if self._is_column(name, names, f"{where}, values.")
        }

    def _units(self, given: Mapping[str, Any], known: Mapping[str, str], where: str) -> dict[str, str]:
        units = self._table(given, "units", f"{where}, ")
        # Of a time: what the seconds count that are taken from it.
        allowed = {
            name: SCALES if kind == NAMES else UNITS for name, kind in known.items() if kind in {NAMES, SECONDS, TIME}
        }
        found = {
            name: self._one_of(units, name, allowed[name], f"{where}, units.")
            for name in units
            if self._is_column(name, allowed, f"{where}, units.")
        }
        return {name: unit for name, unit in found.items() if unit is not None}

    def _only(self, given: Mapping[str, Any], where: str) -> dict[str, tuple[str, ...]]:
        kept = self._table(given, "only", f"{where}, ")
        return {name: self._list(kept, name, f"{where}, only.") for name in kept}

    def _personal(self, given: Mapping[str, Any], columns: Mapping[str, From], where: str) -> tuple[str, ...]:
        personal = self._list(given, "personal", f"{where}, ")
        for name, source in columns.items():
            if both := [each for each in columns_of(source) if each in personal]:
                self._tell(f"{where}, personal", both[0], f"it is also read as {name}; take it out of one of the two")
        return personal

    def _time_zone(self, content: Mapping[str, Any]) -> str | None:
        zone = self._text(content, "time_zone", "")
        if zone is None:
            return None
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._tell("time_zone", zone, "it is no zone of the IANA list, as Europe/Berlin is")
            return None
        return zone

    def _known(self, given: Mapping[str, Any], keys: Iterable[str], where: str) -> None:
        for key in given:
            self._is_known(key, list(keys), f"{where}")

    def _is_column(self, name: str, known: Iterable[str], where: str) -> bool:
        return self._is_known(name, list(known), where)

    def _is_known(self, key: str, known: list[str], where: str) -> bool:
        if key in known:
            return True
        near = nearest(key, known)
        way = f"did you mean {near!r}?" if near else f"known are {', '.join(known)}"
        self.problems.append(f"{self.name}: {where}{short(key)}: is unknown; {way}")
        return False

    def _one_of(self, given: Mapping[str, Any], key: str, choices: Iterable[str], where: str) -> str | None:
        value = self._text(given, key, where)
        if value is None or value in (known := list(choices)):
            return value
        near = nearest(value, known)
        self._tell(f"{where}{key}", value, f"did you mean {near!r}?" if near else f"use one of {', '.join(known)}")
        return None

    def _text(self, given: Mapping[str, Any], key: str, where: str) -> str | None:
        value = given.get(key)
        if value is None or isinstance(value, str):
            return value
        self._tell(f"{where}{key}", value, "a text in quotes is meant")
        return None

    def _list(self, given: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        value = given.get(key, [])
        value = [value] if isinstance(value, str) else value
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        self._tell(f"{where}{key}", value, 'a list of texts is meant, as in ["one", "two"]')
        return ()

    def _table(self, given: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
        value = given.get(key, {})
        if isinstance(value, dict):
            return value
        self._tell(f"{where}{key}", value, "names and values are meant, a line each")
        return {}

    def _texts(self, given: Mapping[str, Any], key: str, where: str) -> dict[str, str]:
        value = self._table(given, key, where)
        for name, text in value.items():
            if not isinstance(text, str):
                self._tell(f"{where}{key}.{short(name)}", text, "a text in quotes is meant")
        return {name: text for name, text in value.items() if isinstance(text, str)}

    def _tell(self, key: str, value: object, way: str) -> None:
        self.problems.append(f"{self.name}: {key}: is {short(str(value))!r}; {way}")
