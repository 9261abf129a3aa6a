"""What keeps the prompts that the model server has cached apart, tenant by tenant.

vLLM answers sooner where the beginning of a prompt is cached, so the time to the first token tells
whether somebody asked the same before (CVE-2025-46570). With a `cache_salt` of its own, a tenant
meets only what it cached itself. It knows how a salt is made; it does not know requests.
"""

from collections.abc import Callable
from functools import partial

from service.home import Home
from service.home_secret import derive, home_secret

PURPOSE = "cache_salt"


def cache_salts(home: Home) -> Callable[[str], str]:
    """Return the salt of each tenant: HMAC-SHA256 of its name by the home's secret, in hex."""
    return partial(derive, home_secret(home), PURPOSE)
