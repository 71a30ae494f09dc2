"""Provenance: where a data set comes from, what it holds, and what was assumed when it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.results import Result, about

# What begins so tells of values that nothing forbids and hardly anybody means; reports repeat it as a warning.
ODD = "odd: "


@dataclass(frozen=True)
class Extent:
    """From the first to the last arrival."""

    start: str | None = about("First arrival, ISO 8601; null where there is none.")
    end: str | None = about("Last arrival, ISO 8601; null where there is none.")


@dataclass(frozen=True)
class Window:
    """The days that were looked at, of all there are."""

    start: str = about("First day, or the word first.")
    end: str = about("Last day, or the word last.")


@dataclass(frozen=True, kw_only=True)
class Provenance(Result):
    """Where a data set comes from; tables in memory know no more than their counts and assumptions."""

    id: str | None = about("Name of the snapshot.", default=None)
    sha256: str | None = about("Hash of its content.", default=None)
    created: str | None = about("When it was written. [UTC]", optional=True)
    source: dict[str, Any] | None = about("Kind of source and how to read it again.", optional=True)
    time_zone: str | None = about("IANA zone of the centre.", optional=True)
    interval: Extent | None = about("From the first to the last arrival.", optional=True)
    counts: dict[str, int] = about("Rows by table.")
    repairs: dict[str, int] | None = about("Rows repaired or left out, by what was done.", optional=True)
    made_up: list[str] | None = about("Tables drawn from a seed rather than recorded.", optional=True)
    assumptions: list[str] = about("Every assumption made, in words.")
    window: Window | None = about("The days looked at, where not all are.", optional=True)

    @property
    def oddities(self) -> list[str]:
        """Those of the assumptions that tell of odd values."""
        return [said for said in self.assumptions if said.startswith(ODD)]

    @property
    def n_interactions(self) -> int:
        """Rows of interactions, before any days were chosen."""
        return self.counts.get("interactions", 0)

    def is_made_up(self, table: str) -> bool:
        """Whether a table was drawn from a seed; then nothing is claimed from it."""
        return table in (self.made_up or ())
