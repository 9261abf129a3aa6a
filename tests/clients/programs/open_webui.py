"""Open WebUI: its server is started on an empty data folder, and asked as its page asks it."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cells import (
    AUTO,
    BASE_URL,
    EMBEDDER,
    KEY,
    QUESTION,
    UNANSWERED,
    Wrong,
    cell,
    need,
    not_offered,
)

START_S = 180
ANSWER_S = 100
TALK = [
    {"role": "user", "content": QUESTION},
    {"role": "assistant", "content": "It is valid for 25 minutes."},
]


def environment(folder: str) -> dict[str, str]:
    """Return what makes it ask the gateway and nothing else."""
    return {
        **os.environ,
        "DATA_DIR": folder,
        "OPENAI_API_BASE_URL": BASE_URL,
        "OPENAI_API_KEY": KEY,
        "RAG_EMBEDDING_ENGINE": "openai",
        "RAG_OPENAI_API_BASE_URL": BASE_URL,
        "RAG_EMBEDDING_MODEL": EMBEDDER,
        "ENABLE_OLLAMA_API": "False",
        "WEBUI_AUTH": "False",
        "WEBUI_SECRET_KEY": "not-a-secret",
        "OFFLINE_MODE": "True",
        "HF_HUB_OFFLINE": "1",
        "SCARF_NO_ANALYTICS": "True",
        "DO_NOT_TRACK": "True",
        "ANONYMIZED_TELEMETRY": "False",
    }


class Page:
    """Its HTTP interface, as the page uses it."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._token = ""

    def send(self, path: str, body: Any = None) -> Any:
        """Return what it answers; without a body it is a GET."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers)
        with urllib.request.urlopen(request, timeout=ANSWER_S) as reply:
            return json.load(reply)

    def sign_in(self) -> None:
        """Sign in as the only user."""
        self._token = self.send("/api/v1/auths/signin", {"email": "", "password": ""})["token"]

    def chat(self, question: str, model: str = AUTO, *, tools: str = "legacy") -> Any:
        """Ask in a new chat, and return the answer as the chat keeps it.

        Args:
            question: The user's words.
            model: As the page lists it.
            tools: Its setting "Function Calling"; with `native`, its default, it offers tools of
                its own with every question.
        """
        asked, answer = str(uuid.uuid4()), str(uuid.uuid4())
        messages = {
            asked: {
                "id": asked,
                "parentId": None,
                "childrenIds": [answer],
                "role": "user",
                "content": question,
                "models": [model],
            },
            answer: {
                "id": answer,
                "parentId": asked,
                "childrenIds": [],
                "role": "assistant",
                "content": "",
                "model": model,
            },
        }
        history = {"messages": messages, "currentId": answer}
        made = self.send("/api/v1/chats/new", {"chat": {"models": [model], "history": history}})
        body = {
            "model": model,
            "stream": True,
            "messages": [{"role": "user", "content": question}],
            "chat_id": made["id"],
            "id": answer,
            "parent_id": asked,
            "session_id": str(uuid.uuid4()),
            "params": {"function_calling": tools},
        }
        self.send("/api/chat/completions", body)
        for _ in range(ANSWER_S):
            kept = self.send(f"/api/v1/chats/{made['id']}")["chat"]["history"]["messages"][answer]
            if kept.get("done") or kept.get("error"):
                break
            time.sleep(1)
        return kept

    def task(self, name: str) -> Any:
        """Return what the gateway answered to a prompt of the page's own."""
        body = {"model": AUTO, "messages": TALK, "chat_id": "local:1"}
        return self.send(f"/api/v1/tasks/{name}/completions", body)


@contextmanager
def running() -> Iterator[Page]:
    """Start the server, and end it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = [sys.executable, "-c", "from open_webui import app; app()"]
    command = [*start, "serve", "--host", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        silent = subprocess.DEVNULL
        server = subprocess.Popen(
            command, cwd=folder, env=environment(folder), stdout=silent, stderr=silent
        )
        try:
            yield _signed_in(port)
        finally:
            server.terminate()
            server.wait(30)


def _signed_in(port: int) -> Page:
    page = Page(port)
    deadline = time.monotonic() + START_S
    while True:
        try:
            page.sign_in()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return page


def content(kept: Any) -> str:
    """Return the text of an answer in a chat."""
    need(kept["content"] and not kept.get("error"), kept)
    return str(kept["content"])


def link(kept: Any) -> str:
    """Return the page that the first source of an answer leads to, opened."""
    sources = kept.get("sources")
    need(sources, kept)
    found = re.search(r"http://[^\"\s]+", json.dumps(sources))
    need(found, sources)
    assert found is not None, "needed above"
    with urllib.request.urlopen(found[0], timeout=30) as reply:
        text = reply.read().decode()
    need("25 minutes" in text, text[:500])
    return f"{found[0]} shows the passage"


def helper(page: Page, name: str) -> Callable[[], object]:
    """Return the cell of a prompt of the page's own.

    It goes to the base model, labelled, and the page can read what comes back.
    """

    def ask() -> object:
        done = page.task(name)
        need(done["route"].get("helper_prompt") and not done["sources"], done)
        text = done["choices"][0]["message"]["content"]
        found = text[text.find("{") : text.rfind("}") + 1]  # as the page finds it
        try:
            made = json.loads(found)[name]
        except (ValueError, KeyError) as exc:
            raise Wrong(f"labelled helper_prompt, but no JSON with {name!r}: {text!r}") from exc
        need(made, done)
        return made

    return ask


def refused(kept: Any) -> object:
    """Return the error that the chat shows."""
    need(kept.get("error"), kept)
    return f"shown in the chat: {kept['error']}"


for name in ("usage", "usage streamed", "structured", "structured, abstained", "responses"):
    not_offered(name, "the page has none")
for name in ("tool, named", "tool, required", "tool results sent back", "embeddings"):
    not_offered(name, "not part of a chat")
for name in ("system turn", "history", "disconnect", "too long", "two choices", "image"):
    not_offered(name, "not asked: sent as any other client does")

with running() as page:
    cell("chat")(lambda: content(page.chat(QUESTION)))
    cell("stream")(lambda: content(page.chat(QUESTION, "rag")))
    cell("chat, abstained")(lambda: content(page.chat(UNANSWERED)))
    cell("tool, auto")(lambda: refused(page.chat(QUESTION, tools="native")))
    cell("citations")(lambda: link(page.chat(QUESTION, "rag")))
    for title in ("title", "tags"):
        cell(f"helper prompt: {title}")(helper(page, title))
