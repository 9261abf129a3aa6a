"""What a model folder holds, and what is known of it.

A base model or an embedder is a folder of safetensors weights, with `model.json` beside them where
we made it. Knows files and their hashes; knows nothing of where a model comes from, and loads no
weights.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adapters.errors import BaseModelNotFound
from adapters.files.weights import hash_file, hash_text

RECORD_FILE = "model.json"


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
        return read_record(folder)
    settings = _read_settings(folder)
    sha256 = hash_weights(folder)
    limit = settings.get("max_position_embeddings")
    return ModelFolder(
        id=name,
        revision=revision_of(sha256),
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


def read_record(folder: Path) -> ModelFolder:
    """Return what a folder's `model.json` says.

    Raises:
        BaseModelNotFound: It is missing or damaged.
    """
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
        raise BaseModelNotFound(f"{folder} has no readable config.json") from exc
    if not isinstance(settings, dict):
        raise BaseModelNotFound(f"{folder / 'config.json'} is not a JSON object")
    return settings


def hash_weights(folder: Path) -> str:
    """Return the SHA-256 (hex) of a folder's weights, over all files where there are several."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise BaseModelNotFound(f"{folder} has no safetensors weights")
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


def revision_of(sha256: str) -> str:
    """Return the revision of weights with this hash."""
    return f"sha256-{sha256[:12]}"
