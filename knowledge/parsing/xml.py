"""XML as a stream of events, for the parts of Office files and books.

It knows markup; it does not know what any element means. Names come without their namespace, so
that Strict and Transitional Office files read alike. A document type is refused before anything
in it is read, but for the bare name of one in a book: no entity is ever defined, nothing is ever
fetched.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple
from xml.parsers import expat

from knowledge.errors import DamagedFile

KNOWN_NAMES = 4_096  # kept with their short form; Office has about 2,000
MAX_DEPTH = 256  # Word nests tables to about 30; deeper is an attack on whoever keeps a stack


class Event(NamedTuple):
    """A start tag, an end tag (`name`), or text (`name` is the text)."""

    kind: Literal["start", "end", "text"]
    name: str
    attributes: Mapping[str, str] = {}


def events(
    filename: str, pieces: Iterable[bytes], *, may_name_type: bool = False
) -> Iterator[Event]:
    """Yield what the markup says, in order, while it is being read.

    An attribute that names a relationship keeps a prefix: `r:id`.

    Args:
        filename: For messages.
        pieces: The markup, in order.
        may_name_type: A document type may be named (`<!DOCTYPE package PUBLIC …>`), not declared.

    Raises:
        DamagedFile: Not well-formed, nested too deeply, or it declares a document type.
    """
    found: list[Event] = []
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise DamagedFile(f"{filename!r} nests its markup deeper than {MAX_DEPTH} levels")
        found.append(Event("start", _local(name), {_key(k): v for k, v in attributes.items()}))

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        found.append(Event("end", _local(name)))

    def text(data: str) -> None:
        found.append(Event("text", data))

    def doctype(_name: str, _system: str | None, _public: str | None, has_subset: bool) -> None:
        if has_subset or not may_name_type:
            refuse()

    def refuse(*_: object) -> None:
        raise DamagedFile(f"{filename!r} declares a document type (DOCTYPE); none is allowed here")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = refuse
    # without a handler for external entities expat opens none, and it reads no external subset
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            yield from found
            found.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as exc:
        raise DamagedFile(f"{filename!r} contains broken markup: {exc}") from exc
    yield from found


@lru_cache(KNOWN_NAMES)
def _local(name: str) -> str:
    return name.rpartition("}")[2]


@lru_cache(KNOWN_NAMES)
def _key(name: str) -> str:
    space, _, local = name.rpartition("}")
    return f"r:{local}" if space.endswith("/relationships") else local
