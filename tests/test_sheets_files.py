"""Files of every kind: told by their content, unpacked within bounds, and bad ones with one clear answer each."""

from __future__ import annotations

import base64
import bz2
import datetime as dt
import gzip
import io
import json
import lzma
import os
import random
import tempfile
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidTable, MissingInput, NotEnoughMemory
from ingest.sheets import packed, read_sheets
from ingest.sheets.content import Content
from ingest.sheets.text import rows as text_rows
from ingest.sheets.workbooks import opening
from ingest.sheets.workbooks.checking import check_workbook
from ingest.workers import memory
from ingest.workers.memory import MIB
from tests.test_import_fuzz import slips
from tests.test_sheets import book, one, written

TEXT = "id;queue\n1;Service\n2;Technik\n"
ROWS = [("1", "Service"), ("2", "Technik")]


def zipped(**members):
    """An archive of files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def sheet_of(rows):
    """A table of an OpenDocument spreadsheet, by its cells as XML."""
    address = "urn:oasis:names:tc:opendocument:xmlns:"
    spaces = " ".join(f'xmlns:{each}="{address}{each}:1.0"' for each in ("office", "table", "text"))
    content = (
        f'<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="Blatt1">{rows}'
    )
    content += "</table:table></office:spreadsheet></office:body></office:document-content>"
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return zipped(**{"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": content})


def cell(kind, value, name="value"):
    told = "" if kind == "string" else f' office:{name}="{value}"'
    return f'<table:table-cell office:value-type="{kind}"{told}><text:p>{value}</text:p></table:table-cell>'


def row(*cells):
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


PACKED = {
    "export.csv.gz": gzip.compress(TEXT.encode()),
    "export.csv.bz2": bz2.compress(TEXT.encode()),
    "export.csv.xz": lzma.compress(TEXT.encode()),
    "export.csv.zst": zstd(TEXT.encode()),
    "export.zip": zipped(**{"export.csv": TEXT, "__MACOSX/._export.csv": "x", "read me.html": "<html>"}),
    "export": gzip.compress(TEXT.encode("utf-16")),
}


@pytest.mark.parametrize("name", PACKED)
def test_compressed_files_are_unpacked(name, tmp_path):
    sheet = one(written(tmp_path, name, PACKED[name]))
    assert (sheet.name, sheet.frame.rows(), sheet.rows.tolist()) == (name, ROWS, [2, 3])


def test_an_archive_of_several_tables_gives_each(tmp_path):
    inner = io.BytesIO()
    with xlsxwriter.Workbook(inner) as workbook:
        workbook.add_worksheet().write_row(0, 0, ["agent"])
        workbook.worksheets()[0].write_row(1, 0, ["Ann"])
    content = zipped(**{"a/2026-01.csv": TEXT, "a/2026-02.csv": "queue;id\nChat;3\n", "agents.xlsx": inner.getvalue()})
    calls, agents = read_sheets([str(written(tmp_path, "all.zip", content))])
    assert calls.frame.rows() == [*ROWS, ("3", "Chat")] and calls.place(2) == "all.zip/2026-02.csv, row 2"
    assert agents.frame.rows() == [("Ann",)] and agents.name == "all.zip/agents.xlsx"


def test_json_rows_are_tables(tmp_path):
    rows = [{"id": 1, "queue": "Service", "skills": ["a", "b"]}, {"id": 2, "queue": " ", "wait": 1.5}]
    whole = one(written(tmp_path, "calls.json", json.dumps(rows, indent=1)))
    lines = one(written(tmp_path, "calls.jsonl", "\n\n".join(map(json.dumps, rows))))
    for sheet in (whole, lines):
        assert sheet.frame.rows() == [(1, "Service", ["a", "b"], None), (2, None, None, 1.5)]
    assert (whole.rows.tolist(), lines.rows.tolist()) == ([0, 1], [1, 3])


def test_parquet_and_arrow_keep_their_types(tmp_path):
    frame = pl.DataFrame(
        {
            "id": [1, 2], " queue ": [" Service ", ""], "day": [dt.date(2026, 3, 2), None],
            "talk": [dt.timedelta(minutes=5), None], "at": [dt.datetime(2026, 3, 2, 8), None],
        },
        schema_overrides={"id": pl.Int16, "talk": pl.Duration("ms"), "at": pl.Datetime("ns")},
    )  # fmt: skip
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ipc(tmp_path / "a.arrow")
    frame.write_ipc_stream(tmp_path / "a.ipc")
    wanted = {"id": pl.Int64, "queue": pl.String, "day": pl.Date, "talk": pl.Duration("us"), "at": pl.Datetime("us")}
    for name in ("a.parquet", "a.arrow", "a.ipc"):
        sheet = one(tmp_path / name)
        assert dict(sheet.frame.schema) == wanted and sheet.rows.tolist() == [0, 1]
        first = (1, "Service", dt.date(2026, 3, 2), dt.timedelta(minutes=5), dt.datetime(2026, 3, 2, 8))
        assert sheet.frame.rows() == [first, (2, None, None, None, None)]


# Written by xlwt: a title, a blank row, then id, name, since, share and two rows.
OLD_WORKBOOK = zlib.decompress(
    base64.b85decode(
        r"c-rk)O-L0{6#nMt>GP@2_e>)VWD2sfhY)Q-"
        r"(5GVQq9?Ch^g~dijz3xRVtkuglx6M;f>uQv!GeOUHvLeG+yw<jErKA@f;O#!f)?s@?wLEKR^WpYjQNIp?z!ilbLRe>`!n-"
        r"mGCnnWw{jYb&;Si{ZUOS<$rMTjejx^`cU{5yd6<$LU`3%IOcR+G!lUBn`C<;md{0Bg9esi*@Sf5^97lV`wv1&&Gq=H1L>uafD!59"
        r"LC@Q#BrA)h+u3~zdH6Jr=WXT1l^`twc9Kd9<y=J?N;(h9Ru8TtWz0WppSh5x6cq*d!^hL$f4WY^DH;=BciYmPbW1tCbwQS1~<u$l"
        r"QBZZch+El7`Kf!2gt4pQoIy$CMMzcPKudV@n@t5}#BaknzTmi|yEtKc~K^~^rTr9t&>c9}(!@OEXD7u?<Z$&rtT6T7D25AuyoT5N"
        r"S*6isqGCfAhbh`Q|`1`v_-8PR|Az-lI?&7@9bgT%4k&}6sFq&-JEChC$c5lK+TUpDAh!cT#kl2D9q?lJ$5z%gxFdygj6{D8V-"
        r"1z)5)tOEnV#yGn8s6EmLG%DF&Ik)Kj&e<isi>)8i!Dsgve&iDS28UlP0Fj&<&xPs%sS_|wwm6vjqxhEaUQ>k_>oV$A5@KeNNy&6y"
        r"mk6y+4$?^DAv<i*G=}~8Ad`$C|52EJWTqzBKM)UOe=oblfr6D_RW<CXbEN!VK&ZGXsFz~g&Hbrh%xa>{`h$%l}g%=l13$6`qCEpI"
        r";BQf7RU7xPhVqSVoWs}UybZbQ8=;g){&u)jh?pf_e}cJf8$SQe>bH+o&DuWe>(dUI4}L_>`&A;sHM0kIzjvMPec$PK!5-"
        r"N0t5&UU^yY~nBr2V$vbvP-"
        r"r)1)f1O!MbHQ(t{}y|Yp(jh<k~?5i?%+gD@v|Bs#rLHw(Z>H@D6p5_?qC3&+>U{q<Cng`l==NxvSIA+EumcBKbK28|MC031D^Em^"
        r"Z"
    )
)


def test_old_workbooks_are_read(tmp_path):
    sheet = one(written(tmp_path, "agents.xls", OLD_WORKBOOK))
    first = (1001, "Groß, Anna", dt.datetime(2026, 3, 2, 8, 0, 26), 0.5)
    assert sheet.frame.rows() == [first, (1002, "Lang, Peter", dt.datetime(2026, 3, 3, 9), 1.0)]
    assert sheet.rows.tolist() == [4, 5] and sheet.notes == ("1 row above the header",)


def test_open_document_spreadsheets_are_read(tmp_path):
    names = row(cell("string", "id"), cell("string", "at"), cell("string", "talk"))
    rows = row(
        cell("float", 7), cell("date", "2026-03-02T08:00:26", "date-value"), cell("time", "PT00H05M30S", "time-value")
    )
    rows += row(cell("float", 8), cell("date", "2026-03-03", "date-value"), cell("time", "PT36H00M00S", "time-value"))
    sheet = one(written(tmp_path, "calls.ods", sheet_of(names + rows)))
    first = (7, dt.datetime(2026, 3, 2, 8, 0, 26), dt.timedelta(seconds=330))
    assert sheet.frame.rows() == [first, (8, dt.datetime(2026, 3, 3), dt.timedelta(hours=36))]


def test_what_is_hidden_or_an_error_in_a_workbook_is_said(tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Calls")
        for place, cells in enumerate([["id", "secret", "wait"], [1, "x", 3], [2, "y", 4], [3, "z", 5]]):
            sheet.write_row(place, 0, cells)
        sheet.write_formula(3, 2, "=1/0", None, "#DIV/0!")
        sheet.set_column(1, 1, None, None, {"hidden": True})
        sheet.set_row(2, None, None, {"hidden": True})
        workbook.add_worksheet("Lists").write_row(0, 0, ["voice"])
        workbook.get_worksheet_by_name("Lists").hide()
        workbook.add_worksheet("Notes").write(0, 0, "made by hand")
    sheet = one(path)
    assert sheet.frame.rows() == [(1, 3), (3, None)] and sheet.rows.tolist() == [2, 4]
    assert sheet.notes == (
        "1 hidden row left out", "1 hidden column left out", "1 error in cells, read as empty: C4 #DIV/0!",
        "not read: book.xlsx#Notes: there is a header but no row; add rows, or leave the sheet out",
        "hidden, not read: Lists",
    )  # fmt: skip


def far_apart(folder):
    with xlsxwriter.Workbook(folder / "book.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        sheet.write(0, 0, "a")
        sheet.write(1_048_575, 16_383, "b")
    return (folder / "book.xlsx").read_bytes()


def never_calculated(folder):
    inner = zipfile.ZipFile(book(folder, Calls=[["id", "n"], ["=7", "=A2"]]))
    parts = {name: inner.read(name) for name in inner.namelist()}
    place = "xl/worksheets/sheet1.xml"
    parts[place] = parts[place].replace(b"</f><v>0</v>", b"</f>")
    return zipped(**parts)


def beyond(folder):
    inner = zipfile.ZipFile(book(folder, Calls=[["id", "n"], [1, 2]]))
    parts = {name: inner.read(name) for name in inner.namelist()}
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(b'r="B2"', b'r="B184294967295"')
    return zipped(**parts)


WORKBOOK = zipped(**{"xl/workbook.xml": "<workbook>", "[Content_Types].xml": ""})
LOCKED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
SPOILT = LOCKED[:8] + random.Random(1).randbytes(600) + "Workbook".encode("utf-16-le")
PARQUET = io.BytesIO()
pl.DataFrame({"id": range(99)}).write_parquet(PARQUET)
MANY = ";".join(f"c{place}" for place in range(10_000))

# Name of the file, its content (or what makes it in a folder), what is said of it.
BAD = [
    ("export.csv", b"", "the file is empty; it needs at least a header"),
    ("export.csv", "\n \n\n", "the file has no lines; it needs a header"),
    ("export.csv", "id;queue\n", "there is a header but no row; add rows"),
    ("export.csv", bytes(range(256)) * 40, "row 1: a NUL byte|is no table: it holds bytes that no text has"),
    ("export.csv", "id;queue\n1;Ser\0vice\n", "row 2: a NUL byte"),
    ("export.csv", "id;queue\n1;Service\n2\n3;Chat\n", "row 3: '2': 1 values where the header names 2 columns;"),
    ("export.csv", "id;queue\n1;Service\n2;a;b\n", "row 3: '2;a;b': 3 values where the header names 2 columns;"),
    ("export.csv", 'id;queue\n1;"Service\n2;Chat\n', "row 2: a double quote is opened and never closed; close it"),
    ("export.csv", 'id;queue\n1;"Ser"vice\n', "row 2: a double quote stands inside a value; put the whole value"),
    ("export.csv", MANY + "\n" + MANY, "row 1: 10,000 columns; is this the right file"),
    ("export.csv", "ä;ö;ü;ß;é\n".encode() * 50 + b"a;b;c;d;\xfc\n", "row 51: byte 0xfc .* is not UTF-8, though"),
    ("export.csv", b"id" + b"x" * 300_000, "row 1: the first row is over 262,144 bytes long; is this a table"),
    ("export.csv.gz", gzip.compress(TEXT.encode() * 99)[:-20], "cannot be unpacked as gzip .* copy or save it again"),
    ("export.csv.gz", gzip.compress(gzip.compress(b"x")), "holds export.csv, which is packed again; unpack it first"),
    ("export.zip", zipped(a=TEXT)[:-30], "the workbook or zip archive is damaged or cut short"),
    ("export.zip", zipped(**{"read me.html": "x"}), "the archive holds no tables; put the files that do"),
    ("book.xlsx", zipped(**{"a.csv": TEXT}), "is a zip archive and no workbook; export the workbook again"),
    ("book.xlsx", WORKBOOK, "cannot be read as a workbook .* save or copy it again|the workbook is damaged"),
    ("book.xlsx", LOCKED, "the workbook is protected by a password; save it without one"),
    ("book.xlsx", far_apart, "sheet Sheet1 reaches to row 1,048,576 and column 16,384 with 2 cells; delete"),
    ("book.xlsx", beyond, "sheet Calls has a cell B184294967295, beyond the last of any workbook; it is damaged"),
    ("book.xls", SPOILT, "cannot be read as a workbook .*; it is damaged or cut short"),
    ("book.xlsx", never_calculated, "its cells are formulas that were never calculated; open the workbook in Excel"),
    ("book.ods", sheet_of(f'{row(cell("string", "id"))}<table:table-row table:number-rows-repeated="1048570">'
        '<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p>'
        "</table:table-cell></table:table-row>"), "a sheet reaches far beyond its table"),
    ("book.xls", "<html><table><tr><td>1</td></tr></table>", "is a web page with a table, .* save it as a workbook or"),
    ("export.csv", "<!DOCTYPE html>\n<html><body>Log in</body></html>", "is a web page, no table .* again"),
    ("book.xml", '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "Excel 2003"),
    ("report.csv", b"%PDF-1.7\n", "the file is a PDF document; export the table"),
    ("chart.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(99), "the file is a picture; export the table that it shows"),
    ("a.parquet", PARQUET.getvalue()[:-9], "the Parquet file is cut short; copy or write it again"),
    ("a.parquet", b"PAR1" + bytes(99) + b"PAR1", "cannot be read as Parquet"),
    ("calls.json", '[{"id": 1, "agent": {"name": "Ann"}}]', "row 0: column agent holds {'name': 'Ann'}, values within"),
    ("calls.jsonl", '{"id": 1}\n{"id": 2\n', "row 2: cannot be read as JSON .*; export it again, or as CSV"),
    ("calls.json", '{"calls": [1]}', "row 1: column calls holds .*1.*, values within values"),
]  # fmt: skip


@pytest.mark.parametrize("case", BAD, ids=lambda case: f"{case[0]}-{case[2][:30]}")
def test_bad_files_get_one_clear_answer(case, tmp_path):
    name, content, said = case
    path = written(tmp_path, name, content(tmp_path) if callable(content) else content)
    with pytest.raises(InvalidTable, match=f"^{name}.*(?:{said})") as told:
        read_sheets([str(path)])
    assert len(told.value.problems) == 1 and len(str(told.value)) < 400


def test_files_that_are_not_there_are_told(tmp_path):
    written(tmp_path, "~$book.xlsx", b"x")
    written(tmp_path, "export.csv", TEXT)
    (tmp_path / "empty").mkdir()
    for name, said in {
        "exprt.csv": "there is no such file; did you mean export.csv",
        "*.xlsb": "no file fits this pattern",
        "~$book.xlsx": "is what Excel keeps beside a workbook while it is open; name the workbook itself, book.xlsx",
        "empty": "the folder holds no tables",
        "export.csv#Calls": "",
    }.items():
        with pytest.raises((MissingInput, InvalidTable), match=said or "is no workbook and has no sheet 'Calls'"):
            read_sheets([str(tmp_path / name)])
    assert one(tmp_path).frame.rows() == ROWS


@pytest.mark.skipif(os.geteuid() == 0, reason="whoever may do anything is not refused")
def test_files_that_may_not_be_read_are_told(tmp_path):
    written(tmp_path, "export.csv", TEXT).chmod(0)
    with pytest.raises(MissingInput, match=r"cannot be opened \(Permission denied\); allow reading it"):
        read_sheets([str(tmp_path)])


def test_what_unpacks_to_far_more_than_it_is_is_refused_in_between(tmp_path, monkeypatch):
    """8 MiB of one letter are 8 KiB packed, a thousandth; nothing near the whole of it is ever held."""
    monkeypatch.setattr(packed, "WORTH_COMPARING", MIB)
    monkeypatch.setattr(packed, "_PIECE", 1 << 16)
    for name, content in {"a.csv.gz": gzip.compress(b"x" * 8 * MIB), "a.csv.xz": lzma.compress(b"x" * 8 * MIB)}.items():
        with pytest.raises(InvalidTable, match=r"unpacks to over 500 times its size, and no table does; check what"):
            read_sheets([str(written(tmp_path, name, content))])
    monkeypatch.setattr(packed, "MOST_UNPACKED", 2 * MIB)
    archive = zipped(**{"a.csv": os.urandom(3 * MIB)})
    with pytest.raises(InvalidTable, match=r"unpacks to over .* GiB; unpack it first, or take fewer days"):
        read_sheets([str(written(tmp_path, "a.zip", archive))])


def test_what_does_not_fit_into_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(memory.MEMORY, "_most", 100 * MIB)
    path = written(tmp_path, "large.csv", b"id;queue\n1;a\n")
    with path.open("r+b") as file:
        file.truncate(200 * MIB)
    with pytest.raises(
        NotEnoughMemory, match=r"^large.csv: reading it needs about 600 MiB .* 100 MiB .*; read fewer days"
    ):
        read_sheets([str(path)])


def test_a_binary_workbook_that_reaches_too_far_is_refused(tmp_path):
    """Row 1,048,576 and a cell in column 16,384: kind, length, number, as [MS-XLSB] 2.1.4 has it."""
    records = b"".join(
        kind + bytes([4]) + number.to_bytes(4, "little") for kind, number in ((b"\0", 1_048_575), (b"\1", 16_383))
    )
    content = Content(tmp_path, "a.xlsb", zipped(**{"xl/worksheets/sheet1.bin": records}), "zip")
    with pytest.raises(
        InvalidTable, match=r"a.xlsb: sheet sheet1 reaches to row 1,048,576 and column 16,384 with 1 cells"
    ):
        check_workbook(content)


@pytest.mark.parametrize("encoding, said, words", [
    ("cp1252", "Windows-1252", "Groß;Müller;Zoë;Ærø;naïve;garçon;señor"),
    ("cp1252", "Windows-1252", "Nº 1;Nº 2;Íñigo;Muñoz"),
    ("cp1252", "Windows-1252", "Siobhán;08:00 – 16:30;09:00 – 17:30;10:00 – 18:30"),
    ("cp1250", "Windows-1250", "Łukasz;Grażyna;Wiśniewska;Zieliński;Dąbrowski;Kowalczyk;Więcek"),
    ("cp1251", "Windows-1251", "Иванов;Смирнова;Кузнецов;Попова;Васильев;Петрова;Соколов"),
    ("cp1252", "Windows-1252", "João;Conceição;Simões;12 €;Nº 3;Niccolò"),
    ("cp1250", "Windows-1250", "Erzsébet;Szűcs;Győző;Őri"),
    ("cp1253", "Windows-1253", "Γιώργος;Παπαδόπουλος;Ελένη"),
    ("cp1254", "Windows-1254", "Ayşe;Çağlar;İsmail;Işık"),
    ("cp850", "DOS (850)", "Groß;Müller;Jäger;Schröder;Böhm;Krüger;Köhler"),
    ("mac_roman", "Mac Roman", "Groß;Müller;Jäger;Schröder;Böhm;Krüger;Köhler"),
])  # fmt: skip
def test_encodings_of_one_byte_are_told_by_their_letters(encoding, said, words, tmp_path):
    """Letters beyond ASCII stand only behind the first megabyte."""
    names = words.split(";")
    text = "id;name\n" + "1;Ann Smith\n" * 100_000 + "".join(f"2;{name}\n" for name in names)
    sheet = one(written(tmp_path, "export.csv", text, encoding))
    assert sheet.frame["name"][-len(names) :].to_list() == names
    assert sheet.format == f"CSV with semicolons, {said}"


DELIMITED = {
    "sep=|\na|b\n1|2;3\n": [("1", "2;3")],
    '"sep=;"\na;b\n1;2,5\n2;3,5\n': [("1", "2,5"), ("2", "3,5")],
    "a;b\n1,5;2,5\n3,5;4,5\n": [("1,5", "2,5"), ("3,5", "4,5")],
    "id,skills\na1,tech;chat\na2,tech;mail\n": [("a1", "tech;chat"), ("a2", "tech;mail")],
    "id,skills\na1,tech;chat;mail\na2,tech;mail;chat \n": [("a1", "tech;chat;mail"), ("a2", "tech;mail;chat")],
    "a;b\n1,5;2,5\n3,5;4,5\nDone, all, well\n": [("1,5", "2,5"), ("3,5", "4,5")],
    "name;team\nLang, Peter;A\nSommer, Ines;B\n": [("Lang, Peter", "A"), ("Sommer, Ines", "B")],
    "a;b\n'x;y';'2'\n'z';'3'\n": [("x;y", "2"), ("z", "3")],
    "name;id\n't Hart;1\n's Gravesande;2\n't Veld;3\n": [("'t Hart", "1"), ("'s Gravesande", "2"), ("'t Veld", "3")],
    'a\tb\n5" pipe\tx\n6" pipe\ty\n': [('5" pipe', "x"), ('6" pipe', "y")],
    'a;b\r1;"2\r3"\r': [("1", "2\n3")],
}


@pytest.mark.parametrize("text", DELIMITED)
def test_the_delimiter_is_the_one_of_the_header(text, tmp_path):
    assert one(written(tmp_path, "export.csv", text)).frame.rows() == DELIMITED[text]


def test_delimiters_at_the_end_of_some_rows_only_are_no_values(tmp_path):
    """As Excel writes them: the fourth column is empty in all rows, and has no name."""
    text = 'id;queue;note\n1;a;x;\n2;b;"y;\nz"\n3;c;;\n4;d;w\n'
    sheet = one(written(tmp_path, "export.csv", text))
    assert sheet.frame.rows() == [("1", "a", "x"), ("2", "b", "y;\nz"), ("3", "c", None), ("4", "d", "w")]
    assert sheet.rows.tolist() == [2, 3, 5, 6]
    with pytest.raises(InvalidTable, match=r"row 5: '3;c': 2 values where the header names 3 columns; give every row"):
        read_sheets([str(written(tmp_path, "export.csv", text.replace("3;c;;", "3;c")))])


def test_rows_are_the_same_whatever_pieces_they_are_read_in(tmp_path, monkeypatch):
    """Quoted line ends, blank lines, empty last cells; line 2 + 3 * n begins row n, and a blank line follows it."""
    text = "id;note;last\n" + "".join(f'{n};"a\n{n};b";\n\n' for n in range(50))
    path = written(tmp_path, "export.csv", text)
    whole = one(path)
    assert whole.frame.rows() == [(str(n), f"a\n{n};b", None) for n in range(50)]
    assert whole.rows.tolist() == [2 + 3 * n for n in range(50)]
    for size in (7, 50, 333):
        monkeypatch.setattr(text_rows, "PIECE_BYTES", size)
        sheet = one(path)
        assert sheet.frame.equals(whole.frame) and sheet.rows.tolist() == whole.rows.tolist()


def test_a_workbook_that_would_be_read_for_ever_is_given_up(tmp_path, monkeypatch):
    """Its table never ends, and neither does the library that reads it."""
    monkeypatch.setattr(opening, "_MOST_S", 1)
    rows = row(cell("string", "id")) + row(cell("string", "a"))
    whole = zipfile.ZipFile(io.BytesIO(sheet_of(rows)))
    parts = {name: whole.read(name).replace(b"</table:table>", b"</table:tabl/>") for name in whole.namelist()}
    with pytest.raises(InvalidTable, match=r"book.ods: cannot be read as a workbook .* copy it again"):
        read_sheets([str(written(tmp_path, "book.ods", zipped(**parts)))])


FUZZED = {
    "a.csv": 'Report;;\n\nAt;Agent;Wait\n02.03.2026;"Groß, Anna";12,5\n\n3;"a\nb";\nSumme;;5\n'.encode("cp1252"),
    "b.csv": "\ufeffid,name\n1,Zoë\n".encode("utf-16"),
    "c.csv.gz": PACKED["export.csv.gz"], "d.zip": PACKED["export.zip"],
    "e.jsonl": b'{"id": 1, "n": "x"}\n{"id": 2}\n', "f.parquet": PARQUET.getvalue(),
    "g.csv.xz": PACKED["export.csv.xz"],
}  # fmt: skip


@given(st.sampled_from(sorted(FUZZED)).flatmap(lambda name: st.tuples(st.just(name), slips(FUZZED[name]))))
def test_whatever_bytes_a_file_holds_there_are_rows_or_a_reason(case):
    name, content = case
    with tempfile.TemporaryDirectory() as folder:
        try:
            sheets = read_sheets([str(written(Path(folder), name, content))])
        except (InvalidTable, MissingInput) as error:
            assert str(error).strip()
        else:
            assert sheets and all(sheet.frame.height == len(sheet.rows) > 0 for sheet in sheets)


def test_whatever_a_workbook_holds_there_are_rows_or_a_reason(tmp_path):
    """Parts of a workbook with something in the place of something else, chosen by a seed."""
    draw = random.Random(7)
    whole = zipfile.ZipFile(book(tmp_path, Calls=[["id", "at"], [1, "x"], [2, 3.5]]))
    for _ in range(60):
        parts = {name: whole.read(name) for name in whole.namelist()}
        name = draw.choice([each for each in parts if each.startswith("xl/")])
        at = draw.randrange(len(parts[name]))
        put = draw.choice([b"", b"<", b'"', b"99999999", b"XFD1048576", b"/>", b"\0", b"\xff"])
        parts[name] = parts[name][:at] + put + parts[name][at + draw.randrange(6) :]
        with suppress(InvalidTable):
            assert read_sheets([str(written(tmp_path, "changed.xlsx", zipped(**parts)))])
