"""The source as `ast` sees it: modules, what they import, functions, untyped JSON."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("service", "router", "knowledge", "adapters")


@dataclass(frozen=True)
class Import:
    """One module or name imported by one file; imports inside functions count as well."""

    file: str
    line: int
    module: str

    @property
    def importer(self) -> str:
        """The module that imports."""
        return module_of(ROOT / self.file)

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


@dataclass(frozen=True)
class Function:
    """One function or method and how many parameters it takes by position."""

    file: str
    line: int
    name: str
    positional: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.name} takes {self.positional} by position"


def sources(*folders: str) -> list[Path]:
    """Return the Python files of top-level folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    """Return a file's dotted name; a package's `__init__` is the package."""
    dotted = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    return dotted.removesuffix(".__init__")


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    """Return what a file imports, each imported name with its module."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[Import]:
    name = path.relative_to(ROOT).as_posix()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: imports are absolute"
            assert node.module is not None
            for alias in node.names:
                yield Import(name, node.lineno, f"{node.module}.{alias.name}")


def all_imports(*folders: str) -> list[Import]:
    """Return the imports of every file of top-level folders."""
    return [found for path in sources(*folders) for found in imports_of(path)]


def module_named(dotted: str, modules: set[str]) -> str:
    """Return the module that a dotted name of ours means: itself, or the one that defines it."""
    while dotted and dotted not in modules:
        dotted = dotted.rpartition(".")[0]
    return dotted


def exported(room: str) -> list[str]:
    """Return the names in `__all__` of a room."""
    for node in tree_of(ROOT / room / "__init__.py").body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def functions(*folders: str) -> Iterator[Function]:
    """Return every function with the number of its positional parameters, `self` left out."""
    for path in sources(*folders):
        methods = {
            id(child)
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.ClassDef)
            for child in node.body
        }
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            is_static = any(
                isinstance(mark, ast.Name) and mark.id == "staticmethod"
                for mark in node.decorator_list
            )
            taken = len(node.args.posonlyargs) + len(node.args.args)
            taken -= id(node) in methods and not is_static
            yield Function(path.relative_to(ROOT).as_posix(), node.lineno, node.name, taken)


def untyped_json(path: Path) -> Iterator[str]:
    """Return where a file says `dict[str, Any]` in any spelling, a bare `dict`, or its own alias.

    `object` counts as `Any`, and `Mapping` and `MutableMapping` as `dict`.
    """
    tree, name = tree_of(path), path.relative_to(ROOT).as_posix()
    aliases = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and _is_untyped(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        is_alias = isinstance(node, ast.Name) and node.id in aliases
        if _is_untyped(node) or is_alias:
            yield f"{name}:{getattr(node, 'lineno', 0)}"
    for annotation in _annotations(tree):
        inner = {id(node.value) for node in ast.walk(annotation) if isinstance(node, ast.Subscript)}
        for node in ast.walk(annotation):
            if isinstance(node, ast.Name) and node.id in MAPPINGS and id(node) not in inner:
                yield f"{name}:{node.lineno}"


MAPPINGS = ("dict", "Dict", "Mapping", "MutableMapping")


def _is_untyped(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in MAPPINGS
        and isinstance(node.slice, ast.Tuple)
        and len(node.slice.elts) == 2
        and isinstance(node.slice.elts[1], ast.Name)
        and node.slice.elts[1].id in ("Any", "object")
    )


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns
