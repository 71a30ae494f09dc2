"""How hard property tests search: quick by default, HYPOTHESIS_PROFILE=thorough for the night."""

import os

from hypothesis import HealthCheck, settings

# The first example compiles or imports something heavy; time limits per example would only make noise.
QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("quick", max_examples=25, **QUIET)
settings.register_profile("thorough", max_examples=1000, **QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
