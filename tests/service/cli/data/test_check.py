"""`fingerpost data check`: here without a use case, by the gateway with one."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import Result

from knowledge import SentenceTransformerEmbedder
from tests.fakes.embedder import FakeEmbedder
from tests.service.cli.conftest import CannedGateway

Run = Callable[..., Result]
CHECKED = "/use_cases/demo/data_checks"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [{"prompt": f"lamp {n}", "completion": f"a lamp, number {n}"} for n in range(5)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_without_a_use_case_rows_are_checked_here(run: Run, file: Path) -> None:
    result = run("data", "check", str(file), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["object"], found["verdict"], found["rows"]) == ("data_check", "unknown", 5)
    assert [check["name"] for check in found["checks"]] == [
        "relevance",
        "scenarios",
        "agreement",
        "recency",
        "personal_data",
    ]


def test_a_failed_check_names_lines_and_ends_with_1(run: Run, file: Path) -> None:
    with file.open("a", encoding="utf-8") as rows:
        rows.write('\n{"prompt": "电话13812345678", "completion": "好"}')
    result = run("data", "check", str(file))
    assert result.exit_code == 1
    assert result.stdout.startswith("fail: 6 rows")
    assert "fail     personal data 1 rows" in result.stdout
    assert "line 6: cn_mobile: 电话<cn_mobile>" in result.stdout
    assert "13812345678" not in result.output
    told = run("data", "check", str(file), "--json")
    assert (told.exit_code, json.loads(told.stdout)["verdict"]) == (1, "fail")


def test_a_domain_is_compared_by_this_homes_embedder(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def configured(path: str, config: object) -> FakeEmbedder:
        return FakeEmbedder()

    monkeypatch.setattr(SentenceTransformerEmbedder, "configured", configured)

    def relevance(*options: str) -> object:
        words: Sequence[str] = ("data", "check", str(file), "--json", *options)
        return json.loads(run(*words).stdout)["checks"][0]

    near = relevance("--domain", "a lamp", "--min-similarity", "0.3")
    assert isinstance(near, dict)
    assert (near["status"], near["details"]["min_similarity_source"]) == (
        "pass",
        "given with the check",
    )
    far = relevance("--domain", "zebra", "--min-similarity", "0.9")
    assert isinstance(far, dict)
    assert far["status"] == "fail"
    foreign = relevance("--domain", "台灯的售后服务")
    assert isinstance(foreign, dict)
    assert foreign["status"] == "unknown"
    assert "description is in zh, which the embedder fake-words does not read" in foreign["missing"]


def test_with_a_use_case_the_gateway_checks_and_keeps(
    run: Run, gateway: CannedGateway, file: Path
) -> None:
    report = json.loads(run("data", "check", str(file), "--json").stdout)
    gateway.answer("GET /use_cases/demo", {"id": "demo"})
    gateway.answer("POST /v1/files", {"id": "file-1"})
    gateway.answer(f"POST {CHECKED}", {**report, "id": "chk_1", "use_case": "demo"})
    options = ("--domain", "lamps", "--scenario", "a", "--scenario", "b", "--json")
    result = run("data", "check", str(file), "-u", "demo", *options)
    assert json.loads(result.stdout)["id"] == "chk_1"
    assert gateway.sent(f"POST {CHECKED}").json == {
        "file_id": "file-1",
        "domain": "lamps",
        "scenarios": ["a", "b"],
    }
    assert file.read_bytes() in gateway.sent("POST /v1/files").body


def test_a_long_check_is_waited_for(run: Run, gateway: CannedGateway, file: Path) -> None:
    report = json.loads(run("data", "check", str(file), "--json").stdout)
    gateway.answer("GET /use_cases/demo", {"id": "demo"})
    gateway.answer("POST /v1/files", {"id": "file-1"})
    gateway.answer(f"POST {CHECKED}", {"job": {"id": "job_1"}}, status=202)
    done = {"id": "job_1", "status": "succeeded", "result": {"data_check": "chk_2"}}
    gateway.answer("GET /jobs/job_1", {"id": "job_1", "status": "running"}, done)
    gateway.answer(f"GET {CHECKED}/chk_2", {**report, "id": "chk_2"})
    result = run("data", "check", str(file), "--use-case", "demo", "--json")
    assert json.loads(result.stdout)["id"] == "chk_2"


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "invalid_training_data", "no training rows"),
        ("請問在哪裡".encode("big5"), "invalid_training_data", "not UTF-8"),
        (b'{"question": "a"}', "invalid_training_data", "rows.jsonl:1: no known format"),
        (None, "invalid_file", "cannot be read"),
    ],
)
def test_bad_files_are_refused_in_one_document(
    run: Run, tmp_path: Path, content: bytes | None, code: str, said: str
) -> None:
    file = tmp_path / "rows.jsonl"
    if content is not None:
        file.write_bytes(content)
    result = run("data", "check", str(file), "--json")
    body = json.loads(result.stdout)
    assert (result.exit_code, body["error"]["code"]) == (1, code)
    assert said in body["detail"]


def test_an_unknown_use_case_is_told_before_the_file_is_sent(
    run: Run, gateway: CannedGateway, file: Path
) -> None:
    gateway.refuse("GET /use_cases/none", 404, "use_case_not_found", "There is no use case 'none'.")
    result = run("data", "check", str(file), "-u", "none", "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (
        1,
        "use_case_not_found",
    )
    assert [call.method for call in gateway.calls] == ["GET"]
