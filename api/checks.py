"""Check parsed JSON against a model, and say what is wrong: where, what was found, and the remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from api.errors import MOST_PROBLEMS, InvalidBody, Problem
from engine.texts import safe_json

Model = TypeVar("Model", bound=BaseModel)

MOST_FIELDS = 100
_SHOWN_CHARS = 60

# What to write instead, by pydantic's kind of error; the values in braces come with the error.
_REMEDIES = {
    "string_type": "write a text in quotes",
    "int_type": "write a whole number",
    "float_type": "write a number",
    "bool_type": "write true or false",
    "list_type": "write a list in square brackets",
    "model_type": "write an object in braces",
    "finite_number": "write a finite number",
    "greater_than_equal": "use {ge} or more",
    "less_than_equal": "use {le} or less",
    "string_too_short": "write at least {min_length} character",
    "string_too_long": "write at most {max_length} characters",
    "string_pattern_mismatch": "leave out control characters",
    "too_long": "give at most {max_length} entries",
    "literal_error": "use {expected}",
}


def told(what: str, remedy: str) -> PydanticCustomError:
    """An error of a validator in our own words.

    Parameters
    ----------
    what : str
        What was found.
    remedy : str
        What to do about it.

    Returns
    -------
    PydanticCustomError
        To be raised.
    """
    return PydanticCustomError("told", "{what}; {remedy}", {"what": what, "remedy": remedy})


def check_body(model: type[Model], data: object) -> Model:
    """The request that parsed JSON makes.

    Parameters
    ----------
    model : type
        A strict pydantic model.
    data : object
        Parsed JSON.

    Returns
    -------
    Model
        Checked.

    Raises
    ------
    InvalidBody
        With every problem found.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise InvalidBody(*(_problem(model, e) for e in found[:MOST_PROBLEMS]), n=len(found)) from error


def shown(value: object) -> str:
    """A JSON value in a few characters.

    Examples
    --------
    >>> shown(False), shown([1, 2]), shown("x" * 100)[-6:]
    ('false', 'a list of 2', 'xx..."')
    """
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str) and len(value) > _SHOWN_CHARS:
        value = value[:_SHOWN_CHARS] + "..."
    text = safe_json(json.dumps(value, ensure_ascii=False, default=str))
    return text if isinstance(value, str) or len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "..."


def pointer(*steps: str | int) -> str:
    """A JSON pointer (RFC 6901).

    Examples
    --------
    >>> pointer("weights", "a/b", 0)
    '/weights/a~1b/0'
    """
    return "".join("/" + str(step)[:80].replace("~", "~0").replace("/", "~1") for step in steps)


def _problem(model: type[BaseModel], error: Any) -> Problem:
    where, kind, found = pointer(*error["loc"]), error["type"], error["input"]
    words = _WORDS.get(kind)
    if words is not None:
        return words(model, where, error)
    bounds = {name: _written(value) for name, value in error.get("ctx", {}).items()}
    remedy = _REMEDIES.get(kind, error["msg"]).format(**bounds)
    return Problem(where, f"found {shown(found)}", remedy)


def _written(value: object) -> object:
    """A number of a remedy as people write it."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.12g}" if isinstance(value, float) else value


def _missing(model: type[BaseModel], where: str, error: Any) -> Problem:
    owner = _owner(model, error["loc"])
    field = owner.model_fields.get(str(error["loc"][-1])) if owner else None
    about = f": {field.description}" if field is not None and field.description else ""
    return Problem(where, "is missing", f"add it{about}")


def _extra(model: type[BaseModel], where: str, error: Any) -> Problem:
    owner = _owner(model, error["loc"]) or model
    near = get_close_matches(str(error["loc"][-1])[:80], owner.model_fields, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"remove it; known are {_names(owner)}"
    return Problem(where, "is not a field of this request", remedy)


def _told(model: type[BaseModel], where: str, error: Any) -> Problem:
    return Problem(where, error["ctx"]["what"], error["ctx"]["remedy"])


_WORDS: dict[str, Callable[[type[BaseModel], str, Any], Problem]] = {
    "missing": _missing,
    "extra_forbidden": _extra,
    "told": _told,
}


def _owner(model: type[BaseModel], steps: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model in which the last step stands."""
    for step in steps[:-1]:
        if isinstance(step, int):
            continue  # An entry of a list, whose model was found by the list's name
        field = model.model_fields.get(step) or next((f for f in model.model_fields.values() if f.alias == step), None)
        inner = next(_models(field.annotation), None) if field else None
        if inner is None:
            return None
        model = inner
    return model


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    """Models that a type holds, at any depth."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in getattr(kind, "__args__", ()):
        yield from _models(part)


def _names(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)
