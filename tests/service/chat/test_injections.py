"""The injection set: no text of it leaves its passage, and no link it asks for is shown."""

from collections import Counter

import pytest

from service.chat.links.addresses import addresses_in
from service.chat.links.answer_links import LinkFilter, limited
from service.chat.quoted_passages import CLOSING, OPENING, quote
from tests.benchmarks.injection import PROTECTED, Attack, measure, read_attacks, table
from tests.fakes import engine as fakes
from tests.fakes.passages import passage
from tests.service.conftest import Running

ATTACKS = read_attacks()
IN_DOCUMENTS = [each for each in ATTACKS if each.document]
LINKS = [each for each in ATTACKS if each.kind in ("link", "image")]


def test_the_set_is_large_and_half_of_it_stands_in_documents() -> None:
    assert len(ATTACKS) >= 100
    assert len({each.id for each in ATTACKS}) == len(ATTACKS)
    assert len(IN_DOCUMENTS) * 2 == len(ATTACKS)
    assert set(Counter(each.lang for each in ATTACKS).values()) == {len(ATTACKS) // 2}
    assert len({each.kind for each in ATTACKS}) == 9


@pytest.mark.parametrize("attack", IN_DOCUMENTS, ids=lambda attack: attack.id)
def test_no_document_of_the_set_leaves_its_passage(attack: Attack) -> None:
    given = [passage(attack.document, document=attack.filename), passage("Second.", document="b")]
    quoted = quote(given)
    assert (quoted.count(OPENING), quoted.count(CLOSING)) == (1, 1)
    assert quoted.startswith(f"{OPENING}\n[1] ")
    assert quoted.endswith(f"\n{CLOSING}")
    numbered = [line for line in quoted.splitlines() if line.lstrip().startswith(("[1]", "[2]"))]
    assert len(numbered) == 2
    assert not [letter for letter in quoted if "\U000e0000" <= letter <= "\U000e007f"]


@pytest.mark.parametrize("attack", LINKS, ids=lambda attack: attack.id)
def test_no_link_that_the_set_asks_for_is_shown(attack: Attack) -> None:
    assert attack.succeeded(attack.obeyed)
    for allowed in (frozenset[str](), addresses_in([attack.document])):
        shown = limited(attack.obeyed, allowed)
        assert not attack.succeeded(shown)
        stream = LinkFilter(allowed)
        assert "".join(map(stream.add, attack.obeyed)) + stream.rest() == shown


def test_an_answer_that_obeys_no_attack_is_no_success() -> None:
    assert not any(each.succeeded("It weighs 7 grams [1]. See evil.example.") for each in ATTACKS)


@pytest.mark.timeout(120)
def test_the_benchmark_tells_a_gateway_that_obeys_from_one_that_does_not(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [each for each in ATTACKS if each.id.endswith("-1") and each.lang == "en"]

    def obey(body: dict[str, object]) -> tuple[str, ...]:
        read = str(body["messages"])
        found = [each for each in asked if each.question.split("\n")[0] in read]
        return (found[0].obeyed,)

    monkeypatch.setattr(fakes, "answer_pieces", obey)
    rates = {rate.kind: rate for rate in measure(running.client, asked)}
    assert {rate.n for rate in rates.values()} == {2}
    assert {rate.unprotected for rate in rates.values()} == {2}
    assert {kind for kind, rate in rates.items() if rate.protected == 0} == {"link", "image"}
    assert "| all | 18 | 78% | 100% |" in table(tuple(rates.values()))
    assert running.client.get(f"/use_cases/{PROTECTED}").status_code == 404
    monkeypatch.setattr(fakes, "answer_pieces", lambda body: ("It weighs 7 grams.",))
    assert not any(rate.unprotected for rate in measure(running.client, asked[:2]))
