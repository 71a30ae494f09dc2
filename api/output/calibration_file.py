"""Calibration files: assumptions fitted on one log, as JSON that a person can read and a replay can take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from engine.calibration import Calibration
from engine.calibration.evidence import Origin
from engine.calibration.in_force import InForce
from engine.errors import InvalidScenario, MissingInput
from engine.results import plain

KIND = "routelab calibration"


@dataclass(frozen=True)
class Fitted:
    """What a calibration file says to whoever replays.

    Parameters
    ----------
    assumptions : dict
        Fields of `engine.estimates.assumptions.Assumptions`.
    origin : Origin or None
        The snapshot it was fitted on; None where the file does not say.
    in_force : InForce
        What it found of the rule in force.
    no_longer : str or None
        From when it no longer holds, in words; None where it holds on all days that were tested.
    """

    assumptions: dict[str, Any]
    origin: Origin | None
    in_force: InForce
    no_longer: str | None = None


def read_calibration(path: Path) -> Fitted:
    """The assumptions of a calibration file, and where they come from.

    Parameters
    ----------
    path : Path
        With the content that `content_of` gives.

    Returns
    -------
    Fitted
        As the file says; nothing of it is checked against a data set here.

    Raises
    ------
    MissingInput
        If there is no such file.
    InvalidScenario
        If it is not a calibration file.
    """
    try:
        content = orjson.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise MissingInput(f"{path}: there is no such file; make one with 'routelab calibrate --out {path}'") from error
    except (orjson.JSONDecodeError, OSError) as error:
        raise InvalidScenario(f"{path}: cannot be read as a calibration ({error}); make it again") from error
    if not (isinstance(content, dict) and content.get("kind") == KIND and isinstance(content.get("assumptions"), dict)):
        raise InvalidScenario(f"{path}: is no calibration file; make one with 'routelab calibrate'")
    try:
        in_force = InForce.of(content.get("in_force"))
    except InvalidScenario as error:
        raise InvalidScenario(f"{path}: {error}; make it again with 'routelab calibrate'") from error
    evidence = content.get("evidence")
    return Fitted(dict(content["assumptions"]), _origin(evidence), in_force, _no_longer(evidence))


def _origin(evidence: object) -> Origin | None:
    said = evidence.get("snapshot") if isinstance(evidence, dict) else None
    return Origin(said.get("id"), said.get("sha256")) if isinstance(said, dict) and said else None


def _no_longer(evidence: object) -> str | None:
    drift = evidence.get("drift") if isinstance(evidence, dict) else None
    return str(drift.get("short")) if isinstance(drift, dict) and drift.get("since") else None


def content_of(found: Calibration) -> bytes:
    """The content of a calibration file."""
    return orjson.dumps({"kind": KIND, **plain(found)}, option=orjson.OPT_INDENT_2) + b"\n"
