"""The list of endpoints in the repository is the one that the gateway has."""

from pathlib import Path

from service.api.docs.document import operations
from service.api.docs.reference import README, reference
from service.app import create_app
from service.home import Ports
from service.settings import Settings


def test_the_list_of_endpoints_is_made_from_the_document(tmp_path: Path) -> None:
    document = create_app(Settings(home=tmp_path), Ports(1, 1, 1)).openapi()
    text = README.read_text(encoding="utf-8")
    assert text == reference(document), "run: python -m tests.references"
    for path, method, _ in operations(document):
        assert text.count(f"| `{method.upper()} {path}` |") == 1


def test_a_reply_of_several_shapes_and_an_optional_body_are_named_by_their_schemas() -> None:
    text = README.read_text(encoding="utf-8")
    assert "| `AdapterDetailReply` or `DraftDetailReply` |" in text
    assert "| `PublishRequest` |" in text
    assert "`Response " not in text
    assert "`Body`" not in text
