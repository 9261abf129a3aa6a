"""`fingerpost why REQUEST_ID`: why a request was answered as it was, in Chinese or English.

It knows words; what is in a trace is known to `router` (`Decision.as_dict`).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import typer
from pydantic import JsonValue

from service.cli.client import Gateway, segment
from service.cli.language import LangOption, use_language
from service.cli.output import JsonOption, UrlOption, command_output
from service.cli.replies import (
    DecisionReply,
    FactReply,
    FindingReply,
    RecordReply,
    RejectionReply,
    ShadowReply,
    Texts,
)
from service.messages.catalogue import Language, chosen, translated

_KINDS = ("chitchat", "asks_fact", "follow_up", "format_asked")


def why(
    request_id: Annotated[
        str, typer.Argument(metavar="REQUEST_ID", help="Id of the answer: its `id`.")
    ],
    lang: LangOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain why a request was answered as it was: rules, facts, evidence, rejected strategies."""
    language = use_language(lang)
    with command_output(as_json) as output:
        found = Gateway.find(url).get(f"/decisions/{segment(request_id)}", RecordReply)
        output.result(found.body, "\n".join(explain(found.reply, language)))


def explain(record: RecordReply, lang: Language) -> Iterator[str]:
    """Yield the trace of one request, line by line."""
    formatter = TraceFormatter(lang)
    yield from formatter.head(record)
    yield from formatter.rules(record.decision)
    yield from formatter.rejected(record.decision)
    yield from formatter.settlement(record.decision)
    if record.observed is not None:
        yield formatter.shadow(record.observed)
    yield from formatter.facts(record.decision)


class TraceFormatter:
    """Words the parts of a trace in one language."""

    def __init__(self, lang: Language) -> None:
        self._lang = lang

    def __call__(self, word: str) -> str:
        """Return a word in the language."""
        return translated(f"why.{word}", self._lang)

    def head(self, record: RecordReply) -> Iterator[str]:
        """Yield who answered what, and what kind of question it was."""
        decision = record.decision
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created_at))
        comma = self("comma")
        yield comma.join(
            (f"{self('request')} {record.id}", when, f"{self('use_case')} {record.use_case}")
        )
        yield comma.join(
            (
                self(record.outcome),
                f"{self('by')} {record.strategy}",
                f"{self('on')} {record.model}",
                f"{self('policy')} {decision.policy_version}",
            )
        )
        if decision.fallback_from:
            yield f"{self('fallback_from')} {decision.fallback_from}"
        if decision.pilot:
            yield self("pilot")
        text = f" “{record.question}”" if record.question else ""
        yield f"{self('question')}{text}{self('colon')}{self._kind_of(decision)}"
        if record.answer:
            yield f"{self('answer')}{self('colon')}{record.answer}"

    def rules(self, decision: DecisionReply) -> Iterator[str]:
        """Yield the rule that chose with its conditions, those that applied, those undecided."""
        reason = f"{self('colon')}{self._in(decision.because)}" if decision.because else ""
        yield f"{self('chose')} {decision.rule}{reason}"
        for finding in decision.findings:
            if finding.rule == decision.rule:
                yield from self._leaves(finding)
        applied = [
            finding
            for finding in decision.findings
            if finding.verdict == "true" and finding.rule != decision.rule
        ]
        if applied:
            yield f"{self('held')}{self('colon')}"
            for finding in applied:
                yield f"  {self._named(finding)}{self('colon')}{self._in(finding.because)}"
                yield from self._leaves(finding)
        unknown = [finding for finding in decision.findings if finding.verdict == "unknown"]
        if unknown:
            yield f"{self('unknown')}{self('colon')}"
            for finding in unknown:
                missing = self._missing(finding.unknown_facts)
                yield f"  {self._named(finding)}{missing}"

    def rejected(self, decision: DecisionReply) -> Iterator[str]:
        """Yield why each other strategy did not answer, once for each reason."""
        for rejection in decision.rejected:
            missing = self._missing(rejection.unknown_facts) if rejection.unknown_facts else ""
            yield (
                f"{self('not')} {rejection.strategy}{self('colon')}"
                f"{self._in(rejection.because)} ({self._named(rejection)}{missing})"
            )

    def settlement(self, decision: DecisionReply) -> Iterator[str]:
        """Yield what retrieval found and what followed; nothing where nothing was retrieved."""
        settled = decision.settlement
        if settled is None:
            return
        evidence = settled.evidence
        parts = [f"{evidence.passages} {self('passages')}"]
        if evidence.best_score is not None:
            parts.append(f"{self('best')} {evidence.best_score:.2f}")
        if evidence.degraded:
            parts.append(self("degraded"))
        yield (
            f"{self('evidence')}{self('colon')}{self('comma').join(parts)}{self('semicolon')}"
            f"{self._course(settled.outcome)}{self('colon')}"
            f"{self._in(settled.finding.because)} ({settled.finding.rule})"
        )

    def shadow(self, shadow: ShadowReply) -> str:
        """Return what the shadow policy would have done."""
        then = shadow.then
        same = "" if shadow.differs else f" {self('same')}"
        return (
            f"{self('shadow')} {then.strategy}{self('comma')}{self._course(then.course)} "
            f"({then.rule}, {then.policy_version}){same}"
        )

    def facts(self, decision: DecisionReply) -> Iterator[str]:
        """Yield every fact with unit and provenance."""
        if decision.facts:
            yield f"{self('facts')}{self('colon')}"
        for name, fact in decision.facts.items():
            yield f"  {_fact(name, fact)} ({self(fact.provenance)})"

    def _kind_of(self, decision: DecisionReply) -> str:
        known = {name: fact.value for name, fact in decision.facts.items()}
        if not known:
            return self("nothing")
        kinds = [self(name) for name in _KINDS if known.get(name) is True]
        parts = [*self._class_of(known), *kinds] or [self("unclassed")]
        if "language" in known:
            parts.append(f"{self('language')} {known['language']}")
        return self("comma").join(parts)

    def _class_of(self, known: Mapping[str, JsonValue]) -> Iterator[str]:
        """Yield the class that the fitted classifier predicts, where there is one."""
        confidence = known.get("question_class_confidence")
        if isinstance(confidence, int | float):
            label = known.get("question_class")
            seen = f"{self('class')} {self(str(label))}" if label else self("unsure")
            yield f"{seen} ({confidence:.2f})"

    def _missing(self, names: Sequence[str]) -> str:
        return f"{self('comma')}{self('missing')} {self('comma').join(names)}"

    def _named(self, finding: FindingReply | RejectionReply) -> str:
        return f"{finding.rule} [{finding.kind}]"

    def _in(self, texts: Texts) -> str:
        return chosen(texts, self._lang)

    def _course(self, outcome: str) -> str:
        return self("answer_outcome" if outcome == "answer" else outcome)

    def _leaves(self, finding: FindingReply) -> Iterator[str]:
        for leaf in finding.leaves or ():
            read = self("comma").join(f"{n} = {_value(v)}" for n, v in leaf.values.items())
            yield f"    {leaf.expression} -> {leaf.verdict}" + (f" ({read})" if read else "")


def _fact(name: str, fact: FactReply) -> str:
    unit = f" {fact.unit}" if fact.unit else ""
    return f"{name} = {_value(fact.value)}{unit}"


def _value(value: JsonValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
