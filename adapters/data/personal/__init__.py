"""Personal data: found by patterns and check digits, and masked by stable surrogates."""

from adapters.data.personal.finding import (
    KINDS,
    PersonalData,
    find_personal_data,
    mask_personal_data,
)

__all__ = ["KINDS", "PersonalData", "find_personal_data", "mask_personal_data"]
