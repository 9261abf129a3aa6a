"""Zip based files: opens one in memory and counts what it inflates to.

It knows zip; it does not know what the parts mean. Nothing is ever unpacked to disk and an archive
inside the archive is never opened. Sizes that the archive declares are not believed: inflated
bytes are counted as they come.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from knowledge.errors import DamagedFile, ParseLimitExceeded, PasswordRequired, UnsupportedFile
from knowledge.parsing.limits import MEGABYTE, ParseLimits

PIECE_BYTES = 65_536
ENCRYPTED = 0x1
RATIO_FLOOR_BYTES = 5 * MEGABYTE  # below it no ratio is dangerous: blank parts deflate 1,000 times
NESTED = {".zip", ".7z", ".rar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".tar", ".jar", ".iso"}
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError)


class Archive:
    """An open zip file that keeps its limits."""

    def __init__(self, filename: str, content: bytes, limits: ParseLimits) -> None:
        """Open it.

        Raises:
            DamagedFile: It is no zip file, or names parts outside itself.
            PasswordRequired: Its parts are locked.
            UnsupportedFile: It holds another archive.
            ParseLimitExceeded: It has too many parts, or they would inflate to too much.
        """
        self._filename = filename
        self._budget_bytes = limits.inflated_mb * MEGABYTE
        self._ratio_bytes = max(len(content) * limits.inflated_ratio, RATIO_FLOOR_BYTES)
        self._inflated = 0
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except BROKEN as exc:
            raise DamagedFile(
                f"{filename!r} is truncated, or not a file of this format: {exc}"
            ) from exc
        entries = self._zip.infolist()
        if len(entries) > limits.archive_entries:
            raise ParseLimitExceeded(
                f"{filename!r} has {len(entries)} parts; at most {limits.archive_entries} "
                "(knowledge.parse_archive_entries)"
            )
        for entry in entries:
            self._check(entry)
        self._count(sum(entry.file_size for entry in entries))
        self._inflated = 0
        self.names = frozenset(entry.filename for entry in entries)

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a part, counted as they inflate.

        Raises:
            DamagedFile: The part is missing or broken.
            ParseLimitExceeded: The file inflates to too much.
        """
        try:
            with self._zip.open(name) as part:
                is_more = True
                while is_more:
                    piece = part.read(PIECE_BYTES)
                    self._count(len(piece))
                    is_more = len(piece) == PIECE_BYTES  # a short one is the last
                    yield piece
        except KeyError as exc:
            raise DamagedFile(f"{self._filename!r} lacks its part {name!r}") from exc
        except RuntimeError as exc:  # zipfile's word for a locked part
            raise PasswordRequired(f"{self._filename!r} is locked: {exc}") from exc
        except BROKEN as exc:
            raise DamagedFile(f"{self._filename!r}, part {name!r}: {exc}") from exc

    def read(self, name: str) -> bytes:
        """Return all bytes of a part."""
        return b"".join(self.pieces(name))

    def _check(self, entry: zipfile.ZipInfo) -> None:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in entry.filename[:2]:
            raise DamagedFile(f"{self._filename!r} names a part outside itself: {path}")
        if path.suffix.lower() in NESTED:
            raise UnsupportedFile(f"{self._filename!r} holds another archive: {path}")
        if entry.flag_bits & ENCRYPTED:
            raise PasswordRequired(f"{self._filename!r} is password-protected")

    def _count(self, inflated: int) -> None:
        self._inflated += inflated
        if self._inflated > self._budget_bytes:
            allowed, key = self._budget_bytes, "knowledge.parse_inflated_mb"
        elif self._inflated > self._ratio_bytes:
            allowed, key = self._ratio_bytes, "knowledge.parse_inflated_ratio"
        else:
            return
        raise ParseLimitExceeded(
            f"{self._filename!r} inflates to more than {allowed:,} bytes ({key})"
        )
