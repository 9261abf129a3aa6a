"""The training methods under OpenAI's names, and which of its hyperparameters are which keys.

It knows names alone; what a method does and its defaults stand in `adapters`.
"""

from adapters import DEFAULT_STAGE, METHODS, Method, TrainingConfig, parse_training_config

METHOD_NAMES = tuple(method.openai_name for method in METHODS.values())

# OpenAI's names of what every method has; those without a key of the same meaning are computed.
SHARED_HYPERPARAMETERS = ("n_epochs", "batch_size", "learning_rate_multiplier")
OWN_HYPERPARAMETERS = {
    name: key for method in METHODS.values() for name, key in method.openai_hyperparameters.items()
}
HYPERPARAMETERS = (*SHARED_HYPERPARAMETERS, *OWN_HYPERPARAMETERS)


def method_named(name: str) -> Method | None:
    """Return the method of OpenAI's name; None where there is none here."""
    return next((method for method in METHODS.values() if method.openai_name == name), None)


def method_of(stage: object) -> Method:
    """Return the method of a configuration's `stage`; the default one where that is unknown."""
    return METHODS.get(str(stage), METHODS[DEFAULT_STAGE])


def defaults_of(method: Method) -> TrainingConfig:
    """Return a configuration that names nothing but the method."""
    least = {"task": "any", "model_name_or_path": "any", "dataset": "any.jsonl"}
    return parse_training_config({**least, "stage": method.stage}, name="config")
