"""Bodies, paths and headers that nobody means: an error or a success, never a failure inside."""

import json
import re
from typing import Any

import httpx
import orjson
import pytest

from service.api.docs.document import operations
from service.api.http.json_bodies import MAX_DEPTH, read_json
from tests.repetition import is_long
from tests.service.conftest import Running

STORE = "/v1/vector_stores/handbook"
HALF = "\ud800"  # half of a surrogate pair: JSON can escape it, UTF-8 cannot hold it
ODD_VALUES = (
    *(str(number) for number in (10**400, -(10**400), 2**63, 2**64, 100_000)),
    *("NaN", "Infinity", "1e999", *("[" * depth + "]" * depth for depth in (20_000, 1_000, 252))),
)
ODD_BYTES = (b"", b"\xff\xfe", b"\x00", b"null", b"[]", b'"text"', b"{", b'{"a":1}{')
ODD_PATHS = ("%00", "%FF", "%ED%A0%80", "..%2f..%2fetc", "a%2Fb", "%20", "a//b", "%E2%80%AE")
JSON = {"content-type": "application/json"}
ATTRIBUTES = '{"filename": "a.md", "content": "b", "attributes": {"a": %s}}'
KINDS: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**63 - 1, 2**63, 1e300, "", "a", HALF, [], {}, [None], [""]),
    *([[]], ["a", 1], {"a": None}, {"": {}}, {"type": "json_object"}, [{"type": "text"}]),
    *([{"id": 1, "function": None}], {"type": "json_schema", "json_schema": []}),
)
THEIRS = ("n", "tools", "tool_choice", "logprobs", "logit_bias", "metadata", "functions", "store")
INSIDES = ("Input should", "valid ", "tuple", "Tuple", "function-", "validat", "__", "Error(")
ODD_TEXTS = {
    "nul": "a\x00b",
    "half a pair": f"a{HALF}b",
    "controls": "\x01\x1b[31m\x7f",
    "right to left": "\u202ea\ufeff",
    "slashes": "../../etc/passwd",
    "percent": "%s%n%00",
    "quotes": "'\"; DROP TABLE jobs; --",
    "long": "x" * 50_000,
    "nothing": "",
}


@pytest.fixture
def prepared(running: Running) -> Running:
    running.prepare()
    object.__setattr__(running.settings.server, "put_wait_s", 5.0)
    return running


class Faults(list[str]):
    """What the gateway had no answer to."""

    def look(self, reply: httpx.Response, what: str) -> None:
        """Keep a reply that is a failure inside."""
        if reply.status_code >= 500:
            self.append(f"{what[:300]}: {reply.status_code} {reply.text[:200]}")


def bodies(text: str) -> list[tuple[str, str, Any]]:
    message = [{"role": "user", "content": text}]
    return [
        ("POST", "/chat", {"messages": message, "use_case": "demo"}),
        ("POST", "/chat", {"messages": [{"role": "user", "content": "Hi"}], "use_case": text}),
        ("POST", "/chat", {"messages": [{"role": "user", "content": "Hi"}], "user": text}),
        ("POST", "/route", {"messages": message, "knowledge_bases": [text]}),
        ("POST", "/route", {"messages": message, "filters": {text: text}}),
        ("POST", "/route", {"messages": message, text: text}),
        ("POST", "/v1/chat/completions", {"model": text, "messages": message}),
        ("POST", "/v1/chat/completions", {"model": "rag", "messages": message}),
        ("POST", "/advise", {"use_case": text}),
        ("POST", "/advise", {"facts": {text: text}}),
        ("PUT", "/use_cases/odd", {"id": "odd", "role": text}),
        ("PUT", "/use_cases/odd", {"id": "odd", "role": "r", "thresholds": {text: 1}}),
        ("PUT", "/use_cases/odd", {"id": "odd", "role": "r", "adapter": text}),
        ("POST", "/use_cases/demo/data_checks", {"rows": [{text: text}]}),
        ("POST", "/use_cases/demo/data_checks", {"file_id": text}),
        ("POST", "/use_cases/demo/data_checks", {"rows": [{"instruction": text, "output": text}]}),
        ("POST", "/compare", {"use_case": "demo", "rows": [{"id": text, "question": text}]}),
        ("POST", "/v1/vector_stores", {"name": text}),
        ("POST", "/v1/vector_stores", {"name": "n", "id": text}),
        ("PUT", f"{STORE}/documents/odd", {"filename": text, "content": "lamp"}),
        ("PUT", f"{STORE}/documents/odd", {"filename": "a.md", "content": text}),
        (
            "PUT",
            f"{STORE}/documents/odd",
            {"filename": "a", "content": "b", "attributes": {text: text}},
        ),
        (
            "PUT",
            f"{STORE}/documents/odd",
            {"filename": "a", "content": "b", "access_labels": [text]},
        ),
        ("POST", f"{STORE}/search", {"query": text}),
        ("POST", f"{STORE}/search", {"query": "lamp", "filters": {text: text}}),
        ("POST", f"{STORE}/search", {"query": "lamp", "access_labels": [text]}),
        ("POST", f"{STORE}/file_batches", {"file_ids": [text]}),
        ("POST", "/v1/fine_tuning/jobs", {"training_file": text}),
        ("POST", "/v1/fine_tuning/jobs", {"training_file": "f", "metadata": {text: text}}),
        ("POST", "/adapters/helpdesk/publish", {"override": text}),
    ]


@pytest.mark.timeout(120, func_only=True)
def test_no_text_in_a_body_breaks_the_gateway(prepared: Running) -> None:
    faults = Faults()
    asked = [request for text in ODD_TEXTS.values() for request in bodies(text)]
    for method, path, body in asked:
        content = json.dumps(body)
        reply = prepared.client.request(method, path, content=content, headers=JSON)
        faults.look(reply, f"{method} {path} {content}")
    assert faults == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb'"a\ud83d"', "a\ufffd"),
        (rb'"\ude00a"', "\ufffda"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\uD83D\u0041"', "\ufffdA"),
        (rb'"\ud83d \\ud83d \\\ud83d"', "\ufffd \\ud83d \\\ufffd"),
        (rb'{"\ud83d": 1}', {"\ufffd": 1}),
    ],
)
def test_half_a_character_is_read_as_the_sign_for_one_that_is_lost(
    written: bytes, read: object
) -> None:
    assert read_json(written) == read


@pytest.mark.parametrize("written", [rb'"\ud83d', rb'"\ud83d\x"', b'"\xed\xa0\xbd"', b"NaN", b""])
def test_what_is_no_json_stays_refused(written: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        read_json(written)


@pytest.mark.parametrize(("start", "end", "levels"), [("[", "]", 1), ('{"a": [', "]}", 2)])
def test_nesting_has_a_limit(start: str, end: str, levels: int) -> None:
    times = MAX_DEPTH // levels
    assert read_json(f"{start * times}{end * times}".encode())
    with pytest.raises(orjson.JSONDecodeError, match="levels deep"):
        read_json(f"[{start * times}{end * times}]".encode())


def test_many_values_beside_each_other_are_not_deep() -> None:
    assert len(read_json(b"[%b]" % b",".join([b"[]"] * 500))) == 500


@pytest.mark.parametrize(
    "written",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": [1, {"c": 1, "c" : 2}]}}',
        rb'{"a": 1, "\u0061": 2}',
        b'{"a": {}, "a"\r\n\t:' + b"9" * 300 + b"}",
    ],
)
def test_a_key_that_stands_twice_is_refused(written: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError, match="stands twice"):
        read_json(written)


@pytest.mark.parametrize(
    "written",
    [
        b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}',
        rb'{"a": "\"a\": 1", "b": "\":"}',
        rb'{"a": "\\", "b": "c\": 1, \"c\": 2"}',
    ],
)
def test_the_same_key_of_different_objects_or_in_a_text_is_none(written: bytes) -> None:
    assert read_json(written) == orjson.loads(written)


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions"])
def test_a_question_cut_within_an_emoji_is_answered(running: Running, path: str) -> None:
    named = {"model": "prompt_only"} if path.startswith("/v1") else {"strategy": "prompt_only"}
    asked = {**named, "messages": [{"role": "user", "content": f"When are you open? {HALF}"}]}
    reply = running.client.post(path, content=json.dumps(asked), headers=JSON)
    assert reply.status_code == 200, reply.text
    assert running.engine.requests[-1]["messages"][-1]["content"] == "When are you open? \ufffd"


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions"])
def test_a_conversation_that_is_too_long_or_too_deep_is_refused_in_words(
    running: Running, path: str
) -> None:
    named = {"model": "prompt_only"} if path.startswith("/v1") else {"strategy": "prompt_only"}
    question = {"role": "user", "content": "Hi"}
    reply = running.client.post(path, json={**named, "messages": [question] * 1_001})
    assert reply.status_code == 422
    assert "`messages` must have at most 1,000 entries; it has 1,001" in reply.json()["detail"]
    deep = '{"messages": [{"role": "user", "content": "Hi"}], "response_format": {"a": %s}}'
    written = deep % ("[" * 252 + "]" * 252)
    reply = running.client.post(path, content=written, headers=JSON)
    assert (reply.status_code, "levels deep" in reply.json()["detail"]) == (422, True)


def written_bodies(written: str) -> list[tuple[str, str, str]]:
    asked = '{"messages": [{"role": "user", "content": "Hi"}], %s: %s}'
    ours = [
        ('"top_k"', "%s"),
        ('"filters"', '{"a": %s}'),
        ('"sampling"', '{"seed": %s}'),
        ('"sampling"', '{"temperature": %s}'),
        ('"response_format"', '{"type": "json_schema", "a": %s}'),
        ('"requirements"', '{"max_latency_ms": %s}'),
    ]
    theirs = [
        (f'"model": "rag", "{name}"', "%s")
        for name in ("seed", "max_tokens", "max_completion_tokens", "temperature")
    ]
    wholes = [
        ("POST", "/advise", '{"facts": {"labelled_examples": %s}}'),
        ("POST", "/compare", '{"use_case": "demo", "rows": [{"id": %s}]}'),
        ("POST", "/use_cases/demo/data_checks", '{"rows": [{"instruction": %s}]}'),
        ("POST", "/use_cases/demo/data_checks", '{"min_similarity": %s, "rows": []}'),
        ("POST", f"{STORE}/search", '{"query": "lamp", "filters": {"a": %s}}'),
        ("POST", f"{STORE}/search", '{"query": "lamp", "max_tokens": %s}'),
        ("POST", "/v1/fine_tuning/jobs", '{"training_file": "f", "seed": %s}'),
        ("POST", "/v1/fine_tuning/jobs", '{"training_file": "f", "config": {"seed": %s}}'),
        ("POST", "/v1/vector_stores", '{"name": "n", "chunking": {"chunk_tokens": %s}}'),
        ("PUT", f"{STORE}/documents/odd", ATTRIBUTES),
        ("PUT", "/use_cases/odd", '{"id": "odd", "role": "r", "thresholds": {"a": %s}}'),
        ("PUT", "/use_cases/odd", '{"id": "odd", "role": "r", "facts": {"need": %s}}'),
    ]
    return [
        *(("POST", "/chat", asked % (key, value % written)) for key, value in ours),
        *(
            ("POST", "/v1/chat/completions", asked % (key, value % written))
            for key, value in theirs
        ),
        *((method, path, whole % written) for method, path, whole in wholes),
    ]


@pytest.mark.timeout(120, func_only=True)
def test_no_number_or_depth_breaks_the_gateway(prepared: Running) -> None:
    faults = Faults()
    for value in ODD_VALUES:
        for method, path, content in written_bodies(value):
            reply = prepared.client.request(method, path, content=content, headers=JSON)
            faults.look(reply, f"{method} {path} {content}")
        form = {"attributes": f'{{"a": {value}}}'}
        files = {"file": ("a.md", b"# A")}
        reply = prepared.client.put(f"{STORE}/documents/odd", files=files, data=form)
        faults.look(reply, f"PUT form {value}")
        for path in ("/jobs", "/compare", f"{STORE}/documents", f"{STORE}/history"):
            reply = prepared.client.get(path, params={"limit": value[:5000]})
            faults.look(reply, f"GET {path} {value}")
    assert faults == []
    assert prepared.client.get(f"{STORE}/documents").status_code == 200


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions"])
@pytest.mark.timeout(120, func_only=True)
def test_no_value_of_any_field_breaks_a_chat(prepared: Running, path: str) -> None:
    """Each field, of ours and of OpenAI's that we do not use, with each kind of JSON value."""
    faults = Faults()
    document = prepared.client.get("/openapi.json").json()["components"]["schemas"]
    fields = {*document["ChatRequest"]["properties"], *document["CompletionRequest"]["properties"]}
    messages = [{"role": "user", "content": "Within how many days?"}]
    chosen = "model" if path.startswith("/v1") else "strategy"
    needed = {"messages": messages, chosen: "prompt_only"}
    asked = [
        {**needed, field: value}
        for number, field in enumerate(sorted({*fields, *THEIRS}))
        for value in _kinds(number)
    ]
    for number, key in enumerate(("role", "content", "name", "refusal", "tool_calls")):
        for value in _kinds(number):
            odd = {"role": "assistant", "content": "a", key: value}
            asked += [{**needed, "messages": [odd, *messages]}, {**needed, "messages": [odd]}]
    for body in asked:
        reply = prepared.client.post(path, content=json.dumps(body), headers=JSON)
        faults.look(reply, json.dumps(body))
        if 400 <= reply.status_code < 500:
            detail = reply.json()["detail"]
            assert not [word for word in INSIDES if word in detail], detail
    assert faults == []


def _kinds(number: int) -> tuple[Any, ...]:
    """Return null and every fourth kind of value, with `--long` all of them."""
    return KINDS if is_long() else (None, *KINDS[number % 4 :: 4])


@pytest.mark.timeout(120, func_only=True)
def test_no_bytes_for_a_body_break_the_gateway(prepared: Running) -> None:
    faults = Faults()
    posts = ["/chat", "/advise", "/compare", "/v1/vector_stores", "/v1/files"]
    asked = [*(("POST", path) for path in posts), ("PUT", f"{STORE}/documents/odd")]
    for content in ODD_BYTES:
        for kind in ("application/json", "multipart/form-data", "multipart/form-data; boundary=x"):
            for method, path in asked:
                headers = {"content-type": kind}
                reply = prepared.client.request(method, path, content=content, headers=headers)
                faults.look(reply, f"{method} {path} {kind} {content!r}")
    assert faults == []


@pytest.mark.timeout(120, func_only=True)
def test_no_path_breaks_the_gateway(prepared: Running) -> None:
    faults = Faults()
    document = prepared.client.get("/openapi.json").json()
    for odd in ODD_PATHS:
        for template, method, _ in operations(document):
            if "{" in template:
                path = re.sub(r"\{\w+\}", odd, template)
                faults.look(prepared.client.request(method.upper(), path), f"{method} {path}")
        for path in (f"{STORE}/documents/{odd}", f"{STORE}/history?document={odd}"):
            faults.look(prepared.client.get(path), path)
    assert faults == []


@pytest.mark.timeout(120, func_only=True)
def test_no_header_breaks_the_gateway(prepared: Running) -> None:
    faults = Faults()
    content = json.dumps({"filename": "a.md", "content": "b"})
    for name in (b"idempotency-key", b"x-request-id", b"content-type", b"origin", b"host"):
        for value in (b"\xff\xfe", b"a" * 5000, b"", b"-1", b"%00", "\u00e9".encode()):
            headers = [(b"content-type", b"application/json"), (name, value)]
            place = f"{STORE}/documents/odd"
            reply = prepared.client.put(place, content=content, headers=headers)
            faults.look(reply, f"{name!r}: {value!r}")
    assert faults == []


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a":' * 100_000, b'{"messages":' + b"[" * 100_000]
)
def test_no_endpoint_reads_bottomless_nesting(prepared: Running, content: bytes) -> None:
    wrong = {}
    for template, method, _ in operations(prepared.client.get("/openapi.json").json()):
        if method in ("post", "put"):
            path = re.sub(r"\{\w+\}", "odd", template)
            reply = prepared.client.request(method.upper(), path, content=content, headers=JSON)
            if not 400 <= reply.status_code < 500 and reply.request.content:
                wrong[f"{method} {template}"] = reply.status_code
    assert wrong == {}
