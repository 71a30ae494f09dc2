"""CSV, Parquet and Arrow files as a source."""

from ingest.files.importing import import_files, read_table

__all__ = ["import_files", "read_table"]
