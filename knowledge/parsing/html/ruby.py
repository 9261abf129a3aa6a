"""Ruby in web pages: words with small letters above them that say how they are read.

It knows that the ends of `rb`, `rt`, `rp` and `rtc` may be missing; it does not know other tags.
"""

PARTS = frozenset(("rb", "rt", "rp", "rtc", "rbc"))
ENDED_BY = {"rt": ("rt", "rp"), "rp": ("rt", "rp")}
"""Part → open parts that it ends (HTML Standard 13.1.2.4); any other ends all of them."""


class Ruby:
    """The words that are open, and how they are read."""

    def __init__(self) -> None:
        """Begin with none."""
        self.is_open = False
        self.base = ""
        self.reading = ""

    def begin(self) -> None:
        """Begin words with a reading."""
        self.is_open, self.base, self.reading = True, "", ""

    def base_words(self, data: str) -> str:
        """Return words that are read so, without the white space between tags."""
        if not data.strip() and not self.base[-1:].isascii():
            return ""
        data = data.strip() if "\n" in data else data
        self.base += data
        return data

    def add_reading(self, data: str) -> None:
        """Add words that say how it is read."""
        self.reading = f"{self.reading} {data}" if self.reading else data
