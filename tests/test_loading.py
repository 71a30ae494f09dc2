"""What a service loads while it starts is all that first requests take."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import gc, sys, tempfile
from pathlib import Path
from api.http.serving.loading import load_engine
from tests.small_service import BODY, STAFFING, client_of, write_centre

store = Path(tempfile.mkdtemp(dir=sys.argv[1]))
write_centre(store, staffing=STAFFING)
client = client_of(store)
client.get("/metrics")
load_engine()
assert gc.isenabled() and gc.get_freeze_count() > 100_000
before = set(sys.modules)
row = {"id": "1", "arrived_at": "2024-03-04T09:00:00Z"}
bodies = [
    {}, {"mode": "replay", "method": "genesys"}, {"scenario": [{"name": "ours", "method": "weighted"}]},
    {"interactions": [row], "outcomes": True},
]
assert client.post("/simulate/routing", json=BODY | {"explain": True}).status_code == 200
assert [client.post("/simulate/batch", json=body).status_code for body in bodies] == [200] * 4
assert client.get("/docs").status_code == 200
from engine.kernels import replay, selection
print(sorted(set(sys.modules) - before), len(replay.replay_until.signatures), len(selection.best_columns.signatures))
"""


def test_first_requests_import_and_compile_nothing(tmp_path):
    """Either would hold the interpreter lock, and so every other request, for a tenth of a second and more."""
    found = subprocess.run([sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True, check=False)
    assert found.stdout.strip() == "[] 1 1", found.stderr[-2000:]
