"""A process that does one job and leaves its result: `python -m adapters.children.child JOB.json`.

Owns what belongs to being a child: events as JSON lines on standard output and everything else on
standard error, low priority, and an end when the parent ends, seen by the closed standard input.
What is done is named by the job (`call`, a function of this room); this file knows nothing of it.
"""

import importlib
import json
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

from adapters.children.parent import step_back
from adapters.errors import AdapterError


def main(arguments: list[str]) -> int:
    """Do the job of a file, its result into `result.json` beside it; return the exit code."""
    file = Path(arguments[0])
    job: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no event
    threading.Thread(target=_end_with_parent, args=(file.parent,), daemon=True).start()
    step_back(job["nice"])

    def emit(event: object) -> None:
        events.write(json.dumps(event, ensure_ascii=False) + "\n")
        events.flush()

    try:
        module, _, name = job["call"].partition(":")
        result = getattr(importlib.import_module(module), name)(job, emit)
        text = json.dumps(result, ensure_ascii=False)
        file.with_name("result.json").write_text(text, encoding="utf-8")
    except AdapterError as exc:
        emit({"failed": str(exc)})
        return 1
    except Exception as exc:
        emit({"failed": f"{type(exc).__name__}: {exc}"})
        raise
    return 0


def _end_with_parent(scratch: Path) -> None:
    """Wait until the parent closes our standard input, which its death does too."""
    while os.read(0, 1):  # not sys.stdin: its lock, held by a daemon, aborts our own ending
        pass
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
