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
