"""What some code imports, seen from a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAVY = ("numba", "scipy.stats", "scipy.optimize", "fastapi", "uvicorn", "PureCloudPlatformClientV2", "ray")


def imported(code: str) -> set[str]:
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(json.loads(ran.stdout.splitlines()[-1]))
