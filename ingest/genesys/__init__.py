"""Genesys Cloud: look first, then read queues and days into a snapshot that survives interruptions."""

from ingest.genesys.checking import Check, check_platform
from ingest.genesys.collecting.scale import Scale
from ingest.genesys.collecting.wanted import Span, Wanted
from ingest.genesys.importing import RARELY, Done, Means, import_genesys

__all__ = ["RARELY", "Check", "Done", "Means", "Scale", "Span", "Wanted", "check_platform", "import_genesys"]
