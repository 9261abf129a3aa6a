"""Errors in the language that a request asks for; what scripts read of them stays as it is."""

from typing import Any

import httpx
import pytest

from tests.service.conftest import Running

TRADITIONAL = {"accept-language": "zh-TW,zh;q=0.9,en;q=0.5"}


def told(running: Running, language: str, *, path: str = "/use_cases/none") -> httpx.Response:
    return running.client.get(path, headers={"accept-language": language})


@pytest.mark.parametrize(
    ("language", "title", "hint", "named"),
    [
        ("", "Use case not found", "PUT /use_cases/{id} or", "en"),
        ("fr", "Use case not found", "PUT /use_cases/{id} or", "en"),
        ("zh-CN,zh;q=0.9", "用例不存在", "用 PUT /use_cases/{id} 或", "zh-Hans"),
        ("zh-TW", "用例不存在", "用 PUT /use_cases/{id} 或", "zh-Hant"),
    ],
)
def test_title_and_hint_are_in_the_language_of_the_request(
    language: str, title: str, hint: str, named: str, running: Running
) -> None:
    reply = told(running, language)
    assert (reply.json()["title"], reply.headers["content-language"]) == (title, named)
    assert reply.json()["hint"].startswith(hint)
    assert "accept-language" in reply.headers["vary"]


def test_only_title_and_hint_depend_on_the_language(running: Running) -> None:
    def rest(language: str) -> dict[str, Any]:
        body = told(running, language).json()
        return {k: v for k, v in body.items() if k not in ("title", "hint", "request_id")}

    assert rest("zh") == rest("en")


def test_a_request_does_not_inherit_the_language_of_the_one_before(running: Running) -> None:
    assert told(running, "zh").json()["title"] == "用例不存在"
    assert running.client.get("/use_cases/none").json()["title"] == "Use case not found"


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("GET", "/nowhere", None, ("不存在", "列出全部路徑")),
        ("DELETE", "/chat", None, ("不支持該請求方法", "列出每個路徑支持的方法")),
        ("POST", "/chat", {"messages": 1}, ("請求格式錯誤", "請按報錯信息修改字段")),
    ],
)
def test_what_no_endpoint_of_ours_refuses_is_told_in_it_too(
    method: str, path: str, body: Any, told: tuple[str, str], running: Running
) -> None:
    reply = running.client.request(method, path, json=body, headers=TRADITIONAL).json()
    assert (reply["title"], told[1] in reply["hint"]) == (told[0], True), reply


def test_a_request_from_elsewhere_is_refused_in_its_language(running: Running) -> None:
    headers = {"accept-language": "zh", "host": "example.org"}
    assert (
        running.client.get("/ready", headers=headers).json()["title"] == "不允许使用该主机名或地址"
    )


def test_the_error_of_a_job_has_its_hint_in_the_language_of_who_reads_it(
    running: Running,
) -> None:
    blank = {"filename": "blank.md", "content": " \n"}
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    place = "/v1/vector_stores/handbook/documents/blank.md"
    reply = running.client.put(place, json=blank, headers={"accept-language": "zh"})
    assert reply.status_code >= 400
    assert reply.json()["hint"].endswith("。")
    (job,) = running.client.get("/jobs", headers={"accept-language": "zh"}).json()["data"]
    assert job["error"]["hint"] == reply.json()["hint"]
    (job,) = running.client.get("/jobs").json()["data"]
    assert job["error"]["hint"].isascii()
