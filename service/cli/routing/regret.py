"""`fingerpost regret`: how far the router is from the best possible choice, by rule."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from router import default_policy, load_policy
from service.cli.output import JsonOption, command_output
from service.compare import parse_outcomes, read_lines, regret_of
from service.errors import InvalidOutcomes
from service.messages.spoken import say
from service.settings import load_settings

_TABLE_CHARS = 110
_CHOOSERS = (
    "router",
    "auto",
    "best_fixed",
    "always_rag",
    "always_hybrid",
    "tfidf_baseline",
    "oracle",
)

OutcomesArgument = Annotated[
    Path,
    typer.Argument(
        metavar="OUTCOMES.jsonl", help="Outcomes that `compare --out` wrote.", dir_okay=False
    ),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy", help="Policy file to evaluate (default: the policy in force in this home)."
    ),
]


def regret(
    outcomes: OutcomesArgument, policy: PolicyOption = None, as_json: JsonOption = False
) -> None:
    """Evaluate a policy on recorded outcomes: its score, its regret, and the share of each rule.

    Every question is decided again from its recorded facts, without generating answers and without
    a gateway. Regret is the score lost to the best strategy per question, in hundredths.
    """
    with command_output(as_json) as output:
        path = policy or load_settings().policy_file
        judged = default_policy() if path is None else load_policy(path)
        found = parse_outcomes(read_lines(_text(outcomes), file=str(outcomes)))
        done = regret_of(found, judged)
        output.result(done, lambda console: print_regret(console, done))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidOutcomes(f"{file} cannot be read: {exc}") from exc


def print_regret(out: Console, done: Mapping[str, Any]) -> None:
    """Print a table of choosers, a table of rules, and what a reader must know."""
    out.width = max(out.width, _TABLE_CHARS)
    policy = done["policy_version"]
    out.print(say("regret.head", questions=done["questions"], policy=policy), markup=False)
    choosers = _table("chooser", "score_95", "regret_95", "gain_95", "missing")
    for key in _CHOOSERS:
        if done[key] is not None:
            called = say(f"regret.{key}", strategy=done[key].get("strategy"))
            choosers.add_row(called, *_standing(done[key]))
    for strategy, standing in done["fixed"].items():
        if f"always_{strategy}" not in done:
            choosers.add_row(say("regret.always", strategy=strategy), *_standing(standing))
    out.print(choosers)
    rules = _table("rule", "fired", "chose", "regret", "gain", "gain_each_95")
    for rule in done["rules"]:
        rules.add_row(
            rule["rule"],
            str(rule["fired"]),
            ", ".join(f"{name} {n}" for name, n in rule["strategies"].items())
            or say("regret.nothing"),
            _number(rule["regret"]),
            _number(rule["gain"], sign=True),
            _estimate(rule, "gain_each", digits=1, sign=True),
        )
    out.print(rules)
    out.print(say("regret.legend"), markup=False)
    for note in done["notes"]:
        out.print(say("regret.note", note=note), markup=False)


def _table(first: str, *headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say(f"regret.{first}"), no_wrap=True)
    for heading in headings:
        table.add_column(say(f"regret.{heading}"), justify="right", no_wrap=True)
    return table


def _standing(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        _estimate(row, "score", digits=3),
        _estimate(row, "regret", digits=1),
        _estimate(row, "gain", digits=1, sign=True),
        str(row["missing"]),
    )


def _estimate(row: Mapping[str, Any], name: str, *, digits: int, sign: bool = False) -> str:
    if row[name] is None:
        return "-"
    ends = [_number(row[name + end], digits=digits, sign=sign) for end in ("", "_low", "_high")]
    return say("regret.interval", value=ends[0], low=ends[1], high=ends[2])


def _number(value: float | None, *, digits: int = 1, sign: bool = False) -> str:
    return "-" if value is None else f"{value:{'+' if sign else ''}.{digits}f}"
