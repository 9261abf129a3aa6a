"""Finds and ends the processes that a killed process left behind, and no others.

A killed vLLM API server leaves its EngineCore and its worker running (4 GB), and a killed
supervisor leaves all its children. Each program therefore records its process group when it
starts; the next start, and `down`, end what is still in that group. Process ids are recycled, so a
process is identified by id *and* start time within one boot of the machine.

It reads `/proc` (Linux) and knows neither the supervisor nor the programs.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

# Python's tracker deletes the shared memory of its dead siblings, then ends by itself.
_RESOURCE_TRACKER = b"multiprocessing.resource_tracker"
_END_S = 10.0  # a process killed by SIGKILL is gone in milliseconds unless it waits for a disk
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, told apart from any later one with the same id."""

    pid: int
    started: int  # clock ticks since boot
    boot: str
    session: int


@dataclass(frozen=True, slots=True)
class _Stat:
    pid: int
    state: str
    group: int
    session: int
    started: int


def identify(pid: int) -> Identity | None:
    """Return the identity of a process, or None where none with this id runs."""
    stat = _read_stat(pid)
    if stat is None:
        return None
    return Identity(pid=pid, started=stat.started, boot=_boot(), session=stat.session)


def is_alive(identity: Identity) -> bool:
    """Return whether exactly this process still runs."""
    return identify(identity.pid) == identity


def record(run: Path, program: str) -> None:
    """Record the calling process as leader of `program`'s group; `exec` does not change it."""
    identity = identify(os.getpid())
    assert identity is not None, "the calling process runs"
    draft = _record_file(run, program).with_suffix(".new")
    draft.write_text(json.dumps(asdict(identity)))
    os.replace(draft, _record_file(run, program))


def recorded(run: Path, program: str) -> Identity | None:
    """Return the leader that `program` recorded last, whether it runs or not."""
    try:
        return Identity(**json.loads(_record_file(run, program).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def program_marks(program: str, supervisor_url: str) -> tuple[str, ...]:
    """Return what supervisord puts into the environment of every child of `program`."""
    return (f"SUPERVISOR_SERVER_URL={supervisor_url}", f"SUPERVISOR_PROCESS_NAME={program}")


def sweep(run: Path, program: str, *, marks: tuple[str, ...] = ()) -> list[int]:
    """End what the last run of `program` left alive.

    Args:
        run: Folder of the records.
        program: Name under which the group was recorded.
        marks: `NAME=value` entries; a process whose environment holds all of them is ended too,
            although it left the group (a training run in a session of its own). Empty: group only.

    Returns:
        The process ids that were ended; empty if none was left.
    """
    leader = recorded(run, program)
    ended = _end(lambda: _members(leader, marks))
    _record_file(run, program).unlink(missing_ok=True)
    return ended


def _end(members: Callable[[], list[_Stat]]) -> list[int]:
    """Kill members until none is left, resource trackers last so that they can clean up."""
    ended: set[int] = set()
    deadline = time.monotonic() + _END_S
    while remaining := members():
        is_late = time.monotonic() > deadline - _END_S / 2
        for stat in remaining:
            if is_late or not _is_tracker(stat.pid):
                _kill(stat)
            ended.add(stat.pid)
        if time.monotonic() > deadline:
            break
        time.sleep(_POLL_S)
    return sorted(ended)


def _members(leader: Identity | None, marks: tuple[str, ...]) -> list[_Stat]:
    grouped = leader is not None and leader.boot == _boot() and not _is_recycled(leader)
    return [
        stat
        for stat in _all_processes()
        if stat.pid != os.getpid()
        and (
            (grouped and leader is not None and _in_group(stat, leader))
            or (marks and _is_marked(stat.pid, marks))
        )
    ]


def _in_group(stat: _Stat, leader: Identity) -> bool:
    return (
        stat.group == leader.pid
        and stat.session == leader.session
        and stat.started >= leader.started
    )


def _is_recycled(leader: Identity) -> bool:
    now = _read_stat(leader.pid)
    return now is not None and now.started != leader.started


def _is_marked(pid: int, marks: tuple[str, ...]) -> bool:
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return all(mark.encode() in entries for mark in marks)


def _is_tracker(pid: int) -> bool:
    try:
        return _RESOURCE_TRACKER in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _kill(stat: _Stat) -> None:
    """Send SIGKILL to exactly this process: the descriptor pins it during the comparison."""
    try:
        descriptor = os.pidfd_open(stat.pid)
    except OSError:
        return
    try:
        now = _read_stat(stat.pid)
        if now is not None and now.started == stat.started:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def _all_processes() -> Iterator[_Stat]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (stat := _read_stat(int(entry))) is not None:
            yield stat


def _read_stat(pid: int) -> _Stat | None:
    """Read one process; a zombie counts as ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces
    state, group, session, started = fields[0], fields[2], fields[3], fields[19]
    if state in "ZX":
        return None
    return _Stat(pid, state, int(group), int(session), int(started))


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _record_file(run: Path, program: str) -> Path:
    return run / f"{program}.group.json"
