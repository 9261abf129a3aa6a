"""vLLM's server with one bug patched: `python -m service.supervision.vllm_server FLAGS`.

vLLM 0.32 marks the rows of a batch that use no adapter by -1, and its kernels for the CPU take
that as the last slot: batched with answers of an adapter, the base model's answers came from the
adapter in that slot, and so did their prefix cache. Here nothing is added to such rows.
vLLM spawns its processes, and each imports this file again. Knows nothing but that kernel.
"""

import sys
from importlib import import_module
from typing import Any


def patch_lora_kernels() -> None:
    """Make the CPU kernels leave rows without an adapter unchanged; a failure is written out."""
    try:
        lora_ops: Any = import_module("vllm.lora.ops.torch_ops.lora_ops")
        punica_cpu: Any = import_module("vllm.lora.punica_wrapper.punica_cpu")
        shrink = lora_ops.bgmv_shrink
    except (ImportError, AttributeError) as exc:
        sys.stderr.write(f"vLLM's CPU LoRA kernels were not patched: {exc}\n")
        return

    def shrink_used(
        inputs: Any, weights: Any, output: Any, indices: Any, scaling: float = 1.0
    ) -> None:
        shrink(inputs, weights, output, indices, scaling)
        unused = indices < 0
        if unused.shape[0] == output.shape[0]:
            output[unused] = 0.0  # what is then expanded from it is nothing

    # `sgmv_shrink` finds it in its own module, the wrapper in its own.
    lora_ops.bgmv_shrink = punica_cpu.bgmv_shrink = shrink_used


if __name__ in ("__main__", "__mp_main__"):
    patch_lora_kernels()
if __name__ == "__main__":
    import_module("vllm.entrypoints.launchers.api_server.entry").main()
