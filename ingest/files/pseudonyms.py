"""Agents under codes: the same code in every table, and no way back to the id."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection

import polars as pl

ASSUMPTION = (
    "agent ids and names were replaced by codes; their order is that of a hash with a key drawn for this "
    "import and thrown away, so two imports give different codes"
)
ASSUMPTION_KEPT = (
    "agent ids and names were replaced by codes; their order is that of a hash with a key that is kept beside the "
    "parts that were read, so reading again gives the same codes as long as the agents are the same"
)
# Documents of the platform that may name agents inside.
_DOCUMENTS = ("rings", "routing_rules", "conditional_groups")


def pseudonymise(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Replace agent ids and names by A0001, A0002, ... in all tables alike.

    Codes in the order of ids or rows would tell anybody with a staff list who is who; a plain hash could be
    tried out on every id. A key that nobody keeps closes both ways.

    Examples
    --------
    >>> agents = pl.DataFrame({"agent_id": ["anna"], "agent_name": ["Anna Ek"]})
    >>> pseudonymise({"agents": agents})["agents"].row(0)
    ('A0001', 'A0001')
    """
    codes = codes_of(named(tables), secrets.token_bytes(32))
    return {name: coded(name, frame, codes) for name, frame in tables.items()}


def named(tables: dict[str, pl.DataFrame]) -> list[str]:
    """All ids of agents that tables name.

    Parameters
    ----------
    tables : dict of str to polars.DataFrame
        Tables by name.

    Returns
    -------
    list of str
        Each once.
    """
    ids = [frame.select("agent_id") for frame in tables.values() if "agent_id" in frame.columns]
    ids += [
        frame.select(pl.col("preferred").explode().struct.field("agent_id"))
        for frame in tables.values()
        if "preferred" in frame.columns
    ]
    return pl.concat(ids)["agent_id"].drop_nulls().unique().to_list()


def codes_of(ids: Collection[str], key: bytes) -> dict[str, str]:
    """A code for each id, in the order of a keyed hash.

    Parameters
    ----------
    ids : collection of str
        Each once.
    key : bytes
        The same key gives the same order.

    Returns
    -------
    dict of str to str
        Code by id.
    """
    hashed = sorted(ids, key=lambda name: hashlib.blake2b(name.encode(), key=key).digest())
    width = max(4, len(str(len(ids))))
    return {name: f"A{number:0{width}}" for number, name in enumerate(hashed, 1)}


def coded(name: str, frame: pl.DataFrame, codes: dict[str, str]) -> pl.DataFrame:
    """A table under codes.

    Parameters
    ----------
    name : str
        Name of the table.
    frame : polars.DataFrame
        Its rows.
    codes : dict of str to str
        Code by id; an id without one becomes null.

    Returns
    -------
    polars.DataFrame
        The same rows; agents and members in the order of their codes.
    """

    def code_of(ids: pl.Expr) -> pl.Expr:
        return ids.replace_strict(codes, default=None, return_dtype=pl.String)

    if "agent_id" in frame.columns:
        frame = frame.with_columns(code_of(pl.col("agent_id")))
    if "agent_name" in frame.columns:
        frame = frame.with_columns(agent_name=pl.col("agent_id"))
    if "preferred" in frame.columns:
        entry = pl.element().struct
        code = code_of(entry.field("agent_id")).alias("agent_id")
        frame = frame.with_columns(pl.col("preferred").list.eval(entry.with_fields(code)))
    if name == "queues":
        quoted = {f'"{agent}"': f'"{code}"' for agent, code in codes.items()}
        present = [column for column in _DOCUMENTS if column in frame.columns]
        frame = frame.with_columns(pl.col(present).str.replace_many(quoted))
    return frame.sort("agent_id", maintain_order=True) if name in {"agents", "members"} else frame
