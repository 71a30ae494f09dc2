"""Types of fields in requests, and fields made from the declaration of settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    create_model,
)

from api.checks import shown, told
from engine.data.wall_time import day_of
from engine.errors import InvalidScenario
from engine.levers import LEVERS
from engine.methods import METHODS
from engine.scoring.weights import ServiceLevelGoal
from engine.setting import Setting, default_text
from engine.study import MOST_NAME_CHARS

# What this service takes at most where the engine takes more: draws of one request, and whole numbers that every
# reader of JSON keeps exactly.
MOST = {"replications": 100, "seed": 2**53}
# Of a lever: each looks at every interaction.
MOST_ENTRIES = 100


def _day(value: object) -> object:
    if not isinstance(value, str):
        raise told(f"found {shown(value)}", "write a day as text, for example 2024-03-01")
    try:
        return day_of("", value)
    except InvalidScenario as error:
        raise told(f"found {shown(value)}", str(error).partition("; ")[2]) from error


def _goal(value: str) -> str:
    try:
        ServiceLevelGoal.parse(value)
    except InvalidScenario as error:
        raise told(
            f"found {shown(value)}", "write SHARE/SECONDS, for example 80/20 for 80 % answered within 20 s"
        ) from error
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=MOST_NAME_CHARS, pattern=r"^[^\x00-\x1f\x7f]+$")]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Goal = Annotated[str, StringConstraints(max_length=40), AfterValidator(_goal)]


class Strict(BaseModel):
    """No unknown field, no other type, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def made(name: str, said: str, declared: Iterable[Setting], base: type[BaseModel] = Strict, /, **also: Any) -> Any:
    """A model whose fields are settings: those of its base first, `also` in place of declared ones or besides them."""
    fields = {one.http: field_of(one) for one in declared}
    return create_model(name, __base__=base, __doc__=said, **fields | also)


def field_of(one: Setting, **more: Any) -> tuple[Any, Any]:
    """Type and field of a setting, as `pydantic.create_model` takes them; `more` differs from the declaration."""
    # Null stands for a default that the mode decides.
    default = None if one.by_mode else [*one.default] if isinstance(one.default, tuple) else one.default
    said: dict[str, Any] = {"default": default, "description": about(one)} | more
    return (_kind(one) if said["default"] is not None else _kind(one) | None), Field(**said)


def lever_field(name: str) -> tuple[Any, Any]:
    """Type and field of a lever: what the lever itself reads, a number, an entry or a list of entries."""

    def check(value: object) -> object:
        if isinstance(value, list) and len(value) > MOST_ENTRIES:
            raise told(f"found {shown(value)}", f"give at most {MOST_ENTRIES} entries")
        try:
            if value is not None:
                LEVERS[name].of(value)
        except InvalidScenario as error:
            what, _, remedy = str(error).partition("; ")
            raise told(what, remedy) from error
        return value

    entry: dict[str, Any] = {"type": "object"}
    schema = {
        "anyOf": [
            {"type": "number"},
            entry,
            {"type": "array", "items": entry, "maxItems": MOST_ENTRIES},
            {"type": "null"},
        ]
    }
    return Annotated[Any, AfterValidator(check), WithJsonSchema(schema)], Field(
        default=None, description=LEVERS[name].about
    )


def about(one: Setting) -> str:
    """What the documentation says of a setting."""
    if one.name == "method":
        planned = [name for name, method in METHODS.items() if method.planner is not None]
        others = "; ".join(f"{name}: {method.about}" for name, method in METHODS.items() if name not in planned)
        return f"Routing method: {' or '.join(planned)}, by the score; in a replay also {others}."
    return f"{one.sentence} Null: {default_text(one)}." if one.by_mode else one.sentence


def _kind(one: Setting) -> Any:
    """The type of a field of JSON that holds a setting."""
    high = MOST.get(one.name, one.high)
    bounds = Field(ge=one.low, le=high)
    number: Any = Annotated[int, bounds] if one.kind == "whole" else Annotated[float, bounds]
    words: Any = Literal[tuple(one.words)] if one.words else None
    match one.kind:
        case "word":
            return Annotated[words, BeforeValidator(_word(one))] if one.mistaken else words
        case "flag":
            return bool
        case "goal":
            return Goal
        case "terms":
            return Annotated[list[Annotated[float, Field(ge=0, le=one.high)]], Field(min_length=3, max_length=3)]
        case "filters":
            return Annotated[list[words], Field(max_length=len(one.words))]
    if not one.words:
        return number
    schema = {"anyOf": [{"type": "number", "minimum": one.low, "maximum": high}, {"enum": [*one.words]}]}
    return Annotated[float | str, BeforeValidator(_number_or_word(one)), WithJsonSchema(schema)]


def _word(one: Setting) -> Callable[[object], object]:
    """Words that mean something else are told so; all others are left to the type."""

    def check(value: object) -> object:
        if isinstance(value, str) and value.strip().lower() in one.mistaken:
            raise told(f"found {shown(value)}", one.way_out(value))
        return value

    return check


def _number_or_word(one: Setting) -> Callable[[object], object]:
    """A check in the words of requests."""
    remedy = f"write a number from 0 to {one.high:,.12g}, or {' or '.join(map(shown, one.words))}"

    def check(value: object) -> object:
        try:
            one.check(value)
        except InvalidScenario as error:
            raise told(f"found {shown(value)}", remedy) from error
        return value

    return check
