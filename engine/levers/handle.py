"""Handling times longer or shorter: of queues, of skills, or of whoever handles an interaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from engine.data.centre import Centre
from engine.data.tables import LEAST_FACTOR, MOST_FACTOR
from engine.errors import InvalidScenario, UnknownName
from engine.estimates.completed import Completed, Interactions
from engine.levers.when import When
from engine.near import nearest
from engine.setting import as_name, plain, shown
from engine.stopping import checked
from engine.typing import BoolArray, FloatArray

# What an entry may name: what the interaction requires, or who handles it.
OF_INTERACTION, OF_AGENT = ("queue", "skill"), ("agent", "group")
KEYS = ("factor", *OF_INTERACTION, *OF_AGENT, "when")
MOST_NAMES = 8
# As in the table of handle factors.


@dataclass(frozen=True)
class Entry:
    """A factor and where it holds.

    Parameters
    ----------
    factor : float
        > 0; times recorded ones, after-call work included.
    of : {"queue", "skill", "agent", "group", ""}
        What `name` is; nothing for all interactions.
    name : str
        Id or name of a queue or an agent, a skill, or a group.
    when : When, optional
        Of the interactions' arrivals; None for always.
    """

    factor: float
    of: str = ""
    name: str = ""
    when: When | None = None

    @classmethod
    def of_plain(cls, given: object) -> Entry:
        """From a number, or from a table of `KEYS`."""
        if not isinstance(given, Mapping):
            given = {"factor": given}
        unknown = [key for key in given if not (isinstance(key, str) and key in KEYS)]
        if unknown:
            raise InvalidScenario(f"handle: {as_name(unknown[0])} is not one of {', '.join(KEYS)}")
        factor = plain(given.get("factor"))
        if not isinstance(factor, int | float) or isinstance(factor, bool) or not LEAST_FACTOR <= factor <= MOST_FACTOR:
            raise InvalidScenario(
                f"handle: factor is {shown(factor)}; use a number from {LEAST_FACTOR:g} to {MOST_FACTOR:g}, 1 for no "
                "change"
            )
        of = [key for key in (*OF_INTERACTION, *OF_AGENT) if key in given]
        if len(of) > 1:
            raise InvalidScenario(f"handle: an entry names {of[0]} and {of[1]}; use one of them, or two entries")
        name: Any = given[of[0]] if of else ""
        if of and not (isinstance(name, str) and name):
            raise InvalidScenario(f"handle: {of[0]} is {shown(name)}; give its name")
        return cls(float(factor), of[0] if of else "", name, When.of(given["when"]) if "when" in given else None)

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads."""
        named = {self.of: self.name} if self.of else {}
        return {"factor": self.factor} | named | ({} if self.when is None else {"when": self.when.plain()})

    def __str__(self) -> str:
        return f"{self.of} {self.name!r}" if self.of else "all interactions"

    @property
    def rank(self) -> tuple[bool, bool]:
        """Of two entries that hold for the same, the more specific one counts."""
        return self.of in ("queue", "skill", "agent"), self.when is not None


@dataclass(frozen=True)
class Handle:
    """Handling times times a factor.

    An entry without a name, or with a queue or a skill, scales the interaction; one with an agent or a group scales
    what these handle in the replay, on top. Of several that scale the same, the most specific counts: a queue or a
    skill before all, an agent before a group, one with `when` before one without; equally specific ones must agree.

    Parameters
    ----------
    entries : tuple of Entry
        At least one.
    """

    about: ClassVar[str] = "Handling times times a factor: of all, of a queue, a skill, an agent or a group."

    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, given: Any) -> Self:
        """From a factor, an entry, or a list of entries.

        Parameters
        ----------
        given : float, mapping or sequence of mapping
            Keys of an entry: factor, one of queue, skill, agent and group, and when.

        Returns
        -------
        Handle
            Checked but for names, which only the data can tell.

        Raises
        ------
        InvalidScenario
            If an entry cannot be read.

        Examples
        --------
        >>> Handle.of({"factor": 1.05, "queue": "Technik"}).plain()
        [{'factor': 1.05, 'queue': 'Technik'}]
        """
        rows = given if isinstance(given, list | tuple) else [given]
        if not rows:
            raise InvalidScenario("handle: give a factor, or a list of entries with one each")
        return cls(tuple(Entry.of_plain(row) for row in rows))

    def plain(self) -> list[dict[str, Any]]:
        """What `of` reads."""
        return [entry.plain() for entry in self.entries]

    def change(self, completed: Completed) -> Completed:
        """Scale the handling times of a data set; interactions, agents and blocks stay.

        Refuses names that the centre does not have, and equally specific entries that want different factors for the
        same.
        """
        given, centre = completed.interactions, completed.centre
        of_interaction = [entry for entry in self.entries if entry.of not in OF_AGENT]
        share = _share(of_interaction, lambda entry: _which(entry, given, centre), np.ones(given.n))
        # A factor of 1 everywhere must give the same object: no lever is the baseline to the last bit.
        if (share != 1.0).any():
            given = given.scaled(share)
        by_agent = {entry: _who(entry, centre) for entry in self.entries if entry.of in OF_AGENT}
        if by_agent:
            given = _by_agent(by_agent, given, centre)
        return completed if given is completed.interactions else completed.with_interactions(given)


def _which(entry: Entry, given: Interactions, centre: Centre) -> BoolArray:
    """Interactions that an entry holds for."""
    found = _in_time(entry, given, centre)
    requirement = centre.requirement[given.call_type]
    if entry.of == "queue":
        names = [(queue, name) for queue, name in zip(centre.queue_ids, centre.queues["queue_name"], strict=True)]
        found &= np.isin(centre.queue[requirement], _places(entry, names))
    elif entry.of == "skill":
        wanted = _places(entry, [(skill, None) for skill in centre.skills])
        of = np.repeat(np.arange(centre.n_requirements), np.diff(centre.skill_start))
        found &= np.isin(requirement, of[np.isin(centre.skill, wanted)])
    return found


def _who(entry: Entry, centre: Centre) -> BoolArray:
    """Agents that an entry holds for."""
    if entry.of == "group":
        groups = sorted({group for group in centre.groups if group is not None})
        _places(entry, [(group, None) for group in groups])
        return np.array([group == entry.name for group in centre.groups], bool)
    found = np.zeros(centre.n_agents, bool)
    found[_places(entry, list(zip(centre.agent_ids, centre.agent_names, strict=True)))] = True
    return found


def _places(entry: Entry, names: Sequence[tuple[str, str | None]]) -> list[int]:
    """Place of the one with this id, else of the only one with this name."""
    by_id = [place for place, (key, _) in enumerate(names) if key == entry.name]
    found = by_id or [place for place, (_, name) in enumerate(names) if name == entry.name]
    if len(found) == 1:
        return found
    if found:
        ids = ", ".join(names[place][0] for place in found[:MOST_NAMES])
        raise UnknownName(f"handle: several are called {entry}; use an id: {ids}")
    known = list(dict.fromkeys(name or key for key, name in names))
    near = nearest(entry.name, (each for pair in names for each in pair if each))
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    listed = f"there are {', '.join(known[:MOST_NAMES])}{more}" if known else f"there is no {entry.of}"
    raise UnknownName(f"handle: no {entry}; " + (f"did you mean {near!r}? {listed}" if near else listed))


def _in_time(entry: Entry, given: Interactions, centre: Centre) -> BoolArray:
    return np.ones(given.n, bool) if entry.when is None else entry.when.holds(given.arrived_us, centre.time_zone)


def _share(entries: Iterable[Entry], where: Callable[[Entry], BoolArray], share: FloatArray) -> FloatArray:
    """Fill in the factor of the most specific entry, `where` it holds; equally specific ones must agree."""
    share, rank = share.copy(), np.full(share.shape, -1)
    by: list[Entry] = []
    # From general to specific, so that the last one written is the most specific.
    for entry in checked(sorted(entries, key=lambda each: each.rank)):
        holds = where(entry)
        number = 2 * entry.rank[0] + entry.rank[1]
        clash = holds & (rank == number) & (share != entry.factor)
        if clash.any():
            other = next(each for each in reversed(by) if each.rank == entry.rank and each.factor != entry.factor)
            raise InvalidScenario(
                f"handle: {entry} and {other} hold for the same and want {entry.factor:g} and {other.factor:g}; "
                "give both one factor, or one of them another time"
            )
        share[holds], rank[holds] = entry.factor, number
        by.append(entry)
    return share


def _by_agent(who: Mapping[Entry, BoolArray], given: Interactions, centre: Centre) -> Interactions:
    """Scale what agents handle; interactions at which the same entries hold share a row of factors."""
    # Entries in force may differ by arrival; all that matters of an interaction is which of their times it is in.
    first = {entry.when: entry for entry in who}
    inside = np.stack([_in_time(entry, given, centre) for entry in checked(first.values())], axis=1)
    sets, row = np.unique(inside, axis=0, return_inverse=True)
    in_force = [{when for when, is_held in zip(first, some, strict=True) if is_held} for some in sets]
    ones = np.ones(centre.n_agents)
    rows = [_share([entry for entry in who if entry.when in now], who.__getitem__, ones) for now in in_force]
    share = np.stack(rows) if rows else np.ones((1, centre.n_agents))
    return given if (share == 1.0).all() else given.scaled_by_agent(share, np.asarray(row.reshape(-1), np.int64))
