"""What a child process does about itself."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, pathlib
from adapters.children import step_back
step_back(7)
file = pathlib.Path("/proc/self/autogroup")
print(os.nice(0), file.read_text().split()[-1] if file.exists() else 7)
"""


def test_a_child_steps_back_with_its_session() -> None:
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).parents[2],
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["7", "7"]
