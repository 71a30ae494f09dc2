"""Numbers and tables as a notebook shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from engine.texts import visible

SHARES = ("service_level", "abandonment", "occupancy")


def formatted(name: str, value: float | None) -> str:
    """A measure in a few characters; a dash where it is undefined."""
    if value is None:
        return "-"
    if name in SHARES:
        return f"{100 * value:.1f} %"
    return f"{value:,.1f} s" if name.endswith("_s") else f"{value:.3f}"


def html_table(header: Sequence[str], rows: Iterable[Sequence[str]], caption: str) -> str:
    """A small HTML table; every text is escaped."""
    head = "".join(f"<th>{_seen(text)}</th>" for text in header)
    body = "".join("<tr>" + "".join(f"<td>{_seen(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table><caption>{_seen(caption)}</caption><tr>{head}</tr>{body}</table>"


def notes(texts: Iterable[str]) -> str:
    """Sentences as HTML paragraphs, escaped."""
    return "".join(f"<p>{_seen(text)}</p>" for text in texts)


def _seen(text: str) -> str:
    return escape(visible(text))
