"""The gateway as the command line sees it: HTTP and error bodies.

It knows addresses and the shape of refusals; it does not know what the paths mean.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from service.cli.output import CommandFailed, Meter, Report, problem
from service.home import Home, gateway_url
from service.settings import home_folder
from service.supervision.instance import read_instance

_POLL_S = 0.5
_ANSWER_S = 300.0  # an answer of a small model on two busy cores takes seconds, not minutes
_CONNECT_S = 3.0
_DEFAULT_PORT = 8080
_ENDED = ("succeeded", "failed", "cancelled")


class Gateway:
    """A client of one gateway; a refusal is raised as `CommandFailed` with its body."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        host = httpx.URL(self.url).host
        self._client = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
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
            return cls(instance.url)
        ports = home.read_ports()
        return cls(gateway_url("127.0.0.1", ports.gateway if ports else _DEFAULT_PORT))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, **options: Any) -> Any:
        """Return the JSON reply of a GET."""
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> Any:
        """Return the JSON reply of a POST."""
        return self.call("POST", path, **options)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Return the JSON reply, None where it is empty.

        Raises:
            CommandFailed: The gateway refused or does not answer.
        """
        reply = self._send(method, path, **options)
        return reply.json() if reply.content else None

    def text(self, method: str, path: str, **options: Any) -> str:
        """Return a reply as it came, e.g. JSON lines or a page.

        Raises:
            CommandFailed: The gateway refused or does not answer.
        """
        return self._send(method, path, **options).text

    def exists(self, path: str) -> bool:
        """Say whether a GET finds something, False on 404."""
        try:
            self.get(path)
        except CommandFailed as exc:
            if exc.body.get("status") == 404:
                return False
            raise
        return True

    def pages(self, path: str, **params: Any) -> list[Any]:
        """Return all rows of a list, page after page."""
        rows: list[Any] = []
        asked: dict[str, Any] = {"limit": 100, **params}
        while True:
            page = self.get(path, params=asked)
            rows += page["data"]
            if not page.get("has_more") or not page["data"]:
                return rows
            last = page["data"][-1]
            asked["after"] = last.get("id") or last["document_id"]

    def events(self, path: str, body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield the named events of a stream, each with its data.

        Raises:
            CommandFailed: The gateway refused, or broke off.
        """
        try:
            with self._client.stream("POST", path, json=body) as reply:
                if reply.is_error:
                    reply.read()
                    raise CommandFailed(_body_of(reply))
                yield from _read_events(reply.iter_lines())
        except httpx.HTTPError as exc:
            raise self._unreachable(exc) from exc

    def finish(
        self, path: str, meter: Meter, *, unit: str = "", poll_s: float = _POLL_S
    ) -> Mapping[str, Any]:
        """Wait until the job at `path` has ended and return it.

        Args:
            path: Where its state is read.
            meter: Shows its progress.
            unit: What its progress counts, for the reader.
            poll_s: Seconds between two looks.

        Raises:
            CommandFailed: It failed or was cancelled.
        """
        while True:
            job: Mapping[str, Any] = self.get(path)
            progress = job.get("progress") or {}
            meter.show(progress.get("fraction"), _note(job, progress, unit))
            if job["status"] in _ENDED:
                break
            time.sleep(poll_s)
        if job["status"] != "succeeded":
            raise CommandFailed(_job_problem(job))
        return job

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            reply = self._client.request(method, path, **options)
        except httpx.HTTPError as exc:
            raise self._unreachable(exc) from exc
        if reply.is_error:
            raise CommandFailed(_body_of(reply))
        return reply

    def _unreachable(self, exc: httpx.HTTPError) -> CommandFailed:
        if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout):
            message = f"No gateway answers at {self.url}. Start it with `fingerpost up`."
            hint = "`fingerpost status` shows what runs; --url names another gateway."
        else:
            message = f"The gateway at {self.url} broke off: {type(exc).__name__} {exc}".rstrip()
            hint = "`fingerpost status` shows what runs."
        return CommandFailed(problem(message, code="gateway_unavailable", hint=hint, status=503))


def segment(name: str) -> str:
    """Return a name as part of a path; a slash inside an external id stays."""
    return quote(name, safe="/@:")


def wait_for_job(gateway: Gateway, report: Report, job_id: str, title: str) -> Mapping[str, Any]:
    """Wait for one job and show its progress."""
    with report.meter(title) as meter:
        return gateway.finish(f"/jobs/{segment(job_id)}", meter)


def _read_events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
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


def _body_of(reply: httpx.Response) -> dict[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and "error" in body:
        return body
    message = f"The server answered {reply.status_code}: {reply.text[:300]}"
    return problem(message, code="unexpected_reply", status=reply.status_code)


def _job_problem(job: Mapping[str, Any]) -> dict[str, Any]:
    error = job.get("error") or {}
    message = str(error.get("message") or f"The job {job['id']} was {job['status']}.")
    code = str(error.get("code") or f"job_{job['status']}")
    body = problem(
        message, code=code, hint=str(error.get("hint", "")), status=int(error.get("status", 500))
    )
    return {**body, "job": job["id"]}


def _note(job: Mapping[str, Any], progress: Mapping[str, Any], unit: str) -> str:
    if progress.get("message"):
        return str(progress["message"])
    if progress.get("total"):
        return f"{progress.get('done', 0)}/{progress['total']} {unit}".rstrip()
    return str(job["status"])
