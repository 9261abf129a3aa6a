"""How much two short texts have in common, by pairs of letters: for Chinese and English alike."""

from collections import Counter, defaultdict

from adapters.data.folding import fold


class KnownTexts:
    """Texts to which new ones are compared; memory grows with their length and number."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._having: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, text: str) -> None:
        """Remember a text."""
        pairs = _pairs(text)
        for pair in pairs:
            self._having[pair].append(len(self._sizes))
        self._sizes.append(len(pairs))

    def nearest(self, text: str) -> float:
        """Return the highest share in common with a known text: Dice of pairs of letters, 0..1."""
        pairs = _pairs(text)
        shared = Counter(known for pair in pairs for known in self._having.get(pair, ()))
        return max(
            (2 * count / (len(pairs) + self._sizes[known]) for known, count in shared.items()),
            default=0.0,
        )


def _pairs(text: str) -> set[str]:
    folded = f" {fold(text)} "
    return {folded[at : at + 2] for at in range(len(folded) - 1)}
