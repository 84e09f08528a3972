"""The same bugs shown to other checkers: they say that something differs, check says what."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.nightly
@pytest.mark.oracle
def test_against_gradcheck_and_check_grads():
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    command = [sys.executable, str(ROOT / "bench" / "backward_checkers.py"), "--summary"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}
    )
    assert done.returncode == 0, done.stderr
    numbers = [int(n) for n in re.findall(r"\d+", done.stdout)]
    bugs, right, wrongly, silent, torch, jax = numbers[:6]
    assert wrongly == 0
    assert right >= 0.9 * bugs
    assert right + silent == bugs
    assert torch >= 0.9 * bugs, "gradcheck finds nearly all, and names none"
    assert jax >= 0.9 * bugs
