"""Documents, passages and the vector index."""

from service.cli.replies.jobs import IdReply
from service.cli.replies.reading import Reading


class NotReadReply(Reading):
    """A part of a file that was not read."""

    what: str
    where: str
    why: str

    def __str__(self) -> str:
        """Return it as a line."""
        return f"{self.what} ({self.where}): {self.why}"


class DocumentReply(Reading):
    """A document of a knowledge base in a list, and the answer to one that was written."""

    id: str = ""
    external_id: str = ""
    version: int | None = None
    content_hash: str = ""
    access_labels: tuple[str, ...] = ()
    encoding: str = ""
    left_out: tuple[NotReadReply, ...] = ()
    is_outdated: bool = False
    synced_from: str | None = None
    job: IdReply | None = None

    @property
    def name(self) -> str:
        """The id that users know."""
        return self.external_id or self.id


class PassagePart(Reading):
    """A part of a passage's text."""

    text: str


class PassageReply(Reading):
    """A passage that was found."""

    score: float
    text: str = ""
    content: list[PassagePart] = []
    external_id: str = ""
    filename: str = ""
    source: str = ""


class SearchReply(Reading):
    """The passages that were found, best first."""

    data: list[PassageReply] = []
    passages_over_budget: int = 0
    degraded: bool = False


class VersionReply(Reading):
    """One version of a document."""

    external_id: str
    version: int
    change: str
    changed_at: float
    replaces: int | None
    replaced_by: int | None
    is_active: bool
    bytes: int
    chunks: int
    content_hash: str
    restores: int | None = None
    has_text: bool = False


class VersionDiffReply(Reading):
    """How the texts of two versions differ."""

    differs: bool
    diff: str


class CitationsReply(Reading):
    """From when on citations were noted."""

    citations_since: float


class StaleReply(Reading):
    """A document that was neither changed nor cited for long."""

    external_id: str
    changed_at: float
    cited_at: float | None


class IndexCheckReply(Reading):
    """How the vector index of a knowledge base compares with its documents."""

    in_step: bool
    wants_reindex: bool
    available: bool
    detail: str | None = None
    embedder_fits: bool
    embedding_model: str
    embedding_revision: str
    documents: int
    chunks: int
    missing: int
    orphans: int
    unfinished: int
    generation: int
