"""The room's configuration: one frozen model, built once by the entry point.

It knows the numbers and where they come from; it reads neither files nor environment.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from knowledge.parsing.limits import ParseLimits

ChunkingStrategy = Literal["markdown", "recursive", "sentence", "fixed", "parent_child"]


READING = 3
"""Counts the ways in which files were read and cut so far: a file that comes again is read again
if it was read in an earlier way."""


class Chunking(BaseModel):
    """How the documents of a knowledge base are cut; sizes in the embedder's tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: ChunkingStrategy = "markdown"
    chunk_tokens: int = Field(default=240, ge=16)
    overlap_tokens: int = Field(default=48, ge=0)
    parent_tokens: int = Field(default=480, ge=32)

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.strategy == "parent_child":
            if self.parent_tokens <= self.chunk_tokens:
                raise ValueError("parent_tokens must be more than chunk_tokens")
        elif self.overlap_tokens * 2 > self.chunk_tokens:
            raise ValueError("overlap_tokens must be at most half of chunk_tokens")
        return self

    def __str__(self) -> str:
        """Return the form that is recorded with every version."""
        second = self.parent_tokens if self.strategy == "parent_child" else self.overlap_tokens
        return f"{self.strategy}/{self.chunk_tokens}/{second}/{READING}"


def is_outdated(recorded: str) -> bool:
    """Say whether a version with this record of its chunking was read in an earlier way."""
    return recorded.rpartition("/")[2] != str(READING) or recorded.count("/") != 3


_PARSE = ParseLimits()


class KnowledgeConfig(BaseModel):
    """How documents are cut, indexed and found again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedder: str | None = None
    """Folder or Hugging Face id of a sentence-transformers model; None: the embedded MiniLM."""
    embedder_revision: str | None = None
    embedder_languages: tuple[str, ...] = ("en",)
    """Languages the embedder reads (ISO 639-1), `*` for all. MiniLM was trained on English."""
    next_embedder: str | None = None
    """The model that replaces it: `fingerpost kb reindex BASE` embeds a base again by it while the
    old vectors serve, then swaps; new bases use it. Both models are loaded meanwhile."""
    next_embedder_revision: str | None = None
    next_embedder_languages: tuple[str, ...] = ("en",)
    embedder_threads: int = Field(default=0, ge=0)
    """Torch threads; 0 leaves torch's own choice."""
    embedder_precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """`auto`: bfloat16 where the processor computes in it (55 passages/s against 19 on one busy
    core), else float32."""
    embed_batch: int = Field(default=32, ge=1)
    """sentence-transformers' own default."""

    chroma_timeout_s: float = Field(default=0.8, gt=0)
    """Deadline of a read, so that an answer without Chroma takes less than one second."""
    chroma_write_timeout_s: float = Field(default=5.0, gt=0)
    """Deadline of one write batch: 250 vectors took 0.18 s on two idle cores, more on busy ones."""
    chroma_breaker_s: float = Field(default=1.0, ge=0)
    """After a failure Chroma is not asked again for this long."""

    max_document_bytes: int = Field(default=20_000_000, ge=1)
    parse_memory_mb: int = Field(default=_PARSE.memory_mb, ge=128)
    parse_seconds: float = Field(default=_PARSE.seconds, gt=0)
    parse_pages: int = Field(default=_PARSE.pages, ge=1)
    parse_chars: int = Field(default=_PARSE.chars, ge=1)
    parse_inflated_mb: int = Field(default=_PARSE.inflated_mb, ge=1)
    parse_inflated_ratio: int = Field(default=_PARSE.inflated_ratio, ge=1)
    parse_archive_entries: int = Field(default=_PARSE.archive_entries, ge=1)
    """Limits of the child process that reads a file; numbers and sources: `parsing/limits.py`."""
    ocr_seconds_per_page: float = Field(default=_PARSE.ocr_seconds_per_page, gt=0)
    ocr_pages: int = Field(default=_PARSE.ocr_pages, ge=1)
    ocr_memory_mb: int = Field(default=_PARSE.ocr_memory_mb, ge=512)
    ocr_pixels: int = Field(default=_PARSE.ocr_pixels, ge=1_000_000)
    """Limits of the child process that recognises text in pictures; sources: likewise."""
    max_question_chars: int = Field(default=8_192, ge=1)
    """Of a longer message the end is searched, by whole sentences."""
    chunking: Chunking = Chunking()
    """Of a knowledge base that names none of its own; a chunk is never longer than the embedder
    reads. Lexical hit@5 on rag_zh, plain and hard: 192 with overlap 24 0.9896, 0.829; 240 with 48
    0.9904, 0.835; MiniLM reads 256."""

    top_k: int = Field(default=3, ge=1)
    """Passages of an answer and of a search, where neither the caller nor the use case names a
    number: "One default number of passages" in `DECISIONS.md`."""
    context_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of the passages together, where the caller names no number; None: only `top_k`
    limits them."""
    candidates: int = Field(default=50, ge=1)
    """Hits asked of each retriever before fusion. Plain RRF on support_en: 20 gave 0.677, 50 and
    100 gave 0.695."""
    rrf_k: int = Field(default=20, ge=1)
    """How slowly a rank loses weight. 60 (Cormack, Clarke and Büttcher 2009) was chosen for deep
    lists; with five passages read, hit@5 of 60 and 20: multihop 0.973 and 0.982, rag_en, hard
    0.920 and 0.929, rag_en 0.987 and 0.988; 10: support_en 0.02 less, rag_en 0.002 more."""

    reranker: str | None = None
    """Folder or Hugging Face id of a CrossEncoder (e.g. BAAI/bge-reranker-v2-m3); None: no
    reranking."""
    reranker_revision: str | None = None
    rerank_candidates: int = Field(default=20, ge=1)
    """Passages that the reranker reads; each costs a forward pass."""

    history_turns: int = Field(default=3, ge=0)
    """Earlier turns of either role that join a follow-up question. The assistant's turn names
    what "it" is: hit@5 on support_en, dense: bare 0.27, user turns 0.38, with assistant's 0.71."""
    question_weight: float = Field(default=0.6, ge=0, le=1)
    """Share of the question's own vector in a follow-up's; the rest is conversation + question."""
    follow_up_margin: float = Field(default=0.065, ge=-1, le=1)
    """A question is a follow-up unless, alone, its nearest passage is nearer than that of
    question and conversation together by more than this share of what lies between unrelated and
    related texts (0.04 of MiniLM's cosine). hit@5 of support_en and of rag_en questions after two
    turns on another article: MiniLM at 0.03: 0.848 and 0.976, 0.08: 0.857 and 0.970, 0.16: 0.861
    and 0.946; e5, a quarter of them, at 0: 0.846 and 0.970, 0.09: 0.859 and 0.967."""

    min_relevance: float = Field(default=0.4, ge=0, le=1)
    """Relevance from which a passage counts; below it there is "nothing relevant". On whole
    corpora (rag_en, multihop, support_en, rag_zh): of the answerable questions e5 flags 0.3, 0.0,
    4.0 and 1.6 %, MiniLM 1.6, 2.7, 3.2 and 0.6 %; of those asked of another corpus e5 99.7, 98.9,
    97.7 and 95.8 %, MiniLM 96.4, 96.4, 97.8 and 97.2 %.
    `fingerpost kb eval` fits it for another collection or embedder."""

    next_min_relevance: float | None = Field(default=None, ge=0, le=1)
    """The same for bases that the next embedder indexed; None: as `min_relevance`."""

    orphan_grace_s: float = Field(default=900.0, ge=0)
    """An unfinished staged version, or re-index, is removed after this long."""
    churn_share: float = Field(default=0.1, gt=0, le=1)
    """Removed share of a collection beyond which reconcile builds a new generation: Chroma
    lost live records after heavy churn (chroma-core/chroma#7758)."""
    churn_floor: int = Field(default=200, ge=0)
    """No new generation for fewer removed vectors than this."""

    @model_validator(mode="after")
    def _embedders_differ(self) -> Self:
        now = self.embedder, self.embedder_revision
        if self.next_embedder and now == (self.next_embedder, self.next_embedder_revision):
            raise ValueError(
                f"next_embedder is the embedder already ({self.embedder}): leave it out, or name "
                "the model or the revision that is to take its place"
            )
        return self

    @property
    def parse_limits(self) -> ParseLimits:
        """The limits of reading one file."""
        return ParseLimits(
            memory_mb=self.parse_memory_mb,
            seconds=self.parse_seconds,
            pages=self.parse_pages,
            chars=self.parse_chars,
            inflated_mb=self.parse_inflated_mb,
            inflated_ratio=self.parse_inflated_ratio,
            archive_entries=self.parse_archive_entries,
            ocr_seconds_per_page=self.ocr_seconds_per_page,
            ocr_pages=self.ocr_pages,
            ocr_memory_mb=self.ocr_memory_mb,
            ocr_pixels=self.ocr_pixels,
        )
