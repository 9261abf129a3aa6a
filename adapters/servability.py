"""Says whether the engine can load an adapter, before training and before publishing.

The rules are those of the engine's own loader (vLLM 0.32, `lora/peft_helper.py` and
`lora/lora_model.py`), and two it leaves out: keys that match no module of the base model, which
it loads without a word and then answers as the base model; and files that could run code.
Reads JSON and raw numbers; nothing that a folder holds is run or unpickled.
"""

import json
import math
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from adapters.base_models import ModelFolder
from adapters.config import TrainingConfig
from adapters.errors import BaseModelMismatch, NotServable
from adapters.files.weights import (
    ADAPTER_SETTINGS,
    ADAPTER_WEIGHTS,
    TensorHeader,
    find_not_finite,
    read_header,
)

ENGINE_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # what `--max-lora-rank` takes, vLLM 0.32
_PLAIN_INITS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")  # leave the base as it is
MAX_SETTINGS_BYTES = 2**20  # PEFT's are some kilobytes
_CODE_SUFFIXES = frozenset(
    ".bin .pt .pth .pkl .pickle .ckpt .joblib .npy .npz .h5 .keras .py .pyc .sh .exe .so .dll"
    " .dylib".split()
)
_PICKLE_STARTS = (*(bytes([0x80, n]) for n in range(2, 6)), b"PK\x03\x04")  # torch.save: a zip
_NUMBERS = ("F32", "F16", "BF16")
_KEY = re.compile(r"^base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight$")
_LLAMA_LAYERS = frozenset("q_proj k_proj v_proj o_proj gate_proj up_proj down_proj".split())


@dataclass(frozen=True, slots=True)
class ServabilityFinding:
    """One rule and what it found.

    Attributes:
        rule: Name of the rule.
        is_met: Whether the engine accepts this.
        message: What was found, and what to change if it is not accepted.
    """

    rule: str
    is_met: bool
    message: str


def check_config(config: TrainingConfig, *, max_lora_rank: int) -> list[ServabilityFinding]:
    """Check a training configuration before any training.

    Args:
        config: What is to be trained.
        max_lora_rank: The engine's limit.

    Returns:
        Every rule with its finding, all met.

    Raises:
        NotServable: With every rule that is not met.
    """
    findings = [
        _check_rank(config.lora_rank, max_lora_rank),
        _check_absent("dora", config.use_dora, "use_dora: DoRA is not loaded by the engine"),
        _check_absent(
            "init_weights",
            config.pissa_init,
            "pissa_init: this initialisation changes the base model, which the engine does not",
        ),
        _check_absent(
            "modules_to_save",
            config.additional_target,
            "additional_target: whole modules are not loaded by the engine, only LoRA",
        ),
        _check_absent(
            "new_tokens",
            config.add_special_tokens,
            "add_special_tokens: the served base model's vocabulary cannot be extended",
        ),
        _check_absent(
            "tensorboard",
            config.report_to == "tensorboard" and find_spec("tensorboard") is None,
            "report_to: tensorboard needs the package tensorboard, which is not installed",
        ),
        _check_absent(
            "output_layer",
            "lm_head" in config.lora_target,
            "lora_target: lm_head cannot be trained with this loss; name other modules",
        ),
    ]
    return _all_met(findings, f"an adapter `{config.task}` trained with these settings")


def check_servability(
    folder: Path, *, max_lora_rank: int, base: ModelFolder | None = None
) -> list[ServabilityFinding]:
    """Check an adapter's folder before it is registered or sent to the engine.

    Args:
        folder: Holds `adapter_config.json` and `adapter_model.safetensors`.
        max_lora_rank: The engine's limit.
        base: The served base model; none leaves out the rules that need it.

    Returns:
        Every rule with its finding, all met.

    Raises:
        NotServable: With every rule that is not met.
    """
    findings = [_check_files(folder)]
    settings = _read_settings(folder)
    if isinstance(settings, str):
        findings.append(ServabilityFinding("settings", False, settings))
    else:
        findings += _check_settings(settings, max_lora_rank)
        if base is not None:
            findings.append(_check_base_name(settings, base))
    findings += _check_weights(folder, settings if isinstance(settings, dict) else {}, base)
    return _all_met(findings, folder.name)


def name_lora_layers(base_folder: Path) -> tuple[str, ...]:
    """Return the last names of the layers that an adapter of this base model may change.

    Returns:
        Those of a model built as Llama is, sorted; empty for another one, or where the weights
        cannot be read: which layers the engine can wrap there is for the engine to say.
    """
    try:
        names = {
            name.removesuffix(".weight").rpartition(".")[2]
            for name, tensor in _read_weights(base_folder).items()
            if ".layers." in name and len(tensor.shape) == 2
        }
    except (OSError, ValueError):
        return ()
    return tuple(sorted(names)) if names <= _LLAMA_LAYERS else ()


def check_targets(targets: Sequence[str], base_folder: Path) -> None:
    """Refuse names of layers that the base model does not have, before any training.

    Raises:
        NotServable: A name is no linear layer of the base model; the message names those it has.
    """
    try:
        weights = _read_weights(base_folder)
    except (OSError, ValueError):
        return
    linear = {
        f".{name.removesuffix('.weight')}"
        for name, tensor in weights.items()
        if len(tensor.shape) == 2 and not {"embed_tokens", "wte", "lm_head"} & set(name.split("."))
    }
    unknown = [name for name in targets if not any(one.endswith(f".{name}") for one in linear)]
    if unknown:
        known = ", ".join(sorted({one.rpartition(".")[2] for one in linear}))
        message = f"lora_target: the base model has no layer {', '.join(unknown)}; it has {known}"
        raise NotServable(message, (message,))


def check_base(run: Mapping[str, Any], base: ModelFolder, name: str) -> None:
    """Refuse (BaseModelMismatch) an adapter that was not trained on this base model."""
    trained_on = (run["base"]["id"], run["base"]["revision"])
    if trained_on != (base.id, base.revision):
        raise BaseModelMismatch(
            f"{name} was trained on {trained_on[0]} ({trained_on[1]}), "
            f"but the served model is {base.id} ({base.revision})"
        )
    template = run.get("chat_template_sha256")
    if template is not None and template != base.chat_template_sha256:
        raise BaseModelMismatch(
            f"{name} was trained with another chat template than that of {base.id}; train again, "
            "or serve the base model with the template it was trained with"
        )


def _all_met(findings: list[ServabilityFinding], what: str) -> list[ServabilityFinding]:
    reasons = tuple(finding.message for finding in findings if not finding.is_met)
    if reasons:
        listed = "".join(f"\n- {reason}" for reason in reasons)
        raise NotServable(f"{what} could not be served:{listed}", reasons)
    return findings


def _check_rank(rank: object, max_lora_rank: int) -> ServabilityFinding:
    if type(rank) is not int or rank < 1:
        return ServabilityFinding("rank", False, f"rank {rank!r} is not a positive number")
    message = f"rank {rank}, the engine's limit is {max_lora_rank}"
    if rank <= max_lora_rank:
        return ServabilityFinding("rank", True, message)
    larger = [allowed for allowed in ENGINE_RANKS if allowed >= rank]
    remedy = f"start the engine with --max-lora-rank {larger[0]}" if larger else "no engine can"
    return ServabilityFinding("rank", False, f"{message}; train with a lower rank, or {remedy}")


def _check_absent(rule: str, value: object, message: str) -> ServabilityFinding:
    if value:
        return ServabilityFinding(rule, False, f"{message} (found {value!r})")
    return ServabilityFinding(rule, True, f"no {rule}")


def _check_files(folder: Path) -> ServabilityFinding:
    """Refuse links, special files and everything that could run code when read."""
    bad = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not _is_plain(p))
    if bad:
        message = f"links or files that can run code: {', '.join(bad)}; remove them"
        return ServabilityFinding("files", False, message)
    return ServabilityFinding("files", True, "plain files only")


def _is_plain(path: Path) -> bool:
    """Say whether a path is a folder, or a file of its own that holds no code by name or start."""
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode):
        return True
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        return False
    if path.suffix.lower() in _CODE_SUFFIXES:
        return False
    with path.open("rb") as file:
        return not file.read(4).startswith(_PICKLE_STARTS)


def _read_settings(folder: Path) -> dict[str, Any] | str:
    path = folder / ADAPTER_SETTINGS
    if not path.is_file():
        return f"{ADAPTER_SETTINGS} is missing"
    try:
        if path.stat().st_size > MAX_SETTINGS_BYTES:
            return f"{ADAPTER_SETTINGS} is larger than {MAX_SETTINGS_BYTES} bytes"
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        return f"{ADAPTER_SETTINGS} cannot be read: {exc}"
    return settings if isinstance(settings, dict) else f"{ADAPTER_SETTINGS} is not a JSON object"


def _check_settings(settings: dict[str, Any], max_lora_rank: int) -> Iterator[ServabilityFinding]:
    kind = settings.get("peft_type")
    yield ServabilityFinding("method", kind == "LORA", f"PEFT method {kind}; only LORA is loaded")
    for rank in _ranks(settings):
        yield _check_rank(rank, max_lora_rank)
    alpha = settings.get("lora_alpha")
    is_number = isinstance(alpha, int | float) and alpha is not True and 0 < alpha < math.inf
    yield ServabilityFinding("alpha", is_number, f"lora_alpha {alpha}; a number above 0 is needed")
    mapping = settings.get("auto_mapping") or {}
    library = str(mapping.get("parent_library") if isinstance(mapping, dict) else mapping)
    is_known = not mapping or library.split(".")[0] == "transformers"
    yield ServabilityFinding("code", is_known, f"auto_mapping to {library}: it would be imported")
    bias = settings.get("bias", "none")
    yield ServabilityFinding("bias", bias == "none", f"bias {bias}; only none is loaded")
    init = settings.get("init_lora_weights", True)
    is_plain = not isinstance(init, str) or init.lower() in _PLAIN_INITS
    yield ServabilityFinding(
        "init_weights",
        is_plain,
        f"init_lora_weights {init}" + ("" if is_plain else ": it changed the base model's weights"),
    )
    for rule, key, name in (
        ("dora", "use_dora", "DoRA"),
        ("modules_to_save", "modules_to_save", "whole modules"),
        ("bias", "lora_bias", "a LoRA bias"),
        ("activated_lora", "alora_invocation_tokens", "activated LoRA"),
        ("layers", "layer_replication", "replicated layers"),
        ("block_diagonal", "use_bdlora", "block-diagonal LoRA"),
        ("quantised_lora", "use_qalora", "QALoRA"),
        ("new_tokens", "trainable_token_indices", "trained tokens"),
        ("expert_parameters", "target_parameters", "LoRA on bare parameters"),
        ("code", "auto_map", "code that comes with the adapter"),
        ("code", "trust_remote_code", "code that comes with the adapter"),
        ("code", "megatron_config", "a library named by the adapter"),
    ):
        yield _check_absent(rule, settings.get(key), f"{key}: {name} cannot be served")


def _ranks(settings: dict[str, Any]) -> list[object]:
    """Return the rank of all modules and those of single ones."""
    pattern = settings.get("rank_pattern") or {}
    return [settings.get("r"), *(pattern.values() if isinstance(pattern, dict) else (pattern,))]


def _check_base_name(settings: dict[str, Any], base: ModelFolder) -> ServabilityFinding:
    name = settings.get("base_model_name_or_path")
    is_met = name in (base.id, str(base.folder))
    message = f"trained for {name}, but the served model is {base.id}"
    return ServabilityFinding("base_model", is_met, message)


def _check_weights(
    folder: Path, settings: dict[str, Any], base: ModelFolder | None
) -> Iterator[ServabilityFinding]:
    path = folder / ADAPTER_WEIGHTS
    if not path.is_file():
        yield ServabilityFinding("weights", False, f"{ADAPTER_WEIGHTS} is missing")
        return
    try:
        tensors = read_header(path)
    except (OSError, ValueError) as exc:
        yield ServabilityFinding("weights", False, str(exc))
        return
    yield ServabilityFinding("weights", bool(tensors), f"{len(tensors)} tensors")
    strange = sorted(name for name in tensors if not _KEY.match(name))
    yield ServabilityFinding(
        "keys", not strange, _list_some("not a LoRA weight of a causal model", strange)
    )
    modules = {match["module"]: name for name in tensors if (match := _KEY.match(name))}
    halves = sorted(
        module
        for module in modules
        if any(f"base_model.model.{module}.lora_{side}.weight" not in tensors for side in "AB")
    )
    yield ServabilityFinding("pairs", not halves, _list_some("only one of lora_A, lora_B", halves))
    kinds = sorted(name for name, tensor in tensors.items() if tensor.dtype not in _NUMBERS)
    yield ServabilityFinding("dtype", not kinds, _list_some("not in 16 or 32 bits", kinds))
    broken = find_not_finite(path, tensors)
    yield ServabilityFinding("numbers", not broken, _list_some("not a number (NaN, Inf)", broken))
    ranks = [rank for rank in _ranks(settings) if type(rank) is int]
    other = sorted(m for m in modules if _rank_of(m, tensors) not in (*ranks, None))
    message = _list_some(f"not of rank {', '.join(map(str, ranks))} as the settings say", other)
    yield ServabilityFinding("tensor_rank", not (ranks and other), message)
    if base is not None:
        yield from _check_modules(tensors, set(modules), settings.get("target_modules"), base)


def _read_weights(folder: Path) -> dict[str, TensorHeader]:
    weights: dict[str, TensorHeader] = {}
    for file in folder.glob("*.safetensors"):
        weights.update(read_header(file))
    return weights


def _rank_of(module: str, tensors: Mapping[str, TensorHeader]) -> int | None:
    """Return the inner size that both halves of a module share; 0 if they differ."""
    down = tensors.get(f"base_model.model.{module}.lora_A.weight")
    up = tensors.get(f"base_model.model.{module}.lora_B.weight")
    if down is None or up is None:
        return None
    sizes = {down.shape[0], up.shape[1]} if len(down.shape) == len(up.shape) == 2 else {0}
    return sizes.pop() if len(sizes) == 1 else 0


def _check_modules(
    tensors: Mapping[str, TensorHeader], modules: set[str], targets: object, base: ModelFolder
) -> Iterator[ServabilityFinding]:
    """Compare with the base model: every module must exist there and have the same sizes."""
    try:
        weights = _read_weights(base.folder)
    except (OSError, ValueError) as exc:
        yield ServabilityFinding("modules", False, f"the base model cannot be read: {exc}")
        return
    yield _check_targets(targets, {name.removesuffix(".weight") for name in weights}, base)
    wrong = []
    for module in sorted(modules):
        found = weights.get(f"{module}.weight")
        down = tensors.get(f"base_model.model.{module}.lora_A.weight")
        up = tensors.get(f"base_model.model.{module}.lora_B.weight")
        if found is None:
            wrong.append(module)
        elif down and up and (up.shape[:1], down.shape[1:]) != (found.shape[:1], found.shape[1:]):
            wrong.append(f"{module} (other size)")
    message = _list_some(f"no such module in {base.id}", wrong)
    yield ServabilityFinding("modules", not wrong, message)


def _check_targets(targets: object, known: set[str], base: ModelFolder) -> ServabilityFinding:
    """Say whether `target_modules` names a module of the base; a text is a pattern, not read."""
    if isinstance(targets, str) and targets:
        return ServabilityFinding("targets", True, f"target_modules {targets!r}")
    ends = {f".{name}" for name in targets} if isinstance(targets, list) else set()
    is_met = any(f".{module}".endswith(tuple(ends)) for module in known)
    message = f"target_modules {targets!r}: " + ("known" if is_met else f"none is in {base.id}")
    return ServabilityFinding("targets", is_met, message)


def _list_some(what: str, names: list[str]) -> str:
    if not names:
        return f"none is {what}" if what.startswith(("not", "only")) else f"none: {what}"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{what}: {', '.join(names[:3])}{more}"
