"""What the gateway adds to the engine: `python -m tests.benchmarks.gateway [--json]`.

A stub engine answers at a fixed pace; the same open-loop load of streamed answers goes to it
directly, to `/chat` and to `/v1/chat/completions` in turn, several rounds each, so that a slow
spell of the machine hits all. The gateway has API keys, counts every limit there is, and keeps its
audit log. Exit code 1 below the floors of the design's budget.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

P50_FLOOR_MS = {"/chat": 2.0, "/v1": 3.0}
P99_FLOOR_MS = {"/chat": 10.0, "/v1": 12.0}
THROUGHPUT_FLOOR = 0.97
PIECE_PAUSE_S = 0.002
PIECES = 20
WARM_UP = 50
QUESTION = "Which lamp fits a small desk?"
# So high that nothing is refused: each is counted for the key and for its tenant.
LIMITS = """
requests_per_minute = 1000000
prompt_tokens_per_minute = 1000000000
completion_tokens_per_minute = 1000000000
concurrent_streams = 100000
"""
SETTINGS = f"[limits.key]{LIMITS}\n[limits.tenant]{LIMITS}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a streamed answer is asked for, and how its first text and its end look."""

    name: str
    port: int
    path: str
    body: bytes
    first: bytes
    last: bytes
    headers: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One streamed answer."""

    first_ms: float
    total_ms: float


async def ask(target: Target) -> Sample | None:
    """Return how long one answer took, or None where it did not come whole."""
    head = (
        f"POST {target.path} HTTP/1.1\r\nhost: 127.0.0.1:{target.port}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(target.body)}\r\n"
        f"{target.headers}connection: close\r\n\r\n"
    ).encode()
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    try:
        writer.write(head + target.body)
        received = b""
        first_ms = 0.0
        while piece := await reader.read(65536):
            received += piece
            if not first_ms and target.first in received:
                first_ms = (time.perf_counter() - began) * 1000
            if target.last in received:
                return Sample(first_ms, (time.perf_counter() - began) * 1000)
        return None
    finally:
        writer.close()


async def load(target: Target, *, rate: float, seconds: float) -> tuple[list[Sample], float]:
    """Return the samples of an open loop of `rate` requests a second, and answers a second."""
    tasks: list[asyncio.Task[Sample | None]] = []
    began = time.perf_counter()
    for number in range(int(rate * seconds)):
        wait_s = began + number / rate - time.perf_counter()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        tasks.append(asyncio.create_task(ask(target)))
    results = await asyncio.gather(*tasks)
    samples = [sample for sample in results if sample is not None]
    return samples, len(samples) / (time.perf_counter() - began)


def targets(engine_port: int, gateway_port: int, key: str) -> tuple[Target, ...]:
    """Return the bare engine and both faces of the gateway, asked the same question."""
    messages = [{"role": "user", "content": QUESTION}]
    bare = {
        "model": "smollm2-135m-instruct",
        "messages": messages,
        "temperature": 0,
        "max_tokens": 256,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    chat = {"messages": messages, "strategy": "prompt_only", "stream": True}
    completion = {"model": "prompt_only", "messages": messages, "stream": True}
    asked = (
        ("engine", engine_port, "/v1/chat/completions", bare, b"[DONE]", ""),
        ("/chat", gateway_port, "/chat", chat, b"event: done", key),
        ("/v1", gateway_port, "/v1/chat/completions", completion, b"[DONE]", key),
    )
    return tuple(
        Target(
            name,
            port,
            path,
            json.dumps(body).encode(),
            b"piece0",
            last,
            f"authorization: Bearer {key}\r\n" if key else "",
        )
        for name, port, path, body, last, key in asked
    )


async def measure(
    asked: Sequence[Target], *, rate: float, seconds: float, rounds: int
) -> dict[str, Any]:
    """Return the figures of `rounds` rounds of all targets in turn; the first is the engine."""
    for target in asked:
        await load(target, rate=50, seconds=WARM_UP / 50)
    samples: dict[str, list[Sample]] = {target.name: [] for target in asked}
    rates: dict[str, list[float]] = {target.name: [] for target in asked}
    for _ in range(rounds):
        for target in asked:
            got, per_s = await load(target, rate=rate, seconds=seconds)
            samples[target.name] += got
            rates[target.name].append(per_s)
    total = {name: _percentiles([s.total_ms for s in rows]) for name, rows in samples.items()}
    first = {name: _percentiles([s.first_ms for s in rows]) for name, rows in samples.items()}
    answers = {name: float(np.median(values)) for name, values in rates.items()}
    engine, *faces = samples
    return {
        "requests_per_s": rate,
        "samples": {name: len(rows) for name, rows in samples.items()},
        "total_ms": total,
        "first_token_ms": first,
        "overhead_ms": {
            face: {
                "p50": round(total[face]["p50"] - total[engine]["p50"], 3),
                "p99": round(total[face]["p99"] - total[engine]["p99"], 3),
                "first_token_p50": round(first[face]["p50"] - first[engine]["p50"], 3),
                "first_token_p99": round(first[face]["p99"] - first[engine]["p99"], 3),
            }
            for face in faces
        },
        "answers_per_s": {name: round(value, 1) for name, value in answers.items()},
        "throughput_ratio": {face: round(answers[face] / answers[engine], 4) for face in faces},
    }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    p50, p99 = np.percentile(np.array(values), (50, 99))
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3)}


def serve_engine(port: int) -> None:
    """Run the stub engine; a process of its own."""
    import uvicorn

    from tests.fakes.engine import FakeEngine, Switches

    pieces = tuple(f"piece{number} " for number in range(PIECES))
    engine = FakeEngine(switches=Switches(pause_s=PIECE_PAUSE_S, pieces=pieces))
    uvicorn.run(engine.app(), host="127.0.0.1", port=port, log_level="error", access_log=False)


def serve_gateway(port: int, engine_port: int, home: str) -> None:
    """Run the real gateway on the stub engine; a process of its own."""
    from service.app import create_app
    from service.gateway import serve
    from service.home import Ports
    from service.settings import load_settings
    from tests.fakes.context import open_small_context

    settings = load_settings(home=Path(home))
    settings.paths.make()
    app = create_app(settings, Ports(port, engine_port, 1), open_small_context)
    serve(settings, app, port)


def run(*, rate: float, seconds: float, rounds: int) -> dict[str, Any]:
    """Start stub and gateway, measure, and end both."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "fingerpost.toml").write_text(SETTINGS, encoding="utf-8")
        key = make_key(home, "default")
        with served(home) as (engine_port, gateway_port):
            asked = targets(engine_port, gateway_port, key)
            return asyncio.run(measure(asked, rate=rate, seconds=seconds, rounds=rounds))


def command(home: Path, *words: str) -> dict[str, Any]:
    """Run a `fingerpost` command in a home and return its document."""
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", *words, "--json"],
        env={**os.environ, "FINGERPOST_HOME": str(home)},
        capture_output=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def make_key(home: Path, tenant: str) -> str:
    """Return a new API key that may do everything for a tenant."""
    words = ("--name", "benchmark", "--tenant", tenant, "--scopes", "all")
    return str(command(home, "keys", "create", *words)["key"])


@contextmanager
def served(home: Path) -> Iterator[tuple[int, int]]:
    """Run the stub engine and the gateway on a home that has keys; yield their ports."""
    from service.home import free_port

    engine_port, gateway_port = free_port(), free_port()
    words = {
        "engine": ["--serve-engine", str(engine_port)],
        "gateway": ["--serve-gateway", str(gateway_port), str(engine_port), str(home)],
    }
    children = [Child(name, said, home) for name, said in words.items()]
    try:
        asyncio.run(_wait_until_ready(gateway_port, children))
        yield engine_port, gateway_port
    finally:
        for child in children:
            child.process.terminate()
        for child in children:
            child.process.wait(15)


class Child:
    """One of the two servers, a process of its own that writes a log."""

    def __init__(self, name: str, words: Sequence[str], folder: Path) -> None:
        self.name, self._log = name, folder / f"{name}.log"
        me = [sys.executable, "-m", "tests.benchmarks.gateway"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen([*me, *words], stdout=log, stderr=log)

    def check(self) -> None:
        """Raise RuntimeError with the end of the log if the process has ended."""
        code = self.process.poll()
        if code is not None:
            said = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"the {self.name} ended with exit code {code}:\n{said}")


async def _wait_until_ready(port: int, children: Sequence[Child]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in children:
            child.check()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"GET /health HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n"
            writer.write(head.encode())
            reply = await reader.read()
            writer.close()
            if b"200 OK" in reply.split(b"\r\n")[0]:
                return
        except OSError:
            pass
        await asyncio.sleep(0.2)
    raise TimeoutError("the gateway was not ready within 60 s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a floor is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--serve-engine", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--serve-gateway", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve_engine:
        serve_engine(options.serve_engine)
        return 0
    if options.serve_gateway:
        port, engine_port, home = options.serve_gateway
        serve_gateway(int(port), int(engine_port), home)
        return 0
    figures = run(rate=options.rate, seconds=options.seconds, rounds=options.rounds)
    overhead = figures["overhead_ms"]
    reached = {
        face: {
            "overhead_p50": row["p50"] <= P50_FLOOR_MS[face],
            "overhead_p99": row["p99"] <= P99_FLOOR_MS[face],
            "throughput": figures["throughput_ratio"][face] >= THROUGHPUT_FLOOR,
        }
        for face, row in overhead.items()
    }
    figures["reached"] = reached
    if options.json:
        print(json.dumps(figures))  # noqa: T201  # a benchmark's result goes to stdout
    else:
        print(_table(figures))  # noqa: T201  # a benchmark's result goes to stdout
    return 0 if all(all(row.values()) for row in reached.values()) else 1


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{'':16}{'p50 ms':>10}{'p99 ms':>10}{'answers/s':>12}"]
    for name, row in figures["total_ms"].items():
        answers = figures["answers_per_s"][name]
        lines.append(f"{name:16}{row['p50']:>10.2f}{row['p99']:>10.2f}{answers:>12.1f}")
    for face, row in figures["overhead_ms"].items():
        ratio = figures["throughput_ratio"][face]
        lines.append(f"{f'{face} adds':16}{row['p50']:>10.2f}{row['p99']:>10.2f}{ratio:>12.3f}")
        floors = f"{P50_FLOOR_MS[face]:>10.2f}{P99_FLOOR_MS[face]:>10.2f}{THROUGHPUT_FLOOR:>12.3f}"
        lines.append(f"{'  floor':16}{floors}  {figures['reached'][face]}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
