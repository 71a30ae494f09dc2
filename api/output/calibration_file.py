"""Calibration files: assumptions fitted on one log, as JSON that a person can read and a replay can take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from engine.errors import InvalidScenario, MissingInput, NotWritable

KIND = "routelab calibration"


def read_calibration(path: Path) -> dict[str, Any]:
    """The assumptions of a calibration file.

    Parameters
    ----------
    path : Path
        As `write_calibration` wrote it.

    Returns
    -------
    dict
        Fields of `engine.estimates.assumptions.Assumptions`.

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
    return dict(content["assumptions"])


def fitted_on(path: Path) -> dict[str, Any]:
    """Id and SHA-256 of the snapshot that a calibration was fitted on.

    Parameters
    ----------
    path : Path
        A file that `read_calibration` has accepted.

    Returns
    -------
    dict
        Empty where the file does not say.
    """
    evidence = orjson.loads(path.read_bytes()).get("evidence")
    origin = evidence.get("snapshot") if isinstance(evidence, dict) else None
    return dict(origin) if isinstance(origin, dict) else {}


def write_calibration(path: Path, assumptions: dict[str, Any], evidence: dict[str, Any]) -> None:
    """Write fitted assumptions with what speaks for them, whole or not at all.

    Parameters
    ----------
    path : Path
        The file; replaced where it exists.
    assumptions : dict
        Fields of `engine.estimates.assumptions.Assumptions` that were fitted.
    evidence : dict
        Spans, candidates and how well each fits.

    Raises
    ------
    NotWritable
        If the file cannot be written.
    """
    content = {"kind": KIND, "assumptions": assumptions, "evidence": evidence}
    side = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        side.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY) + b"\n")
        side.replace(path)
    except OSError as error:
        raise NotWritable(f"{path}: cannot be written ({error.strerror}); choose another place") from error
    finally:
        side.unlink(missing_ok=True)
