"""Starts one program in the supervisor's stead: `python -m service.supervision.launch`.

First ends what the program's former run left in its process group, then records itself as the
group's leader and becomes the program (`exec`: same process id, no wrapper stays behind).
Knows nothing about the program; imports nothing heavy, since every start pays for it.
"""

import os
import sys
from pathlib import Path

from service.supervision.leftovers import program_marks, record, sweep


def main(arguments: list[str]) -> None:
    """Become the program.

    Args:
        arguments: Folder of the records, program name, the supervisor's socket address, then the
            program's own argument list.
    """
    run, program, supervisor_url, *argv = arguments
    marks = program_marks(program, supervisor_url)
    ended = sweep(Path(run), program, marks=marks)
    if ended:
        sys.stderr.write(f"ended {len(ended)} processes that outlived {program}: {ended}\n")
        sys.stderr.flush()
    record(Path(run), program)
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main(sys.argv[1:])
