"""The engine of this home, asked by a command of this machine."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.home import Home, Ports
from tests.fakes.engine import FakeEngine, Served, Switches


@pytest.fixture
def chats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))
    file = tmp_path / "chats.jsonl"
    row = {"prompt": "包裹在哪？", "completion": "今天到。", "date": "2026-10-01"}
    file.write_text(json.dumps(row), encoding="utf-8")
    return file


def annotate(chats: Path, out: Path, port: int) -> tuple[int, str]:
    home = Home(chats.parent / "home")
    home.ports_file.parent.mkdir(parents=True, exist_ok=True)
    home.write_ports(Ports(gateway=1, engine=port, chroma=1))
    words = ("data", "annotate", str(chats), "--dialogues", "--out", str(out))
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.output


def test_the_model_server_of_this_home_reads_the_texts(chats: Path, tmp_path: Path) -> None:
    engine = FakeEngine(switches=Switches(pieces=('{"intent": "查物流", ', '"result": "已解决"}')))
    out = tmp_path / "triples.jsonl"
    with Served(engine.app()) as server:
        code, told = annotate(chats, out, server.port)
    assert (code, told.splitlines()[-2:]) == (0, [f"1 rows from 1 texts: {out}", "  1 annotated"])
    row = json.loads(out.read_text(encoding="utf-8"))
    assert json.loads(row["messages"][-1]["content"]) == {"intent": "查物流", "result": "已解决"}
    assert (row["meta"]["scenario"], row["meta"]["reviewed"]) == ("查物流", False)
    assert "用户：包裹在哪？" in engine.requests[0]["messages"][-1]["content"]


def test_without_a_model_server_the_command_says_so(chats: Path, tmp_path: Path) -> None:
    with Served(FakeEngine().app()) as server:
        port = server.port
    code, told = annotate(chats, tmp_path / "out.jsonl", port)
    assert code == 1
    assert "The model server does not respond" in told
    assert not (tmp_path / "out.jsonl").exists()
