"""Any table of cells in a file: text of any delimiter and encoding, workbooks, Parquet, Arrow, JSON lines."""

from ingest.sheets.reading import read_sheets
from ingest.sheets.sheet import Sheet

__all__ = ["Sheet", "read_sheets"]
