"""The notebooks run from top to bottom, wherever they are started."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


def test_there_are_examples():
    assert [path.name for path in EXAMPLES] == ["first_look.py", "handling_time.py"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = runpy.run_path(str(path))
    assert not list(tmp_path.iterdir())
    cells = path.read_text(encoding="utf-8").split("# %%")
    assert len(cells) > 8
    assert all(cell.startswith((" [markdown]\n# ", "\n")) for cell in cells[1:])
    shown = capsys.readouterr().out
    assert "offered" in shown and "light:" in shown
    assert found["compared"].to_frame().height
