"""What a file is, by its content."""

import json
from pathlib import Path

import pytest

from adapters.data.formats.refusals import UnreadableFile
from adapters.data.formats.sources import Recognised, Source, recognise

ROW = {"instruction": "车铃放在哪里？请告诉我。", "output": "车铃在第1层，谢谢您的提问。"}
LINE = json.dumps(ROW, ensure_ascii=False) + "\n"
TRADITIONAL = "請問車鈴放在哪裡？我找了很久都沒有找到，謝謝您的幫忙\n"


def found(content: bytes, name: str = "rows.jsonl") -> Recognised:
    return recognise(Source.of_content(content, name))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"]
)
def test_the_encoding_is_told_by_the_content(encoding: str) -> None:
    recognised = found((LINE * 3).encode(encoding))
    assert (recognised.kind, recognised.encoding) == ("jsonl", encoding)


@pytest.mark.parametrize(
    "content",
    [
        TRADITIONAL.encode("big5"),
        "ベルはどこにありますか？一番の棚にあります。".encode("shift_jis"),
        "벨은 어디에 있습니까? 첫 번째 선반에 있습니다.".encode("euc-kr"),
        "Où est la sonnette déposée? À l'étage.".encode("cp1252"),
        bytes(range(1, 256)),
    ],
)
def test_another_encoding_is_not_taken_for_chinese(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="save it as UTF-8"):
        found(content)


@pytest.mark.parametrize("text", ["几点开门？九点。", "能退货吗", "问题,答案\n在吗,在的\n"])
def test_a_few_chinese_letters_are_enough(text: str) -> None:
    assert found(text.encode("gbk")).encoding == "gb18030"


def test_one_line_of_another_encoding_does_not_make_the_file_one() -> None:
    assert found((LINE * 3).encode() + LINE.encode("gbk")).encoding == "utf-8"


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (LINE, "rows.json", "jsonl"),
        (f"[{LINE}]", "rows.jsonl", "json"),
        (f" \n[\n{LINE}]", "rows.csv", "json"),
        (json.dumps(ROW, indent=1), "rows.jsonl", "json"),
        ("instruction,input,output\na,,b\n", "rows.jsonl", "csv"),
        ("a,b\n", "rows.CSV", "csv"),
        ("nonsense\n", "rows.jsonl", "jsonl"),
        ("One sentence, and another\n", "rows.txt", "jsonl"),
    ],
)
def test_the_kind_is_told_by_the_content_before_the_name(
    content: str, name: str, kind: str
) -> None:
    assert found(content.encode(), name).kind == kind


@pytest.mark.parametrize(
    ("header", "separator"),
    [("问题,答案", ","), ("Question;Answer", ";"), ("instruction\toutput", "\t")],
)
def test_the_separator_is_the_one_that_parts_known_columns(header: str, separator: str) -> None:
    assert found(f"{header}\n".encode(), "rows.csv").separator == separator


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x1f\x8b\x08", "unpack it first"),
        (b"\xd0\xcf\x11\xe0", "save it as .xlsx"),
        (b"%PDF-1.7", "is a PDF"),
    ],
)
def test_a_file_without_rows_is_refused_with_what_to_do(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        found(content)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="cannot be read: No such file"):
        recognise(Source.of_file(tmp_path / "none.jsonl"))
