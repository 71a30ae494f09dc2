"""Long answers come in pages; whoever reads them wants all of them, once, and an end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from ingest.platform.errors import PlatformUnavailable

# A million entities; a listing without an end must not read for ever.
_MOST_PAGES = 10_000


class Reader(Protocol):
    """Four ways to ask the platform; without an answer each raises the `PlatformError` that says why."""

    def get(self, path: str, query: dict[str, Any] | None = None, **path_params: str) -> Any:
        """Read one answer.

        Parameters
        ----------
        path : str
            Template of the path, such as ``/api/v2/routing/queues/{queueId}/members``.
        query : dict, optional
            Query parameters; lists are joined with commas, None is left out.
        **path_params : str
            Values for the names in braces.

        Returns
        -------
        dict
            The answer's JSON object.
        """
        ...

    def query(self, path: str, body: dict[str, Any]) -> Any:
        """Ask with a body; nothing changes over there, so it may be repeated.

        Parameters
        ----------
        path : str
            The path.
        body : dict
            The question, in the platform's names.

        Returns
        -------
        dict
            The answer's JSON object.
        """
        ...

    def submit(self, path: str, body: dict[str, Any]) -> Any:
        """Have something made over there; never repeated blindly.

        Parameters
        ----------
        path : str
            The path.
        body : dict
            What is to be made, in the platform's names.

        Returns
        -------
        dict
            The answer's JSON object.
        """
        ...

    def delete(self, path: str, **path_params: str) -> None:
        """Clean up what was made.

        Parameters
        ----------
        path : str
            Template of the path.
        **path_params : str
            Values for the names in braces.
        """
        ...


def pages(
    reader: Reader, path: str, query: dict[str, Any] | None = None, **path_params: str
) -> Iterator[list[dict[str, Any]]]:
    """Read all pages of a listing, one list of entities each.

    A short page is not the last one: the platform hides what the role may not see and cuts page sizes on its own.
    The end is a page that names no next one, or an empty one.

    Parameters
    ----------
    reader : Reader
        Where to ask.
    path : str
        Template of the path.
    query : dict, optional
        Further query parameters; ``pageSize`` is 100 unless given.
    **path_params : str
        Values for the names in braces.

    Yields
    ------
    list of dict
        The entities of a page, at least one.

    Raises
    ------
    PlatformUnavailable
        If a page repeats the one before, there is no end to them, or an answer has no list of entities.
    """
    before: list[dict[str, Any]] = []
    for number in range(1, _MOST_PAGES + 1):
        answer = reader.get(path, {"pageSize": 100, **(query or {}), "pageNumber": number}, **path_params)
        entities = _listed(answer, "entities", path)
        if not entities:
            return
        # A proxy or a cache that ignores the page number would be read to the last page.
        _refuse_repetition(entities, before, number, path)
        yield entities
        if not answer.get("nextUri"):
            return
        before = entities
    raise _endless(path)


def paged_query(
    reader: Reader, path: str, body: dict[str, Any], key: str, page_size: int = 100
) -> Iterator[list[dict[str, Any]]]:
    """Ask a question whose answer comes in pages, until a page is empty.

    Parameters
    ----------
    reader : Reader
        Where to ask.
    path : str
        The path.
    body : dict
        The question without ``paging``.
    key : str
        Where an answer holds its rows, such as ``conversations``.
    page_size : int
        Rows to a page. [count]

    Yields
    ------
    list of dict
        The rows of a page, at least one.

    Raises
    ------
    PlatformUnavailable
        If a page repeats the one before, there is no end to them, or an answer holds no list.
    """
    before: list[dict[str, Any]] = []
    for number in range(1, _MOST_PAGES + 1):
        answer = reader.query(path, {**body, "paging": {"pageSize": page_size, "pageNumber": number}})
        rows = _listed(answer, key, path)
        if not rows:
            return
        _refuse_repetition(rows, before, number, path)
        yield rows
        before = rows
    raise _endless(path)


def _listed(answer: Any, key: str, path: str) -> list[dict[str, Any]]:
    """The rows of an answer; an absent list is an empty one, as the platform leaves out what is empty."""
    rows = answer.get(key) if isinstance(answer, dict) else answer
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise PlatformUnavailable(
            f"{path}: {key} is {type(rows).__name__}, not a list; run again, and report it to the platform if it lasts"
        )
    return rows


def _refuse_repetition(rows: list[Any], before: list[Any], number: int, path: str) -> None:
    if rows == before:
        raise PlatformUnavailable(
            f"{path}: page {number} is page {number - 1} over again, there would be no end; "
            "run again, and report it to the platform if it lasts"
        )


def _endless(path: str) -> PlatformUnavailable:
    return PlatformUnavailable(f"{path}: no end after {_MOST_PAGES:,} pages; ask for less at a time")
