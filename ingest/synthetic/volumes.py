"""Days with a load that somebody counted or foresees: so many contacts in each interval, of such a length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.data.checks import check
from engine.data.tables import TIME, Tables
from engine.errors import InvalidTable
from engine.run import choose
from engine.spec import Scenario
from engine.typing import FloatArray, IntArray
from ingest.synthetic.centre import lognormal_law
from ingest.synthetic.playing import MOST_PLAYED
from ingest.synthetic.typical import HANDLE_SIGMA, PATIENCE_S

SECOND_US = 1_000_000
USUAL_US, DAY_US = 1_800 * SECOND_US, 86_400 * SECOND_US
MADE = (
    "the contacts are made up from {n} counts by interval and queue: as many arrive in each interval, at even "
    "chances over it; handling times are lognormal around the average of interval and queue, patience is exponential "
    "with a mean of {patience:.0f} s; who answered and how long they waited comes from playing them by standard routing"
)
AGENTS = (
    "agents and their time are made up, as no plan was given: in each interval a queue has the hours of work that it "
    "brings (contacts x average handling time) and the square root of that besides, rounded up, agents of its own"
)


@dataclass(frozen=True)
class Load:
    """Contacts of each interval and queue.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns `queue_id`, `start_at` in UTC, `offered` and `handle_s` (average of a contact); `media` if known.
    length_s : float
        Of an interval. [s]
    """

    frame: pl.DataFrame
    length_s: float

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Load:
        """Rows that have something to do, with the length of an interval as the least time between two of them.

        Parameters
        ----------
        frame : polars.DataFrame
            As `frame`; what is not known of handling is the average of its queue, or of all.

        Returns
        -------
        Load
            Whole numbers of contacts; what is lost by rounding in one interval comes in a later one of the queue.

        Raises
        ------
        InvalidTable
            If nothing is offered, or no handling time is known.
        """
        steps = frame["start_at"].unique().sort().diff().drop_nulls()
        least_us = int(steps.cast(pl.Int64).min()) if steps.len() else USUAL_US  # type: ignore[arg-type]
        weight = pl.col("offered").filter(pl.col("handle_s").is_not_null())
        mean = (pl.col("handle_s") * pl.col("offered")).sum() / weight.sum()
        sum_before = pl.col("offered").cum_sum().over("queue_id", order_by="start_at")
        whole = sum_before.round().diff().over("queue_id", order_by="start_at").fill_null(sum_before.round())
        found = frame.with_columns(
            offered=whole.cast(pl.Int64), handle_s=pl.coalesce("handle_s", mean.over("queue_id"), mean)
        ).filter(pl.col("offered") > 0)
        if not found.height or found["handle_s"].fill_nan(None).null_count() == found.height:
            raise InvalidTable(
                "volumes: there must be contacts offered and an average handling time; add the columns that hold them"
            )
        if (total := int(found["offered"].sum())) > MOST_PLAYED:
            raise InvalidTable(
                f"volumes: {total:,} contacts are more than can be played ({MOST_PLAYED:,}); give fewer days"
            )
        return cls(found, min(least_us, DAY_US) / SECOND_US)


def contacts(load: Load, seed: int = 0) -> pl.DataFrame:
    """Contacts of a load, as rows of interactions without what became of them.

    Parameters
    ----------
    load : Load
        What arrives.
    seed : int
        Of the draws.

    Returns
    -------
    polars.DataFrame
        In order of arrival; handling times of an interval and queue have its average exactly.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    >>> rows = pl.DataFrame({"queue_id": ["q"], "start_at": [at], "offered": [3.0], "handle_s": [200.0]})
    >>> found = contacts(Load.of(rows))
    >>> found.height, round(found["handle_s"].mean(), 6)
    (3, 200.0)
    """
    rng = np.random.default_rng([seed, 1])
    n: IntArray = load.frame["offered"].to_numpy()
    row = np.repeat(np.arange(n.size), n)
    start_us = load.frame["start_at"].cast(pl.Int64).to_numpy()[row]
    arrived_us = start_us + rng.integers(0, round(load.length_s * SECOND_US), row.size)
    drawn = lognormal_law(1_000.0, HANDLE_SIGMA)[rng.integers(0, lognormal_law(1_000.0, HANDLE_SIGMA).size, row.size)]
    mean: FloatArray = np.bincount(row, drawn, n.size) / n
    handle_s = drawn / mean[row] * load.frame["handle_s"].to_numpy()[row]
    columns = [name for name in ("queue_id", "media") if name in load.frame.columns]
    frame = load.frame.select(columns)[row].with_columns(
        arrived_at=pl.Series(arrived_us).cast(TIME), handle_s=handle_s,
        patience_s=rng.exponential(PATIENCE_S, row.size),
    ).sort("arrived_at", "queue_id", maintain_order=True)  # fmt: skip
    number = pl.int_range(1, frame.height + 1, eager=True).cast(pl.String).str.zfill(len(str(frame.height)))
    return frame.insert_column(0, ("i" + number).alias("interaction_id"))


def enough(load: Load) -> dict[str, pl.DataFrame]:
    """Agents with their queues and time, so many as the load takes and its square root besides.

    Parameters
    ----------
    load : Load
        What arrives.

    Returns
    -------
    dict of polars.DataFrame
        Tables agents, members and staffing.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    >>> rows = pl.DataFrame({"queue_id": ["q"], "start_at": [at], "offered": [18.0], "handle_s": [400.0]})
    >>> found = enough(Load.of(rows))
    >>> found["staffing"].height  # 18 x 400 s in half an hour are 4 agents, and 2 besides
    6
    """
    work = pl.col("offered") * pl.col("handle_s") / load.length_s
    needed = load.frame.group_by("queue_id", "start_at", maintain_order=True).agg(work=work.sum())
    needed = needed.with_columns(n=(pl.col("work") + pl.col("work").sqrt()).ceil().cast(pl.Int64))
    spells = needed.with_columns(number=pl.int_ranges(1, pl.col("n") + 1)).explode("number")
    width = len(str(spells["number"].max()))
    agent = pl.col("queue_id") + " " + pl.col("number").cast(pl.String).str.zfill(width)
    length = pl.duration(microseconds=round(load.length_s * SECOND_US))
    spells = spells.with_columns(agent_id=agent, end_at=pl.col("start_at") + length)
    staffing = spells.select("agent_id", "start_at", "end_at").sort("agent_id", "start_at")
    members = spells.select("queue_id", "agent_id").unique(maintain_order=True).sort("queue_id", "agent_id")
    agents = members.select("agent_id", agent_name="agent_id")
    return {"agents": agents, "members": members, "staffing": staffing}


def played(tables: dict[str, pl.DataFrame], time_zone: str, seed: int = 0) -> pl.DataFrame:
    """Contacts with what became of them when standard routing gives them to the agents of the tables.

    Parameters
    ----------
    tables : dict of polars.DataFrame
        Interactions as `contacts` makes them, and agents, members, queues and staffing.
    time_zone : str
        IANA zone of the days.
    seed : int
        Of the draws of routing.

    Returns
    -------
    polars.DataFrame
        The interactions with `agent_id`, `wait_s` and `outcome`; handling times of those answered only.
    """
    checked = {name: check(name, frame) for name, frame in tables.items()}
    outcomes = choose(Scenario(mode="replay", method="genesys", seed=seed), Tables.of(checked, time_zone))
    assert outcomes.served is not None
    ids = pl.Series(sorted(checked["agents"]["agent_id"].to_list())).extend_constant(None, 1)
    answered = pl.Series(outcomes.agent >= 0)
    return tables["interactions"].with_columns(
        agent_id=ids.gather(np.where(outcomes.agent < 0, ids.len() - 1, outcomes.agent)),
        wait_s=pl.Series(outcomes.served.wait_s),
        outcome=pl.Series(["abandoned", "answered"]).gather(answered.cast(pl.UInt32)),
        handle_s=pl.when(answered).then("handle_s"),
    )
