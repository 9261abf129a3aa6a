"""A kind classifier that is sure of one kind, whatever the vector."""

from knowledge import Embedder
from router import KindClassifier, MessageKind
from router.questions.kinds.classifier import FORMAT


def always(kind: MessageKind, embedder: Embedder) -> KindClassifier:
    """Return one for the vectors of `embedder`."""
    return KindClassifier(
        format=FORMAT,
        made_by="a test",
        embedder=embedder.model_id,
        revision=embedder.revision,
        figures={},
        kinds=(MessageKind.KNOWLEDGE, kind),
        certain_from=0.9,
        bias=(0, 9000),
        weights=((0,) * embedder.dimension,) * 2,
    )
