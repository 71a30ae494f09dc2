"""Files that go wrong in the ways files do, each beside good ones of the same small centre."""

from __future__ import annotations

import gzip
import random
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from tests.exported_centre import Centre, make_centre
from tests.exported_files import Style, write
from tests.workbooks import Formula, Grid, write_workbook

STYLE = Style("de", 3, shuffled=False, extra=False, plan="grid", encoding="utf-8")
ZONE = ("--time-zone", STYLE.zone)


def centre() -> Centre:
    """Two days of five agents and one queue; no day above 12, so that dates of numbers alone stay open."""
    return make_centre(5, days=2, n_agents=5, n_queues=1, first_day=date(2026, 4, 6))


def good(folder: Path, **changes: Any) -> dict[str, Path]:
    """The centre's files by table; changes are of the style."""
    return write(centre(), replace(STYLE, **changes), folder).tables


def _log(folder: Path, change: Callable[[str], str], **style: Any) -> list[Path]:
    files = good(folder, **style)
    path = files["interactions"]
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    return list(files.values())


def _bytes(folder: Path, data: bytes, name: str = "export.csv") -> list[Path]:
    files = good(folder)
    (folder / name).write_bytes(data)
    return [folder / name, files["agents"], files["queues"], files["staffing"]]


def _lines(change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    return lambda text: "".join(change(text.splitlines(keepends=True)))


def _cells(name: str, change: Callable[[int, str], str]) -> Callable[[str], str]:
    """Each cell of one column, with the number of its row."""

    def changed(lines: list[str]) -> list[str]:
        place = lines[0].strip().split(";").index(name)
        rows = [line.rstrip("\r\n").split(";") for line in lines[1:]]
        return [
            lines[0],
            *(
                ";".join([*row[:place], change(i, row[place]), *row[place + 1 :]]) + "\r\n"
                for i, row in enumerate(rows)
            ),
        ]

    return _lines(changed)


def _american(i: int, cell: str) -> str:
    clock = cell.split(" ")[1]
    return f"04/{13 + i % 10}/2026 {clock}" if i % 2 else f"{13 + i % 10}/04/2026 {clock}"


def _twice(folder: Path) -> list[Path]:
    files = good(folder)
    (folder / "log").mkdir()
    for name in ("march.csv", "march (1).csv"):
        (folder / "log" / name).write_bytes(files["interactions"].read_bytes())
    return [folder / "log", *list(files.values())[1:]]


def _agents(folder: Path, change: Callable[[list[str]], list[str]]) -> list[Path]:
    files = good(folder)
    files["agents"].write_text(_lines(change)(files["agents"].read_text()))
    return list(files.values())


def _workbook(folder: Path, **sheets: Any) -> list[Path]:
    files = good(folder)
    write_workbook(folder / "export.xlsx", sheets)
    return [folder / "export.xlsx", files["agents"], files["queues"], files["staffing"]]


def _plan_of_other_weeks(folder: Path) -> list[Path]:
    files = good(folder)
    files["staffing"].write_text(files["staffing"].read_text().replace(".04.2026", ".09.2025"))
    return list(files.values())


def _encrypted() -> bytes:
    """What Excel writes with a password: an old container with the packed workbook in it."""
    head = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(16) + bytes.fromhex("3E000300FEFF0900") + bytes(4096)
    return head + "EncryptedPackage".encode("utf-16-le") + bytes(4096)


def _zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "nothing to see")
    return path


# Each with what its answer says.
BAD: dict[str, tuple[Callable[[Path], list[Any]], str]] = {
    "empty": (
        lambda f: _bytes(f, b""),
        "the file is empty",
    ),
    "blank lines": (
        lambda f: _bytes(f, b"\n\n\n"),
        "the file has no lines",
    ),
    "header only": (
        lambda f: _log(f, _lines(lambda lines: lines[:1])),
        "there is a header but no row",
    ),
    "binary": (
        lambda f: _bytes(f, random.Random(1).randbytes(5000)),
        "it holds bytes that no text has",
    ),
    "pdf": (
        lambda f: _bytes(f, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\nendobj\n" + random.Random(2).randbytes(2000)),
        "is a PDF document",
    ),
    "password": (
        lambda f: _bytes(f, _encrypted(), "export.xlsx"),
        "is protected by a password",
    ),
    "zip as xlsx": (
        lambda f: [_zip(f / "x.xlsx"), *list(good(f).values())[1:]],
        "is a zip archive and no workbook",
    ),
    "truncated xlsx": (
        lambda f: _bytes(f, _workbook(f, A=[["a", "b"], [1, 2]])[0].read_bytes()[:600], "cut.xlsx"),
        "is damaged or cut short",
    ),
    "truncated gz": (
        lambda f: _bytes(f, gzip.compress(random.Random(3).randbytes(999).hex().encode())[:400], "export.csv.gz"),
        "is damaged or cut short",
    ),
    "html": (
        lambda f: _bytes(f, b"<!DOCTYPE html>\n<html><head><title>Login</title></head></html>\n"),
        "is a web page, no table",
    ),
    "nul bytes": (
        lambda f: _bytes(f, b"Datum;Agent\n\0\0\0;\0\n" * 20),
        "row 2: a NUL byte",
    ),
    "mixed dates": (
        lambda f: _log(f, _cells("Eingang", _american)),
        "Eingang",
    ),
    "impossible dates": (
        lambda f: _log(f, _cells("Eingang", lambda i, cell: "31.02.2026 10:00:00" if i == 7 else cell)),
        "row 9, column \"Eingang\": '31.02.2026 10:00:00': must be a time",
    ),
    "unknown outcomes": (
        lambda f: _log(f, _cells("Anrufstatus", lambda i, cell: "Zirkus" if i % 5 == 2 else cell)),
        "what does 'Zirkus' in Anrufstatus mean",
    ),
    "nobody": (
        lambda f: _agents(f, lambda lines: [lines[0], *(f"9{i};Fremd, Ferdinand {i};;;\r\n" for i in range(5))]),
        "none of its 5 names",
    ),
    "other weeks": (
        _plan_of_other_weeks,
        "2025-09",
    ),
    "same month twice": (
        _twice,
        "holds the same rows as",
    ),
    "another kind": (
        lambda f: _bytes(f, b"Rechnung;Betrag;MwSt\n2026-001;119,00;19,00\n2026-002;59,50;9,50\n"),
        "export.csv",
    ),
    "no interactions": (
        lambda f: list(good(f).values())[1:],
        "no file of interactions",
    ),
    "only agents": (
        lambda f: [good(f)["agents"]],
        "no file of interactions",
    ),
    "huge header": (
        lambda f: _bytes(f, "".join(f"{i};" for i in range(20000)).encode() + b"\n" + b"1;" * 20000),
        "20,001 columns",
    ),
    "long header": (
        lambda f: _bytes(f, b"x" * 2_000_000 + b";Agent\n1;2\n"),
        "is this a table?",
    ),
    "negative durations": (
        lambda f: _log(f, _cells("Wartezeit", lambda i, cell: "-00:00:05" if i % 3 == 0 else cell)),
        "'-00:00:05': must be a duration",
    ),
    "impossible durations": (
        lambda f: _log(f, _cells("Wartezeit", lambda i, cell: "00:99:99" if i % 3 == 0 else cell)),
        "'00:99:99': must be a duration",
    ),
    "durations as words": (
        lambda f: _log(f, _cells("Wartezeit", lambda i, cell: "lange")),
        "'lange'",
    ),
    "ragged": (
        lambda f: _log(f, _lines(lambda lines: [*lines[:5], "a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p\n", *lines[5:]])),
        "row 6",
    ),
    "open quote": (
        lambda f: _log(f, _lines(lambda lines: [*lines[:5], '"' + lines[5], *lines[6:]])),
        "row 6: a double quote is opened and never closed",
    ),
    "formulas without values": (
        lambda f: _workbook(f, A=[["Datum", "Agent"], *([Formula(f"B{i}+1"), Formula("C1")] for i in range(2, 9))]),
        "never calculated",
    ),
    "empty workbook": (
        lambda f: _workbook(f, A=[]),
        "all its sheets are empty",
    ),
    "hidden log": (
        lambda f: _workbook(f, A=[], B=Grid([["Datum", "Agent"], ["x", "y"]], state="hidden")),
        "B is hidden",
    ),
    "two of one name": (
        lambda f: _agents(f, lambda lines: [*lines, "77;" + lines[1].split(";", 1)[1]]),
        "who is 'Ines von der Heide'?",
    ),
    "one id twice": (
        lambda f: _agents(f, lambda lines: [*lines, lines[1].split(";")[0] + ";Neu, Nina;;;\r\n"]),
        "'7076': stands there already",
    ),
    "missing": (
        lambda f: [f / "nothing.csv", *list(good(f).values())[1:]],
        "there is no such file",
    ),
    "empty folder": (
        lambda f: [f / "in", *list(good(f / "in" / "..").values())[1:]],
        "the folder holds no tables",
    ),
    "open dates": (
        lambda f: list(good(f, dates="dmy/").values()),
        "day first (dmy) or month first (mdy)",
    ),
}
# Here nobody says the order of the dates.
OPEN = ("mixed dates", "open dates")


def _odd(folder: Path, change: Callable[[str], str], encoding: str = "utf-8") -> list[Path]:
    """All text files changed in one way."""
    files = good(folder)
    for path in files.values():
        path.write_bytes(change(path.read_bytes().decode()).encode(encoding))
    return list(files.values())


def _book(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]], **options: Any) -> list[Path]:
    """The centre as one workbook of typed cells, changed before it is written."""
    from tests.exported_files import sheets_of

    sheets = sheets_of(centre(), replace(STYLE, form="book"))
    return [write_workbook(folder / "export.xlsx", change(sheets), **options)]


def _each(sheets: dict[str, Any], change: Callable[[str, list[list[Any]]], Any]) -> dict[str, Any]:
    return {name: change(name, rows) for name, rows in sheets.items()}


def _calculated(name: str, rows: list[list[Any]]) -> Any:
    """Handling times as formulas with the value that Excel kept."""
    if "Wartezeit" not in rows[0]:
        return rows
    j = rows[0].index("Bearbeitungszeit")
    return [rows[0], *([*row[:j], Formula("A1+B1", row[j]), *row[j + 1 :]] for row in rows[1:])]


def _titled(name: str, rows: list[list[Any]]) -> Grid:
    return Grid([[f"{name} April 2026"], [], *rows], merged=("A1:F1",))


def _quoted(text: str) -> str:
    return "".join(";".join(f'"{cell}"' for cell in line.split(";")) + "\n" for line in text.splitlines())


def respelt(folder: Path) -> list[Path]:
    """Names with hard blanks in the log, and with letters in two parts in the plan."""
    files = good(folder)
    for table, old, new in (("interactions", "Björn Sommer", "Björn\u00a0Sommer"), ("staffing", "ö", "o\u0308")):
        files[table].write_text(files[table].read_text("utf-8").replace(old, new), "utf-8")
    return list(files.values())


def book(folder: Path) -> list[Path]:
    """The centre as a workbook that nobody touched."""
    return _book(folder, dict)


# Texts and workbooks as they are found: the same cells as those of files that nobody touched.
TEXTS: dict[str, Callable[[Path], list[Path]]] = {
    "sep line": lambda f: _odd(f, lambda text: "sep=;\r\n" + text),
    "line feeds": lambda f: _odd(f, lambda text: text.replace("\r\n", "\n")),
    "carriage returns": lambda f: _odd(f, lambda text: text.replace("\r\n", "\r")),
    "no last line end": lambda f: _odd(f, str.rstrip),
    "blank lines at the end": lambda f: _odd(f, lambda text: text + ";;\r\n\r\n"),
    "blank column": lambda f: _odd(f, lambda text: text.replace("\r\n", ";\r\n")),
    "utf-16 without mark": lambda f: _odd(f, str, "utf-16-le"),
    "everything quoted": lambda f: _odd(f, _quoted),
    "blanks around": lambda f: _odd(f, lambda text: text.replace(";", " ; ")),
}
BOOKS: dict[str, Callable[[Path], list[Path]]] = {
    "of 1904": lambda f: _book(f, dict, is_1904=True),
    "formulas": lambda f: _book(f, lambda sheets: _each(sheets, _calculated)),
    "merged title": lambda f: _book(f, lambda sheets: _each(sheets, _titled)),
    "hidden sheet": lambda f: _book(f, lambda sheets: sheets | {"P": Grid([["a", "b"], [1, 2]], state="hidden")}),
    "notes beside": lambda f: _book(f, lambda sheets: sheets | {"Notizen": [["bitte bis Freitag prüfen"]]}),
}
