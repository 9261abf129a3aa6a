"""The section `[limits]` of the configuration; nothing is limited by default.

It knows numbers; counting is in `counters.py`.
"""

import re
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

SHARED = re.compile(r"^(redis|rediss|valkey|valkeys)://", re.IGNORECASE)


class Allowance(BaseModel):
    """What one key, or one tenant, may use; None: any amount."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: int | None = Field(default=None, ge=1)
    prompt_tokens_per_minute: int | None = Field(default=None, ge=1)
    completion_tokens_per_minute: int | None = Field(default=None, ge=1)
    concurrent_streams: int | None = Field(default=None, ge=1)  # of one gateway
    upload_bytes_per_hour: int | None = Field(default=None, ge=1)
    queued_jobs: int | None = Field(default=None, ge=1)


class LimitSettings(BaseModel):
    """What each key and each tenant may use, and where it is counted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr | None = None  # Redis or Valkey, for several gateways; default: in memory
    key: Allowance = Allowance()  # requests without a key count as one key of their tenant
    tenant: Allowance = Allowance()

    @field_validator("url")
    @classmethod
    def _url_is_of_redis(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not SHARED.match(url.get_secret_value()):
            raise ValueError(
                "write redis://HOST:PORT, rediss://, valkey:// or valkeys://; without a url the "
                "gateway counts in memory"
            )
        return url

    def of(self, name: str) -> Iterator[tuple[str, int]]:
        """Yield the limits of one field of `Allowance`: whose (`key`, `tenant`) and how much."""
        for whose, allowance in (("key", self.key), ("tenant", self.tenant)):
            most: int | None = getattr(allowance, name)
            if most is not None:
                yield whose, most
