"""Engines by name: each does many runs that do not depend on one another, and gives their results in order.

A door chooses one and hands its `map` to the engine, which so never learns where its runs are done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from engine.errors import InvalidScenario

if TYPE_CHECKING:
    # The command line loads this room before numpy, which it may not be able to.
    from engine.typing import Item, Map, Result

LOCAL = "local"


def in_this_process(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """One after the other; a run begins when its result is asked for, so one that fails ends the others."""
    return map(work, items)


ENGINES: dict[str, Map] = {LOCAL: in_this_process}


def runs_in(url: str = LOCAL) -> Map:
    """The `map` of an engine.

    Parameters
    ----------
    url : str
        Which engine: ``local`` is this process.

    Returns
    -------
    callable
        Takes work and items, gives results in the order of the items.

    Raises
    ------
    InvalidScenario
        If there is no such engine.

    Examples
    --------
    >>> list(runs_in("local")(len, ["a", "bcd"]))
    [1, 3]
    """
    if url not in ENGINES:
        from engine.setting import shown

        raise InvalidScenario(f"workers {shown(url)}: runs are done in this process only; give {' or '.join(ENGINES)}")
    return ENGINES[url]
