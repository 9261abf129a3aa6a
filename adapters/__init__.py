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
from adapters.data import ContextCounts, count_context, load_rows
from adapters.effect import EffectProbe, EffectVerdict, judge_effect, read_effect_reference
from adapters.errors import (
    AdapterError,
    AdapterIsLive,
    AdapterNotFound,
    AdapterRetired,
    BaseModelMismatch,
    BaseModelNotFound,
    DigestMismatch,
    InvalidEffectReference,
    InvalidTrainingConfig,
    InvalidTrainingData,
    ModelDownloadFailed,
    NothingToRollBack,
    NotServable,
    TrainingCancelled,
    TrainingFailed,
    UnsafeAdapterFolder,
)
from adapters.records import Adapter, AdapterState, Alias, metadata
from adapters.registry import AdapterRegistry
from adapters.servability import ServabilityFinding, check_config, check_servability
from adapters.training import TrainingEvent, TrainingResult, run_training
from adapters.weights import digest_adapter

__all__ = [
    "Adapter",
    "AdapterError",
    "AdapterIsLive",
    "AdapterNotFound",
    "AdapterRegistry",
    "AdapterRetired",
    "AdapterState",
    "AdaptersConfig",
    "Alias",
    "BaseModelMismatch",
    "BaseModelNotFound",
    "ContextCounts",
    "DigestMismatch",
    "EffectProbe",
    "EffectVerdict",
    "InvalidEffectReference",
    "InvalidTrainingConfig",
    "InvalidTrainingData",
    "ModelDownloadFailed",
    "ModelFolder",
    "NotServable",
    "NothingToRollBack",
    "ServabilityFinding",
    "TrainingCancelled",
    "TrainingConfig",
    "TrainingEvent",
    "TrainingFailed",
    "TrainingResult",
    "UnsafeAdapterFolder",
    "check_config",
    "check_servability",
    "count_context",
    "describe_base_model",
    "digest_adapter",
    "judge_effect",
    "load_rows",
    "load_training_config",
    "metadata",
    "parse_training_config",
    "prepare_base_model",
    "prepare_embedder",
    "read_effect_reference",
    "run_training",
]
