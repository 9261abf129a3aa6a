"""Turns text into vectors, and says what their cosines mean."""

from knowledge.embedding.embedder import Embedder, Progress
from knowledge.embedding.sentence_transformer import SentenceTransformerEmbedder
from knowledge.embedding.similarity import Similarity, Vectors

__all__ = ["Embedder", "Progress", "SentenceTransformerEmbedder", "Similarity", "Vectors"]
