"""Does an answer after a publish come from cached work of the adapter before?

The engine keeps what it computed for a prompt, by the tokens, the adapter's name and its path. The
proof asks one long question of the alias before and after a publish; the control does on the bare
engine what Fingerpost never does: other weights under a name and a path that were used before.
"""

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from adapters.files.weights import ADAPTER_SETTINGS, ADAPTER_WEIGHTS
from tests.benchmarks.twins import Twin, question

Reference = Mapping[str, np.ndarray[Any, np.dtype[np.float32]]]

# Engine and reference are 0.000 apart, 0.004 with a prefix that other weights of the same name left
# in the cache, the twins 1.0 (own run, embedded base model).
MOST_DISTANCE = 0.002
LONG_QUESTION = " ".join(f"Note {n}: every note is to be read." for n in range(40)) + question(7)
SAME_NAME = "same-name"


@dataclass(frozen=True, slots=True)
class Served:
    """The next token as the engine sees it after the long question.

    `to_first` and `to_second` are total variation distances (0 the same, 1 nothing in common)
    from what Hugging Face and PEFT compute for each adapter.
    """

    to_first: float
    to_second: float
    cached_tokens: int
    prompt_tokens: int

    def as_dict(self) -> dict[str, float]:
        return {
            "to_first": round(self.to_first, 4),
            "to_second": round(self.to_second, 4),
            "cached_tokens": self.cached_tokens,
            "prompt_tokens": self.prompt_tokens,
        }


def tokenize(engine: httpx.Client, model: str) -> list[int]:
    """Return the long question's tokens, as the engine makes them."""
    messages = [{"role": "user", "content": LONG_QUESTION}]
    return [int(i) for i in _post(engine, "/tokenize", model=model, messages=messages)["tokens"]]


@dataclass(frozen=True, slots=True)
class Prober:
    """Asks the engine for the next token, and compares it with both references."""

    engine: httpx.Client
    first: Twin
    second: Twin
    token_ids: list[int]
    reference: Reference

    def ask(self, model: str, *, fresh: bool = False) -> Served:
        """Return what `model` says; `fresh` leaves out whatever is cached."""
        body: dict[str, Any] = {"cache_salt": uuid.uuid4().hex} if fresh else {}
        done = _post(
            self.engine,
            "/v1/completions",
            model=model,
            prompt=self.token_ids,
            max_tokens=1,
            temperature=0,
            logprobs=20,
            return_tokens_as_token_ids=True,
            **body,
        )
        likely = done["choices"][0]["logprobs"]["top_logprobs"][0]
        served = {int(name.removeprefix("token_id:")): value for name, value in likely.items()}
        details = done["usage"].get("prompt_tokens_details") or {}
        return Served(
            _distance(served, self.reference[self.first.adapter_id]),
            _distance(served, self.reference[self.second.adapter_id]),
            details.get("cached_tokens") or 0,
            done["usage"]["prompt_tokens"],
        )


def prove(
    prober: Prober, gateway: httpx.Client, *, alias: str, publish_second: Any
) -> dict[str, Any]:
    """Ask the alias with a warm cache, publish the second adapter, ask the alias again.

    Returns:
        The answers' models and texts through the gateway, and the next tokens of the engine under
        the model that the gateway named; `is_fresh` when everything after the publish is the
        second adapter's.
    """
    before = [_answer(gateway, alias) for _ in range(2)]
    old = [prober.ask(before[1]["model"]) for _ in range(2)][1]
    publish_second()
    after = [_answer(gateway, alias) for _ in range(2)]
    cold, warm = (prober.ask(after[0]["model"]) for _ in range(2))
    return {
        "through_the_gateway": {"before": before, "after": after},
        "before": old.as_dict(),
        "after": cold.as_dict(),
        "after_warm": warm.as_dict(),
        "was_warm": before[1]["cached_tokens"] > 0 and old.cached_tokens > 0,
        "is_fresh": all(prober.second.word in answer["text"].lower() for answer in after)
        and all(s.to_second <= MOST_DISTANCE < s.to_first for s in (cold, warm)),
    }


def control(prober: Prober, scratch: Path) -> dict[str, Any]:
    """Change the weights under a name and path in use; return what the bare engine then says."""
    seen: dict[str, Any] = {}
    for way in ("unload_and_load", "load_inplace", "other_path"):
        name, folder = f"{SAME_NAME}-{way}", scratch / way
        _copy(prober.first, folder)
        _post(prober.engine, "/v1/load_lora_adapter", lora_name=name, lora_path=str(folder))
        warm = [prober.ask(name) for _ in range(2)][1]
        if way == "other_path":
            folder = scratch / f"{way}-2"
        _copy(prober.second, folder)
        body: dict[str, Any] = {"lora_name": name, "lora_path": str(folder)}
        if way == "load_inplace":
            body["load_inplace"] = True
        else:
            _post(prober.engine, "/v1/unload_lora_adapter", lora_name=name)
        _post(prober.engine, "/v1/load_lora_adapter", **body)
        reloaded, uncached = prober.ask(name), prober.ask(name, fresh=True)
        seen[way] = {
            "before": warm.as_dict(),
            "after": reloaded.as_dict(),
            "after_uncached": uncached.as_dict(),
            "is_stale": reloaded.to_second > MOST_DISTANCE,
        }
        _post(prober.engine, "/v1/unload_lora_adapter", lora_name=name)
    return seen


def _answer(gateway: httpx.Client, alias: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": LONG_QUESTION}]
    body = _post(
        gateway, "/v1/chat/completions", model=alias, messages=messages, max_tokens=8, temperature=0
    )
    return {
        "model": served_model(body["model"]),
        "text": body["choices"][0]["message"]["content"],
        "cached_tokens": body["usage"]["prompt_tokens_details"]["cached_tokens"],
    }


def served_model(name: str) -> str:
    """Return the adapter's id in a model name of the gateway's."""
    return name.rpartition(":")[2].removesuffix("+rag")


def _copy(twin: Twin, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in (ADAPTER_WEIGHTS, ADAPTER_SETTINGS):
        shutil.copyfile(twin.folder / name, folder / name)


def _distance(
    served: Mapping[int, float], reference: np.ndarray[Any, np.dtype[np.float32]]
) -> float:
    """Total variation over the tokens that the server reports, the rest taken as one more."""
    tokens = list(served)
    ours = np.exp(np.array([served[token] for token in tokens]))
    theirs = reference[tokens]
    rest = abs(float(ours.sum()) - float(theirs.sum()))
    return 0.5 * (float(np.abs(ours - theirs).sum()) + rest)


def _post(client: httpx.Client, path: str, **body: Any) -> Any:
    reply = client.post(path, json=body)
    if reply.status_code != 200:
        raise RuntimeError(f"{path}: {reply.status_code} {reply.text[:500]}")
    is_json = "json" in reply.headers.get("content-type", "")
    return reply.json() if is_json else reply.text
