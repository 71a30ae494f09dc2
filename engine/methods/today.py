"""The rule in force, as the queues' settings record it."""

from __future__ import annotations

import polars as pl


def in_force(queues: pl.DataFrame) -> str:
    """The method of `METHODS` that queues are routed by now.

    Parameters
    ----------
    queues : polars.DataFrame
        With their settings.

    Returns
    -------
    str
        Preferred agents where a queue has rules for them, bullseye where one has rings, else standard routing; each
        routes queues without such settings as the next does.

    Examples
    --------
    >>> in_force(pl.DataFrame({"rings": [None, "[]"], "routing_rules": [None, None]}))
    'bullseye'
    """
    if queues["routing_rules"].drop_nulls().len():
        return "preferred_agent"
    return "bullseye" if queues["rings"].drop_nulls().len() else "genesys"
