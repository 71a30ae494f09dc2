"""The light: whether a replay of today's rule reproduces the record."""

from __future__ import annotations

from engine.typing import Record

# A replay of today's rule that misses the record by more than this does not carry a verdict.
ASA_OFF, SERVICE_LEVEL_OFF = 0.20, 0.05


def light(past: Record, today: Record) -> Record:
    """Whether the replay of today's rule reproduces the record well enough to carry a verdict.

    Parameters
    ----------
    past, today : dict
        Summaries of the two columns.

    Returns
    -------
    dict
        color (green, red, unknown), how far off ASA (share) and service level (0-1) are, and why in words.
    """
    missing = _unjudged(past, today)
    if missing:
        color, why = missing
        return {"color": color, "asa_off": None, "service_level_off": None, "why": why}
    level_off = today["service_level"] - past["service_level"]
    # Where nobody waited at all, any wait is as far off as can be.
    asa_off = today["asa_s"] / past["asa_s"] - 1 if past["asa_s"] else float(today["asa_s"] > 1)
    is_red = abs(asa_off) > ASA_OFF or abs(level_off) > SERVICE_LEVEL_OFF
    off = [_off(100 * asa_off, 0, "%"), _off(100 * level_off, 1, "points")]
    why = (
        f"today's rule replayed has an ASA {off[0]} the recorded one and a service level {off[1]} it "
        f"(limits {100 * ASA_OFF:.0f} % and {100 * SERVICE_LEVEL_OFF:.0f} points)"
    )
    return {"color": "red" if is_red else "green", "asa_off": asa_off, "service_level_off": level_off, "why": why}


def _unjudged(past: Record, today: Record) -> tuple[str, str] | None:
    """Color and reason where the two columns cannot be set against each other."""
    if not past.get("answered", True):
        return "unknown", "nothing is recorded as answered, so nothing says how true this replay is"
    if past["asa_s"] is None or past["service_level"] is None:
        return "unknown", "waits are not recorded, so nothing says how true this replay is"
    if today["asa_s"] is None or today["service_level"] is None:
        return "red", "today's rule replayed answers nobody, the record does: look at staffing, members and skills"
    return None


def _off(value: float, digits: int, unit: str) -> str:
    """How far off, and on which side."""
    if round(value, digits) == 0:
        return "equal to"
    return f"{abs(value):,.{digits}f} {unit} {'above' if value > 0 else 'below'}"
