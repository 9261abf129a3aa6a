"""`/ready` tells the operator what to look after."""

from service.home_models import EARLIER, NEW, HomeModels, write_models
from tests.service.conftest import Running


def test_ready_tells_of_damaged_indexes_that_were_set_aside(running: Running) -> None:
    assert running.client.get("/ready").json()["index"]["set_aside"] is None
    home = running.settings.home
    for time in ("20260102T030405", "20251231T235959"):
        (home / f"chroma.damaged-{time}").mkdir()
    (home / "other.damaged-20270101T000000").mkdir()
    reply = running.client.get("/ready")
    found = reply.json()["index"]["set_aside"]
    assert (reply.status_code, reply.json()["degraded"]) == (200, [])
    assert (found["count"], found["newest"]) == (2, "chroma.damaged-20260102T030405")
    assert "Delete it once" in found["hint"]


def test_ready_names_the_models_and_the_way_to_newer_ones(running: Running) -> None:
    models = running.client.get("/ready").json()["models"]
    assert models["base_model"] == "smollm2-135m-instruct"
    assert models["embedder"] == "all-minilm-l6-v2"
    assert "fingerpost kb reindex" in models["note"]
    absent = HomeModels(NEW.base_model, EARLIER.embedder, missing=("other",))
    write_models(running.settings.paths, absent)  # these do not serve here: no note of theirs
    assert running.client.get("/ready").json()["models"]["note"] is None
