"""The fitted question classifier: its file, its guesses, and when it is believed."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import (
    Classifier,
    Facts,
    InvalidClassifier,
    NoSource,
    QuestionClass,
    default_classifier,
    load_classifier,
    read_signals,
)
from router.questions.classifier import DEFAULT_CLASSIFIER_FILE, parse_classifier, write_document

ROOT = Path(__file__).parents[3]
SMALL: dict[str, Any] = {
    "format": "fingerpost question classifier 1",
    "made_by": "a test",
    "notice": [],
    "figures": {},
    "labels": ["chitchat", "needs_knowledge", "task"],
    "certain_from": {"chitchat": 0.9, "needs_knowledge": 0.9, "task": 0.9},
    "bias": [0, 0, 500],
    "rows": {},
    "features": {
        "w:cats": [1000, 9000, 0, 0],
        "w:gauge": [1000, 0, 9000, 0],
        "w:maybe": [1000, 1500, 0, 0],
    },
}


def small(**changes: Any) -> Classifier:
    return parse_classifier(json.dumps({**SMALL, **changes}), file="small.json")


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("How long is the warranty on the blue kettle?", "needs_knowledge"),
        ("蓝色水壶的保修期是多久？", "needs_knowledge"),
        ("do you ever get lonely, robot", "chitchat"),
        ("你是机器人还是真人呀", "chitchat"),
        ("book a table for five people tonight", "task"),
        ("请帮我推荐一家评分4.5分以上的餐馆。", "task"),
        ("how many calories are in a banana", "out_of_scope"),
    ],
)
def test_the_classifier_that_ships_knows_plain_cases(question: str, label: str) -> None:
    guess = default_classifier().guess(question)
    assert (guess.label, guess.is_certain) == (label, True)


@given(st.text())
def test_any_text_gets_a_guess_and_the_same_one_twice(text: str) -> None:
    classifier = default_classifier()
    guess = classifier.guess(text)
    assert guess == classifier.guess(text)
    assert 0 < guess.confidence <= 1
    assert sum(classifier.probabilities(text)) == pytest.approx(1)
    Facts.build(request=read_signals(text, classifier=classifier).as_facts())


def test_a_long_text_is_read_by_its_beginning() -> None:
    question = "How long is the warranty? " * 20
    assert default_classifier().guess(question + "play jazz " * 90_000) == (
        default_classifier().guess(question[:400])
    )


def test_a_guess_below_its_labels_bound_is_not_certain_and_its_class_unknown() -> None:
    sure, unsure = (
        read_signals(text, classifier=small()).as_facts() for text in ("cats", "maybe so")
    )
    assert sure["question_class"] == "chitchat"
    assert "question_class" not in unsure
    assert 0 < float(unsure["question_class_confidence"]) < 0.9
    assert (sure["chitchat"], unsure["chitchat"]) == (True, False)


def test_the_rules_keep_chit_chat_they_are_sure_of() -> None:
    signals = read_signals("Thank you, bye!", classifier=small(bias=[0, 0, 90_000]))
    assert signals.chitchat
    assert signals.as_facts()["question_class"] == "chitchat"


def test_a_sure_classifier_speaks_where_the_rules_are_silent() -> None:
    chat = read_signals("cats", classifier=small())
    fact = read_signals("gauge", classifier=small())
    assert (chat.chitchat, chat.asks_fact) == (True, False)
    assert (fact.chitchat, fact.asks_fact) == (False, True)
    assert not read_signals("cats").chitchat


def test_a_sure_class_of_small_talk_wins_over_a_question_word() -> None:
    signals = read_signals("cats?", classifier=small())
    assert (signals.chitchat, signals.asks_fact) == (True, False)
    assert signals.needs_no_sources is NoSource.SMALL_TALK
    about = read_signals("do you have cats?", classifier=small(bias=[90_000, 0, 0]))
    assert about.needs_no_sources is NoSource.ABOUT_ASSISTANT


@pytest.mark.parametrize(
    "text",
    [
        "cats as a table",
        "how much are cats, what is the price",
        "buy cats",
        "order a pizza",
        "cats " * 40,
    ],
)
def test_a_sure_class_of_small_talk_wins_over_no_format_request_or_word_of_trade(
    text: str,
) -> None:
    signals = read_signals(text, classifier=small(bias=[90_000, 0, 0]))
    assert signals.guess is not None
    assert (signals.guess.label, signals.guess.is_certain) == (QuestionClass.CHITCHAT, True)
    assert not signals.chitchat


def test_a_task_that_asks_for_a_fact_keeps_asking() -> None:
    classifier = small(bias=[0, 0, 90_000])
    assert read_signals("how do i pay", classifier=classifier).asks_fact
    assert not read_signals("pay the bill", classifier=classifier).asks_fact


def test_writing_and_reading_a_classifier_changes_nothing() -> None:
    text = DEFAULT_CLASSIFIER_FILE.read_text(encoding="utf-8")
    document = parse_classifier(text, file="default").document
    whole = document.model_validate(json.loads(text))
    assert write_document(whole) == text


def test_the_file_that_ships_says_who_made_it_and_under_which_licences() -> None:
    document = default_classifier().document
    assert DEFAULT_CLASSIFIER_FILE.stat().st_size < 3_000_000
    assert "route fit" in document.made_by
    notice = "\n".join(document.notice)
    assert notice + "\n" == DEFAULT_CLASSIFIER_FILE.with_name(
        "default_classifier_notice.txt"
    ).read_text(encoding="utf-8")
    for licence in ("MIT", "CDLA-Sharing-1.0", "CC BY 3.0", "Apache-2.0"):
        assert licence in notice
    assert document.figures["macro_f1"] > document.figures["baseline_macro_f1"]
    assert document.figures["macro_f1"] >= 0.92


def test_it_was_not_fitted_on_the_questions_of_the_demo() -> None:
    files = ("questions.jsonl", "questions_zh.jsonl")
    demo = [
        json.loads(line)["question"]
        for name in files
        for line in (ROOT / "deploy" / "demo" / name).read_text(encoding="utf-8").splitlines()
    ]
    own = (
        (ROOT / "router" / "questions" / "labelled.jsonl").read_text(encoding="utf-8").splitlines()
    )
    assert default_classifier().has_seen(json.loads(own[0])["query"].upper())
    assert not [question for question in demo if default_classifier().has_seen(question)]


def test_no_question_of_the_demo_that_asks_for_a_fact_is_taken_for_chit_chat_or_a_task() -> None:
    lines = (ROOT / "deploy" / "demo" / "questions_zh.jsonl").read_text(encoding="utf-8")
    lines += (ROOT / "deploy" / "demo" / "questions.jsonl").read_text(encoding="utf-8")
    for row in map(json.loads, lines.splitlines()):
        signals = read_signals(row["question"], classifier=default_classifier())
        assert signals.chitchat is (row["kind"] == "chitchat"), row
        assert signals.asks_fact or row["kind"] in ("chitchat", "style"), row


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (json.dumps(SMALL)[:-9], "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "damaged"),
        (json.dumps({**SMALL, "format": "2"}), "format"),
        (json.dumps({**SMALL, "labels": ["task", "nonsense"]}), "labels.1"),
        (json.dumps({**SMALL, "bias": [1]}), "bias"),
        (json.dumps({**SMALL, "certain_from": {}}), "certain_from"),
        (json.dumps({**SMALL, "features": {"w:a": [1, 2]}}), "needs 4 numbers"),
        (json.dumps({**SMALL, "features": {"w:a": [1, 2, 3, "x"]}}), "features.w:a"),
        (json.dumps({**SMALL, "rows": {"0a": [3, 900]}}), "row '0a' names label 3 of 3"),
        (json.dumps({**SMALL, "more": 1}), "more"),
        (json.dumps({k: v for k, v in SMALL.items() if k != "rows"}), "rows"),
    ],
)
def test_a_damaged_file_is_refused_saying_where(text: str, reason: str) -> None:
    with pytest.raises(InvalidClassifier, match=r"small\.json is damaged") as caught:
        parse_classifier(text, file="small.json")
    assert reason in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidClassifier, match=r"none\.json"):
        load_classifier(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidClassifier, match=r"bytes\.json"):
        load_classifier(tmp_path / "bytes.json")
