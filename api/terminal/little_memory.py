"""Starting where a shell limits the address space (`ulimit -v`): with fewer threads, or with one clear line."""

from __future__ import annotations

import os
from collections.abc import Sequence

MIB = 1 << 20
# What a command takes before it does anything, in the thin way below: measured as VmPeak of a start; a service also
# what its threads reserve as they load the engine and open a snapshot, since polars ends the process where that fails.
# [MiB]
HELP_MIB, LISTING_MIB, ENGINE_MIB, SERVICE_MIB = 150, 300, 1_100, 2_000
LISTINGS = {"list", "show", "delete"}
# Every thread reserves some hundred MiB of addresses, filled or not: nothing where there is plenty, too much here.
THIN = {
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system", "_RJEM_MALLOC_CONF": "narenas:1",
}  # fmt: skip
M_ARENA_MAX = -8


def refused(arguments: Sequence[str]) -> str | None:
    """Why a command cannot start within the limit of this process, None where it can; then it starts thinly.

    Called before numpy and its like are loaded: those fail in ways that nobody could read, or never end.
    """
    try:
        import resource
    except ImportError:  # There is none on Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    needed = _needed(arguments)
    if limit < needed * MIB:
        return (
            f"not enough memory to start: {needed:,} MiB are needed, and the limit of this shell (ulimit -v) is "
            f"{limit // MIB:,} MiB; raise it, for example with 'ulimit -v {2 * needed * 1024}'"
        )
    for name, value in THIN.items():
        os.environ.setdefault(name, value)
    _share_one_arena()
    return None


def _needed(arguments: Sequence[str]) -> int:
    words = [word for word in arguments if not word.startswith("-")]
    if not words:
        return HELP_MIB
    if {"-h", "--help"} & set(arguments) or (words[0] == "snapshot" and (len(words) < 2 or words[1] in LISTINGS)):
        return LISTING_MIB
    return SERVICE_MIB if words[0] == "serve" else ENGINE_MIB


def _share_one_arena() -> None:
    """One arena of the C library for all threads, as each reserves 64 MiB or more."""
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
