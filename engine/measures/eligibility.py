"""Eligibility groups: distinct sets of agents who may take an interaction, and the set of each interaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.stopping import check
from engine.typing import BoolArray, IntArray


@dataclass(frozen=True)
class Eligibility:
    """Who may take which interaction, whatever a method makes of them.

    Parameters
    ----------
    able : (n_groups, n_agents) array of bool
        Who may take interactions of a group.
    group : (n,) array of int
        Row of `able`, by interaction.
    """

    able: BoolArray
    group: IntArray

    @classmethod
    def of(cls, eligible: BoolArray, kind: IntArray) -> Eligibility:
        """Kinds that the same agents may take are one group.

        Parameters
        ----------
        eligible : (n_kinds, n_agents) array of bool
            Who may take interactions of a kind.
        kind : (n,) array of int
            By interaction.

        Returns
        -------
        Eligibility
            With distinct rows.

        Examples
        --------
        >>> some = Eligibility.of(np.array([[True, False], [True, True], [True, False]]), np.array([0, 1, 2]))
        >>> some.able.tolist(), some.group.tolist()
        ([[True, False], [True, True]], [0, 1, 0])
        """
        # Packed into bytes, thousands of rows of a thousand agents compare as short ones; kinds are many, groups few.
        _, first, alike = np.unique(np.packbits(eligible, axis=1), axis=0, return_index=True, return_inverse=True)
        return cls(eligible[first], alike.reshape(-1)[kind])

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return self.able.shape[1]

    def each(self, order: IntArray, rows: IntArray) -> Iterator[tuple[BoolArray, IntArray]]:
        """Who may take the interactions of each group that has any, and those interactions.

        Parameters
        ----------
        order : (m,) array of int
            Places in `rows` in any order that does not mix groups, rising by group.
        rows : (m,) array of int
            The interactions looked at.
        """
        check()
        # One sort for all groups, where a mask for each would go over all interactions again and again.
        bounds = np.searchsorted(self.group[rows][order], np.arange(len(self.able) + 1))
        for able, (low, high) in zip(self.able, pairwise(bounds), strict=True):
            if low < high:
                yield able, order[low:high]
