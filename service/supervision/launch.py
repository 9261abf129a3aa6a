"""Starts one supervised program: `python -m service.supervision.launch`.

First ends what the program's last run left in its process group, then records itself as the
group's leader and becomes the program (`exec`: same process id, no wrapper process).
Knows nothing about the program; imports nothing heavy, since every start waits for it.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from service.supervision.leftovers import program_marks, record, sweep


def main(arguments: list[str]) -> None:
    """Replace this process by the program.

    Args:
        arguments: Folder of the records, program name, the supervisor's socket address. The
            program's own arguments are read from the folder: no quoting rules apply.
    """
    folder, program, supervisor_url = arguments
    run = Path(folder)
    argv = read_arguments(run, program)
    ended = sweep(run, program, marks=program_marks(program, supervisor_url))
    if ended:
        sys.stderr.write(f"ended {len(ended)} processes that outlived {program}: {ended}\n")
        sys.stderr.flush()
    record(run, program)
    os.execvp(argv[0], argv)


def write_arguments(run: Path, program: str, argv: Sequence[str]) -> None:
    """Store a program's argument list for its starts."""
    _arguments_file(run, program).write_text(json.dumps(list(argv)))


def read_arguments(run: Path, program: str) -> list[str]:
    """Return a program's argument list."""
    return [str(word) for word in json.loads(_arguments_file(run, program).read_text())]


def _arguments_file(run: Path, program: str) -> Path:
    return run / f"{program}.argv.json"


if __name__ == "__main__":
    main(sys.argv[1:])
