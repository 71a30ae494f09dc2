"""Files read once, and what they are taken for under the answers so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InvalidScenario, MissingInput
from engine.setting import shown

if TYPE_CHECKING:
    from engine.typing import Progress
    from ingest.exports.inspection.found import Found
    from ingest.exports.profile.profile import Profile
    from ingest.sheets import Sheet


@dataclass(frozen=True)
class Understanding:
    """Sheets of files, and what is said of them.

    Parameters
    ----------
    sheets : list of Sheet
        All tables of cells.
    time_zone, dates : str or None
        As options say.
    profile : Profile or None
        How such files were understood before.
    """

    sheets: list[Sheet]
    time_zone: str | None
    dates: str | None
    profile: Profile | None

    @classmethod
    def of(
        cls, given: Sequence[str], time_zone: str | None, dates: str | None, profile: Path | None,
        watch: Progress | None,
    ) -> Understanding:  # fmt: skip
        """Read files; with a profile alone those beside it that it speaks of."""
        from ingest.exports.profile.patterns import taken
        from ingest.exports.profile.reading import read_profile
        from ingest.sheets import read_sheets

        known = None if profile is None else read_profile(profile)
        if given or profile is None or known is None:
            return cls(read_sheets(given, watch), time_zone, dates, known)
        sheets = read_sheets([str(profile.parent)], watch)
        some = [sheet for sheet in sheets if any(sheet in taken(part, sheets) for part in known.parts)]
        if not some:
            wanted = ", ".join(dict.fromkeys(pattern for part in known.parts for pattern in part.files))
            raise MissingInput(
                f"{profile}: beside it is none of its files ({wanted}); give the files, or their folder, too"
            )
        return cls(some, time_zone, dates, known)

    def found(self, answers: Mapping[str, str]) -> Found:
        """What the files are taken for under some answers."""
        from api.terminal.shown.page import doing
        from engine.data.wall_time import zone_of
        from ingest.exports.inspection import inspect

        # Said before files are looked at for seconds; an import would refuse it in the end.
        for zone in filter(None, (self.time_zone, answers.get("time_zone"))):
            zone_of(zone)
        with doing(f"looking at {len(self.sheets)} tables of cells"):
            return inspect(
                self.sheets, time_zone=self.time_zone, dates=self.dates, profile=self.profile, answers=dict(answers)
            )


def answers_of(given: Sequence[str]) -> dict[str, str]:
    """Answers by key, from KEY=VALUE.

    Examples
    --------
    >>> answers_of(["time_zone=Europe/Berlin", "interactions.values.outcome.a=b=answered"])
    {'time_zone': 'Europe/Berlin', 'interactions.values.outcome.a=b': 'answered'}
    """
    found: dict[str, str] = {}
    for text in given:
        # Keys hold cells of files, which may hold the sign; what is chosen hardly ever does.
        key, sign, value = text.rpartition("=")
        if not sign or not key:
            raise InvalidScenario(
                f"--answer {shown(text)}: write KEY=VALUE with the key that the question is listed with"
            )
        if key in found:
            raise InvalidScenario(f"--answer {shown(key)} is given more than once; give it once")
        found[key] = value
    return found
