"""Reports, snapshots and explanations as tables for people."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from api.terminal.shown.page import Grid, Page, facts, grid, note
from engine.data.call_types import AskedFor
from engine.data.provenance import Extent, Provenance
from engine.measures.satisfaction import Satisfaction, SatisfactionAgainst
from engine.reports.report import AgentShare, Report
from engine.scoring.weights import RoutingWeights
from engine.selection.explain import AgentTerms, Explanation
from engine.texts import short
from ingest.snapshot.manifest import Manifest

if TYPE_CHECKING:
    import polars as pl

MOST_AGENTS = 10
EXPLAINED = (
    "eligible: member of the queue who passes the filters, whatever the weights. handling hours: recorded times of the "
    "interactions given to the agent. Cohen's w: distance of the shares from those expected, beyond chance; 0.1 small, "
    "0.5 large."
)


def percent(share: float | None) -> str:
    """At most one decimal, as people read it.

    Examples
    --------
    >>> percent(0.31449)
    '31.4 %'
    """
    return "-" if share is None else f"{100 * share:.1f} %"


def number(value: float | None, digits: int = 0) -> str:
    """Grouped by thousands; a dash where there is none.

    Examples
    --------
    >>> number(252290)
    '252,290'
    """
    return "-" if value is None else f"{value:,.{digits}f}"


def named(code: str, name: str | None) -> str:
    """Name and id, or the id alone; what is in the middle of long ones is left out."""
    return f"{short(name)} ({short(code)})" if name and name != code else short(code)


def show_report(report: Report) -> None:
    """What a planner reads after a run in score mode."""
    out = Page()
    out.print()
    out.print(report.headline, style="bold")
    out.print()
    out.print(facts("", _summary(report)))
    out.print()
    if report.routed:
        out.print(_agents(report))
        out.print(EXPLAINED, style="dim")
    for warning in [*report.warnings, *report.fairness.warnings]:
        out.print(note(warning))


def _summary(report: Report) -> list[tuple[str, str]]:
    fair, snapshot = report.fairness, report.snapshot
    reasons = "; ".join(f"{reason}: {number(n)}" for reason, n in report.unrouted.reasons.items())
    unrouted = f"{number(report.unrouted.total)} unrouted" + (f" ({reasons})" if reasons else "")
    rows = [
        ("snapshot", f"{snapshot.id}  {interval_text(snapshot)}"),
        ("interactions", f"{number(report.n_interactions)}: {number(report.routed)} routed, {unrouted}"),
        ("weights", weights_text(report.weights_used) + _moved(report)),
        ("sharing", fair.verdict),
        ("", f"Gini {three(fair.gini_coefficient)} (0: all the same, 1: one has all); p {_p(fair.p_value)}; "
         f"the simple rule, p > 0.05 and Gini < 0.3, says {_fair(fair.is_fair)}"),
        ("busiest agent", _busiest(report)),
        ("satisfaction", satisfaction_text(report.csat)),
    ]  # fmt: skip
    return rows if report.routed else [row for row in rows if row[0]]


def weights_text(used: RoutingWeights) -> str:
    """The weights of a score and its threshold."""
    return (
        f"proficiency {used.proficiency:.4g}, language {used.language_match:.4g}, "
        f"satisfaction {used.historical_csat:.4g}, threshold {used.threshold:.4g}"
    )


def _moved(report: Report) -> str:
    scenario = report.scenario
    if not scenario.goal:
        return ""
    at = f"goal {scenario.goal} at {percent(float(scenario.performance))}"
    same = report.weights_used == scenario.weights
    return f" ({at}: no rule applies, weights as given)" if same else f" (moved by {at})"


def interval_text(snapshot: Provenance) -> str:
    """First and last day of a snapshot; nothing where it has no interactions."""
    if snapshot.interval is None or not snapshot.interval.start:
        return ""
    window = snapshot.window
    some = f"; of it {window.start} to {window.end}" if window else ""
    return days(snapshot.interval, snapshot.time_zone or "UTC") + some


def days(interval: Extent, zone: str) -> str:
    """First and last day of arrivals, in the centre's time zone.

    Examples
    --------
    >>> days(Extent("1998-12-31T22:30:00+00:00", "1999-01-31T20:00:00+00:00"), "Asia/Jerusalem")
    '1999-01-01 to 1999-01-31 (Asia/Jerusalem)'
    """
    if not interval.start or not interval.end:
        return "-"
    first, last = (datetime.fromisoformat(end).astimezone(ZoneInfo(zone)) for end in (interval.start, interval.end))
    return f"{first.date()} to {last.date()} ({zone})"


def _busiest(report: Report) -> str:
    preference = report.preference
    if preference is None or preference.busiest_agent_id is None:
        return "nobody was chosen"
    share, peak = preference.busiest_handled / report.routed, preference.implied_peak
    held = "handling times are not recorded" if peak is None else f"would hold up to {number(peak)} at the same time"
    who = named(preference.busiest_agent_id, preference.busiest_agent_name)
    return f"{who}: {number(preference.busiest_handled)} interactions, {percent(share)} of those routed; {held}"


def satisfaction_text(csat: Satisfaction | SatisfactionAgainst, word: str = "simulated") -> str:
    """Satisfaction under a rule against the record, or against another rule.

    Examples
    --------
    >>> satisfaction_text(Satisfaction(coverage=None, n_surveys=0, how="no surveys"))
    'no surveys'
    """
    if csat.simulated_mean is None:
        return csat.how
    other = (
        f"recorded {three(csat.recorded_mean)}"
        if isinstance(csat, Satisfaction)
        else f"against {three(csat.against_mean)}"
    )
    text = f"{word} {csat.simulated_mean:.3f}, {other} (scale 0-1)"
    if csat.gain:
        text += f", difference {csat.gain.value:+.4f} (95 % {csat.gain.low:+.4f} to {csat.gain.high:+.4f})"
    return f"{text}; surveys for {percent(csat.coverage)} of answered interactions; {csat.how}"


def most_handled(agents: list[AgentShare]) -> list[AgentShare]:
    """Those who handled most, equal counts by id."""
    return sorted(agents, key=lambda agent: (-agent.handled, agent.agent_id))[:MOST_AGENTS]


def _agents(report: Report) -> Grid:
    chosen = [agent for agent in report.agents if agent.handled]
    shown = most_handled(chosen)
    rows = [
        [
            named(agent.agent_id, agent.agent_name), number(agent.handled), percent(agent.handled / report.routed),
            number(agent.eligible), percent(agent.handled / agent.eligible if agent.eligible else None),
            "-" if agent.handled_s is None else number(agent.handled_s / 3600, 1),
        ]
        for agent in shown
    ]  # fmt: skip
    first = f", the first {len(shown)}" if len(shown) < len(chosen) else ""
    title = f"Chosen at least once: {len(chosen)} of {len(report.agents)} agents{first}"
    columns = [
        ("agent", "left"), ("chosen", "right"), ("of routed", "right"), ("eligible for", "right"),
        ("chosen of eligible", "right"), ("handling hours", "right"),
    ]  # fmt: skip
    return grid(title, columns, rows)


def show_explanation(explanation: Explanation, most: int) -> None:
    """Every agent with its terms and why it lost."""
    about, chosen = explanation.interaction, explanation.chosen
    out = Page()
    rows = [
        ("interaction", f"{about.interaction_id} in queue {about.queue_id}"),
        ("requires", needs_text(about)),
        ("weights", weights_text(explanation.weights_used)),
        ("chosen", named(chosen.agent_id, chosen.agent_name) if chosen else "nobody"),
    ]  # fmt: skip
    out.print(facts("", rows))
    table = [
        [
            str(a.place or "-"), named(a.agent_id, a.agent_name), f"{a.proficiency:.3f}", f"{a.language:.3f}",
            _content(a), f"{a.raw_score:.4f}", a.reason,
        ]
        for a in explanation.agents[:most]
    ]  # fmt: skip
    columns = [
        ("place", "right"), ("agent", "left"), ("proficiency", "right"), ("language", "right"),
        ("satisfaction", "right"), ("weighted", "right"), ("why", "left"),
    ]  # fmt: skip
    out.print(grid("", columns, table))
    if len(explanation.agents) > most:
        out.print(f"{len(explanation.agents) - most} more agents; --top {len(explanation.agents)} shows all")
    for warning in explanation.warnings:
        out.print(note(warning))


def _content(agent: AgentTerms) -> str:
    return f"{agent.csat:.3f}" if agent.n_surveys else f"{agent.csat:.3f} (no survey)"


def needs_text(about: AskedFor) -> str:
    """What an interaction requires."""
    needs = ", ".join(about.skills) or "no skill"
    return f"{needs}; language {about.language or 'any'}; priority {about.priority:g}"


def show_snapshots(manifests: list[Manifest], store: Path) -> None:
    """One line per snapshot."""
    rows = [
        [m.name, str(m.source.get("kind", "")), number(m.rows["interactions"]), number(m.rows["agents"]),
         days(Extent(**m.interval), m.time_zone), m.created[:19], m.id[:12]]
        for m in manifests
    ]  # fmt: skip
    columns = [
        ("name", "left"), ("source", "left"), ("interactions", "right"), ("agents", "right"), ("days", "left"),
        ("created (UTC)", "left"), ("sha256", "left"),
    ]  # fmt: skip
    Page().print(grid("Snapshots", columns, rows) if rows else f"no snapshots in {store}")


def show_manifest(manifest: Manifest) -> None:
    """All that is known about one snapshot."""
    size = sum(entry.bytes for entry in manifest.files)
    rows = [
        ("name", manifest.name), ("sha256", manifest.id), ("source", _source(manifest.source)),
        ("created (UTC)", manifest.created[:19]), ("time zone", manifest.time_zone),
        ("interval (UTC)", f"{manifest.interval['start'] or '-'} to {manifest.interval['end'] or '-'}"),
        ("rows", ", ".join(f"{table} {number(n)}" for table, n in manifest.rows.items() if n)),
        ("files", f"{len(manifest.files)}, {number(size / 1e6, 1)} MB"),
        *(("made up", table) for table in manifest.made_up),
        *(("counted", f"{label}: {number(n)}") for label, n in manifest.repairs.items()),
        *(("assumed", sentence) for sentence in manifest.assumptions),
    ]  # fmt: skip
    Page().print(facts("", rows))


FIGURES = {
    "offered": "offered", "answered": "answered", "abandoned": "abandoned", "flowed_out": "flowed out",
    "over_sla": "answered later than the goal", "answered_wait_s": "waits of those answered, s",
    "handle_s": "handling, s", "acw_s": "of it after-call work, s", "talk_and_hold_s": "of it talk and hold, s",
}  # fmt: skip


def show_beside_platform(beside: pl.DataFrame) -> None:
    """What the platform itself counted, beside what the snapshot holds; media, figure, platform and snapshot."""
    rows = [
        [media, FIGURES[figure], number(theirs), number(ours), number(ours - theirs)]
        for media, figure, theirs, ours in beside.iter_rows()
    ]
    columns = [("media", "left"), ("", "left"), *((name, "right") for name in ("platform", "snapshot", "difference"))]
    Page().print(grid("The platform's own counts, of the half hours and queues it counted", columns, rows))


def _source(source: dict[str, Any]) -> str:
    """Kind and making of a snapshot; of files only their names."""
    # A profile has many lines; its file, and `--json`, show them.
    return "; ".join(
        f"{key} {_plain(value)}" for key, value in source.items() if key != "profile" and value not in (None, False)
    )


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(entry.get("file", name) for name, entry in value.items())
    if isinstance(value, list):
        return ", ".join(
            f"{entry['name']} ({entry['id']})" if isinstance(entry, dict) else str(entry) for entry in value
        )
    return str(value)


def three(value: float | None) -> str:
    """Three decimals, or the word undefined."""
    return "undefined" if value is None else f"{value:,.3f}"


def _p(value: float | None) -> str:
    if value is None:
        return "undefined"
    return "under 0.001" if value < 0.001 else f"= {value:.3f}"


def _fair(value: bool | None) -> str:
    return "undefined" if value is None else "fair" if value else "not fair"
