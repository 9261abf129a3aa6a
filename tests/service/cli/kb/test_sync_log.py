"""The report of the last sync: stored when it ends, as far as it came, and shown by `--last`."""

import json
import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from service.cli import app
from service.cli.client import Gateway
from service.cli.kb.folders import FoundFiles
from service.cli.kb.outcome import Outcome
from service.cli.kb.sources import source_of
from service.cli.kb.sync_log import SyncLog, _print_run
from service.cli.replies import SyncReply
from tests.service.cli.kb.conftest import STORE, Sync
from tests.service.conftest import Running


def last(running: Running, *words: str, exits: int = 0) -> str:
    line = ["kb", "sync", "handbook", *words, "--last", "--url", str(running.client.base_url)]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == exits, done.output
    return done.output


def test_the_last_sync_of_a_folder_or_of_any_is_shown(
    store: Running,
    sync: Sync,
    folder: Path,
) -> None:
    assert "No sync with handbook was recorded" in last(store, exits=1)
    (folder / "empty.md").write_text(" ")
    (folder / "Thumbs.db").write_text("x")
    done = sync(folder, exits=3)
    sync(folder / "deep")
    shown = sync(folder, "--last")
    assert (shown["state"], shown["source"]) == ("partial", source_of(folder))
    assert shown["report"] == done
    assert shown["began_at"] <= shown["ended_at"]
    lines = last(store, str(folder)).splitlines()
    assert "added       a.md" in lines
    assert "skipped     Thumbs.db: a system file of Windows" in lines
    assert any(line.startswith("failed      empty.md: ") for line in lines)
    assert any(line.startswith("partial     began ") for line in lines)
    assert f"folder      {source_of(folder / 'deep')}" in last(store)
    assert source_of(folder) in last(store, "--source", "other", exits=1)
    sync(folder, "--dry-run")
    assert sync(folder, "--last")["report"] == done, "a dry run is no sync"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_sync_that_is_stopped_says_so_and_what_it_did(
    store: Running,
    sync: Sync,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    def stopped(*_: Any) -> None:
        os.kill(os.getpid(), number)

    monkeypatch.setattr("service.cli.kb.sync._Run.delete", stopped)
    before = signal.getsignal(number)
    body = sync(folder, exits=1)
    assert body["error"]["code"] == "stopped"
    assert signal.getsignal(number) == before
    shown = sync(folder, "--last")
    assert (shown["state"], shown["report"]["added"]) == ("stopped", ["a.md", "deep/b.md"])
    lines = last(store).splitlines()
    assert any(line.startswith("stopped     began ") for line in lines)


def test_a_sync_that_an_error_ends_says_so(
    store: Running,
    sync: Sync,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.cli.kb.sync.ENDS_ALL", {"empty_document"})
    (folder / "z.md").write_text(" ")
    assert sync(folder, exits=1)["error"]["code"] == "empty_document"
    shown = sync(folder, "--last")
    assert (shown["state"], shown["report"]["error"]["error"]["code"]) == (
        "failed",
        "empty_document",
    )
    assert any(line.startswith("error       ") for line in last(store).splitlines())
    monkeypatch.setenv("FINGERPOST_LANG", "zh")
    assert sync(folder, exits=1)["title"] == "文档为空"
    stored = sync(folder, "--last")["report"]["error"]
    assert not {"title", "hint"} & stored.keys(), "others read the report in their language"
    assert stored["error"]["code"] == "empty_document"


def test_a_sync_that_never_ended_is_unfinished_with_what_it_last_told(
    store: Running,
    sync: Sync,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store_report = SyncLog._store

    def killed(log: SyncLog, state: str, **more: Any) -> None:
        if state == "unfinished":
            store_report(log, state, **more)

    monkeypatch.setattr("service.cli.kb.sync_log.REPORTED_S", 0.0)
    monkeypatch.setattr(SyncLog, "_store", killed)
    sync(folder)
    shown = sync(folder, "--last")
    assert (shown["state"], shown["ended_at"]) == ("unfinished", None)
    assert shown["report"]["added"], "what it had done by then"
    assert "still runs, or was killed" in last(store)


def test_a_report_of_another_shape_hides_no_other(store: Running, sync: Sync, folder: Path) -> None:
    sync(folder)
    begun = store.client.post(f"{STORE}/syncs", json={"source": "elsewhere"}).json()
    stored = {"state": "finished", "report": {"added": "x"}}
    assert store.client.post(f"{STORE}/syncs/{begun['id']}", json=stored).status_code == 200
    assert "added" in last(store, str(folder))
    assert "--json shows it" in last(store, "--source", "elsewhere")
    body = json.loads(last(store, "--source", "elsewhere", "--json"))
    assert body["report"] == stored["report"]


def test_a_sync_says_how_far_it_is_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now, told = [100.0], list[str]()
    monkeypatch.setattr("service.cli.kb.sync_log.time.monotonic", lambda: now[0])
    monkeypatch.setattr(SyncLog, "_store", lambda _log, state: told.append(state))
    outcome = Outcome("handbook", "desk:/docs", FoundFiles(), dry_run=False)
    with closing(Gateway.find("http://127.0.0.1:9")) as gateway:
        log = SyncLog(gateway, outcome)
        for second, times in ((104, 0), (106, 1), (110, 1), (112, 2)):
            now[0] = float(second)
            log.note()
            assert told == ["unfinished"] * times


def test_a_report_that_the_gateway_does_not_take_fails_no_sync() -> None:
    outcome = Outcome("handbook", "desk:/docs", FoundFiles(), dry_run=False)
    ran = []
    with closing(Gateway.find("http://127.0.0.1:9")) as gateway:
        with SyncLog(gateway, outcome).running():
            ran.append(True)
    assert ran


def test_a_run_is_told_from_its_begin_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome("handbook", "desk:/docs", FoundFiles(), dry_run=False)
    ways: dict[float | None, str] = {
        86_400.0 * 9: "finished    began 1970-01-01 00:00:00, ended 1970-01-10 00:00:00",
        None: "unfinished  began 1970-01-01 00:00:00, last heard of 1970-01-06 00:00:00",
    }
    for ended_at, line in ways.items():
        body = {
            "id": "sync_1",
            "source": "desk:/docs",
            "state": "finished" if ended_at else "unfinished",
            "began_at": 0.0,
            "heard_at": 86_400.0 * 5,
            "ended_at": ended_at,
            "report": outcome.as_document(),
        }
        _print_run(Console(width=200), SyncReply.model_validate(body))
        assert line in capsys.readouterr().out
