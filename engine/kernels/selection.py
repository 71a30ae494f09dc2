"""The best column of each planned row; the plain version is `engine.selection.decisions.best_plain`."""

from typing import Any

import numpy as np

from engine.kernels import kernel

LOWEST = np.iinfo(np.int64).min


@kernel()
def best_columns(
    requirement: Any, none: float, skill: Any, language: Any, csat: Any,
    skill_start: Any, skill_row: Any, language_row: Any, queue_row: Any,
    weights: Any, scale: float, column: Any, key: Any,
) -> None:  # fmt: skip
    """Fill ``column`` with the first best agent of each row and ``key`` with that agent's key."""
    n_agents = csat.shape[1]
    mean, keys = np.empty(n_agents), np.empty(n_agents)
    # Keys are whole numbers >= 0 or -inf, and such floats are ordered like their bits read as integers.
    # Of integers the processor compares several at once; of floats, which might be NaN, it may not.
    bits, best_bits = keys.view(np.int64), key.view(np.int64)
    w_p, w_l, w_c = weights[0], weights[1], weights[2]
    for i in range(requirement.size):
        r = requirement[i]
        first, last = skill_start[r], skill_start[r + 1]
        if first == last:
            mean[:] = none
        else:
            level = skill[skill_row[first]]
            for a in range(n_agents):
                mean[a] = level[a]
            for place in range(first + 1, last):
                level = skill[skill_row[place]]
                for a in range(n_agents):
                    mean[a] += level[a]
            if last - first > 1:
                count = float(last - first)
                for a in range(n_agents):
                    mean[a] /= count
        spoken, content = language[language_row[r]], csat[queue_row[r]]
        best = LOWEST
        for a in range(n_agents):
            keys[a] = np.rint(scale * ((w_p * mean[a] + w_l * spoken[a]) + w_c * content[a]))
            best = max(best, bits[a])
        where = n_agents
        for a in range(n_agents):
            where = min(where, a if bits[a] == best else n_agents)
        column[i], best_bits[i] = where, best
