"""The policy in force: read at start, again when its file changes, kept when the new one is bad.

It looks at the file's time and size twice a second, beside the requests, and reads it once two
looks agree, so that a file is not read while it is being written. It does not know what a policy
means.
"""

import functools
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from router import InvalidPolicy, Policy, ThresholdRefused, load_policy

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5

Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class RefusedPolicy:
    """A policy file that was not taken, and why."""

    digest: str | None  # of its text, as a version would end; None where it cannot be read
    fault: InvalidPolicy

    def as_dict(self) -> dict[str, Any]:
        """Return plain content."""
        fault = self.fault
        return {
            "digest": self.digest,
            "file": fault.file,
            "line": fault.line,
            "key": fault.key,
            "reason": fault.reason,
        }


class PolicyInForce:
    """One policy file and what it last said that could be used."""

    def __init__(self, file: Path) -> None:
        """Load the policy.

        Raises:
            InvalidPolicy: It cannot be used, and there is no older one to keep.
        """
        self.file = file
        self.refused: RefusedPolicy | None = None
        self._read = self._seen = _stamp(file)
        self.policy = load_policy(file)
        _tell_warnings(self.policy)

    async def keep_watch(self) -> None:
        """Look at the file now and then, for as long as the gateway lives."""
        while True:
            await anyio.sleep(LOOK_EVERY_S)
            await to_thread.run_sync(self.look)

    def look(self) -> None:
        """Take the file's new content if it changed, rests now, and can be used."""
        stamp = _stamp(self.file)
        rests, self._seen = stamp == self._seen, stamp
        if not rests or stamp == self._read:
            return
        self._read = stamp
        digest = _digest(self.file)
        try:
            policy = load_policy(self.file)
        except InvalidPolicy as exc:
            if self.refused is None or self.refused.digest != digest or digest is None:
                log.error("policy refused, %s stays in force: %s", self.policy.version, exc)
            self.refused = RefusedPolicy(digest, exc)
            return
        self.refused = None
        if policy.version != self.policy.version:
            log.info("policy %s is in force after %s", policy.version, self.policy.version)
            self.policy = policy
            _tell_warnings(policy)

    def as_dict(self) -> dict[str, Any]:
        """Return the version in force, and what was refused since."""
        refused = None if self.refused is None else self.refused.as_dict()
        return {"version": self.policy.version, "file": str(self.file), "refused": refused}


def policy_for(policy: Policy, thresholds: Mapping[str, Any]) -> Policy:
    """Return the policy with a use case's thresholds; those it does not take are left out.

    A use case is checked when it is put; a policy that came into force later may know a threshold
    no more. That is logged once, and a request is answered by the policy's own value.
    """
    return _fitting(policy, tuple(sorted(thresholds.items()))) if thresholds else policy


@functools.lru_cache(maxsize=256)
def _fitting(policy: Policy, declared: tuple[tuple[str, Any], ...]) -> Policy:
    fitting: dict[str, Any] = {}
    for name, value in declared:
        try:
            policy.with_thresholds({**fitting, name: value})
        except ThresholdRefused as exc:
            log.warning("a use case's threshold is not applied: %s", exc)
        else:
            fitting[name] = value
    return policy.with_thresholds(fitting)


def _tell_warnings(policy: Policy) -> None:
    for warning in policy.warnings:
        log.warning("policy: %s", warning)


def _stamp(file: Path) -> Stamp:
    """Return what changes when a file is written or replaced; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _digest(file: Path) -> str | None:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    except OSError:
        return None
