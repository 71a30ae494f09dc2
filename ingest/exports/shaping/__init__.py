"""Sheets to tables, by a profile."""

from ingest.exports.shaping.shaping import Shaped, shape

__all__ = ["Shaped", "shape"]
