"""Imports an adapter that was made elsewhere: a PEFT folder, or an archive of one.

What is imported is a copy of its weights, settings and card, checked as a copy, so that nobody
changes it between check and use; other files are never read.
Hugging Face and PEFT compute its log-probabilities in a child process: the proof that it has an
effect, and the reference of the effect check. Knows neither registry nor engine.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateError

from adapters.base_models import ModelFolder, read_chat_template
from adapters.children import ChildFailed, Task, run_child
from adapters.config import AdaptersConfig, check_task
from adapters.data import Row
from adapters.effect import MIN_SHIFT, judge_effect, read_effect_reference
from adapters.errors import (
    AdapterNotFound,
    BaseModelMismatch,
    ImportFailed,
    NotServable,
    UnsafeAdapterFolder,
)
from adapters.files.adapter_id import make_adapter_id
from adapters.files.archives import is_archive, unpack
from adapters.files.atomic_rename import atomic_rename
from adapters.files.run_json import METRICS_FILE, RUN_FILE, RUN_FORMAT, write_json
from adapters.files.weights import ADAPTER_SETTINGS, ADAPTER_WEIGHTS, digest_adapter, hash_text
from adapters.servability import check_servability

CARD = "README.md"
TEMPLATE = "chat_template_sha256"
WORK_PREFIX = ".import-"
MAX_DEPTH = 4  # folders within folders: a run with its checkpoints, the cache of a hub
MAX_NAMED = 5  # files in one message
MAX_PROBE_ROWS = 64  # rows given to the child, which measures on a few short ones


def import_adapter(
    source: Path,
    *,
    task: str,
    base: ModelFolder,
    into: Path,
    environment: Mapping[str, str],
    base_is: str | None = None,
    rows: Sequence[Row] = (),
    settings: AdaptersConfig | None = None,
) -> Path:
    """Copy an adapter into a folder of our own, with a `run.json` that says where it is from.

    Args:
        source: PEFT folder, or `.zip`, `.tar`, `.tar.gz`, `.tgz` with one in it.
        task: What it is for; first part of its id.
        base: The served base model.
        into: Folder of all adapters.
        environment: Of the child process; telemetry is turned off on top.
        base_is: Name that its settings give the base model served here, if it is not our own
            name nor that of the same model on a hub; whoever says so is believed, and recorded.
        rows: Of its task; its effect is largest there. None takes general requests.
        settings: Rank limit, threads and priority.

    Returns:
        The new folder, `<task>@<sha8>`; the one that is there if it was imported before.

    Raises:
        InvalidTrainingConfig: `task` is no name of a task.
        AdapterNotFound: There is no such folder or archive, or no adapter in it, or several of
            which none is the uppermost.
        UnsafeAdapterFolder: No folder and no archive, or an archive that leads out of itself.
        BaseModelMismatch: Made for another base model or chat template.
        NotServable: The engine could not load it, it has links to other places, or no effect.
        ImportFailed: The child ended without a reference, or the disk is full.
    """
    limits = settings or AdaptersConfig()
    check_task(task)
    source, into = source.resolve(), into.resolve()
    if not source.exists():
        raise AdapterNotFound(f"there is no folder or archive {source}")
    into.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=into))
    try:
        found = _find(source, work)
        copy = _copy(found, work / "adapter")
        check_servability(copy, max_lora_rank=limits.max_lora_rank)
        origin_sha256 = digest_adapter(copy)
        said = _check_origin(found, base, base_is)
        _name_base(copy, said, base)
        check_servability(copy, max_lora_rank=limits.max_lora_rank, base=base)
        sha256 = digest_adapter(copy)
        target = into / make_adapter_id(task, sha256)
        if target.is_dir() and digest_adapter(target) == sha256:
            return target
        origin = {
            "from": source.name,
            "sha256": origin_sha256,
            "base_model_name_or_path": said.get("base_model_name_or_path"),
            "base_is": base_is,
        }
        run = {
            "format": RUN_FORMAT,
            "adapter_id": target.name,
            "task": task,
            "created_at": time.time(),
            "method": "imported",
            "base": {key: base.as_dict()[key] for key in ("id", "revision", "sha256", "licence")},
            TEMPLATE: base.chat_template_sha256,
            "lora": {key: said.get(key) for key in ("r", "lora_alpha", "target_modules")},
            "imported": origin,
            "context_trained": False,
            "effect_reference": _measure(copy, base, rows, work, environment, limits),
        }
        write_json(copy / RUN_FILE, run)
        write_json(copy / METRICS_FILE, {})
        atomic_rename(copy, target)
    except OSError as exc:
        raise ImportFailed(f"{source.name} could not be imported: {exc}") from exc
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _find(source: Path, work: Path) -> Path:
    """Return the folder that holds the adapter, unpacked where it came packed: the uppermost."""
    folder = source
    if not source.is_dir():
        if not is_archive(source):
            raise UnsafeAdapterFolder(f"{source.name} is neither a folder nor a tar or zip archive")
        folder = work / "unpacked"
        folder.mkdir()
        unpack(source, folder)
    for depth in range(MAX_DEPTH):
        found = sorted(path.parent for path in folder.glob("*/" * depth + ADAPTER_SETTINGS))
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(str(path.relative_to(folder)) for path in found)
            raise AdapterNotFound(
                f"{source.name} holds {len(found)} adapters, not one: {names}; name one of them"
            )
    if folder is source:
        return source
    raise AdapterNotFound(f"{source.name} holds 0 adapters, not one")


def _check_origin(folder: Path, base: ModelFolder, base_is: str | None) -> dict[str, Any]:
    """Return the settings of an adapter whose files were looked at, if it fits the base model."""
    said: dict[str, Any] = _read(folder / ADAPTER_SETTINGS)
    name = str(said.get("base_model_name_or_path")).rstrip("/")
    known = {base.id.casefold(), base.folder.name.casefold()}
    if name != base_is and name.rpartition("/")[2].casefold() not in known:
        raise BaseModelMismatch(
            f"{folder.name} was trained on {name}, but the served model is {base.id}; if that is "
            f"the same model under another name, add --base-is {name}"
        )
    trained = _read(folder / RUN_FILE).get("base")
    if isinstance(trained, dict) and trained.get("revision") not in (None, base.revision):
        raise BaseModelMismatch(
            f"{folder.name} was trained on {trained.get('id')} ({trained['revision']}), "
            f"but the served model is {base.id} ({base.revision})"
        )
    template = read_chat_template(folder)
    sha256 = hash_text(template) if template else _read(folder / RUN_FILE).get(TEMPLATE)
    is_same = sha256 in (None, base.chat_template_sha256) or (
        template is not None and _renders_alike(template, read_chat_template(base.folder))
    )
    if not is_same:
        raise BaseModelMismatch(f"{folder.name} was trained with another chat template")
    return said


def _renders_alike(template: str, other: str | None) -> bool:
    """Say whether two chat templates have the same content, read as transformers reads them.

    Neither is run: it came from elsewhere. Comments and line ends that are not printed do not
    count.
    """
    reader = Environment(  # nothing is rendered
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    try:
        return other is not None and reader.parse(template) == reader.parse(other)
    except (TemplateError, RecursionError):
        return False


def _copy(found: Path, copy: Path) -> Path:
    """Copy what is imported; nothing else in the folder is ever read."""
    bad = sorted(str(p.relative_to(found)) for p in found.rglob("*") if _leads_away(p))
    if bad:
        reason = (
            f"links to other places: {', '.join(bad[:MAX_NAMED])}; copy the folder with `cp -rL`"
        )
        raise NotServable(f"{found.name} could not be served:\n- {reason}", (reason,))
    copy.mkdir()
    for name in (ADAPTER_SETTINGS, ADAPTER_WEIGHTS, CARD):
        if (found / name).is_file():
            shutil.copyfile(found / name, copy / name)
    return copy


def _leads_away(path: Path) -> bool:
    """Say whether a path is a link, but for those of a hub's cache to its own blobs."""
    if not path.is_symlink():
        return False
    snapshots = next((up for up in path.parents if up.name == "snapshots"), None)
    return snapshots is None or path.resolve().parent != (snapshots.parent / "blobs").resolve()


def _name_base(copy: Path, said: Mapping[str, Any], base: ModelFolder) -> None:
    """Write the settings so that they name the base model as it is served here."""
    targets = said.get("target_modules")
    targets = sorted(targets) if isinstance(targets, list) else targets
    own = {"base_model_name_or_path": base.id, "revision": None, "target_modules": targets}
    write_json(copy / ADAPTER_SETTINGS, {**said, **own})


def _measure(
    copy: Path,
    base: ModelFolder,
    rows: Sequence[Row],
    work: Path,
    environment: Mapping[str, str],
    limits: AdaptersConfig,
) -> Any:
    """Return the reference for the effect check, if there is an effect."""
    turns = [[turn.as_dict() for turn in row.messages] for row in rows[:MAX_PROBE_ROWS]]
    job = {"base": str(base.folder), "adapter": str(copy), "rows": turns}
    try:
        reference = run_child(
            Task.in_folder(work, "adapters.effect.process.reference:measure_imported", job),
            environment=environment,
            limits=limits,
            on_event=lambda _event: None,
            check=lambda: None,
        )
    except ChildFailed as exc:
        raise ImportFailed(f"the adapter could not be measured: {exc}", exc.tail) from exc
    probes = read_effect_reference({"effect_reference": reference})
    found = judge_effect(probes, [p.base for p in probes], [p.adapter for p in probes])
    if not found.is_applied:
        reason = (
            f"its log-probabilities differ by {found.reference_shift:.3f} nats from the base "
            f"model's, less than {MIN_SHIFT}: it has no effect on {len(probes)} probes"
            + ("" if rows else "; rows of its task (--data) may show an effect")
        )
        raise NotServable(f"the adapter has no effect: {reason}", (reason,))
    return reference


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
