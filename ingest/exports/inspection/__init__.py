"""What each file is taken for, why, and what cannot be settled."""

from ingest.exports.inspection.inspecting import inspect

__all__ = ["inspect"]
