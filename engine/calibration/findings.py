"""What a planner should know about a calibration, in words: where it fails, and why."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.calibration.evidence import Beside, Evidence, Limits, SpanAgreement, TypeBeside

# Errors of the service level or of the abandoned share (points) and of the ASA (share) worth a word.
POINTS, ASA_SHARE = 0.03, 0.10
# Groups with a smaller part of the interactions are not named.
LEAST_SHARE, LEAST_OFFERED = 0.01, 50
MOST_NAMED = 3
FEWEST_DAYS, MUCH_MORE = 8, 1.25
OUTSIDE = 0.02
# A weekday of fewer days says little about weekdays.
ENOUGH_DAYS = 5
HOURS = {"first": "first hour", "between": "in between", "last": "last hour"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def findings(evidence: Evidence) -> list[str]:
    """Sentences on what was fitted, how close it comes on the days tested, and where it fails."""
    tested = evidence.agreement["test"]
    return [
        evidence.drift.verdict, *_about_fit(evidence), *_about_closeness(tested), *_about_places(tested),
        *_about_few_agents(tested), *_about_staffing(evidence),
    ]  # fmt: skip


def _about_fit(evidence: Evidence) -> Iterator[str]:
    for name, why in evidence.not_fitted.items():
        yield f"{name} is not fitted: {why}"
    for name in evidence.at_edge:
        yield f"{name} is the largest value that was tried: the log does not bound it from above"
    ranges = [
        f"{name} {low:g} to {high:g} s" for name, (low, high) in evidence.as_good.items() if low < high
    ]  # fmt: skip
    if ranges:
        yield (
            f"as good, as far as draws tell: {', '.join(ranges)}. A longer join gap gives agents more time and "
            "after-call work takes it away, so the log determines the two together better than each"
        )


def _about_closeness(tested: SpanAgreement) -> Iterator[str]:
    for grain, words in (("day", "by day"), ("half_hour", "by half hour")):
        found = tested.closeness[grain]["asa_s"]
        if found.rmse is not None and found.rmse_between_draws:
            yield (
                f"{words} of the test, a replay misses the recorded ASA by {found.rmse:.1f} s (root mean square), "
                f"and two replays that differ only in what was drawn differ by {found.rmse_between_draws:.1f} s"
            )


def _about_places(tested: SpanAgreement) -> Iterator[str]:
    offered = tested.recorded.offered
    groups: tuple[tuple[str, list[tuple[str, Beside]]], ...] = (
        ("times of day", [(row.start, row) for row in tested.times]),
        ("weekdays", [(WEEKDAYS[row.weekday], row) for row in tested.weekdays if row.days >= ENOUGH_DAYS]),
        ("kinds of interaction", [(type_text(row), row) for row in tested.types]),
        (
            "hours after opening and before closing",
            [(HOURS[name], row) for name, row in tested.hours.items() if name != "between"],
        ),
    )
    for what, rows in groups:
        off = [(_weight(row), label, row) for label, row in rows if _is_off(row, offered)]
        named = sorted(off, key=lambda one: -one[0])[:MOST_NAMED]
        if named:
            more = f" and {len(off) - len(named)} more" if len(off) > len(named) else ""
            yield f"{what} where the test is furthest off: " + "; ".join(
                f"{label} {error_text(row)}" for _, label, row in named
            ) + more  # fmt: skip


def _about_few_agents(tested: SpanAgreement) -> Iterator[str]:
    days = [row for row in tested.days if _error(row, "service_level") is not None]
    if len(days) < FEWEST_DAYS:
        return
    agents, n = np.array([row.agents for row in days]), np.array([row.recorded.offered for row in days])
    error = np.array([_error(row, "service_level") for row in days])
    # A quarter, so that both sides hold enough days to be compared.
    few = agents <= np.quantile(agents, 0.25)
    if few.all():
        return
    rms = [float(np.sqrt(np.average(error[side] ** 2, weights=n[side]))) for side in (few, ~few)]
    # Worth a sentence only where the error matters in itself and is clearly larger than on other days.
    if rms[0] < POINTS or rms[0] < MUCH_MORE * rms[1]:
        return
    yield (
        f"on the {int(few.sum())} days of the test with the fewest agents (up to {agents[few].max()}) the service "
        f"level is {100 * rms[0]:.1f} points off (root mean square), on the others {100 * rms[1]:.1f}"
    )


def _about_staffing(evidence: Evidence) -> Iterator[str]:
    if evidence.staffing == "recorded":
        return
    yield (
        "the days tested are replayed from their own arrivals, handling times, abandonments and services, from which "
        "their staffing is inferred: the test tries join gap and after-call work, and forecasts nothing"
    )
    yield (
        "agents who sat free before the first service of a block or after its last are not seen, so the first and last "
        "hours of a day look shorter of agents than they were"
    )
    paused, acw_s = evidence.pauses, evidence.assumptions.acw_s
    if paused.mean_s is not None:
        yield (
            f"while somebody waited, agents of the log took their next interaction {_seconds(paused.median_s)} "
            f"after the last (median; mean {paused.mean_s:.0f} s of pauses up to the join gap, of {paused.n:,}); "
            f"the replay assumes {acw_s:g} s of after-call work, {_beside(acw_s, paused.mean_s)}"
        )
    outside = evidence.agreement["fit"].outside_blocks
    if outside is not None and outside > OUTSIDE:
        yield (
            f"{100 * outside:.1f} % of replayed work is done after blocks have ended: inferred blocks end with a "
            "recorded service, a replayed agent is then in the middle of another and finishes it"
        )
    unnamed = evidence.spans["fit"].answered_by_nobody_named
    if unnamed:
        yield (
            f"{unnamed:,} interactions of the fit were answered by nobody named: a replay needs agents for them whom "
            "inferred staffing does not have"
        )


def type_text(row: TypeBeside) -> str:
    """A call type as people read it; what is not asked for is left out.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> type_text(SimpleNamespace(queue_id="sales", skills=["PS"], language=None, priority=1.5))
    'sales, PS, priority 1.5'
    """
    parts = [row.queue_id, ";".join(row.skills or []), row.language]
    return ", ".join(filter(None, parts)) + (f", priority {row.priority:g}" if row.priority else "")


def error_text(row: Beside) -> str:
    """How far replays are off, simulated less recorded."""
    level, asa_s = _error(row, "service_level"), _error(row, "asa_s")
    said = [] if level is None else [f"{100 * level:+.1f} points"]
    return ", ".join(said + ([] if asa_s is None else [f"ASA {asa_s:+.0f} s"]))


def _error(row: Beside, name: str) -> float | None:
    mine, theirs = getattr(row.calibrated, name), getattr(row.recorded, name)
    return None if mine is None or theirs is None else mine - theirs


def _beside(acw_s: float, mean_s: float) -> str:
    if acw_s > MUCH_MORE * mean_s:
        return "more than that, since it makes up for time that inferred staffing has too much of"
    return "less than that" if MUCH_MORE * acw_s < mean_s else "about as much"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"


def _weight(row: Beside) -> float:
    return abs(_error(row, "service_level") or 0.0) * row.recorded.offered


def _is_off(row: Beside, offered: float) -> bool:
    """Whether a group that matters is off by more than noise and than anybody minds."""
    # Groups of a few calls are always far off.
    if row.recorded.offered < max(LEAST_SHARE * offered, LEAST_OFFERED):
        return False
    level, asa_s = _error(row, "service_level"), _error(row, "asa_s")
    most_s = ASA_SHARE * max(row.recorded.asa_s or 0.0, 10.0)
    return (level is not None and abs(level) > POINTS and beyond_draws(row, "service_level")) or (
        asa_s is not None and abs(asa_s) > most_s and beyond_draws(row, "asa_s")
    )


def beyond_draws(row: Beside, name: str) -> bool:
    """Whether the record lies outside the band of the draws, so that chance alone does not explain the difference."""
    band: Limits = getattr(row.band, name)
    value = getattr(row.recorded, name)
    if value is None or band.low is None or band.high is None:
        return getattr(row.calibrated, name) is not None and value is not None
    return not band.low <= value <= band.high
