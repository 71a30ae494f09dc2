"""The weighted score: proficiency, language and satisfaction, ties by queue time, idle time and id."""

from __future__ import annotations

import numpy as np

from engine.methods.ladder import NEVER, Ladder, one_row_each
from engine.methods.method import Method, View
from engine.methods.plan import Plan
from engine.scoring.scores import SCALE, Terms, raw_keys
from engine.typing import FloatArray, IntArray


class Weighted:
    """Plans of a stack of scenarios that differ in weights and threshold only.

    Parameters
    ----------
    terms : Terms
        Of the data set, columns in tie order.
    weights : (n_scenarios, 3) array of float
        One row per scenario.
    threshold : (n_scenarios,) array of float
        Least score per scenario.
    """

    def __init__(self, terms: Terms, weights: FloatArray, threshold: FloatArray) -> None:
        self._terms = terms
        self._weights = weights
        # A key of 0 is nobody's, whatever the threshold.
        self._least = np.maximum(np.rint(SCALE * threshold), 1.0)
        self._n_skills = np.diff(terms.centre.skill_start)

    @property
    def reads_csat(self) -> bool:
        """Whether satisfaction weighs anything, so that its changes can change a choice."""
        return bool(self._weights[:, 2].any())

    def plan(self, requirement: IntArray, csat_row: int) -> Plan:
        """Plan some requirements.

        Parameters
        ----------
        requirement : (n,) array of int
            Rows of the centre's requirements.
        csat_row : int
            Row of the satisfaction table that holds.

        Returns
        -------
        Plan
            Its rows may come in another order.
        """
        terms, centre = self._terms, self._terms.centre
        return Plan(
            # Those with more skills first, so that the sums of a block take slices of its rows, not copies.
            requirement=requirement[np.argsort(-self._n_skills[requirement], kind="stable")],
            skill=terms.barred_skill, language=terms.barred_language, csat=terms.barred_csat(csat_row),
            skill_start=centre.skill_start, skill_row=centre.skill,
            language_row=centre.language, queue_row=centre.queue,
            weights=self._weights, least=self._least, agent=terms.order,
        )  # fmt: skip


def ladder(view: View) -> Ladder:
    """The eligible who reach the threshold, ranked by the key of their score; ties go to the longest idle."""
    key = np.empty((view.queue.size, view.centre.n_agents))
    for queue in np.unique(view.queue):
        kinds = np.flatnonzero(view.queue == queue)
        for rows, block in view.terms.blocks(view.requirement[kinds], view.csat_row):
            key[kinds[rows]] = raw_keys(block, view.weights[queue][None])[0]
    # Without a threshold a key of 0 ranks last: an agent who may take the call does not sit free beside it.
    asked = view.kinds.eligible & (key >= np.rint(SCALE * view.threshold))
    return one_row_each(np.where(asked, key, NEVER))


METHOD = Method("the weighted score; ties by longest idle", ladder, Weighted, ("csat", "weights"))
