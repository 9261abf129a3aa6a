"""What stands for a value: the same for every spelling of it, and recognisably nobody's.

A surrogate is drawn by HMAC from the value with a key of the home: without the key nobody can try
all telephone numbers and see which one gives it. It keeps length, layout and kinds of letters;
`reserved.py` says how it begins, and its check digit is wrong.

It knows values and kinds; it knows neither rows nor where the key comes from.
"""

import hmac
import re
import string
from hashlib import sha256
from typing import Final

from adapters.data.personal.check_digits import (
    CREDIT_CODE_LETTERS,
    is_credit_code,
    is_hong_kong_id,
    is_luhn,
    is_resident_id,
)
from adapters.data.personal.finding import PersonalData
from adapters.data.personal.reserved import BRANCHES, MASKED_HOST, MIN_IP, STEMS
from adapters.data.personal.values import canonical

_NORTH_AMERICAN: Final = re.compile(
    r"(?:\+?1[ .-]?)?\(?[2-9]\d\d\)?[ .-]{0,2}[2-9]\d\d[ .-]?\d{4}(?:x\d{1,6})?"
)

# How the first places of a value are replaced; the others are drawn.
_BEGINNINGS: Final = {
    "cn_mobile": "100",
    "cn_resident_id": "000",
    "cn_credit_code": "000",
    "bank_card": "000",
    "us_ssn": "000",
    "macau_id": "0",
    "qq_number": "0",
}
_CHECKS: Final = {
    "cn_credit_code": is_credit_code,
    "bank_card": is_luhn,
    "hk_id": is_hong_kong_id,
}


class Surrogates:
    """Surrogates of one key; nothing is remembered, so another process draws the same.

    Args:
        key: Secret bytes of the home, for this purpose alone.

    Raises:
        ValueError: The key has fewer than 16 bytes.
    """

    def __init__(self, key: bytes) -> None:
        """Keep the key."""
        if len(key) < 16:
            raise ValueError("a key of at least 16 bytes is needed: shorter ones can be guessed")
        self._key = key

    @property
    def key_id(self) -> str:
        """What tells keys apart and says nothing of them, 16 hex digits."""
        return hmac.new(self._key, b"key", sha256).hexdigest()[:16]

    def surrogate(self, found: PersonalData) -> str:
        """Return what stands for a find, in the layout that it is written in.

        Two values share one only by chance; of IPv4 addresses there are 127.
        """
        kind, value = found.kind, found.value
        draw = _Draw(self._key, kind, value)
        if kind == "email":
            name = value.partition("@")[0]
            return f"{draw.like(name)}@{MASKED_HOST}"
        if kind == "ip_address":
            return _address(value, draw)
        if kind == "wechat_id":
            return "_" + draw.like(value[1:])
        if kind == "person_name":
            return _name(value, draw)
        if kind == "street_address":
            return _street(value, draw)
        return _lay_out(_letters_for(found, draw), found, draw)


class _Draw:
    """Letters drawn one after the other for one value."""

    def __init__(self, key: bytes, kind: str, value: str) -> None:
        self._key, self._seed, self._block, self._left = key, f"{kind}\0{value}", 0, 0
        self._number = 0

    def below(self, limit: int) -> int:
        """Return the next number below `limit`, at most a thousand."""
        if self._left < limit**4:  # so few would be left that some come more often
            message = f"{self._seed}\0{self._block}".encode()
            self._number = int.from_bytes(hmac.new(self._key, message, sha256).digest(), "big")
            self._left, self._block = 1 << 256, self._block + 1
        self._number, drawn = divmod(self._number, limit)
        self._left //= limit
        return drawn

    def like(self, text: str, letters: str = string.ascii_uppercase) -> str:
        """Return a text of the same length and kinds of letters."""
        return "".join(self._like(letter, letters) for letter in text)

    def _like(self, letter: str, letters: str) -> str:
        if letter.isdigit():
            return str(self.below(10))
        if not letter.isalpha():
            return letter
        drawn = letters[self.below(len(letters))]
        return drawn.lower() if letter.islower() else drawn


def _letters_for(found: PersonalData, draw: _Draw) -> str:
    """Return the letters that stand for those of its value, as many, in capitals."""
    kind, value = found.kind, found.value
    if kind == "phone":
        if _NORTH_AMERICAN.fullmatch(found.written):
            area = f"{2 + draw.below(8)}9{draw.below(10)}"
            return f"{value[:-10]}{area}55501{draw.below(10)}{draw.below(10)}"
        return "999" + draw.like(value[3:])
    if kind == "cn_landline":
        own = 0 if value[0] != "0" else 3 if value[1] in "12" else 4  # behind its area code
        return value[:own] + "100" + draw.like(value[own + 3 :])
    if kind == "iban":
        return draw.like(value[:2]) + "00" + draw.like(value[4:])
    if kind == "passport":
        head = "".join(letter for letter in value if letter.isalpha())
        begin = f"O{draw.like(head[1:])}0" if head else "000"
        return begin + draw.like(value[len(begin) :])
    if kind in ("tw_id", "hk_id"):
        begin = "O0" if kind == "tw_id" else draw.like(value.rstrip("A")[: len(value) - 7]) + "000"
        return _with_wrong_check(kind, begin + draw.like(value[len(begin) :]))
    if kind == "cn_plate":
        return f"{value[0]}I{draw.like(value[2:-1])}{_plate_end(value[-1], draw)}"
    begin = _BEGINNINGS[kind]
    letters = CREDIT_CODE_LETTERS[10:] if kind == "cn_credit_code" else string.ascii_uppercase
    last = (
        value[-1]
        if kind == "cn_resident_id" and value[-1] == "X"
        else draw.like(value[-1], letters)
    )
    drawn = begin + draw.like(value[len(begin) : -1], letters) + last
    return _with_wrong_check(kind, drawn)


def _plate_end(letter: str, draw: _Draw) -> str:
    return letter if letter in "挂学警港澳" else draw.like(letter)


def _with_wrong_check(kind: str, value: str) -> str:
    """Return `value` with another last place where it would fit the others."""
    is_right = _CHECKS.get(kind, is_resident_id if len(value) == 18 else None)
    if is_right is None or not is_right(value):
        return value
    last = value[-1]
    other = str((int(last) + 1) % 10) if last.isdigit() else ("B" if last != "B" else "C")
    return value[:-1] + other


def _lay_out(letters: str, found: PersonalData, draw: _Draw) -> str:
    """Write `letters` in the places of the find's own, separators and country code kept.

    What stands behind them, an extension, is drawn.
    """
    written = found.written
    places = [
        at for at, letter in enumerate(written) if letter.isalnum() and letter not in "转轉分机機"
    ]
    value = canonical(found.kind, written)
    plain = "".join(written[at] for at in places).upper()
    begin = plain.find(value)
    if begin < 0:  # an area without its 0
        value, letters = value[1:], letters[1:]
        begin = plain.find(value)
    laid = list(written)
    for at, letter in zip(places[begin:], letters, strict=False):
        laid[at] = letter.lower() if written[at].islower() else letter
    for at in places[begin + len(letters) :]:
        if written[at].isdigit():
            laid[at] = draw.like(written[at])
    return "".join(laid)


def _address(value: str, draw: _Draw) -> str:
    if ":" not in value:
        return f"198.51.100.{MIN_IP + draw.below(255 - MIN_IP)}"
    groups = [f"{draw.below(256) * 256 + draw.below(256):x}" for _ in range(5)]
    return ":".join(["2001", "db8", "ffff", *groups])


def _name(value: str, draw: _Draw) -> str:
    if value.isascii():
        return f"{draw.like('A')}{draw.like('aaaa')} Example"
    return f"某{STEMS[draw.below(10)]}{BRANCHES[draw.below(12)] if len(value) > 2 else ''}"


def _street(value: str, draw: _Draw) -> str:
    if value.isascii():
        return f"{1 + draw.below(900)} Example Street"
    return f"某{STEMS[draw.below(10)]}{BRANCHES[draw.below(12)]}路{1 + draw.below(900)}号"
