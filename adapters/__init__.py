"""Which adapter exists, and how is one made?"""

from adapters.base_models import (
    ModelFolder,
    describe_base_model,
    prepare_base_model,
    prepare_embedder,
)
from adapters.config import (
    AdaptersConfig,
    TrainingConfig,
    load_training_config,
    parse_training_config,
)
from adapters.servability import ServabilityFinding, check_config, check_servability
from adapters.training import TrainingEvent, TrainingResult, run_training

__all__ = [
    "AdaptersConfig",
    "ModelFolder",
    "ServabilityFinding",
    "TrainingConfig",
    "TrainingEvent",
    "TrainingResult",
    "check_config",
    "check_servability",
    "describe_base_model",
    "load_training_config",
    "parse_training_config",
    "prepare_base_model",
    "prepare_embedder",
    "run_training",
]
