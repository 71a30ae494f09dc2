"""Service-level goals such as 80/20."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from engine.errors import InvalidScenario

_GOAL = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*/\s*(\d{1,6}(?:\.\d+)?)\s*")


@dataclass(frozen=True)
class ServiceLevelGoal:
    """A share of interactions to be answered within some seconds.

    Parameters
    ----------
    share : float
        0-1.
    seconds : float
        Longest wait that counts as within the goal. [s]

    Examples
    --------
    >>> ServiceLevelGoal.parse("80/20")
    ServiceLevelGoal(share=0.8, seconds=20.0)
    >>> str(ServiceLevelGoal(0.95, 30.0))
    '95/30'
    """

    share: float
    seconds: float

    def __str__(self) -> str:
        return f"{round(self.share * 100, 6):g}/{self.seconds:g}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read SHARE/SECONDS.

        Parameters
        ----------
        text : str
            Percent, slash, seconds.

        Returns
        -------
        ServiceLevelGoal
            The goal.

        Raises
        ------
        InvalidScenario
            If the text is no goal or the share is not within 1-100.
        """
        match = _GOAL.fullmatch(text)
        if not match or not 1 <= float(match[1]) <= 100:
            raise InvalidScenario(
                f"goal {text!r}: write SHARE/SECONDS, for example 80/20 for 80 % answered within 20 s"
            )
        return cls(float(match[1]) / 100, float(match[2]))
