"""Calibrations as tables for people: recorded, replayed as before and calibrated, and where it fails."""

from __future__ import annotations

from api.terminal.shown.page import Grid, Line, Page, facts, grid, note, styled
from api.terminal.shown.pieces import number
from api.terminal.shown.replay import COLORS, cell, lit_text
from engine.calibration import Calibration
from engine.calibration.drift import Drift
from engine.calibration.evidence import Beside, Evidence, MonthBeside
from engine.calibration.findings import ENOUGH_DAYS, HOURS, WEEKDAYS, beyond_draws

# Measure, heading, kind of number.
ROWS = (
    ("asa_s", "ASA, s", "seconds"), ("mean_wait_s", "mean wait, s", "seconds"),
    ("abandonment", "abandonment", "share"), ("service_level", "service level", "share"),
    ("occupancy", "occupancy", "share"),
)  # fmt: skip
WORDS = {
    "join_gap_s": "join gap", "acw_s": "after-call work", "point_s": "head start of a priority point",
    "lead_s": "lead", "tail_s": "tail",
}  # fmt: skip
SPANS = {"fit": "Fitted", "test": "Tested"}
GRAINS = {"day": "by day", "half_hour": "by half hour"}
MOST_CANDIDATES = 6


def show_calibration(found: Calibration) -> None:
    """What a planner reads after a calibration."""
    out, evidence = Page(), found.evidence
    lit = evidence.agreement["test"].light
    out.print()
    out.print(lit_text(lit, " on the days tested:"))
    out.print()
    out.print(facts("", _summary(found.assumptions, evidence)))
    for name in SPANS:
        out.print()
        out.print(_columns(name, evidence))
    for table in (_closeness(evidence), _months(evidence)):
        out.print()
        out.print(table)
    for table in (_places(evidence), _priority(evidence)):
        out.print()
        out.print(table)
    out.print(evidence.credit.verdict)
    if evidence.head_starts is not None:
        out.print(evidence.head_starts.verdict)
    if evidence.desks.tests:
        out.print()
        out.print(_desks(evidence))
    if evidence.desks.desks:
        out.print(evidence.desks.verdict)
    if evidence.candidates:
        out.print()
        out.print(_candidates(evidence))
        out.print(f"loss: {evidence.loss}", style="dim")
    for finding in evidence.findings:
        out.print(note(finding))


def _summary(assumptions: dict[str, float], evidence: Evidence) -> list[tuple[str, str]]:
    before = evidence.defaults
    rows = [("today's rule", evidence.rule), ("goal", evidence.goal)]
    needless = {*evidence.not_fitted, *(("lead_s", "tail_s") if evidence.staffing == "recorded" else ())}
    for name, value in vars(evidence.assumptions).items():
        if name in needless:
            continue
        how = "fitted" if name in assumptions else "as given"
        was = f", was {getattr(before, name):g} s" if getattr(before, name) != value else ""
        rows.append((WORDS[name], f"{value:g} s ({how}{was})"))
    return [*rows, ("drift", evidence.drift.short)]


def _columns(name: str, evidence: Evidence) -> Grid:
    span, found = evidence.spans[name], evidence.agreement[name]
    rows = []
    for measure, heading, kind in ROWS:
        band = getattr(found.band, measure)
        columns = (found.recorded, found.defaults, found.calibrated)
        values = [cell(getattr(column, measure), kind) for column in columns]
        rows.append([heading, *values, f"{cell(band.low, kind)} to {cell(band.high, kind)}"])
    title = (
        f"{SPANS[name]}: {span.first} to {span.last}, {_several(span.days, 'day')}, "
        f"{_several(span.interactions, 'interaction')}"
    )
    heads = ("recorded", "replayed as before", "replayed calibrated", f"95 % of {evidence.draws} draws")
    return grid(title, [("", "left"), *((head, "right") for head in heads)], rows)


def _closeness(evidence: Evidence) -> Grid:
    rows = []
    for name in SPANS:
        for grain, words in GRAINS.items():
            found = evidence.agreement[name].closeness[grain]
            for measure, heading, kind in ROWS[:-1]:
                one = found[measure]
                errors = (one.spread, one.rmse_defaults, one.rmse, one.rmse_between_draws)
                rows.append(
                    [
                        f"{name}, {words}",
                        heading + (", points" if kind == "share" else ""),
                        *(_unitless(error, kind) for error in errors),
                        cell(one.correlation, "plain"),
                    ]
                )
    heads = ("spread", "error as before", "error calibrated", "between draws", "correlation")
    columns = [("", "left"), ("", "left"), *((head, "right") for head in heads)]
    return grid("Root mean square errors of single replays, weighted by interactions", columns, rows)


def _several(n: int, what: str) -> str:
    return f"{number(n)} {what}{'' if n == 1 else 's'}"


def _unitless(value: float | None, kind: str) -> str:
    return cell(None if value is None else 100 * value if kind == "share" else value, "seconds")


def _beside(row: Beside) -> list[str]:
    found = []
    for measure, kind in (("asa_s", "seconds"), ("abandonment", "share"), ("service_level", "share")):
        found += [cell(getattr(side, measure), kind) for side in (row.recorded, row.calibrated)]
    return found


BESIDE = tuple(f"{measure}, {side}" for measure in ("ASA", "abandoned", "service level") for side in ("rec.", "rep."))


def _months(evidence: Evidence) -> Grid:
    rows: list[list[str | Line]] = [
        [row.month, row.span, number(row.recorded.offered), *_beside(row),
         styled(COLORS[row.light.color], row.light.color), _holds(row, evidence.drift)]
        for row in evidence.months
    ]  # fmt: skip
    columns = [("", "left"), ("", "left"), ("offered", "right"), *((head, "right") for head in BESIDE)]
    title = "By month, recorded (rec.) and replayed calibrated (rep.)"
    return grid(title, [*columns, ("", "left"), ("holds", "left")], rows)


def _holds(row: MonthBeside, drift: Drift) -> str:
    found = next(one for one in drift.months if (one.span, one.month) == (row.span, row.month))
    return "not tested" if found.why_not else "no" if found.alarms else "yes"


def _places(evidence: Evidence) -> Grid:
    """First and last hours and weekdays: where inferred staffing is worst."""
    tested = evidence.agreement["test"]
    rows = [(HOURS[name], row) for name, row in tested.hours.items()]
    rows += [(WEEKDAYS[row.weekday], row) for row in tested.weekdays if row.days >= ENOUGH_DAYS]
    cells = [
        [label, number(row.recorded.offered), *_beside(row), ", ".join(_beyond(row)) or "-"] for label, row in rows
    ]  # fmt: skip
    columns = [("", "left"), ("offered", "right"), *((head, "right") for head in BESIDE)]
    return grid(
        "Where it fails: by part of the day and weekday, days tested", [*columns, ("beyond draws", "left")], cells
    )


def _beyond(row: Beside) -> list[str]:
    words = {"asa_s": "ASA", "abandonment": "ab.", "service_level": "s.l."}
    return [word for name, word in words.items() if beyond_draws(row, name)]


def _priority(evidence: Evidence) -> Grid:
    found, whole = evidence.credit, evidence.credit.whole
    nothing = [None] * len(found.candidates_s)
    low, high, shares = (side or nothing for side in (whole.lead_low, whole.lead_high, whole.agreement))
    rows = [
        [f"{credit_s:g} s", cell(share, "share"),
         "-" if least is None or most is None else f"{100 * least:.1f} to {100 * most:.1f} points"]
        for credit_s, share, least, most in zip(found.candidates_s, shares, low, high, strict=True)
    ]  # fmt: skip
    title = (
        f"Priority in force: exits that agree with a head start of one step, of {number(whole.n_exits)}, days fitted"
    )
    return grid(title, [("head start", "right"), ("agree", "right"), ("behind the best, 95 %", "right")], rows)


def _desks(evidence: Evidence) -> Grid:
    """Desks on the days held out, without and with them."""
    rows = []
    for test in evidence.desks.tests:
        cells = []
        for measure, kind in (("asa_s", "seconds"), ("abandonment", "share"), ("service_level", "share")):
            cells += [cell(getattr(side, measure), kind) for side in (test.recorded, test.before, test.after)]
        rows.append([test.desk_id, *cells, "used" if test.adopted else "not used"])
    heads = [f"{measure}, {side}" for measure in ("ASA", "ab.", "s.l.") for side in ("rec.", "without", "with")]
    columns = [("", "left"), *((head, "right") for head in heads), ("", "left")]
    return grid("Desks: who serves a kind of call, days tested, replayed without and with the desk", columns, rows)


def _candidates(evidence: Evidence) -> Grid:
    best = sorted(evidence.candidates, key=lambda one: one.loss)[:MOST_CANDIDATES]
    rows = [[f"{one.join_gap_s:g} s", f"{one.acw_s:g} s", f"{one.loss:.4f}", str(one.draws)] for one in best]
    title = f"Closest of {len(evidence.candidates)} candidates (draws alone move a loss by {evidence.noise:.4f})"
    columns = [(head, "right") for head in ("join gap", "after-call work", "loss", "draws")]
    return grid(title, columns, rows)
