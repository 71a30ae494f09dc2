"""Check the docstrings of public names: `python -m tests.docstrings`.

Everything public has one. What another room of the engine or of ingest imports follows numpydoc in full; inside a
room a sentence is enough, and where `BRIEF` names the room nothing is described parameter by parameter.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path

from numpydoc.validate import validate

from engine.setting import declared

ROOMS = ("routelab", "engine", "ingest", "api", "benchmarks")
FULL = ("routelab", "engine", "ingest")
BRIEF = ("ingest", "benchmarks")
# No docstring; parameters missing, unknown or out of order; what is returned; a summary of one line.
ALWAYS = {"GL08", "PR02", "SS01", "SS06"}
IN_FULL = {"PR01", "PR03", "RT01"}


def modules() -> Iterator[str]:
    """Names of all modules of the rooms, but for the one that runs on import."""
    for room in ROOMS:
        yield room
        package = importlib.import_module(room)
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            if not found.name.endswith("__main__"):
                yield found.name


def public(module: str) -> Iterator[str]:
    """Dotted names of what a module defines for others, methods included."""
    for name, thing in vars(importlib.import_module(module)).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module:
            continue
        if inspect.isfunction(thing):
            yield f"{module}.{name}"
        elif inspect.isclass(thing):
            yield f"{module}.{name}"
            yield from (f"{module}.{name}.{m}" for m, f in vars(thing).items() if _method(m, f))


def _method(name: str, thing: object) -> bool:
    return not name.startswith("_") and (inspect.isfunction(thing) or isinstance(thing, property | classmethod))


def _is_method(name: str) -> bool:
    return name.rsplit(".", 2)[-2][:1].isupper()


@cache
def used_elsewhere() -> frozenset[str]:
    """Dotted names of what a room takes from another, and of what the front of a package shows."""
    return frozenset(name for module in modules() for name in _taken(module))


def _taken(module: str) -> Iterator[str]:
    file = Path(inspect.getfile(importlib.import_module(module)))
    tree = ast.parse(file.read_text(encoding="utf-8"))
    whole = {}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(ROOMS)):
            continue
        if file.name == "__init__.py" or _room(node.module) != _room(module):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            whole |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    # A module taken whole is used by its attributes.
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in whole:
            yield f"{whole[node.value.id]}.{node.attr}"


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _is_declared(name: str) -> bool:
    """Whether the fields of a class are settings, which say themselves what they are."""
    module, _, last = name.rpartition(".")
    thing = getattr(sys.modules.get(module), last, None)
    return inspect.isclass(thing) and is_dataclass(thing) and any(declared(thing))


def problems(name: str) -> Iterator[str]:
    """What is wrong with one docstring."""
    found = validate(name)
    text = (found["docstring"] or "").strip()
    owner = name.rpartition(".")[0] if _is_method(name) else name
    is_used = owner in used_elsewhere()
    # An exception's parameters are its message; a docstring of one line says all.
    brief = "\n" not in text or _is_declared(name)
    wanted = ALWAYS | (IN_FULL if name.startswith(FULL) and is_used and not (_is_method(name) or brief) else set())
    yield from (f"{name}: {code} {text}" for code, text in found["errors"] if code in wanted)
    if name.startswith(BRIEF) and not is_used and "\nParameters\n---" in inspect.cleandoc(text):
        yield f"{name}: no other room imports it; one sentence is enough"


def main() -> int:
    """Print every problem; 1 if there was one."""
    found = [p for module in modules() for name in public(module) for p in problems(name)]
    print("\n".join(found) or "docstrings: all public names are documented")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
