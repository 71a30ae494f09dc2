"""Texts that come from data or users, made safe to be read: what a terminal would obey or not show becomes visible."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters of living languages carry four marks at most; more of them climb over the lines above.
MOST_MARKS = 4
# A name of more characters is cut where names stand side by side.
MOST_NAME_CHARS = 80
# Drawn as nothing, though no control characters: joiners, fillers, variants, the blank of Braille.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_HIDDEN_KINDS = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_BEYOND_ASCII = re.compile(r"[^\x00-\x7e]")


def visible(text: str) -> str:
    """A text whose every character is seen, and none of which a terminal, a log or a browser obeys.

    Control characters, escapes, changes of direction, line ends and what draws nothing are written as Python writes
    them; so are marks beyond the fourth on one letter. Everything else stays as it is, brackets and spaces too.

    Parameters
    ----------
    text : str
        A name, or a sentence with names in it.

    Returns
    -------
    str
        One line of printable characters.

    References
    ----------
    .. [1] Unicode Technical Report 36, "Unicode Security Considerations", section 2.10.

    Examples
    --------
    >>> visible("[de] \\x1b[2J"), visible("a\\r\\nb"), visible("\\u202eevil"), visible("Zoë 東京")
    ('[de] \\\\x1b[2J', 'a\\\\r\\\\nb', '\\\\u202eevil', 'Zoë 東京')
    """
    if text.isascii() and text.isprintable():
        return text
    found, n_marks = [], MOST_MARKS
    for character in text:
        # The first mark of a text has no letter to stand on and would sit on what is printed before it.
        n_marks = n_marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        found.append(_escape(character) if n_marks > MOST_MARKS or _is_hidden(character) else character)
    return "".join(found)


def short(text: str, most: int = MOST_NAME_CHARS) -> str:
    """A text made visible, the middle left out where it is longer than so many characters.

    Parameters
    ----------
    text : str
        A name.
    most : int
        Characters, at least 10.

    Returns
    -------
    str
        Beginning and end tell long names apart better than a beginning alone.

    Examples
    --------
    >>> short("x" * 30 + "end", 20)
    'xxxxxxxxxxxx...xxend'
    """
    seen = visible(text)
    if len(seen) <= most:
        return seen
    n_last = (most - 3) // 3
    return f"{seen[: most - 3 - n_last]}...{seen[-n_last:]}"


def safe_json(text: str, in_ascii: bool = False) -> str:
    """JSON that says the same, and holds no character that a terminal would obey or not show.

    Parameters
    ----------
    text : str
        JSON; controls under 32 are escaped in it already, as the format has it.
    in_ascii : bool
        Whether every letter beyond ASCII is escaped, for a stream that may lack it.

    Returns
    -------
    str
        The same values when read.

    Examples
    --------
    >>> safe_json('{"name": "\\u202e\\x9b2J Zoë"}')
    '{"name": "\\\\u202e\\\\u009b2J Zoë"}'
    """
    if text.isascii() and "\x7f" not in text:
        return text
    return _BEYOND_ASCII.sub(lambda found: _in_json(found[0]) if in_ascii or _is_hidden(found[0]) else found[0], text)


def _in_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


@lru_cache(4096)
def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN_KINDS or _BLANK.match(character) is not None


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
