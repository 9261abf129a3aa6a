"""`fingerpost adapters import|merge` in a home of its own, without any gateway."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters import AdapterRegistry, describe_base_model, importing
from adapters.children import Task
from adapters.merging import run as merging
from service.access import LOOPBACK_CALLER
from service.cli import app
from service.settings import load_settings
from service.stores.database import open_database
from service.stores.requests.audit_log import AuditLog
from tests.adapters.conftest import give_effect, make_tiny_model, write_adapter

REFERENCE = {"token_ids": [1, 2, 3], "base": [-3.0, -3.0], "adapter": [-1.0, -1.0]}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home with a tiny base model."""
    make_tiny_model(tmp_path / "home" / "models" / "tiny")
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FINGERPOST_ENGINE__BASE_MODEL", "tiny")
    return tmp_path / "home"


@pytest.fixture
def foreign(home: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "foreign"
    folder.mkdir()
    write_adapter(folder, describe_base_model(home / "models" / "tiny"), seed=0, settings={})
    return give_effect(folder)


@pytest.fixture
def say() -> Callable[..., tuple[int, Any]]:
    def run(*words: str) -> tuple[int, Any]:
        done = CliRunner().invoke(app, ["adapters", *words, "--json"])
        return done.exit_code, json.loads(done.stdout)

    return run


def merge_as(monkeypatch: pytest.MonkeyPatch, merged: list[list[float]]) -> None:
    """Have the child copy the base model and answer `merged`."""

    def work(task: Task, **_o: object) -> object:
        make_tiny_model(Path(task.job["out"]))
        return {"base": [[-3.0]], "adapter": [[-1.0]], "merged": merged}

    monkeypatch.setattr(merging, "run_child", work)


def test_an_imported_adapter_is_registered_and_merged_into_a_base_model(
    home: Path,
    foreign: Path,
    tmp_path: Path,
    say: Callable[..., tuple[int, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importing, "run_child", lambda *_a, **_o: [REFERENCE])
    code, found = say("import", str(foreign), "--task", "support")
    assert (code, found["state"], found["task"]) == (0, "trained", "support")
    database = open_database(load_settings().database_url)
    registry = AdapterRegistry(database, home / "adapters")
    adapter = registry.get(found["adapter_id"], tenant=LOOPBACK_CALLER.tenant)
    [noted] = AuditLog(database).list()
    database.dispose()
    assert (noted.action, noted.object_id) == ("adapters import", adapter.adapter_id)
    assert adapter.run["method"] == "imported"
    out = tmp_path / "merged"
    merge_as(monkeypatch, [[-1.0]])
    code, made = say("merge", found["adapter_id"], "--out", str(out))
    assert (code, made["merged"]["adapter"]) == (0, found["adapter_id"])
    assert made["merged"]["check"]["error"] == 0
    assert describe_base_model(out).id == made["id"]
    (home / "fingerpost.toml").write_text(made["serve"])
    monkeypatch.delenv("FINGERPOST_ENGINE__BASE_MODEL")
    assert load_settings().base_model_path == out
    assert load_settings().engine.base_model == made["id"]


def test_what_is_refused_is_one_document_and_leaves_nothing(
    home: Path,
    foreign: Path,
    tmp_path: Path,
    say: Callable[..., tuple[int, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (foreign / "link.json").symlink_to("/etc/hostname")
    code, body = say("import", str(foreign), "--task", "support")
    assert (code, body["error"]["code"]) == (1, "adapter_not_servable")
    assert "link.json" in body["detail"]
    assert list((home / "adapters").iterdir()) == []
    (foreign / "link.json").unlink()
    (foreign / "optimizer.pt").write_bytes(b"x")  # never read, so left behind
    monkeypatch.setattr(importing, "run_child", lambda *_a, **_o: [REFERENCE])
    adapter_id = say("import", str(foreign), "--task", "support")[1]["adapter_id"]
    merge_as(monkeypatch, [[-3.0]])
    code, body = say("merge", adapter_id, "--out", str(tmp_path / "out" / "merged"))
    assert (code, body["error"]["code"]) == (1, "merge_failed")
    assert list((tmp_path / "out").iterdir()) == []
    (home / "adapters" / adapter_id / "adapter_config.json").write_text("{}")
    code, body = say("merge", adapter_id, "--out", str(tmp_path / "out" / "merged"))
    assert (code, body["error"]["code"]) == (1, "adapter_digest_mismatch")
