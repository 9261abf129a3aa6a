"""An answer as clients read it."""

from service.api.schemas.answers import CitationReply
from service.chat.citations import cite
from tests.fakes.passages import passage


def test_a_citation_shows_everything_needed_to_find_its_source() -> None:
    source = passage("A repair takes ten days.", document="repairs", page=4, version=2, ordinal=3)
    shown = CitationReply.of(cite("Ten days [1].", [source], "inline").citations[0])
    assert (shown.marker, shown.by, shown.page, shown.version) == (1, "marker", 4, 2)
    assert (shown.knowledge_base, shown.document_id) == ("handbook", "repairs")
    assert (shown.chunk_id, shown.text) == ("repairs_3", "A repair takes ten days.")
    assert source.text[shown.start : shown.end] == source.text
