"""What a setting is: name, unit, range, default, words and one sentence, declared where its value is kept.

A setting is a field of a frozen dataclass, made by `setting`. Doors, files and pages are made from these
declarations, so nothing about a setting is written a second time.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from datetime import date, datetime, time
from functools import cache
from itertools import islice
from pathlib import PurePath
from reprlib import Repr
from typing import Any, Literal

import numpy as np

from engine.errors import InvalidScenario
from engine.near import nearest
from engine.texts import visible

Kind = Literal["number", "whole", "word", "flag", "goal", "terms", "filters"]
Applies = Literal["always", "replay", "rolling"]
_KEY = "setting"
# A value that is refused may be anything, of any length.
_MOST_CHARS, _MOST_SHOWN = 60, 6
_SHOWN = Repr()
_SHOWN.maxstring = _SHOWN.maxother = _MOST_CHARS
# What is allowed where a setting holds more than one value.
_SPECIAL = {"terms": "three numbers", "goal": "SHARE/SECONDS", "filters": "a list"}


@dataclass(frozen=True)
class Setting:
    """One setting of a run.

    Parameters
    ----------
    about : str
        One sentence.
    kind : str
        What a value is: a number, a whole number, a word, a flag, a goal, three terms or hard filters.
    unit : str
        Of a number; s, min, days, or nothing.
    low, high : float
        Bounds of a number, both allowed.
    words : collection of str
        What may stand there in place of, or besides, a number; read when asked, so it may be a view of a table.
    mistaken : mapping of str to str
        Words in lower case that people write there though they mean something else, and what that is.
    applies : {"always", "replay", "rolling"}
        Where it does something.
    name : str
        In scenario files, in Python and on the pages.
    option : str
        On the command line, without dashes; by default the name without its unit.
    http : str
        Field of `/simulate/batch`; by default the name.
    default : object
        What holds where nothing is given.
    replay : object
        What holds in a replay where nothing is given, if that differs; None where it does not.
    path : tuple of str
        Where the value stands in a scenario.
    """

    about: str
    kind: Kind = "number"
    unit: str = ""
    low: float = 0.0
    high: float = math.inf
    words: Collection[Any] = ()
    mistaken: Mapping[str, str] = field(default_factory=dict)
    applies: Applies = "always"
    name: str = ""
    option: str = ""
    http: str = ""
    default: Any = None
    replay: Any = None
    path: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What it does, where that is, and its unit."""
        where = {"always": "", "replay": "Replay: ", "rolling": "Rolling performance: "}[self.applies]
        return f"{where}{self.about}{f' [{self.unit}]' if self.unit else ''}"

    @property
    def by_mode(self) -> bool:
        """Whether a replay has another default; None stands for it until the mode is known."""
        return self.replay is not None

    def default_in(self, mode: str) -> Any:
        """What holds in a mode where nothing is given."""
        return self.replay if self.by_mode and isinstance(mode, str) and mode == "replay" else self.default

    def check(self, value: object) -> Any:
        """The value as it is kept, without numpy; one that is not allowed is refused.

        Raises
        ------
        InvalidScenario
            With name, value and what may stand there.

        Examples
        --------
        >>> Setting("How long.", unit="s", high=60.0, name="away_s").check(61)
        Traceback (most recent call last):
        engine.errors.InvalidScenario: away_s is 61; use seconds from 0 to 60
        """
        value = plain(value)
        if self.kind in _SPECIAL or not self._allows(value):
            raise InvalidScenario(f"{self.name} is {shown(value)}; {self.way_out(value)}")
        return value

    def way_out(self, value: object) -> str:
        """What to write in place of a value that is not allowed."""
        if not isinstance(value, str):
            return f"use {self.allowed()}"
        word = value.strip().lower()
        if word in self.mistaken:
            return f"{self.mistaken[word]}; use {self.allowed()}"
        # Of two or three words the list itself is hint enough.
        near = nearest(word, map(str, self.words), cutoff=0.8) if len(self.words) > 3 else None
        return f"did you mean {near}? Use {self.allowed()}" if near else f"use {self.allowed()}"

    def _allows(self, value: object) -> bool:
        if isinstance(value, bool) or self.kind == "flag":
            return isinstance(value, bool) and self.kind == "flag"
        if isinstance(value, str) or self.kind == "word":
            return isinstance(value, str | int) and value in self.words
        # Compared and not converted: a whole number may be larger than any float.
        is_number = isinstance(value, int if self.kind == "whole" else int | float)
        return is_number and self.low <= value <= self.high and value != math.inf  # type: ignore[operator]

    def allowed(self) -> str:
        """What may stand there, in words."""
        words = [str(word) for word in self.words]
        if self.kind in _SPECIAL:
            return _SPECIAL[self.kind] + (f" of {', '.join(words)}" if words else "")
        if self.kind == "flag":
            return "true or false"
        if self.kind == "word":
            return " or ".join(words) if len(words) < 3 else "one of " + ", ".join(words)
        noun = "a whole number" if self.kind == "whole" else "seconds" if self.unit == "s" else "a number"
        high = f"{self.high:,}" if isinstance(self.high, int) else f"{self.high:,.12g}"
        bounds = f"{noun} from {self.low:,.12g} to {high}"
        return f"{', '.join(words)} or {bounds}" if words else bounds


def default_text(one: Setting) -> str:
    """What holds where nothing is given, in words; in a replay too, where it differs.

    Parameters
    ----------
    one : Setting
        As declared.

    Returns
    -------
    str
        For help and pages.

    Examples
    --------
    >>> default_text(Setting("Least.", default=0.5, replay=0.0)), default_text(Setting("How.", default=()))
    ('0.5, in a replay 0', 'none')
    """
    said = _plainly(one.default)
    return f"{said}, in a replay {_plainly(one.replay)}" if one.by_mode else said


def _plainly(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:,.12g}" if isinstance(value, int | float) else "none" if value is None else str(value)


def plain(value: object) -> object:
    """A value without numpy: arrays as lists, scalars as Python has them."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def shown(value: object) -> str:
    """A value of any kind in a few characters of one line, in the words of people and not of Python.

    Parameters
    ----------
    value : object
        As somebody gave it.

    Returns
    -------
    str
        For a refusal; control characters are escaped.

    Examples
    --------
    >>> shown("x"), len(shown("x" * 1000)), shown(None), shown(object)
    ("'x'", 60, 'nothing', 'something of type type')
    >>> shown([1, None, "x"]), shown({"from": date(2026, 5, 1)}), shown(True)
    ("a list of 1, nothing, 'x'", 'a table of from = 2026-05-01', 'true')
    """
    try:
        said = _said(value)
    except ValueError:
        # Python writes no whole number of more than some thousand digits.
        return "a number of thousands of digits"
    said = visible(said if said.isprintable() else " ".join(said.split()))
    return said if len(said) <= _MOST_CHARS else said[: _MOST_CHARS - 3] + "..."


def _said(value: object, depth: int = 0) -> str:
    value = plain(value)
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").replace("+00:00", "Z")
    if isinstance(value, date | time | PurePath):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    if isinstance(value, str | int | float):
        return _SHOWN.repr(value)
    if depth > 2 or not isinstance(value, Mapping | Sequence | Set):
        return f"something of type {type(value).__name__}"
    some: Iterable[str] = (_said(one, depth + 1) for one in islice(value, _MOST_SHOWN))
    if isinstance(value, Mapping):
        pairs = islice(value.items(), _MOST_SHOWN)
        some = (f"{key if isinstance(key, str) else _said(key, 3)} = {_said(one, depth + 1)}" for key, one in pairs)
    noun, more = "table" if isinstance(value, Mapping) else "list", ", ..." if len(value) > _MOST_SHOWN else ""
    return f"a {noun} of {', '.join(some)}{more}" if value else f"an empty {noun}"


def as_name(value: object) -> str:
    """What should be a name, bare where it could be one."""
    return value if isinstance(value, str) and value.isidentifier() and len(value) < 80 else shown(value)


def setting(default: object, about: str, **more: Any) -> Any:
    """A field of a frozen dataclass that is a setting; see `Setting` for what may be said of it."""
    said = Setting(about, default=default, **more)
    return field(default=None if said.by_mode else default, metadata={_KEY: said})


@cache
def declared(kind: type[Any], *path: str) -> tuple[Setting, ...]:
    """The settings that a dataclass declares, with names, defaults and places filled in.

    Parameters
    ----------
    kind : type
        A dataclass.
    *path : str
        Where the dataclass stands in a scenario.

    Returns
    -------
    tuple of Setting
        In the order of the fields; fields that are no settings are passed over.
    """
    return tuple(_filled(each, each.metadata[_KEY], path) for each in fields(kind) if _KEY in each.metadata)


def _filled(each: Field[Any], said: Setting, path: tuple[str, ...]) -> Setting:
    default = said.default if each.default is not MISSING else None
    name = said.name or each.name
    option = said.option or name.removesuffix(f"_{said.unit}" if said.unit else "").replace("_", "-")
    low = int(said.low) if said.kind == "whole" else said.low
    return replace(
        said, low=low, name=name, option=option, http=said.http or name, default=default, path=(*path, each.name)
    )  # fmt: skip


def left_open(values: object, mode: str) -> dict[str, Any]:
    """By field what holds in a mode, where that decides the default and nothing was given."""
    kind: Any = type(values)
    still = (each for each in declared(kind) if each.by_mode and getattr(values, each.path[-1]) is None)
    return {each.path[-1]: each.default_in(mode) for each in still}


def check_all(values: object, place: str = "") -> None:
    """Keep every value of a dataclass as its declaration has it; the first that is not allowed is refused."""
    kind: Any = type(values)
    for each in declared(kind):
        if each.kind not in _SPECIAL and not (each.by_mode and getattr(values, each.path[-1]) is None):
            try:
                kept = each.check(getattr(values, each.path[-1]))
            except InvalidScenario as error:
                raise InvalidScenario(f"{place}{error}") from None
            object.__setattr__(values, each.path[-1], kept)
