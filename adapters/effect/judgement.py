"""Judges whether a server really applies an adapter, by log-probabilities.

An engine can load an adapter, list it, and still answer as the base model (wrong key names, a
stale cache). The adapter's `run.json` holds what Hugging Face and PEFT compute for a few token
sequences; the caller asks the server for the same, under the base and under the adapter. Pure:
knows no server and no torch.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from adapters.errors import InvalidEffectReference

# Measured, vLLM 0.32 against Hugging Face in bfloat16 on the embedded base model (DECISIONS.md):
# precision alone makes 0.046 nats; an engine that ignores the adapter shows a shift of 0.000.
MIN_SHIFT = 0.02  # mean |adapter - base| in nats; below it an adapter does nothing anyway
MIN_SHARE = 0.5  # of the reference's own shift that the server must show
MAX_ERROR = 0.15  # mean |server - reference| in nats: three times what precision makes
MAX_ERROR_SHARE = 0.35  # of the reference's shift: a half-applied adapter is off by half of it


@dataclass(frozen=True, slots=True)
class EffectProbe:
    """One token sequence with its reference.

    Attributes:
        token_ids: The whole sequence, n tokens.
        base: Log-probability of every token but the first under the base model, n - 1.
        adapter: The same under the adapter.
    """

    token_ids: tuple[int, ...]
    base: tuple[float, ...]
    adapter: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EffectVerdict:
    """Whether the server applies the adapter; all distances are means over tokens, in nats.

    Attributes:
        differs: The server's adapter answers differ from its base answers.
        matches_reference: They are those of the reference.
        served_shift: Server, adapter against base.
        reference_shift: Reference, adapter against base.
        error: Adapter, server against reference.
        base_error: Base model, server against reference: what precision alone makes.
    """

    differs: bool
    matches_reference: bool
    served_shift: float
    reference_shift: float
    error: float
    base_error: float

    @property
    def is_applied(self) -> bool:
        """Whether the adapter may go live."""
        return self.differs and self.matches_reference

    def as_dict(self) -> dict[str, bool | float]:
        """Return the verdict as plain content."""
        return {**asdict(self), "is_applied": self.is_applied}


def read_effect_reference(run: Mapping[str, Any]) -> tuple[EffectProbe, ...]:
    """Return the probes a `run.json` holds, at least one.

    Raises:
        InvalidEffectReference: There are none, or their lengths do not fit.
    """
    try:
        probes = tuple(
            EffectProbe(
                tuple(int(i) for i in entry["token_ids"]),
                tuple(float(x) for x in entry["base"]),
                tuple(float(x) for x in entry["adapter"]),
            )
            for entry in run["effect_reference"]
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise InvalidEffectReference(f"run.json has no effect reference: {exc}") from exc
    fits = all(len(p.base) == len(p.adapter) == len(p.token_ids) - 1 > 0 for p in probes)
    if not probes or not fits:
        raise InvalidEffectReference("the effect reference in run.json is empty or damaged")
    return probes


def judge_effect(
    reference: Sequence[EffectProbe],
    base_logprobs: Sequence[Sequence[float]],
    adapter_logprobs: Sequence[Sequence[float]],
) -> EffectVerdict:
    """Compare what a server computes with the reference.

    Args:
        reference: As `read_effect_reference` returns it.
        base_logprobs: For each probe the server's log-probability of every token but the first,
            under the base model (vLLM: `prompt_logprobs` of the prompt's own tokens).
        adapter_logprobs: The same under the adapter.

    Returns:
        The verdict. `differs` asks for a shift of at least 0.02 nats and half the reference's;
        `matches_reference` for an error of at most 0.15 nats or 35 % of the reference's shift,
        whichever is larger, and for being nearer to the adapter than to the base model. Any
        number that is not finite fails both.

    Raises:
        InvalidEffectReference: The lengths do not fit the reference.

    Source:
        Own measurement, see "Tolerances of the effect check and of a merge" in DECISIONS.md.
    """
    wanted = [len(probe.base) for probe in reference]
    for served in (base_logprobs, adapter_logprobs):
        if [len(values) for values in served] != wanted:
            raise InvalidEffectReference("the server's reply and the request differ in length")
    base_reference = [x for probe in reference for x in probe.base]
    adapter_reference = [x for probe in reference for x in probe.adapter]
    base = [x for values in base_logprobs for x in values]
    adapter = [x for values in adapter_logprobs for x in values]
    served_shift = _distance(adapter, base)
    reference_shift = _distance(adapter_reference, base_reference)
    error = _distance(adapter, adapter_reference)
    is_finite = all(math.isfinite(x) for x in (served_shift, reference_shift, error))
    limit = max(MAX_ERROR, MAX_ERROR_SHARE * reference_shift)
    is_near = error <= limit and error < _distance(adapter, base_reference)
    return EffectVerdict(
        differs=is_finite and served_shift >= max(MIN_SHIFT, MIN_SHARE * reference_shift),
        matches_reference=is_finite and is_near,
        served_shift=served_shift,
        reference_shift=reference_shift,
        error=error,
        base_error=_distance(base, base_reference),
    )


def _distance(some: Sequence[float], others: Sequence[float]) -> float:
    return sum(abs(a - b) for a, b in zip(some, others, strict=True)) / max(len(some), 1)
