"""Results: one declaration of a field gives its value, its JSON and its documentation."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, get_args, get_type_hints

import numpy as np
import orjson
import pytest
from pydantic import ValidationError

from api.http.messages.answers import BatchAnswer, RoutingAnswer, SnapshotAnswer
from api.http.messages.shapes import model_of
from engine.calibration import Calibration
from engine.replay.explain import ReplayExplanation
from engine.reports.compare import Comparison
from engine.results import about, plain
from engine.selection.explain import Explanation


@dataclass(frozen=True)
class Leaf:
    """A number and when."""

    n: int = about("How many.")
    at: datetime | None = about("When.", optional=True)


@dataclass(frozen=True)
class Branch:
    """Leaves."""

    leaves: list[Leaf] = about("All.")
    by_name: dict[str, Leaf | None] = about("Some.")
    share: float | None = about("Null where undefined.")


def test_a_field_that_is_optional_is_left_out_and_another_is_null():
    at = datetime(2024, 10, 27, 2, 30, tzinfo=timezone(timedelta(hours=1)))
    found = plain(Branch([Leaf(1), Leaf(2, at)], {"a": Leaf(3), "b": None}, None))
    leaves = [{"n": 1}, {"n": 2, "at": "2024-10-27T02:30:00+01:00"}]
    assert found == {"leaves": leaves, "by_name": {"a": {"n": 3}, "b": None}, "share": None}


def test_numbers_of_numpy_become_plain_ones():
    found = plain(Branch([Leaf(np.int64(1))], {}, np.float64(0.5)))
    assert orjson.loads(orjson.dumps(found)) == {"leaves": [{"n": 1}], "by_name": {}, "share": 0.5}
    assert plain(np.arange(3)) == [0, 1, 2]


def test_the_model_of_a_result_takes_its_json_and_nothing_else():
    model, content = model_of(Branch), plain(Branch([Leaf(1)], {}, 0.5))
    assert model.model_validate_json(json.dumps(content)).model_dump(exclude_unset=True) == content
    for odd in (content | {"more": 1}, {"leaves": [], "by_name": {}}, content | {"leaves": [{"n": 1, "more": 1}]}):
        with pytest.raises(ValidationError):
            model.model_validate_json(json.dumps(odd))
    schema = model.model_json_schema()
    assert schema["properties"]["share"]["description"] == "Null where undefined."
    assert schema["$defs"]["Leaf"]["properties"]["n"]["description"] == "How many."


def results_in(hint: Any, seen: set[type]) -> set[type]:
    """All results that a type is made of."""
    if isinstance(hint, type) and is_dataclass(hint) and hint not in seen:
        seen.add(hint)
        for each in get_type_hints(hint).values():
            results_in(each, seen)
    for inner in get_args(hint):
        results_in(inner, seen)
    return seen


WHOLE = (BatchAnswer, RoutingAnswer, SnapshotAnswer, Comparison, Calibration, Explanation, ReplayExplanation)


@pytest.mark.parametrize("whole", WHOLE, ids=lambda kind: kind.__name__)
def test_every_field_of_every_result_says_what_it_means(whole):
    for kind in results_in(whole, set()):
        declared = [each for each in fields(kind) if "about" in each.metadata]
        # Settings are declared otherwise; a result says every field.
        assert not declared or len(declared) == len(fields(kind)), kind
        assert all(len(each.metadata["about"]) > 2 for each in declared), kind
        assert kind.__doc__ and not kind.__doc__.startswith(f"{kind.__name__}("), kind
