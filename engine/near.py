"""The nearest of known names, for whoever mistyped one: quick however many there are, and however long."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from heapq import nsmallest

# Comparing two texts costs more than their length, so of long ones the beginning is compared.
_MOST_CHARS = 60
# And of many names those that begin alike for longest.
_MOST_NAMES = 200


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that is most like another.

    Parameters
    ----------
    name : str
        As somebody wrote it, of any length.
    known : iterable of str
        Any number of names.
    cutoff : float
        How alike they must be, 0 to 1.

    Returns
    -------
    str or None
        None where none is like it.

    Examples
    --------
    >>> nearest("biling", ["tech", "billing"]), nearest("?", ["tech"])
    ('billing', None)
    """
    names = dict.fromkeys(known)
    if len(names) > _MOST_NAMES:
        start = name[:_MOST_CHARS].casefold()
        # By the names themselves where that is equal, so that the answer does not depend on their order.
        some = nsmallest(
            _MOST_NAMES, names, key=lambda each: (-_n_alike(start, each), abs(len(each) - len(name)), each)
        )
        names = dict.fromkeys(some)
    cut = {each[:_MOST_CHARS]: each for each in reversed(names)}
    near = get_close_matches(name[:_MOST_CHARS], cut, n=1, cutoff=cutoff)
    return cut[near[0]] if near else None


def _n_alike(start: str, other: str) -> int:
    """Characters at the beginning that are the same in both."""
    pairs = zip(start, other[:_MOST_CHARS].casefold(), strict=False)
    return next((n for n, (mine, its) in enumerate(pairs) if mine != its), min(len(start), len(other)))
