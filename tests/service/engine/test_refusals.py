"""What the model server says of itself is logged and not handed on."""

import json

import pytest

from service.engine.refusals import failure, refusal
from service.errors import (
    ContextLengthExceeded,
    EngineRefused,
    EngineUnavailable,
    InvalidRequest,
    ModelNotFound,
    StreamBroken,
)

PLANTED = (
    "Traceback (most recent call last):\n"
    '  File "/opt/venv/lib/python3.11/site-packages/vllm/engine.py", line 7\n'
    "ValueError: http://10.0.0.7:8000/v1 token=hf_planted"
)
BODIES = [
    PLANTED,
    f"<html><body>{PLANTED}</body></html>",
    json.dumps({"error": {"message": PLANTED}}),
    json.dumps({"error": PLANTED}),
    json.dumps({"detail": [{"loc": ["body"], "msg": PLANTED}]}),
    json.dumps([PLANTED]),
    json.dumps(PLANTED),
    "null",
    "",
    "\udcff",
]
SIGNS = ("Traceback", "/opt/", "10.0.0.7", "hf_planted", "site-packages", "<html>", "vllm")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 599])
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("model", [None, "base"])
def test_no_word_of_a_refusal_is_handed_on(status: int, body: str, model: str | None) -> None:
    told = str(refusal(status, body.encode(errors="surrogateescape"), model=model))
    assert told.endswith(".")
    assert not [sign for sign in SIGNS if sign in told]


@pytest.mark.parametrize("code", [400, 422, 500, None, "x"])
def test_no_word_of_a_failure_in_a_stream_is_handed_on(code: object) -> None:
    for fault in ({"message": PLANTED, "code": code}, PLANTED, [PLANTED], None, {"code": code}):
        told = str(failure(fault))
        assert told.endswith(".")
        assert not [sign for sign in SIGNS if sign in told]


def test_the_servers_words_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    refusal(500, PLANTED.encode())
    failure({"message": PLANTED})
    assert caplog.text.count("hf_planted") == 2


@pytest.mark.parametrize(
    ("status", "words", "error", "told"),
    [
        (400, "maximum context length is 4096", ContextLengthExceeded, "context window"),
        (400, "Grammar error: Invalid JSON schema /x.py", InvalidRequest, "JSON schema"),
        (400, "rank 64 is greater than max_lora_rank 32 in /adapters", InvalidRequest, "64"),
        (404, "no such model /x", ModelNotFound, "'asked'"),
        (500, "EngineDeadError", EngineUnavailable, "not ready"),
        (503, "overloaded", EngineUnavailable, "not ready"),
        (500, "anything", EngineRefused, "500"),
    ],
)
def test_what_a_caller_can_change_is_told_in_our_words(
    status: int, words: str, error: type[Exception], told: str
) -> None:
    made = refusal(status, words.encode(), model="asked")
    assert type(made) is error
    assert told in str(made)


def test_a_failure_in_a_stream_is_broken_unless_the_request_was_wrong() -> None:
    assert type(failure({"message": "x", "code": 500})) is StreamBroken
    assert type(failure({"message": "schema", "code": 400})) is InvalidRequest
