"""Compiled loops: arrays in, arrays filled, nothing else.

One decorator sets the flags of all of them: the interpreter is free while they run, machine code is kept
between processes, and no rounding is traded for speed, so that each equals its plain version bit for bit.
Importing a kernel takes about a second; callers do so only when there is enough to calculate.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

Kernel = TypeVar("Kernel", bound=Callable[..., None])


def kernel() -> Callable[[Kernel], Kernel]:
    """Decorator that compiles a loop over arrays.

    Returns
    -------
    callable
        Turns a plain function into a compiled one.
    """
    # Read when numba is imported; a read-only installation would otherwise refuse to keep machine code.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(_cache_folder()))
    import numba

    compiled: Any = numba.njit(nogil=True, cache=True, fastmath=False, parallel=False)
    return cast("Callable[[Kernel], Kernel]", compiled)


def _cache_folder() -> Path:
    """A folder of the user's state, or a temporary one where the home cannot be written."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser())
    folder = state / "routelab" / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"routelab-kernels-{os.getuid()}"
    return folder
