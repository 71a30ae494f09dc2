"""Until a command has begun there is nothing to put away, so a signal that says to end ends the process where it is.

Reading the engine's libraries takes some tenths of a second, and an interrupt that is raised in there may come out
as an error of theirs. This file needs none of them.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

# On Windows there is no terminal that could hang up.
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
STOPPED = "stopped; what was half written is removed, by the next command at the latest"


def end_at_once(number: int, frame: FrameType | None) -> None:
    """Say so and end, without what Python does at its end."""
    # Where standard error was closed, its number may be that of a file by now.
    if sys.stderr is not None:
        with suppress(OSError):
            os.write(2, f"{STOPPED}\n".encode())
    os._exit(1)


USUAL = (signal.SIG_DFL, signal.default_int_handler, end_at_once)


def end_at_once_when_told() -> None:
    """From now on, wherever nobody else has taken a signal over; what is ignored, as under nohup, stays ignored."""
    for number in ENDING:
        if signal.getsignal(number) in USUAL:
            signal.signal(number, end_at_once)
