"""Reads one file in a child process that can be killed at any moment.

It knows how the child is started, bounded and understood (`child` is its inside); it does not know
formats. The child gets no environment but a number of threads, so no secret; whatever it does, this
process reads only as many bytes as the limits allow and waits only as long.

The child does not import `knowledge/__init__.py` (numpy, SQLAlchemy, pydantic): it starts in a
tenth of a second, so each file has a new one and none can harm the next.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Thread, Timer
from typing import Any

from knowledge import errors
from knowledge.parsing.blocks import NotRead, PlacedBlock
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.parsed import ParsedText
from knowledge.parsing.text import UNSAID, Charset

ROOM = Path(__file__).resolve().parent.parent
START_S = 5.0  # for the interpreter to start on a busy machine; it takes 0.1 s on a quiet one
REPLY_BYTES_PER_CHAR = 4  # UTF-8
REPLY_EXTRA_BYTES = 20_000_000  # places of blocks and pages, escapes, or the words of an error
FOUND: dict[str, type[errors.KnowledgeError]] = {
    kind.__name__: kind
    for kind in (
        errors.DamagedFile,
        errors.EmptyDocument,
        errors.NoTextLayer,
        errors.ParseLimitExceeded,
        errors.PasswordRequired,
        errors.UnsupportedFile,
        errors.WrongPassword,
    )
}
"""What a child may find wrong with a file."""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""The whole environment of a child: numpy would start a thread a core when it is imported."""
# The child's module is imported, `knowledge/__init__.py` is not.
# Without `site` (-S) the interpreter starts in half the time; the folders to import from are told.
_START = """
import importlib, sys, types
sys.path[:] = sys.argv[3:]
room = types.ModuleType("knowledge")
room.__path__ = [sys.argv[1]]
sys.modules["knowledge"] = room
importlib.import_module(sys.argv[2]).main()
"""


@dataclass(frozen=True, slots=True)
class Request:
    """A file to be read.

    Attributes:
        recognised: Page number → its lines, where its text was recognised, or why it was not.
    """

    filename: str
    content: bytes
    file_format: str
    password: str | None
    limits: ParseLimits
    charset: Charset = UNSAID
    recognised: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def order(self) -> dict[str, object]:
        """Return what the child is told before it gets the content."""
        return {
            "filename": self.filename,
            "format": self.file_format,
            "password": self.password,
            "limits": asdict(self.limits),
            "charset": asdict(self.charset),
            "recognised": self.recognised,
        }


def parse_in_child(request: Request) -> ParsedText:
    """Return the text of a file, read in a child process.

    Raises:
        KnowledgeError: Whatever the child found, of the same class.
        ParseLimitExceeded: The child ran out of memory or time, or was killed.
    """
    order = json.dumps(request.order()).encode() + b"\n" + request.content
    reply = json.loads(_reply(request.filename, order, request.limits))
    if "error" in reply:
        raise FOUND.get(reply["error"], errors.DamagedFile)(str(reply["message"]))
    return ParsedText(
        text=str(reply["text"]),
        format=request.file_format,
        encoding=str(reply["encoding"]),
        page_starts=tuple(int(start) for start in reply["page_starts"]),
        blocks=tuple(PlacedBlock(*values) for values in reply["blocks"]),
        sheets=tuple((int(start), str(name)) for start, name in reply["sheets"]),
        left_out=tuple(NotRead(*map(str, values)) for values in reply["left_out"]),
        pictures=tuple(int(page) for page in reply["pictures"]),
        recognised=tuple((int(page), float(sure)) for page, sure in reply["recognised"]),
    )


def start_child(module: str) -> subprocess.Popen[bytes]:
    """Start the `main` of a module of this room in a process of its own."""
    folders = [folder for folder in sys.path if Path(folder).is_absolute()]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _START, str(ROOM), module, *folders],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ONE_THREAD,
        start_new_session=True,
    )


def _reply(filename: str, order: bytes, limits: ParseLimits) -> bytes:
    """Return what the child says, or raise why it said nothing."""
    most = limits.chars * REPLY_BYTES_PER_CHAR + REPLY_EXTRA_BYTES
    with start_child("knowledge.parsing.child") as child:
        assert child.stdin is not None
        assert child.stdout is not None
        late = Timer(limits.seconds + START_S, child.kill)
        late.daemon = True
        late.start()
        sender = Thread(target=send, args=(child, order), daemon=True)
        sender.start()
        try:
            reply = child.stdout.read(most + 1)
        finally:
            is_late = not late.is_alive()
            late.cancel()
            child.kill()
            sender.join()
    if len(reply) > most:
        raise errors.ParseLimitExceeded(f"{filename!r} gave more text than knowledge.parse_chars")
    if not reply.endswith(b"\n"):
        what = (
            f"took more than {limits.seconds:g} seconds (knowledge.parse_seconds)"
            if is_late
            else "stopped its reader: too much memory or time, or a file made to break it "
            f"(knowledge.parse_memory_mb {limits.memory_mb}, parse_seconds {limits.seconds:g})"
        )
        raise errors.ParseLimitExceeded(f"{filename!r} {what}")
    return reply


def send(child: subprocess.Popen[bytes], order: bytes) -> None:
    """Write the file to the child; it may stop listening at any time."""
    assert child.stdin is not None
    with suppress(BrokenPipeError):
        child.stdin.write(order)
    with suppress(BrokenPipeError):
        child.stdin.close()
