"""The Python door: read a contact centre, score it, replay it, compare ways to route it.

Examples
--------
>>> import routelab
>>> centre = routelab.read(agents="data/sample/agents.csv", interactions="data/sample/interactions.csv")
>>> routelab.replay(centre, method="longest_idle", sla="80/20").report.service_level.offered
300
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.errors import RoutingError
    from routelab.centre import Centre, read
    from routelab.files import Inspection, inspect
    from routelab.results import Compared, Run
    from routelab.runs import compare, replay, score

# Looked up at the first use, so that importing this costs nothing.
_HOME = {
    "Centre": "routelab.centre",
    "Compared": "routelab.results",
    "Inspection": "routelab.files",
    "RoutingError": "engine.errors",
    "Run": "routelab.results",
    "compare": "routelab.runs",
    "inspect": "routelab.files",
    "read": "routelab.centre",
    "replay": "routelab.runs",
    "score": "routelab.runs",
}
__all__ = [
    "Centre", "Compared", "Inspection", "RoutingError", "Run", "compare", "inspect", "read", "replay", "score"
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'routelab' has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    globals()[name] = found = getattr(import_module(_HOME[name]), name)
    return found


def __dir__() -> list[str]:
    return __all__
