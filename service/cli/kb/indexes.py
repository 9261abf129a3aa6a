"""`fingerpost kb check|rebuild|reindex`: the vector index of a knowledge base."""

from contextlib import closing

import typer

from service.cli.client import Gateway, segment, wait_for_job
from service.cli.kb.bases import BaseArgument
from service.cli.output import FAILED, JsonOption, UrlOption, command_output
from service.cli.replies import AcceptedReply, IndexCheckReply


def check(base: BaseArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show what `kb reconcile` would repair, changing nothing; exits with 1 if anything."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        found = gateway.get(f"/v1/vector_stores/{segment(base)}/check", IndexCheckReply)
        output.result(found.body, _sentence(found.reply))
        if not found.reply.in_step:
            raise typer.Exit(FAILED)


def rebuild(base: BaseArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Rebuild the vector index from the stored vectors; the old index serves until then."""
    _renew(base, "rebuild", url, as_json)


def reindex(base: BaseArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Embed all documents again with the configured (next) embedder, then swap the index."""
    _renew(base, "reindex", url, as_json)


def _renew(base: str, kind: str, url: str | None, as_json: bool) -> None:
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        accepted = gateway.post(f"/v1/vector_stores/{segment(base)}/{kind}", AcceptedReply).reply
        assert accepted.job is not None, "a new index is always a job"
        done = wait_for_job(gateway, output, accepted.job.id, f"{kind} {base}").result or {}
        human = f"{base} has a new index of {done.get('missing_added', 0)} vectors"
        if not done.get("available", True):
            human += "; Chroma is unavailable: the worker fills the index once it is back"
        output.result(done, human)


def _sentence(found: IndexCheckReply) -> str:
    sizes = (
        f"documents {found.documents}, chunks {found.chunks}, missing {found.missing}, "
        f"orphans {found.orphans}, unfinished {found.unfinished}, generation {found.generation}"
    )
    made_by = f"{found.embedding_model} ({found.embedding_revision})"
    if found.in_step and found.wants_reindex:
        return f"consistent, made by {made_by}; `kb reindex` moves it to the next embedder. {sizes}"
    if found.in_step:
        return f"consistent: {sizes}"
    if not found.available:
        return f"the vector index is unavailable ({found.detail}): {sizes}"
    if not found.embedder_fits:
        return f"made by {made_by}, which is not the configured embedder; run `kb reindex`. {sizes}"
    return f"inconsistent; run `kb reconcile` to repair it: {sizes}"
