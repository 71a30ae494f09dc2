"""Options that several commands share, and how texts become scenarios."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from datetime import datetime

    from engine.data.arrays import Arrays
    from engine.estimates.assumptions import Assumptions, Switches
    from engine.scoring.weights import RoutingWeights
    from engine.spec import Scenario

Command = TypeVar("Command", bound=Callable[..., Any])

store = click.option(
    "--store", type=click.Path(path_type=Path), default=Path("data/snapshots"), envvar="ROUTELAB_STORE",
    show_default=True, help="Folder of snapshots.",
)  # fmt: skip
snapshot = click.option("--snapshot", "snapshot_name", required=True, help="Name of a snapshot, or its folder.")
name = click.option("--name", required=True, help="Name of the new snapshot.")
replace = click.option("--replace", is_flag=True, help="Replace a snapshot of this name.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")

_WINDOW = (
    click.option("--from", "first_day", type=click.DateTime(["%Y-%m-%d"]), help="First day, local.  [default: all]"),
    click.option("--to", "last_day", type=click.DateTime(["%Y-%m-%d"]), help="Last day, included.  [default: all]"),
)


def window(command: Command) -> Command:
    """Add the options that choose days of a snapshot."""
    for option in reversed(_WINDOW):
        command = option(command)
    return command


def days_of(arrays: Arrays, first_day: datetime | None, last_day: datetime | None) -> Arrays:
    """The chosen days of a data set.

    Raises
    ------
    InvalidScenario
        If the last day lies before the first.
    """
    from datetime import date

    from engine.errors import InvalidScenario

    chosen = arrays.days(first_day and first_day.date(), last_day and last_day.date())
    interval = arrays.snapshot.get("interval") or {}
    if chosen is not arrays and interval.get("start"):
        # In UTC, so a day more on either side may still hold something.
        start, end = (date.fromisoformat(str(interval[side])[:10]) for side in ("start", "end"))
        first, last = (day.date() if day else None for day in (first_day, last_day))
        if (first and (first - end).days > 1) or (last and (start - last).days > 1):
            raise InvalidScenario(f"there are no interactions in these days; the snapshot holds {start} to {end}")
    return chosen


def check_calibration(path: Path | None, arrays: Arrays) -> None:
    """Say on standard error where a calibration was fitted on other data."""
    from api.output.calibration_file import fitted_on

    if path is None:
        return
    origin = fitted_on(path)
    if origin and origin.get("sha256") != arrays.snapshot.get("sha256"):
        click.echo(f"note: {path} was fitted on other data, snapshot {origin.get('id')!r}", err=True)


_SCENARIO = (
    click.option(
        "--mode", default="score", show_default=True, metavar="score|replay",
        help="score: nobody is ever busy. replay: agents are busy, customers wait and leave.",
    ),
    click.option(
        "--method", default="weighted", show_default=True, metavar="NAME",
        help="weighted; in a replay also genesys, bullseye, preferred_agent, longest_idle, fastest_first, "
        "fixed_order, random.",
    ),
    click.option(
        "--weights", default="0.4,0.3,0.3", show_default=True, metavar="P,L,C",
        help="Weights of proficiency, language and satisfaction.",
    ),
    click.option("--threshold", type=float, default=0.5, show_default=True, help="Least score that counts."),
    click.option("--sla", metavar="SHARE/SECONDS", help="Goal, for example 80/20; may move the weights."),
    click.option(
        "--performance", metavar="SHARE|rolling",
        help="Share achieved within the goal, 0-1; rolling: measured as a replay goes on.  [default: 0.8]",
    ),
    click.option("--required", default="", metavar="skills,language", help="Make either or both a hard filter."),
    click.option(
        "--expected", default="eligible", show_default=True, metavar="eligible|uniform|staffed",
        help="What fairness compares with.",
    ),
    click.option(
        "--csat", default="asof", show_default=True, metavar="asof|all",
        help="Surveys completed before each interaction's UTC day, or all.",
    ),
    click.option(
        "--csat-missing", default="0.5", show_default=True, metavar="NUMBER|queue-mean",
        help="Satisfaction term of agents without surveys.",
    ),
    click.option(
        "--csat-shrinkage", type=float, default=0.0, show_default=True,
        help="Surveys' worth of pull toward the mean in the score.",
    ),
    click.option(
        "--language-term", default="binary", show_default=True, metavar="binary|proficiency",
        help="1 for having the language, or level / 5.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is drawn."),
)  # fmt: skip

# What only a replay reads; assumptions without a default here are those of the engine, or of a calibration file.
_REPLAY = (
    click.option(
        "--service-level", default="genesys", show_default=True, metavar="genesys|offered|answered",
        help="Replay: what the service level is a share of.",
    ),
    click.option(
        "--short-abandon", type=float, default=0.0, show_default=True, metavar="SECONDS",
        help="Replay: abandonments up to this wait do not count; 0: all count.",
    ),
    click.option("--interval", type=int, default=30, show_default=True, metavar="15|30|60", help="Replay: minutes."),
    click.option(
        "--replications", type=int, default=1, show_default=True, help="Replay: draws of what is not recorded."
    ),
    click.option("--window", type=float, default=1800.0, show_default=True, help="Rolling: seconds looked back on."),
    click.option("--replan", type=float, default=900.0, show_default=True, help="Rolling: seconds between plans."),
    click.option(
        "--calibration", type=click.Path(path_type=Path, dir_okay=False),
        help="Replay: assumptions fitted by 'routelab calibrate'; options given here win.",
    ),
    click.option("--join-gap", type=float, metavar="SECONDS", help="Inferred staffing: longest gap.  [default: 900]"),
    click.option("--lead", type=float, metavar="SECONDS", help="Inferred staffing: before a block.  [default: 0]"),
    click.option("--tail", type=float, metavar="SECONDS", help="Inferred staffing: after a block.  [default: 0]"),
    click.option("--acw", type=float, metavar="SECONDS", help="After-call work where none is recorded.  [default: 0]"),
    click.option(
        "--handling", metavar="recorded|agent", help="Whether times change with the agent.  [default: recorded]"
    ),
    click.option("--patience", metavar="estimated|never", help="Whether customers leave.  [default: estimated]"),
    click.option("--flow-out", metavar="recorded|never|SECONDS", help="When flow-outs leave.  [default: recorded]"),
    click.option("--point", type=float, metavar="SECONDS", help="Head start of a priority point.  [default: 60]"),
    click.option("--no-answer", type=float, metavar="SHARE", help="Alerts that nobody answers.  [default: 0]"),
    click.option("--alert-timeout", type=float, metavar="SECONDS", help="Length of such an alert.  [default: 15]"),
    click.option("--away", type=float, metavar="SECONDS", help="Agent gone after it.  [default: 60]"),
    click.option(
        "--switch", multiple=True, metavar="NAME=VALUE",
        help="Where sources on Genesys' routing differ: language_in_mean, alert_resets_idle, resets_on_queue, "
        "new_agents_last, lookback_days, longest_idle.",
    ),
)  # fmt: skip
_ASSUMPTIONS = {
    "join_gap": "join_gap_s", "lead": "lead_s", "tail": "tail_s", "acw": "acw_s", "handling": "handling",
    "patience": "patience", "flow_out": "flow_out", "point": "point_s", "no_answer": "no_answer",
    "alert_timeout": "timeout_s", "away": "away_s",
}  # fmt: skip


def scenario_options(command: Command) -> Command:
    """Add the options that make a scenario."""
    for option in reversed((*_SCENARIO, *_REPLAY)):
        command = option(command)
    return command


def scenario_of(
    *, mode: str, method: str, weights: str, threshold: float, sla: str | None, performance: str | None,
    required: str, expected: str, csat: str, csat_missing: str, csat_shrinkage: float, language_term: str, seed: int,
    service_level: str, short_abandon: float, interval: int, replications: int, window: float, replan: float,
    calibration: Path | None, switch: tuple[str, ...], **assumed: Any,
) -> Scenario:  # fmt: skip
    """The scenario that the options say.

    Raises
    ------
    InvalidScenario
        If a text cannot be read or a value is out of range.
    """
    from engine.errors import InvalidScenario
    from engine.spec import Scenario

    if performance is not None and sla is None:
        raise InvalidScenario("--performance needs --sla: without a goal it moves nothing; add --sla 80/20, say")
    return Scenario(
        mode=mode, method=method, weights=_weights(weights, threshold), goal=sla,
        performance=0.80 if performance is None else _number_or_text(performance),
        required=tuple(part.strip() for part in required.split(",") if part.strip()),
        expected=expected, csat=csat, csat_missing=_number_or_text(csat_missing), csat_shrinkage=csat_shrinkage,
        language=language_term, seed=seed, service_level=service_level, short_abandon_s=short_abandon,
        interval_min=interval, replications=replications, window_s=window, replan_s=replan,
        assumptions=_assumptions(calibration, assumed), switches=_switches(switch),
    )  # fmt: skip


def _weights(text: str, threshold: float) -> RoutingWeights:
    from engine.errors import InvalidScenario
    from engine.scoring.weights import RoutingWeights

    try:
        terms = [float(part) for part in text.split(",")]
    except ValueError:
        terms = []
    if len(terms) != 3:
        raise InvalidScenario(
            f"--weights {text!r}: give three numbers, proficiency,language,satisfaction, for example 0.4,0.3,0.3"
        )
    return RoutingWeights(terms[0], terms[1], terms[2], threshold)


def _assumptions(calibration: Path | None, given: dict[str, Any]) -> Assumptions:
    from api.output.calibration_file import read_calibration
    from engine.estimates.assumptions import Assumptions

    fitted = {} if calibration is None else read_calibration(calibration)
    chosen = {_ASSUMPTIONS[name]: value for name, value in given.items() if value is not None}
    if "flow_out" in chosen:
        chosen["flow_out"] = _number_or_text(chosen["flow_out"])
    return Assumptions.of(fitted | chosen)


def _switches(texts: tuple[str, ...]) -> Switches:
    from dataclasses import asdict

    from engine.errors import InvalidScenario
    from engine.estimates.assumptions import Switches

    defaults = asdict(Switches())
    kinds = {name: type(value) for name, value in defaults.items()}
    given: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        words = {"true": True, "false": False} if kinds.get(name) is bool else {}
        number = _number_or_text(value)
        if name not in kinds or (words and value not in words) or (not words and isinstance(number, str)):
            raise InvalidScenario(
                f"--switch {text!r}: write NAME=true, NAME=false or NAME=NUMBER; names: {', '.join(kinds)}"
            )
        given[name] = words[value] if words else int(number) if number in range(1_000_001) else number
    return Switches(**given)


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
