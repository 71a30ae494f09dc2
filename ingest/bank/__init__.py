"""The published call log of the "Anonymous Bank" as a source."""

from typing import Any

from ingest.bank.importing import import_bank

# What `routelab calibrate` finds on January to April 1999 of the published log; see docs/bank-log.md.
FITTED: dict[str, Any] = {"join_gap_s": 270.0, "acw_s": 30.0}

__all__ = ["FITTED", "import_bank"]
