"""What a reader must know before trusting a replay, in words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.data.served import Status
from engine.data.wall_time import local_days
from engine.measures.intervals import FEWEST_DAYS
from engine.measures.sharing import lacks
from engine.methods import METHODS
from engine.methods.settings import unsupported
from engine.replay.playing import Played
from engine.replay.prepare import Recorded
from engine.reports.notes import about_centre
from engine.scoring.csat import MADE_UP
from engine.spec import Scenario
from engine.typing import Record

# Share of all waiting above which idle qualified agents are pointed out.
IDLE_SHARE = 0.01
# Share of answers above which agents without a required skill or language are pointed out.
LACKING_SHARE = 0.01
# Rules that filter by language, and by skills unless a queue disregards them.
OF_PLATFORM = ("genesys", "bullseye", "preferred_agent")


def notes(recorded: Recorded, scenario: Scenario, played: Played, waits: Record, light: Record) -> list[str]:
    """Everything odd about the data or the scenario of a replay.

    Parameters
    ----------
    recorded : Recorded
        The data set with its estimates.
    scenario : Scenario
        What was replayed.
    played : Played
        The first draw.
    waits : dict
        Service level of the scenario.
    light : dict
        Whether the replay reproduces the record.

    Returns
    -------
    list of str
        One sentence each.
    """
    return [*about_truth(recorded, light), *_about_rule(recorded, scenario, played, waits), *_about_data(recorded)]


def about_truth(recorded: Recorded, light: Record) -> Iterator[str]:
    """How far a replay of these data can be trusted.

    Parameters
    ----------
    recorded : Recorded
        The data set with its estimates.
    light : dict
        Whether the replay reproduces the record.

    Yields
    ------
    str
        One sentence each.
    """
    if recorded.estimates["staffing"]["source"] == "inferred":
        yield (
            "staffing is inferred from who answered what, so it reflects the routing of its day; trust "
            "paired differences before absolute levels"
        )
    if recorded.arrays.snapshot["counts"].get("staffing") and not recorded.centre.staffing.agent.size:
        yield "the staffing table has no block of a known agent in these days, so nobody is on queue"
    if light["color"] == "unknown":
        yield light["why"]
    elif "interactions" in recorded.arrays.snapshot.get("made_up", ()):
        yield "the record itself is made up, perhaps by such a replay: that it is met says nothing about a real centre"
    n_days = np.unique(local_days(recorded.history.arrived_us, recorded.centre.time_zone)).size
    if light["color"] != "unknown" and n_days < FEWEST_DAYS:
        yield f"the light rests on {n_days} days only, so it may be chance; another --seed or --replications tell"
    yield (
        "transfers, redials and repeat contacts stay at their recorded times and levels: what another rule would "
        "do to them is not simulated"
    )
    if not recorded.centre.busy.agent.size:
        yield (
            "no table says when agents were at work elsewhere (other queues, outbound); if they were, the service "
            "level shown is too good"
        )


def _about_rule(recorded: Recorded, scenario: Scenario, played: Played, waits: Record) -> Iterator[str]:
    share = waits["idle_while_waiting_share"]
    if share is not None and share > IDLE_SHARE:
        yield (
            f"customers waited {waits['idle_while_waiting_s'] / 3600:,.1f} hours ({100 * share:.1f} % of all waiting) "
            "while a qualified agent sat free, because of the threshold, a ring or a rule"
        )
    reads_csat = METHODS[scenario.method].planner is not None and scenario.weights_used().historical_csat > 0
    if reads_csat and recorded.arrays.has_made_up_surveys:
        yield MADE_UP
    yield from _about_lacking(played)
    served = played.served
    left = int((served.status == Status.UNSERVED).sum())
    if left:
        yield f"{left:,} interactions were neither answered nor given up until the last event: unserved"
    yield from about_settings(recorded, scenario)
    yield from unsupported(played.completed.centre)


def about_settings(recorded: Recorded, scenario: Scenario) -> Iterator[str]:
    """What a rule asks for and the data do not have.

    Parameters
    ----------
    recorded : Recorded
        The data set.
    scenario : Scenario
        Its rule.

    Yields
    ------
    str
        One sentence each.
    """
    queues, method = recorded.centre.queues, METHODS[scenario.method]
    yield from _about_filters(recorded, scenario)
    if scenario.method == "bullseye" and queues["rings"].is_null().all():
        yield "bullseye: no queue has rings, so this is standard routing; give queues.rings"
    if scenario.method == "preferred_agent":
        if queues["routing_rules"].is_null().all():
            yield "preferred_agent: no queue has rules for preferred agents; give queues.routing_rules"
        if recorded.history.preferred is None:
            yield "preferred_agent: no interaction has preferred agents attached"
    if scenario.is_rolling and "weights" not in method.reads:
        yield f"{scenario.method}: reads no weights, so the goal moves nothing; it is measured only"


def _about_filters(recorded: Recorded, scenario: Scenario) -> Iterator[str]:
    """A rule that may choose agents without the skill looks better than one that may not."""
    centre = recorded.centre
    asked = {"skills": bool(centre.skill.size), "language": bool((centre.language >= 0).any())}
    soft = [name for name, is_asked in asked.items() if is_asked and name not in scenario.required]
    if soft and scenario.method not in OF_PLATFORM:
        yield (
            f"{scenario.method}: {' and '.join(soft)} are no filter here, but are one for the platform's own rules "
            "(skills unless a queue disregards them): calls may go to agents who lack what they require, and waits "
            "look better for that alone; --required skills,language compares like with like"
        )


def _about_lacking(played: Played) -> Iterator[str]:
    served = played.served
    answered = np.flatnonzero(served.agent >= 0)
    centre = played.completed.centre
    requirement = centre.requirement[played.completed.interactions.call_type[answered]]
    n_lacking = int(lacks(centre, requirement, served.agent[answered]).sum())
    if n_lacking > LACKING_SHARE * answered.size:
        yield (
            f"{n_lacking:,} of {answered.size:,} answers ({100 * n_lacking / answered.size:.1f} %) come from agents "
            "who lack a required skill or the language"
        )


def _about_data(recorded: Recorded) -> Iterator[str]:
    yield from about_centre(recorded.centre)
    history = recorded.history
    if history.n == 0:
        yield "there are no interactions in this data set or window"
        return
    unknown = int(history.outcome_is("unknown").sum())
    if unknown:
        yield f"{unknown:,} of {history.n:,} interactions have no recorded outcome; with an agent: answered"
    strangers = int((history.outcome_is("answered") & (history.agent < 0)).sum())
    if strangers:
        yield f"{strangers:,} answered interactions name no known agent; of them only the wait is known"
    if np.isnan(history.wait_s).all():
        yield "no waits are recorded"
