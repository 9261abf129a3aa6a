"""The gateway as the command line sees it: HTTP, replies and error bodies.

It knows addresses and the shape of errors; it does not know what the paths mean.
"""

import json
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from service.api.schemas.shapes import JsonObject, ListReply
from service.cli.output import CommandFailed, Output, ProgressBar
from service.cli.replies import JobReply, JobState, T
from service.home import Home, gateway_url
from service.messages.spoken import content_language, say
from service.settings import client_key, home_folder
from service.supervision.instance import read_instance

_POLL_S = 0.5
_ANSWER_S = 300.0  # an answer of a small model on two busy cores takes seconds, not minutes
_CONNECT_S = 3.0
_DEFAULT_PORT = 8080

Params = Mapping[str, str | int | Sequence[str]]
JobT = TypeVar("JobT", bound=JobState)


@dataclass(frozen=True, slots=True)
class Received(Generic[T]):
    """A reply: `body` as it came, and `reply` with what a command reads of it."""

    body: JsonObject
    reply: T


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send, with the form fields beside it."""

    name: str
    content: bytes
    fields: Mapping[str, str]
    media_type: str | None = None  # None: guessed from the name


class Gateway:
    """A client of one gateway; an error reply is raised as `CommandFailed` with its body."""

    def __init__(self, url: str, *, verify: ssl.SSLContext | bool = True) -> None:
        self.url = url.rstrip("/")
        host = httpx.URL(self.url).host
        self._client = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            verify=verify,
            # A proxy from the environment must not see what stays on this machine.
            trust_env=host not in ("localhost", "127.0.0.1", "::1"),
        )

    @classmethod
    def find(cls, url: str | None) -> "Gateway":
        """Return a client for `url`, or for the gateway of this home."""
        if url is not None:
            return cls(url)
        home = Home(home_folder())
        instance = read_instance(home)
        if instance is not None:
            return cls(instance.url, verify=instance.verify)
        ports = home.read_ports()
        return cls(gateway_url("127.0.0.1", ports.gateway if ports else _DEFAULT_PORT))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, model: type[T], *, params: Params | None = None) -> Received[T]:
        """Return the reply to a GET; see `call`."""
        return _received(self._send("GET", path, params=params), model)

    def post(self, path: str, model: type[T], *, body: JsonObject | None = None) -> Received[T]:
        """Return the reply to a POST; see `call`."""
        return self.call("POST", path, model, body=body)

    def call(
        self,
        method: str,
        path: str,
        model: type[T],
        *,
        body: JsonObject | None = None,
        params: Params | None = None,
        upload: Upload | None = None,
    ) -> Received[T]:
        """Return the reply; an empty one counts as an object without keys.

        Raises:
            CommandFailed: The gateway does not answer, answers with an error, or replies in a
                shape that `model` does not read.
        """
        return _received(self._send(method, path, body=body, params=params, upload=upload), model)

    def text(self, method: str, path: str, *, body: JsonObject | None = None) -> str:
        """Return a reply as it came, e.g. JSON lines or a page.

        Raises:
            CommandFailed: The gateway does not answer, or answers with an error.
        """
        return self._send(method, path, body=body).text

    def exists(self, path: str) -> bool:
        """Say whether a GET finds something, False on 404."""
        try:
            self.text("GET", path)
        except CommandFailed as exc:
            if exc.status == 404:
                return False
            raise
        return True

    def pages(self, path: str, model: type[T], **params: str) -> list[Received[T]]:
        """Return all rows of a list, page after page."""
        rows: list[Received[T]] = []
        asked: dict[str, str | int] = {"limit": 100, **params}
        while True:
            page = self.get(path, ListReply[JsonObject], params=asked).reply
            rows += [_checked(path, row, model) for row in page.data]
            if not page.has_more or not page.data:
                return rows
            last = page.data[-1]
            asked["after"] = str(last.get("id") or last["document_id"])

    def events(self, path: str, body: JsonObject) -> Iterator[tuple[str, JsonObject]]:
        """Yield the named events of a stream, each with its data.

        Raises:
            CommandFailed: The gateway answers with an error, or closes the stream early.
        """
        try:
            with self._client.stream("POST", path, json=body, headers=_headers()) as reply:
                if reply.is_error:
                    reply.read()
                    raise _failure_of(reply)
                yield from _read_events(reply.iter_lines())
        except httpx.HTTPError as exc:
            raise self._unreachable(exc) from exc

    def finish(
        self, path: str, model: type[JobT], bar: ProgressBar, *, unit: str = ""
    ) -> Received[JobT]:
        """Wait until the job at `path` has ended and return it.

        Args:
            path: Where its state is read.
            model: What is read of it.
            bar: Shows its progress.
            unit: What its progress counts, for the reader.

        Raises:
            CommandFailed: It failed or was cancelled.
        """
        while True:
            job = self.get(path, model)
            progress = job.reply.progress
            bar.show(None if progress is None else progress.fraction, _note(job.reply, unit))
            if job.reply.has_ended:
                break
            time.sleep(_POLL_S)
        if job.reply.status != "succeeded":
            raise _job_failure(job.reply)
        return job

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: JsonObject | None = None,
        params: Params | None = None,
        upload: Upload | None = None,
    ) -> httpx.Response:
        files = fields = None
        if upload is not None:
            files = {"file": (upload.name, upload.content, upload.media_type)}
            fields = upload.fields
        try:
            reply = self._client.request(
                method,
                path,
                json=body,
                params=params,
                files=files,
                data=fields,
                headers=_headers(),
            )
        except httpx.HTTPError as exc:
            raise self._unreachable(exc) from exc
        if reply.is_error:
            raise _failure_of(reply)
        return reply

    def _unreachable(self, exc: httpx.HTTPError) -> CommandFailed:
        if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout):
            message = f"No gateway answers at {self.url}. Start it with `fingerpost up`."
            hint = "`fingerpost status` shows what is running; --url names another gateway."
        else:
            name = type(exc).__name__
            message = f"The connection to the gateway at {self.url} failed: {name} {exc}".rstrip()
            hint = "`fingerpost status` shows what is running."
        return CommandFailed(message, code="gateway_unavailable", hint=hint, status=503)


def segment(name: str) -> str:
    """Return a name as part of a path; a slash inside an external id stays."""
    return quote(name, safe="/@:")


def bodies(rows: Sequence[Received[T]]) -> list[JsonObject]:
    """Return rows as they came."""
    return [row.body for row in rows]


def wait_for_job(gateway: Gateway, output: Output, job_id: str, title: str) -> JobReply:
    """Wait for one job and show its progress."""
    with output.progress(title) as bar:
        return gateway.finish(f"/jobs/{segment(job_id)}", JobReply, bar).reply


def _headers() -> dict[str, str]:
    key = client_key()
    known = {} if key is None else {"authorization": f"Bearer {key}"}
    return {"accept-language": content_language(), **known}


def _received(reply: httpx.Response, model: type[T]) -> Received[T]:
    return _checked(reply.request.url.path, reply.json() if reply.content else {}, model)


def _checked(path: str, body: JsonObject, model: type[T]) -> Received[T]:
    try:
        return Received(body, model.model_validate(body))
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"The reply of {path} has an unexpected shape: {place}: {first['msg']}."
        raise CommandFailed(
            message, code="internal_error", hint=say("command.bug"), status=500
        ) from exc


def _read_events(lines: Iterator[str]) -> Iterator[tuple[str, JsonObject]]:
    name, data = "message", list[str]()
    for line in lines:
        if not line:
            if data:
                yield name, json.loads("\n".join(data))
            name, data = "message", []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "data":
            data.append(value)


def _failure_of(reply: httpx.Response) -> CommandFailed:
    try:
        body = reply.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and "error" in body:
        return CommandFailed.of_body(body)
    message = f"The server answered {reply.status_code}: {reply.text[:300]}"
    return CommandFailed(message, code="unexpected_reply", status=reply.status_code)


def _job_failure(job: JobState) -> CommandFailed:
    error = job.error
    failed = CommandFailed(
        (error and error.message) or f"The job {job.id} was {job.status}.",
        code=(error and error.code) or f"job_{job.status}",
        hint=error.hint if error is not None else "",
        status=error.status if error is not None else 500,
    )
    failed.body["job"] = job.id
    return failed


def _note(job: JobState, unit: str) -> str:
    progress = job.progress
    if progress is not None and progress.message:
        return progress.message
    if progress is not None and progress.total:
        return f"{progress.done}/{progress.total} {unit}".rstrip()
    return job.status
