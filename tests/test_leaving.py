"""Who left without an answer, and what the log does not tell of it: through the whole replay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from engine.run import run
from engine.spec import Scenario
from tests.small_centres import call, tables_of
from tests.strategies import MIDNIGHT

DAY = timedelta(days=1)


def report_of(rows: list[dict[str, Any]], agents: int = 1, **more: Any) -> Any:
    """Report of a replay in which agents are there all day."""
    names = [f"a{n}" for n in range(agents)]
    spells = [{"agent_id": name, "start_at": MIDNIGHT, "end_at": MIDNIGHT + 30 * DAY} for name in names]
    tables = tables_of(agents=[{"agent_id": name} for name in names], members=[], interactions=rows, staffing=spells)
    return run(Scenario(mode="replay", method="longest_idle", **more), tables)


def column(report: Any, name: str) -> Any:
    return next(one for one in report.replay.columns if one.name == name)


def behind_a_long_call(*others: dict[str, Any]) -> list[dict[str, Any]]:
    """The only agent talks for 5,000 s; all others arrive within the first 100 s."""
    first = call(0, 0.0, outcome="answered", agent_id="a0", wait_s=0.0, handle_s=5000.0)
    return [first, *(call(n, 10.0 * n, handle_s=None) | other for n, other in enumerate(others, 1))]


def test_abandoned_without_a_wait_leave_as_others_do():
    """Ten gave up, five of them after 50 s, of five nobody knows when: the replay loses all ten, not five."""
    gone = {"outcome": "abandoned"}
    report = report_of(behind_a_long_call(*[gone | {"wait_s": 50.0}] * 5, *[gone] * 5))
    assert column(report, "recorded").abandoned == column(report, "today").abandoned == 10
    counts = report.replay.estimates.patience.counts
    assert (counts.abandoned_with_wait, counts.abandoned_without_wait) == (5, 5)
    assert any("5 abandoned interactions have no wait" in said for said in report.warnings)


def test_where_no_abandoned_wait_is_known_it_is_said_and_nobody_leaves():
    report = report_of(behind_a_long_call(*[{"outcome": "abandoned"}] * 4))
    assert (column(report, "recorded").abandoned, column(report, "today").abandoned) == (4, 0)
    assert not report.replay.estimates.patience.replays_abandonment
    (said,) = (text for text in report.warnings if "cannot be replayed" in text)
    assert "none of the 4 abandoned interactions has a wait" in said
    assert "give wait_s" in said


def test_who_ended_unanswered_is_nobodys_work():
    """Two web messages ended after 40 s without anybody: no answer in the record, and none in the replay."""
    ended = {"media": "message", "wait_s": 40.0}
    report = report_of(behind_a_long_call(ended, ended | {"media": "callback"}))
    for name in ("recorded", "today"):
        shown = column(report, name)
        assert (shown.answered, shown.flowed_out, shown.abandoned, shown.unserved) == (1, 2, 0, 0), name
    assert any("2 ended without an agent" in said for said in report.warnings)
