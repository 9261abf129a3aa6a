"""`fingerpost tenants` on this machine's home: created, listed, deleted after a question."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["tenants", *words], input=answer)


def test_a_tenant_is_created_and_listed_beside_the_default_one() -> None:
    assert run("create", "acme").output == "tenant acme is created\n"
    listed = json.loads(run("ls", "--json").stdout)["data"]
    assert [(row["tenant"], row["rows"]) for row in listed] == [("default", {}), ("acme", {})]
    refused = run("create", "acme", "--json")
    assert json.loads(refused.stdout)["error"]["code"] == "tenant_exists"
    assert refused.exit_code == 1


def test_deleting_asks_first() -> None:
    run("create", "acme")
    refused = run("delete", "acme", answer="n\n")
    assert refused.exit_code != 0
    assert "acme" in run("ls").output
    done = run("delete", "acme", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "not reached: backups" in done.output
    assert "acme" not in run("ls").output


@pytest.mark.parametrize(
    ("name", "code"), [("nobody", "tenant_not_found"), ("default", "tenant_kept")]
)
def test_what_cannot_be_deleted_is_told(name: str, code: str) -> None:
    refused = run("delete", name, "--yes", "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (1, code)
