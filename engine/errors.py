"""What can go wrong and be put right by the caller: few classes, one cause each.

Every message says where, what was found, and the way out. The doors look the class up in one
table (``api.errors``) to choose an exit code or an HTTP status.
"""

from engine.texts import visible


class RoutingError(Exception):
    """Root of all errors that a user can put right.

    Parameters
    ----------
    *problems : str
        One sentence per finding, each with its own place and remedy; as text a line each. What a terminal would obey
        or not show is made visible here, wherever the error is told later: in a log, an answer or a notebook.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = tuple(map(visible, problems))
        super().__init__("\n".join(self.problems))


class InvalidTable(RoutingError):
    """A table or file does not hold what it should."""


class InvalidScenario(RoutingError):
    """Weights, a goal or an option cannot be used as given."""


class UnknownName(RoutingError):
    """A queue, skill, interaction or snapshot that does not exist was asked for."""


class UnknownSkill(InvalidScenario):
    """A required skill that no agent of the snapshot has."""


class NobodyEligible(RoutingError):
    """Agents exist, but none reached the threshold."""


class SnapshotExists(RoutingError):
    """A snapshot of this name is there already and nobody said to replace it."""


class CorruptSnapshot(RoutingError):
    """A snapshot's files do not match its manifest."""


class MissingInput(RoutingError):
    """The run needs a table, package or file that is not there."""


class NotEnoughMemory(RoutingError):
    """What was asked for needs more memory than there is."""


class NotWritable(RoutingError):
    """A folder that results should go to cannot be written."""


class LimitReached(RoutingError):
    """The operating system gives this process no more open files or mappings."""
