"""A profile: how the files of one centre become tables, month after month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Copied:
    """A column of ours is a column of the file."""

    column: str


@dataclass(frozen=True)
class Summed:
    """Seconds that are the sum of columns: handling time of talk, hold and after-call work.

    `less` are taken off again: handling is the whole duration less waiting.
    """

    columns: tuple[str, ...]
    less: tuple[str, ...] = ()


@dataclass(frozen=True)
class Between:
    """Seconds from one time of the row to another: waiting from arrival to answer.

    Where `end` is empty it runs to `otherwise`: who hangs up waited until the call ended. `plus` are seconds on top:
    handling runs from answer to end, and after-call work follows.
    """

    start: str
    end: str
    otherwise: str | None = None
    plus: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shifted:
    """A time of the row, earlier or later by durations of it: arrival is answer less waiting.

    `less` and `plus` name columns of seconds.
    """

    time: str
    less: tuple[str, ...] = ()
    plus: tuple[str, ...] = ()


@dataclass(frozen=True)
class Joined:
    """A time whose date stands in one column and whose clock time in another."""

    date: str
    clock: str


@dataclass(frozen=True)
class Named:
    """A name that stands in several columns: first name and surname."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class Spread:
    """Names that stand as one column each, with a level or a mark in the cell: the skills of agents."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class Same:
    """The same for all rows: a file of one queue, or of one medium."""

    value: str


@dataclass(frozen=True)
class Filled:
    """One value where a column is filled, another where it is empty: answered if an agent is named."""

    column: str
    then: str
    otherwise: str


From = Copied | Summed | Between | Shifted | Joined | Named | Spread | Same | Filled


@dataclass(frozen=True)
class Part:
    """How one kind of file becomes rows."""

    # Key of `engine.data.tables.TABLES`, or `shifts` (a plan with days across), or `volumes` (contacts per interval)
    table: str
    files: tuple[str, ...]  # Names or patterns, `plan.xlsx#March` for one sheet of a workbook
    columns: Mapping[str, From] = field(default_factory=dict)  # Where each column of ours comes from
    # By column of ours: what its cells mean, `Sprachanruf` is `voice`. Of a plan with days across `cells`: `F` is
    # `06:00-14:00`, `krank` is nothing.
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dates: str | None = None  # Order of day, month and year where the file leaves it open: `dmy`, `mdy`, `ymd`
    # By column of ours: unit of plain numbers where it is not seconds: `ms`, `min`, `h`, `days`
    units: Mapping[str, str] = field(default_factory=dict)
    # `visit`: one row is one interaction. `segment`: several rows of one conversation are joined
    rows: str = "visit"
    # By column of the file: rows with another value in it are left out, outbound calls say
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unused: tuple[str, ...] = ()  # Columns that are known and not needed
    personal: tuple[str, ...] = ()  # Columns that are never stored


@dataclass(frozen=True)
class Profile:
    """How the files of a centre become tables."""

    time_zone: str | None = None  # IANA zone of times that name none
    parts: tuple[Part, ...] = ()
    # Names in other files that are meant for an agent, by the id of the agent: near misses that were asked about
    people: Mapping[str, str] = field(default_factory=dict)
    source: str = ""  # Whose files these are, and where their columns are published
