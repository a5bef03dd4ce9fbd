"""TLS towards a cluster: whom we trust, what we show, and in words what is wrong with the one or the other.

Rule: a server has a certificate for the name by which the address calls it, as a subjectAltName, of an authority that
we know; there is no way to do without. Source: RFC 8446, RFC 9525; https://docs.nats.io/running-a-nats-service/configuration/securing_nats/tls.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from auctionctl.errors import ConfigurationError, NotFoundError, ShutOutError
from auctionctl.keys.keyfile import read_private_file
from auctionctl.store.cluster_address import ClusterAddress

KEY_HINT: Final = "it is a private key in PEM, under no passphrase"
SHOW_HINT: Final = "show one of an authority that it knows: --store-cert FILE --store-key FILE"
_EXPIRED: Final = frozenset({9, 10})
_OTHER_NAME: Final = frozenset({62, 64})
_UNKNOWN: Final = frozenset({2, 18, 19, 20, 21})
"""What OpenSSL calls X509_V_ERR_…: not yet or no longer valid; of another host or number; of nobody who is known."""
_ALERTS: Final = ("certificate_required", "bad_certificate", "unknown_ca", "handshake_failure")


def tls_context(address: ClusterAddress) -> ssl.SSLContext | None:
    """How to speak TLS with ``address``; None where it does not ask for it.

    Raises NotFoundError, KeyFileError for a key that others have access to, ConfigurationError.
    """
    if address.scheme != "tls":
        return None
    access = address.access
    try:
        context = ssl.create_default_context(cafile=access.ca)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {access.ca}", hint="give the authority's certificate, in PEM") from None
    except ssl.SSLError:
        raise ConfigurationError(f"{access.ca} has no certificate", hint="it is a file of such in PEM") from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigurationError(f"cannot read {access.ca}: {reason}", hint="give a file that you may read") from None
    context.hostname_checks_common_name = False
    if access.cert is not None and access.key is not None:
        read_private_file(Path(access.key), "a private key", KEY_HINT)
        try:
            context.load_cert_chain(access.cert, access.key, password=lambda: "")
        except FileNotFoundError:
            raise NotFoundError(f"there is no file {access.cert}", hint="give our certificate, in PEM") from None
        except (OSError, ValueError):
            raise ConfigurationError(
                f"{access.cert} and {access.key} are no certificate and its key",
                hint="give both in PEM, the key under no passphrase",
            ) from None
    return context


def tls_refusal(address: ClusterAddress, error: OSError) -> ShutOutError | None:
    """What is wrong between us and a server of ``address``, if ``error`` is about TLS; None if not."""
    where = f"a server of {address.text}"
    if address.scheme != "tls" and isinstance(error, ssl.SSLError):
        hint = "write tls:// in place of nats://, and give its authority: --store-ca FILE"
        return ShutOutError(f"{where} wants TLS", hint=hint)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _refusal_of_certificate(where, error)
    if isinstance(error, ssl.SSLError):
        reason = (getattr(error, "reason", "") or "").lower()
        if any(alert in reason for alert in _ALERTS):
            has_shown = address.access.cert is not None
            what = "does not take our certificate" if has_shown else "asks for a certificate of ours"
            return ShutOutError(f"{where} {what}", hint=SHOW_HINT)
        words = reason.replace("_", " ") or "no reason given"
        return ShutOutError(f"{where} does not agree on TLS: {words}", hint="see what its log says of us")
    return None


def _refusal_of_certificate(where: str, error: ssl.SSLCertVerificationError) -> ShutOutError:
    code = error.verify_code
    if code in _EXPIRED:
        message, hint = "shows a certificate that has expired, or is not valid yet", "renew it, or set the clock right"
    elif code in _OTHER_NAME:
        message = "shows a certificate for another name"
        hint = "write the name that is in the certificate, or have one made for the name in the address"
    elif code in _UNKNOWN:
        message = "shows a certificate of an authority that we do not know"
        hint = "give that authority's certificate: --store-ca FILE"
    else:
        message = f"shows a certificate that does not hold: {str(error.verify_message).lower()}"
        hint = "have one made that does"
    return ShutOutError(f"{where} {message}", hint=hint)
