"""Routing methods: each fills `Plan`s. Tests and doors read the table `METHODS`."""

from engine.methods.weighted import Weighted

METHODS = {"weighted": Weighted}
