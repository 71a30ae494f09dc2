"""What kind of file something is, told by its first bytes; its name is a hint only."""

from __future__ import annotations

import zipfile

from ingest.sheets.content import Content

TEXT, WORKBOOK, PARQUET, ARROW, STREAM, JSON = "text", "workbook", "Parquet", "Arrow", "Arrow stream", "JSON"
ZIP, GZIP, ZSTD, BZIP2, XZ = "zip", "gzip", "zstd", "bzip2", "xz"

_MAGIC = {
    b"PAR1": PARQUET,
    b"ARROW1": ARROW,
    b"\xff\xff\xff\xff": STREAM,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": WORKBOOK,
    b"\x1f\x8b": GZIP,
    b"\x28\xb5\x2f\xfd": ZSTD,
    b"BZh": BZIP2,
    b"\xfd7zXZ\x00": XZ,
    b"PK\x03\x04": ZIP,
    b"PK\x05\x06": ZIP,
}


def kind_of(content: Content) -> str:
    """The kind of a file."""
    head = bytes(content.data[:16])
    kind = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), TEXT)
    return WORKBOOK if kind == ZIP and _is_workbook(content) else kind


def _is_workbook(content: Content) -> bool:
    import io

    try:
        with zipfile.ZipFile(content.path if not content.packed else io.BytesIO(content.data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        raise content.refused(
            f"the workbook or archive is damaged or cut short ({error}); save or copy it again"
        ) from error
    return any(name.startswith("xl/") for name in names) or "content.xml" in names
