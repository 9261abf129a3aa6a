"""XML as a stream of events, for the parts of Office files and books.

It knows markup; it does not know what any element means. Names come without their namespace, so
that Strict and Transitional Office files read alike. A document type is refused before anything
in it is read, but for the bare name of one in a book: no entity is ever defined, nothing is ever
fetched.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
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


_NO_ATTRIBUTES: Mapping[str, str] = {}
_new = tuple.__new__  # of an event, without the Python function of a named tuple


def events(
    filename: str,
    pieces: Iterable[bytes],
    skipped: frozenset[str] = frozenset(),
    *,
    may_name_type: bool = False,
) -> Iterator[Event]:
    """Yield what the markup says, in order, while it is being read.

    An attribute that names a relationship keeps a prefix: `r:id`.

    Args:
        filename: For messages.
        pieces: The bytes.
        skipped: Names of elements that are left out, with all inside them.
        may_name_type: A document type may be named (`<!DOCTYPE package PUBLIC …>`), not declared.

    Raises:
        DamagedFile: Not well-formed, nested too deeply, or it declares a document type.
    """
    found: list[Event] = []
    depth = skipping = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, skipping
        depth += 1
        if depth > MAX_DEPTH:
            raise DamagedFile(f"{filename!r} nests its markup deeper than {MAX_DEPTH} levels")
        local = _LOCAL[name]
        if skipping or local in skipped:
            skipping += 1
            return
        own = {_KEYS[k]: v for k, v in attributes.items()} if attributes else _NO_ATTRIBUTES
        found.append(_new(Event, ("start", local, own)))

    def end(name: str) -> None:
        nonlocal depth, skipping
        depth -= 1
        if skipping:
            skipping -= 1
        else:
            found.append(_new(Event, ("end", _LOCAL[name], _NO_ATTRIBUTES)))

    def text(data: str) -> None:
        if not skipping:
            found.append(_new(Event, ("text", data, _NO_ATTRIBUTES)))

    parser = _parser(filename, may_name_type)
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            yield from found
            found.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as exc:
        raise DamagedFile(f"{filename!r} contains broken markup: {exc}") from exc
    yield from found


def _parser(filename: str, may_name_type: bool) -> expat.XMLParserType:
    """Return a parser that defines no entity and reads nothing from elsewhere."""

    def doctype(_name: str, _system: str | None, _public: str | None, has_subset: bool) -> None:
        if has_subset or not may_name_type:
            _refuse(filename)

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = partial(_refuse, filename)
    # without a handler for external entities expat opens none, and it reads no external subset
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    return parser


def _refuse(filename: str, *_: object) -> None:
    raise DamagedFile(f"{filename!r} declares a document type (DOCTYPE); none is allowed here")


class _Names(dict[str, str]):
    """Long names → short ones; as many as Office has are kept."""

    def __init__(self, shorten: Callable[[str], str]) -> None:
        self._shorten = shorten

    def __missing__(self, name: str) -> str:
        short = self._shorten(name)
        if len(self) < KNOWN_NAMES:
            self[name] = short
        return short


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _key(name: str) -> str:
    space, _, local = name.rpartition("}")
    return f"r:{local}" if space.endswith("/relationships") else local


_LOCAL, _KEYS = _Names(_local), _Names(_key)
