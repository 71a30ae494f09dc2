"""Which columns of a file are kept, under which name; everything not on the list stays outside."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from engine.data.tables import TABLES, TEXTS, Column
from ingest.files.problems import Findings

# Names that people use for a column of ours, by table.
ALIASES = {
    "agents": {"id": "agent_id"},
    "queues": {"id": "queue_id"},
    "surveys": {"id": "survey_id"},
    "interactions": {
        "id": "interaction_id",
        "required_skill": "skills",
        "required_skills": "skills",
        "required_language": "language",
    },
}

# `agents` may name the queues of each agent in place of a members file.
QUEUES_OF_AGENT = Column("queues", TEXTS)

_REMEDIES = {
    "scale_min": "add a column with the lowest possible score of the survey, for example 1",
    "scale_max": "add a column with the highest possible score of the survey, for example 5",
}
MOST_NAMES = 20


@dataclass(frozen=True)
class Header:
    """What the names in a file mean."""

    kept: dict[int, Column]  # Place in the file, and the column it fills
    dropped: tuple[str, ...]  # Names that are not stored
    missing: tuple[str, ...]  # Required columns that the file lacks


def columns_of(table: str) -> dict[str, Column]:
    """All columns that a file of this table may bring, by name."""
    columns = {column.name: column for column in TABLES[table].columns}
    return columns | ({"queues": QUEUES_OF_AGENT} if table == "agents" else {})


def read_header(table: str, names: list[str], findings: Findings) -> Header:
    """Match the names of a file to the columns of a table; case and surrounding blanks do not count.

    Examples
    --------
    >>> header = read_header("members", ["Queue_ID", "agent_id", "phone"], Findings("members.csv"))
    >>> [column.name for column in header.kept.values()], header.dropped
    (['queue_id', 'agent_id'], ('phone',))
    """
    columns, aliases = columns_of(table), ALIASES.get(table, {})
    kept: dict[int, Column] = {}
    dropped: list[str] = []
    first: dict[str, str] = {}
    for place, name in enumerate(names):
        plain = name.strip().lower()
        target = aliases.get(plain, plain)
        if target not in columns:
            dropped.append(name.strip())
        elif target in first:
            _repeated(name, first[target], target, findings)
        else:
            first[target] = name
            kept[place] = columns[target]
    missing = tuple(c.name for c in TABLES[table].columns if c.required and c.name not in first)
    for name in missing:
        findings.file(_missing(name, names, dropped))
    return Header(kept, tuple(dropped), missing)


def dropped_sentence(source: str, table: str, dropped: tuple[str, ...]) -> str:
    """Say which columns of a file were not stored, and what a near miss may have meant."""
    told = []
    for name in dropped[:MOST_NAMES]:
        near = get_close_matches(name.lower(), columns_of(table), n=1, cutoff=0.8)
        told.append(_short(name) + (f" (did you mean {near[0]}?)" if near else ""))
    more = f" and {len(dropped) - MOST_NAMES} more" if len(dropped) > MOST_NAMES else ""
    return f"{source}: columns outside table {table} were not stored: {', '.join(told)}{more}"


def _repeated(name: str, earlier: str, target: str, findings: Findings) -> None:
    if name.strip().lower() == earlier.strip().lower():
        findings.file(f"column {_short(name)} stands twice; keep one")
    else:
        findings.file(f"columns {_short(earlier)} and {_short(name)} both mean {target}; keep one")


def _missing(name: str, names: list[str], unused: list[str]) -> str:
    near = get_close_matches(name, [other.lower() for other in unused], n=1, cutoff=0.6)
    shown = ", ".join(_short(other) for other in names[:MOST_NAMES]) or "no column"
    remedy = _REMEDIES.get(name, "add it, or rename the column that holds it")
    if near:
        remedy = f"did you mean {near[0]}? Rename it to {name}"
    return f"column {name} is missing; found {shown}{', ...' if len(names) > MOST_NAMES else ''}; {remedy}"


def _short(name: str) -> str:
    name = name.strip() or "(no name)"
    return name if len(name) <= 40 else name[:37] + "..."
