"""`python -m adapters DIRECTORY` prepares an embedded base model and embedder there.

It prints what it waits for. A model that no source has is replaced by the small one of its kind,
which is said once.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from adapters.base_models import (
    BASE_MODELS,
    EMBEDDERS,
    MINILM,
    SMOLLM2,
    ModelFolder,
    Preparation,
    prepare_base_model,
    prepare_embedder,
)
from adapters.errors import AdapterError, ModelDownloadFailed

Prepare = Callable[..., ModelFolder]


def main(arguments: list[str]) -> int:
    """Prepare a base model and an embedder in a directory and return the exit code."""
    options = _options(arguments)
    how = Preparation(named=options.models, use_hub=not options.no_hub, on_progress=_print_line)
    wanted: tuple[tuple[Prepare, str, str], ...] = (
        (prepare_base_model, options.base_model, SMOLLM2.id),
        (prepare_embedder, options.embedder, MINILM.id),
    )
    try:
        for prepare, name, small in wanted:
            model = _prepare_or_small(prepare, options.directory, how, (name, small))
            _print_line(f"{model.id} {model.revision}")
    except AdapterError as exc:
        sys.stderr.write(f"{exc}\n{exc.hint}\n")
        return 1
    return 0


def _prepare_or_small(
    prepare: Prepare, directory: Path, how: Preparation, names: tuple[str, str]
) -> ModelFolder:
    name, small = names
    try:
        return prepare(directory, how, name=name)
    except ModelDownloadFailed as exc:
        if name == small:
            raise
        _print_line(f"{name} could not be fetched, so {small} serves: {exc}")
        return prepare(directory, how, name=small)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m adapters", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIRECTORY")
    parser.add_argument("--base-model", choices=BASE_MODELS, default=SMOLLM2.id)
    parser.add_argument("--embedder", choices=EMBEDDERS, default=MINILM.id)
    parser.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help="folder with model files fetched elsewhere, under their own names; tried first",
    )
    parser.add_argument("--no-hub", action="store_true", help="do not ask the Hugging Face hub")
    return parser.parse_args(arguments)


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
