"""Remember results, and compute each one once even when several threads ask for it at the same time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from api.http.serving.at_hand import may_wait
from engine.stopping import awaited, was_stopped

Value = TypeVar("Value")


class Once(Generic[Value]):
    """The results last asked for, by key. Of results kept the one not asked for longest leaves first.

    Examples
    --------
    >>> squares = Once(10)
    >>> squares.get(3, lambda: 3 * 3), squares.get(3, lambda: 0)
    (9, 9)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, Future[Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The result of a key; made by the first who asks, awaited by the others.

        An error is passed on to all who wait, and not remembered. Where the first is stopped, one of the others makes
        it: they want it still.
        """
        while True:
            with self._lock:
                future = self._known.get(key)
                if future is None or not future.done():
                    may_wait()
                first = future is None
                if future is None:
                    future = self._known[key] = Future()
                self._known.move_to_end(key)
            if first:
                self._fill(key, future, make)
                return future.result()
            if not was_stopped(awaited(future)):
                return future.result()

    def _fill(self, key: Hashable, future: Future[Value], make: Callable[[], Value]) -> None:
        try:
            future.set_result(make())
        # Whatever it was, those who wait must not wait for ever.
        except BaseException as error:  # noqa: BLE001
            with self._lock:
                del self._known[key]
            future.set_exception(error)
        else:
            with self._lock:
                self._shrink()

    def _shrink(self) -> None:
        finished = [key for key, future in self._known.items() if future.done()]
        for key in finished[: max(0, len(finished) - self._most)]:
            del self._known[key]
