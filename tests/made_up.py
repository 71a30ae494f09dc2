"""A made-up centre of eight days, played by Genesys standard routing; some wait and some give up."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from engine.data.arrays import Arrays
from engine.data.tables import TABLES, Tables
from engine.spec import Scenario
from ingest.snapshot.reading import open_snapshot
from ingest.synthetic import make

ENDS = ("answered", "abandoned", "flowed_out", "unserved")
GENESYS = Scenario(mode="replay", method="genesys")
WEIGHTED = Scenario(mode="replay")


@cache
def store() -> TemporaryDirectory[str]:
    """A made-up centre of eight days, played by Genesys standard routing; some wait and some give up."""
    folder = TemporaryDirectory()
    make(Path(folder.name), "made", interactions=3000, agents=8, days=8, queues=2, skills=3, languages=2)
    return folder


@cache
def made() -> Arrays:
    return open_snapshot(Path(store().name), "made").arrays()


@cache
def made_tables() -> Tables:
    """As tables, so that the record can be changed; nothing says any more that it is made up."""
    snapshot = open_snapshot(Path(store().name), "made")
    return Tables.of({name: snapshot.table(name) for name in TABLES})


def with_waits(change: pl.Expr) -> Tables:
    """The made-up centre with another record of waiting."""
    return replace(made_tables(), interactions=made_tables().interactions.with_columns(wait_s=change))
