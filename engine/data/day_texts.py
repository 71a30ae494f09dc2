"""Days as people write them, and how they would be written here: for refusals that say the way out."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime

_PARTS = re.compile(r"\s*(\d{1,4})([./\- ])\s?(\d{1,2})\2\s?(\d{1,4})(?!\d).*", re.ASCII | re.DOTALL)
_PLAIN = re.compile(r"\d{8}", re.ASCII)


def meant(value: object) -> list[date]:
    """The days that a value may mean, the likelier first; none where it is no day in any usual form.

    Examples
    --------
    >>> [str(day) for day in meant("01.05.2026")], [str(day) for day in meant("13/5/26")]
    (['2026-05-01'], ['2026-05-13'])
    >>> [str(day) for day in meant("01/05/2026")]
    ['2026-05-01', '2026-01-05']
    """
    if isinstance(value, datetime):
        return [value.date()]
    if not isinstance(value, str) or len(value) > 40:
        return []
    if _PLAIN.fullmatch(value.strip()):
        text = value.strip()
        return _days([(text[:4], text[4:6], text[6:])])
    parts = _PARTS.fullmatch(value)
    if not parts:
        return []
    first, separator, second, third = parts.groups()
    if len(first) == 4:
        return _days([(first, second, third)])
    if len(third) not in (2, 4) or len(first) > 2:
        return []
    year = third if len(third) == 4 else f"20{third}"
    # With dots the day comes first everywhere; with slashes and dashes it depends on the country.
    orders = [(year, second, first)] if separator == "." else [(year, second, first), (year, first, second)]
    return _days(orders)


def way_out(value: object) -> str:
    """What to write instead.

    Examples
    --------
    >>> way_out("1.5.2026"), way_out("soon")
    ('write 2026-05-01', 'write an existing day as YYYY-MM-DD')
    """
    days = meant(value)
    if not days:
        return "write an existing day as YYYY-MM-DD"
    return "write " + " or ".join(str(day) if len(days) == 1 else f"{day} ({day:%d %B})" for day in days)


def _days(orders: list[tuple[str, str, str]]) -> list[date]:
    found: list[date] = []
    for year, month, day in orders:
        with suppress(ValueError):
            found.append(date(int(year), int(month), int(day)))
    return list(dict.fromkeys(found))
