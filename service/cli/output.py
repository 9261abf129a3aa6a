"""Where a command writes: one result to stdout, everything else to stderr, one exit code.

With `--json` stdout holds exactly one JSON document, on failure the error body. It knows terminals
and error bodies; it does not know what a command does.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from adapters import AdapterError
from knowledge import KnowledgeError
from router import RouterError
from service.api.schemas.errors import error_body, error_body_of
from service.api.schemas.shapes import JsonObject
from service.cli.replies import ErrorBody
from service.errors import ServiceError
from service.messages.spoken import say, spoken

JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print the result, or the error, as one JSON document on stdout."),
]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Address of the gateway (default: the gateway of this home)."),
]

FAILED = 1
PARTIAL = 3  # some of it was done, and the rest is told; 2 is an invalid command line


class ToldCode(int):
    """The exit code of a command that has told why, where 2 would be an invalid command line."""


_PLAIN_EVERY_S = 5.0  # without a terminal, seconds between two different lines
_SAME_EVERY_S = 20.0  # and between two equal ones, which show that it still runs


class CommandFailed(Exception):
    """The command cannot do what was asked; carries the error body that `--json` prints."""

    def __init__(self, message: str, *, code: str, hint: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.body = problem(message, code=code, hint=hint, status=status)

    @classmethod
    def of_body(cls, body: JsonObject) -> "CommandFailed":
        """Return the failure that an error body of the gateway tells of."""
        told = ErrorBody.model_validate(body)
        failed = cls(told.detail, code=told.error.code, hint=told.hint, status=told.status)
        failed.body = body
        return failed


class ProgressBar:
    """Shows progress: a bar on a terminal, a line every few seconds elsewhere."""

    def __init__(self, title: str, bar: Progress | None, write: Callable[[str], None]) -> None:
        self._title = title
        self._bar = bar
        self._write = write
        self._task = None if bar is None else bar.add_task(title, total=1.0, note="")
        self._began = time.monotonic()
        self._written_at = -_SAME_EVERY_S
        self._written = ""

    def show(self, fraction: float | None, note: str = "") -> None:
        """Show progress.

        Args:
            fraction: 0..1, or None while it is not known.
            note: What is going on now, in a few words.
        """
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=1.0 if fraction is not None else None, note=note)
            if fraction is not None:
                self._bar.update(self._task, completed=fraction)
            return
        share = "" if fraction is None else f" {fraction:.0%}"
        line = f"{self._title}{share}: {note}".rstrip(": ")
        now = time.monotonic()
        pause_s = _PLAIN_EVERY_S if line != self._written else _SAME_EVERY_S
        if now - self._written_at >= pause_s:
            self._written, self._written_at = line, now
            self._write(f"{line} ({now - self._began:.0f} s)")


class Output:
    """Where one command writes: the result to stdout, the rest to stderr."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def info(self, text: str) -> None:
        """Write something that is not the result to stderr."""
        self._errors.print(text, markup=False)

    def result(self, document: object, human: Callable[[Console], None] | str) -> None:
        """Print the command's result on stdout: `document` as JSON, or `human`."""
        if self.as_json:
            typer.echo(json.dumps(document, ensure_ascii=False))
        elif isinstance(human, str):
            typer.echo(human)
        else:
            human(Console(highlight=False, soft_wrap=not sys.stdout.isatty()))

    def event(self, document: object) -> None:
        """Print one event as a line of JSON, where a command documents that it prints events."""
        if self.as_json:
            typer.echo(json.dumps(document, ensure_ascii=False))

    @contextmanager
    def progress(self, title: str) -> Iterator[ProgressBar]:
        """Show a progress bar while the block runs."""
        if not self._errors.is_terminal:
            yield ProgressBar(title, None, self.info)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        trailing = (TimeElapsedColumn(), TextColumn("{task.fields[note]}", markup=False))
        with Progress(*columns, *trailing, console=self._errors, transient=True) as bar:
            yield ProgressBar(title, bar, self.info)


@contextmanager
def command_output(as_json: bool) -> Iterator[Output]:
    """Run one command: an error becomes its message (or JSON body) and exit code 1."""
    output = Output(as_json=as_json)
    try:
        yield output
    except CommandFailed as exc:
        _fail(output, exc.body)
    except (ServiceError, KnowledgeError, AdapterError, RouterError) as exc:
        _fail(output, error_body_of(exc))
    except typer.Exit:
        raise
    except Exception as exc:  # users get a sentence, never a traceback
        place = traceback.extract_tb(exc.__traceback__)[-1]
        message = f"{type(exc).__name__} at {place.filename}:{place.lineno}: {exc}"
        _fail(output, problem(message, code="internal_error", hint=say("command.bug"), status=500))


def problem(message: str, *, code: str, hint: str = "", status: int = 400) -> JsonObject:
    """Return an error body in the shape of the gateway's, for an error on this side of it."""
    return error_body(status, message, code=code, hint=hint)


def _fail(output: Output, body: JsonObject) -> None:
    if output.as_json:
        typer.echo(json.dumps(body, ensure_ascii=False))
    else:
        detail = body.get("detail", "failed")
        if spoken() != "en" and body.get("title"):  # the detail is in English
            detail = f"{body['title']}。{detail}"
        output.info(say("command.failed", detail=detail))
        if body.get("hint"):
            output.info(say("command.hint", hint=body["hint"]))
    raise typer.Exit(FAILED)
