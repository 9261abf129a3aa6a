"""The comparison table: what each strategy means for this case, in its own figures.

Every cell says where its figure comes from: declared, measured, estimated, or general knowledge
where the case brings none. What is not known is said to be unknown. It recommends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router.advice.estimates import Estimates, Training
from router.advice.floors import Floor
from router.advice.wording import Mark, number, quantity
from router.decision import Strategy
from router.facts import Facts, Provenance
from router.text import Text


@dataclass(frozen=True, slots=True)
class Cell:
    """What one strategy means in one dimension, and where the figure comes from."""

    text: Text
    mark: Mark


@dataclass(frozen=True, slots=True)
class Dimension:
    """One row of the table."""

    id: str
    label: Text
    cells: Mapping[Strategy, Cell]


def compare_strategies(facts: Facts, floor: Floor, estimates: Estimates) -> tuple[Dimension, ...]:
    """Return the table, one row for each dimension."""
    rows = (
        ("update_cost", Text(zh="更新成本", en="cost of an update"), _update),
        ("data", Text(zh="所需数据", en="data needed"), _data),
        ("latency", Text(zh="延迟", en="latency"), _latency),
        ("privacy", Text(zh="隐私与删除", en="privacy and deletion"), _privacy),
        ("scenario", Text(zh="适用场景", en="fits"), _scenario),
        ("long_run_cost", Text(zh="长期成本", en="long-run cost"), _long_run),
        ("quality", Text(zh="质量", en="quality"), _quality),
        ("sources", Text(zh="出处", en="sources"), _sources),
    )
    return tuple(
        Dimension(id_, label, {s: fill(s, facts, floor, estimates) for s in Strategy})
        for id_, label, fill in rows
    )


def _update(strategy: Strategy, facts: Facts, floor: Floor, estimates: Estimates) -> Cell:
    if strategy is Strategy.PROMPT_ONLY:
        return _general("改提示词即可，但装不下多少知识", "edit the prompt, which holds few facts")
    changes = facts.get("knowledge_changes_per_week")
    rate = quantity(changes, "per_week") if isinstance(changes, int | float) else None
    if strategy.retrieves:
        if rate is None:
            return _general(
                "替换文档，下一次回答就生效，不用训练",
                "replace the document: the next answer has it, no training",
            )
        return Cell(
            Text(
                zh=f"变更 {rate.zh}：只换文档，不用训练，成本约 0",
                en=f"{rate.en}: documents are replaced, nothing is trained, costs about 0",
            ),
            _mark(facts, "knowledge_changes_per_week"),
        )
    training = estimates.training[strategy]
    runs, each = training.runs_per_month, _run_in_words(training)
    if runs is None:
        return Cell(
            Text(
                zh=f"每次更新都要重新训练：{each.zh}；变更频率未知",
                en=f"each update is a training run: {each.en}; how often is unknown",
            ),
            Mark.UNKNOWN,
        )
    if runs == 0:
        return Cell(
            Text(
                zh=f"风格变了才重训：{each.zh}",
                en=f"trained anew when the style changes: {each.en}",
            )
            if facts.get("need") == "style"
            else Text(
                zh=f"知识稳定，无须重训；一次{each.zh}",
                en=f"stable, no repeats; one run {each.en}",
            ),
            Mark.ESTIMATED,
        )
    return Cell(
        Text(
            zh=f"每月重训 {number(runs)} 次，每次{each.zh}",
            en=f"{number(runs)} training runs a month, each {each.en}",
        ),
        Mark.ESTIMATED,
    )


def _data(strategy: Strategy, facts: Facts, floor: Floor, estimates: Estimates) -> Cell:
    if strategy is Strategy.PROMPT_ONLY:
        return _general("不需要标注数据，几个示例即可", "no labelled rows, a few examples")
    if strategy is Strategy.RAG:
        return _general("不需要标注数据，需要文档", "no labelled rows, but documents")
    have = facts.get("labelled_examples")
    need_zh = f"至少 {number(floor.minimum)} 条，建议 {number(floor.recommended)} 条"
    need_en = f"{number(floor.minimum)} rows at least, {number(floor.recommended)} advised"
    if floor.ideal is not None:
        need_zh += f"，理想 {number(floor.ideal)} 条"
        need_en += f", {number(floor.ideal)} ideal"
    if strategy is Strategy.HYBRID:
        need_zh += f"；试点 {number(floor.pilot)} 条带段落样本"
        need_en += f"; a pilot needs {number(floor.pilot)} rows with passages"
    if not isinstance(have, int | float):
        return Cell(
            Text(zh=f"{need_zh}；现有数量未知", en=f"{need_en}; how many there are is unknown"),
            Mark.UNKNOWN,
        )
    missing = floor.minimum - have
    rest_zh = f"还差 {number(missing)} 条" if missing > 0 else "已够"
    rest_en = f"{number(missing)} are missing" if missing > 0 else "enough"
    return Cell(
        Text(
            zh=f"{need_zh}；现有 {number(have)} 条，{rest_zh}",
            en=f"{need_en}; there are {number(have)}, {rest_en}",
        ),
        _mark(facts, "labelled_examples"),
    )


def _latency(strategy: Strategy, facts: Facts, floor: Floor, estimates: Estimates) -> Cell:
    p50, p95 = (facts.get(f"{strategy}_{name}_ms") for name in ("p50", "p95"))
    if isinstance(p95, int | float):
        median = f"p50 {number(p50)} ms, " if isinstance(p50, int | float) else ""
        text = f"{median}p95 {number(p95)} ms"
        budget = facts.get("latency_budget_ms")
        if not isinstance(budget, int | float):
            return Cell(Text(zh=text, en=text), Mark.MEASURED)
        met = p95 <= budget
        return Cell(
            Text(
                zh=f"{text}，{'满足' if met else '超过'}要求 {number(budget)} ms",
                en=f"{text}, {'within' if met else 'over'} the budget of {number(budget)} ms",
            ),
            Mark.MEASURED,
        )
    prompt = estimates.serving[strategy].prompt_tokens
    return Cell(
        Text(
            zh=f"未实测；提示词约 {number(prompt)} 个 token",
            en=f"not measured; a prompt has some {number(prompt)} tokens",
        ),
        Mark.UNKNOWN,
    )


def _privacy(strategy: Strategy, facts: Facts, floor: Floor, estimates: Estimates) -> Cell:
    zh, en = {
        Strategy.PROMPT_ONLY: ("不存业务数据", "keeps no data of the case"),
        Strategy.RAG: (
            "数据留在知识库，可逐条删除、按权限检索",
            "data stays in the knowledge base: single records can be deleted, access is checked",
        ),
        Strategy.FINE_TUNED: (
            "数据进入权重：无法逐条删除，可能被套取",
            "data goes into weights: no record can be deleted, some can be drawn out",
        ),
        Strategy.HYBRID: (
            "知识库可删除，训练过的部分不可删除",
            "the knowledge base can forget, the trained part cannot",
        ),
    }[strategy]
    if facts.get("data_deletable") and strategy.uses_adapter:
        return Cell(
            Text(zh=f"{zh}；与“须可删除”的要求冲突", en=f"{en}; this case must be able to delete"),
            _mark(facts, "data_deletable"),
        )
    if facts.get("privacy") == "secret":
        return Cell(
            Text(zh=f"{zh}；引擎须在自有机器上", en=f"{en}; the engine must run on own machines"),
            _mark(facts, "privacy"),
        )
    return _general(zh, en)


def _scenario(strategy: Strategy, facts: Facts, floor: Floor, estimates: Estimates) -> Cell:
    zh, en, needs = {
        Strategy.PROMPT_ONLY: (
            "通用任务、寒暄、起步阶段",
            "general tasks, small talk, a first step",
            (),
        ),
        Strategy.RAG: (
            "知识问答，知识常变，要出处",
            "facts, changing facts, sources",
            ("knowledge",),
        ),
        Strategy.FINE_TUNED: (
            "固定风格、格式、分类，知识稳定",
            "fixed style, format or labels",
            ("style",),
        ),
        Strategy.HYBRID: ("既要事实又要风格", "facts and style together", ("both",)),
    }[strategy]
    if facts.get("need") not in needs:
        return _general(zh, en)
    return Cell(Text(zh=f"{zh}：正是本用例", en=f"{en}: this use case"), _mark(facts, "need"))


def _long_run(strategy: Strategy, facts: Facts, floor: Floor, estimates: Estimates) -> Cell:
    serving = estimates.serving[strategy]
    if serving.usd_per_1000 is None:
        return Cell(Text(zh="无法估算", en="cannot be estimated"), Mark.UNKNOWN)
    each = number(serving.usd_per_1000)
    zh, en = f"每千次回答 {each} 美元", f"{each} USD per 1,000 answers"
    training = estimates.training.get(strategy)
    if training is not None:
        run = _run_in_words(training)
        zh, en = f"{zh}；训练一次{run.zh}", f"{en}; one training run {run.en}"
    if serving.usd_per_month is None:
        zh, en = f"{zh}；每月成本未知", f"{en}; cost a month unknown"
    else:
        month = number(serving.usd_per_month)
        zh, en = f"{zh}；每月 {month} 美元", f"{en}; {month} USD a month"
    return Cell(Text(zh=zh, en=en), Mark.ESTIMATED)


def _quality(strategy: Strategy, facts: Facts, floor: Floor, estimates: Estimates) -> Cell:
    score, low, high = (facts.get(f"{strategy}_{n}") for n in ("score", "score_low", "score_high"))
    if isinstance(score, int | float):
        text = number(score)
        if isinstance(low, int | float) and isinstance(high, int | float):
            return Cell(
                Text(
                    zh=f"得分 {text}（95 % 区间 {number(low)} 到 {number(high)}）",
                    en=f"score {text} (95 % interval {number(low)} to {number(high)})",
                ),
                Mark.MEASURED,
            )
        return Cell(
            Text(zh=f"得分 {text}，区间未知", en=f"score {text}, interval unknown"),
            Mark.MEASURED,
        )
    return Cell(Text(zh="未实测", en="not measured"), Mark.UNKNOWN)


def _sources(strategy: Strategy, facts: Facts, floor: Floor, estimates: Estimates) -> Cell:
    zh, en = ("可以引用", "can cite") if strategy.retrieves else ("无法引用", "cannot cite")
    if facts.get("citations_required"):
        zh += "，满足要求" if strategy.retrieves else "，不满足要求"
        en += ", as required" if strategy.retrieves else ", which is required"
        return Cell(Text(zh=zh, en=en), _mark(facts, "citations_required"))
    return _general(zh, en)


def _run_in_words(training: Training) -> Text:
    """Return hours and cost of one training run."""
    if training.hours is None:
        return Text(zh="用时未知", en="for an unknown time")
    hours = number(training.hours)
    if training.usd is None:
        return Text(zh=f"约 {hours} 小时，费用未知", en=f"some {hours} hours, at an unknown cost")
    usd = number(training.usd)
    return Text(zh=f"约 {hours} GPU 小时、{usd} 美元", en=f"some {hours} GPU hours, {usd} USD")


def _mark(facts: Facts, name: str) -> Mark:
    measured = facts.provenances[name] is Provenance.MEASURED
    return Mark.MEASURED if measured else Mark.DECLARED


def _general(zh: str, en: str) -> Cell:
    return Cell(Text(zh=zh, en=en), Mark.GENERAL)
