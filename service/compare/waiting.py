"""Waits where a limit of the API key or its tenant refuses a question.

It knows the refusal as `/chat` tells it; it does not know limits. Whoever asks besides the
comparison uses the same limits, so how long is waited is bounded.
"""

import time
from collections.abc import Callable

import httpx

MOST_WAITED_S = 600.0  # twice what an answer may take; a limit has room again within a minute
LOOK_S = 0.5  # how soon a cancelled comparison ends


class Waiting:
    """What the questions of one comparison wait for: each other, and others of the same limits."""

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        """Wait while `is_wanted` holds."""
        self._is_wanted = is_wanted
        self._let_through_at = time.monotonic()

    def until_let_through(self, ask: Callable[[], httpx.Response]) -> httpx.Response | None:
        """Return the reply to a question, which is asked again while a limit refuses it.

        Args:
            ask: Sends the question once.

        Returns:
            The last refusal, where no question of the comparison was let through for
            `MOST_WAITED_S`; None once the comparison is no longer wanted.
        """
        while (reply := ask()).status_code == httpx.codes.TOO_MANY_REQUESTS:
            again_at = time.monotonic() + _retry_after_s(reply)
            if again_at > self._let_through_at + MOST_WAITED_S:
                return reply
            while (left_s := again_at - time.monotonic()) > 0:
                if not self._is_wanted():
                    return None
                time.sleep(min(left_s, LOOK_S))
        self._let_through_at = time.monotonic()
        return reply


def _retry_after_s(reply: httpx.Response) -> int:
    told = reply.headers.get("retry-after", "")
    return int(told) if told.isdecimal() else 1
