"""Whether time tells ids of another tenant from ids of nobody.

    python -m tests.benchmarks.foreign_ids [--json]

A tenant makes some of each thing that has an id; the key of another asks for those and for as many
made-up ids of the same form, in random order, over one connection. Every reply must be the same
404. Latencies are ranked within each kind of id, so that slow kinds do not hide a difference; the
AUC of those ranks is 0.5 where time tells nothing. Exit code 1 above the limit.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from tests.benchmarks.gateway import SETTINGS, command, make_key, served

MOST_AUC = 0.55
EACH = 10  # ids of a kind
MESSAGES = [{"role": "user", "content": "Which lamp fits a small desk?"}]
ROWS = [{"instruction": f"Question {n}?", "output": f"Answer {n}."} for n in range(4)]
PATHS = {
    "knowledge base": "/v1/vector_stores/{}",
    "documents": "/v1/vector_stores/{}/documents",
    "use case": "/use_cases/{}",
    "data checks": "/use_cases/{}/data_checks",
    "file": "/v1/files/{}",
    "job": "/jobs/{}",
    "decision": "/decisions/{}",
}


def auc(foreign: Sequence[float], missing: Sequence[float]) -> float:
    """Return how well values tell two samples apart: 0.5 not at all, 1 always; ties count half.

    The Mann-Whitney statistic divided by the number of pairs, whichever sample is the larger.
    """
    values = np.array([*foreign, *missing])
    ordered = np.sort(values)
    ranks = (np.searchsorted(ordered, values) + np.searchsorted(ordered, values, "right") + 1) / 2
    n, m = len(foreign), len(missing)
    share = (ranks[:n].sum() - n * (n + 1) / 2) / (n * m)
    return float(max(share, 1 - share))


def ranked(foreign: Sequence[float], missing: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the place of each latency among all of its kind, between 0 and 1."""
    ordered = np.sort(np.array([*foreign, *missing]))
    places = [
        list(np.searchsorted(ordered, sample) / len(ordered)) for sample in (foreign, missing)
    ]
    return places[0], places[1]


def things_of(client: httpx.Client, number: int) -> dict[str, str]:
    """Make one of each kind and return its id by kind."""
    name = f"lamps-{number:04}"
    base = _told(client.post("/v1/vector_stores", json={"name": name, "id": name}))["id"]
    _told(client.put(f"/use_cases/{name}", json={"id": name, "role": "You help."}))
    lines = "\n".join(json.dumps(row) for row in ROWS) + "\n" * number
    form = {"purpose": "fine-tune"}
    file = _told(client.post("/v1/files", data=form, files={"file": ("rows.jsonl", lines)}))
    job = _told(client.post(f"/v1/vector_stores/{base}/rebuild"))
    asked = {"messages": MESSAGES, "strategy": "prompt_only"}
    answer = _told(client.post("/chat", json=asked))
    return {
        "knowledge base": base,
        "documents": base,
        "use case": name,
        "data checks": name,
        "file": file["id"],
        "job": job["job"]["id"],
        "decision": answer["id"],
    }


def alike(one: str, rng: random.Random) -> str:
    """Return an id of the same form that nobody has: other digits and letters behind its prefix."""
    head, _, tail = one.rpartition("_") if "_" in one else one.rpartition("-")
    mark = one[len(head) : len(head) + 1]
    letters = "0123456789" if tail.isdecimal() else "0123456789abcdef"
    return head + mark + "".join(rng.choice(letters) if c.isalnum() else c for c in tail)


def measure(
    ask: Callable[[str], httpx.Response],
    foreign: Mapping[str, Sequence[str]],
    missing: Mapping[str, Sequence[str]],
    *,
    times: int,
    rng: random.Random,
) -> dict[str, Any]:
    """Ask for every id so many times and return the AUC of all latencies and of each kind.

    Raises:
        RuntimeError: A reply is not 404, or tells more than the id that was asked for.
    """
    asked = [
        (kind, whose, one)
        for whose, ids in (("foreign", foreign), ("missing", missing))
        for kind in ids
        for one in ids[kind]
    ] * times
    rng.shuffle(asked)
    taken: dict[str, dict[str, list[float]]] = {}
    words: dict[str, set[str]] = {}
    for kind, whose, one in asked:
        began = time.perf_counter()
        reply = ask(PATHS[kind].format(one))
        seconds = time.perf_counter() - began
        if reply.status_code != httpx.codes.NOT_FOUND:
            raise RuntimeError(f"{kind} {one}: {reply.status_code} {reply.text[:500]}")
        words.setdefault(kind, set()).add(_said(reply, one))
        taken.setdefault(kind, {"foreign": [], "missing": []})[whose].append(seconds)
    if told := {kind: said for kind, said in words.items() if len(said) > 1}:
        raise RuntimeError(f"replies differ by more than the id: {told}")
    places = [ranked(row["foreign"], row["missing"]) for row in taken.values()]
    return {
        "asked": {
            whose: sum(len(row[whose]) for row in taken.values())
            for whose in ("foreign", "missing")
        },
        "auc": round(auc([p for f, _ in places for p in f], [p for _, m in places for p in m]), 4),
        "most": MOST_AUC,
        "by_kind": {
            kind: {
                "auc": round(auc(row["foreign"], row["missing"]), 4),
                "foreign_ms": round(float(np.median(row["foreign"])) * 1000, 3),
                "missing_ms": round(float(np.median(row["missing"])) * 1000, 3),
            }
            for kind, row in taken.items()
        },
    }


def _said(reply: httpx.Response, one: str) -> str:
    request_id = reply.headers.get("x-request-id", "-")
    return reply.text.replace(one, "ID").replace(request_id, "REQUEST")


def _told(reply: httpx.Response) -> dict[str, Any]:
    if reply.is_error:
        raise RuntimeError(f"{reply.request.url}: {reply.status_code} {reply.text[:500]}")
    found: dict[str, Any] = reply.json()
    return found


def run(*, count: int, seed: int) -> dict[str, Any]:
    """Start a gateway with two tenants and ask for `count` foreign and as many missing ids."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "fingerpost.toml").write_text(SETTINGS, encoding="utf-8")
        keys = {}
        for tenant in ("owner", "stranger"):
            command(home, "tenants", "create", tenant)
            keys[tenant] = {"authorization": f"Bearer {make_key(home, tenant)}"}
        with served(home) as (_, port):
            url = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=url, headers=keys["owner"], timeout=30) as owner:
                made = [things_of(owner, number) for number in range(EACH)]
                time.sleep(1)  # records are written behind
                foreign = {kind: [each[kind] for each in made] for kind in PATHS}
                for kind, path in PATHS.items():
                    _found(owner.get(path.format(foreign[kind][0])))
            missing = {kind: [alike(one, rng) for one in foreign[kind]] for kind in foreign}
            with httpx.Client(base_url=url, headers=keys["stranger"], timeout=30) as stranger:
                times = -(-count // (EACH * len(PATHS)))
                return measure(stranger.get, foreign, missing, times=times, rng=rng)


def _found(reply: httpx.Response) -> None:
    if reply.is_error:
        raise RuntimeError(f"its owner does not find {reply.request.url}: {reply.text[:500]}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where time tells the ids apart."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=2_000, help="foreign ids, and missing ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    figures = run(count=options.count, seed=options.seed)
    sys.stdout.write(f"{json.dumps(figures) if options.json else _table(figures)}\n")
    return 0 if figures["auc"] <= MOST_AUC else 1


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{'':16}{'AUC':>8}{'foreign ms':>12}{'missing ms':>12}"]
    for kind, row in figures["by_kind"].items():
        lines.append(
            f"{kind:16}{row['auc']:>8.3f}{row['foreign_ms']:>12.2f}{row['missing_ms']:>12.2f}"
        )
    asked = figures["asked"]
    lines.append(f"{'all':16}{figures['auc']:>8.3f}  at most {MOST_AUC}; {asked}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
