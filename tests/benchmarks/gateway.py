"""What the gateway adds to the engine: `python -m tests.benchmarks.gateway [--json]`.

A stub engine answers at a fixed pace; the same open-loop load of streamed answers goes to it
directly and through the gateway in turn, several rounds each, so that a slow spell of the machine
hits both. Exit code 1 below the floors of the design's budget.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

P50_FLOOR_MS = 2.0
P99_FLOOR_MS = 10.0
THROUGHPUT_FLOOR = 0.97
PIECE_PAUSE_S = 0.002
PIECES = 20
WARM_UP = 50
QUESTION = "Which lamp fits a small desk?"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a streamed answer is asked for, and how its first text and its end look."""

    name: str
    port: int
    path: str
    body: bytes
    first: bytes
    last: bytes


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
        "connection: close\r\n\r\n"
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


def targets(engine_port: int, gateway_port: int) -> tuple[Target, Target]:
    """Return the bare engine and the gateway, asked the same question."""
    messages = [{"role": "user", "content": QUESTION}]
    bare = {
        "model": "smollm2-135m-instruct",
        "messages": messages,
        "temperature": 0,
        "max_tokens": 256,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    asked = {"messages": messages, "strategy": "prompt_only", "stream": True}
    return (
        Target(
            "engine",
            engine_port,
            "/v1/chat/completions",
            json.dumps(bare).encode(),
            b"piece0",
            b"[DONE]",
        ),
        Target(
            "gateway", gateway_port, "/chat", json.dumps(asked).encode(), b"piece0", b"event: done"
        ),
    )


async def measure(
    engine_port: int, gateway_port: int, *, rate: float, seconds: float, rounds: int
) -> dict[str, Any]:
    """Return the figures of `rounds` rounds of both targets in turn."""
    bare, gateway = targets(engine_port, gateway_port)
    for target in (bare, gateway):
        await load(target, rate=50, seconds=WARM_UP / 50)
    samples: dict[str, list[Sample]] = {bare.name: [], gateway.name: []}
    rates: dict[str, list[float]] = {bare.name: [], gateway.name: []}
    for _ in range(rounds):
        for target in (bare, gateway):
            got, per_s = await load(target, rate=rate, seconds=seconds)
            samples[target.name] += got
            rates[target.name].append(per_s)
    total = {name: _percentiles([s.total_ms for s in rows]) for name, rows in samples.items()}
    first = {name: _percentiles([s.first_ms for s in rows]) for name, rows in samples.items()}
    answers = {name: float(np.median(values)) for name, values in rates.items()}
    return {
        "requests_per_s": rate,
        "samples": {name: len(rows) for name, rows in samples.items()},
        "total_ms": total,
        "first_token_ms": first,
        "overhead_ms": {
            "p50": round(total["gateway"]["p50"] - total["engine"]["p50"], 3),
            "p99": round(total["gateway"]["p99"] - total["engine"]["p99"], 3),
            "first_token_p50": round(first["gateway"]["p50"] - first["engine"]["p50"], 3),
            "first_token_p99": round(first["gateway"]["p99"] - first["engine"]["p99"], 3),
        },
        "answers_per_s": {name: round(value, 1) for name, value in answers.items()},
        "throughput_ratio": round(answers["gateway"] / answers["engine"], 4),
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
    from service.home import free_port

    engine_port, gateway_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as home:
        served = {
            "engine": ["--serve-engine", str(engine_port)],
            "gateway": ["--serve-gateway", str(gateway_port), str(engine_port), home],
        }
        children = [Child(name, words, Path(home)) for name, words in served.items()]
        try:
            asyncio.run(_wait_ready(gateway_port, children))
            return asyncio.run(
                measure(engine_port, gateway_port, rate=rate, seconds=seconds, rounds=rounds)
            )
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


async def _wait_ready(port: int, children: Sequence[Child]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in children:
            child.check()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"GET /ready HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n"
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
        "overhead_p50": overhead["p50"] <= P50_FLOOR_MS,
        "overhead_p99": overhead["p99"] <= P99_FLOOR_MS,
        "throughput": figures["throughput_ratio"] >= THROUGHPUT_FLOOR,
    }
    figures["reached"] = reached
    if options.json:
        print(json.dumps(figures))  # noqa: T201  # a benchmark's result goes to stdout
    else:
        print(_table(figures))  # noqa: T201  # a benchmark's result goes to stdout
    return 0 if all(reached.values()) else 1


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{'':10}{'p50 ms':>10}{'p99 ms':>10}{'answers/s':>12}"]
    for name in ("engine", "gateway"):
        row = figures["total_ms"][name]
        answers = figures["answers_per_s"][name]
        lines.append(f"{name:10}{row['p50']:>10.2f}{row['p99']:>10.2f}{answers:>12.1f}")
    extra = figures["overhead_ms"]
    lines.append(f"{'overhead':10}{extra['p50']:>10.2f}{extra['p99']:>10.2f}")
    lines.append(
        f"floors: p50 {P50_FLOOR_MS} ms, p99 {P99_FLOOR_MS} ms, throughput ratio "
        f"{figures['throughput_ratio']:.3f} (floor {THROUGHPUT_FLOOR}); {figures['reached']}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
