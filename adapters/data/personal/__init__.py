"""Personal data: found by patterns and check digits, and masked by stable surrogates."""

from adapters.data.personal.finding import (
    KINDS,
    PersonalData,
    find_personal_data,
    mask_personal_data,
)
from adapters.data.personal.masking import MaskPersonalData, MaskSettings
from adapters.data.personal.names import NAME_KINDS, find_names_and_addresses

__all__ = [
    "KINDS",
    "NAME_KINDS",
    "MaskPersonalData",
    "MaskSettings",
    "PersonalData",
    "find_names_and_addresses",
    "find_personal_data",
    "mask_personal_data",
]
