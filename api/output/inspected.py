"""What files are taken for, for machines."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.exports.inspection.found import ColumnFound, Found, SheetFound


def plainly(found: Found, profile: Path | None) -> dict[str, Any]:
    """Everything found, as plain values.

    Parameters
    ----------
    found : Found
        What an inspection gives.
    profile : Path or None
        Where the profile was written.

    Returns
    -------
    dict
        Files with their columns, questions, and the profile as TOML.
    """
    from ingest.exports.profile.writing import profile_text

    return {
        "files": [_sheet(sheet) for sheet in found.sheets],
        "questions": questions(found),
        "profile": profile_text(found.profile),
        "written": None if profile is None else str(profile),
    }


def questions(found: Found) -> list[dict[str, Any]]:
    """What only a person can settle."""
    return [asdict(question) | {"choices": list(question.choices)} for question in found.questions]


def _sheet(found: SheetFound) -> dict[str, Any]:
    return {
        "name": found.sheet.name, "format": found.sheet.format, "rows": found.sheet.frame.height,
        "table": found.table, "why": found.why, "columns": [_column(column) for column in found.columns],
        "problems": dict(found.problems), "assumptions": list(found.assumptions),
    }  # fmt: skip


def _column(column: ColumnFound) -> dict[str, Any]:
    # What belongs to customers goes nowhere, a few samples of it neither.
    samples = [] if column.is_personal else list(column.samples)
    return {
        "name": column.name, "ours": column.ours, "why": column.why, "samples": samples,
        "is_personal": column.is_personal, "values": None if column.values is None else dict(column.values),
    }  # fmt: skip
