"""`python -m adapters DIRECTORY` prepares the embedded base model and embedder there.

It prints what it waits for.
"""

import sys
from pathlib import Path

from adapters.base_models import prepare_base_model, prepare_embedder
from adapters.errors import AdapterError


def main(arguments: list[str]) -> int:
    """Prepare both embedded models in a directory and return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m adapters DIRECTORY\n")
        return 2
    models_dir = Path(arguments[0])
    try:
        for prepare in (prepare_base_model, prepare_embedder):
            model = prepare(models_dir, on_progress=_print_line)
            _print_line(f"{model.id} {model.revision}")
    except AdapterError as exc:
        sys.stderr.write(f"{exc}\n{exc.hint}\n")
        return 1
    return 0


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
