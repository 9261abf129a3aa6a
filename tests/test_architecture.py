"""The house as drawn: which room may import which, and what may be imported where.

Reads the source with `ast`, so imports inside functions count as well.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("service", "router", "knowledge", "adapters")
TOP_LEVEL = {*ROOMS, "tests", "deploy", ".ci"}

# Distribution's import name -> the only files that may import it.
HEAVY = {
    "chromadb": ("knowledge/index/chroma.py",),
    "torch": ("adapters/*/process/*.py", "knowledge/embedding.py"),
    "transformers": ("adapters/*/process/*.py",),
    "peft": ("adapters/*/process/*.py",),
    "trl": ("adapters/*/process/*.py",),
    "accelerate": ("adapters/*/process/*.py",),
    "datasets": ("adapters/*/process/*.py",),
    "gguf": ("adapters/*/process/*.py",),
    "sentence_transformers": (
        "knowledge/embedding.py",
        "knowledge/reranking.py",
    ),
    "fastapi": ("service/app.py", "service/api/*.py", "service/console/*.py"),
    "starlette": ("service/app.py", "service/api/*.py", "service/console/*.py"),
    "supervisor": ("service/supervision/supervisord.py",),
    "typer": ("service/cli/*.py",),
    "rule_engine": ("router/policy/expressions.py",),
    "sklearn": (
        "router/questions/fitting.py",
        "service/compare/baseline.py",
        "adapters/evaluation/process/features.py",
    ),
    "scipy": ("router/questions/fitting.py",),
    "alembic": ("service/stores/migrations.py",),
}

# Inside service, from the outside in. A module may import its own layer and those after it.
LAYERS = (
    ("service.api", "service.cli", "service.console", "service.app", "service.gateway")
    + ("service.worker.lanes", "service.worker.handlers", "service.stores.migrations"),
    ("service.chat.answer", "service.compare", "service.engine.publisher", "service.stores.jobs")
    + ("service.supervision.processes", "service.experiments"),
    (
        "service.engine.client",
        "service.chat.prompts",
        "service.chat.citations",
        "service.stores.use_cases",
    )
    + (
        "service.routing.facts",
        "service.stores.records",
        "service.chat.query_rewriting",
        "service.supervision",
    ),
)
# `compare` and `jobs` are rows in the database too; their tables stand beside them.
MAY_READ_ENVIRONMENT = "service/settings.py"


@dataclass(frozen=True)
class Import:
    """One module imported by one file."""

    file: str
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def _sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _imports(path: Path) -> Iterator[Import]:
    name = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: imports are absolute"
            assert node.module is not None
            for alias in node.names:
                yield Import(name, node.lineno, f"{node.module}.{alias.name}")


def _all_imports(*folders: str) -> list[Import]:
    return [found for path in _sources(*folders) for found in _imports(path)]


def _room(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("room", ["router", "knowledge", "adapters"])
def test_a_room_imports_no_other_room(room: str) -> None:
    others = set(ROOMS) - {room}
    breaches = [str(found) for found in _all_imports(room) if _room(found.module) in others]
    assert not breaches


def test_nothing_imports_the_tests() -> None:
    assert not [str(found) for found in _all_imports(*ROOMS) if _room(found.module) == "tests"]


def test_service_uses_only_the_doors_of_the_rooms() -> None:
    breaches = []
    for found in _all_imports("service"):
        room, _, rest = found.module.partition(".")
        inner = rest.partition(".")[0]
        if room not in ("router", "knowledge", "adapters") or inner in ("", "errors"):
            continue  # the status table walks the trees in `errors`
        is_module = (ROOT / room / f"{inner}.py").is_file() or (ROOT / room / inner).is_dir()
        if is_module and rest not in _exported(room):
            breaches.append(str(found))
    assert not breaches


@pytest.mark.parametrize("library", sorted(HEAVY))
def test_a_library_is_imported_only_in_its_files(library: str) -> None:
    allowed = HEAVY[library]
    breaches = [
        str(found)
        for found in _all_imports(*ROOMS)
        if _room(found.module) == library
        and not any(fnmatch(found.file, pattern) for pattern in allowed)
    ]
    assert not breaches


def test_service_imports_point_inwards() -> None:
    breaches = []
    for found in _all_imports("service"):
        importer = found.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        here, there = _layer(importer), _layer(found.module)
        if here is not None and there is not None and there < here:
            breaches.append(str(found))
    assert not breaches


def test_only_the_settings_read_the_environment() -> None:
    breaches = []
    for path in _sources(*ROOMS):
        name = path.relative_to(ROOT).as_posix()
        if name == MAY_READ_ENVIRONMENT:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if _reads_environment(node):
                breaches.append(f"{name}:{getattr(node, 'lineno', 0)}")
    assert not breaches


def test_top_level_folders_are_those_of_the_design() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    folders = {name.partition("/")[0] for name in listed if "/" in name}
    assert folders <= TOP_LEVEL


@pytest.mark.parametrize("room", ["router", "knowledge", "adapters"])
def test_a_room_names_its_door(room: str) -> None:
    exported = _exported(room)
    assert exported, f"{room}/__init__.py defines no __all__"
    assert exported == sorted(set(exported), key=exported.index), "a name stands twice"


@pytest.mark.timeout(120)
def test_every_module_imports_with_an_empty_environment() -> None:
    modules = [
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for path in _sources(*ROOMS)
        if path.name != "__main__.py"
    ]
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
def test_a_light_door_loads_nothing_heavy(room: str) -> None:
    heavy = ["torch", "transformers", "chromadb", "fastapi", "sentence_transformers", "vllm"]
    heavy += ["sklearn", "scipy"]
    program = f"import sys, {room}\nprint(sorted(set({heavy!r}) & set(sys.modules)))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert loaded == "[]"


def _layer(module: str) -> int | None:
    for place, names in enumerate(LAYERS):
        if any(module == name or module.startswith(f"{name}.") for name in names):
            return place
    return None


def _exported(room: str) -> list[str]:
    tree = ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


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
