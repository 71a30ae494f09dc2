"""The memory that runs may take: what there is, who holds how much of it, and giving it back."""

from __future__ import annotations

import ctypes
import errno
import gc
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine.errors import NotEnoughMemory

if TYPE_CHECKING:
    # Not loaded here: the command line asks this file about errors before it loads the engine.
    from engine.memory import Need

MIB = 1 << 20
Item = TypeVar("Item")
PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")
# Threads and allocators reserve addresses that they never fill.
RESERVED = 160 * MIB
# And where many threads work at once, as in a service: polars ends the process where it is given no address.
RESERVED_BY_THREADS, TO_OPEN = 512 * MIB, 256 * MIB
# A limit as good as none, as the first version of control groups writes it.
NO_LIMIT = 1 << 60
# How often whoever waits looks again; others outside this process give memory back without a word. [s]
LOOK_S = 0.2
# So much more or less is not worth asking the allocators for.
WORTH_GIVING_BACK = 64 * MIB
REMEDY = "ask for less, for example for fewer days, or close other programs"
# What Python and polars say where the system gives them no thread, or no memory, in errors that have other causes too.
PANIC, MOST_SAID = "PanicException", 200
NOT_TO_BE_HAD = ("can't start new thread", "spawn thread", "out of memory", "Cannot allocate memory")


def available(reserved: int = RESERVED) -> int | None:
    """Memory that this process can still take.

    Parameters
    ----------
    reserved : int
        Addresses to be left to threads. [byte]

    Returns
    -------
    int or None
        The least of what the machine has free, what its control group leaves, and what the limit of its address space
        (`ulimit -v`) leaves; None where the system does not say. [byte]
    """
    found = [_machine(), *_groups(PROC / "self/cgroup"), _addresses(reserved)]
    return min((max(each, 0) for each in found if each is not None), default=None)


def check_room_to_open(what: str) -> None:
    """Refuse to open something where a limit of addresses leaves too few: libraries would end the process then.

    Parameters
    ----------
    what : str
        In words that go before "needs".
    """
    left = _addresses(0)
    if left is not None and left < TO_OPEN:
        raise NotEnoughMemory(
            f"{what} needs about {_mib(TO_OPEN)} of addresses, and {_mib(max(left, 0))} are available; "
            "raise the limit of the shell that the service was started from (ulimit -v)"
        )


def _machine() -> int | None:
    if (free := _numbers(PROC / "meminfo").get("MemAvailable")) is not None:
        return free * 1024
    # Elsewhere than on Linux only the whole is known; a run that does not even fit there is refused.
    names = getattr(os, "sysconf_names", {})
    if {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= names.keys():
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _groups(listed: Path) -> Iterator[int]:
    """What each control group around this process leaves, of either version."""
    for line in _read(listed).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in {"", "memory"} and "memory" not in controllers.split(","):
            continue
        root = CGROUP if controllers == "" else CGROUP / "memory"
        names = ("memory.max", "memory.current", "inactive_file")
        if controllers:
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        # A container sees its own group as the root, whatever the path says.
        place = root / path.strip("/")
        for folder in (place, *(parent for parent in place.parents if parent.is_relative_to(root))):
            limit, used = (_read(folder / name).strip() for name in names[:2])
            if limit.isdigit() and used.isdigit() and int(limit) < NO_LIMIT:
                # Files read lately count as use, and are let go when memory is asked for.
                yield int(limit) - int(used) + _numbers(folder / "memory.stat").get(names[2], 0)


def _addresses(reserved: int = RESERVED) -> int | None:
    try:
        import resource
    except ImportError:  # There is none on Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    used = _numbers(PROC / "self/status").get("VmSize", 0) * 1024
    return None if limit == resource.RLIM_INFINITY else limit - used - reserved


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _numbers(path: Path) -> dict[str, int]:
    """Names and numbers of lines such as `MemAvailable: 123 kB` or `inactive_file 123`."""
    words = (line.replace(":", " ").split() for line in _read(path).splitlines())
    return {each[0]: int(each[1]) for each in words if len(each) > 1 and each[1].isdigit()}


class Memory:
    """What runs of one process hold of the memory that there is.

    Parameters
    ----------
    most : int, optional
        Most that all of them may hold together, where somebody said so. [byte]
    left : callable
        Asks the system, as `available` does.
    """

    def __init__(self, most: int | None = None, left: Callable[[], int | None] = available) -> None:
        self._most, self._left = most, left
        self._lock = threading.Condition()
        self._held, self._before = 0, 0
        self._waiting: deque[object] = deque()

    @contextmanager
    def held(self, need: Need) -> Iterator[None]:
        """Hold what a run needs while it goes on; one that does not fit beside others waits for them.

        Parameters
        ----------
        need : Need
            As `engine.memory` estimates it.

        Raises
        ------
        NotEnoughMemory
            If it would not even fit alone, or there turned out to be less than it needs.
        """
        self._take(need)
        try:
            with said_plainly(need.remedy):
                yield
        except BaseException as error:
            # Whoever was stopped in the middle: the frames on the way hold all that had been made by then.
            traceback.clear_frames(error.__traceback__)
            raise
        finally:
            with self._lock:
                self._held -= need.bytes
                self._lock.notify_all()
            if need.bytes >= WORTH_GIVING_BACK:
                give_back()

    def check(self, need: Need) -> None:
        """Refuse what does not fit into what is left now.

        Parameters
        ----------
        need : Need
            What it will take.

        Raises
        ------
        NotEnoughMemory
            With both numbers and the way out.
        """
        with self._lock:
            self._fits(need)

    def _take(self, need: Need) -> None:
        # Not above: the command line loads this file before numpy, which it may have no room for.
        from engine.stopping import check

        ticket = object()
        with self._lock:
            self._waiting.append(ticket)
            try:
                while not (self._fits(need) and self._waiting[0] is ticket):
                    self._lock.wait(LOOK_S)
                    check()
                self._held += need.bytes
            finally:
                self._waiting.remove(ticket)
                self._lock.notify_all()

    def _fits(self, need: Need) -> bool:
        """Whether there is room now; refuses what would have none were it alone."""
        left = self._left()
        now = NO_LIMIT if left is None else left
        if not self._held:
            self._before = now if self._most is None else min(now, self._most)
        if need.bytes > self._before:
            raise NotEnoughMemory(
                f"{need.what} needs about {_mib(need.bytes)} of memory, and {_mib(self._before)} are available; "
                f"{need.remedy}"
            )
        # Runs under way may not have taken yet what they hold, so what is left now says too much while they go on.
        return need.bytes <= min(self._before - self._held, now)


# What all runs of this process share, but for services, which may be told how much they may take.
MEMORY = Memory()


def _mib(n: int) -> str:
    return f"{-(-n // MIB):,} MiB"


class GaveUp(RuntimeError):
    """A library met a fault of its own; polars' is no `Exception`, so nothing that catches errors would catch it."""


@contextmanager
def said_plainly(remedy: str = REMEDY) -> Iterator[None]:
    """Turn every way in which libraries say that memory ran out into `NotEnoughMemory`, and let go what they held.

    Parameters
    ----------
    remedy : str
        What would need less.
    """
    why = None
    try:
        yield
    except BaseException as error:
        if not is_memory(error):
            if type(error).__name__ == PANIC:
                raise GaveUp(f"polars gave up: {' '.join(str(error).split())[:MOST_SAID]}") from error
            raise
        why = (str(error).splitlines() or ["the system gave none"])[0][:200]
        # The frames of what failed hold all that it had made by then.
        with suppress(RuntimeError):
            traceback.clear_frames(error.__traceback__)
    # Outside, so that the error raised here does not carry the other with it.
    if why is not None:
        gc.collect()
        give_back()
        raise NotEnoughMemory(f"there is not enough memory for this ({why}); {remedy}")


def is_memory(error: BaseException) -> bool:
    """Whether an error says that memory, or the thread that it would have taken, was not to be had."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    # Python's own for threads, and polars', which is no Exception, have no class that says so.
    is_told = isinstance(error, RuntimeError) or type(error).__name__ in {PANIC, "ComputeError"}
    return is_told and any(words in str(error) for words in NOT_TO_BE_HAD)


def bounded(items: Iterator[Item], most: int) -> Iterator[Item]:
    """The same items, each made with at most so much more memory; past that libraries raise what `is_memory` knows.

    Parameters
    ----------
    items : iterator
        Made by a library that says when it is given no memory, and does not end the process.
    most : int
        Addresses that one item may take. [byte]
    """
    try:
        import resource
    except ImportError:  # There is none on Windows
        yield from items
        return
    while True:
        before = resource.getrlimit(resource.RLIMIT_AS)
        used = _numbers(PROC / "self/status").get("VmSize")
        limits = [each for each in before if each != resource.RLIM_INFINITY]
        if used is not None:
            resource.setrlimit(resource.RLIMIT_AS, (min([used * 1024 + most, *limits]), before[1]))
        try:
            item = next(items, None)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
        if item is None:
            return
        yield item


def give_back() -> None:
    """Hand memory that allocators keep for later back to the system."""
    # Only where it is loaded: a run without it must not wait for it now.
    if "pyarrow" in sys.modules:
        import pyarrow as pa

        pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
