"""Asks every question by every strategy, as a client of `/chat`.

It knows the gateway's HTTP interface only. A question that fails is recorded with its error and
without a score.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
from pydantic import JsonValue

from service.compare.outcome import ChatAnswer, Outcome
from service.compare.questions import SetQuestion
from service.compare.scoring import score_answer

ANSWER_LIMIT_S = 300.0
STAGES_TO_FIRST_TOKEN = ("route", "rewrite", "retrieve", "first_token")
_DECISION_KEYS = ("strategy", "rule", "thresholds")


def run_comparison(
    questions: Sequence[SetQuestion],
    *,
    gateway_url: str,
    use_case: str,
    strategies: Sequence[str],
    concurrency: int,
    on_progress: Callable[[int, int], bool],
    headers: Mapping[str, str] | None = None,
) -> list[Outcome]:
    """Return one outcome per question and strategy, in that order.

    Args:
        questions: What is asked.
        gateway_url: Address of the gateway.
        use_case: Use case that answers.
        strategies: `auto` or names of strategies; asked one after the other, so that their
            latencies are comparable.
        concurrency: Questions asked at the same time.
        on_progress: Called with the number of answers and their total; False stops the comparison.
        headers: Sent with each question: in whose name it is asked.
    """
    total = len(questions) * len(strategies)
    outcomes: list[Outcome] = []
    with httpx.Client(
        base_url=gateway_url, timeout=ANSWER_LIMIT_S, trust_env=False, headers=headers
    ) as client:
        with ThreadPoolExecutor(max_workers=concurrency) as pool:
            for strategy in strategies:
                ask = partial(_ask, client, use_case, strategy)
                for outcome in pool.map(ask, questions):
                    outcomes.append(outcome)
                    if not on_progress(len(outcomes), total):
                        pool.shutdown(cancel_futures=True)
                        return outcomes
    return outcomes


def _ask(client: httpx.Client, use_case: str, strategy: str, question: SetQuestion) -> Outcome:
    turns = [turn.model_dump() for turn in question.history]
    body = {
        "messages": [*turns, {"role": "user", "content": question.question}],
        "use_case": use_case,
        "strategy": strategy,
    }
    began = time.perf_counter()
    try:
        response = client.post("/chat", params={"explain": "true"}, json=body)
        reply = response.json()
    except (httpx.HTTPError, ValueError) as exc:
        return _failure(question, strategy, error=f"{type(exc).__name__}: {exc}")
    latency_ms = (time.perf_counter() - began) * 1000
    if response.status_code != httpx.codes.OK:
        return _failure(question, strategy, error=str(reply.get("detail", response.text)))
    answer = ChatAnswer.model_validate(reply)
    first_token_ms = sum(answer.timings_ms.get(stage, 0.0) for stage in STAGES_TO_FIRST_TOKEN)
    decision = answer.decision
    return Outcome(
        id=question.id,
        question=question.question,
        kind=question.kind,
        language=question.language,
        strategy=strategy,
        score=score_answer(question, answer),
        outcome=answer.outcome,
        latency_ms=round(latency_ms, 1),
        first_token_ms=round(first_token_ms, 1),
        prompt_tokens=answer.usage.prompt_tokens,
        completion_tokens=answer.usage.completion_tokens,
        facts=_object(decision.get("facts")),
        decision={key: decision[key] for key in _DECISION_KEYS if key in decision},
        chosen=answer.strategy,
        answer=answer.answer,
    )


def _failure(question: SetQuestion, strategy: str, *, error: str) -> Outcome:
    return Outcome(
        id=question.id,
        question=question.question,
        kind=question.kind,
        language=question.language,
        strategy=strategy,
        score=None,
        outcome="error",
        latency_ms=0.0,
        first_token_ms=0.0,
        prompt_tokens=0,
        completion_tokens=0,
        facts={},
        decision={},
        error=error,
    )


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}
