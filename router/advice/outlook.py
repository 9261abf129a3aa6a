"""What to watch and what to do next: risks, and steps with their commands.

It reads the plan and the gaps; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from router.advice.case import Case
from router.advice.estimates import Estimates
from router.advice.floors import REGULATED, REGULATED_ALIASES, Category
from router.advice.flow import failed_checks
from router.advice.gaps import COMPARE, Gap
from router.advice.plan import Plan
from router.advice.wording import FACT_NAMES, number
from router.decision import Strategy
from router.text import Text

# `cutoff_len` of the training configuration; what is beyond it is cut.
CUTOFF_TOKENS: Final = 1_024
# A kind of row is called overrepresented from so many points above its share on (assumption).
OVERSHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do, with the command where there is one."""

    text: Text
    command: str | None = None


def find_risks(case: Case, plan: Plan, estimates: Estimates) -> tuple[Text, ...]:
    """Return what could go wrong with what is recommended."""
    strategy = plan.recommended
    return (
        *_data_risks(case),
        *(_retrieval_risks(case) if strategy and strategy.retrieves else ()),
        *(_adapter_risks(case, plan, estimates) if strategy and strategy.uses_adapter else ()),
        *_knowledge_risks(case, plan),
    )


def next_steps(case: Case, plan: Plan, gaps: Sequence[Gap]) -> tuple[NextStep, ...]:
    """Return what to do now, in order."""
    return (*_open_questions(gaps), *_building(case, plan, gaps), *_measuring(plan))


def to_build(case: Case, plan: Plan) -> tuple[Text, ...]:
    """Return what the recommended strategy needs and what is not there yet."""
    strategy, facts = plan.recommended, case.facts
    wanted = []
    if "engine_local" in plan.assumed:
        wanted.append(
            Text(zh="在自有机器上运行的推理引擎", en="an engine that runs on own machines")
        )
    if strategy and strategy.retrieves and facts.get("knowledge_present") is not True:
        wanted.append(Text(zh="有内容的知识库", en="a knowledge base with documents"))
    if strategy is Strategy.HYBRID and facts.get("adapter_context_trained") is not True:
        wanted.append(
            Text(
                zh="学过阅读检索段落、通过上线评测的适配器",
                en="an adapter trained to read passages that has passed the gate",
            )
        )
    elif strategy and strategy.uses_adapter and facts.get("adapter_servable") is not True:
        wanted.append(
            Text(zh="通过上线评测并已发布的适配器", en="an adapter that passed the gate and serves")
        )
    return tuple(wanted)


def _data_risks(case: Case) -> Iterator[Text]:
    failed = failed_checks(case.facts)
    if failed and case.facts.get("data_quality") == "pass":
        zh, en = "；".join(f.zh for f in failed), "; ".join(f.en for f in failed)
        yield Text(
            zh=f"五项检查写的是通过，但{zh}：请核对。",
            en=f"The five checks are said to have passed, but {en}: check again.",
        )
    domain = str(case.facts.get("domain") or "")
    meant = domain.strip().casefold()
    meant = REGULATED_ALIASES.get(meant, meant)
    if meant in REGULATED and domain not in REGULATED:
        yield Text(
            zh=f"领域写的是“{domain}”，规则只认“{meant}”：请改写，数据下限会上浮 30 %。",
            en=f'The domain is "{domain}", but the rules know only "{meant}": write that, it '
            "asks for 30 % more rows.",
        )
    for category, share in _overrepresented(case.categories):
        yield Text(
            zh=f"“{category.name}”类占数据的 {number(100 * share)}%，实际只占 "
            f"{number(100 * (category.share or 0))}%：模型会偏向它。",
            en=f"{category.name} makes up {number(100 * share)}% of the rows but only "
            f"{number(100 * (category.share or 0))}% of real use: a model would lean towards it.",
        )


def _retrieval_risks(case: Case) -> Iterator[Text]:
    gains = case.facts.get("base_gains_from_context")
    if gains is None:
        yield Text(
            zh="弱的基座模型可能读不好检索段落（GPT-3.5 在 MedQA 上加检索后 51.5 降到 45.4）：先"
            "对比再上线。",
            en="A weak base model may read passages badly (GPT-3.5 on MedQA fell from 51.5 to "
            "45.4 with retrieval): compare before going live.",
        )
    yield Text(
        zh="检索到的内容不相关时模型会编造：保留“没有找到就不回答”，不要关闭。",
        en="With passages that do not fit, a model makes things up: keep abstention switched on.",
    )


def _adapter_risks(case: Case, plan: Plan, estimates: Estimates) -> Iterator[Text]:
    yield Text(
        zh="微调会削弱拒答（公开实验中拒答召回率从 51.7 降到 15.0）：训练数据要含拒答样本，以上线"
        "评测把关。",
        en="Fine-tuning weakens refusal (recall of refusals fell from 51.7 to 15.0 in a published "
        "experiment): train with refusals and let the gate judge.",
    )
    yield Text(
        zh="带适配器推理更慢，有用户报告 GPU 上慢 10 % 到 45 %，估算没有计入：以实测为准。",
        en="Serving with an adapter is slower, users report 10 to 45 % on GPUs; the estimates "
        "leave it out: measure.",
    )
    if plan.target.pilot:
        yield Text(
            zh="数据低于最低数量，只能作为试点：评测通过之前不要依赖它。",
            en="There are fewer rows than the minimum, so this is a pilot: do not rely on it "
            "before it is evaluated.",
        )
    strategy = plan.target.strategy
    tokens = estimates.training[strategy].row_tokens
    if tokens > CUTOFF_TOKENS:
        yield Text(
            zh=f"每条训练数据约 {number(tokens)} 个 token，超过默认的 cutoff_len "
            f"{number(CUTOFF_TOKENS)}，会被截断：请调大。",
            en=f"A training row has some {number(tokens)} tokens, more than the default "
            f"cutoff_len of {number(CUTOFF_TOKENS)}: raise it, or rows are cut.",
        )
    if estimates.training[strategy].fits is False:
        yield Text(
            zh="估计一张卡的显存不够做 LoRA：换小一些的模型、更大的卡，或用 4 位权重（QLoRA）。",
            en="LoRA is not expected to fit into one GPU: take a smaller model, a larger GPU, or "
            "4-bit weights (QLoRA).",
        )
    if case.facts.get("privacy") == "secret" or "data_deletable" not in case.facts:
        yield Text(
            zh="训练过的数据无法从权重中逐条删除：先确认没有“须可删除”的要求。",
            en="What was trained cannot be deleted from the weights: make sure that nothing must "
            "be.",
        )


def _knowledge_risks(case: Case, plan: Plan) -> Iterator[Text]:
    if plan.target.rule == "fallback":
        yield Text(
            zh="已知的太少，没有规则能做出选择：这是默认起点，不是结论。",
            en="Too little is known for any rule to choose: this is a place to start, not a "
            "conclusion.",
        )
    elif "rag_score" not in case.facts and "fine_tuned_score" not in case.facts:
        yield Text(
            zh="没有实测：结论来自申报的事实与公开证据，在自己的问题上可能不同。",
            en="Nothing was measured: the advice rests on what was declared and on published "
            "evidence; your own questions may tell otherwise.",
        )
    if case.measured_by == "caller" and any(f"{s}_score" in case.facts for s in Strategy):
        yield Text(
            zh="实测值由提交者自带，本系统没有核对。",
            en="The measured figures were brought by the caller; Fingerpost has not checked them.",
        )


def _overrepresented(categories: Sequence[Category]) -> Iterator[tuple[Category, float]]:
    total = sum(category.rows for category in categories)
    for category in categories:
        if (
            category.share is not None
            and total
            and category.rows / total > category.share + OVERSHARE
        ):
            yield category, category.rows / total


def _open_questions(gaps: Sequence[Gap]) -> Iterator[NextStep]:
    deciding = [gap for gap in gaps if gap.changes]
    if deciding:
        names = [FACT_NAMES[gap.about] for gap in deciding]
        yield NextStep(
            Text(
                zh=f"先弄清会改变建议的问题：{'、'.join(n.zh for n in names)}",
                en=f"Find out what could change the advice: {', '.join(n.en for n in names)}",
            ),
            "fingerpost advise FACTS.yaml",
        )


def _building(case: Case, plan: Plan, gaps: Sequence[Gap]) -> Iterator[NextStep]:
    strategy, facts = plan.recommended, case.facts
    if "engine_local" in plan.assumed:
        yield NextStep(
            Text(zh="在自有机器上启动推理引擎", en="Start the engine on your own machines"),
            "fingerpost up",
        )
    if strategy is None:
        return
    if strategy.retrieves and facts.get("knowledge_present") is not True:
        yield NextStep(
            Text(zh="把文档放进知识库", en="Put the documents into a knowledge base"),
            "fingerpost kb sync KNOWLEDGE_BASE FOLDER",
        )
    yield NextStep(
        Text(
            zh="登记用例：角色、事实、知识库、适配器",
            en="Register the use case: role, facts, knowledge bases, adapter",
        ),
        "fingerpost use-case apply USE_CASE.yaml",
    )
    if strategy.uses_adapter or plan.fine_tuning == "not_yet":
        yield from _training(case, plan, gaps)


def _training(case: Case, plan: Plan, gaps: Sequence[Gap]) -> Iterator[NextStep]:
    rows = [gap for gap in gaps if gap.kind in ("rows", "quality")]
    if rows:
        yield NextStep(
            Text(
                zh="补齐数据：" + "；".join(gap.text.zh for gap in rows),
                en="Complete the data: " + "; ".join(gap.text.en for gap in rows),
            )
        )
    if plan.fine_tuning in ("yes", "pilot") and case.facts.get("adapter_servable") is not True:
        yield NextStep(
            Text(
                zh="训练适配器，评测通过后发布", en="Train the adapter; publish it once it passed"
            ),
            "fingerpost train run TRAIN.yaml --publish",
        )


def _measuring(plan: Plan) -> Iterator[NextStep]:
    if plan.recommended is None:
        return
    yield NextStep(
        Text(
            zh="在自己的问题上对比四种策略", en="Compare the four strategies on your own questions"
        ),
        COMPARE,
    )
    yield NextStep(
        Text(zh="有了实测值，再问一次建议", en="Ask for advice again with what was measured"),
        "fingerpost advise --use-case USE_CASE",
    )
