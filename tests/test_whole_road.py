"""The whole road on real engines: supervisor, vLLM, Chroma, training, four strategies, faults.

One home is started for all tests of this file; they run in order, as a newcomer would go. On the
small models in every run, with `--long` on those of a new home too; `test_two_languages.py` is the
short form of that.
"""

import json
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from adapters import judge_effect, read_effect_reference
from adapters.effect.judgement import MAX_ERROR
from service.home_models import EARLIER, HomeModels
from service.supervision.processes import status
from tests.repetition import is_long
from tests.road import (
    DEMO,
    QUESTION,
    Road,
    fingerpost,
    put,
    put_handbook,
    start_training,
    started,
    training,
    two_languages,
)
from tests.service.waiting import eventually

pytestmark = pytest.mark.engine

LONG_QUESTION = "Write a Python list of the first thousand integers."  # over 1,500 tokens
STRATEGIES = ("prompt_only", "rag", "fine_tuned", "hybrid")
MODELS = (EARLIER, two_languages()) if is_long() else (EARLIER,)
ENGINE_BACK_S = 240.0
TRAINED_S = 1200.0 if is_long() else 280.0


@pytest.fixture(scope="module", params=MODELS, ids=lambda models: models.base_model)
def road(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Road]:
    models: HomeModels = request.param
    with started(tmp_path_factory.mktemp("home"), models) as made:
        yield made


def test_the_real_engine_answers_and_adapter_strategies_say_what_is_missing(
    road: Road, tmp_path: Path
) -> None:
    use_case = tmp_path / "use_case.yaml"
    text = (DEMO / "use_case.yaml").read_text(encoding="utf-8")
    wording = "briefly, in the language of the question."  # confuses SmolLM2, which has but one
    assert wording in text
    if road.base == EARLIER.base_model:
        text = text.replace(wording, "briefly.").replace(" (铜巷)", "")
    use_case.write_text(text, encoding="utf-8")
    fingerpost(road.settings.home, "use-case", "apply", str(use_case))
    answer = road.ask("prompt_only", "Hello!", sampling={"max_tokens": 8})
    assert answer["model"] == road.base
    assert answer["usage"]["completion_tokens"] > 0
    asked = {"messages": [{"role": "user", "content": "x"}], "use_case": "demo"}
    reply = road.client.post("/chat", json={**asked, "strategy": "hybrid"})
    assert reply.status_code == 409
    assert "helpdesk" in reply.json()["detail"]


def test_rag_answers_with_citations_that_resolve(road: Road) -> None:
    put_handbook(road)
    answer = road.ask("rag")
    assert answer["model"] == road.base
    assert answer["citations"], answer
    for citation in answer["citations"]:
        page = f"/v1/vector_stores/handbook/documents/{citation['document_id']}"
        text = road.client.get(page).json()["text"]
        assert citation["text"] in text
        assert text[citation["start"] : citation["end"]] == citation["text"]


def test_chinese_questions_find_chinese_pages(road: Road) -> None:
    lines = (DEMO / "questions_zh.jsonl").read_text().splitlines()
    worded_alike = ("zh-fact", "zh-both")  # the others share no word, and MiniLM reads no Chinese
    rows = [row for row in map(json.loads, lines) if row["id"].startswith(worded_alike)]
    found = 0
    for row in rows:
        search = {"query": row["question"], "max_num_results": 5}
        reply = road.client.post("/v1/vector_stores/handbook/search", json=search).json()
        assert ("dense" in reply["retrievers"]) == (road.models.embedder != EARLIER.embedder)
        found += any(hit["external_id"] in row["gold"] for hit in reply["data"])
    assert found >= 0.9 * len(rows)


def test_an_adapter_is_trained_here_and_a_document_changes_meanwhile(road: Road) -> None:
    job_id = start_training(road, steps=10)
    eventually(lambda: training(road, job_id)["status"] == "running", within_s=30)
    old = road.ask("rag", sampling={"max_tokens": 4})
    update = next((DEMO / "updates").rglob("returns.md"))
    before = (DEMO / "handbook" / "en" / "returns.md").read_text()
    put(road, "en/returns.md", update.read_text())
    new = road.ask("rag", sampling={"max_tokens": 4})
    assert training(road, job_id)["status"] == "running"
    assert old["retrieval"]["above_floor"] > 0
    stored = road.client.get("/v1/vector_stores/handbook/documents/en/returns.md").json()["text"]
    assert stored == update.read_text() != before
    gone = set(before.splitlines()) - set(update.read_text().splitlines())
    hits = road.client.post(
        "/v1/vector_stores/handbook/search", json={"query": QUESTION, "max_num_results": 20}
    ).json()["data"]
    assert hits
    assert not any(line.strip() and line in hit["text"] for line in gone for hit in hits)
    assert new["outcome"] == "answered"
    put(road, "en/returns.md", before)
    eventually(lambda: training(road, job_id)["status"] == "succeeded", within_s=TRAINED_S)
    road.adapters.append(training(road, job_id)["adapter_id"])


def test_the_trained_adapter_is_published_by_its_effect(road: Road) -> None:
    began = time.monotonic()
    reply = road.client.post(f"/adapters/{road.adapters[0]}/publish")
    assert reply.status_code == 200, reply.text
    assert reply.json()["effect"]["is_applied"] is True
    assert time.monotonic() - began < 60


def test_all_four_strategies_answer_by_their_own_model(road: Road) -> None:
    for strategy in STRATEGIES:
        answer = road.ask(strategy)
        assert answer["strategy"] == strategy
        adapted = strategy in ("fine_tuned", "hybrid")
        assert answer["model"] == (road.adapters[0] if adapted else road.base)
        assert bool(answer["citations"]) <= (strategy in ("rag", "hybrid"))
    assert road.ask("fine_tuned")["answer"] != road.ask("prompt_only")["answer"]


def test_the_openai_client_gets_every_strategy_plain_and_streamed(road: Road) -> None:
    base_url = f"{road.client.base_url}/v1"
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        for model in ("auto", *STRATEGIES):
            done = client.chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": QUESTION}],
                max_tokens=8,
                extra_body={"use_case": "demo"},
            )
            assert done.choices[0].message.content
            chunks = client.chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": QUESTION}],
                max_tokens=8,
                stream=True,
                extra_body={"use_case": "demo"},
            )
            assert "".join(c.choices[0].delta.content or "" for c in chunks)


def test_a_client_that_leaves_frees_the_real_engine(road: Road) -> None:
    ports = road.settings.paths.read_ports()
    assert ports is not None

    def running() -> float:
        text = httpx.get(f"http://127.0.0.1:{ports.engine}/metrics").text
        lines = [row for row in text.splitlines() if row.startswith("vllm:num_requests_running")]
        return sum(float(row.rsplit(" ", 1)[1]) for row in lines)

    body = {
        "messages": [{"role": "user", "content": LONG_QUESTION}],
        "strategy": "prompt_only",
        "sampling": {"max_tokens": 2000},
        "stream": True,
    }
    with road.client.stream("POST", "/chat", json=body) as reply:
        lines = reply.iter_lines()  # kept: dropping it would already be leaving
        while next(lines) != "event: delta":
            pass
        assert running() >= 1
    eventually(lambda: running() == 0, within_s=5)


def test_a_comparison_asks_all_strategies_and_becomes_a_measured_fact(
    road: Road, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in (DEMO / "questions.jsonl").read_text().splitlines()]
    picked = {row["kind"]: row for row in rows}.values()
    file = tmp_path / "set.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in picked))
    out = tmp_path / "outcomes.jsonl"
    arguments = ("compare", str(file), "--use-case", "demo", "--out", str(out))
    printed = fingerpost(road.settings.home, *arguments)
    outcomes = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(outcomes) == len(picked) * 5
    assert {row["strategy"] for row in outcomes} == {*STRATEGIES, "auto"}
    assert all(row["score"] is not None for row in outcomes)
    assert set(printed["summary"]["strategies"]) == {*STRATEGIES, "auto"}
    facts = road.ask("auto", "Hello!", explain=True)["decision"]["facts"]
    assert facts["hybrid_score"]["provenance"] == "measured"


def test_a_killed_worker_loses_no_training(road: Road) -> None:
    job_id = start_training(road, steps=3)
    eventually(lambda: training(road, job_id)["status"] == "running", within_s=30)
    os.kill(road.pid("worker"), signal.SIGKILL)
    eventually(lambda: training(road, job_id)["status"] == "succeeded", within_s=TRAINED_S)
    assert road.client.get(f"/jobs/{job_id}").json()["attempts"] == 2
    road.adapters.append(training(road, job_id)["adapter_id"])


def publish(road: Road, adapter_id: str) -> None:
    reply = road.client.post(f"/adapters/{adapter_id}/publish")
    assert reply.status_code == 200, reply.text


def test_an_adapter_goes_live_and_back_under_load_and_no_request_fails(road: Road) -> None:
    first, second = road.adapters
    models: list[str] = []
    stop = threading.Event()
    alone = next_token(road, road.base, QUESTION, cache_salt="alone")

    def ask() -> None:
        while not stop.is_set():
            models.append(road.ask("fine_tuned", sampling={"max_tokens": 4})["model"])

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        eventually(lambda: first in models, within_s=60)
        publish(road, second)
        assert road.ask("fine_tuned", sampling={"max_tokens": 4})["model"] == second
        eventually(lambda: second in models, within_s=60)
        road.client.post("/adapters/helpdesk/rollback").raise_for_status()
        assert road.ask("fine_tuned", sampling={"max_tokens": 4})["model"] == first
        for number in range(5):  # in a batch with answers of adapters, it speaks for itself
            beside = next_token(road, road.base, QUESTION, cache_salt=f"beside-{number}")
            assert total_variation(beside, alone) < 0.1
        assert all(thread.is_alive() for thread in asking)  # an ask that fails ends its thread
    finally:
        stop.set()
        for thread in asking:
            thread.join()
    assert set(models) == {first, second}


def total_variation(some: dict[str, float], others: dict[str, float]) -> float:
    """Return how far two distributions are apart, by the tokens they report; 0 to 1."""
    tokens = some.keys() | others.keys()
    return sum(abs(some.get(token, 0.0) - others.get(token, 0.0)) for token in tokens) / 2


def next_token(road: Road, model: str, prompt: str, **options: str) -> dict[str, float]:
    """Return the likeliest next tokens of the engine with their probabilities."""
    ports = road.settings.paths.read_ports()
    assert ports is not None
    body = {"model": model, "prompt": prompt, "max_tokens": 1, "temperature": 0, "logprobs": 5}
    url = f"http://127.0.0.1:{ports.engine}/v1/completions"
    done = httpx.post(url, json={**body, **options}, timeout=60).json()
    likely = done["choices"][0]["logprobs"]["top_logprobs"][0]
    return {token: math.exp(value) for token, value in likely.items()}


def test_two_adapters_and_base_in_one_batch_are_each_as_hugging_face_and_peft_hold(
    road: Road,
) -> None:
    """Prompts against the reference of the training; answers against the same text as a prompt."""
    first, second = (road.settings.paths.adapters / name for name in road.adapters)
    names = {road.adapters[0]: first, "beside": second}  # no name of ours: nothing unloads it
    references = {
        name: read_effect_reference(json.loads((folder / "run.json").read_text()))
        for name, folder in names.items()
    }
    ask_engine(road, "load_lora_adapter", lora_name="beside", lora_path=str(second))
    with ThreadPoolExecutor(32) as pool:
        read = partial(read_prompt, road)
        served = {
            (model, name): [pool.submit(read, model, probe.token_ids) for probe in reference]
            for name, reference in references.items()
            for model in (road.base, name)
        }
        for name, reference in references.items():
            base, adapted = ([one.result() for one in served[m, name]] for m in (road.base, name))
            verdict = judge_effect(reference, base, adapted)
            assert verdict.is_applied, (name, verdict)
        prompt = references["beside"][0].token_ids
        models = 4 * (road.base, *names)
        answers = list(pool.map(lambda model: answer(road, model, prompt), models))
        texts = list(pool.map(lambda model, one: read(model, prompt + one[0]), models, answers))
    ask_engine(road, "unload_lora_adapter", lora_name="beside")
    for model, (tokens, logprobs), text in zip(models, answers, texts, strict=True):
        gaps = [abs(a - b) for a, b in zip(logprobs, text[-len(tokens) :], strict=True)]
        assert sum(gaps) / len(gaps) < MAX_ERROR, model


def ask_engine(road: Road, path: str, **body: Any) -> Any:
    """Send a request to the engine itself, past the gateway."""
    ports = road.settings.paths.read_ports()
    assert ports is not None
    reply = httpx.post(f"http://127.0.0.1:{ports.engine}/v1/{path}", json=body, timeout=120)
    assert reply.status_code == 200, reply.text
    return reply.json() if path == "completions" else None


def read_prompt(road: Road, model: str, ids: tuple[int, ...]) -> tuple[float, ...]:
    """Return the log-probability of each token but the first."""
    asked = {"prompt": ids, "max_tokens": 1, "temperature": 0, "prompt_logprobs": 0}
    choice = ask_engine(road, "completions", model=model, **asked)["choices"][0]
    rows = zip(choice["prompt_logprobs"][1:], ids[1:], strict=True)
    return tuple(row[str(token)]["logprob"] for row, token in rows)


def answer(road: Road, model: str, ids: tuple[int, ...]) -> tuple[tuple[int, ...], list[float]]:
    """Return an answer's tokens and their log-probabilities, computed one token at a time."""
    asked = {"prompt": ids, "max_tokens": 12, "temperature": 0, "logprobs": 1, "ignore_eos": True}
    told = ask_engine(road, "completions", model=model, return_tokens_as_token_ids=True, **asked)[
        "choices"
    ][0]["logprobs"]
    tokens = tuple(int(name.removeprefix("token_id:")) for name in told["tokens"])
    return tokens, told["token_logprobs"]


def test_after_a_publish_nothing_is_answered_from_the_cache_of_the_adapter_before(
    road: Road,
) -> None:
    first, second = road.adapters
    long = " ".join(f"Note {n} is to be read." for n in range(40)) + QUESTION

    def ask() -> tuple[str, int]:
        answer = road.ask("fine_tuned", long, sampling={"max_tokens": 4})
        return answer["model"], answer["usage"]["cached_tokens"]

    ask(), next_token(road, first, long)
    assert ask()[1] > 0  # the cache is warm
    old = next_token(road, first, long)
    publish(road, second)
    assert ask() == (second, 0)
    fresh = next_token(road, second, long, cache_salt="never-used")
    for _ in range(2):  # the second time from its own cache
        assert total_variation(next_token(road, second, long), fresh) < 0.05
    assert total_variation(old, fresh) > 0.1


def test_chroma_killed_is_answered_within_a_second_and_whole_again(road: Road) -> None:
    search = {"query": QUESTION, "max_num_results": 3}
    path = "/v1/vector_stores/handbook/search"
    assert road.client.post(path, json=search).json()["degraded"] is False
    os.kill(road.pid("chroma"), signal.SIGKILL)
    began = time.monotonic()
    reply = road.client.post(path, json=search).json()
    assert time.monotonic() - began < 2  # one second on a quiet machine
    assert reply["data"]
    eventually(lambda: road.client.post(path, json=search).json()["degraded"] is False, within_s=60)


def test_a_killed_engine_ends_streams_once_and_comes_back_with_its_adapter(road: Road) -> None:
    events: list[str] = []
    ended_at: list[float] = []
    body = {
        "messages": [{"role": "user", "content": LONG_QUESTION}],
        "strategy": "prompt_only",
        "sampling": {"max_tokens": 3000},
        "stream": True,
    }

    def read() -> None:
        with road.client.stream("POST", "/chat", json=body) as reply:
            for line in reply.iter_lines():
                if line.startswith("event: "):
                    events.append(line.removeprefix("event: "))
        ended_at.append(time.monotonic())

    reading = threading.Thread(target=read)
    reading.start()
    eventually(lambda: events.count("delta") > 3, within_s=60)
    os.kill(road.pid("engine"), signal.SIGKILL)
    killed_at = time.monotonic()
    reading.join(30)
    assert events.count("error") == 1
    assert events[-1] == "error"
    assert ended_at[0] - killed_at < 5
    eventually(lambda: not road.is_ready(), within_s=5)
    reply = road.client.post("/chat", json={**body, "stream": False})
    assert reply.status_code == 503
    assert reply.headers["retry-after"]
    assert road.client.get("/health").status_code == 200
    eventually(road.is_ready, within_s=ENGINE_BACK_S)
    for strategy in STRATEGIES:
        assert road.ask(strategy, sampling={"max_tokens": 8})["strategy"] == strategy


def test_a_second_up_says_it_runs_and_down_ends_everything(road: Road) -> None:
    again = fingerpost(road.settings.home, "up")
    assert again["was_running"] is True
    pids = [process.pid for process in status(road.settings).processes]
    stopped = fingerpost(road.settings.home, "down")["stopped"]
    assert set(stopped) == {"engine", "chroma", "worker", "gateway"}
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
