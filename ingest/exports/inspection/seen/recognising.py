"""Which table a sheet is, and what each of its columns means in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from ingest.exports.inspection.known.vocabulary import Guess, fold, read
from ingest.exports.inspection.seen.facts import Facts, Seen
from ingest.exports.inspection.seen.weighing import PERSONAL, weighed
from ingest.sheets.sheet import Sheet

# As many columns of a sheet as there are may be these.
SEVERAL = frozenset({*PERSONAL, "unused"})
# Less than this is a coincidence.
_LEAST = 0.2
_TOLD = 0.35
_HINT = 1.5
_STRONG = 0.5
_WEAK = 0.6
# Tables that are told like another one, once somebody says that it is this.
_LIKE = {"busy": "staffing", "handle_factors": "agents", "aggregates": "volumes"}
_AGAINST = 1.5


@dataclass(frozen=True)
class Likeness:
    """What speaks for a table."""

    table: str
    hosts: Mapping[str, float]  # Meanings that its columns have, with how much each says
    needs: tuple[tuple[frozenset[str], ...], ...]  # Of each group one set of meanings must be there
    against: frozenset[str] = frozenset()  # Meanings that speak for another table
    is_list_of: tuple[str, ...] = ()  # One of these must be another in each row
    as_if: Mapping[str, str] = field(default_factory=dict)  # A meaning that is another one here
    hint: str = ""  # Words in names of files and sheets


@cache
def _likenesses() -> Mapping[str, Likeness]:
    return {
        table: Likeness(
            table,
            given["hosts"],
            tuple(tuple(map(frozenset, group)) for group in given["needs"]),
            frozenset(given.get("against", ())),
            tuple(given.get("list_of", ())),
            given.get("as_if", {}),
            given.get("hint", ""),
        )
        for table, given in read("tables.toml").items()
    }


@dataclass(frozen=True, eq=False)
class Recognised:
    """What a sheet is taken for, before it is said in a profile."""

    seen: Seen
    table: str | None
    score: float
    why: str
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # Columns by meaning
    guesses: Mapping[str, Guess] = field(default_factory=dict)  # By column
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # Columns that could have a meaning as well
    possible: Mapping[str, Mapping[str, Guess]] = field(default_factory=dict)  # All that a column may mean
    alternatives: Mapping[str, float] = field(default_factory=dict)  # Scores of other tables

    def column(self, *meanings: str) -> str | None:
        """The column of the first meaning that has one."""
        return next((self.roles[meaning][0] for meaning in meanings if meaning in self.roles), None)

    def likely(self, meaning: str) -> str | None:
        """The column that most likely has a meaning, whatever else it was taken for."""
        able = {name: found[meaning].score for name, found in self.possible.items() if meaning in found}
        best = max(able, key=lambda name: able[name], default=None)
        return best if best is not None and able[best] >= _TOLD else None

    def why_of(self, column: str, meaning: str = "") -> str:
        """Why a column is taken for that."""
        found = self.possible.get(column, {}).get(meaning) or self.guesses.get(column)
        return found.why if found is not None else "the order of its times"

    def facts(self, *meanings: str) -> Facts | None:
        """What is seen of that column."""
        name = self.column(*meanings)
        return None if name is None else self.seen[name]


def recognise(seen: Seen, table: str | None = None) -> Recognised:
    """What a sheet is taken for; `table` where somebody has said which it is."""
    guesses = {facts.name: weighed(facts) for facts in seen.columns}
    if seen.days and table in {None, "shifts"}:
        return _plan(seen, guesses)
    if table == "none":
        return Recognised(seen, "none", 0.0, "known, and not read")
    if table is not None:
        return _as(_likenesses()[_LIKE.get(table, table)], seen, guesses, table)
    found = [_as(likeness, seen, guesses) for name, likeness in _likenesses().items() if name != "shifts"]
    able = sorted((each for each in found if each.score > _LEAST), key=lambda each: -each.score)
    if not able:
        best = max(found, key=lambda each: each.score)
        return Recognised(seen, None, 0.0, _nothing(seen), guesses=best.guesses)
    others = {each.table: each.score for each in able[1:] if each.table}
    return Recognised(**{**able[0].__dict__, "alternatives": others})


def _as(
    likeness: Likeness, seen: Seen, guesses: Mapping[str, Mapping[str, Guess]], table: str | None = None
) -> Recognised:
    """A sheet seen as one table: which columns mean what in it, and how well that goes."""
    hosted = {
        name: _hosted(likeness, found) for name, found in guesses.items()
    }  # fmt: skip
    roles, taken, others = _assigned(likeness, seen, hosted)
    _give_what_is_needed(likeness, hosted, roles, taken)
    score = sum(likeness.hosts[meaning] * taken[name].score for meaning, names in roles.items() for name in names[:1])
    for name, found in guesses.items():
        if name not in taken and found:
            meaning, guess = max(found.items(), key=lambda each: each[1].score)
            score -= _AGAINST * guess.score if meaning in likeness.against else 0.0
    score += _HINT if likeness.hint and re.search(likeness.hint, _name(seen.sheet), re.IGNORECASE) else 0.0
    told = {meaning for meaning, names in roles.items() if taken[names[0]].score >= _TOLD}
    if not all(any(each <= told for each in group) for group in likeness.needs):
        score = 0.0
    if likeness.table == "members" and any(
        seen[roles[meaning][0]].is_unique for meaning in ("agent_id", "agent", "agent_name") if meaning in roles
    ):
        # Who stands there once is listed, not assigned.
        score *= 0.5
    if _rests_on_another_meaning(likeness, roles, guesses):
        score = 0.0
    if likeness.is_list_of and not _is_list(seen, roles, likeness.is_list_of):
        score = 0.0
    return Recognised(seen, table or likeness.table, score, _why(likeness, roles, taken), roles, taken, others, hosted)


def _hosted(likeness: Likeness, found: Mapping[str, Guess]) -> dict[str, Guess]:
    """Meanings of a column that the table has, those that mean another one here among them."""
    hosted: dict[str, Guess] = {}
    for meaning, guess in found.items():
        here = likeness.as_if.get(meaning, meaning)
        score = guess.score if here == meaning else guess.score * 0.95
        if here in likeness.hosts and guess.score >= _TOLD * 0.8 and (here not in hosted or hosted[here].score < score):
            hosted[here] = Guess(score, guess.why)
    return hosted


def _assigned(
    likeness: Likeness, seen: Seen, hosted: Mapping[str, Mapping[str, Guess]]
) -> tuple[dict[str, tuple[str, ...]], dict[str, Guess], dict[str, tuple[str, ...]]]:
    """Each column its best meaning, each meaning its best column; the surest first."""
    place = {facts.name: n for n, facts in enumerate(seen.columns)}
    pairs = sorted(
        (
            (-round(guess.score, 2), -likeness.hosts[meaning], place[name], name, meaning)
            for name, found in hosted.items()
            for meaning, guess in found.items()
        ),
    )
    roles: dict[str, tuple[str, ...]] = {}
    taken: dict[str, Guess] = {}
    others: dict[str, tuple[str, ...]] = {}
    for score, _, _, name, meaning in pairs:
        if name in taken:
            continue
        if meaning in roles and meaning not in SEVERAL:
            if -score >= 0.8:
                others[meaning] = (*others.get(meaning, ()), name)
            continue
        roles[meaning] = (*roles.get(meaning, ()), name)
        taken[name] = hosted[name][meaning]
    # What was taken for something else on weak grounds could still be it.
    free = {
        meaning: tuple(name for name in names if name not in taken or taken[name].score < _WEAK)
        for meaning, names in others.items()
    }
    return roles, taken, free


def _give_what_is_needed(
    likeness: Likeness,
    hosted: Mapping[str, Mapping[str, Guess]],
    roles: dict[str, tuple[str, ...]],
    taken: dict[str, Guess],
) -> None:
    """A column that could be what a table cannot do without is that, rather than what it may do without."""
    needed = {meaning for group in likeness.needs for each in group if each <= roles.keys() for meaning in each}
    for group in likeness.needs:
        if any(each <= roles.keys() for each in group):
            continue
        wanted = [next(iter(each)) for each in group if len(each) == 1]
        able = [
            (found[meaning].score, name, meaning)
            for name, found in hosted.items()
            for meaning in wanted
            if meaning in found and found[meaning].score >= _TOLD
        ]
        for _, name, meaning in sorted(able, reverse=True):
            of = [each for each, names in roles.items() if name in names]
            if not set(of) & needed:
                for each in of:
                    del roles[each]
                roles[meaning], taken[name] = (name,), hosted[name][meaning]
                break


def _rests_on_another_meaning(
    likeness: Likeness,
    roles: Mapping[str, tuple[str, ...]],
    guesses: Mapping[str, Mapping[str, Guess]],
) -> bool:
    """Whether all that speaks for a table is a name that means something else: people are no list of queues."""
    strong = [meaning for meaning in roles if meaning not in SEVERAL and likeness.hosts[meaning] >= _STRONG]
    return len(strong) == 1 and strong[0] in likeness.as_if.values() and strong[0] not in guesses[roles[strong[0]][0]]


def _is_list(seen: Seen, roles: Mapping[str, tuple[str, ...]], meanings: tuple[str, ...]) -> bool:
    """Whether one of the meanings is another in (nearly) each row, and none of them in few."""
    shares = [
        seen[roles[meaning][0]].kind.n_distinct / max(1, seen[roles[meaning][0]].kind.n_seen)
        for meaning in meanings
        if meaning in roles
    ]
    return bool(shares) and max(shares) >= 0.95 and min(shares) >= 0.3


def _plan(seen: Seen, guesses: Mapping[str, Mapping[str, Guess]]) -> Recognised:
    """A plan with days across."""
    found = _as(_likenesses()["shifts"], seen, guesses)
    what = "agents" if seen.is_down else "days"
    why = f"{len(seen.days)} columns are {what}, from {seen.days[0]} to {seen.days[-1]}"
    if seen.is_down:
        name = next(facts.name for facts in seen.columns if facts.is_unique)
        found = Recognised(
            seen, "shifts", 10.0, why, {"date": (name,)}, {name: Guess(1.0, "each of its cells is a day")}
        )
    return Recognised(**{**found.__dict__, "why": why, "score": 10.0})


def _name(sheet: Sheet) -> str:
    return sheet.name.replace("_", " ")


def _why(likeness: Likeness, roles: Mapping[str, tuple[str, ...]], taken: Mapping[str, Guess]) -> str:
    told = sorted(
        (
            (likeness.hosts[meaning] * taken[names[0]].score, names[0])
            for meaning, names in roles.items()
            if meaning not in SEVERAL
        ),
        reverse=True,
    )
    return f"it has {_listed([name for _, name in told[:4]])}"


def _listed(names: list[str]) -> str:
    return (
        " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        if names
        else "nothing that is known"
    )


def _nothing(seen: Seen) -> str:
    return f"no table of ours has columns such as {_listed([fold(facts.name) for facts in seen.columns[:3]])}"
