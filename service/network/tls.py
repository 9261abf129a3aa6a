"""The gateway's own certificate: checked before it serves, and known to programs of its home.

It knows files and certificates; it does not know who asks.
"""

import ssl
from pathlib import Path

from service.errors import InvalidSettings

_END = "-----END CERTIFICATE-----"


def require_key_pair(cert: Path, key: Path) -> None:
    """Refuse a certificate and a key that the gateway could not serve with.

    Raises:
        InvalidSettings: A file is missing or unreadable, is no PEM, needs a passphrase, or the key
            belongs to another certificate.
    """
    texts = {"tls_cert": _read(cert, "tls_cert"), "tls_key": _read(key, "tls_key")}
    if "-----BEGIN CERTIFICATE-----" not in texts["tls_cert"]:
        raise InvalidSettings(f"server.tls_cert: {cert} holds no certificate in PEM.")
    if "PRIVATE KEY-----" not in texts["tls_key"]:
        raise InvalidSettings(f"server.tls_key: {key} holds no private key in PEM.")
    if "ENCRYPTED" in texts["tls_key"]:
        raise InvalidSettings(
            f"server.tls_key: {key} is encrypted, and nobody enters its passphrase at a start. "
            "Decrypt it (`openssl pkey -in … -out …`) and let only the gateway's user read it."
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except ssl.SSLError as exc:
        if exc.reason == "KEY_VALUES_MISMATCH":
            raise InvalidSettings(
                f"server.tls_key: {key} does not belong to the certificate in {cert}; the server's "
                "own certificate stands first in its file, those of the chain below it."
            ) from exc
        raise InvalidSettings(
            f"server.tls_cert {cert} and server.tls_key {key} cannot be used: "
            f"{exc.reason or 'one of them is damaged'}."
        ) from exc


def verification(cert: Path | None) -> ssl.SSLContext | bool:
    """Return what a program of this home checks its gateway by, as httpx takes it.

    Only this one certificate is accepted, under any name: the gateway is called by an address that
    the certificate need not name.

    Args:
        cert: The gateway's certificate; None: it speaks plain HTTP, and nothing is checked.

    Raises:
        InvalidSettings: The certificate cannot be read.
    """
    if cert is None:
        return True
    own = _read(cert, "tls_cert").partition(_END)[0] + _END
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=own)
    except ssl.SSLError as exc:
        raise InvalidSettings(f"server.tls_cert: {cert} is damaged: {exc.reason}.") from exc
    return context


def _read(file: Path, setting: str) -> str:
    try:
        return file.read_text(encoding="ascii", errors="ignore")
    except OSError as exc:
        raise InvalidSettings(f"server.{setting}: {file} cannot be read: {exc.strerror}.") from exc
