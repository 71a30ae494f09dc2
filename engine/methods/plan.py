"""A routing method as data: what selection reads."""

from __future__ import annotations

from dataclasses import dataclass

from engine.typing import FloatArray, Int32Array


@dataclass(frozen=True)
class Plan:
    """Keys of some requirements for all agents, under a stack of scenarios.

    Parameters
    ----------
    key : (n_scenarios, n, n_agents) array of float
        Larger is better; 0 = never.
    agent : (n_agents,) array of int32
        The agent of each column; among equal keys the earlier column wins.
    """

    key: FloatArray
    agent: Int32Array
