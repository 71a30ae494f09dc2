"""How files become tables, as data that people read, edit and keep."""

from ingest.exports.importing import import_exports

__all__ = ["import_exports"]
