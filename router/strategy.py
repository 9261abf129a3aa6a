"""The four ways to answer. It knows nothing of how one is chosen."""

from enum import StrEnum


class Strategy(StrEnum):
    """The four ways to answer."""

    PROMPT_ONLY = "prompt_only"
    RAG = "rag"
    FINE_TUNED = "fine_tuned"
    HYBRID = "hybrid"

    @property
    def retrieves(self) -> bool:
        """True where passages are put into the prompt."""
        return self in (Strategy.RAG, Strategy.HYBRID)

    @property
    def uses_adapter(self) -> bool:
        """True where an adapter answers instead of the bare base model."""
        return self in (Strategy.FINE_TUNED, Strategy.HYBRID)
