"""What results are made of: fields that carry their own description, and how they become plain values.

A result is a frozen dataclass. The sentence of a field is written once, here beside the field; JSON takes its keys
from the fields, and the description of the HTTP service its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, field, fields, is_dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np

# Exactly these: a float of numpy is a float too, but JSON does not know it.
_AS_IT_IS = frozenset({str, int, float, bool, type(None)})


def about(sentence: str, *, default: Any = MISSING, optional: bool = False) -> Any:
    """A field of a result with the sentence that says what it means.

    Parameters
    ----------
    sentence : str
        Meaning and unit, as documentation shows it.
    default : any, optional
        Value where none is given.
    optional : bool
        Where it is None, plain values leave it out; None is then its default.

    Returns
    -------
    dataclasses.Field
        Of a dataclass.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Wait:
    ...     mean_s: float = about("Mean wait. [s]")
    ...     why: str | None = about("Where it is odd.", optional=True)
    >>> plain(Wait(3.0)), sentence_of(Wait, "mean_s")
    ({'mean_s': 3.0}, 'Mean wait. [s]')
    """
    metadata = {"about": sentence, "optional": optional}
    if optional and default is MISSING:
        default = None
    return field(default=default, metadata=metadata)


class Result:
    """A result that is handed on whole; its fields say what it holds."""

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, as JSON takes them."""
        return dict(_items(self))


def sentence_of(result: type[Any], name: str) -> str:
    """The sentence of one field of a result."""
    return str(next(each for each in fields(result) if each.name == name).metadata.get("about", ""))


def or_null(value: float) -> float | None:
    """A number for a result, None where it is undefined (NaN)."""
    return None if np.isnan(value) else float(value)


def plain(value: Any) -> Any:
    """A result as what JSON knows: dicts, lists, texts, numbers and null.

    Parameters
    ----------
    value : any
        A result, or what its fields hold; settings with a `to_dict` say themselves how they look plainly.

    Returns
    -------
    any
        Keys are the names of the fields, without optional ones that are None.
    """
    if type(value) in _AS_IT_IS:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return dict(_items(value))
    if isinstance(value, Mapping):
        return {key: _inside(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_inside(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value.isoformat() if isinstance(value, date) else value


def _items(result: Any) -> Iterator[tuple[str, Any]]:
    for name, optional in _names(result.__class__):
        value = getattr(result, name)
        if not (optional and value is None):
            yield name, _inside(value)


def _inside(value: Any) -> Any:
    if type(value) in _AS_IT_IS:
        return value
    return value.to_dict() if hasattr(value, "to_dict") else plain(value)


@cache
def _names(result: Any) -> tuple[tuple[str, bool], ...]:
    """Fields in order, and whether each may be left out."""
    return tuple((each.name, bool(each.metadata.get("optional"))) for each in fields(result))
