"""vLLM's CPU kernels, patched: what uses no adapter gets nothing of one."""

import subprocess
import sys

import pytest

from service.settings import CHECKOUT

pytestmark = pytest.mark.engine  # importing vLLM takes its time

# Two rows, the second without an adapter (-1); one module of rank 1 in each of two slots.
PROGRAM = """
import torch
from vllm.lora.punica_wrapper import punica_cpu
from service.supervision.vllm_server import patch_lora_kernels
rows, slots = torch.ones(2, 4), torch.ones(2, 1, 4)
lengths, starts = torch.tensor([1, 1]), torch.tensor([0, 1])
for prepare in (lambda: None, patch_lora_kernels):
    prepare()
    for shrink in (punica_cpu.bgmv_shrink, punica_cpu.sgmv_shrink):
        out = torch.zeros(2, 1)
        used = torch.tensor([0, -1])
        if shrink is punica_cpu.sgmv_shrink:
            shrink(rows, slots, out, starts, lengths, used, 2, 1, 2, 1.0)
        else:
            shrink(rows, slots, out, used, 1.0)
        print(out.flatten().tolist())
"""


@pytest.fixture(scope="module")
def shrunk() -> list[str]:
    """What the two kernels give as vLLM ships them, then what they give patched."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-4:]


def test_a_row_without_an_adapter_gets_nothing_of_one(shrunk: list[str]) -> None:
    assert shrunk[2:] == ["[4.0, 0.0]"] * 2


def test_vllm_still_needs_it(shrunk: list[str]) -> None:
    """Red once vLLM is right by itself: then `service/supervision/vllm_server.py` can go."""
    assert shrunk[:2] == ["[4.0, 4.0]"] * 2
