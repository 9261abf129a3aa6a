"""The page that a citation's link leads to."""

from urllib.parse import urlsplit

import httpx
import pytest

from service.settings import Settings
from tests.service.conftest import Running

TEXT = "# Returns\n\nWelcome <b>all</b>.\n\nAn unused lamp can be returned within 30 days."


def cited_link(running: Running, name: str = "returns.md") -> str:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    assert running.put_document(TEXT, name).status_code == 200
    running.put_use_case()
    running.engine.switches.pieces = ("Within 30 days [1].",)
    messages = [{"role": "user", "content": "Within how many days can a lamp be returned?"}]
    body = {"model": "rag", "messages": messages, "use_case": "demo"}
    done = running.client.post("/v1/chat/completions", json=body).json()
    (annotation,) = done["choices"][0]["message"]["annotations"]
    return str(annotation["url_citation"]["url"])


@pytest.mark.parametrize("name", ["returns.md", "en/退货 rules?.md"])
def test_the_link_leads_to_the_passage_in_its_document(running: Running, name: str) -> None:
    link = cited_link(running, name)
    assert link.startswith(str(running.client.base_url))
    assert urlsplit(link).fragment == "passage"
    page = httpx.get(link)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    marked = page.text.split('<mark id="passage">')[1].split("</mark>")[0]
    assert "returned within 30 days" in marked
    assert "<b>" not in page.text
    assert "&lt;b&gt;all" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_document_that_was_replaced_is_shown_as_it_is_and_that_is_said(running: Running) -> None:
    link = cited_link(running)
    assert running.put_document("# Returns\n\nNo returns any more.").status_code == 200
    page = httpx.get(link).text
    assert "No returns any more." in page
    assert "<mark" not in page
    assert "found in version 1; the document has been replaced since" in page
    spoken = httpx.get(link, headers={"accept-language": "zh-CN"})
    assert "此后该文档已被替换" in spoken.text
    assert spoken.headers["content-language"] == "zh-Hans"


def test_a_deleted_document_is_404(running: Running) -> None:
    link = cited_link(running)
    running.client.delete("/v1/vector_stores/handbook/documents/returns.md")
    assert httpx.get(link).status_code == 404


def test_its_stylesheet_is_served(running: Running) -> None:
    reply = running.client.get("/sources.css")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/css")


class TestBehindAProxy:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        server = settings.server.model_copy(update={"public_url": "https://help.example.com"})
        return settings.model_copy(update={"server": server})

    def test_links_lead_to_where_clients_reach_the_gateway(self, running: Running) -> None:
        link = cited_link(running)
        assert link.startswith("https://help.example.com/sources/handbook/returns.md?version=1&")
