"""The pages for people as tests read them: blocks of code with their notes, tables, headings and links.

`python -m tests.pages` writes the tables that are made from declarations anew.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from api.output import report_table, settings_table
from api.settings import Settings
from engine.reports.compare import Comparison
from engine.reports.first_look import FirstLook
from engine.reports.report import Report

ROOT = Path(__file__).parents[1]
PAGES = (*(ROOT / name for name in ("README.md", "CONTRIBUTING.md")), *sorted((ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"(?:^<!-- (?P<note>[^\n]*?) -->\n+)?^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)
SCRATCH = re.compile(r"^<!-- scratch: (.*?) -->$", re.M)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NOT_RUN = "not run: "


@dataclass(frozen=True)
class Block:
    """A fenced block, for example ```sh or ```csv agents.csv."""

    page: Path
    language: str
    file: str
    text: str
    not_run: str

    @property
    def name(self) -> str:
        first = self.text.strip().partition("\n")[0]
        return f"{self.page.name}: {first[:60]}"

    def commands(self) -> list[list[str]]:
        """Lines of a shell, split into words; quotes may span lines, comments are left out."""
        found, held = [], ""
        for line in self.text.replace("\\\n", " ").splitlines():
            held = f"{held}\n{line}" if held else line
            try:
                words = shlex.split(held, comments=True)
            except ValueError:
                continue
            held = ""
            found += [words] if words else []
        assert not held, f"{self.name}: a quotation is left open"
        return found


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[Block]:
    found = []
    for match in FENCE.finditer(text_of(page)):
        language, _, file = match["info"].partition(" ")
        note = match["note"] or ""
        reason = note.removeprefix(NOT_RUN) if note.startswith(NOT_RUN) else ""
        found.append(Block(page, language, file.strip(), match["text"], reason))
    return found


def needs(page: Path) -> list[str]:
    """Snapshots that a page finds made: `<!-- scratch: sample demo -->`."""
    found = SCRATCH.search(text_of(page))
    return found[1].split() if found else []


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return FENCE.sub("", text_of(page))


def routelab(words: list[str]) -> list[str] | None:
    """Arguments of a command of routelab; None for anything else."""
    words = words[: words.index("&")] if "&" in words else words
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if words[:1] == ["routelab"]:
        return words[1:]
    if words[:2] != ["python3", "run.py"]:
        return None
    return words[3:] if words[2:3] == ["cli"] else words[2:] if words[2:3] in (["demo"], ["serve"]) else None


def anchors(page: Path) -> set[str]:
    """Names under which headings can be linked to, as hosts of repositories make them."""
    heads = re.findall(r"^#+ (.*)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def service_settings() -> str:
    """Every setting of the service as a table."""
    rows = ["| setting | variable | default | what it is |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        variable = name.upper() if name.startswith("genesys_") else f"ROUTELAB_{name.upper()}"
        default = "none" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{name}` | `{variable}` | {default} | {field.description} |")
    return "\n".join(rows)


# Tables of the pages that are made from what they describe.
MADE: dict[str, Callable[[], str]] = {
    "settings": settings_table.table,
    "methods": settings_table.methods,
    "service": service_settings,
    "report": partial(report_table.table, Report),
    "comparison": partial(report_table.table, Comparison, Report),
    "first_look": partial(report_table.table, FirstLook, Report),
}


def made_anew(text: str) -> str:
    """The text of a page with its tables as they are to be."""
    pattern = re.compile(r"^(<!-- made: (\w+) -->)$.*?^<!-- end -->$", re.M | re.S)
    return pattern.sub(lambda found: f"{found[1]}\n{MADE[found[2]]()}\n<!-- end -->", text)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(made_anew(text_of(page)), encoding="utf-8")
