"""What is stored of a job as JSON: written, and read back from earlier releases."""

import pytest
from pydantic import JsonValue

from service.stores import job_kinds
from service.stores.job_kinds import (
    IngestArgs,
    IngestResult,
    JobKind,
    JobResult,
    TrainArgs,
    TrainResult,
)
from service.stores.json_value import JsonObject

KINDS = [kind for kind in vars(job_kinds).values() if isinstance(kind, JobKind)]


def test_only_the_arguments_that_were_given_are_stored() -> None:
    args = TrainArgs(file_id="file-1", config={"task": "t"})
    assert args.to_json() == {"file_id": "file-1", "config": {"task": "t"}}
    labelled = args.model_copy(update={"metadata": {"team": "red"}})
    assert labelled.to_json()["metadata"] == {"team": "red"}


def test_arguments_of_an_earlier_release_are_read() -> None:
    stored: JsonObject = {
        "base_id": "b",
        "external_id": "a",
        "filename": "a.md",
        "attributes": {"n": [1, None]},
    }
    args = IngestArgs.read({**stored, "a key of another release": 1})
    assert (args.access, args.sha256, args.was_locked) == (None, None, False)
    assert args.attributes == {"n": [1, None]}
    assert args.to_json() == stored


def test_a_document_result_is_stored_whole() -> None:
    fields: JsonObject = {"document_id": "d", "external_id": "a", "version": 2, "chunks": 3}
    whole: JsonObject = {
        "knowledge_base": "b",
        "filename": "a.md",
        "unchanged": False,
        "indexed": True,
        **fields,
    }
    assert IngestResult.read(whole).to_json() == whole


def test_a_training_result_keeps_every_key_of_its_adapter() -> None:
    stored: JsonObject = {
        "adapter_id": "t@1",
        "metrics": {"steps": 60},
        "verdict": None,
        "sha256": "0",
    }
    assert TrainResult.read(stored).to_json() == stored


@pytest.mark.parametrize("value", [2**70, float("inf"), "\u00e9", [1, {"a": None}]])
def test_open_content_is_stored_as_it_is(value: JsonValue) -> None:
    args = IngestArgs(base_id="b", external_id="a", filename="a", attributes={"key": value})
    assert args.to_json()["attributes"] == {"key": value}


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) == 9
    assert all(issubclass(kind.result, JobResult) for kind in KINDS)
