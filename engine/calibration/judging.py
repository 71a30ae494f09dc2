"""Whether desks bring replays nearer to the record: each is tried on days held out, and taken only where it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.calibration.agreement import banded
from engine.calibration.closeness import LIMITS
from engine.calibration.desks import MEMBER, OVERFLOW, DeskFit
from engine.calibration.evidence import Beside, Desks, DeskTest
from engine.calibration.in_force import Desk, InForce, desk_text, kind_of
from engine.calibration.span import Span
from engine.estimates.assumptions import Assumptions
from engine.typing import Progress

DRAWS = 3
# Nearer by less is as good as chance: in limits of the light, and as a share of what a kind is off by.
LEAST_NEARER, LEAST_SHARE = 0.05, 0.1


def judged(
    span: Span, fits: Sequence[DeskFit], rules: Sequence[Desk], assumed: Assumptions, noise: float | None,
    progress: Progress | None,
) -> tuple[list[Desk], Desks]:  # fmt: skip
    """Desks that bring their kind nearer to the record of a span, and all of them together the whole no further."""
    before, found = _kinds(span, assumed), []
    for number, rule in enumerate(rules):
        if progress is not None:
            progress("trying desks", number, len(rules))
        with_desk = span.under(InForce([], [rule]))
        place = kind_of(span.arrays.centre, rule)
        found.append(_tested(rule, before[place], _kinds(with_desk, assumed)[place]))
    kept = [rule for rule, test in zip(rules, found, strict=True) if test.adopted]
    # Desks share agents, so what helps one by one need not help together.
    together = ""
    if kept and _loss(span.under(InForce([], kept)), assumed) > _loss(span, assumed) + (noise or 0.0):
        kept, found = [], [replace(test, adopted=False) for test in found]
        together = "Together those that help one by one bring the whole further from the record, so none is used"
    return kept, Desks(verdict=_words(fits, found, together), desks=list(fits), tests=found)


def _kinds(span: Span, assumed: Assumptions) -> list[Beside]:
    """Each requirement beside the record; requirements keep their places whatever queue they wait in."""
    centre = span.arrays.centre
    replays = span.replays(assumed, DRAWS, None, "")
    return banded(span.past_types, replays.types, centre.requirement.astype(np.int64), centre.n_requirements)


def _loss(span: Span, assumed: Assumptions) -> float:
    return float(np.mean(span.losses(assumed, range(DRAWS))[0]))


def _tested(rule: Desk, before: Beside, after: Beside) -> DeskTest:
    off = [_off(row) for row in (before, after)]
    return DeskTest(
        desk_id=rule.desk_id, recorded=before.recorded, before=before.calibrated, after=after.calibrated,
        off_before=off[0], off_after=off[1], adopted=off[0] - off[1] > max(LEAST_NEARER, LEAST_SHARE * off[0]),
    )  # fmt: skip


def _off(row: Beside) -> float:
    """How far a kind is from the record, in limits of the light."""
    found = []
    for name, limit in LIMITS.items():
        mine, theirs = getattr(row.calibrated, name), getattr(row.recorded, name)
        if mine is not None and theirs is not None:
            found.append((mine - theirs) / (limit * (max(theirs, 1.0) if name == "asa_s" else 1.0)))
    return float(np.sqrt(np.mean(np.square(found)))) if found else 0.0


def _words(fits: Sequence[DeskFit], tests: Sequence[DeskTest], together: str) -> str:
    if not fits:
        return "desks are not determined: no kind of call has choices enough"
    if not tests:
        return "everybody who takes calls of a kind is an equal member of its desk, as far as the log tells"
    special = [fit for fit in fits if fit.is_special]
    said = []
    for fit, test in zip(special, tests, strict=True):
        roles = [sum(one.role == role for one in fit.agents) for role in (MEMBER, OVERFLOW)]
        rest = len(fit.agents) - sum(roles)
        how = "used" if test.adopted else "not used"
        said.append(
            f"{desk_text(fit.queue_id, fit.skills, fit.language)}: {roles[0]} members, {roles[1]} overflow, {rest} "
            f"incidental; off by {test.off_before:.2f} limits without and {test.off_after:.2f} with it, {how}"
        )
    return "desks, held against the days held out: " + "; ".join(said) + (f". {together}" if together else "")
