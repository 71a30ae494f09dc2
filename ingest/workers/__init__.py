"""Where many runs are done: in this process."""

from ingest.workers.engines import ENGINES, LOCAL, runs_in

__all__ = ["ENGINES", "LOCAL", "runs_in"]
