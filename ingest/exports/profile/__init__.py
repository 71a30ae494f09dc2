"""How files become tables, as data that people read, edit and keep."""

from ingest.exports.profile.reading import read_profile
from ingest.exports.profile.writing import profile_text, write_profile

__all__ = ["profile_text", "read_profile", "write_profile"]
