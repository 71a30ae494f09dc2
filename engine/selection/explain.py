"""Why an agent was chosen: every agent with its terms, its place, and the reason it lost."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from engine.data.arrays import Arrays, Batch, Centre, encode
from engine.data.tables import Tables
from engine.errors import UnknownName
from engine.scoring.csat import MADE_UP
from engine.scoring.scores import SCALE, Block, Terms, score_keys
from engine.scoring.weights import RoutingWeights
from engine.selection.decisions import ranking
from engine.spec import Scenario, csat_of, terms_of
from engine.typing import BoolArray, FloatArray, IntArray, Record

# Lifts candidates above everybody else; larger than any key, and their sum is still exact in float64.
ABOVE_ALL = 2.0**52


@dataclass(frozen=True)
class Explanation:
    """One decision, agent by agent.

    Parameters
    ----------
    interaction : dict
        What was required: interaction_id, queue_id, skills, language, priority, arrived_us.
    weights_used : dict
        After the goal moved them.
    agents : list of dict
        Best first: place (None = not a candidate), agent_id, agent_name, proficiency, language, csat,
        n_surveys (0: csat is filled in), raw_score (before threshold and filters), score, reason.
    warnings : list of str
        What to know before trusting it.
    """

    interaction: Record
    weights_used: Record
    agents: list[Record]
    warnings: list[str]

    @property
    def chosen(self) -> Record | None:
        """The winner's row, None where nobody could be chosen."""
        first = self.agents[0] if self.agents else None
        return first if first and first["place"] == 1 else None

    def to_dict(self) -> Record:
        """Everything as plain values."""
        return {
            "interaction": self.interaction, "weights_used": self.weights_used,
            "chosen": self.chosen, "agents": self.agents, "warnings": self.warnings,
        }  # fmt: skip


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
    kind = centre.call_types.row(call_type, named=True)
    csat = csat_of(scenario, arrays)
    requirement = centre.requirement[call_type : call_type + 1].astype(np.int64)
    agents = rank(scenario, arrays, terms_of(scenario, arrays, csat), requirement, csat.row_of(batch.day))
    about = {"interaction_id": interaction_id, "arrived_us": int(batch.arrived_us[row]), **kind}
    used = scenario.weights_used()
    made_up = used.historical_csat > 0 and arrays.has_made_up_surveys
    return Explanation(about, asdict(used), agents, [MADE_UP] if made_up else [])


def rank(scenario: Scenario, arrays: Arrays, terms: Terms, requirement: IntArray, csat_row: int) -> list[Record]:
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
    list of dict
        See `Explanation.agents`.
    """
    used = scenario.weights_used()
    _, block = next(terms.blocks(requirement, csat_row))
    weights = np.array([used.terms])
    open_block = Block(block.proficiency, block.language, block.csat, np.ones_like(block.eligible))
    raw = score_keys(open_block, weights, np.array([0.0]))[0, 0]
    key = score_keys(block, weights, np.array([used.min_score_threshold]))[0, 0]
    n_surveys = terms.n_surveys[csat_row]
    return _rows(arrays.centre, terms, block, raw, key, n_surveys, int(requirement[0]), used, scenario)


def _find(arrays: Arrays, interaction_id: str) -> tuple[Batch, int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for batch in arrays.batches():
        ids = pa.array(batch.interaction_id)
        row = pc.index(ids, pa.scalar(interaction_id, ids.type)).as_py()
        if row >= 0:
            return batch, row
    raise UnknownName(f"interaction {interaction_id!r} is not in this data set; ids are compared exactly")


def _rows(
    centre: Centre, terms: Terms, block: Block, raw: FloatArray, key: FloatArray, n_surveys: IntArray,
    requirement: int, used: RoutingWeights, scenario: Scenario,
) -> list[Record]:  # fmt: skip
    order = terms.order
    queue_time_s, idle = centre.queue_time_s[order], centre.idle_since_us[order]
    ids = [centre.agent_ids[a] for a in order]
    member = centre.member[centre.queue[requirement], order]
    best = ranking(np.where(key > 0, key + ABOVE_ALL, np.where(member, raw, -1.0)), queue_time_s, idle, ids)
    winner = int(best[0])
    csat = np.broadcast_to(block.csat, block.eligible.shape)[0]
    rows = []
    for place, column in enumerate(best, start=1):
        agent = int(order[column])
        rows.append(
            {
                "place": place if key[column] > 0 else None,
                "agent_id": ids[column],
                "agent_name": centre.agent_names[agent],
                "proficiency": float(block.proficiency[0, column]),
                "language": float(block.language[0, column]),
                "csat": float(csat[column]),
                "n_surveys": int(n_surveys[column]),
                "raw_score": float(raw[column] / SCALE),
                "score": float(key[column] / SCALE),
                "reason": _reason(
                    centre, terms, int(column), winner, key, raw, member, block.eligible[0], requirement, used, scenario
                ),
            }
        )
    return rows


def _reason(
    centre: Centre, terms: Terms, column: int, winner: int, key: FloatArray, raw: FloatArray, member: BoolArray,
    eligible: BoolArray, requirement: int, used: RoutingWeights, scenario: Scenario,
) -> str:  # fmt: skip
    if not member[column]:
        return f"not a member of queue {centre.queue_ids[centre.queue[requirement]]}"
    if not eligible[column]:
        return f"fails the filter: {_missing(centre, int(terms.order[column]), requirement, scenario)}"
    if key[column] == 0 and raw[column] == 0:
        return "score is 0"
    if key[column] == 0:
        short = used.min_score_threshold - raw[column] / SCALE
        return f"below the threshold {used.min_score_threshold:g} by {short:.9g}"
    if column == winner:
        return "chosen"
    if key[column] < key[winner]:
        return f"lower score, by {(key[winner] - key[column]) / SCALE:.9g}"
    return _tie(centre, int(terms.order[column]), int(terms.order[winner]))


def _missing(centre: Centre, agent: int, requirement: int, scenario: Scenario) -> str:
    lacks = []
    if "skills" in scenario.required:
        needed = centre.skill[centre.skill_start[requirement] : centre.skill_start[requirement + 1]]
        names = [centre.skills[s] for s in needed if np.isnan(centre.proficiency[agent, s])]
        lacks += [f"lacks skill {name}" for name in names]
    language = centre.language[requirement]
    if "language" in scenario.required and language >= 0 and np.isnan(centre.language_level[agent, language]):
        lacks.append(f"lacks language {centre.languages[language]}")
    return ", ".join(lacks)


def _tie(centre: Centre, agent: int, winner: int) -> str:
    mine, theirs = centre.queue_time_s[agent], centre.queue_time_s[winner]
    if mine != theirs:
        return f"equal score, lost the tie on queue time ({mine:g} s against {theirs:g} s)"
    if centre.idle_since_us[agent] != centre.idle_since_us[winner]:
        return "equal score and queue time, lost the tie on idle time (idle since later)"
    return "equal score, queue time and idle time, lost the tie on agent id"
