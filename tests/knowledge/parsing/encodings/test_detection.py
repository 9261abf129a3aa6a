"""Short texts come in any encoding: nearly all are read right, and no wrong one passes for sure.

The texts are made up, in three files: the numbers of the detection were chosen on the first two,
the third was drawn afterwards from other words; rules for a letter or two that came later left its
result as it was. Each text is written in the encodings that its language comes in, and as UTF-8
with a fault.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from knowledge.errors import UnsupportedFile
from knowledge.parsing.encodings.detection import detect
from knowledge.parsing.text import read_text

SETS = ("first", "second", "third")
WRITTEN = {
    "zh": ("gbk", "gb18030", "utf-16", "utf-16-le", "faults"),
    "zh-ascii": ("gbk", "gb18030", "utf-16-le", "faults"),
    "zh-hant": ("big5", "utf-16", "faults"),
    "ja": ("cp932", "utf-16", "faults"),
    "western": ("cp1252", "utf-16-be", "faults"),
}
RIGHT = 0.97  # of the texts


@dataclass(frozen=True)
class Written:
    """A text as it comes, and as it has to be read."""

    content: bytes
    text: str


def _texts(name: str) -> Iterator[Written]:
    lines = Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8").splitlines()
    for line in lines[1:]:
        language, text = line.replace("\\n", "\n").split("\t")
        for encoding in WRITTEN[language]:
            if encoding == "faults":
                content = _with_fault(text)
                yield Written(content, content.decode("utf-8", "replace"))
            else:
                yield Written(text.encode(encoding), text)


def _with_fault(text: str) -> bytes:
    """Return UTF-8 that is cut, has a byte of cp1252 in it, or two of GBK."""
    content = text.encode()
    faulty = (
        content[:-1] if content[-1] >= 0x80 else content + b"\xe9",
        content + b"\ncaf\xe9\n",
        b"\x92 " + content,
        content + (b"\n\xb1\xb8 x" if len(content) > 40 else b" 5 \x80"),
    )
    return faulty[len(content) % 4]


def test_the_sets_are_large_enough() -> None:
    assert [len(list(_texts(name))) for name in SETS] == [456, 305, 273]


@pytest.mark.parametrize("name", SETS)
def test_short_texts_are_read_right_and_a_wrong_one_is_told_as_unsure(name: str) -> None:
    texts = list(_texts(name))
    wrong, sure = [], []
    for one in texts:
        try:
            read = read_text("a.txt", one.content)
        except UnsupportedFile:
            wrong.append(one)
            continue
        if read.text != one.text:
            wrong.append(one)
            if not any(told.what == "encoding" for told in read.not_read):
                sure.append((one, read))
    assert len(wrong) <= (1 - RIGHT) * len(texts), wrong
    assert sure == []


def test_a_guess_is_rarely_told_where_there_are_letters_enough() -> None:
    texts = [one for name in SETS for one in _texts(name) if len(one.content) >= 40]
    unsure = [one for one in texts if detect(one.content).other]
    assert len(unsure) <= 0.05 * len(texts), unsure


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Привет, мир", "cp1251"),
        ("Привет, мир", "koi8-r"),
        ("Zażółć gęślą jaźń", "cp1250"),
        ("Żółta łódź", "cp1250"),
        ("Καλημέρα κόσμε", "cp1253"),
        ("שלום עולם, המפתח של המחסן בקבלה", "cp1255"),
        ("مرحبا بالعالم كله", "cp1256"),
        ("안녕하세요, 창고 열쇠는 접수처에 있습니다", "cp949"),
        ("倉庫の鍵は受付にあります", "euc_jp"),
        ("İşçiler için güvenlik kuralları", "cp1254"),
        ("คลังสินค้าเปิดเก้าโมงทุกวัน", "cp874"),
    ],
)
def test_other_languages_are_told_too(text: str, encoding: str) -> None:
    assert text.encode(encoding).decode(detect(text.encode(encoding)).encoding) == text


def test_what_is_declared_decides_where_the_bytes_leave_it_open_and_no_further() -> None:
    content = "Größe".encode("cp1252")
    assert detect(content, declared="cp1250").encoding == "cp1250"
    cyrillic = "Склад закрыт в субботу".encode("iso8859-5")
    assert detect(cyrillic, declared="iso8859-5").encoding == "iso8859-5"
    chinese = "员工每年有十五天年假。".encode("gbk")
    assert detect(chinese, declared="cp1252").encoding == "gb18030"
    assert detect("Größe, Länge, Übermaß".encode("cp1252"), declared="gb18030").encoding == "cp1252"


def test_the_language_around_decides_between_two_that_are_close() -> None:
    content = "Coffee beans 500g x 3 (浅烘)".encode("gbk")
    assert detect(content, hint="zh").encoding == "gb18030"
    assert detect(content, hint="zh-Hant").encoding == "big5hkscs"


@pytest.mark.parametrize("length", [16, 40, 400, 8_192])
def test_noise_is_no_text_in_any_encoding(length: int) -> None:
    noise = random.Random(length).randbytes(length)
    with pytest.raises(UnsupportedFile):
        read_text("a.txt", noise)


def test_a_long_file_is_told_by_a_part_of_it() -> None:
    text = "only ASCII here, line after line\n" * 200_000 + "备注：加急，请尽快发货。\n" * 3
    assert read_text("a.txt", text.encode("gbk")).text == text
    one_line = "库存不足，请补货；" * 200_000
    assert read_text("a.txt", one_line.encode("gbk")).encoding == "gb18030"


def test_a_letter_in_a_long_file_is_told_by_the_words_around_it() -> None:
    text = "plain words\n" * 200 + "naïve\nmore\n"
    guess = detect(text.encode("cp1252"))
    assert (guess.encoding, guess.other) == ("cp1252", "")


def test_a_zero_byte_at_the_start_of_plain_text_is_no_fault_of_ours() -> None:
    log = b"line\x00\n" + b"more words here and there\n" * 40
    assert detect(log).encoding == "utf-8"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("员工每年有十五天年假，请假须提前三天向主管提出。" * 10, "gb18030"),
        ("員工每年有十五天年假，請假須提前三天向主管提出。" * 10, "big5hkscs"),
        ("員工每年有十五天年假，請假須提前三天向主管提出。" * 10, "gb18030"),
        ("毎年の休暇は十五日であり、三日前に上司へ申請する。" * 10, "euc_jp"),
    ],
)
def test_much_text_in_common_letters_is_sure(text: str, encoding: str) -> None:
    guess = detect(text.encode(encoding))
    assert (guess.encoding, guess.other, guess.is_noise) == (encoding, "", False)
