"""The table of settings for the pages, made from the declaration: `python -m api.output.settings_table`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.methods import METHODS
from engine.setting import Setting, default_text
from engine.spec import settings

_HEAD = ("| setting | command line | HTTP | allowed | default | what it does |", "|---|---|---|---|---|---|")


def table() -> str:
    """Every setting with its names, range, default and sentence, as a Markdown table.

    Examples
    --------
    >>> next(row for row in table().splitlines() if row.startswith("| lead_s"))[:70]
    '| lead_s | `--lead` | `assumptions.lead_s` | seconds from 0 to 1,000,0'
    """
    return "\n".join([*_HEAD, *map(_row, settings())])


def methods() -> str:
    """Every routing method with its sentence, as a Markdown table."""
    rows = (f"| `{name}` | {method.about} |" for name, method in METHODS.items())
    return "\n".join(["| method | who is asked |", "|---|---|", *rows])


def _row(one: Setting) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in _cells(one))} |"


def _cells(one: Setting) -> Iterator[str]:
    yield one.name
    yield f"`--switch {one.name}=`" if one.path[0] == "switches" else f"`--{one.option}`"
    yield f"`{'.'.join([*one.path[:-1], one.http])}`"
    yield one.allowed()
    yield ", ".join(f"{term:g}" for term in one.default.terms) if one.kind == "terms" else default_text(one)
    yield one.sentence


if __name__ == "__main__":
    print(f"{table()}\n\n{methods()}")  # noqa: T201
