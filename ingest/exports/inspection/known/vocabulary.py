"""What a header or a cell means by its words: lists, looked up without case, accents and punctuation."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_LANGUAGES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "sv": "a Nordic language",
}  # fmt: skip
_PRODUCTS = {"nice": "NICE", "8x8": "8x8", "amazon": "Amazon Connect"}
_FORMS = frozenset(
    {
        "hh mm ss",
        "h mm ss",
        "mm ss",
        "hhmmss",
        "hh mm",
        "utc",
        "gmt",
        "local",
        "lokal",
        "mez",
        "cet",
        "text",
        "dd mm yyyy",
        "datum",
    }
)
_CAMEL = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9%Ø]+")
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d"})
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]\s*$")
# Parts of a header that are shorter than this say too little.
_LEAST_CHARS = 4
_LEAST_SHARE = 0.4
# A name that one product uses so means something else elsewhere; a weak one does everywhere.
_OF_A_PRODUCT = 0.95
_SCORES = {"weak": 0.75, "weakest": 0.5}
# Lists whose words also say something within a cell of several words.
_PHRASES = frozenset({"media", "outcome", "activity"})
_MOST_WORDS = 4
_NEGATIONS = frozenset(
    [
        "not",
        "no",
        "non",
        "nicht",
        "kein",
        "keine",
        "nie",
        "niet",
        "geen",
        "ne",
        "pas",
        "sin",
        "sem",
        "senza",
        "bez",
        "without",
        "ohne",
    ]
)


@dataclass(frozen=True)
class Guess:
    """What a header may mean."""

    score: float  # 1 where the whole header is known
    why: str


@dataclass(frozen=True)
class Header:
    """A header in words."""

    words: str  # Folded, with blanks between
    unit: str | None  # That it names


def fold(text: str) -> str:
    """Words of a text in lower case without accents: `waitTime`, `Wait_Time` and `Wait time` are one."""
    split = _CAMEL.sub(" ", text)
    bare = "".join(
        each for each in unicodedata.normalize("NFKD", split.casefold()) if not unicodedata.combining(each)
    ).translate(_LETTERS)
    kept = _OTHER.sub(" ", bare).strip()
    return kept or " ".join(bare.split())


def header_of(name: str) -> Header:
    """Words and unit of a header: `Wait (sec)` is wait, in seconds."""
    bare, unit = name.strip(), None
    while (found := _BRACKETS.search(bare)) and found.start() > 0:
        inner = fold(found.group(1))
        if said := cells_of("unit").get(inner):
            unit = said
        elif inner not in _FORMS and not inner.isdigit():
            break
        bare = bare[: found.start()].strip()
    words = fold(bare).split()
    for length in (2, 1):
        tail = " ".join(words[-length:])
        said = cells_of("unit").get(tail)
        if len(words) > length and said and unit is None and (length == 1 or tail.startswith("in ")):
            words, unit = words[:-length], said
    return Header(" ".join(words), unit)


def meanings_of(name: str) -> dict[str, Guess]:
    """What a header may mean, with how sure its words are of it."""
    header = header_of(name)
    compact = header.words.replace(" ", "")
    if not compact:
        return {}
    found = dict(_exact().get(compact, {}))
    if whole := _exact().get(fold(name).replace(" ", "")):
        found |= whole
    for meaning, (part, share) in _parts(header.words).items():
        if meaning not in found:
            found[meaning] = Guess(0.85 * share, f"its name has {part!r} in it")
    return found


@cache
def cells_of(kind: str) -> Mapping[str, str]:
    """Our value by folded cell, of one kind: media, outcome, flag, evaluation_method, direction or activity."""
    lists = read("cells.toml")[kind]
    return {fold(cell): ours for ours, cells in lists.items() for cell in cells}


def meant(kind: str, cell: str) -> str | None:
    """Our value that a cell of this kind says; None for an unknown one."""
    known = cells_of(kind)
    folded = fold(cell)
    return (
        known.get(folded) or known.get(folded.replace(" ", "")) or (_within(kind, folded) if kind in _PHRASES else None)
    )


def read(file: str) -> dict[str, dict[str, Any]]:
    """One of the lists of this room."""
    return tomllib.loads(files(__package__).joinpath(file).read_text(encoding="utf-8"))


@cache
def _within(kind: str, folded: str) -> str | None:
    """What the longest known word in a cell says, `caller hung up`; nothing where a word before it says no."""
    known = cells_of(kind)
    words = folded.split()
    for length in range(min(len(words), _MOST_WORDS), 0, -1):
        for start in range(len(words) - length + 1):
            part = " ".join(words[start : start + length])
            if (
                part in known
                and len(part) >= _LEAST_CHARS
                and not _NEGATIONS & set(words[:start] + words[start + length :])
            ):
                return known[part]
    return None


@cache
def _exact() -> Mapping[str, Mapping[str, Guess]]:
    """Meanings by header without blanks."""
    found: dict[str, dict[str, Guess]] = {}
    for meaning, lists in read("columns.toml").items():
        for group, names in lists.items():
            for name in names:
                score = _SCORES.get(group, 1.0 if group in _LANGUAGES else _OF_A_PRODUCT)
                found.setdefault(fold(name).replace(" ", ""), {}).setdefault(meaning, Guess(score, _by_name(group)))
    return found


def _by_name(group: str) -> str:
    if group in _SCORES:
        return "its name may say so"
    if group in _LANGUAGES:
        return f"by name ({_LANGUAGES[group]})"
    return f"by name ({_PRODUCTS.get(group, group.capitalize())})"


@cache
def _sorted() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Known headers that are long enough to be part of another, the longest first, with their meanings."""
    known = ((name, tuple(meanings)) for name, meanings in _exact().items() if len(name) >= _LEAST_CHARS)
    return tuple(sorted(known, key=lambda each: -len(each[0])))


@cache
def _parts(words: str) -> Mapping[str, tuple[str, float]]:
    """Known headers within another one: the longest by meaning, with the share of the letters that it is."""
    compact = words.replace(" ", "")
    starts = {0}
    for word in words.split(" "):
        starts.add(max(starts) + len(word))
    found: dict[str, tuple[str, float]] = {}
    for name, meanings in _sorted():
        place = compact.find(name)
        if place < 0 or len(name) == len(compact):
            continue
        # Within words only what is long, as in compounds: `Anrufwartezeit`.
        is_whole = place in starts and place + len(name) in starts
        share = len(name) / len(compact)
        if (is_whole or len(name) >= 7) and share >= _LEAST_SHARE:
            for meaning in meanings:
                if meaning not in found:
                    found[meaning] = (name, share)
    return found
