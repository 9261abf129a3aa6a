"""A database that has no room left is told as 507, whoever wrote to it; else a failure is one."""

import sqlite3

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from service.api.http.error_replies import install


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ("database or disk is full", 507, "storage_full"),
        ("no such table: jobs", 500, "internal_error"),
    ],
)
def test_a_full_disk_is_507(said: str, status: int, code: str) -> None:
    app = FastAPI()
    install(app)

    @app.post("/write")
    def write() -> None:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError(said))

    reply = TestClient(app, raise_server_exceptions=False).post("/write")
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
