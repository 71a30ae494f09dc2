"""A routing method as data for a replay: who may be asked, in which order, after how long a wait.

Each kind of interaction (call type and media) has a ladder of rows. A row ranks all agents; after enough
waiting the interaction steps up to the next row, which may rank more agents. Standard routing has one row;
bullseye and preferred-agent routing have one for each ring or rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidScenario
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray

NEVER = -np.inf


@dataclass(frozen=True)
class Ladder:
    """Ranks of agents by kind of interaction and stage of waiting.

    Parameters
    ----------
    rank : (n_rows, n_agents) array of float
        Larger is asked first; equal ranks go to the longest idle, then to the smaller id; -inf never.
        Within a kind, who is ranked in a row is ranked in all later ones.
    first_row : (n_kinds + 1,) array of int32
        Rows of kind k are first_row[k] to first_row[k + 1], at least one.
    after_us : (n_rows,) array of int64
        Waiting after which a row holds; 0 for the first of a kind, increasing within it. [us]
    pool : (n_rows, n_agents) array of bool, optional
        Among whom `limit` counts.
    limit : (n_rows,) array of int32, optional
        Only so many of the longest idle of the pool are looked at; 0 for all.
    by_draw : bool
        Whether ranks are ignored and one of the ranked is drawn.
    """

    rank: FloatArray
    first_row: Int32Array
    after_us: IntArray
    pool: BoolArray | None = None
    limit: Int32Array | None = None
    by_draw: bool = False

    def __post_init__(self) -> None:
        n_rows = np.diff(self.first_row)
        ends = self.first_row[1:-1]
        rising = np.diff(self.after_us) > 0
        rising[ends - 1] = True
        if (n_rows < 1).any() or self.first_row[-1] != len(self.rank) or not rising.all():
            raise InvalidScenario("ladder: every kind needs a row, and waits must rise from row to row")
        if (self.after_us[self.first_row[:-1]] != 0).any():
            raise InvalidScenario("ladder: the first row of a kind must hold from its arrival")

    @property
    def n_agents(self) -> int:
        """Number of agents ranked."""
        return int(self.rank.shape[1])


def one_row_each(rank: FloatArray, **more: object) -> Ladder:
    """A ladder whose kinds have one row each, from the first second on.

    Parameters
    ----------
    rank : (n_kinds, n_agents) array of float
        As in `Ladder`.
    **more
        pool, limit or by_draw.

    Returns
    -------
    Ladder
        With row k for kind k.

    Examples
    --------
    >>> one_row_each(np.zeros((2, 3))).first_row.tolist()
    [0, 1, 2]
    """
    n = len(rank)
    return Ladder(rank, np.arange(n + 1, dtype=np.int32), np.zeros(n, np.int64), **more)  # type: ignore[arg-type]


def stacked(ladders: Sequence[Sequence[tuple[float, FloatArray]]]) -> Ladder:
    """A ladder from rows written kind by kind.

    Parameters
    ----------
    ladders : sequence of sequence of (after_s, rank)
        For each kind its rows: the wait from which it holds [s], and the rank of every agent.

    Returns
    -------
    Ladder
        All kinds, rows end to end.

    Examples
    --------
    >>> rows = [(0.0, np.array([1.0, NEVER])), (30.0, np.array([1.0, 0.0]))]
    >>> stacked([rows]).after_us.tolist()
    [0, 30000000]
    """
    rows = [row for rows in ladders for row in rows]
    first = np.cumsum([0, *map(len, ladders)]).astype(np.int32)
    after_us = np.rint([1e6 * after_s for after_s, _ in rows]).astype(np.int64)
    return Ladder(np.array([rank for _, rank in rows]), first, after_us)
