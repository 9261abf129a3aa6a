"""How the advice says things to a manager, in Chinese and in English: names, units and numbers.

It knows no case. Every fact, strategy, value and mark that can appear in an advice has its name
here in both languages; a test holds the table against `FACTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

from router.decision import Strategy
from router.facts import FACTS, FactType, FactValue
from router.text import Text


class Mark(StrEnum):
    """Where a figure of the advice comes from."""

    DECLARED = "declared"
    MEASURED = "measured"
    ESTIMATED = "estimated"
    ASSUMED = "assumed"
    GENERAL = "general"
    UNKNOWN = "unknown"


MARKS: Final[Mapping[Mark, Text]] = {
    Mark.DECLARED: Text(zh="申报", en="declared"),
    Mark.MEASURED: Text(zh="实测", en="measured"),
    Mark.ESTIMATED: Text(zh="估算", en="estimated"),
    Mark.ASSUMED: Text(zh="默认值", en="default"),
    Mark.GENERAL: Text(zh="常识", en="general"),
    Mark.UNKNOWN: Text(zh="未知", en="unknown"),
}

STRATEGIES: Final[Mapping[Strategy, Text]] = {
    Strategy.PROMPT_ONLY: Text(zh="仅提示词", en="prompting only"),
    Strategy.RAG: Text(zh="检索增强（RAG）", en="retrieval (RAG)"),
    Strategy.FINE_TUNED: Text(zh="微调", en="fine-tuning"),
    Strategy.HYBRID: Text(zh="混合（微调加检索）", en="hybrid (fine-tuning and retrieval)"),
}

_OUTCOMES: Final[Mapping[str, Text]] = {
    "score": Text(zh="对比得分", en="score in the compare"),
    "score_low": Text(zh="得分区间下限", en="low end of the score"),
    "score_high": Text(zh="得分区间上限", en="high end of the score"),
    "p50_ms": Text(zh="延迟中位数", en="median latency"),
    "p95_ms": Text(zh="p95 延迟", en="p95 latency"),
    "tokens": Text(zh="每次回答的 token 数", en="tokens an answer"),
}

FACT_NAMES: Final[Mapping[str, Text]] = {
    "need": Text(zh="缺的是知识还是风格", en="what is lacking, facts or style"),
    "labelled_examples": Text(zh="标注数据", en="labelled rows"),
    "context_bearing_examples": Text(zh="带检索段落的样本", en="rows with passages"),
    "data_quality": Text(zh="五项数据检查", en="five checks of the data"),
    "knowledge_changes_per_week": Text(zh="知识每周变更", en="knowledge changes a week"),
    "knowledge_chunk_changes_per_week": Text(zh="每周变更的文本块", en="chunks changed a week"),
    "knowledge_age_days": Text(zh="知识库已建立", en="age of the knowledge"),
    "knowledge_unchanged_days": Text(zh="知识未变更已有", en="knowledge unchanged for"),
    "knowledge_tokens": Text(zh="知识总长度", en="length of the knowledge"),
    "citations_required": Text(zh="必须给出处", en="sources must be shown"),
    "latency_budget_ms": Text(zh="延迟要求", en="latency budget"),
    "budget": Text(zh="预算", en="budget"),
    "privacy": Text(zh="数据保密程度", en="privacy"),
    "domain": Text(zh="领域", en="domain"),
    "task_type": Text(zh="任务类型", en="kind of task"),
    "data_deletable": Text(zh="数据须可随时删除", en="data must stay deletable"),
    "relevant_rows_percent": Text(zh="相关数据占比", en="relevant rows"),
    "scenario_coverage_percent": Text(zh="场景覆盖率", en="scenarios covered"),
    "label_disagreement_percent": Text(zh="标注不一致率", en="label disagreement"),
    "recent_rows_percent": Text(zh="近一年数据占比", en="rows of the last year"),
    "personal_data_rows": Text(zh="残留个人信息的数据", en="rows with personal data left"),
    "model_parameters_billion": Text(zh="基座模型参数量", en="parameters of the base model"),
    "question_tokens": Text(zh="提示词长度（不含段落）", en="prompt without passages"),
    "passage_tokens": Text(zh="检索段落长度", en="passages in a prompt"),
    "answer_tokens": Text(zh="回答长度", en="length of an answer"),
    "row_tokens": Text(zh="每条训练数据长度", en="length of a training row"),
    "training_epochs": Text(zh="训练轮数", en="training epochs"),
    "training_tokens_per_second": Text(zh="训练速度", en="training speed"),
    "gpu_memory_gb": Text(zh="单卡显存", en="memory of one GPU"),
    "gpu_tflops": Text(zh="单卡 16 位算力", en="16-bit peak of one GPU"),
    "gpu_bandwidth_gb_per_second": Text(zh="单卡显存带宽", en="memory bandwidth of one GPU"),
    "gpu_usd_per_hour": Text(zh="单卡每小时价格", en="price of one GPU hour"),
    "usd_per_million_prompt_tokens": Text(
        zh="每百万输入 token 价格", en="price of a million input tokens"
    ),
    "usd_per_million_completion_tokens": Text(
        zh="每百万输出 token 价格", en="price of a million output tokens"
    ),
    "answers_per_month": Text(zh="每月回答量", en="answers a month"),
    "adapter_present": Text(zh="已有适配器", en="an adapter exists"),
    "adapter_gate_passed": Text(zh="适配器通过上线评测", en="the adapter passed the gate"),
    "adapter_context_trained": Text(
        zh="适配器学过阅读段落", en="the adapter learned to read passages"
    ),
    "adapter_older_than_knowledge": Text(
        zh="适配器早于知识更新", en="the adapter is older than the knowledge"
    ),
    "adapter_servable": Text(zh="适配器已发布可用", en="the adapter serves"),
    "knowledge_present": Text(zh="知识库有内容", en="the knowledge base has content"),
    "base_gains_from_context": Text(zh="基座模型能从段落获益", en="passages help the base model"),
    "engine_local": Text(zh="推理引擎在自有机器上", en="the engine runs on own machines"),
    "chitchat": Text(zh="寒暄", en="small talk"),
    "asks_fact": Text(zh="询问事实", en="asks for a fact"),
    "follow_up": Text(zh="追问", en="follow-up"),
    "format_asked": Text(zh="要求格式", en="a format is asked for"),
    "language": Text(zh="提问语言", en="language of the question"),
    "citations_requested": Text(zh="调用方要求出处", en="the caller requires sources"),
    "max_latency_ms": Text(zh="调用方时限", en="the caller's time limit"),
    "knowledge_bases_named": Text(zh="指定的知识库", en="knowledge bases named"),
    "question_chars": Text(zh="问题长度", en="length of the question"),
    "question_class": Text(zh="问题类别", en="class of the question"),
    "question_class_confidence": Text(
        zh="问题类别的把握", en="confidence in the class of the question"
    ),
    **{
        f"{strategy}_{suffix}": Text(
            zh=f"{STRATEGIES[strategy].zh}的{name.zh}", en=f"{STRATEGIES[strategy].en}: {name.en}"
        )
        for strategy in Strategy
        for suffix, name in _OUTCOMES.items()
    },
}

VALUES: Final[Mapping[str, Text]] = {
    "needs_knowledge": Text(zh="需要知识", en="needs knowledge"),
    "chitchat": Text(zh="寒暄", en="small talk"),
    "task": Text(zh="任务", en="task"),
    "out_of_scope": Text(zh="超出范围", en="out of scope"),
    "knowledge": Text(zh="知识", en="facts"),
    "style": Text(zh="风格或格式", en="style or format"),
    "both": Text(zh="知识和风格都缺", en="both facts and style"),
    "pass": Text(zh="通过", en="passed"),
    "fail": Text(zh="未通过", en="failed"),
    "limited": Text(zh="有限", en="limited"),
    "ample": Text(zh="充足", en="ample"),
    "public": Text(zh="公开", en="public"),
    "internal": Text(zh="内部", en="internal"),
    "secret": Text(zh="涉密", en="secret"),
}

UNITS: Final[Mapping[str, Text]] = {
    "rows": Text(zh="条", en="rows"),
    "per_week": Text(zh="次/周", en="a week"),
    "ms": Text(zh="毫秒", en="ms"),
    "days": Text(zh="天", en="days"),
    "tokens": Text(zh="个 token", en="tokens"),
    "percent": Text(zh="%", en="%"),
    "billion": Text(zh="B（十亿）", en="billion"),
    "epochs": Text(zh="轮", en="epochs"),
    "tokens_per_second": Text(zh="token/秒", en="tokens/s"),
    "GB": Text(zh="GB", en="GB"),
    "TFLOPS": Text(zh="TFLOPS", en="TFLOPS"),
    "GB_per_second": Text(zh="GB/秒", en="GB/s"),
    "usd_per_hour": Text(zh="美元/小时", en="USD an hour"),
    "usd": Text(zh="美元", en="USD"),
    "usd_per_1000_answers": Text(zh="美元/千次回答", en="USD per 1,000 answers"),
    "answers_per_month": Text(zh="次/月", en="a month"),
    "bases": Text(zh="个", en="bases"),
    "chars": Text(zh="字", en="characters"),
    "bits": Text(zh="比特", en="bits"),
}

YES = Text(zh="是", en="yes")
NO = Text(zh="否", en="no")
UNKNOWN = Text(zh="未知", en="unknown")

# The sources of the thresholds that ship are English texts of the policy file; this is what a
# Chinese reader sees. Another source, e.g. of a team's own policy, is shown as it is written.
THRESHOLD_SOURCES_ZH: Final[Mapping[str, str]] = {
    "assumption; an adapter is retrained, gated and published about once a week at best, "
    "so faster facts are stale in its weights": (
        "假设：重新训练、评测并发布一次适配器最快约一周，更快变化的事实写进权重就会过时"
    ),
    "assumption, as max_knowledge_changes_per_week; preferences read this one, so a use case may "
    "set its own": "假设，与 max_knowledge_changes_per_week 相同；偏好规则读取此值，用例可自行设定",
    "minimum sizes for fine-tuning; LoRA needs 2,000 rows, and no task in the list asks for more "
    "as its minimum": "微调数据量下限：LoRA 至少 2,000 条，各类任务的最低要求都不超过此数",
    "minimum sizes for fine-tuning; finance and legal add 30 %": (
        "微调数据量下限：金融、法律领域上浮 30 %"
    ),
    "phatvo/Meta-Llama3.1-8B-Instruct-RAFT; LoRA on 100 rows with passages took HotpotQA F1 from "
    "39.8 to 48.6": "phatvo/Meta-Llama3.1-8B-Instruct-RAFT：100 条带段落样本，F1 由 39.8 升至 48.6",
    "by definition; an answer from retrieval needs at least one relevant passage": (
        "按定义：基于检索的回答至少要有一个相关段落"
    ),
}


def number(value: float) -> str:
    """Return a number as people write it: 1,400; 2.79; 0.0031; 1.2e+40."""
    if abs(value) >= 1e15:
        return f"{Decimal(value):.2g}"  # a whole number can be too large for a float
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def quantity(value: float, unit: str) -> Text:
    """Return a number with its unit."""
    name = UNITS.get(unit)
    if name is None:
        return Text(zh=number(value), en=number(value))
    gap = "" if unit == "percent" else " "
    return Text(zh=f"{number(value)}{gap}{name.zh}", en=f"{number(value)}{gap}{name.en}")


def told(name: str, value: FactValue | None) -> Text:
    """Return the value of a fact in words."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, int | float):
        return quantity(value, FACTS[name].unit)
    # A text without choices is the user's own word; only closed sets are translated.
    own = Text(zh=value, en=value)
    return VALUES.get(value, own) if FACTS[name].choices else own


def is_translated(name: str) -> bool:
    """Return whether a fact has a name, and its unit and choices have words, in both languages."""
    spec = FACTS[name]
    has_unit = spec.type is not FactType.NUMBER or not spec.unit or spec.unit in UNITS
    return name in FACT_NAMES and has_unit and all(choice in VALUES for choice in spec.choices)
