"""`.fingerpost-access` and `--access`: which rule holds for a file, and what is no rule."""

from pathlib import Path

import pytest

from service.cli.kb.rules import AccessRules
from service.cli.kb.system_files import RULES_FILE
from service.cli.output import CommandFailed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "docs" / "board" / "2026" / "minutes.md"
    made.parent.mkdir(parents=True)
    made.write_text("minutes")
    return made


def write_rule(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    rule = folder / RULES_FILE
    rule.write_text(text, encoding=encoding)
    return rule


def test_no_rule_says_nothing(file: Path) -> None:
    assert AccessRules(None).labels_of(file) is None


def test_the_nearest_rule_holds(file: Path) -> None:
    docs = file.parents[2]
    write_rule(docs, "staff")
    assert AccessRules(None).labels_of(file) == ("staff",)
    write_rule(docs / "board", "# who\r\n\r\n  board \r\nhr\r\nhr\r\n", "utf-8-sig")
    assert AccessRules(None).labels_of(file) == ("board", "hr")
    write_rule(file.parent, "none\n")
    assert AccessRules(None).labels_of(file) == ()


@pytest.mark.parametrize(("words", "labels"), [(["b", "a", "b"], ("a", "b")), (["none"], ())])
def test_the_option_holds_where_no_folder_has_a_rule(
    file: Path, words: list[str], labels: tuple[str, ...]
) -> None:
    assert AccessRules(words).labels_of(file) == labels


def test_a_rule_and_an_option_that_differ_are_both_named(file: Path) -> None:
    write_rule(file.parent, "hr")
    assert AccessRules(["hr"]).labels_of(file) == ("hr",)
    for option in ("board", "none"):
        with pytest.raises(CommandFailed, match=rf"{RULES_FILE} says hr, --access says {option}"):
            AccessRules([option]).labels_of(file)


def test_a_link_obeys_the_rules_of_both_its_folders(file: Path) -> None:
    rule = write_rule(file.parent, "hr")
    link = file.parents[2] / "link.md"
    link.symlink_to(file)
    assert AccessRules(None).labels_of(link) == ("hr",)
    other = write_rule(link.parent, "board")
    with pytest.raises(CommandFailed) as caught:
        AccessRules(None).labels_of(link)
    assert str(rule) in str(caught.value)
    assert str(other) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no label"),
        ("# only this\n\n", "holds no label"),
        ("hr\n\n" + "x" * 65, "line 3"),
        ("hr\nboard # and this", "line 2"),
        ("hr\nnone", "stands beside other labels"),
        ("a\0b", "line 1"),
        (b"\xff\xfe\xff", "not UTF-8"),
    ],
)
def test_a_rule_that_cannot_be_read_refuses_the_files_below(
    file: Path, text: str | bytes, reason: str
) -> None:
    rule = file.parents[1] / RULES_FILE
    rule.write_bytes(text if isinstance(text, bytes) else text.encode())
    rules = AccessRules(None)
    for _ in range(2):
        with pytest.raises(CommandFailed) as caught:
            rules.labels_of(file)
        assert caught.value.code == "bad_access_rule"
        assert str(rule) in str(caught.value)
        assert reason in str(caught.value)


@pytest.mark.parametrize("kind", ["folder", "broken link"])
def test_a_rule_that_is_no_file_refuses_the_files_below(file: Path, kind: str) -> None:
    rule = file.parent / RULES_FILE
    rule.mkdir() if kind == "folder" else rule.symlink_to("nowhere")
    with pytest.raises(CommandFailed, match="cannot be read"):
        AccessRules(None).labels_of(file)


@pytest.mark.parametrize("words", [[""], ["hr", "none"], ["x" * 65], [" "]])
def test_words_of_the_option_that_are_no_labels_are_refused(words: list[str]) -> None:
    with pytest.raises(CommandFailed, match="the single word none"):
        AccessRules(words)
