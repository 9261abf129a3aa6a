"""`fingerpost kb parse` needs no gateway and says what ingest would read."""

import json
from pathlib import Path

from typer.testing import CliRunner

from service.cli import app
from tests.fakes import files


def run_parse(file: Path, *options: str) -> tuple[int, dict[str, object]]:
    result = CliRunner().invoke(app, ["kb", "parse", str(file), "--json", *options])
    document = json.loads(result.stdout)
    assert isinstance(document, dict)
    return result.exit_code, document


def test_parse_prints_text_pages_format_and_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(files.pdf("One lamp.", "Two lamps."))
    status, document = run_parse(tmp_path / "a.pdf")
    assert status == 0
    assert document == {
        "text": "One lamp.\n\nTwo lamps.",
        "pages": ["One lamp.", "Two lamps."],
        "format": "pdf",
        "encoding": "binary",
        "recognised": {},
        "left_out": [],
    }


def test_parse_says_which_pages_were_recognised_unless_told_not_to(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(files.OF_FORMAT["png"]("The pump stands still"))
    status, document = run_parse(picture)
    assert (status, document["pages"]) == (0, ["The pump stands still"])
    assert isinstance(document["recognised"], dict)
    assert document["recognised"].keys() == {"1"}
    assert 0.8 < document["recognised"]["1"] < 1
    said = CliRunner().invoke(app, ["kb", "parse", str(picture)])
    assert f"recognised: page 1, confidence {document['recognised']['1']:.2f}" in said.stderr
    assert "encoding" not in said.stderr
    status, document = run_parse(picture, "--ocr", "never")
    assert status == 1
    assert "'code': 'no_text'" in str(document["error"])


def test_a_file_without_pages_is_one_page(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("年假".encode("utf-16"))
    _, document = run_parse(tmp_path / "a.txt")
    assert document["pages"] == ["年假"]
    assert document["encoding"] == "utf-16-le"


def test_the_encoding_may_be_named_and_one_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("The word 谢谢 means thanks.".encode("gbk"))
    _, guessed = run_parse(tmp_path / "a.txt")
    assert [part["what"] for part in guessed["left_out"]] == ["encoding"]  # type: ignore[attr-defined]  # JSON
    _, named = run_parse(tmp_path / "a.txt", "--encoding", "GBK")
    assert (named["text"], named["left_out"]) == ("The word 谢谢 means thanks.", [])
    said = CliRunner().invoke(app, ["kb", "parse", str(tmp_path / "a.txt"), "--encoding", "gbk"])
    assert "encoding: gb18030" in said.output
    status, document = run_parse(tmp_path / "a.txt", "--encoding", "klingon")
    assert status == 1
    assert document["error"]["code"] == "unknown_encoding"  # type: ignore[index]  # JSON


def test_a_locked_file_opens_with_its_password_only(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(files.locked_pdf("one lamp", "sesame"))
    status, document = run_parse(tmp_path / "a.pdf", "--password", "sesame")
    assert (status, document["pages"]) == (0, ["one lamp"])
    for options, code in ((), "password_required"), (("--password", "x"), "wrong_password"):
        status, document = run_parse(tmp_path / "a.pdf", *options)
        assert status == 1
        error = document["error"]
        assert isinstance(error, dict)
        assert error["code"] == code


def test_what_cannot_be_opened_fails_with_a_code(tmp_path: Path) -> None:
    status, document = run_parse(tmp_path / "missing.pdf")
    assert status == 1
    error = document["error"]
    assert isinstance(error, dict)
    assert error["code"] == "unsupported_file"
    assert "missing.pdf" in str(error["message"])


def test_parse_tells_what_was_not_read(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>one lamp</p><video src='a.mp4'></video>")
    _, document = run_parse(page)
    assert isinstance(document["left_out"], list)
    assert [part["what"] for part in document["left_out"]] == ["video"]
    said = CliRunner().invoke(app, ["kb", "parse", str(page)])
    assert said.stderr.startswith("not read: video")
    assert "not read" not in said.stdout
