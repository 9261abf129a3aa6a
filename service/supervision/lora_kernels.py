"""LoRA on a CPU by one matrix product for each adapter: what replaces vLLM's own kernels.

vLLM 0.32's copy the adapter's weights once for every row of a batch (a row is a token) before they
multiply. Here the rows of an adapter are multiplied together, and a step's rows are grouped once
for all layers. Rows without an adapter are marked -1 and nothing is added to them; vLLM's take
the mark for the last slot. Knows tensors and vLLM's names, neither torch nor a server.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Group(NamedTuple):
    """The rows of a batch that use the adapter in `slot`: a slice, or (n,) int64 positions."""

    slot: int
    rows: Any


def install(lora_ops: Any, punica_cpu: Any) -> None:
    """Put the kernels into vLLM's two modules.

    Args:
        lora_ops: `vllm.lora.ops.torch_ops.lora_ops`; its `sgmv_…` call its `bgmv_…`.
        punica_cpu: `vllm.lora.punica_wrapper.punica_cpu`, which imports them by name.

    Raises:
        AttributeError: vLLM has no such name any more; nothing was changed.
    """
    wrapper = punica_cpu.PunicaWrapperCPU
    kernels = {"bgmv_shrink": shrink, "bgmv_expand": expand, "bgmv_expand_slice": expand_slice}
    for owner, name in [(lora_ops, n) for n in kernels] + [(wrapper, "add_lora_linear")]:
        getattr(owner, name)
    wrapper.update_metadata = _group_after(wrapper.update_metadata)
    wrapper.add_lora_linear = add_lora_linear
    for module in (lora_ops, punica_cpu):
        for name, kernel in kernels.items():
            setattr(module, name, kernel)


def group_rows(indices: Any) -> list[Group]:
    """Return the adapters of a batch with their rows.

    Args:
        indices: (rows,) int64, each row's slot or -1.
    """
    return [
        Group(slot, _rows_of(indices == slot)) for slot in indices.unique().tolist() if slot >= 0
    ]


def _rows_of(marked: Any) -> Any:
    """Return where `marked` is true; rows that stand together as a slice, which copies nothing."""
    rows = marked.nonzero()[:, 0]
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows


def add_lora_linear(wrapper: Any, y: Any, x: Any, *weights: Any, **_: Any) -> None:
    """Add to `y` what the adapters make of `x`; every linear layer calls it at every step.

    Args:
        wrapper: vLLM's, with the groups of this step.
        y: (rows, sum of widths), the layer's own output.
        x: (rows, inputs).
        weights: lora_A and lora_B of all slots for each slice of `y`; the scale; the widths.
    """
    shrinking, expanding, scale, _widths = weights
    if not wrapper.lora_groups:
        return
    joined = getattr(shrinking[0], "joined", None) or _join(shrinking, expanding)
    for slot, rows in wrapper.lora_groups:
        down, up = joined[slot]
        shrunk = _multiply(x[rows], down, y.dtype)
        if scale != 1.0:
            shrunk = shrunk * scale
        _put(y, rows, _multiply(shrunk, up, y.dtype), is_added=True)


def _join(shrinking: Sequence[Any], expanding: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Lay a layer's slices side by side, so that two products do for all; kept at the weights.

    vLLM goes on writing adapters into the slices it has: they become views of what is returned.
    lora_B has the slices along its diagonal, zeros elsewhere.

    Returns:
        For each slot lora_A (slices x rank, inputs) and lora_B (sum of widths, slices x rank).
    """
    rank, start = shrinking[0].shape[-2], 0
    ranks, width = rank * len(shrinking), sum(part.shape[-2] for part in expanding)
    down = shrinking[0].new_zeros(*shrinking[0].shape[:-2], ranks, shrinking[0].shape[-1])
    up = expanding[0].new_zeros(*expanding[0].shape[:-2], width, ranks)
    for number, (lora_a, lora_b) in enumerate(zip(shrinking, expanding, strict=True)):
        own, end = slice(number * rank, (number + 1) * rank), start + lora_b.shape[-2]
        for part, place in ((lora_a, down[..., own, :]), (lora_b, up[..., start:end, own])):
            part.set_(place.copy_(part))
        start = end
    joined = [(down[slot], up[slot]) for slot in range(len(down))]
    shrinking[0].joined = joined
    return joined


def shrink(inputs: Any, weights: Any, output: Any, indices: Any, *scaling: float) -> None:
    """Set `output` (rows, rank) to `inputs` times lora_A; 0 in rows without an adapter."""
    columns = output[:, : weights.shape[-2]]
    columns.zero_()
    (scale,) = scaling or (1.0,)
    for slot, rows in group_rows(indices):
        columns[rows] = scale * _multiply(inputs[rows], weights[slot], output.dtype)


def expand(
    inputs: Any, weights: Any, output: Any, indices: Any, *add: bool, add_inputs: bool = True
) -> None:
    """Add to `output`, or put there, `inputs` (rows, rank) times lora_B.

    Rows without an adapter stay as they are. Weights and output may be padded differently.
    """
    width = min(weights.shape[-2], output.shape[1])
    _expand(inputs, weights, output[:, :width], indices, is_added=all((add_inputs, *add)))


def expand_slice(inputs: Any, weights: Any, output: Any, indices: Any, *where: Any) -> None:
    """Do as `expand` in the columns of `output` from an offset on, `where`: offset, size, add."""
    offset, size, *add = where
    columns = output[:, offset : offset + size]
    _expand(inputs, weights, columns, indices, is_added=all(add))


def _expand(inputs: Any, weights: Any, output: Any, indices: Any, *, is_added: bool) -> None:
    for slot, rows in group_rows(indices):
        product = _multiply(inputs[rows], weights[slot], output.dtype)[:, : output.shape[1]]
        _put(output, rows, product, is_added=is_added)


def _put(output: Any, rows: Any, product: Any, *, is_added: bool) -> None:
    if not is_added:
        output[rows] = product
    elif isinstance(rows, slice):
        output[rows].add_(product)  # `+=` would copy the rows once more
    else:
        output.index_add_(0, rows, product)


def _group_after(update_metadata: Callable[..., None]) -> Callable[..., None]:
    """Return vLLM's start of a step, which then also groups the rows of the step."""

    def update(wrapper: Any, *mapping: Any, **named: Any) -> None:
        update_metadata(wrapper, *mapping, **named)
        wrapper.lora_groups = group_rows(wrapper.token_lora_indices)

    return update


def _multiply(inputs: Any, weights: Any, dtype: Any) -> Any:
    """Return `inputs` times one slot's `weights`: (outputs, inputs), or vLLM's (1, …, …)."""
    return inputs.to(dtype) @ weights.flatten(0, -2).to(dtype).T
