"""How long the interpreter lock is held at a stretch: what a service answers others depends on it."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

# Between two beats: short beside any hold that matters. [s]
BEAT_S = 0.001
_SHOWN_FRAMES = 6


@dataclass
class Holds:
    """What a heartbeat noticed: the longest hold, and those beyond `notable_s` with the place where they ended."""

    notable_s: float = 0.05
    longest_s: float = 0.0
    places: list[tuple[float, str]] = field(default_factory=list)

    def note(self, held_s: float, others: dict[int, FrameType]) -> None:
        """Take down one beat that came late."""
        self.longest_s = max(self.longest_s, held_s)
        if held_s > self.notable_s:
            self.places.append((held_s, " | ".join(_place(frame) for frame in others.values())))


@contextmanager
def watched(notable_s: float = 0.05) -> Iterator[Holds]:
    """Watch the interpreter lock while something runs; only time that this process itself computed counts."""
    found, stop = Holds(notable_s), threading.Event()
    beating = threading.Thread(target=_beat, args=(found, stop), name="heartbeat", daemon=True)
    beating.start()
    try:
        yield found
    finally:
        stop.set()
        beating.join()


def _beat(found: Holds, stop: threading.Event) -> None:
    own = threading.get_ident()
    before = time.perf_counter(), time.process_time(), _queued_s()
    while not stop.is_set():
        time.sleep(BEAT_S)
        now = time.perf_counter(), time.process_time(), _queued_s()
        wall_s, computed_s, queued_s = (later - earlier for later, earlier in zip(now, before, strict=True))
        late_s = min(wall_s - BEAT_S - queued_s, computed_s)
        frames = sys._current_frames() if late_s > found.notable_s else {}
        found.note(late_s, {thread: frame for thread, frame in frames.items() if thread != own})
        before = time.perf_counter(), time.process_time(), _queued_s()


def _queued_s() -> float:
    """How long this thread has waited for a core so far, where the system tells. [s]"""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except OSError:
        return 0.0


def _place(frame: FrameType) -> str:
    stack = traceback.extract_stack(frame)[-_SHOWN_FRAMES:]
    return " > ".join(f"{one.filename.rpartition('/')[2]}:{one.lineno} {one.name}" for one in stack)
