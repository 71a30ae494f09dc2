"""`routelab explain`: why an agent was chosen."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.printing import say_json
from api.terminal import options

if TYPE_CHECKING:
    from engine.data.arrays import Arrays
    from engine.spec import Scenario


@options.scenario_command()
@options.snapshot
@click.option("--interaction", required=True, help="Id of the interaction.")
@options.window
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Agents to show.")
@options.store
@options.as_json
def explain(
    snapshot_name: str, interaction: str, first_day: date | None, last_day: date | None, top: int, store: Path,
    as_json: bool, **scenario: Any,
) -> None:  # fmt: skip
    """Show every agent with its terms, its place, and why it lost; of a replay also who was free and who waited.

    \b
    Examples:
      routelab explain --snapshot demo --interaction i000001
      routelab explain --snapshot demo --interaction i000001 --mode replay --method genesys
    """
    chosen = options.scenario_of(scenario)
    from engine.memory import of_explanation
    from ingest.snapshot.reading import open_snapshot
    from ingest.workers import MEMORY

    arrays = open_snapshot(store, snapshot_name).arrays().days(first_day, last_day)
    arrays = options.as_calibrated(scenario["calibration"], arrays)
    with MEMORY.held(of_explanation(chosen, arrays)):
        (_replayed if chosen.mode == "replay" else _scored)(chosen, arrays, interaction, top, as_json)


def _scored(scenario: Scenario, arrays: Arrays, interaction: str, top: int, as_json: bool) -> None:
    from engine.selection.explain import explain as explained

    explanation = explained(scenario, arrays, interaction)
    if as_json:
        say_json(explanation.to_dict())
        return
    from api.terminal.shown.pieces import show_explanation

    show_explanation(explanation, top)


def _replayed(scenario: Scenario, arrays: Arrays, interaction: str, top: int, as_json: bool) -> None:
    from engine.replay.explain import explain_replay

    explanation = explain_replay(scenario, arrays, interaction)
    if as_json:
        say_json(explanation.to_dict())
        return
    from api.terminal.shown.explained_replay import show_explained_replay

    show_explained_replay(explanation, arrays.centre.time_zone, top)
