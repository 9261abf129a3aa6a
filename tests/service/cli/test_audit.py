"""`fingerpost audit` lists and checks the changes of a home, and commands add theirs."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.cli.local import LocalContext, note_file, open_local
from service.stores.requests.chain import Change

PUT = Change("acme", "key_1", "http", "PUT /use_cases/{use_case_id}", "use_cases", "demo")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*words: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["audit", *words, "--json"])
    return done.exit_code, json.loads(done.stdout)


def fill(n: int = 3) -> list[float]:
    with open_local() as local:
        return [
            local.audit.append(replace(PUT, object_id=f"case-{number}")).created_at
            for number in range(n)
        ]


def database_of(home: Path) -> Path:
    with open_local() as local:
        return local.settings.paths.database


def test_changes_are_listed_newest_first(home: Path) -> None:
    fill()
    code, document = run("--limit", "2")
    assert code == 0
    assert [row["object_id"] for row in document["data"]] == ["case-2", "case-1"]
    assert (document["data"][0]["tenant"], document["data"][0]["key_id"]) == ("acme", "key_1")


def test_changes_are_chosen_by_tenant_and_time(home: Path) -> None:
    fill()
    assert run("--tenant", "bolt")[1]["data"] == []
    assert len(run("--tenant", "acme")[1]["data"]) == 3
    assert len(run("--since", "2026-01-01")[1]["data"]) == 3
    assert run("--since", "2199-01-01T00:00")[1]["data"] == []
    code, problem = run("--since", "yesterday")
    assert (code, problem["error"]["code"]) == (1, "invalid_request")


def test_a_log_in_order_is_verified(home: Path) -> None:
    fill()
    code, document = run("--verify")
    assert code == 0
    assert (document["verified"], document["rows"], document["first_changed"]) == (True, 3, None)


def test_a_changed_row_is_named_and_the_command_fails(home: Path) -> None:
    fill()
    connection = sqlite3.connect(database_of(home))
    connection.execute("DROP TRIGGER audit_log_no_update")
    connection.execute("UPDATE audit_log SET action = 'GET /' WHERE seq = 2")
    connection.commit()
    connection.close()
    code, document = run("--verify")
    assert code == 1
    assert (document["verified"], document["first_changed"], document["rows"]) == (False, 2, 1)
    human = CliRunner().invoke(app, ["audit", "--verify"])
    assert "row 2 is not as it was written" in human.stdout


def test_the_list_is_readable(home: Path) -> None:
    assert CliRunner().invoke(app, ["audit"]).stdout == "no changes\n"
    fill(1)
    shown = CliRunner().invoke(app, ["audit"]).stdout
    assert "acme key_1  PUT /use_cases/{use_case_id}  case-0" in shown


def test_a_command_adds_its_change(home: Path) -> None:
    def written(local: LocalContext) -> list[tuple[str, str, str | None]]:
        return [(row.via, row.action, row.object_id) for row in local.audit.list()]

    with open_local() as local:
        local.note_change("adapters import", "adapters", "helpdesk@1")
        in_force = local.settings.paths.classifier_file
    in_force.write_text("{}")
    note_file("route fit", in_force, in_force)
    note_file("route fit", home / "other.json", in_force)
    with open_local() as local:
        assert written(local) == [
            ("command", "route fit", in_force.name),
            ("command", "adapters import", "helpdesk@1"),
        ]
