"""A validator's faults as a client reads them."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from service.messages.faults import MOST_SHOWN_FAULTS, Fault, faults_of, message_of, row_faults
from tests.service.conftest import Running

INSIDES = ("Input should", "valid ", "tuple", "Tuple", "ctx", "loc", "function-", "str]", "parse")


class Part(BaseModel):
    kind: Literal["text", "list"]
    text: str = Field(default="", max_length=5)


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    content: str | Annotated[tuple[Part, ...], Field(max_length=2)] = ""
    number: int = Field(default=1, ge=1, lt=2**63)
    share: float = Field(default=0.5, ge=0, le=2)
    is_on: bool = True
    more: dict[str, JsonValue] = {}
    names: tuple[str, ...] = ()
    name: str = Field(default="a", min_length=1, pattern="^[a-z]+$")

    @field_validator("names")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if "nobody" in names:
            raise ValueError("there is no name 'nobody'")
        return names


def told(body: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        Form.model_validate(body)
    errors = [{**error, "loc": ("body", *error["loc"])} for error in refused.value.errors()]
    return [(fault.field, fault.reason) for fault in faults_of(errors, body)]


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({"content": 5}, "content", "must be text or a list; it is 5"),
        ({"content": None}, "content", "must be text or a list; it is null"),
        ({"content": {"str": 1}}, "content", "must be text or a list; it is an object"),
        (
            {"content": [{"kind": "text"}, {"kind": "odd"}]},
            "content[1].kind",
            "must be 'text' or 'list'; it is \"odd\"",
        ),
        ({"content": [{"text": "a"}]}, "content[0].kind", "is missing"),
        ({"content": ["a"]}, "content[0]", 'must be an object; it is "a"'),
        (
            {"content": [{"kind": "text", "text": "too long"}]},
            "content[0].text",
            "must have at most 5 characters; it has 8",
        ),
        (
            {"content": [{"kind": "text"}] * 3},
            "content",
            "must have at most 2 entries; it has 3",
        ),
        ({"number": 0}, "number", "must be at least 1; it is 0"),
        ({"number": 2**63}, "number", f"must be less than {2**63}; it is {2**63}"),
        ({"number": "many"}, "number", 'must be a whole number; it is "many"'),
        ({"number": 1.5}, "number", "must be a whole number; it is 1.5"),
        ({"number": 1e30}, "number", "is too large a number"),
        ({"share": 3}, "share", "must be at most 2.0; it is 3"),
        ({"share": []}, "share", "must be a number; it is a list"),
        ({"is_on": "perhaps"}, "is_on", 'must be true or false; it is "perhaps"'),
        ({"more": []}, "more", "must be an object; it is a list"),
        ({"names": {}}, "names", "must be a list; it is an object"),
        ({"names": [1]}, "names[0]", "must be text; it is 1"),
        ({"names": ["nobody"]}, "names", "there is no name 'nobody'"),
        ({"name": ""}, "name", "must have at least 1 character; it has 0"),
        ({"name": "A"}, "name", 'must match ^[a-z]+$; it is "A"'),
        ({"name": "x" * 99 + "!"}, "name", f'must match ^[a-z]+$; it is "{"x" * 40}…"'),
        ({"naem": 1}, "naem", "is not a known field"),
        ([], "", "must be an object; it is a list"),
    ],
)
def test_a_fault_names_the_field_what_is_expected_and_what_came(
    body: Any, field: str, reason: str
) -> None:
    assert told(body) == [(field, reason)]


def test_a_field_nested_too_deeply_is_named_by_where_it_stands() -> None:
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    ((field, reason),) = told({"more": {"a": deep}})
    assert field.startswith("more.a[0][0]")
    assert reason == "is nested too deeply"


def test_the_same_fault_is_told_once_and_several_are_all_told() -> None:
    assert told({"number": 0, "is_on": 7, "odd": 1}) == [
        ("number", "must be at least 1; it is 0"),
        ("is_on", "must be true or false; it is 7"),
        ("odd", "is not a known field"),
    ]


def test_a_message_is_made_of_sentences_and_is_not_endless() -> None:
    faults = [Fault("a", "is missing"), Fault("b", "there is none"), Fault("", "must be an object")]
    assert message_of(faults) == (
        "The request is malformed: `a` is missing; `b`: there is none; the body must be an object."
    )
    many = [Fault(f"a[{n}]", "is missing") for n in range(MOST_SHOWN_FAULTS + 2)]
    assert message_of(many).endswith("`a[4]` is missing; and 2 more.")


def test_a_row_is_told_with_its_fields() -> None:
    for row, said in (
        (
            {"number": 0, "odd": 1},
            "`number` must be at least 1; it is 0; `odd` is not a known field",
        ),
        (7, "the row must be an object; it is 7"),
    ):
        with pytest.raises(ValidationError) as refused:
            Form.model_validate(row)
        assert row_faults(refused.value.errors(), row) == said


@pytest.mark.parametrize(
    ("method", "path", "sent", "named"),
    [
        ("POST", "/chat", {"json": []}, "the body must be an object; it is a list"),
        ("POST", "/chat", {"json": {}}, "`messages` is missing"),
        ("POST", "/chat", {}, "the body is missing"),
        ("POST", "/chat", {"json": {"messages": {}}}, "`messages` must be a list"),
        ("POST", "/chat", {"json": {"messages": [{"role": 1}]}}, "`messages[0].role` must be text"),
        (
            "POST",
            "/use_cases/demo/data_checks",
            {"json": {"rows": 7}},
            "`rows` must be a list; it is 7",
        ),
        ("GET", "/jobs?limit=few", {}, "query parameter `limit` must be a whole number"),
        (
            "POST",
            "/v1/fine_tuning/jobs",
            {"json": {"training_file": "f"}, "headers": {"idempotency-key": "k" * 300}},
            "header `idempotency-key` must have at most 200 characters; it has 300",
        ),
        (
            "POST",
            "/chat",
            {"content": "{}", "headers": {"content-type": "text/plain"}},
            "the body is not read as JSON: send the header `content-type: application/json`",
        ),
        (
            "POST",
            "/v1/chat/completions",
            {"content": '{"a', "headers": {"content-type": "application/json"}},
            "the body is not JSON: ",
        ),
        (
            "PUT",
            "/v1/vector_stores/handbook/documents/a",
            {"json": {"filename": "a.md", "content": ["b"]}},
            "`content` must be text; it is a list",
        ),
    ],
)
def test_a_malformed_request_is_told_in_plain_words(
    method: str, path: str, sent: dict[str, Any], named: str, running: Running
) -> None:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    reply = running.client.request(method, path, **sent)
    assert reply.status_code == 422, reply.text
    assert named in reply.json()["detail"]
    assert not [word for word in INSIDES if word in reply.json()["detail"]]
    (fault,) = reply.json()["errors"]
    assert reply.json()["error"]["param"] == (fault["field"] or None)
    assert fault["reason"] in reply.json()["detail"]
