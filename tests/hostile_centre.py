"""The sample centre under names that attack whoever prints them; its times and numbers are those of the sample."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import polars as pl

from tests.small_files import SAMPLE

# Names are data, whatever is in them: markup of Rich, escapes, links, writing to the clipboard, ends of lines,
# changes of direction, nothing at all to be seen, towers of marks, and letters that are wide or go the other way.
MARKUP = (
    "[/old]",
    "[de]",
    "[bold red]x[/]",
    "[link=http://e.example]y[/link]",
    "smiley :smiley:",
    "{0} %s %(x)s \\x1b",
)
UNSEEN = ("c1\x9b2Jcontrol", "delete\x7f", "right\u202eleft", "zero\u200bwidth", "line\u2028end", "fill\u3164er")
WIDE = ("to" + "\u0301" * 40 + "wer", "漢字テスト", "👩\u200d💻 IT", "שלום עולם", "e\u0301tude")
ESCAPES = (
    "\x1b[2Jclear",
    "\x1b]52;c;QQ==\x07clip",
    "\x1b]8;;http://e.example\x1b\\link",
    "car\rriage",
    "back\b\bspace",
)
BREAKS = ("tab\tulator", "new\nline", "crlf\r\nend", "long" + "g" * 900 + "end")
# Skills and languages stand in one cell and may hold no control character under 32; the import refuses them.
ONE_LINE = (*MARKUP, *UNSEEN, *WIDE)
ANY = (*ESCAPES, *BREAKS, *ONE_LINE)


class Names:
    """One hostile name for each name of a kind; the first letters stay, so that no two become one."""

    def __init__(self) -> None:
        self._given: dict[str, dict[str, str]] = {}
        self._next: dict[str, cycle[str]] = {}

    def of(self, kind: str, name: str | None) -> str | None:
        """The name that stands for one of the sample."""
        if name is None:
            return None
        some = ONE_LINE if kind in {"skill", "language"} else ANY
        # Kinds begin at different places, so that together they have all.
        first = sum(map(ord, kind)) % len(some)
        turn = self._next.setdefault(kind, cycle(some[first:] + some[:first]))
        given = self._given.setdefault(kind, {})
        if name not in given:
            given[name] = f"{name} {next(turn)}"
        return given[name]

    def all(self, kind: str) -> list[str]:
        """Those given out so far."""
        return list(self._given[kind].values())


KINDS = {
    "agent_id": "agent", "agent_name": "called", "group": "group", "queue_id": "queue", "queue_name": "line",
    "interaction_id": "interaction", "survey_id": "survey",
}  # fmt: skip


def write(folder: Path) -> tuple[dict[str, Path], Names]:
    """Parquet files of the centre, as arguments of `snapshot files`, and the names in them."""
    names, paths = Names(), {}
    for table, path in SAMPLE.items():
        rows = [_row(names, table, row) for row in pl.read_csv(path, infer_schema_length=None).to_dicts()]
        frame = pl.DataFrame(rows, infer_schema_length=None)
        paths[table] = folder / f"{table} [de] \u202e\x9b.parquet"
        frame.write_parquet(paths[table])
    return paths, names


def _row(names: Names, table: str, row: dict[str, object]) -> dict[str, object]:
    changed = row | {name: names.of(kind, row[name]) for name, kind in KINDS.items() if name in row}  # type: ignore[arg-type]
    for name, kind in (("skills", "skill"), ("languages", "language")):
        if name in row:
            cells = [part.partition(":") for part in str(row[name] or "").split(";") if part]
            changed[name] = [
                names.of(kind, skill) if table == "interactions"
                else {"name": names.of(kind, skill), "proficiency": float(level or 5)}
                for skill, _, level in cells
            ]  # fmt: skip
    if "language" in row:
        changed["language"] = names.of("language", row["language"])  # type: ignore[arg-type]
    return changed
