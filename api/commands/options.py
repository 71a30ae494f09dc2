"""Options that several commands share, and how texts become scenarios."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from engine.scenario import Scenario

Command = TypeVar("Command", bound=Callable[..., Any])

store = click.option(
    "--store", type=click.Path(path_type=Path), default=Path("data/snapshots"), envvar="ROUTELAB_STORE",
    show_default=True, help="Folder of snapshots.",
)  # fmt: skip
snapshot = click.option("--snapshot", "snapshot_name", required=True, help="Name of a snapshot, or its folder.")
name = click.option("--name", required=True, help="Name of the new snapshot.")
replace = click.option("--replace", is_flag=True, help="Replace a snapshot of this name.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")

_SCENARIO = (
    click.option("--mode", default="score", show_default=True, help="score: nobody is ever busy."),
    click.option("--method", default="weighted", show_default=True, help="Routing method."),
    click.option(
        "--weights", default="0.4,0.3,0.3", show_default=True, metavar="P,L,C",
        help="Weights of proficiency, language and satisfaction.",
    ),
    click.option("--threshold", type=float, default=0.5, show_default=True, help="Least score that counts."),
    click.option("--sla", metavar="SHARE/SECONDS", help="Goal, for example 80/20; may move the weights."),
    click.option("--performance", type=float, help="Share achieved within the goal, 0-1.  [default: 0.8]"),
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
    click.option("--seed", type=int, default=0, show_default=True, help="For methods that draw; kept in the report."),
)  # fmt: skip


def scenario_options(command: Command) -> Command:
    """Add the options that make a scenario."""
    for option in reversed(_SCENARIO):
        command = option(command)
    return command


def scenario_of(
    *, mode: str, method: str, weights: str, threshold: float, sla: str | None, performance: float | None,
    required: str, expected: str, csat: str, csat_missing: str, csat_shrinkage: float, language_term: str, seed: int,
) -> Scenario:  # fmt: skip
    """The scenario that the options say.

    Raises
    ------
    InvalidScenario
        If a text cannot be read or a value is out of range.
    """
    from engine.errors import InvalidScenario
    from engine.scenario import Scenario
    from engine.weights import RoutingWeights

    if performance is not None and sla is None:
        raise InvalidScenario("--performance needs --sla: without a goal it moves nothing; add --sla 80/20, say")
    try:
        terms = [float(text) for text in weights.split(",")]
    except ValueError:
        terms = []
    if len(terms) != 3:
        raise InvalidScenario(
            f"--weights {weights!r}: give three numbers, proficiency,language,satisfaction, for example 0.4,0.3,0.3"
        )
    return Scenario(
        mode=mode, method=method, weights=RoutingWeights(terms[0], terms[1], terms[2], threshold), goal=sla,
        performance=0.80 if performance is None else performance,
        required=tuple(part.strip() for part in required.split(",") if part.strip()),
        expected=expected, csat=csat, csat_missing=_number_or_text(csat_missing), csat_shrinkage=csat_shrinkage,
        language=language_term, seed=seed,
    )  # fmt: skip


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
