"""Tables while rare things are put into them: what is still ordinary, who is free, what may be changed."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import polars as pl

from engine.data.tables import Tables
from ingest.double.centre.diary import Diary
from ingest.double.centre.facts import Facts
from ingest.double.centre.records import days_of, ms

# Of each kind one in so many answered interactions, within limits that a person can still look through.
ONE_IN, LEAST, MOST = 100, 3, 25


class Workshop:
    """Tables while oddities are put in, one kind after the other."""

    def __init__(self, tables: Tables, seed: int) -> None:
        self.random = random.Random(f"oddities {seed}")
        self.tables, self.facts = tables, Facts()
        self.start_ms, self.end_ms = days_of(tables)
        self.diary = Diary(tables)
        surveyed = set(tables.surveys["interaction_id"].to_list())
        # A survey belongs to an ordinary conversation, so that only its own oddity can change it.
        self.touched: set[str] = set()
        self.surveyed = surveyed
        answered = int((tables.interactions["outcome"] == "answered").sum())
        self.number = max(LEAST, min(MOST, answered // ONE_IN))
        members = tables.members.filter("joined")
        self.members = {str(queue[0]): rows["agent_id"].to_list() for queue, rows in members.group_by("queue_id")}

    def pool(self, outcome: str) -> pl.DataFrame:
        """Untouched conversations of one visit with this outcome, without surveys, in order of arrival."""
        return self.tables.interactions.with_columns(visits=pl.len().over("conversation_id")).filter(
            pl.col("outcome") == outcome,
            pl.col("visits") == 1,
            ~pl.col("conversation_id").is_in(list(self.touched)),
            ~pl.col("interaction_id").is_in(list(self.surveyed)),
        ).with_columns(arrived_ms=ms("arrived_at"), answered_ms=ms("arrived_at") + ms("wait_s"),
                       end_ms=ms("arrived_at") + ms("wait_s") + ms("handle_s").fill_null(0))  # fmt: skip

    def some(self, frame: pl.DataFrame, number: int) -> list[dict[str, Any]]:
        """A few rows of a frame, drawn."""
        rows = self.random.sample(range(frame.height), min(number, frame.height))
        return [frame.row(row, named=True) for row in rows]

    def touch(self, conversation: str) -> None:
        """Let nothing else happen to a conversation."""
        self.touched.add(conversation)

    def change(self, conversation: str, **values: object) -> None:
        """Change the only interaction of a conversation."""
        frame = self.tables.interactions
        here = pl.col("conversation_id") == conversation
        columns = {
            name: pl.when(here).then(pl.lit(value, dtype=frame.schema[name])).otherwise(name)
            for name, value in values.items()
        }
        self.tables = replace(self.tables, interactions=frame.with_columns(**columns))
