"""The rooms as drawn: which may import which, which layer a module stands in, what loads what.

Reads the source with `ast`, so imports inside functions count as well. Sizes and shapes are in
`test_shape.py`.
"""

import ast
import os
import subprocess
import sys
from fnmatch import fnmatch

import pytest

from tests.source_tree import (
    ROOMS,
    ROOT,
    Import,
    all_imports,
    exported,
    module_named,
    module_of,
    sources,
    tree_of,
)

TOP_LEVEL = {*ROOMS, "tests", "deploy", ".ci"}
INNER_ROOMS = ("router", "knowledge", "adapters")

# Import name of a distribution -> the only files that may import it.
PROCESSES = ("adapters/*/process/*.py",)
EMBEDDERS = ("knowledge/embedding/sentence_transformer.py", "knowledge/reranking.py")
QUESTION = "knowledge/embedding/question.py"
HTTP = ("service/app.py", "service/api/*.py")
LIBRARIES = {
    "accelerate": PROCESSES,
    "alembic": ("service/stores/migrations.py",),
    "chromadb": ("knowledge/index/chroma.py",),
    "cv2": ("knowledge/parsing/recognition/*.py",),
    "datasets": PROCESSES,
    "fastapi": HTTP,
    "gguf": PROCESSES,
    "limits": ("service/limits/counters.py",),
    "onnx": PROCESSES,
    "onnxruntime": ("knowledge/parsing/recognition/models.py", QUESTION),
    "peft": PROCESSES,
    "PIL": ("knowledge/parsing/recognition/*.py",),
    "rapidocr": (),  # its models are read from its folder, its code is never run
    "rule_engine": ("router/policy/expressions.py",),
    "scipy": ("router/questions/fitting.py", "adapters/data/filters/classifier.py"),
    "sentence_transformers": (*EMBEDDERS, "adapters/base_models/process/e5.py"),
    "sklearn": (
        "router/questions/fitting.py",
        "router/questions/kinds/fitting.py",
        "service/compare/baseline.py",
        "adapters/evaluation/process/features.py",
        "adapters/data/filters/classifier.py",
    ),
    "starlette": HTTP,
    "supervisor": ("service/supervision/supervisord.py",),
    "torch": (*PROCESSES, *EMBEDDERS, QUESTION),
    "transformers": PROCESSES,
    "trl": PROCESSES,
    "typer": ("service/cli/*.py",),
}
SCHEMAS = "service/api/schemas/*.py"  # read by worker and command line too: no FastAPI
MAY_READ_ENVIRONMENT = "service/settings.py"

# From the outside in. A name is a module or a folder with all that is in it; a module imports its
# own row and those below it. A room's `__init__` is its public interface: nothing inside imports
# it.
LAYERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "service": (
        ("app", "gateway", "worker", "cli", "api"),
        ("chat", "compare", "fine_tuning"),
        ("context",),
        ("routing", "engine", "supervision", "backup", "tenants"),
        ("stores",),
        (
            "cache",
            "cited_documents",
            "messages",
            "network",
            "settings",
            "home_models",
            "home_secret",
            "home",
            "access",
            "errors",
            "access_errors",
            "limits",
            "repeat_errors",
            "service_error",
        ),
    ),
    "router": (
        ("advice", "review"),
        ("decide",),
        ("policy",),
        ("decision", "questions"),
        ("facts",),
        ("classes", "strategy", "trace", "text", "config", "errors"),
    ),
    "knowledge": (
        ("knowledge",),
        ("reindexing", "history", "tenants"),
        ("ingest", "reconcile", "search"),
        ("access", "resources"),
        ("sql", "chunking"),
        ("filters",),
        ("embedding", "reranking", "types"),
        ("config", "index", "metrics"),
        ("parsing",),
        ("languages", "errors"),
    ),
    "adapters": (
        ("registry", "training", "importing", "merging", "__main__"),
        ("evaluation",),
        ("children", "servability"),
        ("config", "base_models", "effect"),
        ("methods", "foreign_keys"),
        ("data", "files"),
        ("errors",),
    ),
}


@pytest.mark.parametrize("room", INNER_ROOMS)
def test_a_room_imports_no_other_room(room: str) -> None:
    others = set(ROOMS) - {room}
    breaches = [str(found) for found in all_imports(room) if _room(found.module) in others]
    assert not breaches


def test_nothing_imports_the_tests() -> None:
    assert not [str(found) for found in all_imports(*ROOMS) if _room(found.module) == "tests"]


def test_service_uses_only_the_public_names_of_the_rooms() -> None:
    breaches = []
    for found in all_imports("service"):
        room, _, rest = found.module.partition(".")
        inner = rest.partition(".")[0]
        if room not in INNER_ROOMS or inner in ("", "errors"):
            continue  # the status table walks the trees in `errors`
        is_module = (ROOT / room / f"{inner}.py").is_file() or (ROOT / room / inner).is_dir()
        if is_module and rest not in exported(room):
            breaches.append(str(found))
    assert not breaches


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_stands_in_exactly_one_layer(room: str) -> None:
    modules = {module_of(path) for path in sources(room)} - {room}
    places = {module: _places(module) for module in modules}
    assert [module for module, found in places.items() if len(found) != 1] == []
    named = [f"{room}.{name}" for row in LAYERS[room] for name in row]
    empty = [name for name in named if not any(_is_in(module, name) for module in modules)]
    assert empty == [], "a name in the table that stands for nothing"


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_inwards(room: str) -> None:
    modules = {module_of(path) for path in sources(room)}
    breaches = []
    for found in all_imports(room):
        there = module_named(found.module, modules)
        if not there or found.importer == room:
            continue
        if there == room or _places(there) < _places(found.importer):
            breaches.append(str(found))
    assert not breaches


@pytest.mark.parametrize("room", ROOMS)
def test_no_modules_import_each_other_in_a_circle(room: str) -> None:
    modules = {module_of(path) for path in sources(room)}
    arrows: dict[str, set[str]] = {module: set() for module in modules}
    for found in all_imports(room):
        there = module_named(found.module, modules)
        if there and there != found.importer:
            arrows[found.importer].add(there)
    assert _circle(arrows) == []


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_a_library_is_imported_only_in_its_files(library: str) -> None:
    found = _imports_of_library(library)
    allowed = LIBRARIES[library]
    assert not [
        str(one) for one in found if not any(fnmatch(one.file, pattern) for pattern in allowed)
    ]


def test_the_schemas_know_no_http() -> None:
    found = [one for name in ("fastapi", "starlette") for one in _imports_of_library(name)]
    assert not [str(one) for one in found if fnmatch(one.file, SCHEMAS)]


def test_only_the_settings_read_the_environment() -> None:
    breaches = []
    for path in sources(*ROOMS):
        name = path.relative_to(ROOT).as_posix()
        if name == MAY_READ_ENVIRONMENT:
            continue
        for node in ast.walk(tree_of(path)):
            if _reads_environment(node):
                breaches.append(f"{name}:{getattr(node, 'lineno', 0)}")
    assert not breaches


def test_top_level_folders_are_those_of_the_design() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    folders = {name.partition("/")[0] for name in listed if "/" in name}
    assert folders <= TOP_LEVEL


@pytest.mark.parametrize("room", INNER_ROOMS)
def test_a_room_names_its_public_interface(room: str) -> None:
    names = exported(room)
    assert names, f"{room}/__init__.py defines no __all__"
    assert names == sorted(set(names), key=names.index), "a name stands twice"


@pytest.mark.timeout(120)
def test_every_module_imports_with_an_empty_environment() -> None:
    modules = [module_of(path) for path in sources(*ROOMS) if path.name != "__main__.py"]
    program = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)"
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=ROOT,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]


@pytest.mark.parametrize("room", ["router", "adapters", "service.cli"])
def test_a_light_package_loads_nothing_heavy(room: str) -> None:
    heavy = ["torch", "transformers", "chromadb", "fastapi", "sentence_transformers", "vllm"]
    heavy += ["sklearn", "scipy"]
    program = f"import sys, {room}\nprint(sorted(set({heavy!r}) & set(sys.modules)))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert loaded == "[]"


def _room(module: str) -> str:
    return module.partition(".")[0]


def _is_in(module: str, name: str) -> bool:
    return module == name or module.startswith(f"{name}.")


def _places(module: str) -> list[int]:
    room = _room(module)
    return [
        place
        for place, names in enumerate(LAYERS[room])
        for name in names
        if _is_in(module, f"{room}.{name}")
    ]


def _imports_of_library(library: str) -> list[Import]:
    return [found for found in all_imports(*ROOMS) if _room(found.module) == library]


def _circle(arrows: dict[str, set[str]]) -> list[str]:
    """Return the modules left once those that import none of the others are taken away."""
    left = dict(arrows)
    while free := [module for module, targets in left.items() if not targets & left.keys()]:
        for module in free:
            del left[module]
    return sorted(left)


def _reads_environment(node: ast.AST) -> bool:
    """Say whether the node is `os.environ`, `os.getenv`, or an import of either."""
    names = ("environ", "environb", "getenv")
    if isinstance(node, ast.ImportFrom) and node.module == "os":
        return any(alias.name in names for alias in node.names)
    return (
        isinstance(node, ast.Attribute)
        and node.attr in names
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    )
