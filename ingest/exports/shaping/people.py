"""Who is meant: agents by id, name or e-mail, however a file writes them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import polars as pl

# How alike names must be to be asked about, 1 for equal.
NEAR = 0.84
MOST_NEAR = 3
_TITLES = frozenset((
    "dr", "prof", "herr", "frau", "mr", "mrs", "ms", "miss", "mx", "ing", "dipl", "mag", "med", "phd",
    "mba", "bsc", "msc", "mme", "mlle", "sr", "sra", "srta", "dott", "sig",
))  # fmt: skip
# Letters that fall apart into no letter and a mark.
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "þ": "th", "ð": "d", "ı": "i"})
# `ue` is written for `ü`, and where it is not, both sides lose the same letter.
_TWO_FOR_ONE = re.compile(r"([aou])e")
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_WORD = re.compile(r"[^\W_]+")
_WHOLE = re.compile(r"(\d+)\.0+")
_LEADING = re.compile(r"(\d+)\s*[-–:/|]\s*(\D.*)", re.DOTALL)


@dataclass(frozen=True)
class Matched:
    """Which agents the names of a file are."""

    ids: Mapping[str, str]  # Id of the agent by name as the file writes it
    # Names that nobody has, with the ids of agents whose names are much like them, the likeliest first
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    several: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # Names that fit more than one agent
    unknown: tuple[str, ...] = ()  # Names that are nobody's
    by_initial: int = 0  # How many of `ids` were told by surname and initial


def match(names: Iterable[str], agents: pl.DataFrame, people: Mapping[str, str] | None = None) -> Matched:
    """Find the agents that names, ids or addresses of another file mean.

    Case, accents, titles, blanks and the order of first name and surname do not count, `Müller` is `Mueller` is
    `Muller`, `1001.0` and `01001` are 1001, and `peter.lang@example.org` is Peter Lang.

    `agents` has `agent_id`, and `agent_name` and `email` where they are known; `people` has the ids of names that
    somebody settled, which come first. Every name is in one of the four answers.

    Examples
    --------
    >>> agents = pl.DataFrame({"agent_id": ["1001", "1002"], "agent_name": ["Lang, Peter", "Groß, Anna"]})
    >>> match(["Dr. Peter Lang", "01002", "anna.gross@example.org", "Peter Lamg", "Ute Abel"], agents).ids
    {'Dr. Peter Lang': '1001', '01002': '1002', 'anna.gross@example.org': '1002'}
    >>> match(["Peter Lamg"], agents).near
    {'Peter Lamg': ('1001',)}
    """
    book = _Book.of(agents)
    found = _Found({_plain(name): agent for name, agent in (people or {}).items()})
    for name in dict.fromkeys(names):
        found.add(name, book)
    by_initial = found.by_initials(book)
    found.ask(book)
    return Matched(found.ids, found.near, found.several, tuple(found.unknown), by_initial)


def words(name: str) -> tuple[str, ...]:
    """The words of a name, first name first, without case, accents, titles and what stands in brackets.

    Examples
    --------
    >>> words("Müller-Lüdenscheidt, Dr. Zoë (Team 2)"), words("zoe.mueller-luedenscheidt@example.org")
    (('zo', 'muller', 'ludenscheidt'), ('zo', 'muller', 'ludenscheidt'))
    """
    name = _BRACKETS.sub(" ", name.split("@", maxsplit=1)[0] if "@" in name else name)
    family, comma, first = name.partition(",")
    ordered = f"{first} {family}" if comma else name
    found = [_letters(word) for word in _WORD.findall(ordered)]
    kept = [word for word in found if word not in _TITLES and not word.isdigit()]
    return tuple(kept)


def _letters(word: str) -> str:
    apart = unicodedata.normalize("NFKD", word.casefold().translate(_LETTERS))
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return _TWO_FOR_ONE.sub(r"\1", plain)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _number(name: str) -> str:
    """An id without what spreadsheets add to numbers or take from them."""
    name = _plain(name)
    name = whole[1] if (whole := _WHOLE.fullmatch(name)) else name
    return name.lstrip("0") or name if name.isdigit() else name


def _in_any_order(name: str) -> str:
    return " ".join(sorted(words(name)))


def _initial(name: str) -> str:
    """Initial of the first name, and surname; nothing for a name of one word that is no address."""
    parts = words(name)
    return f"{parts[0][0]} {parts[-1]}" if len(parts) > 1 else ""


def _is_initialled(name: str) -> bool:
    parts = words(name)
    return len(parts) > 1 and len(parts[0]) == 1


# From the strictest to the loosest; the first that knows a name decides.
_KEYS: tuple[Callable[[str], str], ...] = (_plain, _number, lambda name: " ".join(words(name)), _in_any_order)


@dataclass(frozen=True)
class _Book:
    """Agents by everything that names them."""

    by_key: Sequence[Mapping[str, Sequence[str]]]  # One for each of `_KEYS`
    by_initial: Mapping[str, Sequence[str]]
    spoken: Mapping[str, Sequence[str]]  # Ids by words in any order, for names that are only alike

    @classmethod
    def of(cls, agents: pl.DataFrame) -> _Book:
        columns = [name for name in ("agent_id", "agent_name", "email") if name in agents.columns]
        by_key: list[dict[str, list[str]]] = [defaultdict(list) for _ in _KEYS]
        by_initial: dict[str, list[str]] = defaultdict(list)
        for row in agents.select(columns).drop_nulls("agent_id").iter_rows():
            for name in filter(None, row):
                for key, book in zip(_KEYS, by_key, strict=True):
                    _note(book, key(str(name)), row[0])
                _note(by_initial, _initial(str(name)), row[0])
        return cls(by_key, by_initial, by_key[-1])

    def of_name(self, name: str) -> Sequence[str]:
        """Agents of the strictest key that knows the name; nobody where none does."""
        for spelling in _spellings(name):
            for key, book in zip(_KEYS, self.by_key, strict=True):
                if found := book.get(key(spelling) or "\0"):
                    return found
        return ()


def _spellings(name: str) -> list[str]:
    """The name, and what it holds besides: an id in brackets, an id before a dash."""
    found = [name, *_BRACKETS.findall(name)]
    if leading := _LEADING.fullmatch(name.strip()):
        found += [leading[1], leading[2]]
    return found


def _note(book: dict[str, list[str]], key: str, agent: str) -> None:
    if key and agent not in book[key]:
        book[key].append(agent)


@dataclass
class _Found:
    """What is known of the names so far."""

    settled: Mapping[str, str]
    ids: dict[str, str] = field(default_factory=dict)
    near: dict[str, tuple[str, ...]] = field(default_factory=dict)
    several: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def add(self, name: str, book: _Book) -> None:
        """Note whom a name means, if its keys tell."""
        if (agent := self.settled.get(_plain(name))) is not None:
            self.ids[name] = agent
            return
        agents = book.of_name(name)
        if len(agents) == 1:
            self.ids[name] = agents[0]
        elif agents:
            self.several[name] = tuple(agents)
        else:
            self.unknown.append(name)

    def by_initials(self, book: _Book) -> int:
        """Take `P. Lang` for the one agent of that initial and surname whom no other name means."""
        taken = set(self.ids.values())
        meant = {name: book.by_initial.get(_initial(name), ()) for name in self.unknown if _is_initialled(name)}
        found = {
            name: agents[0] for name, agents in meant.items() if len(agents) == 1 and agents[0] not in taken
        }  # fmt: skip
        self.ids |= found
        self.several |= {name: tuple(agents) for name, agents in meant.items() if len(agents) > 1}
        self.unknown = [name for name in self.unknown if name not in found and name not in self.several]
        return len(found)

    def ask(self, book: _Book) -> None:
        """Set aside names that are much like those of agents."""
        known = list(book.spoken)
        for name in self.unknown:
            if agents := _alike(name, book, known):
                self.near[name] = agents
        self.unknown = [name for name in self.unknown if name not in self.near]


def _alike(name: str, book: _Book, known: Sequence[str]) -> tuple[str, ...]:
    """Agents with all words of the name and more, or fewer; else those with much the same letters."""
    if not (own := set(words(name))):
        return ()
    held = [other for other in known if len(own & set(other.split())) > 1 and _one_holds(own, set(other.split()))]
    close = held or get_close_matches(_in_any_order(name), known, n=MOST_NEAR, cutoff=NEAR)
    found = dict.fromkeys(agent for other in close for agent in book.spoken[other])
    return tuple(found)[:MOST_NEAR]


def _one_holds(these: set[str], those: set[str]) -> bool:
    return these <= those or those <= these
