"""The openai client against our OpenAI-compatible face."""

from collections.abc import Iterator

import openai
import pytest

from tests.service.conftest import RETURNS, Running

QUESTION = "Within how many days of delivery can a lamp be returned?"


@pytest.fixture
def client(running: Running) -> Iterator[openai.OpenAI]:
    base_url = f"{running.client.base_url}/v1"
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as made:
        yield made


def ask(client: openai.OpenAI, model: str) -> openai.types.chat.ChatCompletion:
    return client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": QUESTION}],
        extra_body={"use_case": "demo"},
    )


@pytest.mark.parametrize("model", ["auto", "prompt_only", "rag", "fine_tuned", "hybrid"])
def test_every_strategy_is_a_model(running: Running, client: openai.OpenAI, model: str) -> None:
    adapter_id = running.prepare()
    done = ask(client, model)
    answered = done.model_extra and done.model_extra["route"]["strategy"]
    assert answered == ("hybrid" if model == "auto" else model)
    assert (adapter_id in done.model) == (answered in ("fine_tuned", "hybrid"))
    assert done.model.endswith("+rag") == (answered in ("rag", "hybrid"))
    assert done.usage is not None
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens
    assert done.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("model", ["auto", "prompt_only", "rag", "fine_tuned", "hybrid"])
def test_every_strategy_streams(running: Running, client: openai.OpenAI, model: str) -> None:
    running.prepare()
    stream = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"use_case": "demo"},
    )
    chunks = list(stream)
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said.startswith("I am ")
    assert chunks[-1].usage is not None
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"


def test_models_by_base_and_adapter_name(running: Running, client: openai.OpenAI) -> None:
    adapter_id = running.prepare()
    names = [model.id for model in client.models.list().data]
    base = running.engine.base
    assert {"auto", "hybrid", base, f"{base}:{adapter_id}", f"{base}:{adapter_id}+rag"} <= {*names}
    embedder = running.context.knowledge.embedder.model_id
    assert {embedder, f"{embedder}:query"} <= {*names}
    for name in (base, f"{base}:{adapter_id}", f"{base}:helpdesk+rag"):
        assert ask(client, name).choices[0].message.content
    assert client.models.retrieve(f"{base}:{adapter_id}").id == f"{base}:{adapter_id}"


@pytest.mark.parametrize("model", ["gpt-4", "smollm2-135m-instruct:nobody", "other:helpdesk", ""])
def test_an_unknown_model_is_404(running: Running, client: openai.OpenAI, model: str) -> None:
    running.prepare()
    with pytest.raises(openai.NotFoundError) as refused:
        ask(client, model)
    assert refused.value.code == "model_not_found"


def test_a_refused_strategy_is_a_conflict_that_is_not_retried(
    running: Running, client: openai.OpenAI
) -> None:
    running.put_use_case()
    with pytest.raises(openai.ConflictError) as refused:
        ask(client, "hybrid")
    assert refused.value.response.headers["x-should-retry"] == "false"


def test_a_stream_that_breaks_raises(running: Running, client: openai.OpenAI) -> None:
    running.engine.switches.break_after = 2
    stream = client.chat.completions.create(
        model="prompt_only", messages=[{"role": "user", "content": "Hi"}], stream=True
    )
    with pytest.raises(openai.APIError):
        list(stream)


def test_fields_we_do_not_use_are_ignored(running: Running, client: openai.OpenAI) -> None:
    done = client.chat.completions.create(
        model="prompt_only",
        messages=[{"role": "developer", "content": "Be short."}, {"role": "user", "content": "Hi"}],
        n=1,
        presence_penalty=0.5,
        max_completion_tokens=7,
    )
    assert done.choices[0].message.content
    asked = running.engine.requests[-1]
    assert asked["max_tokens"] == 7
    assert "presence_penalty" not in asked
    assert asked["messages"][0] == {"role": "system", "content": "Be short."}


def test_a_citation_is_an_annotation_that_names_path_and_headings(
    running: Running, client: openai.OpenAI
) -> None:
    running.prepare()
    place = "/v1/vector_stores/handbook/documents/en/returns.md"
    text = {"filename": "returns.md", "content": f"# Returns\n\n{RETURNS}"}
    assert running.client.put(place, json=text).status_code == 200
    assert running.client.delete(place.replace("en/", "")).status_code == 200
    said = "Within 30 days [1]."
    running.engine.switches.pieces = (said,)
    (annotation,) = ask(client, "rag").choices[0].message.annotations or []
    cited = annotation.url_citation
    assert cited.title == "en/returns.md > Returns"
    assert cited.url.startswith(f"{running.client.base_url}/sources/handbook/en/returns.md?")
    assert said[cited.start_index : cited.end_index] == "[1]"


@pytest.mark.parametrize("stream", [False, True])
def test_a_guarded_document_answers_only_who_holds_its_label(
    running: Running, client: openai.OpenAI, stream: bool
) -> None:
    running.prepare()
    labels = {"filename": "returns.md", "content": RETURNS, "access_labels": ["staff"]}
    place = "/v1/vector_stores/handbook/documents/returns.md"
    assert running.client.put(place, json=labels).status_code == 200

    def prompts(**fields: object) -> str:
        before = len(running.engine.requests)
        done = client.chat.completions.create(
            model="rag",
            messages=[{"role": "user", "content": QUESTION}],
            stream=stream,
            extra_body={"use_case": "demo", **fields},
        )
        list(done)
        return str(running.engine.requests[before:])

    assert "within 30 days" not in prompts()
    assert "within 30 days" not in prompts(access_labels=["guests"])
    assert "within 30 days" in prompts(access_labels=["staff"])
