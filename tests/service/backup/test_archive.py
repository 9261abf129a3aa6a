"""A backup is whole or absent; a restore gives back exactly what it held, or changes nothing."""

import gzip
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from knowledge import Knowledge
from service.access import LOOPBACK_CALLER
from service.backup.archive import Manifest, make_backup
from service.backup.restore import restore_backup
from service.cli import app
from service.errors import BackupImpossible, InvalidBackup, RestoreRefused
from service.home import Ports
from service.settings import CHECKOUT, Settings, StateSettings
from tests.fakes.context import FakeAdapters, open_small_context
from tests.fakes.tenant import TENANT

Change = Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]


@contextmanager
def opened(settings: Settings) -> Iterator[Knowledge]:
    context = open_small_context(settings, Ports(1, 1, 1))
    yield context.knowledge
    context.database.dispose()


def backup(settings: Settings, target: Path, **options: Any) -> Manifest:
    return make_backup(settings, target, on_progress=lambda _: None, **options)


def names(settings: Settings) -> list[str]:
    with opened(settings) as knowledge:
        return [
            document.external_id for document in knowledge.list_documents("handbook", tenant=TENANT)
        ]


@pytest.fixture
def filled(settings: Settings) -> Settings:
    """Return a home whose base holds `a` and `b`."""
    with opened(settings) as knowledge:
        knowledge.create_base("Handbook", base_id="handbook", tenant=TENANT)
        knowledge.ingest("handbook", "a", "a.txt", b"lamp number1", tenant=TENANT)
        knowledge.ingest("handbook", "b", "b.txt", b"lamp number2", tenant=TENANT)
    return settings


@pytest.fixture
def saved(filled: Settings, tmp_path: Path) -> Path:
    """Return a backup of `a` and `b`, after which `c` came and `a` went."""
    target = tmp_path / "backup.tar.gz"
    backup(filled, target)
    with opened(filled) as knowledge:
        knowledge.ingest("handbook", "c", "c.txt", b"lamp number3", tenant=TENANT)
        knowledge.delete_document("handbook", "a", tenant=TENANT)
    return target


def rewritten(saved: Path, change: Change) -> Path:
    """Return a copy of a backup whose parts were changed."""
    with tarfile.open(saved) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]  # it is there
        database = tar.extractfile("state.db").read()  # type: ignore[union-attr]  # it is there
    manifest, database = change(manifest, database)
    made = saved.with_name("changed.tar.gz")
    write_archive(made, {"manifest.json": json.dumps(manifest).encode(), "state.db": database})
    return made


def write_archive(file: Path, parts: Mapping[str, bytes]) -> None:
    with tarfile.open(file, "w:gz") as tar:
        for name, content in parts.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))


def test_a_restore_gives_back_what_the_backup_held_and_reconcile_heals_the_index(
    filled: Settings, saved: Path
) -> None:
    assert names(filled) == ["b", "c"]
    done = restore_backup(filled, saved)
    assert (done.manifest.documents, done.manifest.chunks) == (2, 2)
    with opened(filled) as knowledge:
        assert [d.external_id for d in knowledge.list_documents("handbook", tenant=TENANT)] == [
            "a",
            "b",
        ]
        knowledge.reconcile_all()
        assert knowledge.check("handbook", tenant=TENANT).in_step
        found = knowledge.retrieve("lamp number1", base_ids=["handbook"], tenant=TENANT)
        assert (found.degraded, found.passages[0].external_id) == (False, "a")
    assert done.previous is not None
    with closing(sqlite3.connect(done.previous)) as connection:
        alive = "SELECT external_id FROM kb_documents WHERE active_version IS NOT NULL"
        assert {row[0] for row in connection.execute(alive)} == {"b", "c"}


def test_a_backup_of_the_first_format_is_restored(filled: Settings, saved: Path) -> None:
    def as_before(manifest: dict[str, Any], database: bytes) -> tuple[dict[str, Any], bytes]:
        del manifest["adapter_files"]
        return {**manifest, "format_version": 1}, database

    restore_backup(filled, rewritten(saved, as_before))
    assert names(filled) == ["a", "b"]


def test_a_second_restore_keeps_both_databases_before_it(filled: Settings, saved: Path) -> None:
    first, second = restore_backup(filled, saved), restore_backup(filled, saved)
    assert first.previous is not None
    assert second.previous is not None
    assert first.previous != second.previous
    assert first.previous.is_file()


def test_a_home_without_a_database_is_restored(saved: Path, tmp_path: Path) -> None:
    elsewhere = Settings(home=tmp_path / "elsewhere")
    assert restore_backup(elsewhere, saved).previous is None
    with opened(elsewhere) as knowledge:
        knowledge.reconcile_all()
        assert knowledge.check("handbook", tenant=TENANT).in_step


def test_a_backup_while_others_write_is_one_moment(filled: Settings, tmp_path: Path) -> None:
    writes: list[int] = []

    def write_between(_share: float) -> None:
        if len(writes) < 5:
            with opened(filled) as knowledge:
                number = len(writes)
                knowledge.ingest(
                    "handbook", f"w{number}", "w.txt", f"lamp w{number}".encode(), tenant=TENANT
                )
            writes.append(number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.backup.archive._PAGES", 5)
        target = tmp_path / "backup.tar.gz"
        made = make_backup(filled, target, on_progress=write_between)
    assert len(writes) == 5
    assert made.documents == 2
    restore_backup(filled, target)
    assert names(filled) == ["a", "b"]


def test_a_writer_killed_between_backup_and_restore_is_no_hindrance(
    filled: Settings, saved: Path
) -> None:
    program = (
        "import sqlite3, sys, time\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "c.execute(\"UPDATE kb_bases SET name = 'half'\")\n"
        "print('in', flush=True); time.sleep(60)\n"
    )
    line = [sys.executable, "-c", program, str(filled.paths.database)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "in\n"
        with pytest.raises(RestoreRefused, match="Another process"):
            restore_backup(filled, saved)
        writer.send_signal(signal.SIGKILL)
    assert names(filled) == ["b", "c"]
    restore_backup(filled, saved)
    assert names(filled) == ["a", "b"]


@pytest.mark.parametrize("step", ["os.link", "os.replace"])
def test_a_restore_killed_on_its_way_leaves_one_whole_database(
    filled: Settings, saved: Path, step: str
) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\n"
        "from service.backup.restore import restore_backup\nfrom service.settings import Settings\n"
        f"{step} = lambda *_: os.kill(os.getpid(), 9)\n"
        "restore_backup(Settings(home=Path(sys.argv[1])), Path(sys.argv[2]))\n"
    )
    line = [sys.executable, "-c", program, str(filled.home), str(saved)]
    killed = subprocess.run(line, cwd=CHECKOUT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert names(filled) == ["b", "c"]
    restore_backup(filled, saved)
    assert names(filled) == ["a", "b"]
    assert not list(filled.home.glob(".restore-*"))


def test_a_damaged_database_is_kept_and_replaced(filled: Settings, saved: Path) -> None:
    filled.paths.database.write_bytes(b"not a database" * 500)
    done = restore_backup(filled, saved)
    assert names(filled) == ["a", "b"]
    assert done.previous is not None
    assert done.previous.read_bytes().startswith(b"not a database")


def flipped(manifest: dict[str, Any], database: bytes) -> tuple[dict[str, Any], bytes]:
    middle = len(database) // 2
    return manifest, database[:middle] + bytes([database[middle] ^ 1]) + database[middle + 1 :]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (flipped, "digest"),
        (lambda m, d: (m, d[:-4096]), "digest"),
        (lambda m, d: (m, d + b"more"), "digest"),
        (lambda m, d: ({**m, "format_version": 99}, d), "format 99"),
        (lambda m, d: ({**m, "schema": "from_the_future"}, d), "unknown to this version"),
        (lambda m, d: ({**m, "format": "photos"}, d), "photos"),
        (lambda m, d: ({"format": m["format"]}, d), "manifest"),
    ],
)
def test_a_bad_backup_is_refused_and_nothing_is_lost(
    filled: Settings, saved: Path, change: Change, says: str
) -> None:
    before = sorted(path.name for path in filled.home.iterdir())
    with pytest.raises(InvalidBackup, match=says):
        restore_backup(filled, rewritten(saved, change))
    assert names(filled) == ["b", "c"]
    assert sorted(path.name for path in filled.home.iterdir()) == before


@pytest.mark.parametrize("kind", ["missing", "text", "cut", "empty_gzip", "folder"])
def test_what_is_no_backup_is_refused(filled: Settings, saved: Path, kind: str) -> None:
    wrong = saved.with_name("wrong.tar.gz")
    if kind == "text":
        wrong.write_text("hello")
    elif kind == "cut":
        wrong.write_bytes(saved.read_bytes()[:-2000])
    elif kind == "empty_gzip":
        wrong.write_bytes(gzip.compress(b""))
    elif kind == "folder":
        wrong.mkdir()
    with pytest.raises(InvalidBackup):
        restore_backup(filled, wrong)
    assert names(filled) == ["b", "c"]


def test_a_running_home_is_not_restored(
    filled: Settings, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Up:
        url = "http://127.0.0.1:8080"

    monkeypatch.setattr("service.backup.restore.read_instance", lambda _home: Up())
    with pytest.raises(RestoreRefused, match="8080"):
        restore_backup(filled, saved)


def test_postgresql_and_a_missing_database_say_what_to_do(tmp_path: Path) -> None:
    there = StateSettings(url=SecretStr("postgresql+psycopg://u:secret@host/db"))
    for settings in (Settings(home=tmp_path, state=there), Settings(home=tmp_path)):
        with pytest.raises(BackupImpossible) as failed:
            backup(settings, tmp_path / "x.tar.gz")
        assert "secret" not in str(failed.value)
        assert "pg_dump" in failed.value.hint
    with pytest.raises(BackupImpossible, match="postgresql"):
        restore_backup(Settings(home=tmp_path, state=there), tmp_path / "x.tar.gz")


def test_a_backup_never_replaces_a_file_unasked_nor_leaves_half_of_one(
    filled: Settings, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in (saved, tmp_path / "x.zip", tmp_path / "none" / "x.tar.gz"):
        with pytest.raises(BackupImpossible):
            backup(filled, wrong)
    before = saved.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("service.backup.archive._pack", _disk_full)
        with pytest.raises(BackupImpossible):
            backup(filled, saved, overwrite=True)
    assert saved.read_bytes() == before
    assert not list(tmp_path.glob(".backup-*"))
    assert backup(filled, saved, overwrite=True).documents == 2
    assert saved.stat().st_mode & 0o077 == 0


def trained(settings: Settings, *, seed: int = 0) -> Path:
    """Return the folder of a registered adapter."""
    folder = FakeAdapters(settings.paths.adapters).write(seed=seed)
    (folder / "plots").mkdir()
    (folder / "plots" / "loss.txt").write_text("1.0 0.5")
    context = open_small_context(settings, Ports(1, 1, 1))
    context.registry.register(folder, tenant=LOOPBACK_CALLER.tenant)
    context.database.dispose()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_adapters_come_back_missing_or_changed_and_whole_ones_are_left(
    filled: Settings, tmp_path: Path
) -> None:
    gone, changed, whole = (trained(filled, seed=seed) for seed in range(3))
    before = [contents(folder) for folder in (gone, changed, whole)]
    target = tmp_path / "backup.tar.gz"
    made = backup(filled, target, with_adapters=True)
    assert (made.adapters, made.included_adapters, len(before[0])) == (3, 3, 5)
    shutil.rmtree(gone)
    (changed / "adapter_model.safetensors").write_bytes(b"damaged")
    node = whole.stat().st_ino
    done = restore_backup(filled, target)
    assert [contents(folder) for folder in (gone, changed, whole)] == before
    assert whole.stat().st_ino == node
    (kept,) = done.previous_adapters
    assert (kept.name, contents(kept)["adapter_model.safetensors"]) == (
        f"{changed.name}.before-restore",
        b"damaged",
    )
    context = open_small_context(filled, Ports(1, 1, 1))
    for adapter in context.registry.list(tenant=LOOPBACK_CALLER.tenant):
        context.registry.verify(adapter)
    context.database.dispose()
    assert not list(filled.paths.adapters.glob(".restore-*"))


def test_a_backup_holds_adapters_only_when_asked_and_whole(
    filled: Settings, tmp_path: Path
) -> None:
    folder = trained(filled)
    plain = backup(filled, tmp_path / "plain.tar.gz")
    assert (plain.adapters, plain.included_adapters) == (1, 0)
    restore_backup(filled, tmp_path / "plain.tar.gz")
    assert folder.is_dir()
    target = tmp_path / "all.tar.gz"
    (folder / "link").symlink_to("/etc/hostname")
    with pytest.raises(BackupImpossible, match="is a link"):
        backup(filled, target, with_adapters=True)
    (folder / "link").unlink()
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(BackupImpossible, match="differs from the registered"):
        backup(filled, target, with_adapters=True)
    shutil.rmtree(folder)
    with pytest.raises(BackupImpossible, match="is missing"):
        backup(filled, target, with_adapters=True)
    assert not target.exists()


def test_a_retired_adapter_is_not_held(filled: Settings, tmp_path: Path) -> None:
    folder = trained(filled)
    context = open_small_context(filled, Ports(1, 1, 1))
    context.registry.retire(folder.name, tenant=LOOPBACK_CALLER.tenant)
    context.database.dispose()
    shutil.rmtree(folder)
    made = backup(filled, tmp_path / "backup.tar.gz", with_adapters=True)
    assert (made.adapters, made.included_adapters) == (1, 0)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../climbs/run.json", "outside"),
        ("/tmp/climbs/run.json", "outside"),
        ("run.json", "outside"),
        (".hidden/run.json", "outside"),
        ("a@1/run.json", "digest"),
    ],
)
def test_an_adapter_file_that_climbs_or_was_changed_is_refused(
    filled: Settings, tmp_path: Path, name: str, says: str
) -> None:
    target = tmp_path / "backup.tar.gz"
    backup(filled, target)
    with tarfile.open(target) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]  # it is there
        database = tar.extractfile("state.db").read()  # type: ignore[union-attr]  # it is there
    manifest["adapter_files"] = {name: {"bytes": 2, "sha256": "0" * 64}}
    parts = {"manifest.json": json.dumps(manifest).encode(), "state.db": database}
    write_archive(target, {**parts, f"adapters/{name}": b"{}"})
    with pytest.raises(InvalidBackup, match=says):
        restore_backup(filled, target)
    assert list(filled.paths.adapters.iterdir()) == []
    assert names(filled) == ["a", "b"]


def test_the_commands_print_one_json_document(
    filled: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINGERPOST_HOME", str(filled.home))
    file = tmp_path / "b.tar.gz"

    def run(*words: str, exits: int = 0) -> Any:
        done = CliRunner().invoke(app, ["kb", *words, str(file), "--json"])
        assert done.exit_code == exits, done.output
        return json.loads(done.stdout)

    trained(filled)
    made = run("backup")
    assert (made["documents"], made["adapters"], made["held_adapters"]) == (2, 1, 0)
    assert "--with-adapters" in made["note"]
    assert run("backup", exits=1)["error"]["code"] == "backup_impossible"
    done = run("restore")
    assert done["documents"] == 2
    assert os.path.isfile(done["kept"])
    assert run("backup", "--with-adapters", "--force")["held_adapters"] == 1
    assert (run("restore")["held_adapters"], run("restore")["kept_adapters"]) == (1, [])
    file.write_text("hello")
    assert run("restore", exits=1)["error"]["code"] == "invalid_backup"


def _disk_full(*_: object) -> None:
    raise OSError(28, "No space left on device")
