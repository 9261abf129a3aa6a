"""Policies in use: read at start, again when the file changes, kept when the new one is bad.

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


class PolicyFile:
    """One policy file and what it last said that could be used, if it ever did."""

    use = "observed"

    def __init__(self, file: Path) -> None:
        """Read the file; a bad one is told of and looked at again when it changes."""
        self.file = file
        self.latest: Policy | None = None
        self.refused: RefusedPolicy | None = None
        self._read = self._seen = _stamp(file)
        self._take()

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
        self._take()

    def as_dict(self) -> dict[str, Any]:
        """Return the version in use, None where there never was one, and what was refused."""
        refused = None if self.refused is None else self.refused.as_dict()
        version = None if self.latest is None else self.latest.version
        return {"version": version, "file": str(self.file), "refused": refused}

    def _take(self) -> None:
        digest = _digest(self.file)
        known = "none" if self.latest is None else self.latest.version
        try:
            policy = load_policy(self.file)
        except InvalidPolicy as exc:
            if self.refused is None or self.refused.digest != digest or digest is None:
                log.error("policy refused, %s stays %s: %s", known, self.use, exc)
            self.refused = RefusedPolicy(digest, exc)
            return
        self.refused = None
        if policy.version != known:
            log.info("policy %s is %s after %s", policy.version, self.use, known)
            self.latest = policy
            for warning in policy.warnings:
                log.warning("policy: %s", warning)


class PolicyInForce(PolicyFile):
    """The policy that decides: there always is one."""

    use = "in force"

    def __init__(self, file: Path) -> None:
        """Load the policy.

        Raises:
            InvalidPolicy: It cannot be used, and there is no older one to keep.
        """
        super().__init__(file)
        if self.refused is not None:
            raise self.refused.fault

    @property
    def policy(self) -> Policy:
        """The policy in force now."""
        assert self.latest is not None  # or there would be no such object
        return self.latest


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
