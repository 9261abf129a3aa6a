"""Base models and embedders on disk: described, and the embedded ones made from pinned files."""

from adapters.base_models.embedded import (
    BASE_MODELS,
    E5_SMALL,
    EMBEDDERS,
    MINILM,
    QWEN,
    SMOLLM2,
)
from adapters.base_models.folder import (
    RECORD_FILE,
    ModelFolder,
    describe_base_model,
    read_chat_template,
)
from adapters.base_models.prepare import Preparation, prepare_base_model, prepare_embedder

__all__ = [
    "BASE_MODELS",
    "E5_SMALL",
    "EMBEDDERS",
    "MINILM",
    "QWEN",
    "RECORD_FILE",
    "SMOLLM2",
    "ModelFolder",
    "Preparation",
    "describe_base_model",
    "prepare_base_model",
    "prepare_embedder",
    "read_chat_template",
]
