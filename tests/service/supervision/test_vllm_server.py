"""vLLM's CPU kernels, replaced: what uses no adapter gets nothing of one, no row copies weights."""

import subprocess
import sys

import pytest

from service.settings import CHECKOUT

pytestmark = pytest.mark.engine  # importing vLLM takes its time

# Two rows, the second without an adapter (-1); one module of rank 1 in each of two slots. Then
# eight rows of one adapter: how many numbers the largest tensor has that each kernel makes.
PROGRAM = """
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from vllm.lora.punica_wrapper import punica_cpu
from service.supervision.vllm_server import patch_lora_kernels

class Largest(TorchDispatchMode):
    numbers = 0
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **kwargs or {})
        if isinstance(made, torch.Tensor):
            self.numbers = max(self.numbers, made.numel())
        return made

rows, slots = torch.ones(2, 4), torch.ones(2, 1, 4)
lengths, starts = torch.tensor([1, 1]), torch.tensor([0, 1])
many, used = torch.ones(8, 4), torch.zeros(8, dtype=torch.int64)
stacked = torch.ones(2, 1, 16, 4)
for prepare in (lambda: None, patch_lora_kernels):
    prepare()
    for shrink in (punica_cpu.bgmv_shrink, punica_cpu.sgmv_shrink):
        out = torch.zeros(2, 1)
        mixed = torch.tensor([0, -1])
        if shrink is punica_cpu.sgmv_shrink:
            shrink(rows, slots, out, starts, lengths, mixed, 2, 1, 2, 1.0)
        else:
            shrink(rows, slots, out, mixed, 1.0)
        print(out.flatten().tolist())
    for name, rest in (("shrink", ()), ("expand", (True,)), ("expand_slice", (0, 16, True))):
        with Largest() as largest:
            getattr(punica_cpu, f"bgmv_{name}")(many, stacked, torch.zeros(8, 16), used, *rest)
        print(name, largest.numbers)
"""
WEIGHTS = 16 * 4  # of one slot
FAULTS = 2  # lines on rows without an adapter, then one on each kernel's largest tensor


@pytest.fixture(scope="module")
def printed() -> tuple[list[str], list[str]]:
    """What the kernels give as vLLM ships them, and what they give replaced."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()[-10:]
    return lines[:5], lines[5:]


def test_a_row_without_an_adapter_gets_nothing_of_one(printed: tuple[list[str], list[str]]) -> None:
    assert printed[1][:FAULTS] == ["[4.0, 0.0]"] * 2


def test_vllm_still_needs_it(printed: tuple[list[str], list[str]]) -> None:
    """Red once vLLM is right by itself: one of the two reasons for the replacement is gone."""
    assert printed[0][:FAULTS] == ["[4.0, 4.0]"] * 2


def largest(lines: list[str]) -> dict[str, int]:
    return {name: int(numbers) for name, numbers in (line.split() for line in lines[FAULTS:])}


def test_no_kernel_copies_the_weights_for_each_row(printed: tuple[list[str], list[str]]) -> None:
    replaced = largest(printed[1])
    assert replaced.keys() == {"shrink", "expand", "expand_slice"}
    assert max(replaced.values()) <= 2 * 8 * 16  # no more than the rows themselves have


def test_vllm_still_has_the_slow_kernels(printed: tuple[list[str], list[str]]) -> None:
    """Red once vLLM copies no weights: measure its kernels with `tests.benchmarks.lora`, then go.

    If they are right and as fast, `service/supervision/vllm_server.py` can go.
    """
    assert set(largest(printed[0]).values()) == {8 * WEIGHTS}
