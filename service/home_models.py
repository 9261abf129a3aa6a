"""Which of the embedded models a home uses: what it was made with, until it is told otherwise.

A new home gets those that read Chinese and English. One of an earlier version keeps its own: its
vectors and adapters were made with them. Knows the file `models.json`, not how models are prepared.
"""

import json
import os
from dataclasses import asdict, dataclass

from adapters import BASE_MODELS, E5_SMALL, EMBEDDERS, MINILM, QWEN, RECORD_FILE, SMOLLM2
from service.errors import InvalidSettings
from service.home import Home
from service.messages.spoken import say


@dataclass(frozen=True, slots=True)
class HomeModels:
    """The embedded models of a home.

    Attributes:
        base_model: Served unless `engine.base_model` names another.
        embedder: Used unless `knowledge.embedder` names another.
        missing: Those wanted for which these serve, since no source had them.
    """

    base_model: str
    embedder: str
    missing: tuple[str, ...] = ()

    @property
    def note(self) -> str | None:
        """What serves in whose place, or the way to the newer models; None if neither holds.

        In the language in force.
        """
        if self.missing:
            missing = say("models.and").join(self.missing)
            serving = {"base_model": self.base_model, "embedder": self.embedder}
            return say("models.substituted", missing=missing, **serving)
        if self.embedder == MINILM.id:
            return say("models.english_only", embedder=MINILM.id, newer=E5_SMALL.id)
        return None


EARLIER = HomeModels(SMOLLM2.id, MINILM.id)
"""Of homes that an earlier version made."""
NEW = HomeModels(QWEN.id, E5_SMALL.id)
"""Of homes that `fingerpost quickstart` makes."""


def read_models(home: Home) -> HomeModels | None:
    """Return the models of a home, or None where none are written down.

    Raises:
        InvalidSettings: The file names no embedded models.
    """
    file = home.models_file
    if not file.is_file():
        return None
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        models = HomeModels(
            values["base_model"], values["embedder"], tuple(values.get("missing", ()))
        )
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InvalidSettings(f"{file} cannot be read ({exc}). {_REMEDY}") from exc
    if models.base_model not in BASE_MODELS or models.embedder not in EMBEDDERS:
        raise InvalidSettings(
            f"{file} names {models.base_model} and {models.embedder}, which are no embedded "
            f"models. {_REMEDY}"
        )
    return models


def keep_models(home: Home) -> HomeModels:
    """Return the models of a home; of one without a note write down what it was made with.

    Homes of before have the small ones prepared; one that was prepared by hand, those named then.
    Where neither a base model nor an embedder, nor a database is there, nothing was made yet.
    """
    models = read_models(home)
    if models is not None:
        return models
    base_model = _first_prepared(home, EARLIER.base_model, NEW.base_model)
    embedder = _first_prepared(home, EARLIER.embedder, NEW.embedder)
    models = HomeModels(base_model or EARLIER.base_model, embedder or EARLIER.embedder)
    if home.database.is_file() or (base_model and embedder):
        write_models(home, models)
    return models


def _first_prepared(home: Home, *names: str) -> str | None:
    found = (name for name in names if (home.models / name / RECORD_FILE).is_file())
    return next(found, None)


def write_models(home: Home, models: HomeModels) -> None:
    """Write down the models of a home."""
    draft = home.models_file.with_suffix(".new")
    draft.write_text(json.dumps(asdict(models), indent=2) + "\n", encoding="utf-8")
    os.replace(draft, home.models_file)


_REMEDY = (
    f"Write {SMOLLM2.id} or {QWEN.id} as `base_model` and {MINILM.id} or {E5_SMALL.id} as "
    "`embedder`: those that its knowledge bases and adapters were made with."
)
