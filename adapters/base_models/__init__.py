"""Base models and embedders on disk: described, and the embedded two made from their wheels."""

from adapters.base_models.folder import (
    RECORD_FILE,
    ModelFolder,
    describe_base_model,
    read_chat_template,
)
from adapters.base_models.wheels import prepare_base_model, prepare_embedder

__all__ = [
    "RECORD_FILE",
    "ModelFolder",
    "describe_base_model",
    "prepare_base_model",
    "prepare_embedder",
    "read_chat_template",
]
