"""The report of a sync, kept by the gateway while it runs and once it has ended.

It knows how a run ends, also when it is stopped; it does not know what a sync does.
"""

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType

from pydantic import ValidationError
from rich.console import Console

from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, bodies, segment
from service.cli.kb.bases import STORES
from service.cli.kb.outcome import Outcome, print_outcome
from service.cli.output import CommandFailed, Output
from service.cli.replies import OutcomeReply, SyncReply
from service.messages.spoken import say, spoken

REPORTED_S = (
    5.0  # how often a run says how far it is: at most this much is not known of a killed one
)
_STOPPING = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


class SyncLog:
    """Stores the report of one run."""

    def __init__(self, gateway: Gateway, outcome: Outcome) -> None:
        self._gateway = gateway
        self._outcome = outcome
        self._place = f"{STORES}/{segment(outcome.base)}/syncs"
        self._reported_at = time.monotonic()

    def begin(self, contents: Mapping[str, str]) -> None:
        """Begin the run; documents of these contents become the folder's (`NewSync`)."""
        body: JsonObject = {"source": self._outcome.source, "contents": {**contents}}
        begun = self._gateway.post(self._place, SyncReply, body=body).reply
        self._place = f"{self._place}/{segment(begun.id)}"

    def note(self) -> None:
        """Store what was done so far, every few seconds."""
        if time.monotonic() - self._reported_at >= REPORTED_S:
            self._reported_at = time.monotonic()
            self._store("unfinished")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Store how the block ended: finished, failed, or stopped by a signal or Ctrl-C.

        Raises:
            CommandFailed: Of the block; or it was stopped.
        """
        try:
            with _stopped_by_signals():
                yield
        except CommandFailed as exc:
            self._store("failed", error=_worded_when_read(exc.body))
            raise
        except KeyboardInterrupt as exc:
            message = "The sync was stopped. What was done stays; run it again to finish it."
            stopped = CommandFailed(message, code="stopped")
            self._store("stopped", error=_worded_when_read(stopped.body))
            raise stopped from exc
        self._store(self._outcome.state)

    def _store(self, state: str, **more: JsonObject) -> None:
        report: JsonObject = {**self._outcome.as_document(), "state": state, **more}
        with suppress(CommandFailed):  # the sync itself is done, or failed for that reason
            self._gateway.post(self._place, SyncReply, body={"state": state, "report": report})


def _worded_when_read(body: JsonObject) -> JsonObject:
    """Return an error for the report, which others read: without what is not in English."""
    if spoken() == "en":
        return body
    return {key: value for key, value in body.items() if key not in ("title", "hint")}


def show_last(gateway: Gateway, output: Output, base: str, source: str | None) -> None:
    """Print the last run of a folder, or of any.

    Raises:
        CommandFailed: There was none.
    """
    rows = gateway.pages(f"{STORES}/{segment(base)}/syncs", SyncReply)
    found = [row for row in rows if source in (None, row.reply.source)]
    if not found:
        of = "" if source is None else f" of {source}"
        message = f"No sync{of} with {base} was recorded."
        others = ", ".join(row.reply.source for row in rows)
        hint = say("command.other_syncs", sources=others) if others else ""
        raise CommandFailed(message, code="never_synced", hint=hint, status=404)
    (body,) = bodies(found[:1])
    output.result(body, lambda out: _print_run(out, found[0].reply))


def _print_run(out: Console, run: SyncReply) -> None:
    report = _outcome(run.report)
    if report is None:
        out.print("report      not one of `kb sync`; --json shows it", markup=False)
    else:
        print_outcome(out, report)
    out.print(f"folder      {run.source}", markup=False)
    began, ended = _time(run.began_at), _time(run.ended_at or run.heard_at)
    if run.ended_at is None:
        out.print(f"unfinished  began {began}, last heard of {ended}: still runs, or was killed")
    else:
        out.print(f"{run.state:<12}began {began}, ended {ended}", markup=False)
    if report is not None and report.error is not None:
        out.print(f"error       {report.error.detail}", markup=False)


def _outcome(report: JsonObject) -> OutcomeReply | None:
    """Return a stored report; None for one of another shape, which any client may store."""
    try:
        return OutcomeReply.model_validate(report)
    except ValidationError:
        return None


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the block as Ctrl-C does."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
