"""The section `[limits]`."""

import pytest
from pydantic import ValidationError

from service.limits.settings import Allowance, LimitSettings


def test_nothing_is_limited_by_default() -> None:
    settings = LimitSettings()
    assert [list(settings.of(name)) for name in Allowance.model_fields] == [[]] * 6


def test_limits_of_keys_and_tenants_are_told_apart() -> None:
    settings = LimitSettings(
        key=Allowance(requests_per_minute=5), tenant=Allowance(requests_per_minute=9, queued_jobs=1)
    )
    assert list(settings.of("requests_per_minute")) == [("key", 5), ("tenant", 9)]
    assert list(settings.of("queued_jobs")) == [("tenant", 1)]


@pytest.mark.parametrize("url", ["redis://h:6379/0", "rediss://u:p@h", "valkey://h", "VALKEYS://h"])
def test_a_server_of_redis_or_valkey_can_be_named(url: str) -> None:
    assert LimitSettings.model_validate({"url": url}).url is not None


@pytest.mark.parametrize("url", ["memcached://h", "localhost:6379", ""])
def test_another_server_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="redis://HOST:PORT"):
        LimitSettings.model_validate({"url": url})


def test_a_limit_of_nothing_and_an_unknown_limit_are_refused() -> None:
    for fields in ({"requests_per_minute": 0}, {"requests_per_day": 5}):
        with pytest.raises(ValidationError):
            Allowance.model_validate(fields)
