"""What kind of file something is, told by its first bytes; its name is a hint only."""

from __future__ import annotations

import zipfile

from ingest.sheets.content import DAMAGED, Content

TEXT, WORKBOOK, PARQUET, ARROW, STREAM = "text", "workbook", "Parquet", "Arrow", "Arrow stream"
ZIP, GZIP, ZSTD, BZIP2, XZ = "zip", "gzip", "zstd", "bzip2", "xz"
OLE = "OLE"
WORKBOOK_ENDINGS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
PACKED = frozenset({ZIP, GZIP, ZSTD, BZIP2, XZ})

_MAGIC = {
    b"PAR1": PARQUET,
    b"ARROW1": ARROW,
    b"\xff\xff\xff\xff": STREAM,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": OLE,
    b"\x1f\x8b": GZIP,
    b"\x28\xb5\x2f\xfd": ZSTD,
    b"BZh": BZIP2,
    b"\xfd7zXZ\x00": XZ,
    b"PK\x03\x04": ZIP,
    b"PK\x05\x06": ZIP,
}

# Formats that people hand in by mistake, with what to do about each.
_FOREIGN = {
    b"FEA1": "is an old Feather file (version 1); write it again as Feather version 2 or Parquet",
    b"PARE": "is an encrypted Parquet file; write it again without encryption",
    b"%PDF": "is a PDF document; export the table as CSV or as a workbook",
    b"\x89PNG": "is a picture; export the table that it shows as CSV or as a workbook",
    b"\xff\xd8\xff": "is a picture; export the table that it shows as CSV or as a workbook",
    b"GIF8": "is a picture; export the table that it shows as CSV or as a workbook",
    b"BM": "is a picture; export the table that it shows as CSV or as a workbook",
    b"SQLite format 3": "is a database; export the table as CSV",
    b"Rar!": "is a RAR archive; unpack it first",
    b"7z\xbc\xaf\x27\x1c": "is a 7-Zip archive; unpack it first",
    b"{\\rtf": "is a text document; export the table as CSV or as a workbook",
}


def kind_of(content: Content) -> str:
    """The kind of a file; what holds no table is refused."""
    head = bytes(content.data[:64])
    for magic, sentence in _FOREIGN.items():
        if head.startswith(magic) and (magic != b"BM" or b"\0" in head):
            raise content.refused(f"the file {sentence}")
    if reason := _page(bytes(content.data[:4096])):
        raise content.refused(reason)
    if bytes(content.data[257:262]) == b"ustar":
        raise content.refused("the file is a tar archive; unpack it first")
    kind = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), TEXT)
    if kind == OLE:
        return _old_workbook(content)
    return WORKBOOK if kind == ZIP and _is_workbook(content) else kind


def _old_workbook(content: Content) -> str:
    """An old Excel workbook; the same container also holds what has a password, and letters."""
    if content.data.find("EncryptedPackage".encode("utf-16-le")) >= 0:
        raise content.refused("the workbook is protected by a password; save it without one")
    if not any(content.data.find(name.encode("utf-16-le")) >= 0 for name in ("Workbook", "Book")):
        raise content.refused("the file is an old Office document and no workbook; export the table as CSV or .xlsx")
    return WORKBOOK


def _page(head: bytes) -> str | None:
    """Why a text that begins like a web page or other XML is no table."""
    text = head.replace(b"\0", b"").decode("utf-8-sig", "ignore").lstrip("\ufeff\ufffd\xff\xfe \t\r\n").lower()
    if text.startswith(("<!doctype html", "<html", "<table", "<head", "<body", "<meta", "<style", "<div")):
        if "<table" in text or text.startswith(("<table", "<meta", "<style")) or "office:excel" in text:
            return "is a web page with a table, whatever its name; open it in Excel and save it as a workbook or as CSV"
        return "is a web page, no table (perhaps of a login that ran out); export the table again"
    if text.startswith(("<?xml", "<workbook")):
        if "office:spreadsheet" in text:
            return "is an XML workbook of Excel 2003; open it in Excel and save it as .xlsx"
        return "is XML, no table; export the table as CSV or as a workbook"
    return None


def _is_workbook(content: Content) -> bool:
    with archive(content) as opened:
        names = set(opened.namelist())
    return any(name.startswith("xl/") for name in names) or "content.xml" in names


def archive(content: Content) -> zipfile.ZipFile:
    """A zip archive."""
    try:
        return zipfile.ZipFile(content.raw())
    except DAMAGED as error:
        raise content.refused(
            f"the workbook or zip archive is damaged or cut short ({str(error)[:100]}); save or copy it again"
        ) from error


def check_end(content: Content, kind: str) -> None:
    """Refuse a Parquet or Arrow file whose end is not there."""
    end = {PARQUET: b"PAR1", ARROW: b"ARROW1"}.get(kind, b"")
    if not content.data[-8:].endswith(end):
        raise content.refused(f"the {kind} file is cut short; copy or write it again")
