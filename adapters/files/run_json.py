"""What an adapter's folder says about itself: `run.json` and `metrics.json`.

Knows JSON and which key every reader needs; knows nothing of weights or of training.
"""

import json
from pathlib import Path
from typing import Any

from adapters.errors import NotServable

RUN_FILE = "run.json"
METRICS_FILE = "metrics.json"
RUN_FORMAT = 1  # of run.json


def read_run_json(folder: Path) -> dict[str, Any]:
    """Return an adapter's `run.json`, which names its base model under `base`.

    Raises:
        NotServable: It is missing or damaged, or names no base model.
    """
    run = _read(folder / RUN_FILE)
    base = run.get("base")
    if not isinstance(base, dict) or not {"id", "revision"} <= base.keys():
        raise _refuse(folder, f"{RUN_FILE} does not say what the adapter was trained on")
    return run


def read_metrics_json(folder: Path) -> dict[str, Any]:
    """Return an adapter's `metrics.json`.

    Raises:
        NotServable: It is missing or damaged.
    """
    return _read(folder / METRICS_FILE)


def write_json(path: Path, value: object) -> None:
    """Write a file of the folder, indented, with whatever is no JSON as its text."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    path.write_text(text + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise _refuse(path.parent, f"{path.name} is missing or damaged") from exc
    if not isinstance(value, dict):
        raise _refuse(path.parent, f"{path.name} is not a JSON object")
    return value


def _refuse(folder: Path, reason: str) -> NotServable:
    return NotServable(f"{folder.name}: {reason}", (reason,))
