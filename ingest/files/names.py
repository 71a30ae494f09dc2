"""Names that may be several in one, or one in several spellings: asked about at import, as no run could tell later."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from engine.data.checks import check, shorten
from engine.data.tables import RATED, TEXTS
from engine.errors import InvalidTable
from engine.setting import shown
from ingest.files.reading import Reading

Place = tuple[str, str]
# Where names of one kind stand, by table and column.
PLACES: dict[str, tuple[Place, ...]] = {
    "skills": (("agents", "skills"), ("interactions", "skills"), ("handle_factors", "skill")),
    "languages": (("agents", "languages"), ("interactions", "language")),
    "queues": (
        ("queues", "queue_id"), ("members", "queue_id"), ("interactions", "queue_id"), ("surveys", "queue_id"),
    ),
    "groups": (("agents", "group"),),
    "agents": tuple(
        (table, "agent_id")
        for table in ("agents", "interactions", "members", "surveys", "staffing", "busy", "handle_factors")
    ),
}  # fmt: skip
# The table that lists each once.
_LISTED: dict[str, Place] = {"queues": ("queues", "queue_id"), "agents": ("agents", "agent_id")}
MOST_SHOWN = 4
SAME = "names brought to one spelling, as asked"

_SURE = re.compile(r"[,;|]")
# Often part of one name; several only where every part is a name of its own.
_PERHAPS = re.compile(r"[/+&]")
_LEVEL = re.compile(r"(?P<stem>.*\S)\s*(?:[(\[]\s*\d+(?:\.\d+)?\s*[)\]]|=\s*\d+(?:\.\d+)?)", re.DOTALL)
_DECIMAL = re.compile(r"([(\[]\s*\d+),(\d+\s*[)\]])")


@dataclass(frozen=True)
class Settled:
    """Tables with names as they are meant, and what a reader must know of it."""

    tables: dict[str, pl.DataFrame]
    assumptions: list[str] = field(default_factory=list)
    repairs: dict[str, int] = field(default_factory=dict)


def settle(tables: Mapping[str, pl.DataFrame], listed_queues: bool, reading: Reading) -> Settled:
    """Tables with names in one spelling where that was said; what nobody has said anything about is asked.

    `listed_queues` tells that the members come from a column of agents with a list of queues. `InvalidTable` names
    what was found, how often, and the options that settle it.
    """
    places = dict.fromkeys(place for kind in PLACES.values() for place in kind if _is_given(place, tables))
    counts = dict(zip(places, _counted(*(tables[table][column] for table, column in places)), strict=True))
    known = {kind: _Names.of(kind, counts, listed_queues) for kind in PLACES}
    questions = [] if reading.keep_names else [text for names in known.values() for text in names.look_like_several()]
    spellings = {kind: names.spellings() for kind, names in known.items()}
    told = [_spelled(kind, spelling) for kind, groups in spellings.items() for spelling in groups]
    if not (reading.same_names or reading.keep_names):
        questions += [
            f"{text}; --same-names takes each as one, --keep-names keeps them apart" for text in told
        ]  # fmt: skip
    if questions:
        raise InvalidTable(*shorten(questions))
    # Ids of agents are not written down: codes may be asked for in their place.
    told = [_spelled(kind, one) for kind, groups in spellings.items() if kind != "agents" for one in groups]
    if spellings["agents"]:
        told.append(f"agents whose ids differ from another in case or spaces only: {len(spellings['agents']):,}")
    if not reading.same_names:
        return Settled(dict(tables), [f"{text}; they were kept apart, as asked" for text in told])
    found = Settled(dict(tables), [f"{text}; they were taken as one, as asked" for text in told])
    for kind, groups in spellings.items():
        _respell(found, kind, {other: group.kept for group in groups for other in group.others})
    return found


def fold(name: str) -> str:
    """What is left of a name without case and spaces.

    Examples
    --------
    >>> fold("Technik ") == fold("TECH nik"), fold("Technik") == fold("Techniker")
    (True, False)
    """
    # Folding may take composed letters apart, so it goes on until nothing changes.
    while (folded := "".join(unicodedata.normalize("NFKC", name).casefold().split())) != name:
        name = folded
    return name


@dataclass(frozen=True)
class _Spelling:
    """Spellings of what may be one name."""

    kept: str
    others: tuple[str, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True)
class _Names:
    """Names of one kind with how many rows have each, by place."""

    kind: str
    counts: Mapping[Place, Mapping[str, int]]
    listed_queues: bool

    @classmethod
    def of(cls, kind: str, counts: Mapping[Place, Mapping[str, int]], listed_queues: bool) -> _Names:
        return cls(kind, {place: counts[place] for place in PLACES[kind] if place in counts}, listed_queues)

    @property
    def total(self) -> Counter[str]:
        """Rows with each name, over all places."""
        return sum((Counter(names) for names in self.counts.values()), Counter())

    def look_like_several(self) -> Iterator[str]:
        """Questions about cells that may hold several names, one for each place."""
        if self.kind in ("agents", "groups"):
            return
        parts = Counter(part for name in self.total for part in {fold(_stem(part)) for part in _parts(name)})
        plain = {fold(name) for name in self.total if len(_parts(name)) == 1}
        for place, names in self.counts.items():
            asked = names if self._is_asked(place) else {}
            found = {name: n for name, n in asked.items() if self._is_several(name, plain, parts)}
            if found:
                yield _several(self._called(place), found)

    def _is_asked(self, place: Place) -> bool:
        # Ids of queues are ids; only a list of them can have been split wrongly.
        return self.kind != "queues" or (place[0] == "members" and self.listed_queues)

    def _called(self, place: Place) -> Place:
        return ("agents", "queues") if self.kind == "queues" else place

    def _is_several(self, name: str, plain: set[str], parts: Mapping[str, int]) -> bool:
        own = _parts(name)
        if len(own) > 1:
            # One name all the same where two tables know it as it is, and none of its parts stands anywhere else.
            is_shared = sum(name in names for names in self.counts.values()) > 1
            return not is_shared or any(parts[fold(_stem(part))] > 1 for part in own)
        if (level := _LEVEL.fullmatch(name)) and fold(level["stem"]) in plain:
            return True
        perhaps = [part.strip() for part in _PERHAPS.split(name)]
        return len(perhaps) > 1 and all(fold(_stem(part)) in plain for part in perhaps)

    def spellings(self) -> list[_Spelling]:
        """Names that differ in case or spaces only."""
        groups: dict[str, list[str]] = defaultdict(list)
        total = self.total
        for name in total:
            groups[fold(name)].append(name)
        several = [names for names in groups.values() if len(names) > 1]
        return [spelling for names in several if (spelling := self._spelling(names, total))]

    def _spelling(self, names: list[str], total: Mapping[str, int]) -> _Spelling | None:
        """The spelling to keep: that of the table which lists them, else the most frequent."""
        listing = self.counts.get(_LISTED.get(self.kind, ("", "")), {})
        listed = [name for name in names if name in listing]
        # Ids of agents may well differ in case only; what asks is an id that nobody has.
        if self.kind == "agents" and len(listed) != 1:
            return None
        kept = min(listed if len(listed) == 1 else names, key=lambda name: (-total[name], name))
        others = tuple(sorted((name for name in names if name != kept), key=lambda name: (-total[name], name)))
        return _Spelling(kept, others, {name: total[name] for name in names})


def _is_given(place: Place, tables: Mapping[str, pl.DataFrame]) -> bool:
    table, column = place
    return table in tables and column in tables[table].columns


def _counted(*columns: pl.Series) -> Iterator[dict[str, int]]:
    """Rows with each name of each column, the most frequent first."""
    counts = [_names_in(column).lazy().group_by("name").agg(n=pl.len()) for column in columns]
    for found in pl.collect_all(counts):
        yield dict(found.drop_nulls("name").sort("n", "name", descending=[True, False]).iter_rows())


def _names_in(column: pl.Series) -> pl.DataFrame:
    if column.dtype == RATED:
        column = column.explode().struct.field("name")
    elif column.dtype == TEXTS:
        column = column.explode()
    return column.to_frame("name")


def _parts(name: str) -> list[str]:
    """What stands between separators that hardly belong to a name; a comma of a level in brackets is none."""
    return [part.strip() for part in _SURE.split(_DECIMAL.sub(r"\1.\2", name)) if part.strip()]


def _stem(name: str) -> str:
    level = _LEVEL.fullmatch(name.strip())
    return level["stem"] if level else name


def _several(place: Place, found: Mapping[str, int]) -> str:
    used = {character for name in found for character in _SURE.findall(_DECIMAL.sub("", name))}
    used |= {character for name in found if len(_parts(name)) == 1 for character in _PERHAPS.findall(name)}
    if any(name.startswith(("[", "{")) for name in found):
        remedy = "write lists as text such as billing:5;tech:3.5"
    elif place == ("interactions", "language"):
        remedy = "give one language for each row"
    elif place[0] != "agents" and not used:
        remedy = "give the name alone, a requirement has no level"
    else:
        # With the semicolon besides, cells that were split already stay split.
        written = "".join(sorted(used - {";"})) + ";"
        levels = any(_LEVEL.search(name) for name in found)
        remedy = f'--skills-separator "{written}" splits them' + (
            ", and takes a number in brackets as the level" if levels else ""
        )
    what = "1 name looks" if len(found) == 1 else f"{len(found)} names look"
    where = f"{place[0]}, column {place[1]}"
    return f"{where}: {what} like several in one: {_listed(found)}; {remedy}, --keep-names keeps them"


def _spelled(kind: str, spelling: _Spelling) -> str:
    names = {name: spelling.counts[name] for name in (spelling.kept, *spelling.others)}
    return f"{kind} whose names differ in case or spaces only: {_listed(names)}"


def _listed(names: Mapping[str, int]) -> str:
    told = [f"{shown(name)} ({n:,} row{'s' * (n > 1)})" for name, n in list(names.items())[:MOST_SHOWN]]
    return ", ".join(told) + (f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else "")


def _respell(found: Settled, kind: str, kept: Mapping[str, str]) -> None:
    """Bring names of one kind to the spellings kept; what they now repeat is refused by the table's own check."""
    if not kept:
        return
    for table, column in PLACES[kind]:
        if table not in found.tables or column not in found.tables[table].columns:
            continue
        frame = found.tables[table]
        n_changed = sum(n for name, n in next(_counted(frame[column])).items() if name in kept)
        if n_changed:
            found.tables[table] = frame.with_columns(_respelled(frame[column], kept))
            check(table, found.tables[table])
            found.repairs[f"{table}: {column}: {SAME}"] = n_changed


def _respelled(column: pl.Series, kept: Mapping[str, str]) -> pl.Expr:
    old, new = list(kept), list(kept.values())
    if column.dtype == RATED:
        entry = pl.element().struct
        named = entry.with_fields(entry.field("name").replace(old, new).alias("name"))
        return pl.col(column.name).list.eval(named)
    if column.dtype == TEXTS:
        return pl.col(column.name).list.eval(pl.element().replace(old, new)).list.unique(maintain_order=True)
    return pl.col(column.name).replace(old, new)
