"""Answers from what is at hand: the event loop gives them itself, since a thread would cost more than the answer."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from api.http.serving.turns import Turns

Given = ParamSpec("Given")
Result = TypeVar("Result")

_MAY_WAIT: ContextVar[bool] = ContextVar("may_wait", default=True)


class NotAtHand(Exception):
    """The answer takes files, others or long, so it takes a thread."""


def may_wait() -> None:
    """Said before files are read, others waited for or long work is done: the event loop gets no further."""
    if not _MAY_WAIT.get():
        raise NotAtHand


class AtHand:
    """Answers given on the event loop, a few in each of its rounds."""

    def __init__(self) -> None:
        self._turns = Turns()

    async def answer(self, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Do something small right here.

        Parameters
        ----------
        work : callable
            Calls `may_wait` before all that can take long.
        *args, **kwargs
            What it is given.

        Raises
        ------
        NotAtHand
            If it takes a thread.
        """
        await self._turns.take()
        token = _MAY_WAIT.set(False)
        try:
            return work(*args, **kwargs)
        finally:
            _MAY_WAIT.reset(token)
