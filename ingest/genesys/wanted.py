"""What a snapshot of the platform should hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from ingest.genesys.scale import Scale
from ingest.genesys.span import Span
from ingest.snapshot.manifest import Manifest


@dataclass(frozen=True)
class Wanted:
    """What a snapshot should hold.

    Parameters
    ----------
    queues : tuple of str
        Names or ids of queues.
    span : Span
        Days.
    refresh_days : int
        Days that every run reads again after they end, for late surveys.
    scale : Scale
        Of survey scores.
    pseudonymise : bool
        Replace agent ids and names by codes.
    """

    queues: tuple[str, ...]
    span: Span
    refresh_days: int = 3
    scale: Scale = field(default_factory=Scale)
    pseudonymise: bool = False


def less_than(before: Manifest, wanted: Wanted) -> str:
    """What a snapshot holds that another writing of it would not.

    Queues may be added and days at either end; nightly runs must not lose any of either by a slip of the pen.

    Parameters
    ----------
    before : Manifest
        Of the snapshot as it stands, from the platform.
    wanted : Wanted
        What is asked for now.

    Returns
    -------
    str
        In words; empty where nothing would be lost.
    """
    source, span = before.source, wanted.span
    named = {*wanted.queues}
    lost = [f"queue {queue['name']!r}" for queue in source["queues"] if not {queue["id"], queue["name"]} & named]
    first, last = (date.fromisoformat(source[side]) for side in ("from", "to"))
    if first < span.first:
        lost.append(f"days from {first}")
    if last > span.last:
        lost.append(f"days to {last}")
    if before.time_zone != span.time_zone:
        lost.append(f"days of {before.time_zone}")
    if source["pseudonymised"] and not wanted.pseudonymise:
        lost.append("codes in place of agents (--pseudonymise)")
    if source["survey_scale"] != [wanted.scale.low, wanted.scale.high]:
        lost.append("survey scores from {} to {}".format(*source["survey_scale"]))
    return ", ".join(lost)
