"""Policy files in use: loaded at start and again when a file changes.

A background task compares a file's time and size twice a second and loads it once two checks
agree, so that no half-written file is read. A policy that cannot be loaded leaves the one before it
in use. It does not know what a policy means.
"""

import functools
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio import to_thread

from router import FactValue, InvalidPolicy, Policy, ThresholdRefused, load_policy

log = logging.getLogger(__name__)

POLL_S = 0.5

FileStamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class RefusedPolicy:
    """A policy file that could not be loaded, and why."""

    digest: str | None  # of its text, as in a version; None if it cannot be read
    fault: InvalidPolicy


class PolicyFile:
    """A shadow policy's file, and the last policy that it held; None if it never held one."""

    role = "the shadow policy"

    def __init__(self, file: Path) -> None:
        """Load the file; an invalid one is logged and loaded again when it changes."""
        self.file = file
        self.latest: Policy | None = None
        self.refused: RefusedPolicy | None = None
        self._loaded = self._checked = _stamp(file)
        self._load()

    async def poll(self) -> None:
        """Check the file twice a second until cancelled."""
        while True:
            await anyio.sleep(POLL_S)
            await to_thread.run_sync(self.reload_if_changed)

    def reload_if_changed(self) -> None:
        """Load the file if it changed since it was loaded and not since the last check."""
        stamp = _stamp(self.file)
        is_settled, self._checked = stamp == self._checked, stamp
        if not is_settled or stamp == self._loaded:
            return
        self._loaded = stamp
        self._load()

    def _load(self) -> None:
        digest = _digest(self.file)
        current = "none" if self.latest is None else self.latest.version
        try:
            policy = load_policy(self.file)
        except InvalidPolicy as exc:
            if self.refused is None or self.refused.digest != digest or digest is None:
                log.error("policy refused, %s stays %s: %s", current, self.role, exc)
            self.refused = RefusedPolicy(digest, exc)
            return
        self.refused = None
        if policy.version != current:
            log.info("policy %s is now %s (before: %s)", policy.version, self.role, current)
            self.latest = policy
            for warning in policy.warnings:
                log.warning("policy: %s", warning)


class PolicyInForce(PolicyFile):
    """The policy in force's file: there always is a policy."""

    role = "in force"

    def __init__(self, file: Path) -> None:
        """Load the policy.

        Raises:
            InvalidPolicy: It cannot be loaded.
        """
        super().__init__(file)
        if self.refused is not None:
            raise self.refused.fault

    @property
    def policy(self) -> Policy:
        """The policy in force now."""
        assert self.latest is not None  # else __init__ raised
        return self.latest


def policy_for(policy: Policy, thresholds: Mapping[str, FactValue]) -> Policy:
    """Return the policy with a use case's thresholds; those it refuses are left out.

    A use case's thresholds are checked when it is saved, but a later policy may lack one. That is
    logged once, and requests are decided by the policy's own value.
    """
    return _with_accepted(policy, tuple(sorted(thresholds.items()))) if thresholds else policy


@functools.lru_cache(maxsize=256)
def _with_accepted(policy: Policy, declared: tuple[tuple[str, FactValue], ...]) -> Policy:
    accepted: dict[str, FactValue] = {}
    for name, value in declared:
        try:
            policy.with_thresholds({**accepted, name: value})
        except ThresholdRefused as exc:
            log.warning("a use case's threshold is not applied: %s", exc)
        else:
            accepted[name] = value
    return policy.with_thresholds(accepted)


def _stamp(file: Path) -> FileStamp:
    """Return what changes when a file is written or replaced; None if there is no file."""
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
