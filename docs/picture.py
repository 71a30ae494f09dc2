"""Draw the picture of the README from real runs: `python docs/picture.py` where the demo has been run.

Service level by half hour of the day: as recorded, today's rule replayed, and a scenario.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from api.terminal.cli import run

STORE, SNAPSHOT, ZONE = Path("data/snapshots"), "demo", "Asia/Jerusalem"
WITHIN_S, FEWEST = 20.0, 2000
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 380, 64, 24, 84, 46
