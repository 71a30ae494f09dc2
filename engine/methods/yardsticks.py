"""The literature's yardsticks: rules that need nothing but who may take what."""

from __future__ import annotations

import numpy as np

from engine.methods.ladder import NEVER, Ladder, one_row_each
from engine.methods.method import View


def longest_idle(view: View) -> Ladder:
    """Among the eligible the one idle for longest.

    Parameters
    ----------
    view : View
        What is known.

    Returns
    -------
    Ladder
        All ranks equal.
    """
    return one_row_each(np.where(view.kinds.eligible, 0.0, NEVER))
