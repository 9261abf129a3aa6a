"""`fingerpost ask` and `fingerpost route`."""

from contextlib import closing
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, Received
from service.cli.language import LangOption, follow_script, use_language
from service.cli.output import CommandFailed, JsonOption, Output, UrlOption, command_output
from service.cli.replies import AnswerReply, DecisionReply, RejectionReply, RouteReply
from service.messages.catalogue import catalogue, chosen
from service.messages.spoken import say, spoken


class StrategyChoice(StrEnum):
    """What a caller may ask for."""

    AUTO = "auto"
    PROMPT_ONLY = "prompt_only"
    RAG = "rag"
    FINE_TUNED = "fine_tuned"
    HYBRID = "hybrid"


QuestionArgument = Annotated[
    str, typer.Argument(metavar="QUESTION", help="The question, in quotes.")
]
StrategyOption = Annotated[
    StrategyChoice,
    typer.Option("--strategy", "-s", help="Strategy to use; auto lets the router choose."),
]
UseCaseOption = Annotated[
    str | None, typer.Option("--use-case", "-u", help="Id of the use case (default: none).")
]


def ask(
    question: QuestionArgument,
    strategy: StrategyOption = StrategyChoice.AUTO,
    use_case: UseCaseOption = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Print the answer while it is being generated.")
    ] = False,
    *,
    lang: LangOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a question; prints the answer, the strategy, the reasons and the sources."""
    use_language(lang)
    follow_script(question)
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        body = _body(question, strategy, use_case)
        if stream:
            done = _stream(gateway, output, body)
            output.result(done.body, lambda out: _print_reasons(out, done.reply))
        else:
            done = gateway.post("/chat", AnswerReply, body=body)
            output.result(done.body, lambda out: _print_answer(out, done.reply))


def route(
    question: QuestionArgument,
    strategy: StrategyOption = StrategyChoice.AUTO,
    use_case: UseCaseOption = None,
    *,
    lang: LangOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which strategy would answer a question and why, without generating an answer."""
    use_language(lang)
    follow_script(question)
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        body = _body(question, strategy, use_case)
        routed = gateway.post("/route", RouteReply, body=body)
        output.result(routed.body, lambda out: _print_decision(out, routed.reply.decision))


def _body(question: str, strategy: StrategyChoice, use_case: str | None) -> JsonObject:
    body: JsonObject = {
        "messages": [{"role": "user", "content": question}],
        "strategy": strategy.value,
    }
    if use_case is not None:
        body["use_case"] = use_case
    return body


def _stream(gateway: Gateway, output: Output, body: JsonObject) -> Received[AnswerReply]:
    for name, data in gateway.events("/chat", {**body, "stream": True}):
        if name == "delta" and not output.as_json:
            typer.echo(data["text"], nl=False)
        elif name == "error":
            raise CommandFailed.of_body(data)
        elif name == "done":
            if not output.as_json:
                typer.echo("")
            return Received(data, AnswerReply.model_validate(data))
    raise CommandFailed("The stream ended without an answer.", code="stream_broken", status=502)


def _print_answer(out: Console, done: AnswerReply) -> None:
    out.print(done.answer, markup=False)
    _print_reasons(out, done)


def _print_reasons(out: Console, done: AnswerReply) -> None:
    total_ms = done.timings_ms.get("total")
    seconds = "" if total_ms is None else say("ask.seconds", seconds=total_ms / 1000)
    outcome = say(f"ask.{done.outcome}")
    by = say("ask.by", outcome=outcome, strategy=done.strategy, model=done.model, seconds=seconds)
    out.print(f"\n{by}", markup=False, style="bold")
    if (reason := f"abstention.{done.reason}") in catalogue():
        out.print(say(reason), markup=False)
    _print_decision(out, done.decision)
    for source in done.citations or ():
        place = {"base": source.knowledge_base, "version": source.version}
        cited = say("ask.source", marker=source.marker, source=source.source, **place)
        out.print(cited, markup=False)
    out.print(say("ask.why", id=done.id), markup=False)


def _print_decision(out: Console, decision: DecisionReply) -> None:
    out.print(say("ask.strategy", strategy=decision.strategy, rule=decision.rule), markup=False)
    if decision.because:
        because = chosen(decision.because, spoken())
        out.print(say("ask.because", because=because), markup=False)
    for strategy, (first, *others) in _reasons_against(decision).items():
        more = say("ask.more", count=len(others)) if others else ""
        because = chosen(first.because, spoken())
        reason = {"strategy": strategy, "because": because, "rule": first.rule}
        out.print(say("ask.not", more=more, **reason), markup=False)
    not_preferred = [each.strategy for each in decision.rejected if each.rule == decision.rule]
    if not_preferred:
        names = say("ask.comma").join(not_preferred)
        out.print(say("ask.preferred", strategies=names), markup=False)


def _reasons_against(decision: DecisionReply) -> dict[str, list[RejectionReply]]:
    """Return why a strategy could not be chosen, in the decision's order: hard reasons first."""
    reasons: dict[str, list[RejectionReply]] = {}
    for rejection in decision.rejected:
        if rejection.rule == decision.rule:
            continue  # nothing speaks against it: the rule prefers another
        reasons.setdefault(rejection.strategy, []).append(rejection)
    return reasons
