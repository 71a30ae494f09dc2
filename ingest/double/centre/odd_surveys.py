"""Surveys that come late, are not finished, or have no score."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from ingest.double.centre.facts import Unscored
from ingest.double.centre.records import ms
from ingest.double.centre.stamps import DAY_MS
from ingest.double.centre.workshop import Workshop

LATE_MS = 2 * DAY_MS
# As the platform's survey object names them; the fourth was finished without an answer that counts.
STATUSES = ("Sent", "InProgress", "Expired", "Finished")


def add(shop: Workshop) -> None:
    """Let some surveys come days later and ask some customers in vain."""
    _late(shop)
    for number, row in enumerate(shop.some(shop.pool("answered"), 4 * shop.number)):
        shop.facts.unscored.append(
            Unscored(
                f"v-{row['conversation_id']}", str(row["conversation_id"]), str(row["agent_id"]),
                str(row["queue_id"]), STATUSES[number % len(STATUSES)],
            )
        )  # fmt: skip


def _late(shop: Workshop) -> None:
    surveys = shop.tables.surveys
    early = surveys.filter(ms("completed_at") + LATE_MS < shop.end_ms)
    late = {str(row["survey_id"]) for row in shop.some(early, shop.number)}
    completed = pl.when(pl.col("survey_id").is_in(list(late))).then(pl.col("completed_at") + pl.duration(days=2))
    shop.tables = replace(shop.tables, surveys=surveys.with_columns(completed_at=completed.otherwise("completed_at")))
    shop.facts.late_surveys.extend(sorted(late))
