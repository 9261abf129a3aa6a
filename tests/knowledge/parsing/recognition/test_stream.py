"""What was recognised stays, whatever happens to the child."""

import json

import pytest

from knowledge import DamagedFile, ParseLimitExceeded, ParseLimits
from knowledge.parsing import sandbox
from knowledge.parsing.recognition import stream
from knowledge.parsing.recognition.stream import recognise_pages
from knowledge.parsing.sandbox import Request

REQUEST = Request("a.pdf", b"", "pdf", None, ParseLimits(ocr_seconds_per_page=0.2))
READS = """
import json, os, signal, sys, time
order = json.loads(sys.stdin.readline())
def say(**what): print(json.dumps(what), flush=True)
say(pages=[n for n in (1, 2, 3) if n > order["after"]], beyond=[4], more="too many")
for number in (1, 2, 3):
    if number == 2 and order["after"] < 2:
        DEED
    if number > order["after"]:
        say(page=number, lines=[["x"]], confidence=0.9, why="")
say(done=True)
"""


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        ("time.sleep(60)", "ocr_seconds_per_page"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "ocr_seconds_per_page"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "ocr_memory_mb"),
        ("os.abort()", "ocr_memory_mb"),
    ],
)
def test_a_page_that_ends_the_child_is_left_out_and_the_next_is_read(
    monkeypatch: pytest.MonkeyPatch, deed: str, why: str
) -> None:
    monkeypatch.setattr(sandbox, "_START", READS.replace("DEED", deed))
    monkeypatch.setattr(stream, "LOAD_S", 1.0)
    pages = recognise_pages(REQUEST, None).pages()
    assert [number for number in sorted(pages) if pages[number]["lines"]] == [1, 3]
    assert why in pages[2]["why"]
    assert pages[4]["why"] == "too many"


def test_a_file_that_ends_every_child_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    say = 'import json; print(json.dumps({"pages": list(range(1, 10)), "beyond": [], "more": ""}))'
    monkeypatch.setattr(sandbox, "_START", say)
    pages = recognise_pages(REQUEST, None).pages()
    assert [pages[number]["lines"] for number in sorted(pages)] == [[]] * 9
    assert "stopped before it" in pages[9]["why"]


def test_a_child_that_says_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_START", "import os; os.abort()")
    with pytest.raises(ParseLimitExceeded, match="ocr_memory_mb"):
        recognise_pages(REQUEST, None)


def test_what_is_wrong_with_the_file_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    said = json.dumps({"error": "DamagedFile", "message": "it is cut off"})
    monkeypatch.setattr(sandbox, "_START", f"print({said!r})")
    with pytest.raises(DamagedFile, match="cut off"):
        recognise_pages(REQUEST, None)
