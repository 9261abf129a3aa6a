"""How a command speaks: one result on stdout, everything else on stderr, one exit code.

With `--json` stdout holds exactly one JSON document, on failure the error body. It knows terminals
and error bodies; it does not know what a command does.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from adapters import AdapterError
from knowledge import KnowledgeError
from router import RouterError
from service.api.schemas.errors import error_body, error_body_of
from service.api.schemas.shapes import JsonObject
from service.errors import ServiceError

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, on failure too.")
]
UrlOption = Annotated[
    str | None, typer.Option("--url", help="Address of the gateway; default: this home's own.")
]

FAILED = 1
TITLE = "The command failed"
_PLAIN_EVERY_S = 5.0  # how often a log without a terminal gets a line
_SAME_EVERY_S = 20.0  # and how often the same one again, so that nobody thinks it hangs


class CommandFailed(Exception):
    """The gateway refused, or does not answer; carries the error body."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("detail", "")))
        self.body = dict(body)


class Meter:
    """Shows how far something is: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, title: str, bar: Progress | None, say: Callable[[str], None]) -> None:
        self._title = title
        self._bar = bar
        self._say = say
        self._task = None if bar is None else bar.add_task(title, total=1.0, note="")
        self._began = time.monotonic()
        self._said_at = -_SAME_EVERY_S
        self._said = ""

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
        pause_s = _PLAIN_EVERY_S if line != self._said else _SAME_EVERY_S
        if now - self._said_at >= pause_s:
            self._said, self._said_at = line, now
            self._say(f"{line} ({now - self._began:.0f} s)")


class Report:
    """The voice of one command."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Say something that is not the result: on stderr."""
        self._errors.print(text, markup=False)

    def result(self, document: object, human: Callable[[Console], None] | str) -> None:
        """Print the command's result on stdout: `document` as JSON, or `human`."""
        if self.as_json:
            typer.echo(json.dumps(document, ensure_ascii=False))
        elif isinstance(human, str):
            typer.echo(human)
        else:
            human(Console(highlight=False, soft_wrap=not sys.stdout.isatty()))

    def line(self, document: object) -> None:
        """Print one of several JSON documents, where a command says that it prints lines."""
        if self.as_json:
            typer.echo(json.dumps(document, ensure_ascii=False))

    @contextmanager
    def meter(self, title: str) -> Iterator[Meter]:
        """Show the progress of the block."""
        if not self._errors.is_terminal:
            yield Meter(title, None, self.say)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        trailing = (TimeElapsedColumn(), TextColumn("{task.fields[note]}", markup=False))
        with Progress(*columns, *trailing, console=self._errors, transient=True) as bar:
            yield Meter(title, bar, self.say)


@contextmanager
def reporting(as_json: bool) -> Iterator[Report]:
    """Run one command: any of our errors becomes its message (or JSON body) and exit code 1."""
    report = Report(as_json=as_json)
    try:
        yield report
    except CommandFailed as exc:
        _fail(report, exc.body)
    except (ServiceError, KnowledgeError, AdapterError, RouterError) as exc:
        _fail(report, problem_of(exc))
    except typer.Exit:
        raise
    except Exception as exc:  # the last border: a person gets a sentence, never a traceback
        place = traceback.extract_tb(exc.__traceback__)[-1]
        message = f"{type(exc).__name__} at {place.filename}:{place.lineno}: {exc}"
        hint = "This is a fault of the command itself, or the gateway is of another version."
        _fail(report, problem(message, code="internal_error", hint=hint, status=500))


def problem(message: str, *, code: str, hint: str = "", status: int = 400) -> JsonObject:
    """Return an error body in the gateway's shape for something that never reached it."""
    return error_body(status, message, code=code, title=TITLE, hint=hint)


def problem_of(exc: Exception) -> JsonObject:
    """Return the error body of one of our own errors."""
    return error_body_of(exc, title=TITLE)


def _fail(report: Report, body: Mapping[str, Any]) -> None:
    if report.as_json:
        typer.echo(json.dumps(body, ensure_ascii=False))
    else:
        report.say(f"fingerpost: {body.get('detail', 'failed')}")
        if body.get("hint"):
            report.say(f"hint: {body['hint']}")
    raise typer.Exit(FAILED)
