"""What an advice says: whole, in both languages, in numbers, and safe to open."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from router import (
    Advice,
    AdviceFormat,
    Language,
    Strategy,
    advice_content,
    advise,
    build_case,
    complete_case,
    default_policy,
    render_advice,
)
from router.advice.drawing import draw_path
from router.advice.gaps import CHECK
from router.advice.wording import number
from router.policy.loading import DEFAULT_POLICY_FILE, parse_policy
from service.cli import app
from tests.router.advice.cases import CASES

HOSTILE = "<script>alert(1)</script>|`x`*[a](http://evil)\n\n# x"
# Names of works and machines, which a Chinese reader reads as they are.
NAMES = re.compile(
    r"https?\S+|QwenLM/Qwen README|phatvo/\S+?RAFT|NehaBharti08/\S+|lambda\.ai/\S+|arXiv [\d.]+"
    r"|NVIDIA A100 80GB SXM|A100 SXM 80 GB|A100 40GB|RTX 4090|Meta-Llama\S*"
)
ENGLISH_SENTENCE = re.compile(r"(?:\b[A-Za-z][a-z']+\b[ ,]+){2,}\b[A-Za-z][a-z']+\b")


def advice_on(name: str) -> Advice:
    return advise(build_case(CASES[name]), default_policy())


def content_of(name: str, language: Language = Language.EN) -> dict[str, Any]:
    return advice_content(advice_on(name), language)


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, path)
    elif isinstance(value, str):
        yield path, value


TOLD = re.compile(
    r"\.(headline|statement|text|question|finding|name|because|label|mark|mark_text|source|formula"
    r"|how|if|then_text|reasons|to_build|risks)$"
)


@pytest.mark.parametrize("name", CASES)
def test_no_english_sentence_is_left_in_the_chinese_advice(name: str) -> None:
    for path, text in texts(content_of(name, Language.ZH)):
        if TOLD.search(path) and not path.endswith("thresholds.name"):
            assert not ENGLISH_SENTENCE.search(NAMES.sub("", text)), (path, text)


@pytest.mark.parametrize("name", CASES)
def test_no_chinese_is_left_in_the_english_advice(name: str) -> None:
    for form in AdviceFormat:
        page = render_advice(advice_on(name), Language.EN, form)
        assert not re.search(r"[\u4e00-\u9fff]", re.sub(r'"[^"]*Microsoft[^}]*', "", page))


@pytest.mark.parametrize("form", [AdviceFormat.MD, AdviceFormat.HTML])
def test_no_english_heading_is_left_on_the_chinese_page(form: AdviceFormat) -> None:
    page = render_advice(advice_on("measured"), Language.ZH, form)
    page = re.sub(r"<style>.*?</style>|<code>.*?</code>|`[^`]*`|<[^>]*>", " ", page, flags=re.S)
    left = ENGLISH_SENTENCE.findall(NAMES.sub("", page))
    assert not left, left


def test_the_english_check_can_fail() -> None:
    assert ENGLISH_SENTENCE.search("这里 nothing was measured yet 未译")
    assert not ENGLISH_SENTENCE.search("显存：LoRA / 4 位，GPU 小时、token")


@pytest.mark.parametrize(
    ("name", "en", "zh"),
    [
        ("too few", "Do not fine-tune yet.", "现在不要微调。"),
        ("changing, cheap", "Do not fine-tune.", "不要微调。"),
        ("both", "Fine-tune.", "建议微调。"),
        ("pilot", "Fine-tune as a pilot only.", "只做微调试点。"),
        ("style, served", "Keep the adapter that serves; train no new one.", "继续使用"),
    ],
)
def test_whether_to_fine_tune_is_said_plainly(name: str, en: str, zh: str) -> None:
    for language, words in ((Language.EN, en), (Language.ZH, zh)):
        for form in AdviceFormat:
            assert words in render_advice(advice_on(name), language, form)


def missing(name: str) -> list[str]:
    return [gap["text"] for gap in content_of(name)["missing"]]


def test_what_is_missing_is_said_in_numbers() -> None:
    assert missing("too few")[:2] == [
        "1,400 more labelled rows (600 of 2,000)",
        "label disagreement is 9%, must be below 5%",
    ]
    # Finance and legal need 30 % more: 2,600 rows.
    assert missing("finance")[0] == "500 more labelled rows (2,100 of 2,600)"


def test_missing_rows_are_named_by_category() -> None:
    # Three quarters of 2,000 rows are 1,500; 100 are there. Billing has its 500.
    assert "1,400 more labelled rows of after-sales (100 of 1,500)" in missing("by category")
    assert not any("billing" in text for text in missing("by category"))
    assert any("billing makes up 90.9%" in risk for risk in content_of("by category")["risks"])


def test_a_pilot_is_offered_in_rows_with_passages() -> None:
    assert "100 more rows with passages (100 in all) would allow a pilot of hybrid" in missing(
        "by category"
    )


def test_every_failed_check_is_named() -> None:
    named = " ".join(missing("bad checks"))
    for part in (
        "relevant rows is 70%, must be at least 90%",
        "scenarios covered is 60%, must be at least 80%",
        "label disagreement is 9%",
        "rows of the last year is 50%",
        "rows with personal data left is 12 rows, must be 0 rows",
        "the categories are unbalanced",
    ):
        assert part in named


def test_an_unknown_fact_says_how_to_get_it_and_what_it_would_change() -> None:
    gaps = {gap["about"]: gap for gap in content_of("nothing known")["missing"]}
    assert gaps["need"]["command"] == "need: knowledge | style | both"
    then = {change["if"]: change["then"] for change in gaps["need"]["would_change"]}
    assert then == {"style or format": "fine_tuned", "both facts and style": "hybrid"}
    assert gaps["labelled_examples"]["command"] == CHECK
    assert "fingerpost kb history" in gaps["knowledge_changes_per_week"]["command"]
    assert gaps["compare"]["command"].startswith("fingerpost compare")


def test_nothing_known_is_no_conclusion() -> None:
    content = content_of("nothing known")
    assert content["headline"].startswith("Too little is known")
    assert content["conclusion"] is None
    assert [step["verdict"] for step in content["steps"]] == ["unknown"] * 5
    assert content["facts"] == []


def test_a_closed_set_of_labels_is_a_style_where_the_need_is_not_stated() -> None:
    step = content_of("labels")["steps"][2]
    assert (step["id"], step["verdict"]) == ("need", "style")
    assert "closed set of labels" in step["finding"]


def test_the_steps_show_thresholds_with_their_source_and_who_falls() -> None:
    steps = content_of("finance")["steps"]
    assert [step["step"] for step in steps] == [1, 2, 3, 4, 5]
    thresholds = {t["name"]: t for t in steps[0]["thresholds"]}
    assert thresholds["min_labelled_examples"]["value"] == 2_000
    assert thresholds["regulated_domain_factor"]["value"] == 1.3
    assert all(t["source"] for step in steps for t in step["thresholds"])
    assert steps[0]["rules_out"] == ["fine_tuned", "hybrid"]
    assert "500 are missing" in steps[0]["finding"]


def test_each_figure_of_the_table_says_where_it_comes_from() -> None:
    rows = {row["id"]: row["cells"] for row in content_of("measured")["comparison"]}
    assert list(rows) == [
        "update_cost",
        "data",
        "latency",
        "privacy",
        "scenario",
        "long_run_cost",
        "quality",
        "sources",
    ]
    assert rows["latency"]["rag"]["mark"] == "measured"
    assert "p95 1,400 ms, over the budget of 1,000 ms" in rows["latency"]["rag"]["text"]
    assert rows["latency"]["hybrid"]["mark"] == "unknown"
    assert "0.62 (95 % interval 0.55 to 0.7)" in rows["quality"]["rag"]["text"]
    assert rows["scenario"]["hybrid"]["mark"] == "declared"
    assert rows["long_run_cost"]["rag"]["mark"] == "estimated"
    assert rows["data"]["fine_tuned"]["mark"] == "unknown"


def test_measurements_of_a_caller_are_not_passed_off_as_ours() -> None:
    brought = content_of("measured")
    assert brought["measured_by"] == "caller"
    marks = {fact["fact"]: fact["mark"] for fact in brought["facts"]}
    assert marks["rag_score"] == "measured, by the caller"
    case = build_case(CASES["measured"])
    ours = advice_content(advise(complete_case(case.facts), default_policy()), Language.EN)
    assert {f["mark"] for f in ours["facts"] if f["provenance"] == "measured"} == {"measured"}


def test_a_preferred_strategy_that_falls_is_explained() -> None:
    reasons = content_of("too few")["reasons"]
    assert "fine-tuning would come first" in reasons[1]
    assert "there are fewer labelled rows than fine-tuning needs" in reasons


def test_contradictions_and_limits_are_risks() -> None:
    assert any("said to have passed, but" in r for r in content_of("one contradiction")["risks"])
    assert any("not expected to fit" in r for r in content_of("too large")["risks"])
    assert any("cutoff_len of 1,024" in r for r in content_of("both")["risks"])


def commands_of(name: str) -> Iterator[str]:
    content = content_of(name)
    for one in [*content["next_steps"], *content["missing"]]:
        if (one["command"] or "").startswith("fingerpost "):
            yield one["command"]


def test_every_command_of_an_advice_exists() -> None:
    groups = {group.name: group.typer_instance for group in app.registered_groups}
    named = {command for name in CASES for command in commands_of(name)}
    assert named
    for command in named:
        words = command.split()[1:]
        where = groups.get(words[0])
        commands = app.registered_commands if where is None else where.registered_commands
        names = {one.name for one in commands}
        assert (words[0] if where is None else words[1]) in names, command


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "value"


KEYS = {
    "object", "lang", "policy_version", "recommended", "rule", "headline", "fine_tuning", "pilot",
    "reasons", "conclusion", "today", "interim", "to_build", "assumed", "steps", "also_asked",
    "rejected",
    "comparison", "floor", "missing", "estimates", "risks", "next_steps", "facts", "categories",
    "measured_by",
}  # fmt: skip
STEP_KEYS = {
    "step", "id", "question", "verdict", "finding", "facts", "thresholds", "rules", "rules_out",
}  # fmt: skip
GAP_KEYS = {"kind", "about", "text", "how", "command", "have", "need", "missing", "would_change"}


@pytest.mark.parametrize("name", CASES)
def test_the_json_has_always_the_same_keys(name: str) -> None:
    for language in Language:
        content = json.loads(render_advice(advice_on(name), language, AdviceFormat.JSON))
        assert content.keys() == KEYS
        assert content["object"] == "advice"
        assert content["lang"] == language
        assert all(step.keys() == STEP_KEYS for step in content["steps"] + content["also_asked"])
        assert all(gap.keys() == GAP_KEYS for gap in content["missing"])
        assert all(set(row["cells"]) == set(Strategy) for row in content["comparison"])
        assert set(content["estimates"]["serving"]) == set(Strategy)


@pytest.mark.parametrize("name", CASES)
def test_only_texts_differ_between_the_languages(name: str) -> None:
    zh, en = content_of(name, Language.ZH), content_of(name, Language.EN)
    assert shape(zh) == shape(en)
    assert zh["recommended"] == en["recommended"]
    assert zh["estimates"]["serving"] == en["estimates"]["serving"]


class Page(HTMLParser):
    """Collects the tags and what each would load."""

    VOID = frozenset({"meta", "br", "path", "rect", "circle", "line"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [f"{k}={v}" for k, v in attrs if k in ("src", "href", "data", "action")]
        self.loads += [f"{k}={v}" for k, v in attrs if k.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def hostile_advice() -> Advice:
    content = {
        "need": "both",
        "domain": HOSTILE,
        "task_type": HOSTILE,
        "labelled_examples": 500,
        "categories": {HOSTILE[:60]: {"rows": 300, "share": 0.1}, "b": {"rows": 0, "share": 0.9}},
    }
    return advise(build_case(content), default_policy())


@pytest.mark.parametrize("language", Language)
def test_the_page_loads_nothing_and_runs_nothing(language: Language) -> None:
    page = Page(render_advice(hostile_advice(), language, AdviceFormat.HTML))
    assert page.open == []
    assert page.loads == []
    assert not {"script", "iframe", "img", "link", "object", "a"} & set(page.tags)
    assert "svg" in page.tags


def test_a_users_own_words_are_shown_as_they_are() -> None:
    html = render_advice(hostile_advice(), Language.EN, AdviceFormat.HTML)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    markdown = render_advice(hostile_advice(), Language.EN, AdviceFormat.MD)
    assert "<script>" not in markdown
    assert "\\<script\\>alert(1)\\</script\\>\\|\\`x\\`" in markdown
    assert "\n# x" not in markdown


@pytest.mark.parametrize("name", CASES)
def test_every_table_of_the_markdown_is_a_table(name: str) -> None:
    for language in Language:
        markdown = render_advice(advice_on(name), language, AdviceFormat.MD)
        for block in re.findall(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1, block


def test_the_drawn_path_has_the_five_steps_and_the_outcome() -> None:
    html = render_advice(advice_on("too few"), Language.EN, AdviceFormat.HTML)
    svg = re.search(r"<svg.*?</svg>", html, flags=re.S)
    assert svg is not None
    drawn = re.sub(r"<[^>]+>", " ", svg[0])
    for words in ("Is there enough good labelled data?", "Must sources be shown?", "decides"):
        assert words in drawn
    assert "✕ fine-tuning; hybrid" in drawn
    assert "Recommended: prompting only. Do not fine-tune yet." in drawn


def test_drawn_text_stays_in_its_box() -> None:
    step = {
        "step": 1,
        "question": "问" * 90,
        "finding": "word " * 90 + "x" * 300,
        "verdict": "yes",
        "rules": [],
    }
    path = draw_path([step], verdicts={"yes": "是"}, ruled_out=["y" * 200], outcome="ok")
    box = path.boxes[0]
    assert len(box.question) == len(box.finding) == 4
    assert all(len(line) <= 22 for line in box.question)
    assert all(len(line) <= 60 for line in (*box.finding, *box.out))
    assert path.height > box.y + box.height


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_400, "1,400"),
        (2.79, "2.79"),
        (0.00312, "0.00312"),
        (1234.5, "1,234"),
        (9.0, "9"),
        (0, "0"),
        (10**400, "1.0e+400"),
    ],
)
def test_numbers_read_as_people_write_them(value: float, text: str) -> None:
    assert number(value) == text


def test_a_policy_without_the_usual_thresholds_still_gives_advice() -> None:
    text = DEFAULT_POLICY_FILE.read_text(encoding="utf-8")
    for name in ("min_labelled_examples", "max_knowledge_changes_per_week"):
        text = text.replace(name, f"own_{name}")
    advice = advise(build_case(CASES["both"]), parse_policy(text, file="own.yaml"))
    content = advice_content(advice, Language.EN)
    assert content["floor"]["minimum"] == 2_000
    assert content["steps"][1]["verdict"] == "unknown"
    assert "sets no threshold" in content["steps"][1]["finding"]


def test_where_nothing_may_run_the_advice_says_so() -> None:
    text = DEFAULT_POLICY_FILE.read_text(encoding="utf-8").replace(
        'when: privacy == "secret"\n  unless: engine_local', 'when: need == "style"'
    )
    stated = {"need": "style", "budget": "limited", "latency_budget_ms": 500}
    case = build_case({**stated, "measured": {"rag_p95_ms": 900}})
    advice = advise(case, parse_policy(text, file="own.yaml"))
    content = advice_content(advice, Language.EN)
    assert content["recommended"] is content["interim"] is None
    assert "no strategy can run, so it does not matter" in content["steps"][3]["finding"]
    latency = next(step for step in content["also_asked"] if step["id"] == "latency")
    assert (latency["verdict"], "misses" in latency["finding"]) == ("unknown", False)
    assert not any("is wanted" in risk for risk in content["risks"])
    assert content["headline"] == "No strategy can run at present."
    assert (
        content["reasons"][0]
        == "secret data may only be processed by an engine on your own machines"
    )
    for form in AdviceFormat:
        assert render_advice(advice, Language.ZH, form)


def test_rows_of_every_kind_are_to_be_equal_where_no_share_is_declared() -> None:
    # Half of 2,000 each.
    assert missing("uncategorised shares")[:3] == [
        "800 more labelled rows (1,200 of 2,000)",
        "700 more labelled rows of repairs (300 of 1,000), if every category gets an equal share",
        "100 more labelled rows of returns (900 of 1,000), if every category gets an equal share",
    ]


def test_a_whole_comparison_is_evidence_and_nothing_is_left_to_compare() -> None:
    content = content_of("all compared")
    assert content["rule"] == "measured_best_rag"
    assert not any(gap["kind"] == "measurement" for gap in content["missing"])


def test_what_cannot_be_estimated_is_said_to_be_unknown() -> None:
    content = content_of("beyond all numbers")
    serving, training = (
        content["estimates"][part]["fine_tuned"] for part in ("serving", "training")
    )
    assert serving["usd_per_1000"] is training["memory_gb"] is training["hours"] is None
    rows = {row["id"]: row["cells"]["fine_tuned"] for row in content["comparison"]}
    assert rows["long_run_cost"] == {
        "text": "cannot be estimated",
        "mark": "unknown",
        "mark_text": "unknown",
    }


@pytest.mark.parametrize(("changes", "verdict"), [(0.9, "no"), (1, "no"), (1.1, "yes")])
def test_the_second_step_draws_the_line_where_the_policy_does(changes: float, verdict: str) -> None:
    content = {"knowledge_changes_per_week": changes}
    step = advice_content(advise(build_case(content), default_policy()), Language.EN)["steps"][1]
    rules = {rule["rule"]: rule["verdict"] for rule in step["rules"]}
    assert step["verdict"] == verdict
    assert rules["changing_facts_not_in_weights"] == ("true" if verdict == "yes" else "false")


def test_what_stands_against_training_is_told() -> None:
    against = "the facts change too often to be answered from weights alone"
    assert against in content_of("changing, cheap")["reasons"]
    assert against not in content_of("both")["reasons"]


@pytest.mark.parametrize(
    ("domain", "meant"), [("金融", "finance"), ("Legal", "legal"), ("law", "legal"), ("retail", "")]
)
def test_a_regulated_domain_in_other_words_is_pointed_out(domain: str, meant: str) -> None:
    advice = advise(build_case({"domain": domain}), default_policy())
    risks = " ".join(advice_content(advice, Language.EN)["risks"])
    assert (f'the rules know only "{meant}"' in risks) is bool(meant)


@pytest.mark.parametrize("form", [AdviceFormat.MD, AdviceFormat.HTML])
def test_the_page_names_the_rule_and_the_strategy_as_the_service_does(form: AdviceFormat) -> None:
    page = re.sub(r"</?code>", "`", render_advice(advice_on("both"), Language.ZH, form))
    assert "`need_both` → `hybrid`" in page


def test_an_ideal_number_of_rows_is_named_only_where_it_is_more_than_recommended() -> None:
    for task, named in (("classification", False), ("qa", True)):
        advice = advise(build_case({"task_type": task}), default_policy())
        rows = {row["id"]: row for row in advice_content(advice, Language.EN)["comparison"]}
        assert ("ideal" in rows["data"]["cells"]["fine_tuned"]["text"]) is named


def test_chinese_sentences_stand_without_a_space_or_a_narrow_bracket_between_them() -> None:
    for form in (AdviceFormat.MD, AdviceFormat.HTML):
        page = render_advice(advice_on("both"), Language.ZH, form)
        assert not re.search(r"。 (?=[\u4e00-\u9fff])", re.sub(r"<[^>]+>", "", page))
        assert not re.search(r"\((?:声明|硬性规则|默认值|估算)", page)
