"""The training methods under OpenAI's names."""

from adapters import TrainingConfig
from service.fine_tuning.methods import (
    METHODS,
    OWN_HYPERPARAMETERS,
    method_named,
    method_of,
)


def test_every_method_is_found_by_its_name_and_by_its_stage() -> None:
    for method in METHODS:
        assert method_named(method.name) is method_of(method.stage) is method
        assert method.defaults.stage == method.stage
    assert method_named("reinforcement") is None


def test_a_stage_that_openai_does_not_know_is_called_as_it_is() -> None:
    assert method_of("orpo").name == "orpo"


def test_own_hyperparameters_are_keys_of_a_training_configuration() -> None:
    assert OWN_HYPERPARAMETERS == {"beta": "pref_beta"}
    assert set(OWN_HYPERPARAMETERS.values()) <= set(TrainingConfig.model_fields)
