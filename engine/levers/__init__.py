"""What-ifs: a completed data set in, another one out. A lever is one file here and one line in `LEVERS`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from engine.errors import InvalidScenario
from engine.estimates.completed import Completed
from engine.levers.handle import Handle
from engine.levers.lever import Lever as Lever
from engine.setting import as_name, shown
from engine.stopping import check

# By name, in the order in which they change the data set.
LEVERS: dict[str, type[Lever]] = {
    "handle": Handle,
}


def levers_of(given: Mapping[str, Any]) -> tuple[Lever, ...]:
    """Levers from plain values by name, as a scenario file or a request holds them.

    Parameters
    ----------
    given : mapping
        Of `LEVERS`.

    Returns
    -------
    tuple of Lever
        In the order in which they apply.

    Raises
    ------
    InvalidScenario
        If a name is unknown or a lever cannot read what it is given.

    Examples
    --------
    >>> [lever.plain() for lever in levers_of({"handle": 1.05})]
    [[{'factor': 1.05}]]
    """
    for name in given:
        if name not in LEVERS:
            near = get_close_matches(str(name), LEVERS, n=1)
            remedy = f"did you mean {near[0]}?" if near else _known()
            raise InvalidScenario(f"{as_name(name)} is not a lever; {remedy}")
    return tuple(LEVERS[name].of(given[name]) for name in LEVERS if name in given)


def plain(levers: Sequence[Lever]) -> dict[str, Any]:
    """What `levers_of` reads.

    Parameters
    ----------
    levers : sequence of Lever
        Each of another kind.

    Returns
    -------
    dict
        By name.
    """
    return {name_of(lever): lever.plain() for lever in levers}


def name_of(lever: Lever) -> str:
    """The key of a lever in `LEVERS`."""
    return next(name for name, kind in LEVERS.items() if kind is type(lever))


def in_order(levers: Sequence[Lever]) -> tuple[Lever, ...]:
    """Levers in the order in which they apply, whatever the order given.

    Parameters
    ----------
    levers : sequence of Lever
        Of a scenario.

    Returns
    -------
    tuple of Lever
        Sorted as `LEVERS` is.

    Raises
    ------
    InvalidScenario
        If one is none, or two are of a kind.
    """
    kinds = list(LEVERS.values())
    for lever in levers:
        if type(lever) not in kinds:
            raise InvalidScenario(f"levers: {shown(lever)} is no lever; {_known()}")
    found = tuple(sorted(levers, key=lambda lever: kinds.index(type(lever))))
    names = [name_of(lever) for lever in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidScenario(f"levers: {twice} is given twice; give one with several entries")
    return found


def changed(completed: Completed, levers: Sequence[Lever]) -> Completed:
    """A data set after all levers.

    Parameters
    ----------
    completed : Completed
        Of one replication.
    levers : sequence of Lever
        In the order in which they apply.

    Returns
    -------
    Completed
        The same object where there is none.
    """
    check()
    for lever in levers:
        completed = lever.change(completed)
    return completed


def _known() -> str:
    return f"levers are {', '.join(LEVERS)}"
