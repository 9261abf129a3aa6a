"""The training methods under OpenAI's names."""

from adapters import DEFAULT_STAGE, METHODS, TrainingConfig
from service.api.schemas.fine_tuning import Method
from service.fine_tuning.methods import (
    METHOD_NAMES,
    OWN_HYPERPARAMETERS,
    defaults_of,
    method_named,
    method_of,
)


def test_every_method_is_found_by_its_name_and_by_its_stage() -> None:
    assert METHOD_NAMES == ("supervised", "dpo")
    for name in METHOD_NAMES:
        method = method_named(name)
        assert method is not None
        assert method_of(method.stage) is method
        assert defaults_of(method).stage == method.stage
    assert method_named("reinforcement") is None


def test_a_request_can_bring_the_settings_of_every_method() -> None:
    assert set(METHOD_NAMES) <= Method.model_fields.keys()


def test_a_configuration_that_names_no_stage_has_the_default_method() -> None:
    assert method_of(None) is method_of("nothing") is METHODS[DEFAULT_STAGE]


def test_own_hyperparameters_are_keys_of_a_training_configuration() -> None:
    assert OWN_HYPERPARAMETERS == {"beta": "pref_beta"}
    assert set(OWN_HYPERPARAMETERS.values()) <= set(TrainingConfig.model_fields)
