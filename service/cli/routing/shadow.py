"""`fingerpost observe`: what the policy in `[router] observe` would have done with requests."""

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from service.cli.client import Gateway
from service.cli.output import JsonOption, UrlOption, reporting

_TABLE_CHARS = 110
_MOST_PAIRS = 20


def observe(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Sum up how often an observed policy would have answered otherwise, by pairs of rules."""
    with reporting(as_json) as report:
        body = Gateway.find(url).get("/observations")
        report.result(body, lambda out: _print(out, body))


def _print(out: Console, body: Mapping[str, Any]) -> None:
    out.width = max(out.width, _TABLE_CHARS)
    if body["problem"]:
        out.print(f"not observed: {body['problem']}", markup=False)
    if body["observing"]:
        out.print(f"observing {body['observing']} beside {body['policy']}", markup=False)
    elif not body["problem"]:
        out.print("no policy is observed; [router] observe = FILE names one", markup=False)
    for seen in body["data"]:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seen["since"]))
        out.print(
            f"\n{seen['policy_now']} -> {seen['policy_then']}, since {since}: {seen['differ']} of "
            f"{seen['requests']} requests ({seen['share_differ']:.1%}) would differ",
            markup=False,
        )
        out.print(_table(seen))


def _table(seen: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("now", "then", ""):
        table.add_column(heading, no_wrap=True)
    for heading in ("requests", "share"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pair in seen["pairs"][:_MOST_PAIRS]:
        table.add_row(
            *(_side(pair, side) for side in ("now", "then")),
            "differs" if pair["differs"] else "",
            str(pair["n"]),
            f"{pair['share']:.1%}",
        )
    return table


def _side(pair: Mapping[str, Any], side: str) -> str:
    course = pair[f"course_{side}"]
    more = "" if course == "answer" else f", {course}"
    return f"{pair[f'strategy_{side}']} by {pair[f'rule_{side}']}{more}"
