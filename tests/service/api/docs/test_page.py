"""`/` and `/docs`: where to begin, without a request that leaves the host."""

import re
import tomllib

import pytest

from service.api.docs.page import PAGES
from service.settings import CHECKOUT, VERSION
from tests.service.conftest import Running

LOADED = re.compile(r"""(?:src|href|url|import|fetch)\s*[=(]\s*["'`]?([^"'`\s)>]+)""")


def test_the_root_says_what_answers_and_every_link_of_it_leads_somewhere(running: Running) -> None:
    reply = running.client.get("/")
    assert (reply.status_code, reply.json()["name"]) == (200, "Fingerpost")
    document = running.client.get("/openapi.json").json()
    assert reply.json()["version"] == document["info"]["version"] == VERSION
    for link in reply.json()["links"].values():
        assert link in document["paths"] or running.client.get(link).status_code == 200, link


def test_the_version_is_that_of_the_package() -> None:
    text = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["project"]["version"] == VERSION


def test_the_page_of_endpoints_comes_with_all_that_it_loads(running: Running) -> None:
    page = running.client.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    loaded = [target for target in LOADED.findall(page.text) if target != "data:,"]
    assert len(loaded) >= 3
    for target in loaded:
        reply = running.client.get(target)
        assert (target, reply.status_code) == (target, 200)


def test_the_page_may_reach_nothing_but_this_host(running: Running) -> None:
    for path in ("/docs", "/docs/docs.js", "/docs/docs.css"):
        policy = running.client.get(path).headers["content-security-policy"]
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules.pop("default-src") == "'none'"
        assert set(rules.values()) <= {"'self'", "'none'", "data:"}


@pytest.mark.parametrize("name", ["docs.html", "docs.js", "docs.css"])
def test_no_file_of_the_page_names_another_host(name: str) -> None:
    text = (PAGES / name).read_text(encoding="utf-8")
    assert not re.findall(r"https?:|wss?:|[\"'`(]//\w|@import", text)
