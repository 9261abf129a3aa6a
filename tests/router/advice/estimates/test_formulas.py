"""The formulas against published measurements, and where they stop."""

import pytest

from router.advice.estimates.formulas import (
    FITTED_FROM,
    FULL_GB,
    LORA_GB,
    QLORA_GB,
    fits_one_gpu,
    gpu_seconds_per_answer,
    memory_of_training,
    training_memory_gb,
    training_tokens_per_second,
)

LENGTHS = (256, 512, 1024, 2048, 4096, 8192)
# QwenLM/Qwen, README.md, "Profiling of Memory and Speed": one A100 80GB, one row at a time, GB.
# Billions of parameters as the checkpoints have them.
MEASURED_GB: dict[tuple[float, float, float], dict[float, tuple[float, ...]]] = {
    LORA_GB: {
        1.84: (6.7, 7.4, 8.4, 11.0, 16.2, 21.8),
        7.72: (20.1, 20.4, 21.5, 23.8, 29.7, 36.6),
        14.17: (34.6, 35.1, 35.3, 37.4, 42.5, 55.2),
    },
    QLORA_GB: {
        1.84: (5.8, 6.0, 6.6, 7.8, 10.2, 15.8),
        7.72: (11.5, 11.5, 12.3, 13.9, 16.9, 23.5),
        14.17: (18.7, 18.4, 18.9, 19.9, 23.0, 27.9),
        72.29: (61.4, 61.4, 62.9, 64.1, 68.0, 75.6),
    },
    FULL_GB: {
        1.84: (43.5, 43.5, 43.5, 43.5, 47.1, 48.3),
        7.72: (139.2, 148.0, 162.0),
    },
}
# Seconds of one step of 8 rows, LoRA, the same table.
MEASURED_S = {7.72: (1.2, 1.5, 2.8, 5.2, 10.1, 21.3), 14.17: (1.6, 2.4, 4.4, 8.4, 17.0, 36.0)}


@pytest.mark.parametrize(
    ("constants", "within"), [(LORA_GB, 0.10), (QLORA_GB, 0.13), (FULL_GB, 0.25)]
)
def test_memory_is_close_to_what_was_published(
    constants: tuple[float, float, float], within: float
) -> None:
    for parameters, row in MEASURED_GB[constants].items():
        for tokens, gigabytes in zip(LENGTHS, row, strict=False):
            estimate = training_memory_gb(parameters, tokens, constants)
            assert estimate == pytest.approx(gigabytes, rel=within), (parameters, tokens)


def test_training_speed_is_close_to_what_was_published() -> None:
    for parameters, row in MEASURED_S.items():
        for tokens, seconds in list(zip(LENGTHS, row, strict=True))[1:]:
            estimate = training_tokens_per_second(parameters, 312)
            assert estimate == pytest.approx(8 * tokens / seconds, rel=0.25), (parameters, tokens)


@pytest.mark.parametrize(
    ("prompt", "answer", "machine", "seconds"),
    [
        # johnmusgrave.com: 75 tokens/s alone, 6.6 times that for 8 at a time; A100 40GB.
        (1024, 128, (8.03, 312, 1555), 128 / (75 * 6.6)),
        # mushfiqrahman.dev: 3.78 requests/s for 8 at a time; RTX 4090.
        (256, 128, (7.25, 165, 1008), 1 / 3.78),
    ],
)
def test_serving_is_close_to_what_was_published(
    prompt: float, answer: float, machine: tuple[float, float, float], seconds: float
) -> None:
    parameters, tflops, bandwidth = machine
    estimate = gpu_seconds_per_answer(
        prompt,
        answer,
        parameters_billion=parameters,
        tflops=tflops,
        bandwidth_gb_per_second=bandwidth,
    )
    assert estimate == pytest.approx(seconds, rel=0.05)


@pytest.mark.parametrize("parameters", [0.01, 0.135, 0.5, 1.5, 1.79])
def test_below_the_fitted_sizes_no_memory_is_given(parameters: float) -> None:
    assert memory_of_training(parameters, 742) == (None, None, None)


@pytest.mark.parametrize("tokens", [1, 256, 8_192, 100_000, 10**6])
@pytest.mark.parametrize("parameters", [FITTED_FROM, 3, 7, 70])
def test_four_bits_never_need_more_than_lora_and_lora_never_more_than_all_weights(
    parameters: float, tokens: float
) -> None:
    lora, qlora, full = memory_of_training(parameters, tokens)
    assert lora is not None
    assert qlora is not None
    assert full is not None
    assert qlora <= lora <= full


def test_a_small_model_fits_where_the_smallest_fitted_one_does_and_is_else_unknown() -> None:
    assert fits_one_gpu(7.6, 0.135, gpu_gb=8) is True
    assert fits_one_gpu(7.6, 0.135, gpu_gb=6) is None
    assert fits_one_gpu(7.6, 1.8, gpu_gb=6) is False
    assert fits_one_gpu(None, 7, gpu_gb=6) is None


def test_beyond_all_numbers_the_memory_is_unknown() -> None:
    assert memory_of_training(1e308, 1e308) == (None, None, None)
