"""Calibration: what history does not say, fitted on some days, tried on others, with all that speaks against it."""

from engine.calibration.fit import Calibration, calibrate, default_days

__all__ = ["Calibration", "calibrate", "default_days"]
