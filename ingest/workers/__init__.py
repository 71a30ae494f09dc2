"""Where many runs are done: in this process; and the memory that they may take."""

from ingest.workers.engines import ENGINES, LOCAL, runs_in
from ingest.workers.memory import MEMORY, Memory

__all__ = ["ENGINES", "LOCAL", "MEMORY", "Memory", "runs_in"]
