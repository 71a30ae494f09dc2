"""What the platform knows about one organisation: its tables, its conversations, and the odd facts among them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from engine.data.tables import Tables
from ingest.double.centre.facts import DELETED_SKILL, Facts, platform_id
from ingest.double.centre.oddities import with_oddities
from ingest.double.centre.records import completed, days_of, visits_of
from ingest.double.centre.stamps import DAY_MS
from ingest.snapshot.reading import open_snapshot
from ingest.synthetic import make

# A made-up centre of the usual size answers about as many a day and agent.
A_DAY = 40
NAME = "double"


@dataclass(frozen=True)
class Organisation:
    """An organisation as the platform knows it."""

    tables: Tables  # Whole milliseconds, scores 0-100, oddities included where tables can show them
    facts: Facts  # What tables cannot show
    seed: int = 0  # Of everything that is drawn: menus, holds, who does what just now

    @classmethod
    def of_tables(cls, tables: Tables, *, oddities: bool = False, seed: int = 0) -> Organisation:
        """An organisation in which just these tables happened.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> agents = pl.DataFrame({"agent_id": ["a1"]})
        >>> interactions = pl.DataFrame({"interaction_id": ["i1"], "queue_id": ["q1"], "outcome": ["abandoned"],
        ...                              "arrived_at": [datetime(2026, 1, 5, tzinfo=UTC)], "wait_s": [1.2345]})
        >>> Organisation.of_tables(Tables(agents, interactions)).tables.interactions["wait_s"].to_list()
        [1.234]
        """
        known, facts = completed(tables), Facts()
        if oddities:
            known, facts = with_oddities(known, seed)
        return cls(known, facts, seed)

    @cached_property
    def days(self) -> tuple[int, int]:
        """First midnight before and last midnight after the data, in milliseconds since 1970."""
        return days_of(self.tables)

    @property
    def start_ms(self) -> int:
        """First midnight. [ms since 1970]"""
        return self.days[0]

    @property
    def end_ms(self) -> int:
        """Last midnight: what has no end then is still so. [ms since 1970]"""
        return self.days[1]

    @property
    def now_ms(self) -> int:
        """The moment at which live answers are given: the next morning. [ms since 1970]"""
        return self.end_ms + 9 * DAY_MS // 24

    @cached_property
    def visits(self) -> pl.DataFrame:
        """Visits to queues in order of their conversations, in milliseconds; see `records.visits_of`."""
        return visits_of(self.tables, self.facts.going_on, self.seed)

    @cached_property
    def skills(self) -> dict[str, str]:
        """Names of all skills that are not deleted, by id."""
        return self._dictionary("skill", "skills", pl.col("skills").explode()) | {
            platform_id("skill", name): name for _, name in self.facts.inactive_skills
        }

    @cached_property
    def languages(self) -> dict[str, str]:
        """Names of all languages by id."""
        return self._dictionary("language", "languages", pl.col("language"))

    def _dictionary(self, kind: str, held: str, asked: pl.Expr) -> dict[str, str]:
        own = self.tables.agents.select(pl.col(held).explode().struct["name"].alias("name"))["name"]
        requested = self.tables.interactions.select(asked.alias("name"))["name"]
        names = sorted({*own.drop_nulls().to_list(), *requested.drop_nulls().unique().to_list()} - {DELETED_SKILL})
        return {platform_id(kind, name): name for name in names}


def organisation(
    agents: int = 50, days: int = 7, seed: int = 0, interactions: int | None = None, queues: int = 4,
    start: str | None = None, *, skills: int | None = None, languages: int | None = None, oddities: bool = True,
) -> Organisation:  # fmt: skip
    """Make up an organisation of any size.

    Parameters
    ----------
    agents, days : int
        Sizes of the made-up centre.
    seed : int
        Equal seeds and sizes give equal organisations.
    interactions : int, optional
        Visits to queues; 40 a day and agent.
    queues : int
        Number of queues.
    start : str, optional
        First day as YYYY-MM-DD.
    skills, languages : int, optional
        Numbers of each; as usual in a made-up centre.
    oddities : bool
        Whether rare things happen: transfers, calls on the side, conversations over midnight ...

    Returns
    -------
    Organisation
        With ringing and after-call work, which made-up centres do not record.

    Examples
    --------
    >>> organisation(agents=5, days=1, queues=1, interactions=40).tables.interactions.height
    40
    """
    with tempfile.TemporaryDirectory() as folder:
        make(
            Path(folder), NAME, interactions=interactions or A_DAY * agents * days, agents=agents, queues=queues,
            skills=skills, languages=languages, days=days, start=start, seed=seed,
        )  # fmt: skip
        tables = open_snapshot(Path(folder), NAME).tables()
        return Organisation.of_tables(_recorded(tables, seed), oddities=oddities, seed=seed)


def _recorded(tables: Tables, seed: int) -> Tables:
    """Add what every platform records: ringing, after-call work, how it was routed and among how many."""
    rng = np.random.default_rng([seed, 23])
    n = tables.interactions.height
    ring_s = pl.Series(rng.integers(1_000, 6_000, n) / 1000)
    part = pl.Series(rng.uniform(0.0, 0.3, n))
    answered = pl.col("outcome") == "answered"
    rows = tables.interactions.with_columns(
        alert_s=pl.when(answered).then(pl.min_horizontal("wait_s", ring_s)),
        acw_s=pl.when(answered).then((pl.col("handle_s") * part).floor()),
        used_routing=pl.when(answered).then(pl.lit("Standard")),
        eligible_count=pl.Series(rng.integers(1, 20, n, np.int32)),
    )
    return replace(tables, interactions=rows)
