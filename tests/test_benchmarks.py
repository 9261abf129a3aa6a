"""The benchmarks run where quickstart.sh made the environment: without what only tests need."""

import ast
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from knowledge.parsing import FORMATS
from knowledge.parsing.recognition.scan import PICTURES
from service.settings import CHECKOUT
from tests.benchmarks import field, foreign_ids, gateway, parse_speed
from tests.benchmarks.field import asked, lookups, serving
from tests.benchmarks.field.asked import Seen, Shown
from tests.benchmarks.field.told import Right, Told, judge, read_reply
from tests.benchmarks.field.words import stands_in
from tests.fakes.embedder import FakeEmbedder

FOLDER = CHECKOUT / "tests" / "benchmarks"
DOCUMENTS = ("README.md", "*/README.md", "*/DECISIONS.md", "tests/benchmarks/*.md", "deploy/*.md")

FAKES = CHECKOUT / "tests" / "fakes"
TRAINER = "trl_script"  # loads TRL as soon as it is imported: its imports are read, not done
ONLY_TESTS = ("pytest", "_pytest", "pluggy", "iniconfig", "xdist", "execnet", "hypothesis")

# Imports each module with the packages of pins-test.txt out of reach, and asks it for its options.
PROGRAM = """
import contextlib, importlib, io, json, sys
modules, blocked = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys(blocked))
for name in modules:
    module = importlib.import_module(name)
    if not hasattr(module, "argparse"):
        continue
    sys.argv, shown = [name, "--help"], io.StringIO()
    try:
        with contextlib.redirect_stdout(shown):
            module.main()
    except SystemExit as end:
        assert end.code == 0, f"{name} --help ends with {end.code}"
    assert "--json" in shown.getvalue(), f"{name} --help names no --json"
"""


def names(folder: Path) -> list[str]:
    """Return the modules of a folder of `tests/`."""
    stems = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    place = folder.relative_to(CHECKOUT).as_posix().replace("/", ".")
    return [f"{place}.{stem}" for stem in stems]


@pytest.mark.timeout(120)  # a busy machine takes its time for a hundred modules
def test_every_benchmark_imports_and_shows_its_options_without_the_packages_of_tests() -> None:
    modules = [
        *names(FOLDER),
        *names(FOLDER / "training_data"),
        field.__name__,
        *names(FAKES),
    ]  # benchmarks import fakes inside functions too
    modules.remove(f"tests.benchmarks.{TRAINER}")
    assert len(modules) > 25
    asked = json.dumps([modules, ONLY_TESTS])
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, asked]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_training_by_trl_alone_imports_nothing_that_only_tests_have() -> None:
    tree = ast.parse((FOLDER / f"{TRAINER}.py").read_text(encoding="utf-8"))
    found = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert "trl" in found
    assert {name.partition(".")[0] for name in found}.isdisjoint({*ONLY_TESTS, "tests"})


def test_the_benchmarks_that_documents_name_are_there() -> None:
    named: set[str] = set()
    for pattern in DOCUMENTS:
        for document in CHECKOUT.glob(pattern):
            text = document.read_text(encoding="utf-8")
            named |= set(re.findall(r"tests\.benchmarks\.([\w.]*\w)", text))
    assert len(named) > 5
    there = {path.stem for path in FOLDER.glob("*.py")}
    there |= {path.parent.name for path in FOLDER.glob("*/__main__.py")}
    there |= {f"training_data.{path.stem}" for path in FOLDER.glob("training_data/*.py")}
    assert sorted(named - there) == []


def test_a_server_that_ends_at_its_start_is_said_with_its_log(tmp_path: Path) -> None:
    child = gateway.Child("engine", ["--serve-engine", "no port"], tmp_path)
    child.process.wait(20)
    with pytest.raises(RuntimeError, match=r"(?s)the engine ended with exit code 2.*invalid int"):
        child.check()


def test_every_row_of_the_field_says_what_is_done_and_what_is_right() -> None:
    cases, here = field.read_cases()
    assert here < {case.kind for case in cases}
    for case in cases:
        assert case.do in ("parse", "search", "ask", "post", "script"), case
        assert case.holds or case.lines or case.passages, case
        assert bool(case.question) == (case.do in ("search", "ask")), case


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        ("one lamp", "one\n  lamp", True),
        ("one  lamp", "one lamp", False),
        ("25", "page 25.", True),
        ("25", "251", False),
        ("25", "1.25", False),
        (["a", "lamp"], "the lmp", False),
        (["b", "lamp"], "the lamp", True),
        ("re:l.mp", "lump", True),
    ],
)
def test_a_word_stands_in_a_text(words: str | list[str], text: str, found: bool) -> None:
    assert stands_in(words, text) is found


def test_what_is_wrong_with_passages_is_said() -> None:
    seen = Seen("", (Shown("fee 10", "Basic", frozenset({1})), Shown("fee 25", "Pro")))
    right = field.Case("5", "f", "ask", passages=(("fee", "10", "Basic"),), pages=(1,))
    assert field.faults(right, seen) == []
    wrong = field.Case("5", "f", "ask", passages=(("fee", "10", "Pro"),), every=("Pro",))
    assert field.faults(wrong, seen) == [
        "no passage with ('fee', '10', 'Pro') (lacks ['Pro'])",
        "a passage lacks 'Pro'",
    ]
    other = field.Case("5", "f", "ask", passages=(("10",),), pages=(1, 2), not_beside=("Basic",))
    assert field.faults(other, seen) == ["beside it is 'Basic'", "names pages [1]"]
    assert field.faults(right, Seen("", nothing="abstained")) == ["abstained"]


def test_every_row_of_serving_says_what_is_done_and_what_is_right() -> None:
    cases = serving.read_rows()
    assert len({case.file for case in cases}) == len(cases) > 30
    for case in cases:
        assert case.do in ("post", "each", "use_case", "script", "command"), case
        assert case.right, case
        assert bool(case.put) == bool(case.question) == (case.do == "use_case"), case
        assert bool(case.arguments) == (case.do == "command"), case
        assert not case.offline or "URL" not in case.arguments, case


@pytest.mark.parametrize(
    ("right", "fault"),
    [
        (Right(), ""),
        (Right(status=[400, 200]), ""),
        (Right(status=400), "status 200"),
        (Right(status=None), ""),
        (Right(where={"choices.0.text": "some", "choices.1.text": "none", "n": 0}), ""),
        (Right(where={"choices.0.text": "none"}), 'choices.0.text is "GB 3 / 2", not none'),
        (Right(where={"choices.0.text": "re:^GB"}), ""),
        (Right(where={"n": "re:0"}), "n is 0, not re:0"),
        (Right(where={"n": 1}), "n is 0, not 1"),
        (Right(holds=("GB",), lacks=("MB",)), ""),
        (Right(holds=("MB",)), "lacks 'MB'"),
        (Right(lacks=("GB",)), "holds 'GB'"),
        (Right(ascending=r"(\d) / (\d)"), "3 is more than 2"),
        (Right(ascending=r"(\d) : (\d)"), ""),
    ],
)
def test_what_a_gateway_told_is_judged_by_its_content(right: Right, fault: str) -> None:
    body = {"choices": [{"text": "GB 3 / 2"}], "n": 0}
    told = Told(200, json.dumps(body), body)
    assert judge(told, [right]).partition(": 200")[0] == fault
    assert judge(told, [Right(status=1, holds=("none",)), Right()]) == ""


def test_a_stream_is_judged_by_what_its_pieces_say_together() -> None:
    pieces = [{"choices": [{"delta": {"content": text}}]} for text in ("x", "[1", "]")]
    events = [*pieces, {"choices": [{"delta": {}}], "sources": []}]
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    reply = httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})
    told = read_reply(reply)
    assert (told.at("text"), told.at("last.sources")) == ("x[1]", [])
    assert judge(told, [Right(where={"text": r"re:^(?!.*\[\d+\]).+$"})])


def test_every_line_variant_and_use_case_is_tried_on_the_gateway(tmp_path: Path) -> None:
    seen: list[tuple[str, str, Any]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        seen.append((request.method, request.url.path, body))
        return httpx.Response(200, json={"outcome": "answered"})

    lines = [{"message": "a"}, {"history": ["b", "c"], "message": "d"}]
    written = {"each.jsonl": "\ufeff" + "\n".join(map(json.dumps, lines))}
    written |= {"post.json": '{"n": 1}', "case.json": '{"id": "x"}'}
    for name, text in written.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    way = (Right(where={"outcome": "answered"}),)
    client = httpx.Client(transport=httpx.MockTransport(answers), base_url="http://gateway")
    tried = serving.RunningGateway(client, tmp_path, "http://gateway")
    cases = [
        serving.ServingCase("each.jsonl", "each", way),
        serving.ServingCase("post.json", "post", way, variants=({}, {"stream": True})),
        serving.ServingCase("case.json", "use_case", way, question="q", put=way),
    ]
    assert [tried.check(case).right for case in cases] == [True] * 3
    roles = [message["role"] for message in seen[1][2]["messages"]]
    assert roles == ["user", "assistant", "user"]
    assert [body for _, _, body in seen[2:4]] == [{"n": 1}, {"n": 1, "stream": True}]
    assert [method for method, _, _ in seen[4:]] == ["PUT", "POST", "DELETE"]
    wrong = tried.check(serving.ServingCase("each.jsonl", "each", (Right(status=400),)))
    assert (wrong.right, wrong.detail.count("status 200")) == (False, 2)


def test_scripts_ask_the_gateway_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text("print('http://127.0.0.1:8080/v1', 0 + 1)")
    (tmp_path / "ask.sh").write_text("echo http://localhost:8080/v1; exit 3")
    with httpx.Client() as client:
        tried = serving.RunningGateway(client, tmp_path, "http://gateway:9")
        for name, status in (("ask.py", 0), ("ask.sh", 3)):
            way = (Right(status=status, holds=("http://gateway:9/v1",)),)
            assert tried.check(serving.ServingCase(name, "script", way)).detail == ""


def test_without_a_gateway_only_what_needs_none_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text("")
    offline = serving.ServingCase("a.yaml", "command", (Right(status=0),), offline=True)
    needs_one = serving.ServingCase("b.json", "post", (Right(),))
    monkeypatch.setattr(serving, "read_rows", lambda: [needs_one, offline])
    monkeypatch.setattr(serving.RunningGateway, "_command", lambda *_: Told(2, "refused"))
    options = [
        "--serving",
        "--json",
        "--serving-data",
        str(tmp_path),
        "--url",
        "http://127.0.0.1:9",
    ]
    assert field.main(options) == 1
    document = json.loads(capsys.readouterr().out)["serving"]
    assert [row["right"] for row in document["rows"]] == [None, False]
    assert "no gateway answers at http://127.0.0.1:9" in document["skipped"]
    monkeypatch.setattr(serving.RunningGateway, "_command", lambda *_: Told(0, "done"))
    assert field.main(options) == 0
    assert field.main([*options[:3], str(tmp_path / "nowhere")]) == 0


def test_what_is_looked_up_stands_in_one_line_of_its_file() -> None:
    files = [*lookups.table_files(), *lookups.list_files()]
    assert len({file.name for file in files}) == len(files) == 2 * (7 + 4 * 2)
    for file in files:
        assert len({one.question for one in file.lookups}) == lookups.QUESTIONS
        if file.filename.endswith((".md", ".txt")):
            seen = Seen("", (Shown(file.content.decode()),))
            assert [one for one in file.lookups if not field.is_shown(one, seen)] == []


def test_a_fact_without_its_header_or_in_two_lines_is_not_shown() -> None:
    lookup = lookups.Lookup("Price of MX-1?", ("MX-1", "71"), ("Price",))
    assert field.is_shown(lookup, Seen("", (Shown("Motor | Price\nMX-1 | 71"),)))
    for text in ("MX-1 | 71", "Price\nMX-1 | 171", "Price\nMX-1\n71"):
        assert not field.is_shown(lookup, Seen("", (Shown(text),)))


def test_a_reader_that_takes_twice_as_long_is_slow(tmp_path: Path) -> None:
    def takes(seconds: float) -> Callable[[Path], tuple[float, float]]:
        return lambda _: (seconds, 2 * seconds)

    path = tmp_path / "large.txt"
    path.write_bytes(b"x" * 1_000_000)
    speed = parse_speed.speed_of(("text", "large"), [path], [takes(0.5), takes(0.25)], 3)
    assert (speed.seconds, speed.processor_s) == (0.5, 1.0)
    assert (speed.ratio, speed.clock_ratio, speed.is_slow) == (0.5, 0.5, True)
    assert "text" in parse_speed.speed_table([speed])
    same = parse_speed.speed_of(("text", "large"), [path], [takes(0.5), takes(0.4)], 3)
    assert (same.ratio, same.is_slow) == (0.8, False)
    alone = parse_speed.speed_of(("text", "large"), [path], [takes(0.5)], 3)
    assert (alone.ratio, alone.is_slow) == (None, False)


@pytest.mark.timeout(60)  # two interpreters that import the room, on a busy machine
def test_a_file_is_timed_in_the_checkout_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with parse_speed.timer(CHECKOUT) as time_one:
        path.write_text("one lamp")
        assert 0 < time_one(path)[0] < 5
        path.write_text(" ")
        with pytest.raises(ValueError, match="refuses"):
            time_one(path)
    with pytest.raises(ValueError, match="no checkout"), parse_speed.timer(tmp_path):
        pass


def test_a_large_file_of_each_format_is_made() -> None:
    made = {FORMATS[suffix] for suffix in parse_speed.LARGE}
    assert made == set(FORMATS.values()) - PICTURES  # those are timed by `recognition`


def test_the_pages_of_a_passage_are_read_whatever_the_reply_calls_them() -> None:
    row = {"text": "a", "page": 2, "score": 7.0, "filename": "b.pdf", "external_id": "c/b.pdf"}
    assert asked.shown_by_reply(row) == Shown("a", "b.pdf c/b.pdf", frozenset({2}), "c/b.pdf")
    assert asked.shown_by_reply({**row, "last_page": 4}).pages == {2, 3, 4}
    assert asked.shown_by_reply({**row, "page": None, "pages": [1, 2]}).pages == {1, 2}
    assert asked.shown_by_reply({**row, "page": None}).pages == frozenset()


@pytest.mark.timeout(60)  # a whole gateway and a command, on a busy machine
def test_a_gateway_is_asked_and_tells_what_its_model_is_shown() -> None:
    with asked.asked_gateway(FakeEmbedder()) as gateway:
        put = gateway.put("b", "returns.md", b"# Returns\n\nA lamp can be returned within 30 days.")
        assert put["chunks"] == 1
        seen = gateway.ask("b", "Within how many days can a lamp be returned?")
        assert "within 30 days" in seen.passages[0].text
        assert not seen.nothing
        found = gateway.search("b", "Within how many days can a lamp be returned?")
        assert found.passages[0].document == "returns.md"
        assert (
            gateway.ask("b", "zebra crossing").nothing == "nothing is shown to a model (HTTP 200)"
        )
        ran = gateway.run("fingerpost kb show b && curl -s localhost:8080/ready")
        assert "returns.md" in ran.text
        assert '"degraded":[]' in ran.text


def test_samples_are_told_apart_by_the_share_of_their_pairs() -> None:
    assert foreign_ids.auc([1, 2, 3], [1, 2, 3]) == 0.5
    assert foreign_ids.auc([1, 2], [3, 4]) == foreign_ids.auc([3, 4], [1, 2]) == 1.0
    assert foreign_ids.auc([1, 2, 4], [3]) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("extra_s", "told"), [(0.0, False), (0.004, True)])
def test_a_gateway_that_takes_longer_for_ids_of_others_is_found(extra_s: float, told: bool) -> None:
    rng = random.Random(1)
    foreign, missing = (
        {kind: [f"{name}_{n}" for n in range(5)] for kind in ("job", "decision")}
        for name in ("theirs", "nobody")
    )

    def ask(path: str) -> httpx.Response:
        time.sleep(0.001 + extra_s * ("theirs" in path))
        return httpx.Response(404, text=f"There is no {path.rpartition('/')[2]}.")

    figures = foreign_ids.measure(ask, foreign, missing, times=20, rng=rng)
    assert figures["asked"] == {"foreign": 200, "missing": 200}
    assert (figures["auc"] > 0.9) is told


def test_replies_that_tell_ids_apart_by_their_words_are_refused() -> None:
    def ask(path: str) -> httpx.Response:
        return httpx.Response(404, text="Not yours." if "theirs" in path else "Not there.")

    ids = {"job": ["theirs_1"]}, {"job": ["nobody_1"]}
    with pytest.raises(RuntimeError, match="more than the id"):
        foreign_ids.measure(ask, *ids, times=1, rng=random.Random(0))
    with pytest.raises(RuntimeError, match="job theirs_1: 200"):
        foreign_ids.measure(
            lambda _: httpx.Response(200), ids[0], {}, times=1, rng=random.Random(0)
        )


def test_a_made_up_id_has_the_form_of_a_real_one() -> None:
    rng = random.Random(0)
    assert re.fullmatch(r"file-[0-9a-f]{32}", foreign_ids.alike(f"file-{'a' * 32}", rng))
    assert re.fullmatch(r"lamps-[0-9]{4}", foreign_ids.alike("lamps-0001", rng))
