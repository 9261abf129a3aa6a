"""Does a server really apply an adapter? Judged by log-probabilities."""

from adapters.effect.judgement import (
    MIN_SHIFT,
    EffectProbe,
    EffectVerdict,
    judge_effect,
    read_effect_reference,
)

__all__ = [
    "MIN_SHIFT",
    "EffectProbe",
    "EffectVerdict",
    "judge_effect",
    "read_effect_reference",
]
