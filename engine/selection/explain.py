"""Why an agent was chosen: every agent with its terms, its place, and the reason it lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.arrays import Arrays, Batch
from engine.data.call_types import AskedFor
from engine.data.centre import Centre
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.errors import UnknownName
from engine.results import Result, about
from engine.scoring.csat import MADE_UP
from engine.scoring.scores import SCALE, Block, Terms, score_keys
from engine.scoring.weights import RoutingWeights
from engine.selection.decisions import ranking
from engine.spec import Scenario, csat_of, terms_of
from engine.typing import IntArray

# Lifts candidates above everybody else; larger than any key, and their sum is still exact in float64.
ABOVE_ALL = 2.0**52


@dataclass(frozen=True)
class AgentTerms:
    """One agent before the request."""

    place: int | None = about("1 is the best; null for whoever cannot be chosen.")
    agent_id: str = about("Id of the agent.")
    agent_name: str | None = about("Null where none is known.")
    proficiency: float = about("Skill term, 0 to 1.")
    language: float = about("Language term, 0 to 1.")
    csat: float = about("Satisfaction term, 0 to 1.")
    n_surveys: int = about("Surveys behind it; 0 where it is filled in.")
    raw_score: float = about("Before threshold and filters.")
    score: float = about("After them; 0 for whoever cannot be chosen.")
    reason: str = about("Chosen, or why not.")


@dataclass(frozen=True)
class Explanation(Result):
    """One decision, agent by agent, best first."""

    interaction: AskedFor = about("What was required.")
    weights_used: RoutingWeights = about("The weights after the goal moved them.")
    chosen: AgentTerms | None = about("The winner; null where nobody could be chosen.")
    agents: list[AgentTerms] = about("Every agent of the data set, best first.")
    warnings: list[str] = about("What to know before trusting it.")


def explain(scenario: Scenario, data: Tables | Arrays, interaction_id: str) -> Explanation:
    """Explain the choice for one interaction.

    Parameters
    ----------
    scenario : Scenario
        As it was run.
    data : Tables or Arrays
        The data set.
    interaction_id : str
        Which one.

    Returns
    -------
    Explanation
        Every agent of the data set.

    Raises
    ------
    UnknownName
        If no interaction has this id.
    """
    arrays = encode(data) if isinstance(data, Tables) else data
    batch, row = _find(arrays, interaction_id)
    centre = arrays.centre
    call_type = int(batch.call_type[row])
    csat = csat_of(scenario, arrays)
    requirement = centre.requirement[call_type : call_type + 1].astype(np.int64)
    agents = rank(scenario, arrays, terms_of(scenario, arrays, csat), requirement, csat.row_of(batch.day))
    asked = AskedFor(interaction_id, int(batch.arrived_us[row]), **centre.call_types.row(call_type, named=True))
    used = scenario.weights_used()
    made_up = used.historical_csat > 0 and arrays.has_made_up_surveys
    chosen = agents[0] if agents and agents[0].place == 1 else None
    return Explanation(asked, used, chosen, agents, [MADE_UP] if made_up else [])


def rank(scenario: Scenario, arrays: Arrays, terms: Terms, requirement: IntArray, csat_row: int) -> list[AgentTerms]:
    """All agents for one requirement, best first, each with terms and reason.

    Parameters
    ----------
    scenario : Scenario
        Its weights count.
    arrays : Arrays
        The data set.
    terms : Terms
        Of the scenario.
    requirement : (1,) array of int
        Which requirement.
    csat_row : int
        Row of the satisfaction table.

    Returns
    -------
    list of AgentTerms
        Of every agent of the data set.
    """
    _, block = next(terms.blocks(requirement, csat_row))
    choice = _Choice(arrays.centre, terms, scenario, block, int(requirement[0]))
    return choice.rows(terms.n_surveys[csat_row])


def _find(arrays: Arrays, interaction_id: str) -> tuple[Batch, int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for batch in arrays.batches():
        ids = pa.array(batch.interaction_id)
        row = pc.index(ids, pa.scalar(interaction_id, ids.type)).as_py()
        if row >= 0:
            return batch, row
    raise UnknownName(f"interaction {interaction_id!r} is not in this data set; ids are compared exactly")


class _Choice:
    """One requirement before all agents, columns in the order in which ties are won."""

    def __init__(self, centre: Centre, terms: Terms, scenario: Scenario, block: Block, requirement: int) -> None:
        self.centre, self.order, self.scenario, self.block = centre, terms.order, scenario, block
        self.requirement, self.used = requirement, scenario.weights_used()
        weights = np.array([self.used.terms])
        # The raw score leaves filters and threshold out, so that a reader sees how close an agent came.
        unfiltered = Block(block.proficiency, block.language, block.csat, np.ones_like(block.eligible))
        self.raw = score_keys(unfiltered, weights, np.array([0.0]))[0, 0]
        self.key = score_keys(block, weights, np.array([self.used.threshold]))[0, 0]
        self.member = centre.member[centre.queue[requirement], self.order]
        self.best = self._ranking()
        self.winner = int(self.best[0])

    def _ranking(self) -> IntArray:
        """Candidates by the one total order, then members by their score, then everybody else."""
        ids = [self.centre.agent_ids[a] for a in self.order]
        # Members without a key still stand in the order of their raw scores, and strangers to the queue come last.
        above = np.where(self.key > 0, self.key + ABOVE_ALL, np.where(self.member, self.raw, -1.0))
        return ranking(above, self.centre.queue_time_s[self.order], self.centre.idle_since_us[self.order], ids)

    def rows(self, n_surveys: IntArray) -> list[AgentTerms]:
        """Every agent, best first."""
        csat = np.broadcast_to(self.block.csat, self.block.eligible.shape)[0]
        return [
            AgentTerms(
                place=place if self.key[column] > 0 else None,
                agent_id=self.centre.agent_ids[self.order[column]],
                agent_name=self.centre.agent_names[self.order[column]],
                proficiency=float(self.block.proficiency[0, column]),
                language=float(self.block.language[0, column]),
                csat=float(csat[column]),
                n_surveys=int(n_surveys[column]),
                raw_score=float(self.raw[column] / SCALE),
                score=float(self.key[column] / SCALE),
                reason=self._reason(int(column)),
            )
            for place, column in enumerate(self.best, start=1)
        ]

    def _reason(self, column: int) -> str:
        key, raw = self.key[column], self.raw[column]
        if not self.member[column]:
            return f"not a member of queue {self.centre.queue_ids[self.centre.queue[self.requirement]]}"
        if not self.block.eligible[0, column]:
            return f"fails the filter: {self._missing(int(self.order[column]))}"
        if key == 0 and raw == 0:
            return "score is 0"
        if key == 0:
            threshold = self.used.threshold
            return f"below the threshold {threshold:g} by {threshold - raw / SCALE:.9g}"
        if column == self.winner:
            return "chosen"
        if key < self.key[self.winner]:
            return f"lower score, by {(self.key[self.winner] - key) / SCALE:.9g}"
        return _tie(self.centre, int(self.order[column]), int(self.order[self.winner]))

    def _missing(self, agent: int) -> str:
        """Required skills and language that an agent lacks, of those that are hard filters."""
        centre, lacks = self.centre, []
        if "skills" in self.scenario.required:
            needed = centre.skill[centre.skill_start[self.requirement] : centre.skill_start[self.requirement + 1]]
            names = [centre.skills[s] for s in needed if np.isnan(centre.proficiency[agent, s])]
            lacks += [f"lacks skill {name}" for name in names]
        language = centre.language[self.requirement]
        if "language" in self.scenario.required and language >= 0 and np.isnan(centre.language_level[agent, language]):
            lacks.append(f"lacks language {centre.languages[language]}")
        return ", ".join(lacks)


def _tie(centre: Centre, agent: int, winner: int) -> str:
    mine, theirs = centre.queue_time_s[agent], centre.queue_time_s[winner]
    if mine != theirs:
        return f"equal score, lost the tie on queue time ({mine:g} s against {theirs:g} s)"
    if centre.idle_since_us[agent] != centre.idle_since_us[winner]:
        return "equal score and queue time, lost the tie on idle time (idle since later)"
    return "equal score, queue time and idle time, lost the tie on agent id"
