"""Given factors of handling time: relative to the agent on record, and the report says what that did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.data.encode import encode
from engine.estimates.assumptions import Assumptions
from engine.reports.compare import compare
from engine.run import run
from engine.spec import Scenario
from tests.small_centres import call, tables_of
from tests.strategies import MIDNIGHT

SPELL = {"start_at": MIDNIGHT, "end_at": MIDNIGHT + timedelta(days=1)}


def tables(factors: dict[str, float], recorded: str | None = "a0") -> Any:
    """Ten calls of 100 s, all on record with one agent, each alone; two agents are there."""
    return tables_of(
        agents=[{"agent_id": name} for name in ("a0", "a1")], members=[],
        interactions=[
            call(n, 1000.0 * n, outcome="answered", agent_id=recorded, wait_s=0.0, handle_s=100.0) for n in range(10)
        ],
        staffing=[{"agent_id": name} | SPELL for name in ("a0", "a1")],
        handle_factors=[{"agent_id": name, "factor": factor} for name, factor in factors.items()],
    )  # fmt: skip


def scenario(handling: str = "agent") -> Scenario:
    return Scenario(mode="replay", method="longest_idle", assumptions=Assumptions(handling=handling))


def last(report: Any) -> Any:
    return report.replay.columns[-1].factors


def test_alike_factors_change_nothing_and_the_way_out_is_named():
    """1.05 for everybody is 1.05 / 1.05 for each call."""
    report = run(scenario(), tables({"a0": 1.05, "a1": 1.05}))
    assert (last(report).answered, last(report).changed, last(report).ratio) == (10, 0.0, 1.0)
    (said,) = (text for text in report.warnings if "factor" in text)
    assert "all agents have the same factors (1.05)" in said
    assert "nothing changes" in said
    assert "--handle 1.05" in said


def test_a_factor_is_relative_to_the_agent_on_record():
    """By longest idle the two take turns: five calls stay with a0, five go to a1, 1.5 / 1.2 times as long."""
    report = run(scenario(), tables({"a0": 1.2, "a1": 1.5}))
    assert (last(report).answered, last(report).changed) == (10, 0.5)
    assert last(report).ratio == pytest.approx((5 + 5 * 1.25) / 10)
    (said,) = (text for text in report.warnings if "factor" in text)
    assert "50.0 % of the 10 answered" in said
    assert "12.5 % longer than with the agents on record" in said


def test_nobody_on_record_counts_as_a_factor_of_one():
    report = run(scenario(), tables({"a0": 1.05, "a1": 1.05}, recorded=None))
    assert (last(report).changed, last(report).ratio) == (1.0, pytest.approx(1.05))
    assert any("handling changes for 100.0 % of the 10 answered only" in text for text in report.warnings)


def test_a_table_that_is_not_read_is_named():
    report = run(scenario("recorded"), tables({"a0": 1.05}))
    assert last(report) is None
    assert any(
        "1 factors of the table handle_factors change no handling time" in text and "--handling agent" in text
        for text in report.warnings
    )
    # Without a table there is nothing to say.
    assert not any("factor" in text for text in run(scenario("recorded"), tables({})).warnings)


def test_comparisons_say_it_too():
    rules = [scenario("recorded"), Scenario(mode="replay", method="fixed_order")]
    said = compare(rules, encode(tables({"a0": 1.05, "a1": 1.05}))).warnings
    assert sum("all agents have the same factors (1.05)" in text for text in said) == 1
