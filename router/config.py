"""What an operator may set about the router: which policy file is in force."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class RouterConfig(BaseModel):
    """Settings of the router.

    Attributes:
        policy_file: A policy to use instead of the one that ships, `default_policy.yaml`.
        observe: A shadow policy: it decides every request too, is recorded and never applied.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy_file: Path | None = None
    observe: Path | None = None
