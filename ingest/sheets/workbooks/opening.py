"""Workbooks opened: which sheets they have, and the cells of each as they are kept."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from engine.stopping import LOOK_S, check
from engine.texts import short
from ingest.sheets.content import Content
from ingest.sheets.workbooks.checking import check_workbook, is_excel
from ingest.workers.memory import PANIC

Rows = list[list[Any]]


@dataclass(frozen=True)
class Tab:
    """One sheet of a workbook."""

    name: str
    is_table: bool  # And no chart or macro
    is_shown: bool


class Book(Protocol):
    """An open workbook."""

    tabs: list[Tab]

    def rows(self, name: str) -> Rows:
        """All cells of a sheet from A1 on, empty ones as empty texts."""
        ...


@contextmanager
def opened_book(content: Content) -> Iterator[Book]:
    """A workbook, or the reason why it cannot be read."""
    check_workbook(content)
    if not is_excel(content):
        yield _Apart(content)
        return
    from python_calamine import CalamineWorkbook

    with _readable(content):
        if _is_named_so(content, ".xlsx", ".xlsm", ".xlsb"):
            book = CalamineWorkbook.from_path(content.path)
        else:
            book = CalamineWorkbook.from_filelike(content.raw())
    with book:
        yield _Here(content, book)


def _is_named_so(content: Content, *endings: str) -> bool:
    """Whether the library, which goes by the ending of a file on disk, takes it for what it is."""
    return not content.packed and content.path.suffix.lower() in endings


class _Here:
    """Read in this process."""

    def __init__(self, content: Content, book: Any) -> None:
        from python_calamine import SheetTypeEnum, SheetVisibleEnum

        self._content, self._book = content, book
        self.tabs = [
            Tab(each.name, each.typ == SheetTypeEnum.WorkSheet, each.visible == SheetVisibleEnum.Visible)
            for each in book.sheets_metadata
        ]

    def rows(self, name: str) -> Rows:
        """All cells of a sheet."""
        with _readable(self._content):
            rows: Rows = self._book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        return rows


# What such a workbook may take, and how long: 60 s and a second for each 100 kB. [byte], [s]
_MOST_BYTES, _MOST_S, _BYTES_PER_S = 6 << 30, 60, 100_000
_CHILD = """
import io, pickle, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), resource.getrlimit(resource.RLIMIT_AS)[1]))
except (ImportError, ValueError, OSError):
    pass
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum
try:
    book = CalamineWorkbook.from_object(sys.argv[2] if sys.argv[2:] else io.BytesIO(sys.stdin.buffer.read()))
    tabs = [
        (each.name, each.typ == SheetTypeEnum.WorkSheet, each.visible == SheetVisibleEnum.Visible)
        for each in book.sheets_metadata
    ]
    rows = {tab[0]: book.get_sheet_by_name(tab[0]).to_python(skip_empty_area=False) for tab in tabs if tab[1]}
    found = tabs, rows, ""
except CalamineError as error:
    found = [], {}, f"{type(error).__name__}: {error}"
sys.stdout.buffer.write(pickle.dumps(found, -1))
"""


class _Apart:
    """An old workbook or one of LibreOffice, read in a process of its own.

    What is damaged in one can end the process that reads it, or keep it for ever.
    """

    def __init__(self, content: Content) -> None:
        is_named = _is_named_so(content, ".ods" if content.data[:2] == b"PK" else ".xls")
        path = [str(content.path.absolute())] if is_named else []
        command = [sys.executable, "-I", "-c", _CHILD, str(_MOST_BYTES), *path]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as child:
            try:
                answer = _answer(child, b"" if path else bytes(content.data), len(content.data))
            finally:
                child.kill()
        if child.returncode or not answer:
            raise content.refused(_DAMAGED.format("its parts do not fit together"))
        tabs, self._rows, error = pickle.loads(answer)
        if error:
            raise _reason(content, error)
        self.tabs = [Tab(*each) for each in tabs]

    def rows(self, name: str) -> Rows:
        """All cells of a sheet."""
        rows: Rows = self._rows[name]
        return rows


def _answer(child: subprocess.Popen[bytes], given: bytes | None, size: int) -> bytes:
    """What the process says in the end, with a `check` in between."""
    for _ in range(round((_MOST_S + size / _BYTES_PER_S) / LOOK_S)):
        check()
        try:
            return child.communicate(given, LOOK_S)[0]
        except subprocess.TimeoutExpired:
            given = None
    return b""


_DAMAGED = "cannot be read as a workbook ({}); it is damaged or cut short: save or copy it again"


@contextmanager
def _readable(content: Content) -> Iterator[None]:
    from python_calamine import CalamineError

    try:
        yield
    except (CalamineError, OSError) as error:
        raise _reason(content, f"{type(error).__name__}: {error}") from error
    except BaseException as error:
        # The library's own for what nobody foresaw is no Exception.
        if type(error).__name__ != PANIC:
            raise
        raise content.refused(_DAMAGED.format(short(str(error)))) from error


def _reason(content: Content, error: str) -> Exception:
    kind, _, text = error.partition(": ")
    if kind == "PasswordError":
        return content.refused("the workbook is protected by a password; save it without one")
    if "Cell limit" in text:
        return content.refused(
            "a sheet reaches far beyond its table, to more cells than can be read; delete what stands there, and save "
            "it again"
        )
    return content.refused(_DAMAGED.format(short(text)))
