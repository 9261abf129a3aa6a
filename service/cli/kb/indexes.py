"""`fingerpost kb check|rebuild|reindex`: the vector index of a knowledge base."""

from contextlib import closing
from typing import Any

import typer

from service.cli.client import Gateway, segment, wait_for_job
from service.cli.kb.bases import BaseArgument
from service.cli.output import FAILED, JsonOption, UrlOption, reporting

_SAID = ("documents", "chunks", "missing", "orphans", "unfinished", "generation")


def check(base: BaseArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show what reconcile would repair, and change nothing; exit code 1 if there is anything."""
    with reporting(as_json) as report, closing(Gateway.find(url)) as gateway:
        found = gateway.get(f"/v1/vector_stores/{segment(base)}/check")
        report.result(found, _sentence(found))
        if not found["in_step"]:
            raise typer.Exit(FAILED)


def rebuild(base: BaseArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Fill a new generation of the index from the stored vectors; the old one serves meanwhile."""
    _renew(base, "rebuild", url, as_json)


def reindex(base: BaseArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Embed all documents again with the next embedder, or the only one, then swap once."""
    _renew(base, "reindex", url, as_json)


def _renew(base: str, kind: str, url: str | None, as_json: bool) -> None:
    with reporting(as_json) as report, closing(Gateway.find(url)) as gateway:
        job = gateway.post(f"/v1/vector_stores/{segment(base)}/{kind}")["job"]
        done = wait_for_job(gateway, report, job["id"], f"{kind} {base}").get("result") or {}
        human = f"{base} has a new index of {done.get('missing_added', 0)} vectors"
        if not done.get("available", True):
            human += "; Chroma is away: the worker fills it once it is back"
        report.result(done, human)


def _sentence(found: dict[str, Any]) -> str:
    sizes = ", ".join(f"{name} {found[name]}" for name in _SAID)
    made_by = f"{found['embedding_model']} ({found['embedding_revision']})"
    if found["in_step"] and found["wants_reindex"]:
        return f"in step, made by {made_by}: `kb reindex` brings it to the next embedder. {sizes}"
    if found["in_step"]:
        return f"in step: {sizes}"
    if not found["available"]:
        return f"the vector index does not answer ({found['detail']}): {sizes}"
    if not found["embedder_fits"]:
        return f"indexed by {made_by}, not by the configured embedder: `kb reindex`. {sizes}"
    return f"to repair, by `kb reconcile`: {sizes}"
