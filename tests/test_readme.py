"""The README promises only what is there."""

import json
import re
from pathlib import Path

import pytest
import yaml

from service.cli import app
from service.settings import CHECKOUT, Settings

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
ROOMS = ("service", "router", "knowledge", "adapters")


def section(title: str) -> str:
    return README.split(f"\n## {title}", 1)[1].split("\n## ", 1)[0]


def test_every_file_the_where_is_table_names_exists() -> None:
    rows = re.findall(r"^\| (.+?) \| `(.+?)` \|$", section("Where is…?"), flags=re.MULTILINE)
    assert len(rows) > 10
    missing = [path for _, path in rows if not (CHECKOUT / path).is_file()]
    assert missing == []


def test_the_table_of_folders_is_the_tree() -> None:
    named = set(re.findall(r"^\| `(\w+)/` \|", section("The house"), flags=re.MULTILINE))
    folders = {
        path.name
        for path in CHECKOUT.iterdir()
        if path.is_dir() and not path.name.startswith((".", "__")) and path.name != "build"
        if not path.name.endswith(".egg-info")
    }
    assert named == folders


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_has_a_readme_that_names_its_files(room: str) -> None:
    text = (CHECKOUT / room / "README.md").read_text(encoding="utf-8")
    assert "Decisions" in text
    for path in sorted((CHECKOUT / room).glob("*.py")):
        if not path.name.startswith("__"):
            assert f"`{path.name}`" in text, f"{room}/README.md does not name {path.name}"


def test_every_system_is_in_the_feature_table() -> None:
    table = section("What works, and what does not yet")
    named: set[str] = set()
    for cell in re.findall(r"^\| ([A-E][^|]*?) \|", table, flags=re.MULTILINE):
        for word in cell.replace(",", " ").split():
            first, _, last = word.partition("–")
            if last:
                numbers = range(int(first[1:]), int(last[1:]) + 1)
                named |= {f"{first[0]}{number}" for number in numbers}
            else:
                named.add(first)
    wanted = {"A": 11, "B": 11, "C": 18, "D": 15, "E": 8}
    assert named == {f"{letter}{n}" for letter, last in wanted.items() for n in range(1, last + 1)}


def test_the_configuration_example_is_valid() -> None:
    import tomllib

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
    use_case = yaml.safe_load((CHECKOUT / "deploy/demo/use_case.yaml").read_text(encoding="utf-8"))
    assert use_case["id"] == "demo"
