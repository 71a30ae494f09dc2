"""A few in each round of the event loop, so that a crowd that comes at one instant holds up nobody else."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

# What a request costs the loop by itself is about half a millisecond. [count]
MOST_IN_A_ROUND = 8


class Turns:
    """Turns of those who wait, in the order in which they came."""

    def __init__(self, most: int = MOST_IN_A_ROUND) -> None:
        self._most = most
        self._n_taken = 0  # In this round
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Go on at once, or in a later round of the loop where enough others have had this one."""
        if (turn := self._turn()) is not None:
            await turn

    def then(self, callback: Callable[[], object]) -> None:
        """Call something when its turn has come, never at once."""
        if (turn := self._turn()) is None:
            asyncio.get_running_loop().call_soon(callback)
        else:
            turn.add_done_callback(lambda _: callback())

    def _turn(self) -> asyncio.Future[None] | None:
        """What comes true with its turn; None where that is now."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # An application that is started again: what an earlier loop had scheduled never comes.
            self._loop, self._n_taken = loop, 0
            self._waiting.clear()
        if self._n_taken < self._most and not self._waiting:
            self._count(loop)
            return None
        turn = loop.create_future()
        self._waiting.append(turn)
        return turn

    def _count(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._n_taken:
            # What is scheduled now runs in the next round.
            loop.call_soon(self._next_round)
        self._n_taken += 1

    def _next_round(self) -> None:
        self._n_taken = 0
        while self._waiting and self._n_taken < self._most:
            turn = self._waiting.popleft()
            # Whoever was cancelled meanwhile needs none.
            if not turn.done():
                self._count(turn.get_loop())
                turn.set_result(None)
