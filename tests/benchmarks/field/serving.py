"""Inputs of serving that went wrong, tried on a running gateway: is each answered rightly?

Each row of `serving.yaml` names an input, what is done with it, and the ways to be right; what is
right is judged by the content of what is told. The gateway runs as `fingerpost quickstart` leaves
it: base `handbook`, use case `demo` as the default.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from service.settings import CHECKOUT
from tests.benchmarks.corpora import note
from tests.benchmarks.field.told import Right, Told, judge, read_reply

ROWS = Path(__file__).with_name("serving.yaml")
ANSWER_S = 300.0  # a small model on two busy cores
PROBE_S = 3.0
ADDRESSES = ("http://127.0.0.1:8080", "http://localhost:8080")  # as the scripts name the gateway
JSON_HEADERS = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class ServingCase:
    """One row of `serving.yaml`.

    Attributes:
        file: The input.
        do: post | each | use_case | script | command.
        right: The ways to be right.
        to: Path of `post`; of `each` `/chat` or `/route`.
        variants: Keys that are added to the body, one request for each.
        question: Asked with the use case in the file.
        put: The ways to be right of `PUT`; where it refuses, nothing is asked.
        arguments: Of `fingerpost`; FILE is the input, URL the gateway.
        offline: Whether no gateway is needed.
    """

    file: str
    do: str
    right: tuple[Right, ...]
    to: str = "/chat"
    variants: tuple[Mapping[str, Any], ...] = ({},)
    question: str = ""
    put: tuple[Right, ...] = ()
    arguments: tuple[str, ...] = ()
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """What became of one row; `right` is None where no gateway runs."""

    file: str
    right: bool | None
    detail: str


def read_rows(path: Path = ROWS) -> list[ServingCase]:
    """Return the rows."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [_case(row) for row in table["rows"]]


def _case(row: Mapping[str, Any]) -> ServingCase:
    ways = {key: tuple(Right(**way) for way in row.get(key, ())) for key in ("right", "put")}
    others: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    return ServingCase(**{**others, **ways})


def is_up(url: str) -> bool:
    """Return whether a gateway answers there."""
    try:
        reply = httpx.get(f"{url}/health", timeout=PROBE_S, trust_env=False)
    except httpx.HTTPError:
        return False
    return reply.status_code == httpx.codes.OK


def serving_summary(folder: Path, url: str) -> dict[str, Any]:
    """Try every row, and return what became of each and the sums.

    Args:
        folder: Where the inputs are.
        url: The gateway; where none answers, only the rows without one are tried.
    """
    if not folder.is_dir():
        return {"skipped": f"{folder} is not there"}
    runs = is_up(url)
    with httpx.Client(base_url=url, timeout=ANSWER_S, trust_env=False) as client:
        gateway = RunningGateway(client, folder, url)
        served = []
        for case in read_rows():
            if not (runs or case.offline):
                served.append(Served(case.file, None, "skipped: no gateway"))
                continue
            served.append(gateway.check(case))
            note(f"{case.file}: {'right' if served[-1].right else 'WRONG'}")
    return {
        **({} if runs else {"skipped": f"no gateway answers at {url}"}),
        "rows": [asdict(one) for one in served],
        "right": sum(one.right is True for one in served),
        "wrong": sum(one.right is False for one in served),
    }


def serving_table(document: Mapping[str, Any]) -> list[str]:
    """Return a line for each row, and the sums."""
    marks = {True: "right", False: "WRONG", None: "-----"}
    lines = [
        f"{marks[row['right']]} {row['file']:46} {row['detail']}".rstrip()
        for row in document.get("rows", ())
    ]
    if "rows" in document:
        lines.append(f"serving: {document['right']} right, {document['wrong']} wrong")
    if "skipped" in document:
        lines.append(f"serving: {document['skipped']}")
    return lines


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """The gateway that is asked, and the folder with the inputs."""

    client: httpx.Client
    folder: Path
    url: str

    def check(self, case: ServingCase) -> Served:
        """Do what a row says, and judge."""
        try:
            wrong = [fault for fault in self._faults(case) if fault]
        except (httpx.HTTPError, subprocess.SubprocessError) as exc:
            wrong = [f"{type(exc).__name__}: {exc}"]
        return Served(case.file, not wrong, " | ".join(wrong))

    def _faults(self, case: ServingCase) -> Iterator[str]:
        content = (self.folder / case.file).read_bytes()
        match case.do:
            case "post":
                for variant in case.variants:
                    yield judge(self._post(case.to, _varied(content, variant)), case.right)
            case "each":
                for line in content.decode("utf-8-sig").splitlines():
                    row = json.loads(line)
                    fault = judge(self._ask(case.to, row), case.right)
                    yield fault and f"{row['message']}: {fault}"
            case "use_case":
                yield from self._use_case(case, json.loads(content))
            case "script":
                yield judge(self._script(case.file, content.decode()), case.right)
            case "command":
                yield judge(self._command(case), case.right)
            case _:
                raise ValueError(f"{case.file}: what is {case.do!r}?")

    def _post(self, path: str, content: bytes) -> Told:
        return read_reply(self.client.post(path, content=content, headers=JSON_HEADERS))

    def _ask(self, path: str, row: Mapping[str, Any]) -> Told:
        """Ask a line's message after its conversation, for one token."""
        texts = [*row.get("history", []), row["message"]]
        roles = ("user", "assistant")
        messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
        body = {"messages": messages, "use_case": "demo", "sampling": {"max_tokens": 1}}
        return read_reply(self.client.post(path, params={"explain": True}, json=body))

    def _use_case(self, case: ServingCase, body: Mapping[str, Any]) -> Iterator[str]:
        """Put a use case, ask with it, and take it away again."""
        place = f"/use_cases/{body['id']}"
        put = read_reply(self.client.put(place, json=body))
        yield judge(put, case.put) and f"PUT: {judge(put, case.put)}"
        if put.status >= 400:
            return
        try:
            messages = [{"role": "user", "content": case.question}]
            asked = {"messages": messages, "use_case": body["id"], "sampling": {"max_tokens": 40}}
            yield judge(read_reply(self.client.post("/chat", json=asked)), case.right)
        finally:
            self.client.delete(place)

    def _script(self, name: str, text: str) -> Told:
        for address in ADDRESSES:
            text = text.replace(address, self.url)
        program = [sys.executable] if name.endswith(".py") else ["bash"]
        return self._run([*program, "-c", text])

    def _command(self, case: ServingCase) -> Told:
        named = {"FILE": case.file, "URL": self.url}
        arguments = [named.get(argument, argument) for argument in case.arguments]
        return self._run([sys.executable, "-m", "service.cli", *arguments])

    def _run(self, command: Sequence[str]) -> Told:
        environment = {
            **os.environ,
            "PYTHONPATH": str(CHECKOUT),
            "no_proxy": "*",
            "COLUMNS": "300",  # lines are not folded
        }
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=ANSWER_S,
            check=False,
        )
        return Told(done.returncode, f"{done.stdout}\n{done.stderr}")


def _varied(content: bytes, variant: Mapping[str, Any]) -> bytes:
    """Return the body with more keys; without any as the file has it, whatever that is."""
    return content if not variant else json.dumps({**json.loads(content), **variant}).encode()
