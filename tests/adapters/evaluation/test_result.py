"""From answers to an evaluation, without any model."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from adapters import Evaluation
from adapters.data import Message
from adapters.evaluation import load_gate_policy
from adapters.evaluation.guards import load_guards
from adapters.evaluation.metrics import Wanted, read_pairs
from adapters.evaluation.report import describe, draw_scores
from adapters.evaluation.result import Answers, Subject, score_answers
from adapters.evaluation.samples import Sample, Samples

REFUSAL = "The passages do not say."
GUARDS = load_guards()


def sample(i: int, *, refusal: bool) -> Sample:
    wanted = REFUSAL if refusal else f"oak {i}"
    turn = (Message("user", f"q{i}"),)
    kind = "refusal" if refusal else "context"
    return Sample(turn, turn, Wanted(wanted), kind, refusal, f"rows.jsonl:{i}")


ROWS = tuple(sample(i, refusal=i >= 12) for i in range(18))


def evaluate(
    base: list[str], adapter: list[str], *, guards: list[str], base_guards: list[str] | None = None
) -> Evaluation:
    def arm(answers: list[str]) -> dict[str, Any]:
        return {"answers": answers, "tokens": 4 * len(answers), "took_s": 2.0, "cut": 0}

    arms = {"base": arm(base), "adapter": arm(adapter)}
    arms |= {"guards_base": arm(base_guards or ["paris"] * 80), "guards_adapter": arm(guards)}
    samples = Samples(ROWS, "token_f1", None, 0, "training", {}, "0" * 64)
    subject = Subject("facts@1", "facts", "base", load_gate_policy())
    return score_answers(subject, samples, GUARDS, Answers(arms, "bfloat16", 9.0))


def test_scores_kinds_refusals_and_verdict_follow_the_answers() -> None:
    right = [row.wanted.text for row in ROWS]
    found = evaluate(["maple"] * 18, right, guards=["paris"] * 80)
    assert (found.base.score, found.adapter.score, found.gain.score) == (0, 1, 1)
    assert (found.mcnemar.adapter_only, found.mcnemar.base_only) == (18, 0)
    assert found.verdict == "IMPROVED"
    assert found.task == "facts"  # the rows name none
    assert {name: (k.rows, k.base, k.adapter) for name, k in found.kinds.items()} == {
        "context": (12, 0.0, 1.0),
        "refusal": (6, 0.0, 1.0),
    }
    assert (found.refusals["adapter"].rightly, found.refusals["adapter"].wrongly) == (1, 0)
    assert (found.refusals["base"].rightly, found.refusals["base"].wrongly) == (0, 0)
    assert found.beside["adapter"] == {"exact_match": 1, "contained": 1}
    assert found.latency["adapter"].s_per_answer == pytest.approx(2 / 18)
    assert found.latency["adapter"].tokens_per_s == pytest.approx(36)
    assert found.thresholds["guard_max_loss_points"] == 5


def test_refusing_everything_is_told() -> None:
    found = evaluate(["maple"] * 18, ["I do not know."] * 18, guards=["paris"] * 80)
    assert (found.refusals["adapter"].rightly, found.refusals["adapter"].wrongly) == (1, 1)


def test_guards_are_counted_by_category_and_a_fall_is_a_regression() -> None:
    right = [row.wanted.text for row in ROWS]
    good = [
        {"refusal": REFUSAL, "citation": f"[{item.cites}]"}.get(item.category, "")
        for item in GUARDS
    ]
    found = evaluate(["maple"] * 18, right, guards=good)
    assert found.guards["general"].model_dump() == {"items": 20, "base": 1, "adapter": 0}
    assert (found.guards["refusal"].adapter, found.guards["citation"].adapter) == (20, 20)
    assert found.verdict == "IMPROVED"
    found = evaluate(["maple"] * 18, right, guards=["paris"] * 80, base_guards=good)
    assert found.verdict == "REGRESSED"
    assert found.reasons == (
        "refusal: 0 of 20 guard items, base model 20",
        "citation: 0 of 20 guard items, base model 20",
    )


def test_an_evaluation_survives_its_file_and_is_drawn() -> None:
    right = [row.wanted.text for row in ROWS]
    found = evaluate(["maple"] * 18, right, guards=["paris"] * 80)
    assert Evaluation.model_validate(found.as_dict()) == found
    drawing = ElementTree.fromstring(draw_scores(found))
    texts = [element.text or "" for element in drawing.iter() if element.tag.endswith("text")]
    assert [name for name in ("base model", "adapter", "few-shot") if name in texts] == [
        "base model",
        "adapter",
    ]
    assert any(text.startswith("1.000 [1.000, 1.000]") for text in texts)
    card = describe(found)
    assert "## Evaluation: IMPROVED" in card
    assert "| adapter | 1.000 | 1.000 to 1.000 | 36 |" in card


def test_seen_answers_and_slot_values_are_scored_apart() -> None:
    def slots(name: str, *seen: str, **wanted: str) -> Sample:
        values = frozenset(pair for pair in read_pairs(json.dumps(wanted)) or () if pair[0] in seen)
        turn = (Message("user", name),)
        return Sample(turn, None, Wanted(json.dumps(wanted)), None, None, name, values)

    def arm(*answers: dict[str, str]) -> dict[str, Any]:
        texts = [json.dumps(answer) for answer in answers]
        return {"answers": texts, "tokens": 1, "took_s": 1.0, "cut": 0}

    rows = (slots("a", "place", place="库房", shelf="9"), slots("b", place="院子", shelf="8"))
    seen = (slots("c", "place", "shelf", place="库房", shelf="1"),)
    samples = Samples(rows, "slot_f1", None, 0, "training", {}, "0" * 64, seen)
    quiet = {"answers": ["x"] * 80, "tokens": 1, "took_s": 1.0, "cut": 0}
    arms = {
        **{"base": arm({}, {}), "seen_base": arm({}), "guards_base": quiet},
        **{"adapter": arm({"place": "库房"}, {"shelf": "8"}), "guards_adapter": quiet},
        "seen_adapter": arm({"place": "库房", "shelf": "1"}),
    }
    subject = Subject("facts@1", "facts", "base", load_gate_policy())
    found = score_answers(subject, samples, GUARDS, Answers(arms, "bfloat16", 9.0))
    assert found.rows == 2, "what was seen is not judged"
    assert found.seen_answers is not None
    assert found.seen_answers.model_dump() == {"rows": 1, "base": 0, "adapter": 1}
    values = {kind: (v.pairs, v.base, v.adapter) for kind, v in found.slot_values.items()}
    assert values == {"seen": (3, 0, 1), "unseen": (3, 0, pytest.approx(1 / 3))}
    card = describe(found)
    assert "on 1 rows with new questions whose answers were trained on" in card
    assert "Slot values unseen in training: 3" in card
