"""Which labels and attributes a document gets that brings none."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from knowledge import Knowledge, NewDocument
from knowledge.access import check_access, check_attributes
from knowledge.errors import AccessConflict, InvalidAttributes
from knowledge.types import AttributeValue
from tests.knowledge.conftest import BASE, TENANT

PAY = "# Pay\n\nThe director earns 9000 euros a month.\n\nThe clerk earns 2500 euros a month.\n"
EDITED = PAY.replace("2500", "2600") + "\nReviewed in May.\n"
OTHER = "# Hours\n\nThe office opens at eight and closes at five.\n"

Put = Callable[..., tuple[str, ...]]


@pytest.fixture
def put(knowledge: Knowledge) -> Put:
    """Return how to add a document; it returns the labels that it has now."""

    def add(
        name: str,
        text: str,
        access: Sequence[str] | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
    ) -> tuple[str, ...]:
        done = knowledge.ingest(
            BASE,
            name,
            f"{name.removesuffix('.md')}.md",
            text.encode(),
            access=access,
            attributes=attributes,
            tenant=TENANT,
        )
        stored = knowledge.get_document(BASE, name, tenant=TENANT)
        assert stored.access == done.access
        return done.access

    return add


@pytest.fixture
def remove(knowledge: Knowledge) -> Callable[[str], object]:
    return lambda name: knowledge.delete_document(BASE, name, tenant=TENANT)


def test_a_document_of_its_own_is_open(put: Put) -> None:
    put("pay", PAY, ["hr"])
    assert put("hours", OTHER) == ()


def test_named_labels_count_whatever_place_and_content_had(put: Put) -> None:
    put("pay", PAY, ["hr"])
    assert put("copy", PAY, ["board"]) == ("board",)
    assert put("open", PAY, []) == ()
    assert put("pay", OTHER, []) == ()


def test_what_was_opened_on_purpose_stays_open(put: Put, remove: Callable[[str], object]) -> None:
    put("pay", PAY, ["hr"])
    put("pay-2026", PAY)
    remove("pay")
    assert put("pay-2026", PAY, []) == ()
    assert put("pay-2026", PAY) == ()
    assert put("pay-2026", EDITED) == ()
    assert put("pay-2027", PAY) == ()


def test_an_open_copy_opens_no_other(put: Put, remove: Callable[[str], object]) -> None:
    put("open", PAY, [])
    put("pay", PAY, ["hr"])
    assert put("copy", PAY) == ("hr",)
    for name in ("pay", "copy"):
        remove(name)
    assert put("third", PAY) == ("hr",)
    assert put("open", PAY) == ()


def test_a_deleted_open_document_comes_back_guarded_like_its_content(
    put: Put, remove: Callable[[str], object]
) -> None:
    put("copy", PAY)
    put("pay", PAY, ["hr"])
    remove("copy")
    assert put("copy", PAY) == ("hr",)


def test_two_guarded_copies_that_disagree_refuse_a_third(put: Put) -> None:
    put("pay", PAY, ["hr"])
    put("minutes", PAY, ["board"])
    with pytest.raises(AccessConflict, match=r"'pay' has hr; 'minutes' has board"):
        put("third", PAY)
    assert put("third", PAY, ["hr"]) == ("hr",)


def test_place_and_content_that_disagree_refuse_the_document(
    put: Put, knowledge: Knowledge
) -> None:
    put("pay", PAY, ["hr"])
    put("minutes", OTHER, ["board"])
    with pytest.raises(AccessConflict, match=r"'pay' has hr; 'minutes' has board"):
        put("pay", OTHER)
    assert knowledge.document_text(BASE, "pay", tenant=TENANT).text == PAY


def test_labels_exchanged_on_purpose_are_followed(
    put: Put, remove: Callable[[str], object]
) -> None:
    put("pay", PAY, ["hr"])
    put("pay", PAY, ["board"])
    assert put("copy", PAY) == ("board",)
    for name in ("pay", "copy"):
        remove(name)
    assert put("third", PAY) == ("board",)


def test_a_live_guard_counts_before_that_of_a_deleted_copy(
    put: Put, remove: Callable[[str], object]
) -> None:
    put("pay", PAY, ["hr"])
    put("minutes", PAY, ["board"])
    remove("pay")
    assert put("third", PAY) == ("board",)


def test_a_place_with_new_labels_is_not_held_to_its_old_ones(put: Put) -> None:
    put("pay", PAY, ["hr"])
    put("pay", OTHER, ["board"])
    assert put("pay", PAY) == ("board",)


def test_an_earlier_text_is_known_by_its_letters(put: Put) -> None:
    put("pay", PAY, ["hr"])
    put("pay", OTHER)
    assert put("copy", PAY.replace("\n", "\r\n")) == ("hr",)


def test_labels_of_a_write_that_was_not_finished_count(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("knowledge.sql.versions.activate", lose)
        with pytest.raises(OSError, match="lost"):
            put("pay", PAY, ["hr"])
    assert put("pay", OTHER) == put("copy", PAY) == ("hr",)


def lose(*_args: object, **_options: object) -> None:
    raise OSError("lost")


def test_an_earlier_text_of_a_guarded_document_is_guarded_at_every_place(put: Put) -> None:
    put("pay", PAY, ["hr"])
    put("pay", OTHER, [])
    assert put("copy", PAY) == ("hr",)
    assert put("pay", PAY) == ("hr",)


@pytest.mark.parametrize("name", ["pay-2026", "open"])
def test_an_edited_copy_of_a_guarded_document_is_guarded(put: Put, name: str) -> None:
    put("pay", PAY, ["hr"])
    put("open", OTHER)
    assert put(name, EDITED) == ("hr",)


def test_an_edit_of_an_open_document_that_is_like_a_guarded_one_stays_open(put: Put) -> None:
    put("open", PAY.replace("9000", "many"), [])
    put("pay", PAY, ["hr"])
    assert put("open", EDITED) == ()


def test_documents_written_together_follow_each_other(knowledge: Knowledge) -> None:
    text = PAY.encode()
    sources = [
        NewDocument("a", "a.md", text),
        NewDocument("b", "b.md", text, access=frozenset({"hr"})),
        NewDocument("c", "c.md", OTHER.encode()),
    ]
    done = knowledge.ingest_many(BASE, sources, tenant=TENANT)
    assert [report.access for report in done] == [("hr",), ("hr",), ()]


def test_attributes_follow_place_then_content_and_an_empty_set_takes_them_off(
    put: Put, knowledge: Knowledge
) -> None:
    def attributes(name: str) -> Mapping[str, AttributeValue]:
        return knowledge.get_document(BASE, name, tenant=TENANT).attributes

    put("pay", PAY, ["hr"], {"team": "desk"})
    put("pay", EDITED)
    put("copy", PAY)
    assert attributes("pay") == attributes("copy") == {"team": "desk"}
    put("pay", EDITED, attributes={})
    assert attributes("pay") == {}


def test_another_base_does_not_count(put: Put, knowledge: Knowledge) -> None:
    knowledge.create_base("Public", base_id="public", tenant=TENANT)
    put("pay", PAY, ["hr"])
    done = knowledge.ingest("public", "pay", "pay.md", PAY.encode(), tenant=TENANT)
    assert done.access == ()


@pytest.mark.parametrize(
    "attributes",
    [
        {f"k{number}": number for number in range(17)},
        {"": 1},
        {"k" * 65: 1},
        {"k": "v" * 513},
        {"k": None},
        {"k": ["v"]},
    ],
)
def test_attributes_past_a_limit_are_refused(attributes: Mapping[str, AttributeValue]) -> None:
    with pytest.raises(InvalidAttributes):
        check_attributes(attributes)


@pytest.mark.parametrize("labels", [[f"hr{number}" for number in range(65)], [""], ["x" * 65]])
def test_access_labels_past_a_limit_are_refused(labels: Sequence[str], put: Put) -> None:
    with pytest.raises(InvalidAttributes):
        check_access(labels)
    with pytest.raises(InvalidAttributes):
        put("pay", PAY, labels)


def test_attributes_and_labels_at_their_limits_are_kept(put: Put, knowledge: Knowledge) -> None:
    most = {"k" * 64: "v" * 512, "yes": True, **{f"k{number}": 1.5 for number in range(14)}}
    labels = tuple(sorted(["x" * 64, *(f"hr{number}" for number in range(63))]))
    assert put("pay", PAY, labels, most) == labels
    assert knowledge.get_document(BASE, "pay", tenant=TENANT).attributes == most


def test_attributes_are_those_of_a_live_copy_before_a_deleted_one(
    put: Put, remove: Callable[[str], object], knowledge: Knowledge
) -> None:
    put("live", PAY, attributes={"team": "desk"})
    put("gone", PAY, attributes={"team": "shop"})
    remove("gone")
    put("copy", PAY)
    assert knowledge.get_document(BASE, "copy", tenant=TENANT).attributes == {"team": "desk"}
