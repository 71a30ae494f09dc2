"""A routing method as data for a replay: who may be asked, in which order, after how long a wait.

Each kind of interaction (call type and media) has a ladder of rows. A row ranks all agents; after enough
waiting the interaction steps up to the next row, which may rank more agents. Standard routing has one row;
bullseye and preferred-agent routing have one for each ring or rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
    prefers : (n_rows,) array of bool, optional
        Rows that hold an interaction back for preferred agents; None: none does.
    """

    rank: FloatArray
    first_row: Int32Array
    after_us: IntArray
    pool: BoolArray | None = None
    limit: Int32Array | None = None
    by_draw: bool = False
    prefers: BoolArray | None = None

    def __post_init__(self) -> None:
        n_rows = np.diff(self.first_row)
        ends = self.first_row[1:-1]
        rising = np.diff(self.after_us) > 0
        # From the last row of a kind to the first of the next, waits start again at 0.
        rising[ends - 1] = True
        if (n_rows < 1).any() or self.first_row[-1] != len(self.rank) or not rising.all():
            raise InvalidScenario("ladder: every kind needs a row, and waits must rise from row to row")
        if (self.after_us[self.first_row[:-1]] != 0).any():
            raise InvalidScenario("ladder: the first row of a kind must hold from its arrival")
        self._check_growth(ends)

    def _check_growth(self, ends: Int32Array) -> None:
        """A waiting interaction must never lose an agent whom it could already ask."""
        inner = np.ones(len(self.rank), bool)
        inner[ends] = False
        later = np.flatnonzero(inner[1:]) + 1
        able = self.rank > NEVER if later.size else np.empty((0, 0), bool)
        if (able[later - 1] & ~able[later]).any():
            raise InvalidScenario("ladder: who is ranked in a row of a kind must be ranked in all later ones")

    @property
    def n_agents(self) -> int:
        """Number of agents ranked."""
        return int(self.rank.shape[1])

    @property
    def n_kinds(self) -> int:
        """Number of kinds of interaction."""
        return int(self.first_row.size) - 1

    @property
    def able(self) -> BoolArray:
        """Who may be asked at the last stage of waiting, (n_kinds, n_agents), whatever a limit to the longest idle."""
        return self.rank[self.first_row[1:] - 1] > NEVER

    def has_stages_of(self, other: Ladder) -> bool:
        """Whether kinds and the waits of their rows are those of another ladder."""
        return np.array_equal(self.first_row, other.first_row) and np.array_equal(self.after_us, other.after_us)


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


class Row(NamedTuple):
    """One row of a ladder, before it is stacked.

    Parameters
    ----------
    after_s : float
        Wait from which it holds. [s]
    rank : (n_agents,) array of float
        As in `Ladder`.
    limit : int
        Only so many of the longest idle of the pool are looked at; 0 for all.
    pool : (n_agents,) array of bool, optional
        By default those who are ranked.
    prefers : bool
        Whether it holds an interaction back for preferred agents.
    """

    after_s: float
    rank: FloatArray
    limit: int = 0
    pool: BoolArray | None = None
    prefers: bool = False


def stacked(ladders: Sequence[Sequence[Row | tuple[float, FloatArray]]], n_agents: int = 0) -> Ladder:
    """A ladder from rows written kind by kind.

    Parameters
    ----------
    ladders : sequence
        Rows of each kind, by rising wait.
    n_agents : int
        How many there are, where there is no row that says so.

    Returns
    -------
    Ladder
        Of all kinds.

    Examples
    --------
    >>> rows = [Row(0.0, np.array([1.0, NEVER])), Row(30.0, np.array([1.0, 0.0]))]
    >>> stacked([rows]).after_us.tolist()
    [0, 30000000]
    """
    rows = [Row(*row) for rows in ladders for row in rows]
    rank = np.array([row.rank for row in rows]) if rows else np.empty((0, n_agents))
    first = np.cumsum([0, *map(len, ladders)]).astype(np.int32)
    after_us = np.array([_us(row.after_s) for row in rows], np.int64)
    limit = np.array([row.limit for row in rows], np.int32)
    prefers = np.array([row.prefers for row in rows], bool) if any(row.prefers for row in rows) else None
    # Most rules have no limit, and without one the loop need not look at pools.
    if not limit.any():
        return Ladder(rank, first, after_us, prefers=prefers)
    return Ladder(rank, first, after_us, np.array([_pool(row) for row in rows]), limit, prefers=prefers)


def effective(rows: Iterable[Row]) -> list[Row]:
    """Rows of a kind without those that never hold or change nothing.

    Examples
    --------
    >>> first, both = np.array([1.0, NEVER]), np.array([1.0, 0.0])
    >>> [row.after_s for row in effective([Row(0.0, first), Row(0.0, both), Row(9.0, both)])]
    [0.0]
    """
    given = list(rows)
    kept: list[Row] = []
    for row, later in zip(given, [*given[1:], None], strict=True):
        # Two rows that start at once: the first never holds.
        lasts = later is None or _us(later.after_s) > _us(row.after_s)
        if lasts and not (kept and _alike(row, kept[-1])):
            kept.append(row)
    return kept


def _alike(row: Row, other: Row) -> bool:
    same = row.limit == other.limit and np.array_equal(row.rank, other.rank)
    return same and (row.limit == 0 or np.array_equal(_pool(row), _pool(other)))


def _pool(row: Row) -> BoolArray:
    return row.rank > NEVER if row.pool is None else row.pool


def _us(seconds: float) -> int:
    return round(1e6 * seconds)
