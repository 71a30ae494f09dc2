"""Where profiles go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.errors import NotWritable

NAME = "profile.toml"


def beside(given: Sequence[str]) -> Path:
    """Beside the first file, or in the folder where that is one.

    Examples
    --------
    >>> beside(["exports/march.xlsx#Calls"]).as_posix()
    'exports/profile.toml'
    """
    first = Path(given[0])
    if first.is_dir():
        return first / NAME
    # A pattern may stand for folders; the file goes where its fixed part ends.
    parent = first.parent
    while any(set(part) & set("*?[") for part in parent.parts):
        parent = parent.parent
    return parent / NAME


def refuse_existing(path: Path, is_replaced: bool) -> None:
    """Refuse to write over a profile: somebody may have corrected it by hand."""
    if path.exists() and not is_replaced:
        raise NotWritable(
            f"{path} is there already, perhaps corrected by hand; give --profile {path} to go by it, another file to "
            "write to, or --replace where inspect is to write it anew"
        )
    if not path.parent.is_dir():
        raise NotWritable(f"{path}: there is no folder {path.parent}; make it, or write somewhere else")
