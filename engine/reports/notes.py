"""What a reader must know before trusting a report, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from difflib import get_close_matches

import numpy as np

from engine.data.arrays import Centre
from engine.measures.tally import Tally
from engine.scoring.csat import MADE_UP
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario

MOST_NAMES = 5


def notes(tally: Tally, scenario: Scenario, used: RoutingWeights, filled: tuple[int, int]) -> list[str]:
    """Everything odd about the data or the scenario of a run.

    Parameters
    ----------
    tally : Tally
        All batches counted.
    scenario : Scenario
        What was run.
    used : RoutingWeights
        The weights after its goal.
    filled : tuple of int
        Agents without any survey by the first and by the last day.

    Returns
    -------
    list of str
        One sentence each.
    """
    return [*_about_surveys(tally, scenario, used, filled), *_about_weights(scenario, used), *_about_data(tally)]


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
    threshold = used.min_score_threshold
    largest, given = sum(used.terms), sum(scenario.weights.terms)
    if threshold > largest + 1e-9:
        yield f"the threshold {threshold:g} is above the largest possible score {largest:g}: nobody can be chosen"
    elif not math.isclose(largest, 1.0, abs_tol=1e-6):
        yield f"the weights add up to {largest:g}, so scores run from 0 to {largest:g}; the threshold is {threshold:g}"
    if used != scenario.weights and not math.isclose(given, 1.0, abs_tol=1e-6):
        yield f"the goal's rule is meant for weights that add up to 1; yours add up to {given:g}, so it moves little"


def about_centre(centre: Centre) -> Iterator[str]:
    """What interactions require and nobody has.

    Parameters
    ----------
    centre : Centre
        Who can do what.

    Yields
    ------
    str
        At most one sentence.
    """
    unheld = list(_unheld(centre))
    if unheld:
        more = f" and {len(unheld) - MOST_NAMES} more" if len(unheld) > MOST_NAMES else ""
        yield f"interactions require what no agent has: {', '.join(unheld[:MOST_NAMES])}{more}"


def _about_data(tally: Tally) -> Iterator[str]:
    yield from about_centre(tally.arrays.centre)
    if tally.timed and tally.n_untimed:
        yield (
            f"{tally.n_untimed:,} of {tally.n_interactions:,} interactions have no handling time, as abandoned ones; "
            "handling hours and the implied peak leave them out"
        )
    if tally.n_interactions == 0:
        yield "there are no interactions in this data set or window"


def _unheld(centre: Centre) -> Iterator[str]:
    """Skills and languages that are required but nobody has, with the nearest that somebody has."""
    for kind, names, level in (
        ("skill", centre.skills, centre.proficiency),
        ("language", centre.languages, centre.language_level),
    ):
        somebody = (~np.isnan(level)).any(axis=0)
        held = [names[place] for place in np.flatnonzero(somebody)]
        for place in np.flatnonzero(~somebody):
            near = get_close_matches(names[place], held, n=1)
            yield f"{kind} {names[place]!r}" + (f" (did you mean {near[0]!r}?)" if near else "")
