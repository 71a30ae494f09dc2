"""The one place that lays out what people read: lines and tables in which every text is data.

Texts are made visible, cut where they stand in cells, and never read as markup; a style is an argument. Rich is used
here and nowhere else, so nobody can print a name in another way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NewType

from api.printing import encodable
from engine.texts import short, visible
from engine.typing import Progress as Watch

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

# As wide where no terminal says its width.
PIPED_COLUMNS = 120
# Nothing, then the least to the most; the second for terminals without such letters.
_BLOCKS, _PLAIN_BLOCKS = "·▁▂▃▄▅▆▇█", " .:-=+*%@"
# A cell is a name or a reason, no page.
MOST_CELL_CHARS = 200
# Made here alone, so that what is printed has been made visible.
Line = NewType("Line", object)
Grid = NewType("Grid", object)


class Page:
    """Standard output for people; as wide as the terminal, or 120 columns when piped."""

    def __init__(self, piped_columns: int | None = None) -> None:
        from rich.console import Console

        width = None if sys.stdout.isatty() else piped_columns or PIPED_COLUMNS
        self._console = Console(width=width, highlight=False, markup=False, emoji=False)

    @property
    def columns(self) -> int:
        """Characters of a line."""
        return self._console.width

    def print(self, what: str | Line | Grid = "", style: str = "") -> None:
        """Print a text as one line, or a table."""
        self._console.print(styled(style, what) if isinstance(what, str) else what)


def styled(style: str, text: str, rest: str = "") -> Line:
    """A text in a style, and what follows it plain."""
    from rich.text import Text

    return Line(Text.assemble((_seen(text), style), _seen(rest)))


def blocks(values: Sequence[float | None], most: float) -> str:
    """A chart of one line: a block for each value, as high as its share of the most; a dot where there is none.

    Examples
    --------
    >>> blocks([0.0, 1.0, None, 8.0], 8.0)
    '▁▂·█'
    """
    none, *steps = list(_BLOCKS if encodable(_BLOCKS, sys.stdout) == _BLOCKS else _PLAIN_BLOCKS)
    share = (len(steps) - 1) / most if most > 0 else 0.0
    return "".join(none if value is None else steps[round(value * share)] for value in values)


def note(warning: str) -> Line:
    """A line that a reader must know."""
    return styled("yellow", "note", f" {warning}")


def facts(title: str, rows: Sequence[tuple[str, str]]) -> Grid:
    """Two columns: what, and its value."""
    table = _table(title, show_header=False, box=None)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for what, value in rows:
        table.add_row(_text(what), _text(value))
    return Grid(table)


def grid(
    title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str | Line]], *, framed: bool = True,
    rigid: bool = False,
) -> Grid:  # fmt: skip
    """A table with headings; the second word of each column is its side.

    Of a rigid one the words of headings stand above one another and numbers stay whole, so only names are folded.
    """
    from rich.box import HEAVY_HEAD

    table = _table(title, box=HEAVY_HEAD if framed else None)
    for heading, side in columns:
        is_right = side == "right"
        table.add_column(
            _stacked(heading) if rigid else _cell(heading), justify="right" if is_right else "left", overflow="fold",
            no_wrap=rigid and is_right,
        )  # fmt: skip
    for row in rows:
        # A row without cells divides what is above it from what is below.
        if row:
            table.add_row(*(_cell(each) if isinstance(each, str) else each for each in row))  # type: ignore[arg-type]
        else:
            table.add_section()
    return Grid(table)


def _table(title: str, **more: object) -> Table:
    from rich.table import Table

    return Table(title=_text(title) if title else None, title_justify="left", pad_edge=False, **more)  # type: ignore[arg-type]


def _text(text: str) -> Text:
    from rich.text import Text

    return Text(_seen(text))


def _cell(text: str) -> Text:
    from rich.text import Text

    return Text(encodable(short(text, MOST_CELL_CHARS), sys.stdout))


def _stacked(heading: str) -> Text:
    from rich.text import Text

    return Text("\n").join(_cell(word) for word in heading.split(" "))


def _seen(text: str) -> str:
    return encodable(visible(text), sys.stdout)


@contextmanager
def progress(wanted: bool = True) -> Iterator[Watch | None]:
    """A bar on standard error while the block runs; None where a machine reads or that is no terminal."""
    if not (wanted and sys.stderr.isatty()):
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_errors(), transient=True) as bar:
        tasks: dict[str, object] = {}

        def report(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bar.add_task(encodable(short(label), sys.stderr), total=total)
            bar.update(tasks[label], completed=done, total=total)  # type: ignore[arg-type]

        yield report


@contextmanager
def doing(what: str) -> Iterator[Callable[[str], object]]:
    """A line on a terminal that says what is being done while the block runs; call what is given to change it."""
    with _errors().status(_text(what)) as status:
        yield lambda more: status.update(_text(more))


def _errors() -> Console:
    from rich.console import Console

    return Console(stderr=True, markup=False, emoji=False, highlight=False)
