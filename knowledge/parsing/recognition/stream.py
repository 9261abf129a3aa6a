"""Pages recognised in a child process, as they come: what was read stays read.

It knows how the child is asked, how long a page may take and how the work goes on after a page that
killed it; it does not know what is on a page.
"""

import json
import logging
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Thread, Timer
from typing import Any

from knowledge import errors
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.sandbox import FOUND, START_S, Request, send, start_child

logger = logging.getLogger(__name__)

LOAD_S = 15.0  # for libraries and models on a busy machine; they take 0.8 s on a quiet one
MOST_LINE_BYTES = 4_000_000  # of what is said of a page; a dense one takes 20,000
WAITS = 4.0  # times the processor time of a page that it may take on a busy machine
MOST_STARTS = 4  # a file that stops its reader again and again is left
CHILD = "knowledge.parsing.recognition.child"

Page = Mapping[str, Any]  # `lines`, `confidence` and `why`, as `page.RecognisedPage`


@dataclass(slots=True)
class Recognition:
    """What became of the pages of a file, from 1.

    Attributes:
        read: Page number → what the child said of it.
        wanted: Pages that were to be read.
        beyond: Page number → why it was not to be read.
    """

    read: dict[int, Page] = field(default_factory=dict)
    wanted: list[int] = field(default_factory=list)
    beyond: dict[int, str] = field(default_factory=dict)

    def pages(self) -> dict[int, Page]:
        """Return what is to be said of each page."""
        stopped = "reading the text of the file was stopped before it"
        missing = dict.fromkeys(self.wanted, stopped) | self.beyond
        untold = {number: why for number, why in missing.items() if number not in self.read}
        return self.read | {
            number: {"lines": [], "confidence": 0.0, "why": why} for number, why in untold.items()
        }


def recognise_pages(request: Request, pages: Sequence[int] | None) -> Recognition:
    """Return the text of these pages, or of all.

    Raises:
        KnowledgeError: What the child found wrong with the file as a whole.
    """
    found = Recognition()
    for _ in range(MOST_STARTS):
        after = max(found.read, default=0)
        order = {**request.order(), "pages": list(pages) if pages else None, "after": after}
        why = _run(request, order, found)
        waiting = [number for number in found.wanted if number > max(found.read, default=0)]
        if not why:
            break
        if not waiting:
            raise errors.ParseLimitExceeded(f"{request.filename!r}: {why}")
        logger.warning("text recognition stopped at page %d: %s", waiting[0], why)
        found.read[waiting[0]] = {"lines": [], "confidence": 0.0, "why": why}
    return found


def _run(request: Request, order: Mapping[str, object], found: Recognition) -> str:
    """Add what one child says; return why it ended too early, if it did."""
    limits = request.limits
    with start_child(CHILD) as child:
        assert child.stdout is not None
        content = json.dumps(order).encode() + b"\n" + request.content
        sender = Thread(target=send, args=(child, content), daemon=True)
        sender.start()
        seconds = LOAD_S + START_S + WAITS * limits.ocr_seconds_per_page
        try:
            while True:
                late = Timer(seconds, child.kill)
                late.daemon = True
                late.start()
                line = child.stdout.readline(MOST_LINE_BYTES)
                is_late = not late.is_alive()
                late.cancel()
                if not line.endswith(b"\n"):
                    is_late |= child.wait() == -signal.SIGXCPU
                    return _why(limits, is_late=is_late)
                if _is_last(json.loads(line), found):
                    return ""
                seconds = WAITS * limits.ocr_seconds_per_page
        finally:
            child.kill()
            sender.join()


def _is_last(said: dict[str, Any], found: Recognition) -> bool:
    """Take in one line of what the child says."""
    if "error" in said:
        raise FOUND.get(said["error"], errors.DamagedFile)(str(said["message"]))
    if "pages" in said and not found.wanted:
        found.wanted = [int(number) for number in said["pages"]]
        found.beyond = dict.fromkeys(map(int, said["beyond"]), str(said["more"]))
    if "page" in said:
        found.read[int(said["page"])] = said
    return "done" in said


def _why(limits: ParseLimits, *, is_late: bool) -> str:
    if is_late:
        return (
            f"recognising its text took more than {limits.ocr_seconds_per_page:g} seconds "
            "(knowledge.ocr_seconds_per_page)"
        )
    return (
        "recognising its text stopped the reader: too much memory, or made to break it "
        f"(knowledge.ocr_memory_mb {limits.ocr_memory_mb})"
    )
