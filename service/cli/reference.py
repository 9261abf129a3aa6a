"""`README.md` of this folder, made from the command tree: `python -m tests.references`.

It knows typer's commands and Markdown; it does not know what a command does.
"""

from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from service.cli import app

README = Path(__file__).with_name("README.md")
_HEAD = """\
# service/cli: the commands

Made from the command tree by `python -m tests.references`; a test compares it.

Every command has `--help`. `--json` prints the result as one JSON document, or the error body if
the command fails. Exit codes: 0 success, 1 failure, 2 invalid command line.
"""
_EVERYWHERE = ("as_json", "help")
Words = tuple[str, ...]


def build_reference() -> str:
    """Return the whole document."""
    root = get_command(app)
    assert isinstance(root, TyperGroup), "the tool has several commands"
    parts = [_HEAD, _index(root)]
    for words, command in _commands(root, ("fingerpost",)):
        parts.append(_section(words, command))
    return "\n".join(parts)


def _index(root: TyperGroup) -> str:
    lines = ["| command | what it does |", "|---|---|"]
    for words, command in _commands(root, ("fingerpost",)):
        name = " ".join(words)
        first = (command.help or "").partition("\n\n")[0]
        lines.append(f"| [`{name}`](#{name.replace(' ', '-')}) | {_one_line(first)} |")
    return "\n".join(lines) + "\n"


def _commands(group: TyperGroup, words: Words) -> Iterator[tuple[Words, TyperCommand]]:
    """Yield every command that `--help` lists, group after group."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if isinstance(command, TyperGroup):
            yield from _commands(command, (*words, name))
        elif isinstance(command, TyperCommand):
            yield (*words, name), command


def _section(words: Words, command: TyperCommand) -> str:
    name = " ".join(words)
    context = typer.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    paragraphs = [_one_line(text) for text in (command.help or "").split("\n\n")]
    lines = [f"## {name}", "", *(f"{text}\n" for text in paragraphs), f"    {usage}", ""]
    lines += [
        _row(context, each)
        for each in command.params
        if isinstance(each, TyperOption | TyperArgument) and each.name not in _EVERYWHERE
    ]
    return "\n".join(lines).rstrip() + "\n"


def _row(context: typer.Context, parameter: TyperOption | TyperArgument) -> str:
    """Return one argument or option as an item of a list."""
    default = ""
    if isinstance(parameter, TyperOption):
        names = ", ".join([*parameter.opts, *parameter.secondary_opts])
        if not parameter.is_flag:
            names += f" {parameter.metavar or parameter.display_type(context)}"
            default = _default(parameter)
    else:
        names = parameter.metavar or f"{{{parameter.name}}}"
    text = _one_line(parameter.help or "").removesuffix(".")
    return f"- `{names}`: {text}.{default}"


def _default(option: TyperOption) -> str:
    if option.required:
        return " Required."
    if option.default is None or callable(option.default):
        return ""
    return f" Default: `{getattr(option.default, 'value', option.default)}`."


def _one_line(text: str) -> str:
    return " ".join(text.split())
