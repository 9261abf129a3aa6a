"""`fingerpost why REQUEST_ID`: the trace of an answered request in words, Chinese or English.

It knows words; what is in a trace stands in `router` (`Decision.as_dict`).
"""

import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from router import Language
from service.cli.client import Gateway, segment
from service.cli.output import JsonOption, UrlOption, reporting

Body = Mapping[str, Any]


_KINDS = ("chitchat", "asks_fact", "follow_up", "format_asked")
_WORDS: Mapping[str, tuple[str, str]] = {
    "request": ("请求", "request"),
    "use_case": ("用例", "use case"),
    "answered": ("已回答", "answered"),
    "abstained": ("未作答", "abstained"),
    "by": ("策略", "by"),
    "on": ("模型", "on"),
    "policy": ("政策", "policy"),
    "pilot": ("试点：适配器数据低于最低数量", "a pilot: the adapter has fewer rows than the floor"),
    "fallback_from": ("原定策略", "fell back from"),
    "question": ("问题", "The question"),
    "answer": ("回答", "The answer"),
    "nothing": ("没有可说的", "nothing is known of it"),
    "chose": ("由规则选定", "Chosen by rule"),
    "held": ("成立的规则", "Rules that held"),
    "unknown": ("无法判断的规则", "Rules that could not be judged"),
    "missing": ("缺少", "unknown"),
    "not": ("未选", "Not"),
    "evidence": ("检索之后", "After retrieval"),
    "passages": ("条段落达到相关性下限", "passages above the floor of relevance"),
    "best": ("最高相关性", "best relevance"),
    "degraded": ("检索不完整", "retrieval was degraded"),
    "facts": ("依据的事实", "The facts"),
    "declared": ("声明", "declared"),
    "measured": ("实测", "measured"),
    "observed": ("观察中的政策会选择", "The observed policy would have chosen"),
    "same": ("（相同）", "(no difference)"),
    "answer_outcome": ("作答", "answer"),
    "abstain": ("不作答", "abstain"),
    "prompt_only": ("不用段落作答", "answer without passages"),
    "refused": ("拒绝", "refuse"),
    "not_known": ("检索结果未知", "not known without retrieval"),
    "colon": ("：", ": "),
    "comma": ("，", ", "),
    "chitchat": ("寒暄", "small talk"),
    "asks_fact": ("询问事实", "asks for a fact"),
    "follow_up": ("追问", "a follow-up"),
    "format_asked": ("要求格式或改写", "asks for a format or a rewriting"),
    "unclassed": ("类型不明", "of no clear kind"),
    "class": ("类别", "class"),
    "unsure": ("分类不确定", "the classifier is not sure"),
    "needs_knowledge": ("需要知识", "needs knowledge"),
    "task": ("任务", "a task"),
    "out_of_scope": ("超出范围", "out of scope"),
    "language": ("语言", "language"),
}


def why(
    request_id: Annotated[str, typer.Argument(help="The `id` of an answer.")],
    lang: Annotated[Language, typer.Option("--lang", help="Language of the words.")] = Language.EN,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a request was answered as it was: rules, facts, evidence, and what was rejected."""
    with reporting(as_json) as report:
        body = Gateway.find(url).get(f"/decisions/{segment(request_id)}")
        report.result(body, "\n".join(in_words(body, lang)))


def in_words(body: Body, lang: Language) -> Iterator[str]:
    """Yield the trace of one request, line by line."""
    say = _Speaker(lang)
    decision = body["decision"]
    yield from say.head(body)
    yield from say.rules(decision)
    yield from say.rejected(decision)
    yield from say.settlement(decision)
    if body.get("observed"):
        yield say.observed(body["observed"])
    yield from say.facts(decision)


class _Speaker:
    """Says the parts of a trace in one language."""

    def __init__(self, lang: Language) -> None:
        self._lang = lang

    def __call__(self, word: str) -> str:
        zh, en = _WORDS[word]
        return zh if self._lang is Language.ZH else en

    def head(self, body: Body) -> Iterator[str]:
        """Yield who answered what, and what kind of question it was."""
        decision = body["decision"]
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(body["created_at"]))
        yield f"{self('request')} {body['id']}, {when}, {self('use_case')} {body['use_case']}"
        yield (
            f"{self(body['outcome'])}, {self('by')} {body['strategy']}, {self('on')} "
            f"{body['model']}, {self('policy')} {decision['policy_version']}"
        )
        if decision.get("fallback_from"):
            yield f"{self('fallback_from')} {decision['fallback_from']}"
        if decision.get("pilot"):
            yield self("pilot")
        text = f" “{body['question']}”" if body.get("question") else ""
        yield f"{self('question')}{text}{self('colon')}{self._kind_of(decision)}"
        if body.get("answer"):
            yield f"{self('answer')}{self('colon')}{body['answer']}"

    def rules(self, decision: Body) -> Iterator[str]:
        """Yield the rule that chose with its condition, those that held, those without verdict."""
        because = decision.get("because")
        reason = f"{self('colon')}{self._because(because)}" if because else ""
        yield f"{self('chose')} {decision['rule']}{reason}"
        findings = decision.get("findings") or []
        for finding in findings:
            if finding["rule"] == decision["rule"]:
                yield from self._leaves(finding)
        held = [f for f in findings if f["verdict"] == "true" and f["rule"] != decision["rule"]]
        if held:
            yield f"{self('held')}{self('colon')}"
            for finding in held:
                yield f"  {self._named(finding)}{self('colon')}{self._because(finding['because'])}"
                yield from self._leaves(finding)
        unknown = [f for f in findings if f["verdict"] == "unknown"]
        if unknown:
            yield f"{self('unknown')}{self('colon')}"
            for finding in unknown:
                missing = self("comma").join(finding["unknown_facts"])
                yield f"  {self._named(finding)}{self('comma')}{self('missing')} {missing}"

    def rejected(self, decision: Body) -> Iterator[str]:
        """Yield why each other strategy did not answer, once for each reason."""
        for rejection in decision.get("rejected") or []:
            unknown = self("comma").join(rejection["unknown_facts"])
            missing = f"{self('comma')}{self('missing')} {unknown}" if unknown else ""
            yield (
                f"{self('not')} {rejection['strategy']}{self('colon')}"
                f"{self._because(rejection['because'])} ({self._named(rejection)}{missing})"
            )

    def settlement(self, decision: Body) -> Iterator[str]:
        """Yield what retrieval brought and what followed; nothing where nothing was retrieved."""
        settled = decision.get("settlement")
        if not settled:
            return
        evidence = settled["evidence"]
        best = evidence["best_score"]
        parts = [f"{evidence['passages']} {self('passages')}"]
        if best is not None:
            parts.append(f"{self('best')} {best:.2f}")
        if evidence["degraded"]:
            parts.append(self("degraded"))
        finding = settled["finding"]
        yield (
            f"{self('evidence')}{self('colon')}{self('comma').join(parts)}; "
            f"{self._course(settled['outcome'])}{self('colon')}"
            f"{self._because(finding['because'])} ({finding['rule']})"
        )

    def observed(self, observed: Body) -> str:
        """Return what the observed policy would have done."""
        then = observed["then"]
        same = "" if observed["differs"] else f" {self('same')}"
        return (
            f"{self('observed')} {then['strategy']}{self('comma')}{self._course(then['course'])} "
            f"({then['rule']}, {then['policy_version']}){same}"
        )

    def facts(self, decision: Body) -> Iterator[str]:
        """Yield every fact with unit and provenance."""
        facts = decision.get("facts") or {}
        if facts:
            yield f"{self('facts')}{self('colon')}"
        for name, fact in facts.items():
            yield f"  {_fact(name, fact)} ({self(fact['provenance'])})"

    def _kind_of(self, decision: Body) -> str:
        known = {n: fact["value"] for n, fact in (decision.get("facts") or {}).items()}
        if not known:
            return self("nothing")
        kinds = [self(name) for name in _KINDS if known.get(name) is True]
        said = [*self._class_of(known), *kinds] or [self("unclassed")]
        if "language" in known:
            said.append(f"{self('language')} {known['language']}")
        return self("comma").join(said)

    def _class_of(self, known: Body) -> Iterator[str]:
        """Yield the class that the fitted classifier saw, where there is one."""
        if "question_class_confidence" in known:
            label = known.get("question_class")
            seen = f"{self('class')} {self(label)}" if label else self("unsure")
            yield f"{seen} ({known['question_class_confidence']:.2f})"

    def _named(self, finding: Body) -> str:
        return f"{finding['rule']} [{finding['kind']}]"

    def _because(self, because: Body) -> str:
        return str(because[self._lang.value])

    def _course(self, outcome: str) -> str:
        return self("answer_outcome" if outcome == "answer" else outcome)

    def _leaves(self, finding: Body) -> Iterator[str]:
        for leaf in finding.get("leaves") or []:
            read = self("comma").join(f"{n} = {_value(v)}" for n, v in leaf["values"].items())
            yield f"    {leaf['expression']} -> {leaf['verdict']}" + (f" ({read})" if read else "")


def _fact(name: str, fact: Body) -> str:
    unit = f" {fact['unit']}" if fact.get("unit") else ""
    return f"{name} = {_value(fact['value'])}{unit}"


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
