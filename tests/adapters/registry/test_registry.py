import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import (
    AdapterIsLive,
    AdapterNotFound,
    AdapterRegistry,
    AdapterRetired,
    AdapterState,
    BaseModelMismatch,
    DigestMismatch,
    Evaluation,
    GateNotPassed,
    ModelFolder,
    NothingToRollBack,
    NotServable,
    UnsafeAdapterFolder,
    metadata,
)
from service.stores.database import create_tables, open_database
from tests.fakes.evaluation import make_evaluation

TENANT = "default"
Make = Callable[..., Path]


@pytest.fixture
def registry(tmp_path: Path, registry_dir: Path) -> Iterator[AdapterRegistry]:
    engine = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    create_tables(engine, metadata)
    ticks = iter(range(1, 1000))
    yield AdapterRegistry(engine, registry_dir, clock=lambda: float(next(ticks)))
    engine.dispose()


def register(
    registry: AdapterRegistry, make: Make, *seeds: int, task: str = "support"
) -> list[str]:
    return [registry.register(make(task, seed=seed), tenant=TENANT).adapter_id for seed in seeds]


def test_a_registered_adapter_is_found_with_all_it_said(
    registry: AdapterRegistry, make_adapter: Make, tiny_base: ModelFolder
) -> None:
    folder = make_adapter()
    adapter = registry.register(folder, base=tiny_base, tenant=TENANT)
    assert registry.get(adapter.adapter_id, tenant=TENANT) == adapter
    assert (adapter.task, adapter.folder, adapter.state) == ("support", folder, "trained")
    assert adapter.context_trained
    assert (adapter.base_model, adapter.base_revision) == (tiny_base.id, tiny_base.revision)
    assert adapter.metrics == {"train_loss": 1.0}
    assert adapter.sha256.startswith(adapter.adapter_id.partition("@")[2])


def test_registering_again_returns_the_known_adapter(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    folder = make_adapter()
    first = registry.register(folder, tenant=TENANT)
    registry.publish(first.adapter_id, tenant=TENANT)
    again = registry.register(folder, tenant=TENANT)
    assert (again.state, again.created_at) == (AdapterState.LIVE, first.created_at)
    assert len(registry.list(tenant=TENANT)) == 1


def test_publishing_flips_the_alias_and_rollback_flips_it_back(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    one, two = register(registry, make_adapter, 1, 2)
    registry.publish(one, tenant=TENANT)
    assert registry.resolve("support", tenant=TENANT).adapter_id == one
    alias = registry.publish(two, tenant=TENANT)
    assert (alias.adapter_id, alias.previous_adapter_id) == (two, one)
    assert registry.get(one, tenant=TENANT).state == AdapterState.PUBLISHED
    assert [a.adapter_id for a in registry.live()] == [two]
    registry.rollback("support", tenant=TENANT)
    assert registry.resolve("support", tenant=TENANT).adapter_id == one
    assert registry.alias("support", tenant=TENANT).previous_adapter_id == two
    registry.rollback("support", tenant=TENANT)
    assert registry.resolve("support", tenant=TENANT).adapter_id == two
    actions = [entry["action"] for entry in registry.alias("support", tenant=TENANT).history]
    assert actions == ["publish", "publish", "rollback", "rollback"]


def test_publishing_the_live_adapter_again_keeps_the_way_back(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    one, two = register(registry, make_adapter, 1, 2)
    registry.publish(one, tenant=TENANT)
    registry.publish(two, tenant=TENANT)
    assert registry.publish(two, tenant=TENANT).previous_adapter_id == one


def test_rollback_needs_an_earlier_adapter(registry: AdapterRegistry, make_adapter: Make) -> None:
    with pytest.raises(NothingToRollBack):
        registry.rollback("support", tenant=TENANT)
    one, two = register(registry, make_adapter, 1, 2)
    registry.publish(one, tenant=TENANT)
    with pytest.raises(NothingToRollBack):
        registry.rollback("support", tenant=TENANT)
    registry.publish(two, tenant=TENANT)
    registry.retire(one, tenant=TENANT)
    with pytest.raises(NothingToRollBack):
        registry.rollback("support", tenant=TENANT)
    assert registry.resolve("support", tenant=TENANT).adapter_id == two


def test_only_live_adapters_resolve(registry: AdapterRegistry, make_adapter: Make) -> None:
    one, two = register(registry, make_adapter, 1, 2)
    registry.publish(one, tenant=TENANT)
    assert registry.resolve(one, tenant=TENANT).adapter_id == one
    for name in (two, "other", "support@ffffffff"):
        with pytest.raises(AdapterNotFound):
            registry.resolve(name, tenant=TENANT)


def test_ids_of_every_tenant_are_known_and_no_others(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    (one,) = register(registry, make_adapter, 1)
    two = registry.register(make_adapter("support", seed=2), tenant="acme").adapter_id
    assert registry.known({one, two, "support@ffffffff"}) == {one, two}


def test_a_withdrawn_task_comes_back_by_rollback(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    (one,) = register(registry, make_adapter, 1)
    registry.publish(one, tenant=TENANT)
    registry.withdraw("support", tenant=TENANT)
    with pytest.raises(AdapterNotFound):
        registry.resolve("support", tenant=TENANT)
    assert registry.live() == ()
    registry.rollback("support", tenant=TENANT)
    assert registry.resolve("support", tenant=TENANT).adapter_id == one


def test_a_live_adapter_is_not_retired_and_a_retired_one_not_published(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    one, two = register(registry, make_adapter, 1, 2)
    registry.publish(one, tenant=TENANT)
    with pytest.raises(AdapterIsLive):
        registry.retire(one, tenant=TENANT)
    assert registry.retire(two, tenant=TENANT).state == AdapterState.RETIRED
    with pytest.raises(AdapterRetired):
        registry.publish(two, tenant=TENANT)
    assert registry.resolve("support", tenant=TENANT).adapter_id == one


def test_tasks_and_tenants_do_not_see_each_other(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    (one,) = register(registry, make_adapter, 1)
    (other,) = register(registry, make_adapter, 2, task="sales")
    registry.publish(one, tenant=TENANT)
    registry.publish(other, tenant=TENANT)
    assert registry.resolve("support", tenant=TENANT).adapter_id == one
    assert [a.adapter_id for a in registry.list(task="sales", tenant=TENANT)] == [other]
    assert registry.list(state=AdapterState.TRAINED, tenant=TENANT) == ()
    with pytest.raises(AdapterNotFound):
        registry.get(one, tenant="elsewhere")
    assert registry.list(tenant="elsewhere") == ()


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
def test_a_changed_folder_is_neither_verified_nor_published(
    registry: AdapterRegistry, make_adapter: Make, name: str
) -> None:
    (one,) = register(registry, make_adapter, 1)
    adapter = registry.get(one, tenant=TENANT)
    registry.verify(adapter)
    with (adapter.folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(DigestMismatch, match="changed on disk"):
        registry.publish(one, tenant=TENANT)
    with pytest.raises(DigestMismatch):
        registry.register(adapter.folder, tenant=TENANT)
    shutil.rmtree(adapter.folder)
    with pytest.raises(AdapterNotFound):
        registry.verify(adapter)


def test_a_folder_named_otherwise_than_its_content_is_refused(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    folder = make_adapter()
    renamed = folder.rename(folder.with_name("support@00000000"))
    with pytest.raises(DigestMismatch, match=folder.name):
        registry.register(renamed, tenant=TENANT)


def test_folders_outside_of_the_directory_are_refused(
    registry: AdapterRegistry, registry_dir: Path, make_adapter: Make, tmp_path: Path
) -> None:
    folder = make_adapter()
    outside = tmp_path / folder.name
    shutil.copytree(folder, outside)
    (registry_dir / "nested").mkdir()
    link = registry_dir / "support@11111111"
    link.symlink_to(outside)
    for place in (outside, registry_dir / ".." / folder.name, link, registry_dir, Path("/etc")):
        with pytest.raises(UnsafeAdapterFolder):
            registry.register(place, tenant=TENANT)
    (folder / "notes.txt").symlink_to("/etc/hostname")
    with pytest.raises(UnsafeAdapterFolder, match=r"notes\.txt"):
        registry.register(folder, tenant=TENANT)
    with pytest.raises(AdapterNotFound):
        registry.register(registry_dir / "support@22222222", tenant=TENANT)


def test_an_adapter_of_another_base_revision_is_refused(
    registry: AdapterRegistry, make_adapter: Make, tiny_base: ModelFolder
) -> None:
    other = replace(tiny_base, revision="sha256-000000000000")
    with pytest.raises(BaseModelMismatch, match="sha256-000000000000"):
        registry.register(make_adapter(), base=other, tenant=TENANT)


def test_an_adapter_of_another_chat_template_is_refused(
    registry: AdapterRegistry, make_adapter: Make, tiny_base: ModelFolder
) -> None:
    folder = make_adapter()
    run = json.loads((folder / "run.json").read_text())
    for sha256 in ("0" * 64, tiny_base.chat_template_sha256):
        (folder / "run.json").write_text(json.dumps({**run, "chat_template_sha256": sha256}))
        if sha256 == "0" * 64:
            with pytest.raises(BaseModelMismatch, match="another chat template"):
                registry.register(folder, base=tiny_base, tenant=TENANT)
            assert registry.list(tenant=TENANT) == ()
    assert len(str(tiny_base.chat_template_sha256)) == 64
    registry.register(folder, base=tiny_base, tenant=TENANT)


@pytest.mark.parametrize(
    ("name", "text"), [("run.json", "{}"), ("metrics.json", "["), ("metrics.json", "[" * 200_000)]
)
def test_an_adapter_without_its_papers_is_refused(
    registry: AdapterRegistry, make_adapter: Make, name: str, text: str
) -> None:
    folder = make_adapter()
    (folder / name).write_text(text)
    with pytest.raises(NotServable, match=name.replace(".", r"\.")):
        registry.register(folder, tenant=TENANT)


def test_what_was_registered_is_the_truth_even_if_run_json_changes(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    adapter = registry.register(make_adapter(), tenant=TENANT)
    (adapter.folder / "run.json").write_text(json.dumps({"effect_reference": []}))
    assert registry.get(adapter.adapter_id, tenant=TENANT).run == adapter.run


def judge(registry: AdapterRegistry, adapter_id: str, verdict: str) -> Evaluation:
    found = make_evaluation(adapter_id, verdict)
    registry.record_evaluation(found, tenant=TENANT)
    return found


def test_an_evaluation_is_kept_with_its_adapter(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    (one,) = register(registry, make_adapter, 0)
    assert (
        registry.get(one, tenant=TENANT).verdict,
        registry.get(one, tenant=TENANT).gate_passed,
    ) == (None, None)
    found = judge(registry, one, "IMPROVED")
    assert registry.get(one, tenant=TENANT).evaluation == found.as_dict()
    assert registry.get(one, tenant=TENANT).gate_passed is True
    with pytest.raises(AdapterNotFound):
        registry.record_evaluation(make_evaluation("other@00000000", "IMPROVED"), tenant=TENANT)


@pytest.mark.parametrize("verdict", ["REGRESSED", "REJECTED"])
def test_a_failed_gate_is_not_published_without_a_reason(
    registry: AdapterRegistry, make_adapter: Make, verdict: str
) -> None:
    (one,) = register(registry, make_adapter, 0)
    judge(registry, one, verdict)
    for override in (None, "", "  "):
        with pytest.raises(GateNotPassed, match=f"{verdict}: because the test says so"):
            registry.publish(one, override=override, tenant=TENANT)
    assert registry.get(one, tenant=TENANT).state == "evaluated"
    assert registry.get(one, tenant=TENANT).gate_passed is False


def test_an_evaluation_that_was_asked_for_and_failed_closes_the_gate(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    folder = make_adapter("support", seed=0)
    run = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**run, "config": {"do_eval": True}}))
    one = registry.register(folder, tenant=TENANT).adapter_id
    with pytest.raises(GateNotPassed, match="was to be evaluated .* adapters eval support@"):
        registry.publish(one, tenant=TENANT)
    alias = registry.publish(one, override="a demo", tenant=TENANT)
    assert alias.history[-1]["verdict"] == "none"
    judge(registry, one, "REJECTED")
    with pytest.raises(GateNotPassed, match="REJECTED"):
        registry.publish(one, tenant=TENANT)


def test_an_override_is_recorded_with_adapter_and_history(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    (one,) = register(registry, make_adapter, 0)
    judge(registry, one, "REJECTED")
    alias = registry.publish(one, override="  a demo for the board ", tenant=TENANT)
    entry = alias.history[-1]
    assert (entry["override"], entry["verdict"]) == ("a demo for the board", "REJECTED")
    adapter = registry.get(one, tenant=TENANT)
    assert adapter.state == "live"
    assert adapter.gate_override is not None
    assert adapter.gate_override["reason"] == "a demo for the board"
    assert adapter.gate_passed is True


def test_an_override_stands_for_its_own_verdict_only(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    (one,) = register(registry, make_adapter, 0)
    judge(registry, one, "REJECTED")
    registry.publish(one, override="a demo", tenant=TENANT)
    judge(registry, one, "REGRESSED")
    assert registry.get(one, tenant=TENANT).gate_passed is False


@pytest.mark.parametrize("verdict", ["IMPROVED", None])
def test_without_a_verdict_against_it_nothing_is_overridden(
    registry: AdapterRegistry, make_adapter: Make, verdict: str | None
) -> None:
    (one,) = register(registry, make_adapter, 0)
    if verdict:
        judge(registry, one, verdict)
    alias = registry.publish(one, override="not needed", tenant=TENANT)
    assert "override" not in alias.history[-1]
    assert registry.get(one, tenant=TENANT).gate_override is None


def states(registry: AdapterRegistry, adapter_id: str) -> list[str]:
    return [change.state.value for change in registry.history(adapter_id, tenant=TENANT)]


def test_an_adapter_goes_through_its_states_and_its_history_keeps_them(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    one = registry.register(
        make_adapter(seed=1), by="job_1", drafted_at=0.5, tenant=TENANT
    ).adapter_id
    judge(registry, one, "IMPROVED")
    assert registry.get(one, tenant=TENANT).state == AdapterState.EVALUATED
    registry.publish(one, by="gateway", tenant=TENANT)
    (two,) = register(registry, make_adapter, 2)
    registry.publish(two, tenant=TENANT)
    assert registry.get(one, tenant=TENANT).state == AdapterState.PUBLISHED
    registry.rollback("support", tenant=TENANT)
    registry.withdraw("support", tenant=TENANT)
    registry.retire(one, by="a person", tenant=TENANT)
    assert states(registry, one) == [
        *("draft", "trained", "evaluated", "published", "live"),
        *("published", "live", "published", "retired"),
    ]
    history = registry.history(one, tenant=TENANT)
    assert [change.at for change in history] == sorted(change.at for change in history)
    assert [(change.by, change.why) for change in history] == [
        ("job_1", "training began"),
        ("job_1", "registered"),
        (None, "verdict IMPROVED"),
        ("gateway", "verdict IMPROVED"),
        ("gateway", "publish"),
        (None, f"publish: {two} serves"),
        (None, "rollback"),
        (None, "withdraw"),
        ("a person", "retired"),
    ]
    assert states(registry, two) == ["trained", "published", "live", "published"]


def test_every_change_of_a_state_is_in_the_history_and_nothing_else(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    one, two = register(registry, make_adapter, 1, 2)
    registry.publish(one, tenant=TENANT)
    before = registry.history(one, tenant=TENANT)
    registry.publish(one, tenant=TENANT)
    registry.register(registry.get(one, tenant=TENANT).folder, tenant=TENANT)
    with pytest.raises(AdapterIsLive):
        registry.retire(one, tenant=TENANT)
    assert registry.history(one, tenant=TENANT) == before
    registry.retire(two, tenant=TENANT)
    registry.retire(two, tenant=TENANT)
    assert states(registry, two) == ["trained", "retired"]
    for adapter_id in (one, two):
        assert states(registry, adapter_id)[-1] == registry.get(adapter_id, tenant=TENANT).state
    with pytest.raises(AdapterNotFound):
        registry.history("support@ffffffff", tenant=TENANT)
    with pytest.raises(AdapterNotFound):
        registry.history(one, tenant="elsewhere")


def test_a_verdict_on_an_adapter_that_serves_does_not_take_it_out_of_service(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    (one,) = register(registry, make_adapter, 1)
    registry.publish(one, tenant=TENANT)
    judge(registry, one, "REGRESSED")
    assert registry.get(one, tenant=TENANT).state == AdapterState.LIVE
    last = registry.history(one, tenant=TENANT)[-1]
    assert (last.state, last.why) == (AdapterState.LIVE, "verdict REGRESSED")


def test_publishing_against_a_verdict_says_so_in_the_history(
    registry: AdapterRegistry, make_adapter: Make
) -> None:
    (one, two) = register(registry, make_adapter, 1, 2)
    judge(registry, one, "REJECTED")
    registry.publish(one, override="a demo", tenant=TENANT)
    assert registry.history(one, tenant=TENANT)[-2].why == "verdict REJECTED, overridden: a demo"
    registry.publish(two, tenant=TENANT)
    assert registry.history(two, tenant=TENANT)[-2].why == "never evaluated"
