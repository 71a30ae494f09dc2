"""Everything that leaves a process as text goes through here: lines, JSON for machines, and the log.

Names come from files and platforms: none of them may be obeyed by a terminal, forge a line of a log, or end a command
for want of a letter. The doors print nothing by other means; tables are made by `api.terminal.shown.page`.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from engine.texts import safe_json, visible

# Named where it fails, as a file is.
OUTPUT = "standard output"


class _Output(io.TextIOWrapper):
    """A standard stream that says its name where it fails, and writes letters that it lacks as escapes."""

    def __init__(self, buffer: Any, encoding: str, **buffering: Any) -> None:
        super().__init__(buffer, encoding, "backslashreplace", **buffering)

    def write(self, text: str) -> int:
        """As any stream."""
        with _named():
            return super().write(text)

    def flush(self) -> None:
        """As any stream."""
        with _named():
            super().flush()


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, OUTPUT) from error


def open_streams() -> None:
    """Put something in the place of standard streams that are closed, and let none fail for a letter that it lacks.

    Without this the next file that is opened would get the number of a closed stream, and whatever writes to that
    stream would write into the file. Printing to a closed output fails, as it should; closed errors take everything.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is given, which is this one. An output for reading only refuses what is written.
            os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False))
    out, errors = sys.stdout, sys.stderr
    if out is None:
        sys.stdout = _Output(io.FileIO(1, "w", closefd=False), "utf-8")
    elif isinstance(out, io.TextIOWrapper):
        kept = {"line_buffering": out.line_buffering, "write_through": out.write_through}
        sys.stdout = _Output(out.detach(), out.encoding, **kept)
    if errors is None:
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", "backslashreplace")


def end_printing() -> None:
    """Send what still waits to be printed: here at the latest a full disk is found out."""
    sys.stdout.flush()


def let_go() -> None:
    """Give up standard output: what waits there would fail once more when Python ends."""
    # In a notebook or a test it is no file, and nothing waits.
    with suppress(OSError, ValueError):
        number, nowhere = sys.stdout.fileno(), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


def say(text: str = "") -> None:
    """Print one line."""
    sys.stdout.write(encodable(visible(text), sys.stdout) + "\n")


def announce(text: str) -> None:
    """Print a line that nothing depends on: a service goes on where nobody can read that it has begun."""
    try:
        say(text)
        end_printing()
    except (OSError, ValueError):
        let_go()


def say_json(content: object) -> None:
    """Print JSON for machines, exact in any encoding; given as values, or as bytes of JSON."""
    import orjson

    encoded = content if isinstance(content, bytes) else orjson.dumps(content, option=orjson.OPT_INDENT_2)
    is_unicode = _encoding(sys.stdout).lower().startswith("utf")
    sys.stdout.write(safe_json(encoded.decode(), in_ascii=not is_unicode) + "\n")


def tell(*lines: str) -> None:
    """Print lines to standard error, where progress, warnings and refusals go."""
    # Where errors cannot be written either, nobody is left to be told.
    with suppress(OSError, ValueError):
        sys.stderr.write("".join(f"{encodable(visible(line), sys.stderr)}\n" for line in lines))
        sys.stderr.flush()


def prompt(text: str) -> None:
    """Print to standard error what an answer is typed behind."""
    sys.stderr.write(encodable(visible(text), sys.stderr))
    sys.stderr.flush()


def encodable(text: str, stream: IO[str]) -> str:
    """A text in the letters that a stream has, others as escapes, so that widths are known before it is printed."""
    encoding = _encoding(stream)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _encoding(stream: IO[str]) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


class LogLines(logging.Formatter):
    """Lines of a log: one for each entry whatever names are in it, and what belongs to it indented under it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802, the library's name
        """The entry itself."""
        return visible(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802, the library's name
        """Where an error came from; what it says may have lines of its own, which must not look like entries."""
        return "\n".join(f"  | {visible(line)}" for line in super().formatException(ei).splitlines())  # type: ignore[arg-type]


# For `logging.config.dictConfig`: warnings and worse to standard error, the libraries' as well as ours.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": LogLines}},
    "handlers": {"errors": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["errors"], "level": "WARNING"},
}
