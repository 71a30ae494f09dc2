"""Whatever the description allows or forbids, the service answers as described and never with a fault."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.core.result import Ok

from tests.small_service import BODY, app_of, write_centre

OPERATIONS = [
    ("POST", "/simulate/routing"), ("POST", "/simulate/batch"), ("GET", "/snapshots"), ("GET", "/snapshots/{name}"),
    ("GET", "/healthz"), ("GET", "/readyz"),
]  # fmt: skip
