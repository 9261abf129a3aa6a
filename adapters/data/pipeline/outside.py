"""What the steps of a pipeline are given that this room does not have.

It knows what they call, not who answers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from adapters.data.filters.perplexity import MeasurePerplexity
from adapters.data.relevance import Domain, Embed
from adapters.data.structure import Generate


@dataclass(frozen=True, slots=True)
class Outside:
    """What steps are given that this room does not have.

    Attributes:
        today: The day of the run.
        embed: Turns texts into vectors; it may load its model at the first call. None: there is
            no embedder.
        embedder_id: What identifies it; a part of the settings of steps that embed.
        secret: Returns the key of surrogates; None: there is none.
        generate: Returns what asks the base model, at a temperature; None: no model server is up.
        find_domain: Returns the domain that a description names, with a cosine of its own or the
            embedder's; in words why not where the embedder does not read it.
        perplexities: Measures texts by the base model, in a process of its own.
        model_id: What identifies the base model: with another one such steps are done again.
    """

    today: date
    embed: Embed | None = None
    embedder_id: str = ""
    secret: Callable[[], bytes] | None = None
    generate: Callable[[float], Generate] | None = None
    find_domain: Callable[[str, float | None], Domain | str] | None = None
    perplexities: MeasurePerplexity | None = None
    model_id: str = ""
