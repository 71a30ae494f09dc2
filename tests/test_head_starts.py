"""Head starts by class are found one by one, ties are said, and a replay uses them as they were found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from api.output.calibration_file import content_of, read_calibration
from engine.calibration import calibrate
from engine.calibration.credit import CANDIDATES_S, credit
from engine.calibration.head_starts import head_starts, held_out
from engine.calibration.in_force import ClassPoints, InForce
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.errors import InvalidScenario
from engine.replay.prepare import Recorded, kinds_of
from engine.results import plain
from engine.spec import Scenario
from tests.strategies import table
from tests.test_credit import MIDNIGHT, busy_days
from tests.test_prepare import terms_as

POINTS = (0.0, 1.0, 2.0)
UNEVEN = (0.0, 30.0, 150.0)


def fitted(lead_s, points=POINTS, n_days=8, seed=1):
    arrays = encode(busy_days(lead_s, points, n_days, seed))
    history = arrays.history()
    return head_starts(history, arrays.centre, credit(history, arrays.centre)), arrays


@pytest.mark.parametrize("lead_s", [(0.0, 60.0, 120.0), UNEVEN, (0.0, 120.0, 150.0), (0.0, 0.0, 90.0)])
def test_every_class_gets_its_own_step(lead_s):
    """A replay credits what it was told, so the true steps explain every exit."""
    fit, _ = fitted(lead_s)
    assert fit.lead_s.tolist() == list(lead_s)
    assert fit.stands_out
    assert [step.share[step.best] for step in fit.steps] == [1.0, 1.0]
    assert fit.shown(None).agreement == 1.0


def test_steps_in_proportion_are_a_length_of_a_point():
    assert fitted((0.0, 60.0, 120.0))[0].point_s == 60
    assert fitted((0.0, 90.0, 180.0), (-1.5, 0.0, 1.5))[0].point_s == 60
    assert fitted(UNEVEN)[0].point_s is None


def test_points_that_are_not_apart_alike_are_still_steps():
    """Priorities 0, 1 and 5, each 90 s ahead of the one below."""
    fit, _ = fitted((0.0, 90.0, 180.0), (0.0, 1.0, 5.0))
    assert fit.steps_s.tolist() == [90, 90]
    assert fit.point_s is None
    assert [one.points for one in fit.points(60.0)] == [0.0, 1.5, 3.0]


def test_two_classes_are_the_credit_of_one_step():
    fit, arrays = fitted((0.0, 90.0), (0.0, 1.5))
    whole = credit(arrays.history(), arrays.centre)
    assert fit.point_s == whole.point_s == 60
    assert fit.steps[0].agreed.tolist() == whole.whole.agreed.tolist()


def test_one_class_and_very_many_have_none():
    assert fitted((0.0,), (1.0,))[0] is None
    assert fitted(tuple(10.0 * n for n in range(9)), tuple(float(n) for n in range(9)), 2)[0] is None


def test_a_tie_is_said():
    """Four days of 30 s and four of 90 s between the lower classes: other days might say otherwise."""
    before, after = busy_days((0.0, 30.0, 90.0), POINTS, 4), busy_days((0.0, 90.0, 150.0), POINTS, 4, 2)
    moved = after.interactions.with_columns(
        pl.col("arrived_at") + pl.duration(days=4), interaction_id=pl.format("x{}", "interaction_id")
    )
    arrays = encode(Tables(before.agents, pl.concat([before.interactions, moved])))
    history = arrays.history()
    fit = head_starts(history, arrays.centre, credit(history, arrays.centre))
    assert not fit.stands_out
    said = fit.shown(None)
    assert {said.classes[0].step_s, *said.classes[0].ties_s} >= {30.0, 90.0}
    assert "ties with" in said.verdict
    assert said.classes[1].step_s == 60


def test_other_days_are_counted_with_the_fitted_head_starts():
    """On days of the same rule all exits agree, with 60 s a point fewer."""
    fit, _ = fitted(UNEVEN)
    arrays = encode(busy_days(UNEVEN, POINTS, 8, 7))
    test = held_out(fit, arrays.history(), arrays.centre, 60.0)
    assert test.fitted == 1.0
    assert 0.5 < test.before < 0.99
    assert test.n_exits > 1000
    assert not test.is_worse
    assert replace(test, fitted=0.4).is_worse


def test_priorities_between_and_beyond_classes_have_their_place():
    fit, _ = fitted(UNEVEN)
    assert fit.lead_of(np.array([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0]), 60.0).tolist() == [
        -60.0, 0.0, 15.0, 30.0, 90.0, 150.0, 210.0
    ]  # fmt: skip


def calls(*points: float) -> Tables:
    rows = [
        {"interaction_id": f"i{place}", "queue_id": "q", "arrived_at": MIDNIGHT, "priority": each}
        for place, each in enumerate(points)
    ]
    return Tables(table("agents", [{"agent_id": "a"}]), table("interactions", rows))


def test_what_was_found_is_read_into_the_data_set():
    """30 s and 150 s at 60 s a point are 0.5 and 2.5 points; between and beyond as far apart as recorded."""
    found = InForce([ClassPoints(0.0, 0.0), ClassPoints(1.0, 0.5), ClassPoints(2.0, 2.5)], [])
    arrays = encode(calls(-1.0, 0.0, 1.0, 1.5, 2.0, 3.0))
    read = found.applied(arrays)
    recorded = Recorded(read, Scenario(mode="replay"))
    terms = terms_as(Scenario(mode="replay"), read)
    kinds = kinds_of(recorded.by_type, recorded.centre, terms, 60.0)
    lead_s = kinds.lead_us[recorded.by_type.kind] / 1e6
    assert sorted(lead_s.tolist()) == [-60.0, 0.0, 30.0, 90.0, 150.0, 210.0]
    said = "Priorities count as calibrated: 0 as 0 points, 1 as 0.5 points, 2 as 2.5 points"
    assert read.snapshot.assumptions[-1] == said
    assert InForce([], []).applied(arrays) is arrays


def handled(tables: Tables) -> Tables:
    answered = pl.col("outcome") == "answered"
    return replace(tables, interactions=tables.interactions.with_columns(handle_s=pl.when(answered).then(100.0)))


def test_a_calibration_fits_uneven_classes_and_its_file_says_them(tmp_path):
    arrays = encode(handled(busy_days(UNEVEN, POINTS, 12)))
    fit, test = (date(2024, 3, 4), date(2024, 3, 11)), (date(2024, 3, 12), date(2024, 3, 15))
    found = calibrate(arrays, Scenario(), fit, test, draws=2)
    assert [one.points for one in found.in_force.priorities] == [0.0, 0.5, 2.5]
    assert found.assumptions["point_s"] == 60
    assert plain(found.evidence)["head_starts"]["test"]["fitted"] == 1.0
    (tmp_path / "c.json").write_bytes(content_of(found))
    assert read_calibration(tmp_path / "c.json").in_force == found.in_force
    even = calibrate(encode(handled(busy_days((0.0, 90.0, 180.0), POINTS, 12))), Scenario(), fit, test, draws=2)
    assert (even.in_force.priorities, even.assumptions["point_s"]) == ([], 90)


def test_a_file_whose_rule_cannot_be_read_is_refused(tmp_path):
    path = tmp_path / "c.json"
    said = {"kind": "routelab calibration", "assumptions": {}, "in_force": {"priorities": [1], "desks": []}}
    path.write_text(json.dumps(said))
    with pytest.raises(InvalidScenario, match=r"in_force.priorities\[0\] is 1, not an object"):
        read_calibration(path)
    path.write_text(json.dumps({"kind": "routelab calibration", "assumptions": {}}))
    assert read_calibration(path).in_force == InForce([], [])


def test_candidates_reach_as_far_as_those_of_one_credit():
    fit, _ = fitted(UNEVEN)
    assert fit.candidates_s.tolist() == list(CANDIDATES_S)
