"""The same text is known again, an edited one is alike, another one is not."""

import random

import pytest
from sqlalchemy import Engine, func, select

from knowledge import Knowledge
from knowledge.sql.fingerprints import ALIKE, SAMPLE_PIECES, fingerprint, likeness
from knowledge.sql.tables import guarded_pieces
from tests.knowledge.conftest import BASE, TENANT

WORDS = "lamp desk chair river stone cloud paper glass wheel bread table light".split()


def words(seed: int, count: int) -> str:
    chosen = random.Random(seed)
    return " ".join(f"{chosen.choice(WORDS)}{chosen.randrange(1000)}" for _ in range(count))


@pytest.mark.parametrize(
    "same",
    [
        "# pay\r\n\r\nThe DIRECTOR earns 9000 euros.",
        "**Pay**: the director\tearns   9000 euros",
        "Pay the director earns \uff19\uff10\uff10\uff10 euros",  # full-width digits
        "Pay | the | director | earns | 9000 | euros",
    ],
)
def test_white_space_case_and_marks_do_not_count(same: str) -> None:
    assert fingerprint(same) == fingerprint("Pay\n\nThe director earns 9000 euros")


def test_one_other_digit_is_another_text_but_alike() -> None:
    one, other = (fingerprint(f"The director earns {pay} euros a month") for pay in (9000, 9001))
    assert one.text_hash != other.text_hash
    assert ALIKE < likeness(one.sample, other.sample) < 1


@pytest.mark.parametrize("text", ["-", "###", "a", "你好", "\ud800"])
def test_a_text_of_few_or_no_letters_has_a_fingerprint(text: str) -> None:
    made = fingerprint(text)
    assert len(made.sample) == 1
    assert fingerprint("something else").text_hash != made.text_hash


@pytest.mark.parametrize("count", [40, 5_000])
def test_half_of_a_text_is_alike_and_another_text_is_not(count: int) -> None:
    whole = fingerprint(words(1, count)).sample
    assert len(whole) == SAMPLE_PIECES
    half = fingerprint(f"{words(1, count)[: 4 * count]} {words(2, count // 2)}").sample
    assert likeness(whole, half) > 0.2
    assert likeness(whole, fingerprint(words(3, count)).sample) < 0.1
    assert likeness(whole, whole) == 1


def test_pieces_are_kept_of_guarded_documents_alone(knowledge: Knowledge, engine: Engine) -> None:
    def kept() -> int:
        with engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(guarded_pieces)) or 0

    text = words(1, 100).encode()
    knowledge.ingest(BASE, "open", "open.md", text, tenant=TENANT)
    assert kept() == 0
    knowledge.ingest(BASE, "pay", "pay.md", text + b" x", access=["hr"], tenant=TENANT)
    knowledge.delete_document(BASE, "pay", tenant=TENANT)
    assert kept() == SAMPLE_PIECES
    knowledge.ingest(BASE, "pay", "pay.md", text, access=[], tenant=TENANT)
    assert kept() == 0
