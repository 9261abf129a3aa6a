"""Whether the check digit, date or range of a number fits what it looks like.

Each function takes a value without separators, Latin letters in capitals. It knows standards; it
does not know where a number stands.
"""

import ipaddress
from datetime import date
from typing import Final

# First two places of a resident ID: provinces (GB/T 2260), 81 to 83 for Hong Kong, Macao and
# Taiwan, 91 to 93 for foreigners with permanent residence.
_REGIONS: Final = frozenset(
    f"{region}"
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71))
    for region in range(first, last + 1)
) | {"81", "82", "83", "91", "92", "93"}
CREDIT_CODE_LETTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_TAIWAN_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVXYWZIO"  # from 10, in this order


def is_luhn(value: str) -> bool:
    """Return whether a card's last digit fits the others (ISO/IEC 7812-1, Luhn)."""
    digits = [int(letter) for letter in reversed(value)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return 13 <= len(digits) <= 19 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def is_dated_resident_id(value: str) -> bool:
    """Return whether region and birthday of 18 places can be ones."""
    return value[:2] in _REGIONS and _is_date(value[6:10], value[10:12], value[12:14])


def is_resident_id(value: str) -> bool:
    """Return whether the last place fits too (GB 11643, ISO 7064 MOD 11-2)."""
    places = [10 if letter == "X" else int(letter) for letter in value]
    total = sum(place * pow(2, 17 - at, 11) for at, place in enumerate(places))
    return is_dated_resident_id(value) and total % 11 == 1


def is_old_resident_id(value: str) -> bool:
    """Return whether region and birthday of 15 places can be ones; these have no check digit."""
    return value[:2] in _REGIONS and _is_date("19" + value[6:8], value[8:10], value[10:12])


def _is_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return "1800" <= year <= "2099"


def is_credit_code(value: str) -> bool:
    """Return whether the last place fits (GB 32100, ISO 7064 MOD 31-3)."""
    values = [CREDIT_CODE_LETTERS.index(letter) for letter in value]
    total = sum(each * pow(3, at, 31) for at, each in enumerate(values[:-1]))
    return (31 - total % 31) % 31 == values[-1]


def is_iban(value: str) -> bool:
    """Return whether the check digits fit (ISO 13616, MOD 97-10)."""
    return int("".join(str(int(letter, 36)) for letter in value[4:] + value[:4])) % 97 == 1


def is_taiwan_id(value: str) -> bool:
    """Return whether the last digit of a letter and nine digits fits."""
    letter = 10 + _TAIWAN_LETTERS.index(value[0])
    weighted = sum(
        int(digit) * weight for digit, weight in zip(value[1:9], range(8, 0, -1), strict=True)
    )
    return (letter // 10 + 9 * (letter % 10) + weighted + int(value[9])) % 10 == 0


def is_hong_kong_id(value: str) -> bool:
    """Return whether the last place of one or two letters, six digits and it fits."""
    places = value.rjust(9)
    values = [36 if letter == " " else int(letter, 36) for letter in places]
    return (
        sum(each * weight for each, weight in zip(values, range(9, 0, -1), strict=True)) % 11 == 0
    )


def is_ssn(value: str) -> bool:
    """Return whether areas and groups of nine digits are ones that are given out (SSA)."""
    area, group, serial = value[:3], value[3:5], value[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def is_address(value: str) -> bool:
    """Return whether it is an IP address that can belong to somebody's machine."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def is_own_line(value: str) -> bool:
    """Return whether it is not one of the numbers that only companies have (400, 800, 888)."""
    return value.lstrip("1")[:3] not in ("400", "800", "888")
