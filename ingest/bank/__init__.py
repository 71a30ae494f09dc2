"""The published call log of the "Anonymous Bank" as a source."""

from ingest.bank.importing import import_bank

__all__ = ["import_bank"]
