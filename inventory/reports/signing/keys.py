"""The clinic's RSA key: made once, kept encrypted in the instance folder, or brought along as PKCS#12 by the clinic.

Whoever holds the key signs in the clinic's name; what it signed stays verifiable when it is gone, since every report carries its
certificate and the database keeps them all.
"""

import contextlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from flask import current_app
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from inventory.kernel.errors import Refusal
from inventory.reports import manifest

KEY_BITS = 3072
_VALID = timedelta(days=20 * 365)
_NAME_BYTES = 64  # X.520 bounds a common name in characters, the library that writes it in bytes


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its certificate. `is_own` tells whether the clinic brought it along."""

    private: rsa.RSAPrivateKey
    certificate: x509.Certificate
    is_own: bool
    authorities: tuple[x509.Certificate, ...] = ()
    """Who vouches for the certificate, as far as the clinic's own file says: attached to each signature."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key (DER SubjectPublicKeyInfo), as 64 hexadecimal digits."""
        numbers = self.private.public_key().public_numbers()
        return manifest.fingerprint(numbers.n, numbers.e)

    @property
    def pem(self) -> str:
        """The certificate, as text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def sign_manifest(self, content: bytes) -> bytes:
        """Return the bytes of `manifest.sig` for a manifest."""
        numbers = self.private.public_key().public_numbers()
        signature = self.private.sign(content, padding.PKCS1v15(), hashes.SHA256())
        return manifest.signed_manifest(content, signature, numbers.n, numbers.e)

    def signer(self) -> SimpleSigner:
        """Return the key as pyHanko takes it."""
        pkcs8 = self.private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        attached = SimpleCertificateStore.from_certs([_for_pyhanko(one) for one in self.authorities])  # type: ignore[no-untyped-call]
        return SimpleSigner(
            signing_cert=_for_pyhanko(self.certificate),
            signing_key=asn1_keys.PrivateKeyInfo.load(pkcs8),
            cert_registry=attached,
        )


def present_key(clinic_name: str, *, at: datetime) -> SigningKey:
    """Return the key that signs now; the first time, where the clinic brings none along, it is made.

    Raises Refusal SIGNING-KEY-UNREADABLE for a file or password that does not open, SIGNING-KEY-KIND for a key that is not RSA of
    2048 to 8192 bits, SIGNING-KEY-EXPIRED for a certificate that is over or has not begun.
    """
    key = kept_key()
    if key is None:
        keep_key(_place(), make_key(clinic_name, at=at), password=password())
        key = _read(_place())
    certificate = key.certificate
    if not certificate.not_valid_before_utc <= at.astimezone(UTC) <= certificate.not_valid_after_utc:
        said = f"The certificate of the signing key counts until {certificate.not_valid_after_utc:%d %b %Y}. Rotate the key."
        raise Refusal("SIGNING-KEY-EXPIRED", said, status=409)
    return key


def kept_key() -> SigningKey | None:
    """Return the key in its file, whatever the days of its certificate; None where it is yet to be made. Raises as `present_key`."""
    return _read(_place()) if _is_own() or _place().exists() else None


def make_key(clinic_name: str, *, at: datetime) -> SigningKey:
    """Make a new key and a certificate in the clinic's name, signed by itself."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    shown = clinic_name.encode()[:_NAME_BYTES].decode(errors="ignore")
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, shown)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    # A report may be signed by another machine whose clock is a little behind.
    begins = at.astimezone(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + _VALID)
        .add_extension(usage, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    return SigningKey(private, certificate, is_own=False)


def keep_key(path: Path, key: SigningKey, *, password: bytes, in_place: bool = False) -> None:
    """Write the key's file, encrypted with the password and readable by its owner alone. One that is there stays, unless `in_place`."""
    content = pkcs12.serialize_key_and_certificates(
        b"clinic", key.private, key.certificate, None, serialization.BestAvailableEncryption(password)
    )
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    draft.touch(mode=0o600, exist_ok=False)
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # there is no other copy of it
    if in_place:
        draft.replace(path)
        return
    # Linking a finished file into place means that of two processes making a key at once, both read the same one.
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def password() -> bytes:
    """Return what opens the key's file."""
    return str(current_app.config["SIGNING_P12_PASSWORD" if _is_own() else "SIGNING_PASSWORD"] or "").encode()


def _is_own() -> bool:
    return bool(current_app.config["SIGNING_P12"])


def _place() -> Path:
    return Path(current_app.config["SIGNING_P12" if _is_own() else "SIGNING_KEY_FILE"])


def _read(path: Path) -> SigningKey:
    try:
        return _opened(path.read_bytes(), password(), is_own=_is_own())
    except (OSError, ValueError) as error:
        whose = "SIGNING_P12 and SIGNING_P12_PASSWORD" if _is_own() else "SIGNING_PASSWORD"
        said = f"The signing key {path.name} cannot be opened. Check {whose} (docs/signing.md). Nothing was signed."
        raise Refusal("SIGNING-KEY-UNREADABLE", said, status=409) from error


@lru_cache(maxsize=8)
def _opened(content: bytes, opens: bytes, *, is_own: bool) -> SigningKey:
    """Open a key's file; kept, since its password is made to take long to try."""
    private, certificate, others = pkcs12.load_key_and_certificates(content, opens or None)
    if certificate is None or private is None:
        raise ValueError("it holds no key with its certificate")
    if not isinstance(private, rsa.RSAPrivateKey) or not 2048 <= private.key_size <= 8192:
        said = (
            "The signing key is not an RSA key of 2048 to 8192 bits, which is what an auditor's check knows."
        )
        raise Refusal("SIGNING-KEY-KIND", said, status=409)
    return SigningKey(private, certificate, is_own, tuple(others))


def _for_pyhanko(certificate: x509.Certificate) -> Any:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
