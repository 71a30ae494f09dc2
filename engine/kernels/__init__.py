"""Compiled loops: arrays in, arrays filled, nothing else.

One decorator sets the flags of all of them: the interpreter is free while they run, machine code is kept
between processes, and no rounding is traded for speed, so that each equals its plain version bit for bit.
Importing a kernel takes about a second; callers do so only when there is enough to calculate.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def kernel(*, allocates: bool = True, inlined: bool = False) -> Callable[[Kernel], Kernel]:
    """Decorator that compiles a loop over arrays.

    Parameters
    ----------
    allocates : bool
        False where a kernel makes no array of its own. References are then not counted, which matters where
        arrays travel in bundles: counting took nine tenths of the time of a replay.
    inlined : bool
        Whether it is a part that is written into the kernels that call it and never stands alone.

    Returns
    -------
    callable
        Turns a plain function into a compiled one.
    """
    folder = cache_folder()
    if folder is not None:
        # Read when numba is imported; beside an installed package there may be no place to write.
        os.environ.setdefault("NUMBA_CACHE_DIR", str(folder))
    import numba

    flags: dict[str, Any] = {"nogil": True, "cache": folder is not None and not inlined, "fastmath": False}
    if inlined:
        flags["inline"] = "always"
    if not allocates:
        flags["_nrt"] = False
    return cast("Callable[[Kernel], Kernel]", numba.njit(**flags))


def cache_folder() -> Path | None:
    """Folder of the user's state where machine code is kept; None, each process compiles, where none can be written."""
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        folder = state / "routelab" / "kernels"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        # Read-only, or a user without a home.
        return None
    return folder if os.access(folder, os.W_OK) else None
