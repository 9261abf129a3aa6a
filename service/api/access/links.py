"""Links to cited pages that need no key: signed for tenant, document and labels, for one hour.

It knows the parameters of a link; the secret is the signer's.
"""

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlencode

from service.access import Caller
from service.access_errors import LinkRefused
from service.stores.access.signing import Signer

LINK_S = 3600  # long enough to read an answer and look up its sources
SLACK_S = 60  # by which the clocks of two gateways may differ


def signed_query(
    signer: Signer, document: tuple[str, str, str], labels: Collection[str], *, now: float
) -> str:
    """Return the parameters that let whoever holds the link read one document for an hour.

    Args:
        signer: Holds the secret.
        document: Its tenant, knowledge base and external id.
        labels: Access labels that the reader holds.
        now: Seconds since 1970.
    """
    expires, held = str(int(now) + LINK_S), sorted(labels)
    signature = signer.sign(_signed(document, expires, held))
    pairs = [("tenant", document[0]), *(("label", each) for each in held)]
    return urlencode([*pairs, ("expires", expires), ("signature", signature)])


def caller_of_link(
    query: Mapping[str, Sequence[str]], path: Mapping[str, str], signer: Signer, *, now: float
) -> Caller:
    """Return who a signed link speaks for: someone who may read this one document.

    Raises:
        LinkRefused: The signature does not fit, or the hour is over, or it is another: a clock
            was ahead when the link was signed, and has been set back.
    """
    tenant, expires, signature = (
        query.get(name, [""])[0] for name in ("tenant", "expires", "signature")
    )
    labels = sorted(query.get("label", ()))
    signed = _signed((tenant, path["base_id"], path["external_id"]), expires, labels)
    if not signer.is_signed(signed, signature):
        raise LinkRefused("The signature of this link does not fit it.")
    if not now < int(expires) <= now + LINK_S + SLACK_S:
        raise LinkRefused("This link was valid for one hour, which is over.")
    bases = frozenset({path["base_id"]})
    return Caller(tenant, frozenset(), None, frozenset(labels), frozenset(), bases)


def _signed(document: tuple[str, str, str], expires: str, labels: Sequence[str]) -> list[str]:
    return [*document, expires, *labels]
