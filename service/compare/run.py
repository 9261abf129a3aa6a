"""Asks every question by every strategy, as a client of `/chat`.

It knows the gateway's HTTP interface only. A question that fails is recorded with its error and
without a score; one that a limit refuses is asked again later.
"""

import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
from pydantic import JsonValue

from service.compare.outcome import ChatAnswer, Outcome
from service.compare.questions import SetQuestion
from service.compare.scoring import score_answer
from service.compare.waiting import MOST_WAITED_S, Waiting

ANSWER_LIMIT_S = 300.0
STAGES_TO_FIRST_TOKEN = ("route", "rewrite", "retrieve", "first_token")
_DECISION_KEYS = ("strategy", "rule", "thresholds")


def run_comparison(
    questions: Sequence[SetQuestion],
    *,
    gateway_url: str,
    verify: ssl.SSLContext | bool = True,
    use_case: str,
    strategies: Sequence[str],
    concurrency: int,
    on_progress: Callable[[int, int], bool],
    is_wanted: Callable[[], bool] = lambda: True,
    api_key: Callable[[], str] | None = None,
) -> list[Outcome]:
    """Return one outcome per question and strategy, in that order.

    Args:
        questions: What is asked.
        gateway_url: Address of the gateway.
        verify: What its certificate is checked by.
        use_case: Use case that answers.
        strategies: `auto` or names of strategies; asked one after the other, so that their
            latencies are comparable.
        concurrency: Questions asked at the same time.
        api_key: Gives what each question is sent with in place of a key; None: nothing.
        on_progress: Called with the number of answers and their total; False stops the comparison.
        is_wanted: Asked while a limit is waited for; False stops the comparison.
    """
    total = len(questions) * len(strategies)
    outcomes: list[Outcome] = []
    waiting = Waiting(is_wanted)

    def identify(request: httpx.Request) -> httpx.Request:
        if api_key is not None:
            request.headers["authorization"] = f"Bearer {api_key()}"
        return request

    with httpx.Client(
        base_url=gateway_url,
        timeout=ANSWER_LIMIT_S,
        trust_env=False,
        verify=verify,
        auth=identify,
    ) as client:
        with ThreadPoolExecutor(max_workers=concurrency) as pool:
            for strategy in strategies:
                ask = partial(_ask, client, waiting, use_case=use_case, strategy=strategy)
                for outcome in pool.map(ask, questions):
                    if outcome is not None:
                        outcomes.append(outcome)
                    if outcome is None or not on_progress(len(outcomes), total):
                        pool.shutdown(cancel_futures=True)
                        return outcomes
    return outcomes


def _ask(
    client: httpx.Client, waiting: Waiting, question: SetQuestion, *, use_case: str, strategy: str
) -> Outcome | None:
    """Return how a question was answered, or None where the comparison is no longer wanted."""
    turns = [turn.model_dump() for turn in question.history]
    body = {
        "messages": [*turns, {"role": "user", "content": question.question}],
        "use_case": use_case,
        "strategy": strategy,
    }
    post = partial(client.post, "/chat", params={"explain": "true"}, json=body)
    try:
        response = waiting.until_let_through(post)
        if response is None:
            return None
        reply = response.json()
    except (httpx.HTTPError, ValueError) as exc:
        return _failure(question, strategy, error=f"{type(exc).__name__}: {exc}")
    if response.status_code != httpx.codes.OK:
        error = str(reply.get("detail", response.text))
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            error = f"A limit let no question through for {MOST_WAITED_S:.0f} s. {error}"
        return _failure(question, strategy, error=error)
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
        latency_ms=round(response.elapsed.total_seconds() * 1000, 1),
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
