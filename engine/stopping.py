"""Work that can be stopped: whoever starts it says when it is to end, and whatever runs long asks in between.

Nothing here knows of threads, requests, signals or time. A compiled loop hears nothing while it runs, so it is
played in slices and the question is asked between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
# How long a thread that waits for another may not hear that it is to stop. [s]
LOOK_S = 0.1

# Each thread has a context of its own, so what stops one stops no other.
_SHOULD_STOP: ContextVar[Callable[[], bool] | None] = ContextVar("should_stop", default=None)


class Stopped(BaseException):
    """Work was given up because nobody wants its result any more.

    Like `KeyboardInterrupt` it is no error: there is nothing to put right and nobody to tell, and what catches
    errors lets it pass.
    """


@contextmanager
def stoppable(should_stop: Callable[[], bool]) -> Iterator[None]:
    """Let work on this thread be stopped while the block runs.

    Parameters
    ----------
    should_stop : callable
        Asked often, so it must be quick; once True it stays so. Blocks may lie within one another: any stops.

    Examples
    --------
    >>> from threading import Event
    >>> with stoppable(Event().is_set):
    ...     check()
    """
    outer = _SHOULD_STOP.get()
    asked = should_stop if outer is None else (lambda: should_stop() or outer())
    token = _SHOULD_STOP.set(asked)
    try:
        yield
    finally:
        _SHOULD_STOP.reset(token)


def check() -> None:
    """Raise `Stopped` if the work of this thread is to end; outside of `stoppable` it never is.

    Raises
    ------
    Stopped
        Between two pieces of work; what is half done is let go by whoever owns it.
    """
    should_stop = _SHOULD_STOP.get()
    if should_stop is not None and should_stop():
        raise Stopped("stopped because its result is no longer wanted")


def checked(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, with a `check` before each.

    Parameters
    ----------
    items : iterable
        Each a piece of work that takes less than some tenths of a second.

    Examples
    --------
    >>> list(checked("ab"))
    ['a', 'b']
    """
    for item in items:
        check()
        yield item


def awaited(future: Future[Result]) -> Future[Result]:
    """What another thread makes, once it is done, with a `check` in between.

    Parameters
    ----------
    future : concurrent.futures.Future
        Under way on another thread.

    Returns
    -------
    concurrent.futures.Future
        The same.
    """
    # Most often it is there already, and waiting costs more than looking.
    while not future.done() and not wait([future], LOOK_S).done:
        check()
    return future


def was_stopped(future: Future[Result]) -> bool:
    """Whether what was under way on another thread was stopped there, which is no failure of what it did.

    Parameters
    ----------
    future : concurrent.futures.Future
        Done.

    Returns
    -------
    bool
        True also where an interrupt ended it.
    """
    error = future.exception()
    return error is not None and not isinstance(error, Exception)


def in_slices(slice_of: Callable[..., bool], n_steps: int, *given: Any) -> None:
    """Run a compiled loop to its end, with a `check` before each slice.

    Parameters
    ----------
    slice_of : callable
        Does at most so many steps (64-bit) with what is given, and tells whether all is done; it goes on where it was.
    n_steps : int
        Steps that take some tenths of a second at most.
    *given
        Arrays and bundles of them.
    """
    check()
    while not slice_of(n_steps, *given):
        check()
