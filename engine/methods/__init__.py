"""Routing methods: each fills one `Plan`. Tests and doors read the table `METHODS`."""

from engine.methods import weighted

METHODS = {"weighted": weighted.plans}
