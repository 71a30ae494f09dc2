"""Decisions of a replay as tables for people."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from api.terminal.shown.page import Grid, Page, facts, grid
from api.terminal.shown.pieces import named, needs_text, number
from engine.replay.explain import Replayed, ReplayExplanation


def show_explained_replay(explanation: ReplayExplanation, time_zone: str, most: int) -> None:
    """One interaction of a replay: what was decided and why, in local time, with so many agents at most."""
    about, decision = explanation.interaction, explanation.decision
    out = Page()
    answered = f"{about.status} after {number(about.wait_s, 1)} s"
    by = f" by {named(about.agent_id, about.agent_name)}" if about.agent_id else ""
    past = f"{about.recorded_agent_id or 'nobody'} after {number(about.recorded_wait_s, 1)} s"
    stage = f"; stage {decision.stage} of {decision.stages}" if decision.stages > 1 else ""
    when = f"{_clock(decision.at_us, time_zone)}, after {number(decision.waited_s, 1)} s"
    queue = f"in queue {about.queue_id}, {_clock(about.arrived_us, time_zone)}"
    rows = [
        ("interaction", f"{about.interaction_id} {queue}"),
        ("requires", needs_text(about)),
        ("rule", explanation.rule),
        ("outcome", answered + by),
        ("recorded", past + _told(about)),
        ("decided", f"{when}: {decision.how}{stage}"),
    ]  # fmt: skip
    out.print(facts("", rows))
    table = [
        [str(a.place or "-"), named(a.agent_id, a.agent_name),
         "-" if a.score is None else f"{a.score:.4f}",
         number(a.idle_s, 0), a.reason]
        for a in explanation.agents[:most]
    ]  # fmt: skip
    columns = [("order", "right"), ("agent", "left"), ("score", "right"), ("idle, s", "right"), ("why", "left")]
    out.print(grid("Agents at that instant", columns, table))
    if len(explanation.agents) > most:
        out.print(f"{len(explanation.agents) - most} more agents; --top {len(explanation.agents)} shows all")
    if explanation.waiting:
        out.print(_waiting(explanation))


def _told(about: Replayed) -> str:
    """What the platform says of it beside."""
    said = f"; routed by {about.used_routing}" if about.used_routing else ""
    if about.eligible_count is not None:
        said += f"; agents whom the platform found: {about.eligible_count}"
    if about.conversation_id is not None and (about.visits or 0) > 1:
        said += f"; one of {about.visits} visits of conversation {about.conversation_id}"
    return said


def _waiting(explanation: ReplayExplanation) -> Grid:
    rows = [
        [str(place), w.interaction_id + (" (this)" if w.is_this else ""), number(w.waited_s, 1),
         number(w.credit_s, 0), number(w.leaves_in_s, 0)]
        for place, w in enumerate(explanation.waiting, start=1)
    ]  # fmt: skip
    columns = [
        ("order", "right"), ("waiting", "left"), ("waited, s", "right"), ("credit, s", "right"),
        ("would leave in, s", "right"),
    ]  # fmt: skip
    return grid("Interactions that the agent could have taken", columns, rows)


def _clock(at_us: int, time_zone: str) -> str:
    at = datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(ZoneInfo(time_zone))
    return at.strftime("%a %Y-%m-%d %H:%M:%S")
