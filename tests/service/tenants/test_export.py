"""An export holds all of one tenant and nothing of another."""

import base64
import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.access_errors import ExportImpossible, TenantNotFound
from service.cli import app
from service.settings import Settings
from service.tenants.export import export_tenant
from tests.fakes.two_tenants import ACME, BOLT, WORDS, files_with, fill, two_tenants
from tests.service.tenants.test_deletion import OF_DELETED_DOCUMENT, OTHERS, rows_of
from tests.service.waiting import eventually


def test_an_export_holds_all_of_its_tenant_and_nothing_of_others(
    settings: Settings, tmp_path: Path
) -> None:
    target, unpacked = tmp_path / "acme.zip", tmp_path / "unpacked"
    with two_tenants(settings) as running:
        for number, (tenant, words) in enumerate(((ACME, WORDS), (BOLT, OTHERS))):
            fill(running, tenant, words[:20], adapter=number)
        database = running.context.database
        eventually(lambda: "records" in rows_of(database, ACME))
        done = export_tenant(settings, database, ACME, target)
        assert done.rows == rows_of(database, ACME)
        assert (done.uploads, done.files > 2) == (1, True)
        with pytest.raises(ExportImpossible, match="--force"):
            export_tenant(settings, database, ACME, target)
        with pytest.raises(TenantNotFound):
            export_tenant(settings, database, "nobody", tmp_path / "x.zip")
    with zipfile.ZipFile(target) as archive:
        archive.extractall(unpacked)
    # where a label, hyphen or escape would hide a word, a row is still JSON with its letters
    assert files_with(unpacked, *OTHERS, BOLT) == {}
    found = files_with(unpacked, *WORDS[:20])
    assert set(WORDS[:20]) - {WORDS[OF_DELETED_DOCUMENT]} == set(found)
    lines = (unpacked / "rows" / "kb_chunks.jsonl").read_text().splitlines()
    assert len(lines) == done.rows["kb_chunks"]
    assert len(base64.b64decode(json.loads(lines[0])["vector"])) > 0
    assert json.loads((unpacked / "manifest.json").read_text())["tenant"] == ACME
    assert [path.name for path in tmp_path.glob(".export-*")] == []


def test_an_export_that_cannot_be_written_says_why(settings: Settings, tmp_path: Path) -> None:
    with two_tenants(settings, works=False) as running:
        database = running.context.database
        with pytest.raises(ExportImpossible, match="must end in"):
            export_tenant(settings, database, ACME, tmp_path / "acme.tar")
        with pytest.raises(ExportImpossible, match="cannot be written"):
            export_tenant(settings, database, ACME, tmp_path / "missing" / "acme.zip")


def test_the_command_writes_the_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINGERPOST_HOME", str(settings.home))
    run = CliRunner().invoke
    assert run(app, ["tenants", "create", ACME]).exit_code == 0
    done = run(app, ["tenants", "export", ACME, str(tmp_path / "a.zip"), "--json"])
    assert json.loads(done.stdout)["rows"] == {}
    assert (tmp_path / "a.zip").stat().st_mode & 0o777 == 0o600
    refused = run(app, ["tenants", "export", ACME, str(tmp_path / "a.zip"), "--json"])
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (
        1,
        "export_impossible",
    )
