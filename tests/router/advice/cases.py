"""Facts files that the tests of the advice share, as content."""

from typing import Any

STABLE_AND_GOOD: dict[str, Any] = {
    "labelled_examples": 6_000,
    "data_quality": "pass",
    "knowledge_changes_per_week": 0,
}
CASES: dict[str, dict[str, Any]] = {
    "nothing known": {},
    "secret and stable": {**STABLE_AND_GOOD, "privacy": "secret"},
    "style and fast": {**STABLE_AND_GOOD, "need": "style", "latency_budget_ms": 800},
    "style, served": {
        **STABLE_AND_GOOD,
        "need": "style",
        "measured": {
            "adapter_present": True,
            "adapter_servable": True,
            "adapter_gate_passed": True,
            "fine_tuned_p50_ms": 200,
            "fine_tuned_p95_ms": 400,
            "fine_tuned_tokens": 300,
        },
    },
    "changing, cheap": {
        "need": "knowledge",
        "knowledge_changes_per_week": 12,
        "budget": "limited",
        "answers_per_month": 20_000,
    },
    "both": {
        **STABLE_AND_GOOD,
        "need": "both",
        "knowledge_changes_per_week": 5,
        "budget": "ample",
        "task_type": "qa",
        "data_deletable": False,
    },
    "pilot": {"need": "both", "labelled_examples": 300, "context_bearing_examples": 150},
    "too few": {"need": "style", "labelled_examples": 600, "label_disagreement_percent": 9},
    "finance": {"need": "style", "labelled_examples": 2_100, "domain": "finance"},
    "by category": {
        "need": "both",
        "labelled_examples": 1_200,
        "categories": {
            "after-sales": {"rows": 100, "share": 0.75},
            "billing": {"rows": 1_000, "share": 0.25},
        },
    },
    "labels": {"task_type": "classification"},
    "sources": {"need": "style", "citations_required": True, **STABLE_AND_GOOD},
    "secret, elsewhere": {
        "need": "knowledge",
        "privacy": "secret",
        "measured": {"engine_local": False, "knowledge_present": True},
    },
    "deletable": {**STABLE_AND_GOOD, "need": "both", "data_deletable": True},
    "measured": {
        "need": "both",
        "latency_budget_ms": 1_000,
        "measured": {
            "rag_score": 0.62,
            "rag_score_low": 0.55,
            "rag_score_high": 0.70,
            "rag_p50_ms": 700,
            "rag_p95_ms": 1_400,
            "prompt_only_score": 0.2,
            "knowledge_present": True,
        },
    },
    "prices": {
        "need": "knowledge",
        "usd_per_million_prompt_tokens": 0.5,
        "usd_per_million_completion_tokens": 1.5,
        "question_tokens": 300,
        "passage_tokens": 700,
        "answer_tokens": 200,
        "answers_per_month": 50_000,
    },
    "bad checks": {
        "need": "both",
        "labelled_examples": 5_000,
        "relevant_rows_percent": 70,
        "scenario_coverage_percent": 60,
        "label_disagreement_percent": 9,
        "recent_rows_percent": 50,
        "personal_data_rows": 12,
        "categories": {"a": 4_000, "b": 500, "c": 500},
    },
    "one contradiction": {**STABLE_AND_GOOD, "need": "style", "label_disagreement_percent": 9},
    "too large": {**STABLE_AND_GOOD, "need": "style", "model_parameters_billion": 70},
    "beyond all numbers": {"need": "style", "model_parameters_billion": 1e308},
    "secret at home": {
        "need": "style",
        **STABLE_AND_GOOD,
        "privacy": "secret",
        "measured": {"engine_local": True},
    },
    "uncategorised shares": {"need": "style", "categories": {"returns": 900, "repairs": 300}},
    "all compared": {
        "need": "knowledge",
        "latency_budget_ms": 3_000,
        "measured": {
            f"{strategy}_{name}": value
            for strategy, score in (
                ("prompt_only", 0.1),
                ("rag", 0.7),
                ("fine_tuned", 0.2),
                ("hybrid", 0.5),
            )
            for name, value in (
                ("score", score),
                ("score_low", score - 0.05),
                ("score_high", score + 0.05),
                ("p50_ms", 900),
                ("p95_ms", 2_000),
                ("tokens", 1_500),
            )
        },
    },
}
