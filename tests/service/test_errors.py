"""Every error of every room has its own code, its hint and its HTTP status."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import adapters.errors
import knowledge.errors
import router.errors
import service.errors
from service.errors import (
    STATUS,
    InvalidRequest,
    JobFailed,
    ServiceError,
    UseCaseNotFound,
    error_fields,
    status_of,
)
from service.worker.handlers import Cancelled

ROOMS = (router.errors, knowledge.errors, adapters.errors, service.errors)
ROOTS = service.errors.ROOTS
CARRIES_ITS_OWN = frozenset({JobFailed})  # the status and code of the error inside a worker


def walk(root: type[Exception]) -> Iterator[type[Exception]]:
    """Yield `root` and everything below it."""
    yield root
    for child in root.__subclasses__():
        yield from walk(child)


def name_of(error: Any) -> str:
    return str(error.__name__)


EVERY: list[type[Exception]] = [error for root in ROOTS for error in walk(root)]
LEAVES = [error for error in EVERY if not error.__subclasses__()]


def test_every_error_class_of_a_room_descends_from_a_root() -> None:
    written = {
        value
        for room in ROOMS
        for value in vars(room).values()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert written <= set(EVERY)


@pytest.mark.parametrize("error", sorted(set(EVERY).difference(ROOTS), key=name_of))
def test_every_error_below_a_root_has_a_row_of_the_status_table(error: type[Exception]) -> None:
    own = [ancestor for ancestor in error.__mro__ if ancestor in STATUS and ancestor not in ROOTS]
    assert own or error in CARRIES_ITS_OWN, f"{error.__name__} has no row in STATUS"


def test_every_row_of_the_status_table_is_an_error_of_a_room() -> None:
    assert set(STATUS) <= set(EVERY)
    assert all(400 <= status < 600 for status in STATUS.values())


def test_no_two_errors_have_the_same_code() -> None:
    codes = Counter(getattr(error, "code", None) for error in LEAVES)
    assert [code for code, times in codes.items() if times > 1] == []


@pytest.mark.parametrize("error", sorted(EVERY, key=name_of))
def test_every_error_tells_code_retry_and_hint(error: type[Exception]) -> None:
    code, hint = error.code, error.hint  # type: ignore[attr-defined]  # the roots declare them
    assert code.replace("_", "").isalnum()
    assert code.islower()
    assert isinstance(error.retryable, bool)  # type: ignore[attr-defined]  # as above
    assert hint.endswith((".", "?"))


@pytest.mark.parametrize("error", sorted(EVERY, key=name_of))
def test_what_is_to_be_retried_agrees_with_the_status(error: type[Exception]) -> None:
    row = next((STATUS[a] for a in error.__mro__ if a in STATUS), 500)
    retryable = error.retryable  # type: ignore[attr-defined]  # the roots declare it
    if row in (429, 503):  # replies with these carry retry-after
        assert retryable
    if row in (400, 404, 413, 415, 422):
        assert not retryable


def test_a_subclass_has_the_status_of_its_nearest_ancestor() -> None:
    class Narrower(UseCaseNotFound):
        """Known nowhere."""

    assert status_of(Narrower("x")) == 404
    assert status_of(ServiceError("x")) == 500
    assert status_of(RuntimeError("x")) == 500


def test_a_failed_job_carries_code_message_and_status_out_of_the_worker() -> None:
    inside = InvalidRequest("No rows.", param="file")
    told = {**error_fields(inside), "status": status_of(inside)}
    outside = JobFailed(told)
    assert (status_of(outside), outside.code, str(outside)) == (400, "invalid_request", "No rows.")
    assert error_fields(outside)["hint"] == inside.hint
    assert error_fields(outside)["param"] == "file"


def test_a_failed_job_without_details_is_still_an_error() -> None:
    assert (status_of(JobFailed({})), JobFailed({}).code) == (500, "job_failed")


def test_a_foreign_error_says_nothing_of_its_inside() -> None:
    fields = error_fields(RuntimeError("SELECT password FROM users"))
    assert fields["code"] == "internal_error"
    assert "password" not in str(fields)


def test_details_are_told_beside_the_message() -> None:
    fields = error_fields(ServiceError("Refused.", param="strategy", rule="no_adapter"))
    assert (fields["message"], fields["param"], fields["rule"]) == (
        "Refused.",
        "strategy",
        "no_adapter",
    )


def test_a_stopped_job_is_no_error_for_clients() -> None:
    assert not issubclass(Cancelled, ROOTS)
