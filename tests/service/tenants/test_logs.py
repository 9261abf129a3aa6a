"""Log entries that name something are overwritten where they stand; the others stay."""

from pathlib import Path
from urllib.parse import quote

import pytest

from service.tenants.logs import erase_entries

STAMP = "2026-11-30 10:00:00,000 INFO x"


def written(folder: Path, *lines: str) -> Path:
    file = folder / "worker.log"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "line",
    [
        f"{STAMP} job acme ended",
        'INFO:     127.0.0.1:1 - "GET /x/acme?a=1 HTTP/1.1" 200 OK',
        f"{STAMP} acme.",
        f"{STAMP} tenant='acme'",
    ],
)
def test_an_entry_with_a_name_is_overwritten(tmp_path: Path, line: str) -> None:
    file = written(tmp_path, STAMP, line, STAMP)
    assert erase_entries(tmp_path, ["acme"]) == 1
    assert file.read_text().splitlines() == [STAMP, " " * len(line), STAMP]


@pytest.mark.parametrize("word", ["acmes", "acme-2", "xacme", "acme_b"])
def test_a_longer_word_is_another_name(tmp_path: Path, word: str) -> None:
    written(tmp_path, f"{STAMP} {word}")
    assert erase_entries(tmp_path, ["acme"]) == 0


@pytest.mark.parametrize("name", ["退货 规定.md", "a b.md", "x/y.md"])
def test_names_are_found_as_addresses_write_them(tmp_path: Path, name: str) -> None:
    written(tmp_path, f"{STAMP} GET /{quote(name)}", f"{STAMP} {name}", f"{STAMP} {name!a}")
    assert erase_entries(tmp_path, [name]) == 3


def test_a_traceback_goes_with_its_entry(tmp_path: Path) -> None:
    file = written(tmp_path, f"{STAMP} job_1 failed", "Traceback:", "ValueError: secret", STAMP)
    size = file.stat().st_size
    assert erase_entries(tmp_path, ["job_1"]) == 3
    assert "secret" not in file.read_text()
    assert file.stat().st_size == size
    assert file.read_text().endswith(f"{STAMP}\n")


def test_short_and_no_names_erase_nothing(tmp_path: Path) -> None:
    written(tmp_path, f"{STAMP} of a b")
    assert erase_entries(tmp_path, ["a", "of"]) == erase_entries(tmp_path, []) == 0


def test_a_hundred_thousand_ids_are_looked_for_at_once(tmp_path: Path) -> None:
    written(tmp_path, *[f"{STAMP} chunk c{number}" for number in range(2_000)])
    assert erase_entries(tmp_path, [f"c{number}" for number in range(1_000, 101_000)]) == 1_000
