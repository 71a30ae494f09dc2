"""`routelab explain`: why an agent was chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from api.commands import options


@click.command()
@options.snapshot
@click.option("--interaction", required=True, help="Id of the interaction.")
@options.scenario_options
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Agents to show.")
@options.store
@options.as_json
def explain(snapshot_name: str, interaction: str, top: int, store: Path, as_json: bool, **scenario: Any) -> None:
    """Show every agent with its terms, its place, and why it lost.

    \b
    Example:
      routelab explain --snapshot demo --interaction i000001
    """
    chosen = options.scenario_of(**scenario)
    from engine.explain import explain as explained
    from ingest.snapshot import open_snapshot

    explanation = explained(chosen, open_snapshot(store, snapshot_name).arrays(), interaction)
    if as_json:
        import orjson

        click.echo(orjson.dumps(explanation.to_dict(), option=orjson.OPT_INDENT_2))
        return
    from api.show import show_explanation

    show_explanation(explanation, top)
