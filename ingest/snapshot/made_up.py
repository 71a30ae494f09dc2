"""Satisfaction surveys, drawn from a seed where a source has none; always called made up."""

from __future__ import annotations

import numpy as np
import polars as pl

from engine.data.tables import TABLES
from engine.errors import InvalidScenario
from engine.setting import shown
from engine.typing import FloatArray

SHARE = 0.10
SCALE_MIN, SCALE_MAX = 1.0, 5.0
MEAN_SCORE = 3.9
# Standard deviation between the true means of agents, and of one answer around its agent's mean.
AGENT_SD, ANSWER_SD = 0.35, 0.9
# Surveys are one static table held in memory; a larger centre surveys a smaller share of its callers.
MOST_SURVEYS = 200_000


def check_seed(seed: int) -> None:
    """Refuse what cannot start a stream of draws.

    Parameters
    ----------
    seed : int
        As the user gave it.

    Raises
    ------
    InvalidScenario
        If it is not a whole number of 0 or more.
    """
    if not isinstance(seed, int) or seed < 0:
        raise InvalidScenario(f"seed {shown(seed)}: must be a whole number, 0 or more")


def assumption(seed: int, share: float) -> str:
    """Say in words that the surveys are made up, and how.

    Parameters
    ----------
    seed : int
        From which they are drawn.
    share : float
        Share of interactions that get a survey.

    Returns
    -------
    str
        One sentence for the manifest.
    """
    return (
        f"Surveys are made up from seed {seed}: {100 * share:.3g} % of answered interactions with a named agent, "
        f"scale {SCALE_MIN:g} to {SCALE_MAX:g}, the agents' true means differ with a standard deviation of "
        f"{AGENT_SD:g} points; nobody was asked, so no gain in satisfaction may be read from them."
    )


def agent_quality(n_agents: int, rng: np.random.Generator) -> FloatArray:
    """Draw by how many points each agent's true mean lies above or below the mean of all.

    Parameters
    ----------
    n_agents : int
        Number of agents.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    (n_agents,) array of float
        Points on the survey's scale.

    Examples
    --------
    >>> agent_quality(3, np.random.default_rng(0)).shape
    (3,)
    """
    return rng.normal(0.0, AGENT_SD, n_agents)


def draw_surveys(answered: pl.DataFrame, quality: FloatArray, share: float, rng: np.random.Generator) -> pl.DataFrame:
    """Draw the surveys of some answered interactions.

    Parameters
    ----------
    answered : polars.DataFrame
        Columns interaction_id, agent_id, queue_id, ended_at, and `agent`, the place of the agent in
        `quality`; one row per answered interaction with a named agent.
    quality : (n_agents,) array of float
        From `agent_quality`.
    share : float
        Share of interactions that get a survey.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    polars.DataFrame
        Rows of table surveys, in the order of `answered`.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> answered = pl.DataFrame({"interaction_id": ["i1"], "agent_id": ["a1"], "queue_id": ["q1"],
    ...                          "ended_at": [datetime(2026, 1, 5, tzinfo=UTC)], "agent": [0]})
    >>> draw_surveys(answered, np.array([0.2]), 1.0, np.random.default_rng(0)).row(0)[:4]
    ('s-i1', 'i1', 'a1', 'q1')
    """
    chosen = np.flatnonzero(rng.random(answered.height) < share)
    rows = answered[chosen]
    exact = MEAN_SCORE + quality[rows["agent"].to_numpy()] + rng.normal(0.0, ANSWER_SD, chosen.size)
    later_us = (rng.integers(60, 3600, chosen.size) * 1_000_000).astype("timedelta64[us]")
    return rows.select(
        pl.format("s-{}", "interaction_id").alias("survey_id"),
        "interaction_id",
        "agent_id",
        "queue_id",
        (pl.col("ended_at") + pl.Series(later_us)).cast(TABLES["surveys"]["completed_at"].dtype).alias("completed_at"),
        pl.Series("score", np.clip(np.rint(exact), SCALE_MIN, SCALE_MAX)),
        pl.lit(SCALE_MIN).alias("scale_min"),
        pl.lit(SCALE_MAX).alias("scale_max"),
    )
