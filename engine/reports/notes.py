"""What a reader must know before trusting a report, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from engine.data.centre import Centre
from engine.data.history import History
from engine.data.provenance import Provenance
from engine.data.served import Status
from engine.data.served import recorded as outcomes_of
from engine.data.wall_time import NOT_TOLD_APART
from engine.estimates.estimated import PatienceEstimate, StaffingEstimate
from engine.measures.light import Light
from engine.measures.sharing import lacks, other_yardstick
from engine.measures.spread import FEWEST_DAYS
from engine.measures.tally import Tally
from engine.measures.timeline import Timeline
from engine.measures.waits import CAUSES, IdleCauses, ServiceLevel
from engine.methods import METHODS
from engine.methods.settings import unsupported
from engine.near import nearest
from engine.replay.playing import Played
from engine.replay.prepare import Recorded
from engine.reports.replay import ReplayColumn
from engine.reports.switches import about_switches
from engine.scoring.csat import MADE_UP
from engine.scoring.weights import RoutingWeights
from engine.spec import TODAY, Scenario

MOST_NAMES = 5
# Share of all waiting above which waiting beside free able agents is pointed out.
IDLE_SHARE = 0.01
# Share of answers above which agents without a required skill or language are pointed out.
LACKING_SHARE = 0.01
# Share of recorded handling that may lie in work elsewhere of the same agent; clocks differ by seconds.
TWICE_SHARE = 0.02


def notes(tally: Tally, scenario: Scenario, used: RoutingWeights, filled: tuple[int, int]) -> list[str]:
    """Everything odd about the data or the scenario of a run."""
    odd = tally.arrays.snapshot.oddities
    return [*odd, *_about_surveys(tally, scenario, used, filled), *_about_weights(scenario, used), *_about_data(tally)]


def _about_surveys(tally: Tally, scenario: Scenario, used: RoutingWeights, filled: tuple[int, int]) -> Iterator[str]:
    if not used.historical_csat:
        return
    if tally.arrays.has_made_up_surveys:
        yield MADE_UP
    at_first, at_last = filled
    if at_first:
        by = "the mean of all" if scenario.csat_shrinkage else scenario.csat_missing
        then = "" if at_first == at_last else f" on the first day, {at_last} on the last"
        of = tally.arrays.centre.n_agents
        yield f"{at_first} of {of} agents have no survey{then}; meanwhile their satisfaction term is {by}"


def _about_weights(scenario: Scenario, used: RoutingWeights) -> Iterator[str]:
    threshold = used.threshold
    largest, given = sum(used.terms), sum(scenario.weights.terms)
    # Weights such as 0.4, 0.3, 0.3 add up to a hair beside 1.
    if threshold > largest + 1e-9:
        yield f"the threshold {threshold:g} is above the largest possible score {largest:g}: nobody can be chosen"
    elif not math.isclose(largest, 1.0, abs_tol=1e-6):
        yield f"the weights add up to {largest:g}, so scores run from 0 to {largest:g}; the threshold is {threshold:g}"
    if used != scenario.weights and not math.isclose(given, 1.0, abs_tol=1e-6):
        yield f"the goal's rule is meant for weights that add up to 1; yours add up to {given:g}, so it moves little"


def about_centre(centre: Centre) -> Iterator[str]:
    """What interactions require and nobody has."""
    unheld = list(_unheld(centre))
    if unheld:
        more = f" and {len(unheld) - MOST_NAMES} more" if len(unheld) > MOST_NAMES else ""
        told = ", ".join(_hinted(*each) for each in unheld[:MOST_NAMES])
        yield f"interactions require what no agent has: {told}{more}"


def about_times(snapshot: Provenance) -> Iterator[str]:
    """Times of the record that may be an hour off."""
    return (said for said in snapshot.assumptions if NOT_TOLD_APART in said)


def _about_data(tally: Tally) -> Iterator[str]:
    yield from about_times(tally.arrays.snapshot)
    yield from about_centre(tally.arrays.centre)
    if tally.timed and tally.n_untimed:
        yield (
            f"{tally.n_untimed:,} of {tally.n_interactions:,} interactions have no handling time, as abandoned ones; "
            "handling hours and the implied peak leave them out"
        )
    if tally.n_interactions == 0:
        yield "there are no interactions in this data set or window"


def _unheld(centre: Centre) -> Iterator[tuple[str, str, list[str]]]:
    """Skills and languages that are required but nobody has: kind, name, and names that somebody has."""
    for kind, names, level in (
        ("skill", centre.skills, centre.proficiency),
        ("language", centre.languages, centre.language_level),
    ):
        somebody = (~np.isnan(level)).any(axis=0)
        held = [names[place] for place in np.flatnonzero(somebody)]
        yield from ((kind, names[place], held) for place in np.flatnonzero(~somebody))


def _hinted(kind: str, name: str, held: list[str]) -> str:
    near = nearest(name, held)
    return f"{kind} {name!r}" + (f" (did you mean {near!r}?)" if near else "")


def replay_notes(
    recorded: Recorded, scenario: Scenario, played: Played, waits: ServiceLevel, light: Light
) -> list[str]:
    """Everything odd about the data or the scenario of a replay."""
    return [
        *about_truth(recorded, light), *_about_rule(recorded, scenario, played, waits),
        *about_sharing(other_yardstick(played.completed, recorded)), *about_history(recorded),
    ]  # fmt: skip


def about_sharing(changes: Sequence[str], rule: str = "") -> Iterator[str]:
    """That a column shares other work among others than today's rule does."""
    if changes:
        yield (
            f"{rule}levers change {' and '.join(changes)}, so who could have got what is not the same as under today's "
            "rule: differences of sharing (Gini, eligible counts) are partly theirs"
        )


def about_truth(recorded: Recorded, light: Light) -> Iterator[str]:
    """How far a replay of these data can be trusted."""
    yield from about_times(recorded.arrays.snapshot)
    if recorded.estimates.staffing.source == "inferred":
        yield (
            "staffing is inferred from who answered what, so it reflects the routing of its day; trust "
            "paired differences before absolute levels"
        )
    yield from _about_beyond(recorded.estimates.staffing)
    if recorded.arrays.snapshot.counts.get("staffing") and not recorded.centre.staffing.agent.size:
        yield "the staffing table has no block of a known agent in these days, so nobody is on queue"
    if light.color == "unknown":
        yield light.why
    yield from about_light(recorded, light)
    yield (
        "transfers, redials and repeat contacts stay at their recorded times and levels: what another rule would "
        f"do to them is not simulated{_again(recorded)}"
    )
    if not recorded.centre.busy.agent.size and not recorded.centre.held.agent.size:
        yield (
            "no table says when agents were at work elsewhere (other queues, outbound); if they were, the service "
            "level shown is too good"
        )
    yield from _about_twice(recorded)


def about_light(recorded: Recorded, light: Light) -> Iterator[str]:
    """What its colour does not say."""
    if light.color == "unknown":
        return
    if recorded.arrays.snapshot.is_made_up("interactions"):
        yield "the record itself is made up, perhaps by such a replay: that it is met says nothing about a real centre"
    # A light of few days turns by chance: one odd day is a third of three.
    n_days = recorded.calendar.n
    if n_days < FEWEST_DAYS:
        days = f"{n_days} {'day' if n_days == 1 else 'days'}"
        yield f"the light rests on {days} only, so it may be chance; another --seed or --replications tell"


def _about_twice(recorded: Recorded) -> Iterator[str]:
    """Recorded handling while the same agent was at work elsewhere: nobody does both."""
    centre, history = recorded.centre, recorded.history
    queue = recorded.queue_of_type[history.call_type]
    work = outcomes_of(history, queue, recorded.assumptions.acw_s).services
    both_s = float(Timeline(work, centre.busy, centre.n_agents).busy_of_piece_s.sum()) if work.agent.size else 0.0
    all_s = float((work.end_us - work.start_us).sum()) / 1e6
    if both_s > TWICE_SHARE * all_s:
        yield (
            f"{both_s / 3600:,.1f} of {all_s / 3600:,.1f} recorded hours of handling lie in work elsewhere (busy) of "
            "the same agent that leaves no room for them: the same work may stand in both tables, and a replay does it "
            "twice; or such work does not keep agents from calls, then give its media, and capacity and interrupted_by "
            "of the agents"
        )


def _about_beyond(staffed: StaffingEstimate) -> Iterator[str]:
    """Time on queue that is no part of occupancy."""
    # Less than a tenth of an hour would be shown as nothing.
    if round(staffed.hours_not_counted, 1) > 0:
        yield (
            f"{staffed.hours_not_counted:,.1f} of {staffed.hours:,.1f} hours of staffing lie on days on which nothing "
            "arrived; occupancy and staffed time leave them out, for every rule"
        )


def _again(recorded: Recorded) -> str:
    """How many interactions are later visits of a conversation, where conversations are recorded."""
    told = recorded.history.told
    if told is None or "conversation_id" not in told.columns:
        return ""
    known = told["conversation_id"].drop_nulls()
    n_again = known.len() - known.n_unique()
    return f" ({n_again:,} of {recorded.history.n:,} interactions are later visits of a conversation)"


def _about_rule(recorded: Recorded, scenario: Scenario, played: Played, waits: ServiceLevel) -> Iterator[str]:
    yield from about_idle(waits)
    # Only scores read satisfaction.
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


def about_idle(waits: ServiceLevel | ReplayColumn, rule: str = "") -> Iterator[str]:
    """Waiting beside free able agents, and what it comes from."""
    share, causes, idle_s = waits.idle_while_waiting_share, waits.idle_causes, waits.idle_while_waiting_s
    if share is None or causes is None or idle_s is None or share <= IDLE_SHARE:
        return
    long = f"{idle_s / 3600:,.1f} hours" if idle_s >= 360 else f"{idle_s:,.0f} s"
    yield (
        f"{rule}customers waited {long} ({100 * share:.1f} % of all waiting) beside a free agent whom the rule would "
        f"ask in the end, because of {causes_text(causes)}"
    )


def causes_text(causes: IdleCauses) -> str:
    """What waiting beside free able agents comes from, most first, with its share.

    Parameters
    ----------
    causes : IdleCauses
        Some of them above 0.

    Returns
    -------
    str
        In the middle of a sentence.

    Examples
    --------
    >>> causes_text(IdleCauses(10.0, 0.0, 0.0, 30.0, 0.0, 0.0))
    'a ring not open yet (75 %), alerts in vain (25 %)'
    """
    whole_s = sum(vars(causes).values())
    most = sorted(CAUSES, key=lambda name: -getattr(causes, name))
    return ", ".join(
        f"{CAUSES[name]} ({100 * getattr(causes, name) / whole_s:.0f} %)" for name in most if getattr(causes, name) > 0
    )


def about_settings(recorded: Recorded, scenario: Scenario) -> Iterator[str]:
    """What a rule asks for and the data do not have."""
    queues, method = recorded.centre.queues, METHODS[scenario.method]
    yield from _about_filters(recorded, scenario)
    yield from about_switches(recorded, scenario)
    if "weights" in method.reads:
        yield from _about_weights(scenario, scenario.weights_used())
    elif scenario.weights.threshold:
        yield f"{scenario.method}: has no score, so the threshold {scenario.weights.threshold:g} changes nothing"
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
    if TODAY in scenario.required:
        return
    if METHODS[scenario.method].is_platform:
        if scenario.required:
            yield f"{scenario.method}: filters as each queue's settings say; --required changes nothing here"
        return
    asked = {"skills": bool(centre.skill.size), "language": bool((centre.language >= 0).any())}
    soft = [name for name, is_asked in asked.items() if is_asked and name not in scenario.required]
    if soft:
        yield (
            f"{scenario.method}: {' and '.join(soft)} are no filter here, but are one for today's rule (skills unless "
            "a queue disregards or removes them): calls may go to agents who lack what they require, and waits look "
            "better for that alone; --required today, the default of a replay, compares like with like"
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


def about_history(recorded: Recorded) -> Iterator[str]:
    """What the rows of a log do not say, and what is odd about them."""
    yield from recorded.arrays.snapshot.oddities
    yield from about_centre(recorded.centre)
    history = recorded.history
    if history.n == 0:
        yield "there are no interactions in this data set or window"
        return
    yield from _about_outcomes(history)
    yield from _about_patience(recorded.estimates.patience)
    strangers = int((history.answered & (history.agent < 0)).sum())
    if strangers:
        yield f"{strangers:,} answered interactions name no known agent; of them only the wait is known"
    n_answered, n_bare = int(history.answered.sum()), int((history.answered & np.isnan(history.wait_s)).sum())
    if np.isnan(history.wait_s).all():
        yield "no waits are recorded"
    elif n_bare:
        yield (
            f"{n_bare:,} of {n_answered:,} answered interactions have no recorded wait: recorded waits and service "
            "level are those of the others; give wait_s of all"
        )


def _about_outcomes(history: History) -> Iterator[str]:
    unknown = history.outcome_is("unknown")
    n_unknown, n_unanswered = int(unknown.sum()), int(history.unanswered.sum())
    if not n_unknown:
        return
    n_answered = int((unknown & history.answered).sum())
    parts = [f"{n_answered:,} with an agent or a handling time: answered"] if n_answered else []
    if n_unanswered:
        parts.append(
            f"{n_unanswered:,} ended without an agent: flowed out; in a replay they leave at their recorded wait, "
            "unless an agent takes them before"
        )
    if left := n_unknown - n_answered - n_unanswered:
        parts.append(f"{left:,} with neither agent nor wait: still to be answered, in the record unserved")
    yield f"{n_unknown:,} of {history.n:,} interactions have no recorded outcome; " + "; ".join(parts)


def _about_patience(patience: PatienceEstimate) -> Iterator[str]:
    """Abandoned interactions that do not say when they left."""
    counts, lost = patience.counts, patience.counts.abandoned_without_wait
    if not lost or patience.patience != "estimated":
        return
    if not patience.replays_abandonment:
        yield (
            f"abandonment cannot be replayed: none of the {lost:,} abandoned interactions has a wait, so in the replay "
            "nobody gives up, and nothing is said about abandonment; give wait_s of abandoned interactions, in "
            "seconds from arrival to hanging up"
        )
        return
    lent = counts.abandoned_from_other_media
    yield (
        f"{lost:,} abandoned interactions have no wait; each gives up after the wait of another abandoned one, drawn"
        + (f", {lent:,} of them from other media, as none of their own has a wait" if lent else "")
        + "; give wait_s of abandoned interactions"
    )
