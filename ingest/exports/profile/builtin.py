"""Profiles that come with the product: exports whose columns are published."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from ingest.exports.profile.profile import Profile
from ingest.exports.profile.reading import profile_of


@cache
def builtin_profiles() -> tuple[Profile, ...]:
    """All of them, in the order of their names."""
    folder = files("ingest.exports").joinpath("profiles")
    found = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
    return tuple(profile_of(each.read_text(encoding="utf-8"), each.name) for each in found)
