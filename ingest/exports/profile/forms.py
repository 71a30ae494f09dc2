"""Where a column of ours comes from, as a profile's text says it: the one declaration that reader and writer share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from ingest.exports.profile.profile import (
    Between,
    Copied,
    Filled,
    From,
    Joined,
    Named,
    Same,
    Shifted,
    Spread,
    Summed,
)

Plain = str | list[str] | dict[str, str | list[str]]


@dataclass(frozen=True)
class _Form:
    """A way to say where a column comes from, as keys of an inline table."""

    kind: type
    keys: Mapping[str, str]  # Key in the text to field of the class
    example: str


# A column of its own is written as its name, a sum as a list; the others by their keys.
_FORMS = (
    _Form(
        Between, {"from": "start", "to": "end", "otherwise": "otherwise", "plus": "plus"},
        '{ from = "Queued", to = "Answered" }',
    ),
    _Form(Summed, {"sum": "columns", "less": "less"}, '["Talk", "Hold", "ACW"]'),
    _Form(Shifted, {"time": "time", "less": "less", "plus": "plus"}, '{ time = "Answered", less = "Wait" }'),
    _Form(Joined, {"date": "date", "clock": "clock"}, '{ date = "Day", clock = "Time" }'),
    _Form(Named, {"name": "columns"}, '{ name = ["First name", "Surname"] }'),
    _Form(Spread, {"columns": "columns"}, '{ columns = ["Billing", "Technical"] }'),
    _Form(Same, {"same": "value"}, '{ same = "voice" }'),
    _Form(
        Filled, {"filled": "column", "then": "then", "otherwise": "otherwise"},
        '{ filled = "Agent", then = "answered", otherwise = "abandoned" }',
    ),
)  # fmt: skip
EXAMPLES: Mapping[type, str] = {
    Copied: '"Date/Time"',
    **{form.kind: form.example for form in _FORMS},
}


class NotAForm(ValueError):
    """A value that says no place a column could come from; the text tells why."""


def plain(source: From) -> Plain:
    """What the text of a profile has for where a column comes from."""
    if isinstance(source, Copied):
        return source.column
    if isinstance(source, Summed) and not source.less:
        return list(source.columns)
    form = next(form for form in _FORMS if isinstance(source, form.kind))
    found: dict[str, str | list[str]] = {}
    for key, name in form.keys.items():
        value = getattr(source, name)
        if value is not None and value != ():
            found[key] = _shortest(value, form.kind) if isinstance(value, tuple) else value
    return found


def understood(value: object) -> From:
    """Where a column comes from, by what the text of a profile has; `NotAForm` tells what is wrong with it."""
    if isinstance(value, str):
        return Copied(_column(value))
    if isinstance(value, list):
        return Summed(_columns(value))
    if not isinstance(value, dict):
        raise NotAForm("names no column")
    # The form that shares most keys is the one that was meant.
    form = max(
        _FORMS, key=lambda form: len(form.keys.keys() & value.keys()) - 0.1 * len(form.keys.keys() - value.keys())
    )
    if unknown := value.keys() - form.keys.keys():
        raise NotAForm(f"has the key {min(unknown)!r}, which none of the forms has beside the others")
    of_class = {each.name: each for each in fields(form.kind)}
    given = {form.keys[key]: _field(each, str(of_class[form.keys[key]].type), key) for key, each in value.items()}
    absent = [key for key, name in form.keys.items() if of_class[name].default is MISSING and name not in given]
    if absent:
        raise NotAForm(f"lacks the key {absent[0]!r}")
    source: From = form.kind(**given)
    return source


def _shortest(columns: tuple[str, ...], kind: type) -> str | list[str]:
    return columns[0] if kind in {Shifted, Summed, Between} and len(columns) == 1 else list(columns)


def _field(value: object, kind: str, key: str) -> Any:
    if kind.startswith("tuple"):
        return (_column(value),) if isinstance(value, str) else _columns(value)
    if not isinstance(value, str):
        raise NotAForm(f"has {value!r} as {key!r}, where a text is meant")
    return value


def _column(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise NotAForm(f"has {value!r} where the name of a column is meant")
    return value


def _columns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise NotAForm(f"has {value!r} where names of columns are meant")
    return tuple(map(_column, value))
