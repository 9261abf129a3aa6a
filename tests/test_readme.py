"""The documents promise only what is there."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from service.cli import app
from service.settings import CHECKOUT, Settings

ROOMS = ("service", "router", "knowledge", "adapters")
# Their files are one noun each; these READMEs are made from the commands and endpoints.
LISTED_BY_NOUN = ("service/api", "service/cli")
MOST_WORDS, MOST_CELL_CHARS = 900, 100


def read(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


README = read("README.md")
README_ZH = read("README.zh.md")
CONTRIBUTING = read("CONTRIBUTING.md")


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}", 1)[1].split("\n## ", 1)[0]


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= MOST_WORDS
    lines = (README + README_ZH).splitlines()
    cells = [cell for line in lines if line[:1] == "|" for cell in line.split("|")]
    assert max(map(len, cells)) <= MOST_CELL_CHARS


def test_the_chinese_readme_has_the_code_and_the_sections_of_the_english_one() -> None:
    assert _code_blocks(README_ZH) == _code_blocks(README)
    assert re.findall("^#+ ", README_ZH, re.MULTILINE) == re.findall("^#+ ", README, re.MULTILINE)


def test_the_chinese_readme_names_and_links_what_the_english_one_does() -> None:
    for pattern in (r"`[^`\n]+`", r"\]\(((?!README)[^)]+)\)"):
        named, translated = (set(re.findall(pattern, _prose(text))) for text in (README, README_ZH))
        assert translated == named


def test_the_two_readmes_link_each_other_on_top() -> None:
    assert "(README.zh.md)" in README.split("\n## ")[0]
    assert "(README.md)" in README_ZH.split("\n## ")[0]


def test_every_file_that_contributors_are_sent_to_exists() -> None:
    rows = re.findall(r"^\| .+? \| `(.+?)`", section(CONTRIBUTING, "Where is"), flags=re.MULTILINE)
    assert len(rows) > 20
    named = rows + re.findall(r"`([\w.]+/[\w./]+)`", CONTRIBUTING)
    assert [path for path in named if not (CHECKOUT / path).exists()] == []


def test_every_link_of_a_document_leads_somewhere() -> None:
    broken = []
    folders = (*ROOMS, "deploy", "tests")
    documents = [path for folder in folders for path in (CHECKOUT / folder).rglob("*.md")]
    for document in (*CHECKOUT.glob("*.md"), *documents):
        text = document.read_text(encoding="utf-8")
        headings = {_anchor(title) for title in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)}
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            path, _, anchor = target.partition("#")
            if path.startswith(("http:", "https:")):
                continue
            if path and not (document.parent / path).exists():
                broken.append(f"{document.relative_to(CHECKOUT)}: {target}")
            if not path and anchor not in headings:
                broken.append(f"{document.relative_to(CHECKOUT)}: {target}")
    assert broken == []


def test_the_table_of_folders_is_the_tree() -> None:
    named = set(re.findall(r"^\| `(\w+)/` \|", README, flags=re.MULTILINE))
    folders = {
        path.name
        for path in CHECKOUT.iterdir()
        if path.is_dir() and not path.name.startswith((".", "__")) and path.name != "build"
        if not path.name.endswith(".egg-info")
    }
    assert named == folders


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_has_a_readme_that_names_its_files(room: str) -> None:
    missing = []
    for path in sorted((CHECKOUT / room).rglob("*.py")):
        place = path.relative_to(CHECKOUT).as_posix()
        if path.name.startswith("__") or place.startswith(LISTED_BY_NOUN):
            continue
        readmes = [parent / "README.md" for parent in path.parents if parent != CHECKOUT]
        texts = "".join(readme.read_text("utf-8") for readme in readmes if readme.is_file())
        if not re.search(rf"\b{path.stem}\b", texts):
            missing.append(place)
    assert missing == []


@pytest.mark.parametrize("room", [*ROOMS, "deploy"])
def test_each_decision_has_a_date_its_context_and_what_was_rejected(room: str) -> None:
    index, *decisions = read(f"{room}/DECISIONS.md").split("\n### ")
    assert decisions
    for decision in decisions:
        title = decision.splitlines()[0]
        assert f"](#{_anchor(title)})" in index, f"{room}: {title} is not in the index"
        assert re.search(r"^Date: 20\d\d-\d\d-\d\d$", decision, flags=re.MULTILINE), title
        for part in ("Context", "Decision", "Rejected"):
            assert re.search(rf"^\*\*{part}", decision, flags=re.MULTILINE), (title, part)


def test_every_system_is_in_the_list_of_features() -> None:
    table = read("deploy/FEATURES.md")
    named = re.findall(r"^\| ([A-E]\d+) \|", table, flags=re.MULTILINE)
    wanted = {"A": 11, "B": 11, "C": 18, "D": 15, "E": 8}
    assert named == [f"{letter}{n}" for letter, last in wanted.items() for n in range(1, last + 1)]


def test_every_benchmark_of_the_results_exists() -> None:
    named = set(
        re.findall(r"python -m (tests\.benchmarks(?:\.\w+)+)", read("tests/benchmarks/RESULTS.md"))
    )
    assert len(named) > 5
    paths = [CHECKOUT / name.replace(".", "/") for name in named]
    lacking = [
        p for p in paths if not (p.with_suffix(".py").is_file() or (p / "__main__.py").is_file())
    ]
    assert lacking == []


def test_the_configuration_example_is_valid() -> None:
    example = re.search(r"```toml\n(.+?)```", README, flags=re.DOTALL)
    assert example is not None
    settings = Settings(home=Path("/nonexistent"), **tomllib.loads(example[1]))
    assert settings.engine.base_model == "qwen3-4b-instruct"
    assert settings.knowledge.embedder == "BAAI/bge-m3"


def test_the_commands_and_the_curl_body_are_real() -> None:
    commands = {command.name or "" for command in app.registered_commands}
    groups = {group.name or "" for group in app.registered_groups}
    for word in re.findall(r"fingerpost (\w[\w-]*)", README):
        assert word in commands | groups, f"README names `fingerpost {word}`"
    body = re.search(r"--json '(\{.+?\})'", README)
    assert body is not None
    assert set(json.loads(body[1])) == {"messages", "strategy"}


def test_the_demo_use_case_is_the_one_the_readme_asks() -> None:
    use_case = yaml.safe_load(read("deploy/demo/use_case.yaml"))
    assert use_case["id"] == "demo"


def _code_blocks(text: str) -> list[str]:
    """Return the code of a document; comments are left out, they are in its language."""
    blocks = re.findall(r"^```\w*\n.+?^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(r" +# .*", "", block) for block in blocks]


def _prose(text: str) -> str:
    return re.sub(r"^```\w*\n.+?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def _anchor(title: str) -> str:
    """Return the anchor that a heading gets where Markdown is shown."""
    return re.sub(r"[^\w\s-]", "", title.lower()).strip().replace(" ", "-")
