"""Models of answers, made from the dataclasses that answers are: the same fields, the same sentences, no others."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model
from pydantic import Field as Shown

from engine.measures.light import Light
from engine.reports.replay import VerdictLight
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario

# Components of the description that are called otherwise than their dataclass.
NAMES: dict[type, str] = {RoutingWeights: "WeightsUsed", VerdictLight: "Light", Light: "ComparisonLight"}


class Answer(BaseModel):
    """Exactly these fields."""

    model_config = ConfigDict(extra="forbid")


@cache
def model_of(result: type) -> type[BaseModel]:
    """The model of a result's JSON.

    Parameters
    ----------
    result : type
        A dataclass, whose fields may hold others.

    Returns
    -------
    type of BaseModel
        Of the same name; fields that plain values leave out may be missing.
    """
    hints = get_type_hints(result)
    shown: dict[str, Any] = {each.name: (_shape(hints[each.name]), _described(each)) for each in fields(result)}
    if result is Scenario:
        # Each writes itself as a scenario file has it, and is not there where none is used.
        shown["levers"] = (dict[str, Any], Shown(default={}, description="What-ifs, by name."))
    doc = (result.__doc__ or "").split("\n\n")[0]
    return create_model(NAMES.get(result, result.__name__), __base__=Answer, __doc__=doc, **shown)


def _described(each: Field[Any]) -> Any:
    declared = each.metadata.get("setting")
    sentence = declared.sentence if declared else each.metadata.get("about")
    # Only what may be left out has a default: everything else is always there.
    default = each.default if each.metadata.get("optional") else MISSING
    return Shown(description=sentence) if default is MISSING else Shown(default=default, description=sentence)


def _shape(hint: Any) -> Any:
    """A type with every dataclass in it replaced by its model."""
    if is_dataclass(hint) and isinstance(hint, type):
        return model_of(hint)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is None or origin is Literal:
        return Any if getattr(hint, "_is_protocol", False) else hint
    if origin in (Union, UnionType):
        return Union[tuple(_shape(each) for each in inner)]  # noqa: UP007
    return list[_shape(inner[0])] if origin is tuple else origin[tuple(_shape(each) for each in inner)]  # type: ignore[misc]
