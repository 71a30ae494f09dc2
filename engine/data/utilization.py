"""What agents can have in hand at once: places by media, and whose work may be interrupted by what.

A media is open to an agent with a place of it left, if everything in hand of other media may be interrupted by it
(Genesys help centre, "Utilization").
"""

from __future__ import annotations

import numpy as np
import polars as pl

from engine.data.tables import CAPACITY, MEDIA
from engine.typing import BoolArray, Int8Array

_PLACE = {media: place for place, media in enumerate(MEDIA)}


def capacities(given: pl.Series) -> Int8Array:
    """Interactions at once.

    Parameters
    ----------
    given : polars.Series
        Column `capacity` of the agents.

    Returns
    -------
    (n_agents, n_media) array of int8
        What an agent does not say is the platform's default.

    Examples
    --------
    >>> capacities(pl.Series([[{"media": "chat", "count": 2}], None])).tolist()
    [[1, 2, 1, 1, 1], [1, 4, 1, 1, 1]]
    """
    capacity = np.tile(np.array(CAPACITY, np.int8), (given.len(), 1))
    for agent, entries in enumerate(given.to_list()):
        for entry in entries or ():
            capacity[agent, _PLACE[entry["media"]]] = entry["count"]
    return capacity


def default_interrupts() -> BoolArray:
    """Whose work may be interrupted by what, unless an agent says otherwise: an email by anything else.

    Returns
    -------
    (n_media, n_media) array of bool
        Whether work of the first media may be interrupted by the second.

    Examples
    --------
    >>> default_interrupts()[MEDIA.index("email"), MEDIA.index("voice")].item()
    True
    """
    interrupts = np.zeros((len(MEDIA), len(MEDIA)), bool)
    # The defaults of the platform (help centre, "Utilization").
    interrupts[MEDIA.index("email")] = True
    return interrupts


def interruptions(given: pl.Series) -> BoolArray:
    """Whose work may be interrupted by what, for each agent.

    Parameters
    ----------
    given : polars.Series
        Column `interrupted_by` of the agents.

    Returns
    -------
    (n_agents, n_media, n_media) array of bool
        Whether work of the first media may be interrupted by the second; media that an agent does not name are as by
        default.

    Examples
    --------
    >>> rule = {"media": "message", "by": ["voice"]}
    >>> interruptions(pl.Series([[rule], None]))[:, MEDIA.index("message"), MEDIA.index("voice")].tolist()
    [True, False]
    """
    interrupts = np.tile(default_interrupts(), (given.len(), 1, 1))
    for agent, entries in enumerate(given.to_list()):
        for entry in entries or ():
            row = interrupts[agent, _PLACE[entry["media"]]]
            row[:] = False
            row[[_PLACE[media] for media in entry["by"] or ()]] = True
    return interrupts


def fills(capacity: Int8Array, interrupts: BoolArray) -> BoolArray:
    """Whether a single piece of work leaves an agent no room for anything, as a call does by default.

    Parameters
    ----------
    capacity : (n_agents, n_media) array of int8
        Interactions at once.
    interrupts : (n_agents, n_media, n_media) array of bool
        Whether work of the first media may be interrupted by the second.

    Returns
    -------
    (n_agents, n_media) array of bool
        By agent and media of the work.

    Examples
    --------
    >>> nobody = pl.Series([None], dtype=pl.Null)
    >>> dict(zip(MEDIA, fills(capacities(nobody), interruptions(nobody))[0].tolist()))
    {'voice': True, 'chat': False, 'email': False, 'message': True, 'callback': True}
    """
    same = np.eye(capacity.shape[1], dtype=bool)
    # One place of its own media is taken.
    left = capacity[:, None, :] > same
    return np.logical_not(np.any(left & (interrupts | same), axis=2))
