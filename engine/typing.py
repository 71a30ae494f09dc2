"""Short names for types that signatures use."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.integer[Any]]
Int8Array: TypeAlias = NDArray[np.int8]
Int32Array: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]
Texts: TypeAlias = list[str]
# A JSON object as a source or a measurement gives it; results are dataclasses.
Record: TypeAlias = dict[str, Any]
# Told what is being done, how much of it is done, and how much there is in all.
Progress: TypeAlias = Callable[[str, int, int], None]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Map(Protocol):
    """Does many runs that do not depend on one another, wherever, and gives their results in order."""

    def __call__(self, work: Callable[[Item], Result], items: Iterable[Item], /) -> Iterable[Result]:
        """Results in the order of the items."""
        ...
