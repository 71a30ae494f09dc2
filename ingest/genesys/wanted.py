"""What a snapshot of the platform should hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.genesys.scale import Scale
from ingest.genesys.span import Span


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
