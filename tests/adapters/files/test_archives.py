"""Archives that would write elsewhere, or too much, are refused before a byte is written."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters import UnsafeAdapterFolder
from adapters.files import archives
from adapters.files.archives import unpack

GOOD = {"lora/adapter_config.json": b"{}", "lora/deep/README.md": b"card"}
CLIMBING = ["../climbs", "/nowhere/climbs", "a/../../climbs", "C:\\climbs", "C:climbs", "a\\climbs"]


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def tar_of(path: Path, *members: tarfile.TarInfo, data: bytes = b"x") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            member.size = len(data) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return path


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def zip_of(path: Path, *entries: zipfile.ZipInfo) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for entry in entries:
            packed.writestr(entry, b"x")
    return path


def refuse(archive: Path, into: Path, match: str) -> None:
    with pytest.raises(UnsafeAdapterFolder, match=match):
        unpack(archive, into)
    assert list(into.iterdir()) == []
    assert {path.name for path in into.parent.iterdir()} == {"into", archive.name}


def test_plain_archives_are_unpacked(tmp_path: Path, into: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for name, data in GOOD.items():
            packed.writestr(name, data)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for name, data in GOOD.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    for name in ("a.zip", "a.tar.gz"):
        place = into / name
        place.mkdir()
        unpack(tmp_path / name, place)
        found = {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file()}
        assert found == GOOD


@pytest.mark.parametrize("name", CLIMBING)
def test_names_that_lead_out_are_refused(tmp_path: Path, into: Path, name: str) -> None:
    good = tarfile.TarInfo("good")
    refuse(
        tar_of(tmp_path / "a.tar.gz", good, tarfile.TarInfo(name)),
        into,
        "leads outside the archive",
    )
    (tmp_path / "a.tar.gz").unlink()
    entries = (zipfile.ZipInfo("good"), zipfile.ZipInfo(name))
    refuse(zip_of(tmp_path / "a.zip", *entries), into, "leads outside the archive")


@pytest.mark.parametrize(
    "member",
    [
        special("soft", tarfile.SYMTYPE, "/etc/passwd"),
        special("hard", tarfile.LNKTYPE, "good"),
        special("pipe", tarfile.FIFOTYPE),
        special("device", tarfile.CHRTYPE),
    ],
    ids=lambda member: str(member.name),
)
def test_links_and_special_files_are_refused(
    tmp_path: Path, into: Path, member: tarfile.TarInfo
) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", tarfile.TarInfo("good"), member)
    refuse(archive, into, f"special file: '{member.name}'")


def test_a_link_in_a_zip_is_refused(tmp_path: Path, into: Path) -> None:
    link = zipfile.ZipInfo("soft")
    link.external_attr = 0o120777 << 16
    refuse(zip_of(tmp_path / "a.zip", link), into, "special file: 'soft'")


@pytest.mark.parametrize("limit", ["MAX_FILES", "MAX_BYTES"])
def test_more_than_an_adapter_is_refused_before_it_is_unpacked(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(archives, limit, 2)
    members = [tarfile.TarInfo(f"{n}") for n in range(3)]
    refuse(tar_of(tmp_path / "a.tar.gz", *members), into, "must fit on the disk")


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.xz", "a.tar.bz2"])
@pytest.mark.parametrize("content", [b"", b"no archive at all" * 100, b"\x1f\x8b\x08" + b"\0" * 99])
def test_what_is_no_archive_is_refused(
    tmp_path: Path, into: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    refuse(tmp_path / name, into, "cannot be unpacked")


def test_half_an_archive_is_refused(tmp_path: Path, into: Path) -> None:
    make: dict[str, Callable[[Path], Path]] = {
        "a.tar.gz": lambda p: tar_of(p, tarfile.TarInfo("good"), data=bytes(range(256)) * 400),
        "a.zip": lambda p: zip_of(p, zipfile.ZipInfo("good")),
    }
    for name, build in make.items():
        whole = build(tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(UnsafeAdapterFolder, match="cannot be unpacked"):
            unpack(tmp_path / name, into)
