"""Which files a part of a profile means: names, or patterns that next month's files fit too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import PurePath

from ingest.exports.profile.profile import Part
from ingest.sheets.sheet import Sheet

_MONTHS = (
    # English, German, French, Spanish, Italian, Dutch, Polish, Portuguese; in full and short
    "jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|f[ée]v(?:rier)?|m(?:arch|ärz|aerz|ars?|rz|är)|apr(?:il|ile)?|avr(?:il)?|may|mai"
    "|june?|juni|juin|july?|juli|juillet|aug(?:ust)?|ao[uû]t|sep(?:t|tember|tembre)?|oct(?:ober|obre)?|okt(?:ober)?"
    "|nov(?:ember|embre)?|de[cz](?:ember)?|d[ée]c(?:embre)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto"
    "|sept?iembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre"
    "|januari|februari|maart|mei|augustus|stycze[nń]|luty|marzec|kwiecie[nń]|maj|czerwiec|lipiec|sierpie[nń]|wrzesie[nń]"
    "|pa[zź]dziernik|listopad|grudzie[nń]|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro"
)
# What changes from month to month in the name of a file: dates, months, quarters, weeks, copies of a download.
_CHANGES = re.compile(
    rf"(?<![a-zà-ż])(?:{_MONTHS})(?![a-zà-ż])|(?<![a-z])(?:kw|cw|wk|week|q|t)[ _.-]?\d{{1,2}}(?!\d)|\d{{2,}}|\(\d+\)"
    r"|(?<=\d)[tz](?=\d|\b)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\*(?:[\s_.,:-]*\*)+")


def pattern_of(name: str) -> str:
    """A pattern that the file of the next month fits too: what is a date in its name is left open.

    Examples
    --------
    >>> pattern_of("export_2026-03.csv"), pattern_of("Anrufe März 2026 (2).xlsx#Tabelle1"), pattern_of("agents.xlsx")
    ('export_*.csv', 'Anrufe *.xlsx#Tabelle1', 'agents.xlsx')
    """
    file, mark, sheet = name.partition("#")
    path = PurePath(file)
    suffixes = "".join(path.suffixes) if _is_suffix(path.suffixes) else path.suffix
    stem = path.name[: len(path.name) - len(suffixes)]
    return _opened(stem) + suffixes + mark + (_opened(sheet) if mark else "")


def fits(pattern: str, sheet: Sheet) -> bool:
    """Whether a name or pattern of a profile means a sheet."""
    file, mark, wanted = pattern.partition("#")
    name, _, title = sheet.name.partition("#")
    names = {PurePath(path).name for path in sheet.paths} or {PurePath(name).name}
    is_file = _like(file, PurePath(name).name) or all(_like(file, each) for each in names)
    return is_file and (not mark or not title or _like(wanted, title))


def taken(part: Part, sheets: Sequence[Sheet]) -> list[Sheet]:
    """The sheets that a part of a profile means; of files read as one it may name each."""
    return [sheet for sheet in sheets if any(fits(pattern, sheet) for pattern in part.files) or _each(part, sheet)]


def _each(part: Part, sheet: Sheet) -> bool:
    names = {PurePath(path).name for path in sheet.paths}
    return len(names) > 1 and all(any(_like(pattern, name) for pattern in part.files) for name in names)


def _is_suffix(suffixes: list[str]) -> bool:
    """Whether two suffixes are one: `.csv.gz`."""
    return (
        len(suffixes) == 2
        and suffixes[1].lower() in {".gz", ".bz2", ".xz", ".zst", ".zip"}
        and suffixes[0][1:].isalpha()
    )


def _opened(stem: str) -> str:
    opened = _BETWEEN.sub("*", _CHANGES.sub("*", stem.replace("*", "\0").replace("[", "?").replace("]", "?")))
    opened = opened.replace("\0", "*")
    # Of a name that is all date the shape is left: `2026-03` is `????-??`.
    return opened if re.search(r"[^\W\d_]", opened) else re.sub(r"\d", "?", stem)


@cache
def _folded(text: str) -> str:
    return text.casefold()


def _like(pattern: str, name: str) -> bool:
    return fnmatchcase(_folded(name), _folded(pattern)) or _folded(name) == _folded(pattern)
