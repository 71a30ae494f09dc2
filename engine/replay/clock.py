"""The clock of a replay: what idle time and missed alerts mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """What agents' idle time and missed alerts mean; switches where sources conflict.

    Parameters
    ----------
    lookback_s : float
        Agents coming on queue after a longer time without work count as never having worked; 0: no limit. [s]
    resets_on_queue : bool
        Whether coming on queue puts an agent at the back.
    alert_resets : bool
        Whether an alert that came to nothing puts an agent at the back.
    timeout_s : float
        How long an agent who does not answer is alerted, where a kind says nothing of its own. [s]
    away_s : float
        How long such an agent gets nothing more. [s]
    """

    lookback_s: float = 0.0
    resets_on_queue: bool = False
    alert_resets: bool = False
    timeout_s: float = 15.0
    away_s: float = 60.0
