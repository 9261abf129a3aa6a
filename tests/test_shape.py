"""The measures of the source: full folders, parameters, untyped JSON, where the tenant is named.

Which module may import which is in `test_architecture.py`.
"""

import ast
from collections import Counter

from tests.source_tree import ROOMS, ROOT, functions, sources, tree_of, untyped_json

FLAT_MODULES = 14
FLAT_LIKE_MODULES = 24  # in folders of like things
LIKE_THINGS = {
    "service/api",
    "service/api/schemas",
    "knowledge/parsing",
    "adapters/data",
    "tests/benchmarks",
}
POSITIONAL = 4
OFFENDERS = ROOT / "tests" / "cases" / "positional_parameters.txt"
UNTYPED_PER_1000_LINES = 5
NAMES_THE_TENANT = "service/access.py"


def test_no_folder_is_too_full() -> None:
    paths = [*sources(*ROOMS), *(ROOT / "tests" / "benchmarks").glob("*.py")]
    flat = Counter(
        path.parent.relative_to(ROOT).as_posix() for path in paths if path.name != "__init__.py"
    )
    limits = {
        folder: FLAT_LIKE_MODULES if folder in LIKE_THINGS else FLAT_MODULES for folder in flat
    }
    assert {folder: count for folder, count in flat.items() if count > limits[folder]} == {}
    assert LIKE_THINGS <= flat.keys(), "a folder of like things that is not there"


def test_functions_take_four_parameters_by_position_at_most() -> None:
    found = {
        f"{one.file} {one.name} {one.positional}"
        for one in functions(*ROOMS)
        if one.positional > POSITIONAL
    }
    lines = OFFENDERS.read_text(encoding="utf-8").splitlines()
    known = {line for line in lines if line and not line.startswith("#")}
    assert sorted(found - known) == [], "make the others keyword-only"
    assert sorted(known - found) == [], f"fixed: take it out of {OFFENDERS.name}"


def test_no_function_of_the_chat_is_known_to_take_more() -> None:
    assert "service/chat/" not in OFFENDERS.read_text(encoding="utf-8")


def test_only_the_loopback_caller_is_given_the_default_tenant() -> None:
    named = {
        path.relative_to(ROOT).as_posix()
        for path in sources(*ROOMS)
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Name) and node.id == "DEFAULT_TENANT")
        or (isinstance(node, ast.Attribute) and node.attr == "DEFAULT_TENANT")
        or (isinstance(node, ast.alias) and node.name == "DEFAULT_TENANT")
    }
    assert named == {NAMES_THE_TENANT}


def test_json_of_the_service_is_typed() -> None:
    paths = sources("service")
    found = [place for path in paths for place in untyped_json(path)]
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)
    assert 1000 * len(found) / lines <= UNTYPED_PER_1000_LINES, found
