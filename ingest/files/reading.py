"""What somebody says of files where they leave it open: time zone, scale of scores, how names are written."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import InvalidScenario
from engine.setting import shown
from ingest.files.cells.time_cells import check_time_zone
from ingest.files.scale import Scale

_WRITTEN = {r"\n": "\n", r"\t": "\t"}
# A level follows a colon, and quotes belong to the format of the file.
_NEVER = ':"'


@dataclass(frozen=True)
class Reading:
    """How files are read where they leave it open.

    Parameters
    ----------
    time_zone : str, optional
        IANA zone of times that name none; without it such times are refused.
    scale : Scale, optional
        Of the scores in csat of interactions, where no columns tell it.
    separators : str
        Each character of it stands between names of one cell; none for a semicolon.
    same_names : bool
        Whether names that differ in case or spaces only are one.
    keep_names : bool
        Whether names stay as they are, however they look.
    """

    time_zone: str | None = None
    scale: Scale | None = None
    separators: str = ""
    same_names: bool = False
    keep_names: bool = False

    @classmethod
    def of(
        cls, time_zone: str | None = None, csat_scale: object = None, skills_separator: object = None,
        same_names: bool = False, keep_names: bool = False,
    ) -> Reading:  # fmt: skip
        """What options and keywords say.

        Parameters
        ----------
        time_zone : str, optional
            IANA zone.
        csat_scale : str or pair of float, optional
            As `Scale.of` takes it.
        skills_separator : str, optional
            One character or several; `\\n` and `\\t` may be written out.
        same_names, keep_names : bool
            As they are kept.

        Returns
        -------
        Reading
            Checked.

        Raises
        ------
        InvalidScenario
            If the scale is not two numbers, or the separator cannot be one.
        UnknownName
            If the time zone does not exist.

        Examples
        --------
        >>> Reading.of(skills_separator=", ").separators
        ','
        """
        zone = None if time_zone is None else check_time_zone(time_zone)
        scale = None if csat_scale is None else Scale.of(csat_scale)
        return cls(zone, scale, _separators(skills_separator), bool(same_names), bool(keep_names))


def _separators(given: object) -> str:
    if given is None:
        return ""
    text = given if isinstance(given, str) else ""
    for written, meant in _WRITTEN.items():
        text = text.replace(written, meant)
    text = text.replace(" ", "")
    if not text or any(character.isalnum() or character in _NEVER for character in text):
        raise InvalidScenario(
            f"--skills-separator {shown(given)}: give the characters that stand between the names of one cell, for "
            "example , or |"
        )
    return text
