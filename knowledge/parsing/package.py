"""Office Open XML packages: the parts of an Office file and how they refer to each other.

It knows parts and relationships, Strict or Transitional; it does not know what any of them says.
"""

import posixpath
from collections.abc import Iterator

from knowledge.errors import DamagedFile
from knowledge.parsing.archive import Archive
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.xml import Event, events

SKIPPED = frozenset({"Fallback", "tabs", "tabLst", "moveFrom", "delInstrText"})
"""Elements nobody reads: copies for old programs, tab stops, the old place of moved text."""


class Package:
    """An Office file: its parts and how they refer to each other."""

    def __init__(self, filename: str, content: bytes, limits: ParseLimits) -> None:
        """Open it and find its main part.

        Raises:
            DamagedFile: It is no Office file.
        """
        self.filename = filename
        self.skipped: frozenset[str] = SKIPPED
        self.archive = Archive(filename, content, limits)
        self._targets: dict[str, dict[str, tuple[str, str]]] = {}  # what was read before
        self._addresses: dict[str, dict[str, str]] = {}  # … of links that lead out of the file
        found = self.related("", ("officeDocument",))
        if not found:
            raise DamagedFile(f"{filename!r} is not an Office file: it has no main part")
        self.main = found[0]

    def events(self, part: str) -> Iterator[Event]:
        """Yield the markup of a part, without the elements nobody reads."""
        return events(self.filename, self.archive.pieces(part), self.skipped)

    def related(self, part: str, kinds: tuple[str, ...]) -> list[str]:
        """Return the parts that a part refers to, those of the first kind first."""
        targets = self.targets(part)
        return [name for kind in kinds for found, name in targets.values() if found == kind]

    def targets(self, part: str) -> dict[str, tuple[str, str]]:
        """Return relationship id → (kind, part), of those inside this file."""
        if part not in self._targets:
            self._targets[part] = self._read_targets(part)
        return self._targets[part]

    def addresses(self, part: str) -> dict[str, str]:
        """Return relationship id → address, of the links of a part that lead out of the file."""
        self.targets(part)
        return self._addresses.get(part, {})

    def _read_targets(self, part: str) -> dict[str, tuple[str, str]]:
        folder, name = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        if relations not in self.archive.names:
            return {}
        found: dict[str, tuple[str, str]] = {}
        outside = self._addresses.setdefault(part, {})
        for event in events(self.filename, self.archive.pieces(relations)):
            target = event.attributes.get("Target", "")
            if event.kind != "start":
                continue
            if event.attributes.get("TargetMode") == "External":
                outside[event.attributes.get("Id", "")] = target
                continue
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            if path in self.archive.names:
                kind = posixpath.basename(event.attributes.get("Type", ""))
                found[event.attributes.get("Id", "")] = (kind, path)
        return found
