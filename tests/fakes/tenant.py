"""Whose data the tests read and write where they call a room beside HTTP: the loopback caller's."""

from service.access import LOOPBACK_CALLER

TENANT = LOOPBACK_CALLER.tenant
