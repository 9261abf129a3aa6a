"""Memory of training, speed of training and time of an answer: formulas fitted to measurements.

The tests hold each against what was published. It knows numbers; it knows no case.
"""

from __future__ import annotations

import math
from typing import Final

# LoRA in bfloat16 with gradient checkpointing, one row at a time: GB for each billion parameters,
# for each thousand tokens of a row, and fixed. Fitted to the single-GPU table in QwenLM/Qwen's
# README (1.8B, 7B, 14B; 256 to 8,192 tokens): within 10 % of all its LoRA figures.
LORA_GB: Final = (2.25, 2.1, 2.0)
# The same with 4-bit weights (QLoRA), from the same table, 1.8B to 72B: within 12 %.
QLORA_GB: Final = (0.88, 1.3, 4.0)
# Full fine-tuning with Adam in mixed precision: 16 bytes a parameter (ZeRO, arXiv 1910.02054), 18
# in the same table (139 GB for 7.7B), within 25 % of it.
FULL_GB: Final = (18.0, 1.5, 0.0)
# The smallest model of that table, in billions of parameters. Below it the fixed part outweighs the
# weights: 4-bit would seem to need more than LoRA, and LoRA more than full fine-tuning.
FITTED_FROM: Final = 1.8
# Floating-point operations a token and parameter: 2 forward, 2 forward again for checkpointing, 2
# back through the activations. Frozen weights need no gradient (arXiv 2001.08361 counts 6 N with
# one, and without checkpointing).
TRAIN_FLOPS: Final = 6.0
TRAIN_USE: Final = (
    0.43  # of the peak: 7B, 1,024 tokens, 2.8 s for 8 rows on an A100 (QwenLM/Qwen README)
)
PREFILL_USE: Final = 0.5  # of the peak while a prompt is read: see SERVING_NOTE
TOGETHER: Final = 8  # answers decoded at a time: the knee of the sweep in SERVING_NOTE


def training_memory_gb(
    parameters_billion: float, row_tokens: float, constants: tuple[float, float, float] = LORA_GB
) -> float:
    """Return the GPU memory of training, one row at a time with gradient checkpointing.

    Args:
        parameters_billion: Of the base model.
        row_tokens: Of one row.
        constants: GB a billion parameters, GB a thousand tokens, fixed GB.

    Returns:
        GB.
    """
    for_parameters, for_tokens, fixed = constants
    return for_parameters * parameters_billion + for_tokens * row_tokens / 1000 + fixed


def training_tokens_per_second(parameters_billion: float, tflops: float) -> float:
    """Return how many tokens LoRA training takes in a second on one GPU."""
    return TRAIN_USE * tflops * 1000 / (TRAIN_FLOPS * parameters_billion)


def gpu_seconds_per_answer(
    prompt_tokens: float,
    answer_tokens: float,
    *,
    parameters_billion: float,
    tflops: float,
    bandwidth_gb_per_second: float,
) -> float:
    """Return the GPU time of one answer in 16 bits, `TOGETHER` answered at a time.

    Source: the roofline of reading (compute-bound) and writing (every weight is read once for each
    token of a batch). Checked against johnmusgrave.com/p/vllm-throughput-latency-sweep-on (8B,
    A100 40GB) and mushfiqrahman.dev/?p=1668 (7B, RTX 4090).
    """
    gigaflops = 2 * parameters_billion
    gigabytes = 2 * parameters_billion
    reading = prompt_tokens * gigaflops / (PREFILL_USE * tflops * 1000)
    writing = answer_tokens * gigabytes / bandwidth_gb_per_second / TOGETHER
    return reading + writing


def memory_of_training(
    parameters: float, row_tokens: float
) -> tuple[float | None, float | None, float | None]:
    """Return the memory of LoRA, 4-bit and full training; None for a model below those fitted."""
    if parameters < FITTED_FROM:
        return None, None, None
    lora, qlora, full = (
        finite(training_memory_gb(parameters, row_tokens, constants))
        for constants in (LORA_GB, QLORA_GB, FULL_GB)
    )
    if lora is None or full is None:
        return None, None, None
    return lora, qlora, max(lora, full)


def fits_one_gpu(memory: float | None, parameters: float, gpu_gb: float) -> bool | None:
    """Return whether LoRA fits; a smaller model than those fitted needs no more than they do."""
    if memory is None or (parameters < FITTED_FROM and memory > gpu_gb):
        return None
    return memory <= gpu_gb


def finite(value: float) -> float | None:
    """Return a number that can be computed with further, or None."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
