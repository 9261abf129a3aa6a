"""Grouped LoRA kernels against a plain reference that takes one row at a time."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from service.supervision import lora_kernels
from service.supervision.lora_kernels import group_rows

NAMES = ("bgmv_shrink", "bgmv_expand", "bgmv_expand_slice")
INPUTS, RANK, SLOTS = 24, 4, 3
WIDTHS = (16, 8, 8)  # as of query, key and value
BATCHES = {
    "empty": [],
    "a base row": [-1],
    "base rows": [-1] * 5,
    "one adapter": [1] * 6,
    "one answer, one adapter": [2],
    "two adapters": [0, 0, 0, 2, 2],
    "two adapters and base, answers": [0, -1, 2, 0, 2, -1, 0],
    "a prompt of one, answers of others": [1, *[0] * 40, -1, 1],
    "base between": [0, 0, -1, 0],
}
batches = pytest.mark.parametrize("slots", BATCHES.values(), ids=BATCHES.keys())


class Wrapper:
    """What the kernels need of vLLM's: the step's indices."""

    token_lora_indices: Any
    add_lora_linear: Any = None

    def update_metadata(self, slots: list[int]) -> None:
        self.token_lora_indices = torch.tensor(slots, dtype=torch.int64)


def matrices(*shape: int, dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
    drawn: torch.Tensor = torch.randn(SLOTS, 1, *shape) / shape[-1] ** 0.5
    return drawn.to(dtype)


def plain(x: torch.Tensor, weights: torch.Tensor, slots: list[int]) -> torch.Tensor:
    """Each row times its slot's matrix in float32, nothing for -1."""
    rows = [
        torch.zeros(weights.shape[-2])
        if slot < 0
        else weights[slot].reshape(weights.shape[-2:]).float() @ row.float()
        for row, slot in zip(x, slots, strict=True)
    ]
    return torch.stack(rows) if rows else torch.zeros(0, weights.shape[-2])


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def wrapper_type() -> type[Wrapper]:
    """A wrapper class of its own for each test, into which the kernels were put."""
    made = type("PunicaWrapperCPU", (Wrapper,), dict(vars(Wrapper)))
    modules = [SimpleNamespace(**dict.fromkeys(NAMES)) for _ in range(2)]
    modules[1].PunicaWrapperCPU = made
    lora_kernels.install(*modules)
    return made


@batches
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_layer_adds_each_rows_adapter(
    wrapper_type: type[Wrapper], slots: list[int], dtype: torch.dtype, scale: float
) -> None:
    x = torch.randn(len(slots), INPUTS).to(dtype)
    y = torch.randn(len(slots), sum(WIDTHS)).to(dtype)
    shrinking = tuple(matrices(RANK, INPUTS, dtype=dtype) for _ in WIDTHS)
    expanding = tuple(matrices(width, RANK, dtype=dtype) for width in WIDTHS)
    added = [
        plain(scale * plain(x, a, slots).to(dtype), b, slots)
        for a, b in zip(shrinking, expanding, strict=True)
    ]
    wanted = y.float() + torch.cat(added, dim=1)
    before = y.clone()
    wrapper = wrapper_type()
    wrapper.update_metadata(slots)
    wrapper.add_lora_linear(y, x, shrinking, expanding, scale, WIDTHS)
    torch.testing.assert_close(y, wanted.to(dtype), rtol=0.02, atol=0.02)
    for row, slot in enumerate(slots):
        assert torch.equal(y[row], before[row]) is (slot < 0)


def test_the_rows_are_grouped_once_for_all_layers_of_a_step(
    wrapper_type: type[Wrapper], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def grouped(indices: Any) -> list[lora_kernels.Group]:
        calls.append(indices.tolist())
        return group_rows(indices)

    monkeypatch.setattr(lora_kernels, "group_rows", grouped)
    wrapper = wrapper_type()
    weights = ((matrices(RANK, INPUTS),), (matrices(8, RANK),), 1.0, (8,))
    for slots in ([0, 2], [1, 1]):
        wrapper.update_metadata(slots)
        for _ in range(3):
            x = torch.randn(2, INPUTS).to(torch.bfloat16)
            wrapper.add_lora_linear(torch.zeros(2, 8).to(torch.bfloat16), x, *weights)
    assert calls == [[0, 2], [1, 1]]


def test_an_adapter_loaded_after_the_first_step_answers_in_its_slot(
    wrapper_type: type[Wrapper],
) -> None:
    shrinking = tuple(matrices(RANK, INPUTS) for _ in WIDTHS)
    expanding = tuple(matrices(width, RANK) for width in WIDTHS)
    x = torch.randn(3, INPUTS).to(torch.bfloat16)
    wrapper, slots = wrapper_type(), [1, -1, 1]
    wrapper.update_metadata(slots)
    answers = []
    for change in (
        lambda part: part,
        torch.zero_,
        lambda part: part.copy_(torch.randn(*part.shape)),
    ):
        for part in (*shrinking, *expanding):
            change(part[1])  # as vLLM's `reset_lora` and `set_lora` write
        y = torch.zeros(3, sum(WIDTHS)).to(torch.bfloat16)
        wrapper.add_lora_linear(y, x, shrinking, expanding, 1.0, WIDTHS)
        added = [
            plain(plain(x, a, slots).to(torch.bfloat16), b, slots)
            for a, b in zip(shrinking, expanding, strict=True)
        ]
        torch.testing.assert_close(y.float(), torch.cat(added, dim=1), rtol=0.02, atol=0.1)
        answers.append(y)
    assert not answers[1].any()
    assert not torch.equal(answers[0], answers[2])


@batches
@pytest.mark.parametrize("is_stacked", [True, False])
def test_shrinking_sets_each_row(slots: list[int], is_stacked: bool) -> None:
    weights = matrices(RANK, INPUTS)
    x = torch.randn(len(slots), INPUTS).to(torch.bfloat16)
    output = torch.full((len(slots), RANK + 1), 7.0)  # float32, as vLLM's own buffer
    indices = torch.tensor(slots, dtype=torch.int64)
    lora_kernels.shrink(x, weights if is_stacked else weights[:, 0], output, indices, 0.5)
    torch.testing.assert_close(output[:, :RANK], 0.5 * plain(x, weights, slots))
    assert (output[:, RANK] == 7.0).all()


@batches
@pytest.mark.parametrize("is_stacked", [True, False])
@pytest.mark.parametrize("is_added", [True, False])
def test_expanding_leaves_rows_without_an_adapter_and_other_columns(
    slots: list[int], is_stacked: bool, is_added: bool
) -> None:
    weights = matrices(8, RANK)
    given = weights if is_stacked else weights[:, 0]
    x, indices = torch.randn(len(slots), RANK), torch.tensor(slots, dtype=torch.int64)
    before = torch.randn(len(slots), 20).to(torch.bfloat16)
    products = plain(x.to(torch.bfloat16), weights, slots)
    for columns in (slice(0, 8), slice(5, 13)):
        output, wanted = before.clone(), before.clone()
        used = indices >= 0
        kept = before[used, columns].float() if is_added else 0.0
        wanted[used, columns] = (kept + products[used]).to(torch.bfloat16)
        if columns.start:
            lora_kernels.expand_slice(x, given, output, indices, 5, 8, is_added)
        else:
            lora_kernels.expand(x, given, output, indices, add_inputs=is_added)
        torch.testing.assert_close(output, wanted, rtol=0.02, atol=0.02)
        assert torch.equal(output[~used], before[~used])


def test_expanding_takes_what_fits_of_weights_padded_further() -> None:
    weights, output = matrices(8, RANK), torch.zeros(2, 6)
    x = torch.randn(2, RANK)
    lora_kernels.expand(x, weights, output, torch.tensor([0, -1]), True)
    torch.testing.assert_close(output, plain(x, weights, [0, -1])[:, :6], rtol=1e-4, atol=1e-4)


def test_rows_that_stand_together_are_a_slice() -> None:
    groups = group_rows(torch.tensor([-1, 2, 2, 0, -1, 0]))
    assert [group.slot for group in groups] == [0, 2]
    assert groups[0].rows.tolist() == [3, 5]
    assert groups[1].rows == slice(1, 3)
    assert group_rows(torch.tensor([1, 1, 1])) == [(1, slice(0, 3))]


def test_a_vllm_without_these_kernels_is_left_as_it_is() -> None:
    ops, cpu = SimpleNamespace(bgmv_shrink=None), SimpleNamespace(PunicaWrapperCPU=Wrapper)
    with pytest.raises(AttributeError, match="bgmv_expand"):
        lora_kernels.install(ops, cpu)
    assert vars(ops) == {"bgmv_shrink": None}
    assert not hasattr(cpu, "bgmv_shrink")


def test_a_vllm_without_the_layers_call_is_left_as_it_is() -> None:
    bare = type("PunicaWrapperCPU", (), {"update_metadata": Wrapper.update_metadata})
    ops = SimpleNamespace(**dict.fromkeys(NAMES))
    cpu = SimpleNamespace(**dict.fromkeys(NAMES), PunicaWrapperCPU=bare)
    with pytest.raises(AttributeError, match="add_lora_linear"):
        lora_kernels.install(ops, cpu)
    assert vars(ops) == dict.fromkeys(NAMES)
    assert vars(bare)["update_metadata"] is Wrapper.update_metadata


def test_the_kernels_stand_in_both_modules() -> None:
    made = type("PunicaWrapperCPU", (Wrapper,), dict(vars(Wrapper)))
    modules = [SimpleNamespace(**dict.fromkeys(NAMES)) for _ in range(2)]
    modules[1].PunicaWrapperCPU = made
    lora_kernels.install(*modules)
    kernels = [lora_kernels.shrink, lora_kernels.expand, lora_kernels.expand_slice]
    for module in modules:
        assert [getattr(module, name) for name in NAMES] == kernels


def test_what_vllm_leaves_out_is_a_scale_of_one_and_to_add() -> None:
    x, indices = torch.randn(2, INPUTS), torch.tensor([0, 1])
    down, up = matrices(RANK, INPUTS), matrices(8, RANK)
    shrunk = torch.zeros(2, RANK)
    lora_kernels.shrink(x, down, shrunk, indices)
    torch.testing.assert_close(shrunk, plain(x, down, [0, 1]))
    added = plain(shrunk, up, [0, 1])
    for rest, before in (((), 3.0), ((True,), 3.0), ((False,), 0.0)):
        output = torch.full((2, 8), 3.0)
        lora_kernels.expand(shrunk, up, output, indices, *rest)
        torch.testing.assert_close(output, before + added)


def test_a_layers_slices_are_laid_side_by_side_once(
    wrapper_type: type[Wrapper], monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = []
    join = lora_kernels._join

    def count(*slices: Any) -> Any:
        joined.append(len(slices[0]))
        return join(*slices)

    monkeypatch.setattr(lora_kernels, "_join", count)
    shrinking = tuple(matrices(RANK, INPUTS) for _ in WIDTHS)
    expanding = tuple(matrices(width, RANK) for width in WIDTHS)
    wrapper = wrapper_type()
    for _ in range(3):
        wrapper.update_metadata(slots=[0, 1])
        x = torch.randn(2, INPUTS).to(torch.bfloat16)
        y = torch.zeros(2, sum(WIDTHS)).to(torch.bfloat16)
        wrapper.add_lora_linear(y, x, shrinking, expanding, 1.0, WIDTHS)
        assert y.any()
    assert joined == [len(WIDTHS)]
