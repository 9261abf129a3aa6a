"""An evaluation with a given verdict, as if it had been measured."""

from adapters import Evaluation

SCORE = {"score": 0.5, "low": 0.4, "high": 0.6}


def make_evaluation(adapter_id: str, verdict: str) -> Evaluation:
    """Return an evaluation of `adapter_id` that ends in `verdict`."""
    return Evaluation.model_validate(
        {
            "adapter_id": adapter_id,
            "task": "support",
            "metric": "slot_f1",
            "rows": 20,
            "base": SCORE,
            "few_shot": SCORE,
            "adapter": SCORE,
            "live": None,
            "verdict": verdict,
            "reasons": ["because the test says so"],
            "gain": {"score": 0.0, "low": -0.1, "high": 0.1},
            "gain_over_few_shot": None,
            "mcnemar": {"counts": "right_rows", "adapter_only": 1, "base_only": 1, "p_value": 1},
            "guards": {"general": {"items": 20, "base": 10, "adapter": 10}},
            "beside": {arm: {"json_validity": 1.0} for arm in ("base", "few_shot", "adapter")},
            "kinds": {},
            "refusals": {},
            "latency": {
                arm: {"s_per_answer": 0.1, "tokens_per_s": 100.0}
                for arm in ("base", "few_shot", "adapter")
            },
            "examples": {"count": 3, "taken_from": "training"},
            "left_out": {"trained_on": 2},
            "cut_prompts": {},
            "thresholds": {"min_gain_points": 3.0},
            "rows_sha256": "0" * 64,
            "base_model": "base",
            "dtype": "bfloat16",
            "took_s": 1.0,
            "created_at": 1.0,
        }
    )
