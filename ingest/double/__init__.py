"""A double of Genesys Cloud on a loopback address: the platform's contract without an account."""

from ingest.double.centre.facts import PLANTED
from ingest.double.centre.organisation import Organisation, organisation
from ingest.double.faults import FAULTS, Faults, script
from ingest.double.server import Double, serve_forever

__all__ = ["FAULTS", "PLANTED", "Double", "Faults", "Organisation", "organisation", "script", "serve_forever"]
