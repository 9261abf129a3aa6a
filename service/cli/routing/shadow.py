"""`fingerpost shadow`: what the policy in `[router] observe` would have done with requests."""

import time

from rich.console import Console
from rich.table import Table

from service.cli.client import Gateway
from service.cli.output import JsonOption, UrlOption, command_output
from service.cli.replies import ShadowPair, ShadowsReply, ShadowSummary

_TABLE_CHARS = 110
_MOST_PAIRS = 20


def shadow(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show how often the shadow policy would have decided differently, by pairs of rules."""
    with command_output(as_json) as output:
        found = Gateway.find(url).get("/observations", ShadowsReply)
        output.result(found.body, lambda out: _print(out, found.reply))


def _print(out: Console, found: ShadowsReply) -> None:
    out.width = max(out.width, _TABLE_CHARS)
    if found.problem:
        out.print(f"shadow policy refused: {found.problem}", markup=False)
    if found.observing:
        out.print(f"shadow policy {found.observing}, in force {found.policy}", markup=False)
    elif not found.problem:
        out.print("no shadow policy; set one with [router] observe = FILE", markup=False)
    for seen in found.data:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seen.since))
        out.print(
            f"\n{seen.policy_now} -> {seen.policy_then}, since {since}: {seen.differ} of "
            f"{seen.requests} requests ({seen.share_differ:.1%}) would differ",
            markup=False,
        )
        out.print(_table(seen))


def _table(seen: ShadowSummary) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("in force", "shadow", ""):
        table.add_column(heading, no_wrap=True)
    for heading in ("requests", "share"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pair in seen.pairs[:_MOST_PAIRS]:
        table.add_row(
            *_sides(pair),
            "differs" if pair.differs else "",
            str(pair.n),
            f"{pair.share:.1%}",
        )
    return table


def _sides(pair: ShadowPair) -> tuple[str, str]:
    now = _side(pair.strategy_now, pair.rule_now, pair.course_now)
    return now, _side(pair.strategy_then, pair.rule_then, pair.course_then)


def _side(strategy: str | None, rule: str, course: str) -> str:
    return f"{strategy} by {rule}" + ("" if course == "answer" else f", {course}")
