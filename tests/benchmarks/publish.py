"""What going live costs: `python -m tests.benchmarks.publish [--cycles N] [--clients N] [--json]`.

The real engine, gateway and worker run in a home of their own on free loopback ports, with two
adapters trained here. Clients ask all the time while one adapter replaces the other and is rolled
back; then the same goes on without clients and the engine's memory is watched; last, one question
is asked before and after a publish with a warm cache. Exit code 1 where a must is missed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from service.home import Home
from service.settings import CHECKOUT, Settings, home_folder
from service.supervision.processes import status
from tests.benchmarks.stale_cache import Prober, control, prove, served_model, tokenize
from tests.benchmarks.twins import TASK, Twin, next_token_reference, question, train_twins

MODELS = ("smollm2-135m-instruct", "all-minilm-l6-v2")
MOST_LIVE_S = 10.0  # the design's budget
MOST_GROWTH = 0.01  # of the engine's memory, last third against first
BASE = MODELS[0]
ALIAS = f"{BASE}:{TASK}"
USE_CASE = {
    "id": TASK,
    "role": "You answer.",
    "adapter": TASK,
    "facts": {"need": "style", "labelled_examples": 5000, "data_quality": "pass"},
}
ANSWER_TOKENS = 12
UNLOAD_S = 180.0  # a drain ends after 120 s whatever happens


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as a client saw it; `problem` where it was none."""

    began: float
    ended: float
    model: str = ""
    text: str = ""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Flip:
    """One publish or rollback; seconds from its command.

    `replied_s`: the command's own reply. `live_s`: the end of the first answer asked after it.
    `unloaded_s`: the engine lists the adapter before no more.
    """

    to: str
    began: float
    replied_at: float
    replied_s: float
    live_s: float
    unloaded_s: float


@dataclass
class Load:
    """Clients that ask, each again as soon as it has its answer, while the block runs."""

    url: str
    clients: int
    replies: list[Reply] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(self.clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _ask(self, number: int) -> None:
        asked = number
        with httpx.Client(base_url=self.url, timeout=120) as client:
            while not self._stop.is_set():
                self.replies.append(ask(client, asked, by_alias=number % 2 == 1))
                asked += self.clients


def ask(client: httpx.Client, number: int, *, by_alias: bool) -> Reply:
    """Ask `/chat` or, by the adapter's alias, the OpenAI face."""
    messages = [{"role": "user", "content": question(number)}]
    began = time.monotonic()
    try:
        if by_alias:
            body = {"model": ALIAS, "messages": messages, "max_tokens": ANSWER_TOKENS}
            reply = client.post("/v1/chat/completions", json=body)
        else:
            sampling = {"max_tokens": ANSWER_TOKENS}
            asked = {"messages": messages, "use_case": TASK, "sampling": sampling}
            reply = client.post("/chat", json={**asked, "strategy": "fine_tuned"})
        ended = time.monotonic()
        if reply.status_code != 200:
            return Reply(began, ended, problem=f"{reply.status_code} {reply.text[:300]}")
        told = reply.json()
    except httpx.HTTPError as exc:
        return Reply(began, time.monotonic(), problem=repr(exc))
    if by_alias:
        text = told["choices"][0]["message"]["content"]
        return Reply(began, ended, served_model(told["model"]), text)
    return Reply(began, ended, told["model"], told["answer"])


@dataclass(frozen=True, slots=True)
class House:
    """The running processes, and what asks them."""

    settings: Settings
    gateway: httpx.Client
    engine: httpx.Client
    twins: tuple[Twin, Twin]

    def publish(self, twin: Twin) -> Flip:
        return self._flip(f"/adapters/{twin.adapter_id}/publish", twin)

    def rollback(self, to: Twin) -> Flip:
        return self._flip(f"/adapters/{TASK}/rollback", to)

    def _flip(self, path: str, to: Twin) -> Flip:
        began = time.monotonic()
        reply = self.gateway.post(path)
        replied = time.monotonic()
        if reply.status_code != 200:
            raise RuntimeError(f"{path}: {reply.status_code} {reply.text[:500]}")
        answer = ask(self.gateway, 1, by_alias=True)
        if answer.model != to.adapter_id:
            raise RuntimeError(f"after {path} answered {answer}")
        live = time.monotonic()
        while self.loaded() != {to.adapter_id}:
            if time.monotonic() - replied > UNLOAD_S:
                raise RuntimeError(f"{UNLOAD_S} s after {path} are loaded: {self.loaded()}")
            time.sleep(0.05)
        unloaded = time.monotonic()
        return Flip(to.adapter_id, began, replied, replied - began, live - began, unloaded - began)

    def loaded(self) -> set[str]:
        """Return the adapters that the engine lists."""
        rows = self.engine.get("/v1/models").json()["data"]
        return {row["id"] for row in rows if row.get("parent")}

    def memory_mb(self, program: str) -> float:
        """Return the proportional set size of a program's process group, in MB."""
        processes = status(self.settings).processes
        pid = next(process.pid for process in processes if process.name == program)
        group = [
            entry.name
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _group(int(entry.name)) == pid
        ]
        return sum(_pss_kb(name) for name in group) * 1024 / 1e6


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _pss_kb(pid: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@contextmanager
def started(scratch: Path) -> Iterator[House]:
    """Train the twins in a home of their own, start it, and end it."""
    home = scratch / "home"
    (home / "models").mkdir(parents=True)
    for model in MODELS:
        (home / "models" / model).symlink_to(home_folder() / "models" / model)
    environment = {
        **os.environ,
        "FINGERPOST_HOME": str(home),
        "FINGERPOST_ENGINE__START_TIMEOUT_S": "1800",  # a busy machine takes long
        "PYTHONPATH": str(CHECKOUT),
    }
    _say("training two adapters")
    twins = train_twins(home, scratch, environment)
    command = [sys.executable, "-m", "service.cli"]
    _say("starting the engine")
    try:
        up = [*command, "up", "--port", "0", "--json"]
        done = subprocess.run(up, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the home did not start: {done.stdout}{done.stderr}")
        ports = Home(home).read_ports()
        assert ports is not None, "a started home has ports"
        with (
            httpx.Client(base_url=json.loads(done.stdout)["url"], timeout=180) as gateway,
            httpx.Client(base_url=f"http://127.0.0.1:{ports.engine}", timeout=180) as engine,
        ):
            gateway.put(f"/use_cases/{TASK}", json=USE_CASE).raise_for_status()
            yield House(Settings(home=home), gateway, engine, twins)
    finally:
        subprocess.run([*command, "down"], env=environment, capture_output=True, check=False)


def under_load(house: House, *, clients: int, cycles: int) -> dict[str, Any]:
    """Publish and roll back while clients ask; return what they saw and how long it took."""
    first, second = house.twins
    load = Load(str(house.gateway.base_url), clients)
    flips: list[Flip] = []
    began = time.monotonic()
    with load.running():
        time.sleep(1.0)
        for _ in range(cycles):
            flips += [house.publish(second), house.rollback(first)]
    seconds = time.monotonic() - began
    words = {twin.adapter_id: twin.word for twin in house.twins}
    answered = [reply for reply in load.replies if reply.problem is None]
    failed = [reply.problem for reply in load.replies if reply.problem is not None]
    return {
        "clients": clients,
        "flips": len(flips),
        "requests": len(load.replies),
        "requests_per_s": round(len(load.replies) / seconds, 1),
        "answer_s": _spread([reply.ended - reply.began for reply in answered]),
        "failed": len(failed),
        "failures": failed[:5],
        "other_voice": sum(words[a.model] not in a.text.lower() for a in answered),
        "late_old": sum(_is_late(answer, flips) for answer in answered),
        **_times(flips),
    }


def _is_late(answer: Reply, flips: Sequence[Flip]) -> bool:
    """Whether an answer that began after a flip's reply still came from the adapter before."""
    before = [flip for flip in flips if flip.replied_at <= answer.began]
    after = [flip for flip in flips if flip.began <= answer.ended and flip not in before]
    return bool(before) and not after and answer.model != before[-1].to


def quietly(house: House, *, cycles: int) -> dict[str, Any]:
    """Publish and roll back without clients; return the engine's memory after each cycle."""
    first, second = house.twins
    flips: list[Flip] = []
    memory: list[float] = []
    for cycle in range(cycles):
        flips += [house.publish(second), house.rollback(first)]
        memory.append(house.memory_mb("engine"))
        if (cycle + 1) % 10 == 0 or not cycle:
            _say(f"cycle {cycle + 1}: engine {memory[-1]:.0f} MB")
    third = max(1, len(memory) // 3)
    before, after = float(np.median(memory[:third])), float(np.median(memory[-third:]))
    slope = float(np.polyfit(range(len(memory)), memory, 1)[0]) if len(memory) > 1 else 0.0
    return {
        "cycles": cycles,
        **_times(flips),
        "engine_mb": [round(value, 1) for value in memory[::10]],
        "first_mb": round(memory[0], 1),
        "last_mb": round(memory[-1], 1),
        "first_third_mb": round(before, 1),
        "last_third_mb": round(after, 1),
        "growth": round(after / before - 1, 5),
        "slope_mb_per_cycle": round(slope, 4),
        "gateway_mb": round(house.memory_mb("gateway"), 1),
    }


def same_name(house: House, scratch: Path) -> dict[str, Any]:
    """Return the proof through the gateway and the control on the bare engine."""
    first, second = house.twins
    token_ids = tokenize(house.engine, BASE)
    base = house.settings.base_model_path
    reference = next_token_reference(base, house.twins, token_ids, scratch)
    prober = Prober(house.engine, first, second, token_ids, reference)
    proof = prove(prober, house.gateway, alias=ALIAS, publish_second=lambda: house.publish(second))
    return {"proof": proof, "bare_engine": control(prober, scratch)}


def _times(flips: Sequence[Flip]) -> dict[str, Any]:
    return {
        "replied_s": _spread([flip.replied_s for flip in flips]),
        "live_s": _spread([flip.live_s for flip in flips]),
        "unloaded_s": _spread([flip.unloaded_s for flip in flips]),
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"p50": round(float(np.median(values)), 2), "max": round(max(values), 2)}


def run(*, cycles: int, loaded_cycles: int, clients: int) -> dict[str, Any]:
    """Start everything, measure the three parts, and end everything."""
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as house:
        house.gateway.post(f"/adapters/{house.twins[0].adapter_id}/publish").raise_for_status()
        _say(f"{loaded_cycles} cycles with {clients} clients")
        loaded = under_load(house, clients=clients, cycles=loaded_cycles)
        _say(f"{cycles} cycles without clients")
        quiet = quietly(house, cycles=cycles)
        _say("asking before and after a publish")
        stale = same_name(house, Path(folder))
    reached = {
        "live": loaded["live_s"]["max"] <= MOST_LIVE_S,
        "no_failed_request": loaded["failed"] == 0,
        "no_old_answer": loaded["other_voice"] == loaded["late_old"] == 0,
        "memory_flat": quiet["growth"] <= MOST_GROWTH,
        "cache_was_warm": stale["proof"]["was_warm"],
        "cache_not_stale": stale["proof"]["is_fresh"],
    }
    return {"under_load": loaded, "quiet": quiet, "same_name": stale, "reached": reached}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a must is missed."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.publish", description=__doc__)
    parser.add_argument("--cycles", type=int, default=100, help="without clients, for the memory")
    parser.add_argument("--loaded-cycles", type=int, default=10, help="with clients")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    figures = run(
        cycles=options.cycles, loaded_cycles=options.loaded_cycles, clients=options.clients
    )
    sys.stdout.write(json.dumps(figures) + "\n" if options.json else _table(figures))
    return 0 if all(figures["reached"].values()) else 1


def _table(figures: dict[str, Any]) -> str:
    loaded, quiet, stale = figures["under_load"], figures["quiet"], figures["same_name"]
    lines = [
        f"{'seconds from the command':<26}{'load p50':>10}{'max':>8}{'quiet p50':>11}{'max':>8}"
    ]
    for name in ("replied_s", "live_s", "unloaded_s"):
        row = (loaded[name]["p50"], loaded[name]["max"], quiet[name]["p50"], quiet[name]["max"])
        lines.append("{:<26}{:>10.2f}{:>8.2f}{:>11.2f}{:>8.2f}".format(name, *row))
    lines += [
        f"load: {loaded['clients']} clients, {loaded['requests']} requests "
        f"({loaded['requests_per_s']}/s), {loaded['flips']} flips; failed {loaded['failed']}, "
        f"another's voice {loaded['other_voice']}, late from the old {loaded['late_old']}",
        *[f"  {problem}" for problem in loaded["failures"]],
        f"memory of the engine, {quiet['cycles']} cycles: {quiet['first_mb']} to "
        f"{quiet['last_mb']} MB, thirds {quiet['first_third_mb']} and {quiet['last_third_mb']} MB "
        f"({quiet['growth']:+.2%}, limit {MOST_GROWTH:.0%}), "
        f"{quiet['slope_mb_per_cycle']:+.3f} MB a cycle",
        f"{'next token, distance to':<34}{'first':>8}{'second':>8}{'cached':>8}",
    ]
    proof = stale["proof"]
    rows = [(f"publish: {name}", proof[name]) for name in ("before", "after", "after_warm")]
    for way, seen in stale["bare_engine"].items():
        rows += [(f"{way}: {name}", seen[name]) for name in ("before", "after", "after_uncached")]
    for name, row in rows:
        lines.append(
            f"{name:<34}{row['to_first']:>8.3f}{row['to_second']:>8.3f}{row['cached_tokens']:>8}"
        )
    return "\n".join([*lines, f"reached: {figures['reached']}", ""])


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
