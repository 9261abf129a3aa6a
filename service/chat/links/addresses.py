r"""Addresses in a text: found however they are written, compared, and made plain text.

A reader's program follows what looks like an address, so what counts here is the address and not
the markup around it: `https://`, `https&colon;//` and `https:\/\/` are one. It does not know
answers or passages.
"""

import html
import re
from collections.abc import Iterable

COLON = r"(?::|\\:|\\u003[aA]|&colon;|&#0*58;?|&#[xX]0*3[aA];?)"
SLASH = r"(?:/|\\u00(?:2[fF]|5[cC])|\\|&sol;|&bsol;|&#0*(?:47|92);?|&#[xX]0*(?:2[fF]|5[cC]);?)"
_NAME = r"[A-Za-z][A-Za-z0-9+.-]{0,31}"
_LETTER = r"[^\s<>\[\](){}`\u0080-\U0010ffff]"
REST = rf"(?:{_LETTER}|\({_LETTER}*\))*"  # one pair of brackets, as in addresses of Wikipedia
KNOWN = rf"(?<![A-Za-z0-9+.-])(?i:https?{COLON}|ftp{COLON}|mailto{COLON}|www\.(?=[\w-]))"
ADDRESS = re.compile(
    rf"(?P<known>{KNOWN}(?:{SLASH}+(?=[^\s<>])|(?={_LETTER})))(?P<rest>{REST})"
    rf"|(?P<name>{_NAME})?{COLON}{SLASH}{SLASH}(?P<other>{REST})"
)
_LEADING = re.compile(
    rf"(?<![A-Za-z0-9+.-])(?i:https?{COLON}|ftp{COLON}|mailto{COLON}|www\.){SLASH}*"
    rf"|{COLON}(?={SLASH}{SLASH})"
)
_PUNCTUATION = ".,;:!?'\"*_~|\\"
_GLUED = re.compile(r"[^\W\x00-\x7f]|[。．｡](?=[A-Za-z0-9])")  # read as part of it
_ENDS = re.compile(r"\Z|[\s<>`)}]|[^\x00-\x7f]|\](?:[\s(\[.,;:!?)]|\Z)")
_ESCAPED = re.compile(r"\\u00([0-9a-fA-F]{2})|\\(?=[!-/:-@\[-`{-~])")
_ABSOLUTE = re.compile(rf"\A(?:{_NAME}:|www\.)|[/\\]{{2}}", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x20\x7f]+")  # browsers drop them inside of an address
_HTTP = re.compile(r"https?:[/\\]*|[/\\]{2}", re.IGNORECASE)


def addresses_in(texts: Iterable[str]) -> frozenset[str]:
    """Return the addresses that stand in `texts`, as `same` writes them."""
    found = set[str]()
    for text in texts:
        for match in ADDRESS.finditer(text):
            written, _after = _without_punctuation(match[0])
            found.add(same(written))
    return frozenset(found)


def same(address: str) -> str:
    """Return one form of an address for all ways to write it; http and https count as one."""
    plain = _UNSEEN.sub("", _unescaped(address))
    plain = _HTTP.sub("", plain, count=1)
    host, slash, path = plain.partition("/")
    return f"{host.lower()}{slash}{path}".rstrip("/")


def is_absolute(address: str) -> bool:
    """Return whether a browser may leave the page's own host, or run something, for `address`."""
    spellings = (_UNSEEN.sub("", written) for written in (address, _unescaped(address)))
    return any(_ABSOLUTE.search(spelling) for spelling in spellings)


def with_only(text: str, allowed: frozenset[str]) -> str:
    """Return `text`, in which every address that is not `allowed` is plain text.

    `https://` and `www.` go, of other schemes the colon: no program makes a link of the rest.
    """
    return ADDRESS.sub(lambda match: _shown(match, allowed), text)


def plain(address: str) -> str:
    """Return what of an address can be read and not be followed, of those inside it as well."""
    while (shorter := _LEADING.sub("", address)) != address:
        address = shorter
    return address


def _shown(match: re.Match[str], allowed: frozenset[str]) -> str:
    written, after = _without_punctuation(match[0])
    if same(written) not in allowed or not _ENDS.match(match.string, match.end()):
        return _as_text(match)
    is_glued = not after and _GLUED.match(match.string, match.end())
    return f"{match[0]} " if is_glued else match[0]


def _as_text(match: re.Match[str]) -> str:
    if match["known"] is None:
        return f"{match['name'] or ''}//{plain(match['other'])}"
    return plain(match["rest"])


def _without_punctuation(written: str) -> tuple[str, str]:
    """Return an address without what ends the sentence around it, and that."""
    address = written.rstrip(_PUNCTUATION)
    return address, written[len(address) :]


def _unescaped(address: str) -> str:
    """Return an address without entities and without backslashes that escape a sign."""

    def letter(escape: re.Match[str]) -> str:
        return chr(int(escape[1], 16)) if escape[1] else ""

    return _ESCAPED.sub(letter, html.unescape(address))
