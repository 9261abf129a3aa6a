"""What an adapter costs on a CPU: `python -m tests.benchmarks.lora [--vllm-kernels] [--json]`.

The real engine runs with the service's own flags and two adapters of random weights, full rank on
every layer. Base and adapter answer the same number of clients in turns; every prompt is new. Then
all three answer in one batch, and Hugging Face and PEFT compute the same log-probabilities, judged
as by the effect check: of prompts, and of what was answered token by token. `--vllm-kernels`
measures vLLM as it is shipped. Exit code 1 where a must is missed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from safetensors.numpy import save_file

from adapters import TELEMETRY_OFF, EffectProbe, EffectVerdict, judge_effect
from adapters.files.weights import ADAPTER_SETTINGS, ADAPTER_WEIGHTS, read_header
from service.home import Ports, free_port
from service.settings import Settings, home_folder
from service.supervision.programs import compose

PROMPT_TOKENS = 250
MUST = {16: 0.75, 1: 0.6}  # clients -> the adapter's tokens/s, as a share of the base model's
NAMES = ("first", "second")
RANK = 16
EFFECT = 0.01  # deviation of lora_B: 0.2 nats from the base model (own run, SmolLM2)
CHECKED_LENGTHS = (120, 30)
ANSWER_TOKENS = 16  # of the answers whose log-probabilities are compared
START_S = 600.0
VLLM_SERVER = "vllm.entrypoints.launchers.api_server.entry"
TokenIds = list[int]
Logprobs = dict[str, list[float]]  # by model


@dataclass(frozen=True, slots=True)
class Speed:
    """What all clients together got; seconds to the first token are the median answer's.

    `processor_s` is what the engine used: on a busy machine it says more than the clock.
    """

    tokens: int
    seconds: float
    first_token_s: float
    processor_s: float

    @property
    def tokens_per_s(self) -> float:
        return self.tokens / self.seconds


@dataclass(frozen=True, slots=True)
class Engine:
    """A running model server."""

    client: httpx.Client
    pid: int

    def processor_s(self) -> float:
        """Return the processor seconds of the server and all its processes until now."""
        used: dict[int, tuple[int, int]] = {}
        for file in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = file.read_text().rpartition(")")[2].split()
                used[int(file.parent.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
        own, found = {self.pid}, 0
        while len(own) > found:
            found = len(own)
            own |= {pid for pid, (parent, _) in used.items() if parent in own}
        return sum(used[pid][1] for pid in own if pid in used) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Answer:
    """A prompt with what a model answered, and each answered token's log-probability."""

    model: str
    token_ids: TokenIds
    logprobs: list[float]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a must is missed."""
    options = _options(argv)
    clients = [int(count) for count in options.clients.split(",")]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        settings = Settings(home=scratch / "home")
        if options.model:
            engine_settings = settings.engine.model_copy(update={"base_model": options.model})
            settings = settings.model_copy(update={"engine": engine_settings})
        (scratch / "home").mkdir()
        settings.paths.models.symlink_to(home_folder() / "models")
        base = settings.base_model_path
        folders = {one: scratch / one for one in NAMES}
        for seed, folder in enumerate(folders.values()):
            write_random_adapter(folder, base, seed=seed)
        with started(settings, vllm_kernels=options.vllm_kernels) as engine:
            for one, folder in folders.items():
                body = {"lora_name": one, "lora_path": str(folder)}
                engine.client.post("/v1/load_lora_adapter", json=body).raise_for_status()
            models = (settings.engine.base_model, *NAMES)
            speeds = {
                count: compare_speed(
                    engine, models, count, tokens=options.tokens, rounds=options.rounds
                )
                for count in clients
            }
            verdicts = check(engine.client, models, base, folders)
    figures = _sum_up(speeds, verdicts)
    sys.stdout.write(json.dumps(figures) + "\n" if options.json else _table(figures))
    return 0 if all(figures["reached"].values()) else 1


def write_random_adapter(folder: Path, base: Path, *, seed: int) -> None:
    """Write an adapter that nobody trained, as PEFT writes one, for every linear inner layer."""
    rng = np.random.default_rng(seed)
    shapes = {
        name.removesuffix(".weight"): tensor.shape
        for file in base.glob("*.safetensors")
        for name, tensor in read_header(file).items()
        if ".layers." in name and len(tensor.shape) == 2
    }
    weights = {}
    for module, (outputs, inputs) in shapes.items():
        down = rng.normal(0, inputs**-0.5, (RANK, inputs))
        up = rng.normal(0, EFFECT, (outputs, RANK))
        for side, values in (("A", down), ("B", up)):
            name = f"base_model.model.{module}.lora_{side}.weight"
            weights[name] = values.astype(np.float32)
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(base),
        "r": RANK,
        "lora_alpha": 2 * RANK,
        "target_modules": sorted({module.rpartition(".")[2] for module in shapes}),
    }
    folder.mkdir()
    save_file(weights, folder / ADAPTER_WEIGHTS)
    (folder / ADAPTER_SETTINGS).write_text(json.dumps(settings))


@contextmanager
def started(settings: Settings, *, vllm_kernels: bool) -> Iterator[Engine]:
    """Start the engine as the service does, yield it, and end it."""
    ports = Ports(gateway=free_port(), engine=free_port(), chroma=free_port())
    engine = next(one for one in compose(settings, ports) if one.name == "engine")
    python, flag, module, *flags = engine.argv
    command = [python, flag, VLLM_SERVER if vllm_kernels else module, *flags]
    environment = {**os.environ, **engine.environment, **TELEMETRY_OFF}
    log = settings.paths.root / "engine.log"
    with log.open("w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{ports.engine}", timeout=900) as client:
            _wait_for(client, process, log)
            yield Engine(client, process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    _say("starting the engine")
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < START_S:
        try:
            if client.get("/health").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise RuntimeError(f"the engine did not start: {log.read_text()[-2000:]}")


def compare_speed(
    engine: Engine, models: Sequence[str], clients: int, *, tokens: int, rounds: int
) -> dict[str, Speed]:
    """Let the base model, an adapter and all of them mixed answer in turns."""
    ways = {"base": models[:1], "adapter": models[1:2], "mixed": models}
    if clients == 1:
        del ways["mixed"]
    runs: dict[str, list[Speed]] = {way: [] for way in ways}
    for number in range(-1, rounds):
        for way, asked in ways.items():
            short = number < 0  # what a first request makes is made once, and not counted
            speed = _measure(engine, asked, clients, tokens=4 if short else tokens)
            _say(
                f"{clients} clients, {way}: {speed.tokens_per_s:.1f} tokens/s, "
                f"{speed.processor_s / speed.tokens * 1000:.0f} processor ms each"
            )
            if not short:
                runs[way].append(speed)
    return {way: _sum_up_rounds(found) for way, found in runs.items()}


def _sum_up_rounds(runs: Sequence[Speed]) -> Speed:
    return Speed(
        sum(run.tokens for run in runs),
        sum(run.seconds for run in runs),
        float(np.median([run.first_token_s for run in runs])),
        sum(run.processor_s for run in runs),
    )


def _measure(engine: Engine, models: Sequence[str], clients: int, *, tokens: int) -> Speed:
    """Let each client ask once, two times over where it is alone."""
    count = max(clients, 2)
    prompts = _prompts([PROMPT_TOKENS] * count)
    asked = [models[number % len(models)] for number in range(count)]
    used, began = engine.processor_s(), time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        firsts = list(pool.map(partial(_stream, engine.client, tokens), asked, prompts))
    seconds = time.monotonic() - began
    return Speed(count * tokens, seconds, float(np.median(firsts)), engine.processor_s() - used)


def _stream(engine: httpx.Client, tokens: int, model: str, prompt: TokenIds) -> float:
    """Read an answer of exactly `tokens`; return the seconds to its first."""
    body = {"model": model, "prompt": prompt, "max_tokens": tokens, "temperature": 0}
    began, first = time.monotonic(), 0.0
    body |= {"ignore_eos": True, "stream": True}
    with engine.stream("POST", "/v1/completions", json=body) as reply:
        reply.raise_for_status()
        for line in reply.iter_lines():
            if not first and line.startswith("data: {"):
                first = time.monotonic() - began
    return first


def check(
    engine: httpx.Client, models: Sequence[str], base: Path, folders: Mapping[str, Path]
) -> dict[str, dict[str, EffectVerdict]]:
    """Ask all models in one batch; return each adapter's verdict on prompts and on answers."""
    _say("comparing log-probabilities")
    asked = [(model, prompt) for prompt in _prompts(CHECKED_LENGTHS) for model in models]
    with ThreadPoolExecutor(len(asked) * len(models)) as pool:
        answers = list(pool.map(lambda one: _answer(engine, *one), asked))
        texts = [answer.token_ids for answer in answers]
        pairs = [(model, ids) for ids in texts for model in models]
        read = iter(list(pool.map(lambda one: _read_prompt(engine, *one), pairs)))
    served = [{model: next(read) for model in models} for _ in texts]
    reference = _reference({models[0]: None, **folders}, base, texts)
    return {
        name: {
            "prompts": _judge(models[0], name, served, reference),
            "answers": _judge(
                models[0],
                name,
                [
                    {models[0]: row[models[0]][-ANSWER_TOKENS:], name: answer.logprobs}
                    for row, answer in zip(served, answers, strict=True)
                    if answer.model == name
                ],
                [
                    {model: row[model][-ANSWER_TOKENS:] for model in models}
                    for row, answer in zip(reference, answers, strict=True)
                    if answer.model == name
                ],
            ),
        }
        for name in folders
    }


def _judge(
    base: str, name: str, served: Sequence[Logprobs], reference: Sequence[Logprobs]
) -> EffectVerdict:
    probes = tuple(
        EffectProbe((0, *[0] * len(row[base])), tuple(row[base]), tuple(row[name]))
        for row in reference
    )
    return judge_effect(probes, [row[base] for row in served], [row[name] for row in served])


def _answer(engine: httpx.Client, model: str, prompt: TokenIds) -> Answer:
    body = {"model": model, "prompt": prompt, "max_tokens": ANSWER_TOKENS, "temperature": 0}
    told = {"logprobs": 1, "ignore_eos": True, "return_tokens_as_token_ids": True}
    reply = engine.post("/v1/completions", json={**body, **told}).raise_for_status()
    logprobs = reply.json()["choices"][0]["logprobs"]
    ids = [int(token.removeprefix("token_id:")) for token in logprobs["tokens"]]
    return Answer(model, prompt + ids, logprobs["token_logprobs"])


def _read_prompt(engine: httpx.Client, model: str, ids: TokenIds) -> list[float]:
    """Return the log-probability of each token but the first, as the engine reads a prompt."""
    body = {"model": model, "prompt": ids, "max_tokens": 1, "temperature": 0}
    reply = engine.post("/v1/completions", json={**body, "prompt_logprobs": 0}).raise_for_status()
    rows = reply.json()["choices"][0]["prompt_logprobs"][1:]
    return [row[str(token)]["logprob"] for row, token in zip(rows, ids[1:], strict=True)]


def _prompts(lengths: Sequence[int]) -> list[TokenIds]:
    """Return prompts that no one asked before: words of the vocabulary by chance."""
    rng = np.random.default_rng()
    return [rng.integers(1000, 20_000, length).tolist() for length in lengths]


def _reference(
    models: Mapping[str, Path | None], base: Path, texts: Sequence[TokenIds]
) -> list[Logprobs]:
    """Return what Hugging Face and PEFT compute, in a process of its own, which loads torch."""
    folders = {name: str(folder) if folder else None for name, folder in models.items()}
    job = json.dumps({"base": str(base), "models": folders, "texts": texts})
    command = [sys.executable, "-c", f"import {__spec__.name} as lora; lora.write_reference()"]
    done = subprocess.run(command, input=job, stdout=subprocess.PIPE, text=True, check=True)
    found: list[Logprobs] = json.loads(done.stdout)
    return found


def write_reference() -> None:
    """Read a job from standard input, write the log-probabilities of each text to the output."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from adapters.effect.process.reference import log_probabilities

    job = json.load(sys.stdin)
    found: list[Logprobs] = [{} for _ in job["texts"]]
    for name, folder in job["models"].items():
        model = AutoModelForCausalLM.from_pretrained(job["base"], dtype=torch.bfloat16)
        model = PeftModel.from_pretrained(model, folder) if folder else model
        model.eval()
        for row, ids in zip(found, job["texts"], strict=True):
            row[name] = log_probabilities(model, ids)
    json.dump(found, sys.stdout)


def _sum_up(
    speeds: Mapping[int, Mapping[str, Speed]], verdicts: Mapping[str, Mapping[str, EffectVerdict]]
) -> dict[str, Any]:
    shares = {
        count: ways["adapter"].tokens_per_s / ways["base"].tokens_per_s
        for count, ways in speeds.items()
    }
    reached = {
        f"{count}_clients": share >= MUST[count] for count, share in shares.items() if count in MUST
    }
    judged = [verdict for of_one in verdicts.values() for verdict in of_one.values()]
    return {
        "speeds": {
            str(count): {
                way: {
                    "tokens_per_s": speed.tokens_per_s,
                    "first_token_s": speed.first_token_s,
                    "processor_ms_per_token": 1000 * speed.processor_s / speed.tokens,
                }
                for way, speed in ways.items()
            }
            for count, ways in speeds.items()
        },
        "shares": {str(count): share for count, share in shares.items()},
        "equal": {
            name: {part: verdict.as_dict() for part, verdict in of_one.items()}
            for name, of_one in verdicts.items()
        },
        "reached": {**reached, "equal": all(verdict.is_applied for verdict in judged)},
    }


def _table(figures: Mapping[str, Any]) -> str:
    lines = [
        f"{'clients':<10}{'answered by':<14}{'tokens/s':>10}{'first token':>14}{'processor':>12}"
    ]
    for clients, ways in figures["speeds"].items():
        lines += [
            f"{clients:<10}{way:<14}{row['tokens_per_s']:>10.1f}{row['first_token_s']:>12.2f} s"
            f"{row['processor_ms_per_token']:>9.0f} ms"
            for way, row in ways.items()
        ]
        lines.append(f"{clients:<10}adapter / base {figures['shares'][clients]:>9.2f}")
    lines.append(f"{'nats':<24}{'shift':>10}{'error':>10}{'of base':>10}")
    for name, parts in figures["equal"].items():
        for part, verdict in parts.items():
            row = (verdict["reference_shift"], verdict["error"], verdict["base_error"])
            lines.append(f"{name + ', ' + part:<24}" + "".join(f"{x:>10.3f}" for x in row))
    return "\n".join([*lines, f"reached: {figures['reached']}", ""])


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.lora", description=__doc__)
    parser.add_argument("--model", help="a prepared base model; default: the service's")
    parser.add_argument("--clients", default="1,16", help="how many at once, with commas")
    parser.add_argument("--tokens", type=int, default=64, help="of each answer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--vllm-kernels", action="store_true", help="as vLLM is shipped")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
