"""The scale of survey scores: the platform does not tell it, so figures that contradict it are refused, not guessed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from engine.errors import InvalidScenario, InvalidTable

# Survey forms give a share of points, by all that is published, as 0 to 100.
LOW, HIGH = 0.0, 100.0
# A whole set of scores up to here looks like points of another scale; nothing but 0 fits every scale.
SUSPICIOUS = 5.0


@dataclass(frozen=True)
class Scale:
    """Lowest and highest score of the survey form.

    Parameters
    ----------
    low, high : float
        In points.
    is_given : bool
        Whether the user says so; otherwise scores that all lie within 5 points are refused.
    """

    low: float = LOW
    high: float = HIGH
    is_given: bool = False

    @classmethod
    def of(cls, text: str | None) -> Scale:
        """The scale that an option says.

        Parameters
        ----------
        text : str, optional
            `MIN,MAX`; by default 0 to 100.

        Returns
        -------
        Scale
            Checked.

        Raises
        ------
        InvalidScenario
            If it is not two numbers, the lower first.

        Examples
        --------
        >>> Scale.of("1,5")
        Scale(low=1.0, high=5.0, is_given=True)
        """
        if text is None:
            return cls()
        try:
            low, high = (float(part) for part in text.split(","))
        except ValueError:
            low = high = 0.0
        if not -1e9 < low < high < 1e9:
            raise InvalidScenario(f"--survey-scale {text!r}: give lowest and highest score, for example 1,5")
        return cls(low, high, True)

    def applied(self, surveys: pl.DataFrame) -> pl.DataFrame:
        """Surveys with their scale.

        Parameters
        ----------
        surveys : polars.DataFrame
            With a column score.

        Returns
        -------
        polars.DataFrame
            With scale_min and scale_max.

        Raises
        ------
        InvalidTable
            If a score lies outside the scale, or the scale is not given and all scores look like another one.
        """
        if surveys.height:
            self._check(float(surveys["score"].min()), float(surveys["score"].max()), surveys.height)  # type: ignore[arg-type]
        return surveys.with_columns(scale_min=pl.lit(self.low), scale_max=pl.lit(self.high))

    def _check(self, least: float, most: float, n: int) -> None:
        remedy = "give the scale of the survey form, for example --survey-scale 1,5; what was read is kept"
        if least < self.low or most > self.high:
            raise InvalidTable(
                f"surveys: scores from {least:g} to {most:g} do not lie on a scale from {self.low:g} to "
                f"{self.high:g}; {remedy}"
            )
        if not self.is_given and 0 < most <= SUSPICIOUS:
            raise InvalidTable(
                f"surveys: all {n} scores lie between {least:g} and {most:g}, which looks like another scale than 0 to "
                f"100; {remedy} (0,100 if that is right)"
            )
