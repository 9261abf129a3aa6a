from knowledge import Knowledge, NewDocument
from tests.knowledge.conftest import BASE, TENANT


def test_all_that_hold_the_code_asked_for_stand_before_what_has_more_of_the_words(
    knowledge: Knowledge,
) -> None:
    wordy = "The yearly price list of brass lamps: price, brass, lamps, list, price of lamps."
    rows = [
        NewDocument(f"wordy{place}", "w.txt", f"{wordy} {place}".encode()) for place in range(6)
    ]
    holders = [
        NewDocument(
            f"holder{place}", "h.txt", f"Drawer {place} keeps BX-059. ".encode() + b"It " * 40
        )
        for place in range(2)
    ]
    others = [NewDocument(f"d{place}", "d.txt", b"Trams leave at noon.") for place in range(60)]
    knowledge.ingest_many(BASE, [*rows, *holders, *others], tenant=TENANT)
    found = knowledge.retrieve(
        "price list of brass lamps BX-059",
        base_ids=[BASE],
        retrievers=["lexical"],
        top_k=3,
        tenant=TENANT,
    )
    names = [passage.external_id for passage in found.passages]
    assert set(names[:2]) == {"holder0", "holder1"}
    assert names[2].startswith("wordy")


def test_of_equal_texts_the_one_in_the_letters_of_the_question_stands_first(
    knowledge: Knowledge,
) -> None:
    texts = {"hant": "退貨運費由買家承擔。", "hans": "退货运费由买家承担。"}
    knowledge.ingest_many(
        BASE,
        [NewDocument(name, f"{name}.md", text.encode()) for name, text in texts.items()],
        tenant=TENANT,
    )
    for question, name in (("退貨運費由誰承擔？", "hant"), ("退货运费由谁承担？", "hans")):
        found = knowledge.retrieve(question, base_ids=[BASE], tenant=TENANT)
        assert [passage.external_id for passage in found.passages][0] == name
        assert {passage.external_id for passage in found.passages} == set(texts)
        assert all(passage.is_relevant for passage in found.passages)
        shown = {passage.external_id: passage.text for passage in found.passages}
        assert shown == texts


def test_letters_of_its_own_behind_the_first_words_count_and_weigh_less_than_words(
    knowledge: Knowledge,
) -> None:
    texts = {
        "hans": "由本店售出的一切物品，退货运费由买家承担。",
        "hant": "由本店售出的一切物品，退貨運費由買家承擔。",
        "less": "運費。",
    }
    knowledge.ingest_many(
        BASE,
        [NewDocument(name, f"{name}.md", text.encode()) for name, text in texts.items()],
        tenant=TENANT,
    )
    found = knowledge.retrieve(
        "退貨運費由買家承擔嗎？", base_ids=[BASE], retrievers=["lexical"], tenant=TENANT
    )
    assert [passage.external_id for passage in found.passages] == ["hant", "hans", "less"]
