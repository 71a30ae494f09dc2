"""What a routing method is: a name, and how it fills a ladder from what is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.data.centre import Centre
from engine.estimates.assumptions import Switches
from engine.estimates.demand import Kinds
from engine.methods.ladder import Ladder
from engine.scoring.scores import Terms
from engine.typing import FloatArray, IntArray


@dataclass(frozen=True)
class View:
    """Everything a method may look at.

    Parameters
    ----------
    terms : Terms
        Terms of the score; columns are agents in the order of the centre.
    csat_row : int
        Row of the satisfaction table that holds.
    kinds : Kinds
        Kinds of interaction; rows of the ladder follow them.
    weights : (n_queues, 3) array of float
        Proficiency, language, satisfaction; goals may move each queue's.
    threshold : float
        Least score that counts.
    switches : Switches
        Where sources on Genesys' routing differ.
    factor : (n_kinds, n_agents) array of float
        Handling time of each agent relative to others; all 1 where unknown.
    """

    terms: Terms
    csat_row: int
    kinds: Kinds
    weights: FloatArray
    threshold: float
    switches: Switches
    factor: FloatArray

    @property
    def centre(self) -> Centre:
        """Agents, queues and what interactions require."""
        return self.terms.centre

    @property
    def requirement(self) -> IntArray:
        """Requirement of each kind, (n_kinds,)."""
        return self.centre.requirement[self.kinds.call_type]

    @property
    def queue(self) -> IntArray:
        """Queue of each kind, (n_kinds,)."""
        return self.centre.queue[self.requirement]


@dataclass(frozen=True)
class Method:
    """A routing method.

    Parameters
    ----------
    about : str
        One line for help and reports.
    ladder : callable
        Fills a ladder from a `View`.
    planner : callable, optional
        Plans of score mode; None where a method needs to know who is idle.
    reads : tuple of {"csat", "weights", "preferred", "factors", "rings"}
        What a ladder depends on besides the centre: when the first two change it is made anew; preferred agents tell
        kinds of interaction apart; factors of handling time are fitted only where they are read; each ring is a row.
    is_platform : bool
        One of Genesys' own methods: language always filters.
    asks_idle : bool
        Whether idle time decides anything, be it among equals; else the switches of the idle clock change nothing.
    """

    about: str
    ladder: Callable[[View], Ladder]
    planner: Callable[..., Any] | None = None
    reads: tuple[str, ...] = ()
    is_platform: bool = False
    asks_idle: bool = True
