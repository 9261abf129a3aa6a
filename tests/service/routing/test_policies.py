"""The policy in force: changed without a restart, kept when a new one is bad, tuned by teams."""

import logging
from pathlib import Path

import pytest

from router import DEFAULT_POLICY_FILE, InvalidPolicy, default_policy, load_policy
from service.api.schemas.health import PolicyState
from service.routing.policies import PolicyFile, PolicyInForce, policy_for
from service.settings import ServerSettings, Settings
from tests.service.conftest import Running
from tests.service.waiting import eventually

TEXT = DEFAULT_POLICY_FILE.read_text(encoding="utf-8")
RAG_FIRST = TEXT.replace("prefer: [hybrid, rag, fine_tuned]", "prefer: [rag, hybrid]")
BAD = TEXT.replace("when: chitchat\n", "when: chitchatt\n")
assert len({TEXT, RAG_FIRST, BAD}) == 3


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def check_twice(policies: PolicyInForce) -> None:
    policies.reload_if_changed()
    policies.reload_if_changed()


def test_a_changed_file_is_loaded_once_it_is_settled(file: Path) -> None:
    policies = PolicyInForce(file)
    file.write_text(RAG_FIRST, encoding="utf-8")
    policies.reload_if_changed()
    assert policies.policy.version == default_policy().version  # it may still be written
    policies.reload_if_changed()
    assert policies.policy.version == load_policy(file).version != default_policy().version
    assert policies.refused is None


def test_a_bad_file_is_refused_once_and_the_old_policy_stays(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    policies = PolicyInForce(file)
    with caplog.at_level(logging.ERROR, "service.routing.policies"):
        file.write_text(BAD, encoding="utf-8")
        check_twice(policies)
        file.touch()
        check_twice(policies)
    (logged,) = caplog.messages
    line = BAD.splitlines().index("  when: chitchatt") + 1
    assert f"{policies.policy.version} stays in force: {file}, line {line}: preference[1]" in logged
    shown = PolicyState.of(policies)
    assert shown.version == default_policy().version
    assert shown.refused is not None
    assert shown.refused.line == line
    assert "chitchatt" in shown.refused.reason
    assert len(shown.refused.digest or "") == 8


@pytest.mark.parametrize("text", [TEXT, RAG_FIRST])
def test_a_good_file_after_a_bad_one_is_loaded(file: Path, text: str) -> None:
    policies = PolicyInForce(file)
    file.write_text(BAD, encoding="utf-8")
    check_twice(policies)
    file.write_text(text, encoding="utf-8")
    check_twice(policies)
    assert policies.refused is None
    assert policies.policy.version == load_policy(file).version


def test_a_file_that_goes_away_is_refused_and_comes_back(file: Path) -> None:
    policies = PolicyInForce(file)
    file.unlink()
    check_twice(policies)
    assert policies.refused is not None
    assert "cannot be read" in policies.refused.fault.reason
    file.write_text(TEXT, encoding="utf-8")
    check_twice(policies)
    assert policies.refused is None


def test_a_file_that_did_not_change_is_not_read(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies = PolicyInForce(file)
    monkeypatch.setattr("service.routing.policies.load_policy", None)
    check_twice(policies)


@pytest.mark.parametrize("text", [None, BAD])
def test_a_shadow_policy_may_be_missing_or_bad_until_it_is_written(
    file: Path, text: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    if text is None:
        file.unlink()
    else:
        file.write_text(text, encoding="utf-8")
    shadow = PolicyFile(file)
    assert shadow.latest is None
    assert shadow.refused is not None
    assert shadow.refused.fault.file == str(file)
    assert "none stays the shadow policy" in caplog.text
    file.write_text(TEXT, encoding="utf-8")
    shadow.reload_if_changed()
    shadow.reload_if_changed()
    assert PolicyState.of(shadow).model_dump() == {
        "version": default_policy().version,
        "file": str(file),
        "refused": None,
    }


@pytest.mark.parametrize("text", [None, BAD])
def test_the_policy_in_force_must_be_good_at_start(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink()
    else:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidPolicy):
        PolicyInForce(file)


def test_warnings_of_the_policy_are_logged(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    wide = TEXT.replace("when: {any: [asks_fact, follow_up]}", "when: need == 'knowledge'")
    file.write_text(wide, encoding="utf-8")
    with caplog.at_level(logging.WARNING, "service.routing.policies"):
        PolicyInForce(file)
    assert "can never choose" in caplog.text


def test_a_threshold_the_new_policy_does_not_take_is_left_out_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    policy = load_policy(DEFAULT_POLICY_FILE)
    with caplog.at_level(logging.WARNING, "service.routing.policies"):
        found = [policy_for(policy, {"min_passages": 2, "forgotten": 3}) for _ in range(2)]
    assert len(caplog.messages) == 1
    assert {name: t.value for name, t in found[0].overrides.items()} == {"min_passages": 2}
    assert policy_for(policy, {}) is policy


class TestGateway:
    """A whole gateway on a policy file of its own."""

    @pytest.fixture
    def settings(self, tmp_path: Path, file: Path) -> Settings:
        small = ServerSettings(max_body_bytes=200_000)
        made = Settings(home=tmp_path / "home", server=small, policy=file)
        made.paths.make()
        return made

    def test_a_changed_policy_decides_without_a_restart_and_a_bad_one_does_not(
        self, running: Running, file: Path
    ) -> None:
        running.prepare()

        def strategy() -> str:
            messages = [{"role": "user", "content": "How many days for returns?"}]
            body = {"messages": messages, "use_case": "demo"}
            return str(running.client.post("/route", json=body).json()["strategy"])

        assert strategy() == "hybrid"
        file.write_text(RAG_FIRST, encoding="utf-8")
        eventually(lambda: strategy() == "rag")
        version = load_policy(file).version
        file.write_text(BAD, encoding="utf-8")
        eventually(lambda: running.client.get("/ready").json()["policy"]["refused"] is not None)
        reply = running.client.get("/ready")
        told = reply.json()["policy"]
        assert (reply.status_code, told["version"], strategy()) == (200, version, "rag")
        assert told["refused"]["file"] == str(file)

    def test_a_use_cases_threshold_is_checked_applied_and_shown(self, running: Running) -> None:
        running.prepare()
        body = {"id": "demo", "knowledge_bases": ["handbook"], "thresholds": {"min_passages": 5}}
        assert running.client.put("/use_cases/demo", json=body).status_code == 200
        answer = running.ask(use_case="demo", strategy="rag", explain=True).json()
        assert answer["outcome"] == "abstained"
        assert answer["decision"]["thresholds"] == {
            "min_passages": {"value": 5, "provenance": "declared", "policy_value": 1}
        }

    @pytest.mark.parametrize(
        ("thresholds", "reason"),
        [
            ({"min_pasages": 5}, "did you mean min_passages?"),
            ({"min_passages": "many"}, "must be a finite number"),
            ({"min_labelled_examples": 5}, "hard rules use it"),
        ],
    )
    def test_a_threshold_that_cannot_be_is_refused_and_the_use_case_stays(
        self, running: Running, thresholds: dict[str, object], reason: str
    ) -> None:
        running.client.put("/use_cases/demo", json={"id": "demo", "role": "ours"})
        body = {"id": "demo", "thresholds": thresholds}
        reply = running.client.put("/use_cases/demo", json=body)
        assert reply.status_code == 422
        assert reply.json()["error"]["code"] == "threshold_refused"
        assert reason in reply.json()["detail"]
        assert running.client.get("/use_cases/demo").json()["role"] == "ours"
