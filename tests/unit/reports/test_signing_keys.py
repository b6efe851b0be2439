"""The clinic's key: its own file, one that the clinic brings along, and what cannot sign."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from flask import Flask

from inventory.kernel.errors import Refusal
from inventory.reports.signing import keys

AT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
OPENS = "of the clinic's own"


@pytest.fixture
def settings_only(tmp_path: Path) -> Iterator[Flask]:
    app = Flask("settings")
    app.config.update(
        SIGNING_P12=None,
        SIGNING_P12_PASSWORD="",
        SIGNING_KEY_FILE=str(tmp_path / "signing_key.p12"),
        SIGNING_PASSWORD="a password",
    )
    with app.app_context():
        yield app


def make_p12(path: Path, private: Any, *, until: datetime = AT + timedelta(days=9)) -> None:
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Riverside Clinic")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=99))
        .not_valid_after(until)
        .sign(private, hashes.SHA256())
    )
    locked = serialization.BestAvailableEncryption(OPENS.encode())
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"own", private, certificate, None, locked))


def make_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def own(settings_only: Flask, tmp_path: Path) -> Path:
    """The place of a key that the clinic brings along."""
    path = tmp_path / "own.p12"
    settings_only.config.update(SIGNING_P12=str(path), SIGNING_P12_PASSWORD=OPENS)
    return path


def test_certificate_names_the_clinic_and_lets_the_key_sign_only(settings_only: Flask) -> None:
    key = keys.present_key("Riverside Clinic", at=AT)
    certificate = key.certificate
    assert key.private.key_size == 3072
    assert (
        certificate.subject.rfc4514_string() == certificate.issuer.rfc4514_string() == "CN=Riverside Clinic"
    )
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.content_commitment, usage.key_cert_sign) == (True, True, False)
    certificate.verify_directly_issued_by(certificate)


@pytest.mark.parametrize("name", ["", "Ω" * 200])
def test_clinic_of_any_name_gets_a_certificate(settings_only: Flask, name: str) -> None:
    key = keys.make_key(name or "Clinic without a name", at=AT)
    assert len(key.certificate.subject.rfc4514_string()) <= len("CN=") + 64


def test_file_does_not_show_the_key_and_opens_with_its_password_alone(
    settings_only: Flask, tmp_path: Path
) -> None:
    keys.present_key("Riverside Clinic", at=AT)
    content = (tmp_path / "signing_key.p12").read_bytes()
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_key_and_certificates(content, b"another")
    assert pkcs12.load_key_and_certificates(content, b"a password")[0] is not None


def test_of_two_that_make_a_key_at_once_both_sign_with_the_first(
    settings_only: Flask, tmp_path: Path
) -> None:
    path = tmp_path / "signing_key.p12"
    made = [keys.make_key("Riverside Clinic", at=AT) for _ in range(2)]
    for key in made:
        keys.keep_key(path, key, password=b"a password")
    assert keys.present_key("Riverside Clinic", at=AT).fingerprint == made[0].fingerprint
    assert [found.name for found in tmp_path.iterdir()] == ["signing_key.p12"]


def test_key_that_the_clinic_brings_along_signs(own: Path, tmp_path: Path) -> None:
    private = make_rsa()
    make_p12(own, private)
    key = keys.present_key("Riverside Clinic", at=AT)
    assert key.is_own
    assert key.private.private_numbers() == private.private_numbers()
    assert not (tmp_path / "signing_key.p12").exists()


def test_wrong_password_of_a_key_brought_along_is_named(settings_only: Flask, own: Path) -> None:
    make_p12(own, make_rsa())
    settings_only.config["SIGNING_P12_PASSWORD"] = "another"
    with pytest.raises(Refusal, match=r"SIGNING-KEY-UNREADABLE.*SIGNING_P12_PASSWORD"):
        keys.present_key("Riverside Clinic", at=AT)


@pytest.mark.parametrize("content", [None, b"", b"no key at all"])
def test_file_that_is_no_key_or_is_gone_signs_nothing(own: Path, content: bytes | None) -> None:
    if content is not None:
        own.write_bytes(content)
    with pytest.raises(Refusal, match="SIGNING-KEY-UNREADABLE"):
        keys.present_key("Riverside Clinic", at=AT)


@pytest.mark.parametrize("is_short", [False, True], ids=["curve", "short"])
def test_kind_of_key_that_an_auditor_cannot_check_is_refused(own: Path, is_short: bool) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  it is refused
    make_p12(own, short if is_short else ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(Refusal, match="SIGNING-KEY-KIND"):
        keys.present_key("Riverside Clinic", at=AT)


@pytest.mark.parametrize(
    "until", [AT - timedelta(seconds=1), AT + timedelta(days=100)], ids=["over", "to come"]
)
def test_certificate_outside_its_days_is_refused(own: Path, until: datetime) -> None:
    make_p12(own, make_rsa(), until=until)
    with pytest.raises(Refusal, match="SIGNING-KEY-EXPIRED"):
        keys.present_key("Riverside Clinic", at=AT)


def test_who_vouches_for_a_key_brought_along_is_attached(own: Path) -> None:
    authority = keys.make_key("Invented Authority", at=AT)
    brought = keys.make_key("Riverside Clinic", at=AT)
    locked = serialization.BestAvailableEncryption(OPENS.encode())
    own.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"own", brought.private, brought.certificate, [authority.certificate], locked
        )
    )
    signer = keys.present_key("Riverside Clinic", at=AT).signer()
    assert signer.signing_cert.subject.native == {"common_name": "Riverside Clinic"}
    assert [one.subject.native["common_name"] for one in signer.cert_registry] == ["Invented Authority"]
