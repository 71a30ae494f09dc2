"""What a lever is: a change of the completed data set before anything is routed."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self

from engine.estimates.completed import Completed


class Lever(Protocol):
    """A what-if: a frozen dataclass in a file of its own, and one line in `engine.levers.LEVERS`."""

    about: ClassVar[str]

    @classmethod
    def of(cls, given: Any) -> Self:
        """From plain values, as a scenario file or a request holds them; refuses what it cannot read."""

    def plain(self) -> Any:
        """What `of` reads, for reports and to run it again."""

    def change(self, completed: Completed) -> Completed:
        """Another data set that could have been recorded; refuses names that the centre does not have."""
