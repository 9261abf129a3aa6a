"""What an Office file holds and is not read, gathered by kind: what it is, where it is, and why.

It knows counts and places; it does not know formats.
"""

from knowledge.parsing.writer import BlockWriter

MOST_PLACES = 5  # named one by one; a reader who looks there finds the others
OPENING_CHARS = 40  # of a paragraph: enough to search for in Word


class LeftOut:
    """Things that were not read, told in one line for each kind and reason."""

    def __init__(self) -> None:
        """Begin with nothing left out."""
        self._places: dict[tuple[str, str], list[str]] = {}

    def add(self, what: str, where: str, why: str) -> None:
        """Note one thing.

        Args:
            what: Its kind.
            where: A place that somebody who opens the file finds.
            why: The reason, and what may be done.
        """
        self._places.setdefault((what, why), []).append(where)

    def tell(self, writer: BlockWriter) -> None:
        """Tell the writer, once, at the end."""
        for (what, why), places in self._places.items():
            named = list(dict.fromkeys(places))
            where = ", ".join(named[:MOST_PLACES])
            if len(named) > MOST_PLACES:
                where += f" and {len(named) - MOST_PLACES} more places"
            writer.leave_out(what if len(places) == 1 else f"{what} ({len(places)})", where, why)


def paragraph_place(opening: str) -> str:
    """Return where a paragraph is, by the words it begins with."""
    words = " ".join(opening.split())
    cut = words[:OPENING_CHARS].rstrip()
    return f'paragraph "{cut}…"' if len(words) > len(cut) else f'paragraph "{cut}"'
