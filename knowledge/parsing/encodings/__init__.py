"""The encodings that text is read in, and the names by which people and files call them.

It knows names; which encoding a text is in is told by `detection`.
"""

import re
from encodings.aliases import aliases

from knowledge.errors import UnknownEncoding

READ_AS = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030",
    "big5": "big5hkscs", "shift_jis": "cp932", "sjis": "cp932", "x-sjis": "cp932",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "iso-8859-9": "cp1254",
}  # fmt: skip
"""What browsers read instead of what a page declares (WHATWG Encoding Standard, labels)."""

ENCODINGS = (
    "utf-8", "gb18030", "big5hkscs", "cp932", "euc_jp", "iso2022_jp", "cp949", "utf-16",
    "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "hz", "cp437", "cp850", "cp874",
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-15", "koi8-r", "mac-roman",
)  # fmt: skip
"""What a text can be read in, by the names that are told."""
_WIDER = {
    "ascii": "utf-8", "latin_1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030",
    "big5": "big5hkscs", "cp950": "big5hkscs", "shift_jis": "cp932", "euc_kr": "cp949",
    "iso8859_9": "cp1254", "utf_8_sig": "utf-8",
}  # fmt: skip
"""Python's name → the encoding that holds it, and more letters."""
_BETWEEN = re.compile(r"[-_ .]+")
_NAMES = {name.replace("-", "_"): name for name in ENCODINGS}
EXAMPLES = (
    "utf-8, gb18030 (also gbk, gb2312), big5, shift_jis, euc-kr, cp1252 (also latin-1), utf-16"
)


def encoding_name(name: str) -> str:
    """Return which of `ENCODINGS` somebody means.

    Raises:
        UnknownEncoding: None of them.
    """
    plain = _BETWEEN.sub("_", name.strip().lower()).removeprefix("x_")
    for spelling in (plain, plain.replace("_", "")):
        known = aliases.get(spelling, spelling)
        if found := _WIDER.get(known) or _NAMES.get(known):
            return found
    raise UnknownEncoding(f"{name[:40]!r} is no encoding that is read here; write {EXAMPLES}")
