"""The fields of a report for the pages, made from its dataclasses: `python -m api.output.report_table`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from engine.reports.compare import Comparison
from engine.reports.report import Report
from engine.results import sentence_of


def table(result: type[Any], besides: type[Any] | None = None) -> str:
    """Every field of a result, results within it after it, as Markdown tables under the path where they stand.

    Parameters
    ----------
    result : type
        A dataclass whose fields say what they mean.
    besides : type, optional
        Another result; what is within that one too is only named.

    Examples
    --------
    >>> [line for line in table(Report).splitlines() if line.startswith("| `routed`")]
    ['| `routed` | Interactions with a chosen agent; in a replay those answered. |']
    """
    seen: dict[type[Any], str] = {}
    if besides is not None:
        list(_tables(besides, "", seen))
        seen = {kind: f"`{path}` of the {besides.__name__.lower()}" for kind, path in seen.items() if path}
    return "\n".join(_tables(result, "", seen))


def _tables(result: type[Any], path: str, seen: dict[type[Any], str]) -> Iterator[str]:
    seen[result] = path
    hints, below = get_type_hints(result), []
    yield from ([f"**`{path}`**", ""] if path else [])
    yield from ("| field | meaning |", "|---|---|")
    for each in fields(result):
        inner = next((kind for kind in _kinds(hints[each.name]) if _says(kind)), None)
        said = sentence_of(result, each.name)
        if inner in seen:
            said += f" Fields as in {_quoted(seen[inner])}."
        elif inner is not None:
            seen[inner] = f"{path}.{each.name}".lstrip(".")
            below.append(inner)
        yield f"| `{each.name}` | {said.replace('|', '/')} |"
    for inner in below:
        yield ""
        yield from _tables(inner, seen[inner], seen)


def _quoted(path: str) -> str:
    return path if path.startswith("`") else f"`{path}`"


def _kinds(hint: Any) -> Iterator[Any]:
    """A type and those that it is made of."""
    yield hint
    for each in get_args(hint):
        yield from _kinds(each)


def _says(kind: Any) -> bool:
    """Whether a type is a result, so that its fields say what they mean."""
    return isinstance(kind, type) and is_dataclass(kind) and all("about" in each.metadata for each in fields(kind))


if __name__ == "__main__":
    print(f"{table(Report)}\n\n{table(Comparison, Report)}")  # noqa: T201
