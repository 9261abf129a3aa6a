"""`python -m tests.clients`: ask a running gateway through every client, and print the table.

Ends with 1 if a cell is broken.
"""

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.clients.environments import CLIENTS, Client, command_of
from tests.clients.table import Cell, as_markdown, broken, read_cells

CACHE = Path.home() / ".cache" / "fingerpost-clients"
CLIENT_TIMEOUT_S = 1200
# Nothing but the gateway is asked: no traces, no list of prices, no count of users.
QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "PYTHONPATH": "",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask through each client; return 1 if a cell is broken."""
    options = _options().parse_args(arguments)
    embedder = _embedder(options.url)
    known = {client.name: client for client in CLIENTS}
    cells: dict[str, dict[str, Cell]] = {}
    for name in options.client or known:
        asked = [options.url, options.use_case, embedder]
        cells[name] = _ask(known[name], asked, options.cache)
        print(f"{name}: {_summary(cells[name])}", file=sys.stderr)  # noqa: T201
    if options.json:
        told = {name: {op: asdict(c) for op, c in row.items()} for name, row in cells.items()}
        options.json.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    print(as_markdown(cells))  # noqa: T201
    faults = broken(cells)
    print("\n".join(["", *faults]))  # noqa: T201
    return 1 if faults else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.clients")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the running gateway")
    parser.add_argument("--use-case", default="demo", help="the one with the demo handbook")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where environments are kept")
    parser.add_argument("--json", type=Path, help="also write what each cell saw into a file")
    parser.add_argument(
        "--client", action="append", choices=[c.name for c in CLIENTS], help="only this; repeat"
    )
    return parser


def _embedder(url: str) -> str:
    """Return the name of the gateway's embedder; fails at once where no gateway is ready."""
    with urllib.request.urlopen(f"{url}/ready", timeout=30) as reply:
        return str(json.load(reply)["models"]["embedder"])


def _ask(client: Client, asked: Sequence[str], cache: Path) -> dict[str, Cell]:
    try:
        done = subprocess.run(
            [*command_of(client, cache), *asked],
            env={**os.environ, **QUIET},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CLIENT_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as exc:
        said = exc.stdout or b""
        return read_cells((said if isinstance(said, str) else said.decode()).splitlines())
    if done.returncode != 0:
        print(done.stderr[-2000:], file=sys.stderr)  # noqa: T201
    return read_cells(done.stdout.splitlines())


def _summary(row: dict[str, Cell]) -> str:
    verdicts = [cell.verdict for cell in row.values()]
    counts = ((verdict, verdicts.count(verdict)) for verdict in dict.fromkeys(verdicts))
    return ", ".join(f"{count} {verdict}" for verdict, count in counts)


if __name__ == "__main__":
    sys.exit(main())
