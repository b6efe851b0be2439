"""Makes signed reports as the clinic issues them: a PDF with its manifest attached, signed by a throwaway key."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from asn1crypto import keys, x509
from cryptography import x509 as certificates
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pyhanko.pdf_utils import embed, generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter, copy_into_new_writer
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.pdfgen.canvas import Canvas

from inventory.reports import manifest
from inventory.reports.manifest import Manifest, ManifestWriter

COLUMNS = ("number", "patient", "lot")
ROWS = tuple((f"MAIN-{number:06d}", f"Kowalska {number}", "LOT") for number in range(1, 8))
_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SigningKey:
    """An RSA key and its self-made certificate."""

    private: rsa.RSAPrivateKey
    certificate: certificates.Certificate

    @property
    def numbers(self) -> rsa.RSAPublicNumbers:
        return self.private.public_key().public_numbers()

    @property
    def fingerprint(self) -> str:
        return manifest.fingerprint(self.numbers.n, self.numbers.e)

    def sign(self, content: bytes) -> bytes:
        """Return what goes into `manifest.sig`."""
        signature = self.private.sign(content, padding.PKCS1v15(), hashes.SHA256())
        return manifest.signed_manifest(content, signature, self.numbers.n, self.numbers.e)

    @property
    def signer(self) -> signers.SimpleSigner:
        """The key as pyHanko takes it."""
        pkcs8 = self.private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return signers.SimpleSigner(
            signing_cert=x509.Certificate.load(der),
            signing_key=keys.PrivateKeyInfo.load(pkcs8),
            cert_registry=SimpleCertificateStore(),
        )


@cache
def make_key(name: str = "Invented Clinic") -> SigningKey:
    """Return the key of this name; made once a run, since making one takes long."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    named = certificates.Name([certificates.NameAttribute(certificates.NameOID.COMMON_NAME, name)])
    certificate = (
        certificates.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(private.public_key())
        .serial_number(certificates.random_serial_number())
        .not_valid_before(_MADE_AT)
        .not_valid_after(_MADE_AT + timedelta(days=3650))
        .add_extension(
            certificates.KeyUsage(True, True, False, False, False, False, False, False, False), critical=True
        )
        .sign(private, hashes.SHA256())
    )
    return SigningKey(private, certificate)


def make_manifest(rows: Sequence[Sequence[str]] = ROWS, *, with_salt: bool = True, **facts: Any) -> Manifest:
    """Write the manifest of some rows; what is not told of the report is invented."""
    usual = {
        "format": "invented/1",
        "report": "MAIN-7",
        "clinic": "Invented Clinic",
        "kind": "administrations",
        "parameters_sha256": "0" * 64,
        "period": ["2026-03-01", "2026-03-31"],
        "filters": [["Practitioner", "all"]],
        "issued_at": "2026-04-01T08:00:00.000000Z",
        "issued_by": "Aud Auditor",
        "columns": list(COLUMNS),
        "head_seq": 12,
        "head_hash": "ab" * 32,
        "demo": False,
    }
    writer = ManifestWriter({**usual, **facts}, with_salt=with_salt)
    for row in rows:
        writer.add(row)
    return writer.close()


def make_pdf(*lines: str) -> bytes:
    """Draw a PDF of one page."""
    out = io.BytesIO()
    canvas = Canvas(out)
    for place, line in enumerate(lines or ("An invented report",)):
        canvas.drawString(72, 700 - 20 * place, line)
    canvas.save()
    return out.getvalue()


def attach(pdf: bytes, files: dict[str, bytes]) -> bytes:
    """Attach files in a revision of their own, signed by nobody."""
    writer = _opened(pdf)
    _embed(writer, files)
    return _written(writer)


def sign_pdf(
    pdf: bytes, key: SigningKey | None = None, *, files: dict[str, bytes] | None = None, field: str = "Issued"
) -> bytes:
    """Sign a PDF (PAdES B-B), with the files attached in the same revision."""
    key = key or make_key()
    writer = _opened(pdf)
    _embed(writer, files or {})
    signed = signers.sign_pdf(
        writer,
        signers.PdfSignatureMetadata(
            field_name=field, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
        ),
        signer=key.signer,
    )
    return bytes(signed.getvalue())


def make_report(
    told: Manifest | None = None, *, key: SigningKey | None = None, pdf: bytes | None = None
) -> bytes:
    """Make a report whole: drawn, its manifest attached, signed."""
    told, key = told or make_manifest(), key or make_key()
    attached = {manifest.CONTENT_NAME: told.content, manifest.SIGNATURE_NAME: key.sign(told.content)}
    return sign_pdf(pdf or make_pdf(), key, files=attached)


def _opened(pdf: bytes) -> IncrementalPdfFileWriter:
    return IncrementalPdfFileWriter(io.BytesIO(pdf))


def _embed(writer: IncrementalPdfFileWriter, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        data = embed.EmbeddedFileObject.from_file_data(writer, content)
        embed.embed_file(writer, embed.FileSpec(name, file_name=name, embedded_data=data))


def _written(writer: BasePdfFileWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def make_packed_pdf() -> bytes:
    """Draw a PDF whose cross-reference is a stream and some of whose objects are packed in another."""
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(make_pdf())), writer_kwargs={"stream_xrefs": True})
    pack = writer.prepare_object_stream()
    names = generic.DictionaryObject({generic.pdf_name("/Names"): writer.add_object(generic.ArrayObject())})
    tree = writer.add_object(names, obj_stream=pack)
    registry = generic.DictionaryObject({generic.pdf_name("/EmbeddedFiles"): tree})
    writer.root["/Names"] = writer.add_object(registry, obj_stream=pack)
    return _written(writer)


def exchange(pdf: bytes, files: dict[str, bytes]) -> bytes:
    """Put other files in the place of those attached, in a revision of their own, signed by nobody."""
    writer = _opened(pdf)
    tree = writer.root["/Names"]["/EmbeddedFiles"]
    tree["/Names"] = writer.add_object(generic.ArrayObject())
    writer.update_container(tree)
    _embed(writer, files)
    return _written(writer)
