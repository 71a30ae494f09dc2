"""Cells that say whose work may be interrupted by what: `email: voice, chat; message: voice`, JSON, or lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from engine.data.tables import MEDIA
from engine.typing import Record
from ingest.files.cells.cells import Cells, is_text

EXAMPLE = "email: voice, chat; message: voice"


def interruptions(cells: Cells) -> pl.Series:
    """Lists of a media with those that may interrupt it; null where a cell is empty or refused."""
    raw, dtype = cells.raw, cells.column.dtype
    if not (is_text(raw.dtype) or isinstance(raw.dtype, pl.List | pl.Struct) or raw.dtype == pl.Null):
        return cells.refuse_type(f"rules such as {EXAMPLE}")
    if raw.dtype == pl.Binary:
        raw = raw.cast(pl.String, strict=False)
    values: list[list[Record] | None] = []
    why: list[str | None] = []
    for value in raw.to_list():
        try:
            values.append(_rules(value))
            why.append(None)
        except ValueError as error:
            values.append(None)
            why.append(str(error))
    reason = pl.Series(why, dtype=pl.String)
    for remedy in reason.drop_nulls().unique(maintain_order=True):
        cells.refuse(reason == remedy, remedy)
    return cells.sound(pl.Series(cells.column.name, values, dtype))


def _rules(value: Any) -> list[Record] | None:
    if isinstance(value, str):
        text = value.strip()
        value = _json(text) if text[:1] in ("{", "[") else _pairs(text)
    if value is None or len(value) == 0:
        return None
    pairs = list(value.items()) if isinstance(value, Mapping) else [_pair(entry) for entry in value]
    found: dict[str, list[str]] = {}
    for media, by in pairs:
        name = _media(media)
        if name in found:
            raise ValueError("names each media once")
        if by is not None and not isinstance(by, list):
            raise ValueError(f"write rules as in {EXAMPLE}")
        found[name] = sorted({_media(each) for each in by or ()}, key=MEDIA.index)
    return [{"media": media, "by": by} for media, by in found.items()]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"is not JSON; write rules as in {EXAMPLE}") from None


def _pairs(text: str) -> list[Record]:
    entries = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        media, colon, by = part.partition(":")
        if not colon:
            raise ValueError(f"write rules as in {EXAMPLE}")
        # Nothing behind the colon: by nothing.
        entries.append({"media": media, "by": [each for each in by.split(",") if each.strip()]})
    return entries


def _pair(entry: Any) -> tuple[Any, Any]:
    if not isinstance(entry, Mapping) or set(entry) != {"media", "by"}:
        raise ValueError(f"write rules as in {EXAMPLE}")
    return entry["media"], entry["by"]


def _media(name: Any) -> str:
    known = name.strip().lower() if isinstance(name, str) else None
    if known not in MEDIA:
        raise ValueError(f"media must be one of {', '.join(MEDIA)}")
    return known
