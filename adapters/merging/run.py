"""Makes a base model of a base model and an adapter, and checks that it answers like the two.

The weights are added in a child process; the parent checks before, compares log-probabilities
after, writes the model's record and puts the folder in its place. Loads no torch.
"""

import json
import math
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adapters.base_models import RECORD_FILE, ModelFolder, describe_base_model
from adapters.children import ChildFailed, Task, run_child
from adapters.config import AdaptersConfig
from adapters.effect import read_effect_reference
from adapters.errors import DigestMismatch, MergeFailed
from adapters.files.adapter_id import is_named_by
from adapters.files.atomic_rename import atomic_rename
from adapters.files.run_json import read_run_json
from adapters.files.weights import digest_adapter
from adapters.servability import check_base, check_servability

# Measured on the embedded base model (DECISIONS.md): rounding merged weights to bfloat16 moves a
# token's log-probability by 0.0086 nats in the mean; one without the adapter is off by 1.1 nats.
MAX_ERROR = 0.03  # mean |merged - (base + adapter)| in nats: more than three times that
MAX_ERROR_SHARE = 0.25  # of the adapter's own shift, which small adapters need
WORK_PREFIX = ".merging-"
_TOKENIZER_FILES = ("*.json", "*.jinja", "*.txt", "*.model")


@dataclass(frozen=True, slots=True)
class MergeCheck:
    """How far a merged model is from base and adapter; means over tokens, in nats.

    Attributes:
        error: Merged against base with adapter; both computed in float32.
        shift: Base with adapter against base: what the adapter does.
        tolerance: Largest error that is let through.
        probes: Token sequences compared.
        tokens: Tokens compared.
    """

    error: float
    shift: float
    tolerance: float
    probes: int
    tokens: int

    @property
    def is_met(self) -> bool:
        """Whether the merged model answers like base and adapter; NaN does not."""
        return self.error <= self.tolerance


@dataclass(frozen=True, slots=True)
class MergedModel:
    """A base model made of another one and an adapter.

    Attributes:
        model: Its record, also in `model.json`.
        adapter_id: The adapter in it.
        base: Id and revision of the base model in it.
        check: How it was compared.
    """

    model: ModelFolder
    adapter_id: str
    base: Mapping[str, str]
    check: MergeCheck

    def as_dict(self) -> dict[str, Any]:
        """Return the model and its origin as plain content."""
        made_of = {"adapter": self.adapter_id, "base": dict(self.base), "check": asdict(self.check)}
        return {**self.model.as_dict(), "merged": made_of}


def merge_adapter(
    folder: Path,
    *,
    out: Path,
    base: ModelFolder,
    environment: Mapping[str, str],
    on_progress: Callable[[str], None] | None = None,
    settings: AdaptersConfig | None = None,
) -> MergedModel:
    """Write base model and adapter as one model, which can be served and trained on as a base.

    Args:
        folder: Of the adapter, named by its id.
        out: The new folder; must not exist. Its disk holds the model once.
        base: The base model the adapter belongs to. Four bytes of memory for each parameter.
        environment: Of the child process; telemetry is turned off on top.
        on_progress: Told what is being done.
        settings: Rank limit, threads and priority.

    Returns:
        The new model: safetensors, tokenizer and chat template of the base, and `model.json`.

    Raises:
        NotServable: The folder holds no adapter that could be loaded.
        BaseModelMismatch: It belongs to another base model, revision or chat template.
        DigestMismatch: Its content is not what its name says.
        InvalidEffectReference: Its run.json holds no token sequences to compare on.
        MergeFailed: `out` exists, the child ended without a model, the disk is full, or the
            merged model does not answer like base and adapter. Nothing was stored.
    """
    limits = settings or AdaptersConfig()
    out = out.expanduser().absolute()
    if out.exists() or out.is_symlink():
        raise MergeFailed(f"{out} already exists; give a new folder")
    run = read_run_json(folder)
    check_base(run, base, folder.name)
    sha256 = digest_adapter(folder)
    if not is_named_by(folder.name, sha256):
        raise DigestMismatch(f"{folder.name} was changed on disk: its SHA-256 is {sha256}")
    check_servability(folder, max_lora_rank=limits.max_lora_rank, base=base)
    probes = [probe.token_ids for probe in read_effect_reference(run)]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=out.parent))
    except OSError as exc:
        raise MergeFailed(f"{out} cannot be written: {exc}") from exc
    try:
        made = work / "model"
        job = {"base": str(base.folder), "adapter": str(folder), "out": str(made)}
        measured = run_child(
            Task.in_folder(work, "adapters.merging.process.merge:merge", {**job, "probes": probes}),
            environment=environment,
            limits=limits,
            on_event=lambda event: (on_progress or _ignore)(str(event["message"])),
            check=lambda: None,
        )
        check = compare(measured["base"], measured["adapter"], measured["merged"])
        if not check.is_met:
            raise MergeFailed(
                f"the merged model is {check.error:.3f} nats away from base model and adapter, "
                f"more than {check.tolerance:.3f}; it was removed"
            )
        _copy_tokenizer(base.folder, made)
        origin = {"id": base.id, "revision": base.revision}
        _write_record(made, folder, base, {"base": origin, "check": asdict(check)})
        atomic_rename(made, out)
    except ChildFailed as exc:
        raise MergeFailed(f"merging failed: {exc}", exc.tail) from exc
    except OSError as exc:
        raise MergeFailed(f"merging failed: {exc}") from exc
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return MergedModel(describe_base_model(out), folder.name, origin, check)


def compare(
    base: Sequence[Sequence[float]],
    adapter: Sequence[Sequence[float]],
    merged: Sequence[Sequence[float]],
) -> MergeCheck:
    """Compare a merged model's log-probabilities with those of base and adapter.

    Source:
        Own measurement, see "Tolerances of the effect check and of a merge" in DECISIONS.md.
    """
    tokens = sum(len(values) for values in adapter)
    error, shift = _distance(merged, adapter), _distance(adapter, base)
    tolerance = min(MAX_ERROR, MAX_ERROR_SHARE * shift)
    return MergeCheck(error, shift, tolerance, len(adapter), tokens)


def _distance(some: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> float:
    pairs = [
        abs(a - b)
        for one, other in zip(some, others, strict=True)
        for a, b in zip(one, other, strict=True)
    ]
    return math.fsum(pairs) / max(len(pairs), 1)


def _copy_tokenizer(source: Path, target: Path) -> None:
    """Copy what the base model's folder holds beside its weights, byte for byte."""
    for pattern in _TOKENIZER_FILES:
        for file in source.glob(pattern):
            is_index = file.name.endswith(".safetensors.index.json")
            if not (is_index or file.name == RECORD_FILE or (target / file.name).exists()):
                shutil.copyfile(file, target / file.name)


def _write_record(made: Path, folder: Path, base: ModelFolder, merged: Mapping[str, Any]) -> None:
    """Write `model.json`, by which the folder is known as a base model."""
    weights = describe_base_model(made)
    record = {
        "id": f"{base.id}-{folder.name.replace('@', '-')}",
        "revision": weights.revision,
        "licence": base.licence,
        "source": f"{base.id} ({base.revision}) merged with {folder.name}",
        "languages": list(base.languages),
        "context_tokens": base.context_tokens,
        "sha256": weights.sha256,
        "merged": {"adapter": folder.name, "adapter_sha256": digest_adapter(folder), **merged},
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (made / RECORD_FILE).write_text(text + "\n", encoding="utf-8")


def _ignore(_message: str) -> None:
    return None
