"""vLLM's server with other LoRA kernels: `python -m service.supervision.vllm_server FLAGS`.

vLLM 0.32's kernels for the CPU let base answers come from an adapter, and are many times slower
than those put in their place (`lora_kernels.py`). vLLM spawns its processes, and each imports
this file again. Knows no flag.
"""

import sys
from importlib import import_module

from service.supervision import lora_kernels


def patch_lora_kernels() -> None:
    """Replace the CPU kernels; a failure is written out."""
    try:
        lora_ops = import_module("vllm.lora.ops.torch_ops.lora_ops")
        punica_cpu = import_module("vllm.lora.punica_wrapper.punica_cpu")
        lora_kernels.install(lora_ops, punica_cpu)
    except (ImportError, AttributeError) as exc:
        sys.stderr.write(f"vLLM's CPU LoRA kernels were not replaced: {exc}\n")


if __name__ in ("__main__", "__mp_main__"):
    patch_lora_kernels()
if __name__ == "__main__":
    import_module("vllm.entrypoints.launchers.api_server.entry").main()
