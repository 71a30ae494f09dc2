"""Genesys Cloud: look first, then read queues and days into a snapshot that survives interruptions."""

from ingest.genesys.checking import Check, check_platform
from ingest.genesys.importing import RARELY, Done, Means, import_genesys
from ingest.genesys.scale import Scale
from ingest.genesys.span import Span
from ingest.genesys.wanted import Wanted

__all__ = ["RARELY", "Check", "Done", "Means", "Scale", "Span", "Wanted", "check_platform", "import_genesys"]
