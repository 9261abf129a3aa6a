"""What runs: the programs of one home with their arguments, environment and ports.

It knows the flags of vLLM and Chroma; it starts nothing.
"""

import sys
from dataclasses import replace
from pathlib import Path

from adapters import TELEMETRY_OFF, name_lora_layers
from service.home import Ports
from service.settings import Settings
from service.supervision.supervisord import Program

FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}
"""glibc else gives each thread an arena that keeps what it freed: with multilingual-e5-small the
gateway took 1.55 GB, with two 1.44."""
OVERWRITES_FREED = {"MALLOC_PERTURB_": "165"}
"""glibc overwrites what is freed. Chroma's index writes memory that it never filled into
`length.bin`: words of one tenant would stand in a file of another."""


def compose(settings: Settings, ports: Ports, *, python: str = sys.executable) -> list[Program]:
    """Return the programs that this home runs, in the order in which they start.

    The engine is absent where `engine.url` names another one, Chroma where `index.host` does.
    """
    programs: list[Program] = []
    if settings.engine.url is None:
        programs.append(_engine(settings, ports, python))
    if settings.index.host is None:
        programs.append(_chroma(settings, ports, python))
    programs.append(
        Program(
            "gateway",
            (python, "-m", "service.gateway"),
            environment=FEW_ARENAS,
            port=ports.gateway,
            stop_s=15,
        )
    )
    programs.append(Program("worker", (python, "-m", "service.worker"), environment=FEW_ARENAS))
    return [
        replace(program, environment={**program.environment, **TELEMETRY_OFF})
        for program in programs
    ]


def _engine(settings: Settings, ports: Ports, python: str) -> Program:
    engine = settings.engine
    # Not the `vllm` command: the CPU wheel's does not run, and its LoRA kernels need patching.
    argv = [python, "-m", "service.supervision.vllm_server"]
    argv += ["--model", str(settings.base_model_path), "--served-model-name", engine.base_model]
    argv += ["--host", "127.0.0.1", "--port", str(ports.engine)]
    argv += ["--enable-lora", "--max-loras", str(engine.max_loras)]
    argv += ["--max-cpu-loras", str(engine.max_cpu_loras)]
    argv += ["--max-lora-rank", str(settings.adapters.max_lora_rank)]
    # Without it vLLM puts LoRA on the output layer too, for nothing, and a request for the
    # prompt's log-probabilities (the effect check) beside others ends the CPU engine.
    if layers := name_lora_layers(settings.base_model_path):
        argv += ["--lora-target-modules", *layers]
    argv += ["--enable-prompt-tokens-details", "--max-model-len", str(engine.max_model_len)]
    argv += ["--disable-uvicorn-access-log", "--uvicorn-log-level", "warning"]
    if engine.tool_call_parser is not None:
        argv += ["--enable-auto-tool-choice", "--tool-call-parser", engine.tool_call_parser]
    environment = {
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
        "VLLM_CPU_KVCACHE_SPACE": str(engine.cpu_kv_cache_gib),
    }
    if settings.base_model_path.is_dir():
        environment["HF_HUB_OFFLINE"] = "1"
    return Program(
        name="engine",
        argv=(*argv, *engine.extra_flags),
        environment=environment,
        port=ports.engine,
        stop_s=20,
        start_s=30,  # imports alone take 10 s: an earlier exit is a failed start, not a crash
    )


def _chroma(settings: Settings, ports: Ports, python: str) -> Program:
    script = Path(python).parent / "chroma"
    folder = str(settings.paths.chroma)
    # Checked before every start: a damaged folder is moved aside, the worker refills it from SQL.
    argv = (python, "-m", "knowledge.index.probe", folder, "--", python, str(script), "run")
    return Program(
        name="chroma",
        argv=(*argv, "--host", "127.0.0.1", "--port", str(ports.chroma), "--path", folder),
        environment=OVERWRITES_FREED,
        port=ports.chroma,
    )
