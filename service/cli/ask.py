"""`fingerpost ask` and `fingerpost route`."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from service.cli.client import Gateway
from service.cli.output import CommandFailed, JsonOption, Report, UrlOption, problem, reporting


class StrategyChoice(StrEnum):
    """What a caller may ask for."""

    AUTO = "auto"
    PROMPT_ONLY = "prompt_only"
    RAG = "rag"
    FINE_TUNED = "fine_tuned"
    HYBRID = "hybrid"


QuestionArgument = Annotated[str, typer.Argument(help="The question, in quotes.")]
StrategyOption = Annotated[StrategyChoice, typer.Option("--strategy", "-s", help="Default: auto.")]
UseCaseOption = Annotated[str | None, typer.Option("--use-case", "-u", help="Use case by id.")]


def ask(
    question: QuestionArgument,
    strategy: StrategyOption = StrategyChoice.AUTO,
    use_case: UseCaseOption = None,
    stream: Annotated[bool, typer.Option("--stream", help="Print words as they come.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a question and see the answer, its strategy, the reason and the sources."""
    with reporting(as_json) as report:
        gateway = Gateway.find(url)
        body = _body(question, strategy, use_case)
        if stream:
            done = _stream(gateway, report, body)
            report.result(done, lambda out: _print_reasons(out, done))
        else:
            done = gateway.post("/chat", json=body)
            report.result(done, lambda out: _print_answer(out, done))


def route(
    question: QuestionArgument,
    strategy: StrategyOption = StrategyChoice.AUTO,
    use_case: UseCaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which strategy would answer a question and why; nothing is generated."""
    with reporting(as_json) as report:
        routed = Gateway.find(url).post("/route", json=_body(question, strategy, use_case))
        report.result(routed, lambda out: _print_decision(out, routed["decision"]))


def _body(question: str, strategy: StrategyChoice, use_case: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": question}],
        "strategy": strategy.value,
    }
    if use_case is not None:
        body["use_case"] = use_case
    return body


def _stream(gateway: Gateway, report: Report, body: dict[str, Any]) -> Any:
    for name, data in gateway.events("/chat", {**body, "stream": True}):
        if name == "delta" and not report.as_json:
            typer.echo(data["text"], nl=False)
        elif name == "error":
            raise CommandFailed(data)
        elif name == "done":
            if not report.as_json:
                typer.echo("")
            return data
    raise CommandFailed(
        problem("The stream ended without an answer.", code="stream_broken", status=502)
    )


def _print_answer(out: Console, done: Any) -> None:
    out.print(done["answer"], markup=False)
    _print_reasons(out, done)


def _print_reasons(out: Console, done: Any) -> None:
    timings = done.get("timings_ms") or {}
    total = timings.get("total")
    seconds = "" if total is None else f", {total / 1000:.1f} s"
    out.print(
        f"\n{done['outcome']} by {done['strategy']} on {done['model']}{seconds}",
        markup=False,
        style="bold",
    )
    _print_decision(out, done["decision"])
    for source in done.get("citations") or []:
        out.print(
            f"  [{source['marker']}] {source['filename']} "
            f"({source['knowledge_base']}, version {source['version']})",
            markup=False,
        )


def _print_decision(out: Console, decision: Any) -> None:
    out.print(f"strategy {decision['strategy']}: rule {decision['rule']}", markup=False)
    out.print(f"  because {_in_english(decision['because'])}", markup=False)
    for strategy, reasons in _reasons_against(decision).items():
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        out.print(f"  not {strategy}: {reasons[0]}{more}", markup=False)


def _reasons_against(decision: Any) -> dict[str, list[str]]:
    """Return why each other strategy was not taken, hard reasons first as the decision has them."""
    reasons: dict[str, list[str]] = {}
    for rejection in decision.get("rejected") or []:
        because = f"{_in_english(rejection['because'])} ({rejection['rule']})"
        reasons.setdefault(str(rejection["strategy"]), []).append(because)
    return reasons


def _in_english(because: Any) -> str:
    return str(because.get("en", because)) if isinstance(because, dict) else str(because)
