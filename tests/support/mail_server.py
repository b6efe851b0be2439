"""A mail server on loopback that keeps what it is sent: STARTTLS with a certificate of its own, and a password, as a real one has."""

import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LOOPBACK = "127.0.0.1"


@dataclass
class MailServer:
    """What is known of it, and what it received."""

    port: int
    certificate: Path
    messages: list[str] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    refuses: str = ""


@contextmanager
def mail_server(folder: Path) -> Iterator[MailServer]:
    """Run a mail server in a thread; `refuses` is what it says to every recipient, where it is not empty."""
    certificate = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            _Talk(self, kept, context).go()

    with socketserver.ThreadingTCPServer((LOOPBACK, 0), Handler) as server:
        kept = MailServer(server.server_address[1], certificate)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


class _Talk:
    """One conversation: the few words of SMTP that a client needs."""

    def __init__(
        self, handler: socketserver.StreamRequestHandler, kept: MailServer, context: ssl.SSLContext
    ) -> None:
        self._socket, self._kept, self._context = handler.connection, kept, context
        self._read, self._write = handler.rfile, handler.wfile
        self._secured = False

    def go(self) -> None:
        self._say("220 loopback")
        while line := self._read.readline().decode().strip():
            word, _, rest = line.partition(" ")
            if word.upper() == "QUIT":
                self._say("221 bye")
                break
            getattr(self, f"_{word.lower()}")(rest)
        if self._secured:
            self._socket.close()

    def _say(self, *lines: str) -> None:
        self._write.write("".join(f"{line}\r\n" for line in lines).encode())
        self._write.flush()

    def _ehlo(self, _name: str) -> None:
        self._say("250-loopback", "250 AUTH PLAIN" if self._secured else "250 STARTTLS")

    def _starttls(self, _nothing: str) -> None:
        self._say("220 go on")
        self._socket = self._context.wrap_socket(self._socket, server_side=True)
        self._read, self._write = self._socket.makefile("rb"), self._socket.makefile("wb")
        self._secured = True

    def _auth(self, words: str) -> None:
        self._kept.signed_in.append(b64decode(words.split()[1]).decode())
        self._say("235 welcome")

    def _mail(self, _sender: str) -> None:
        self._say("250 ok")

    def _rcpt(self, _recipient: str) -> None:
        self._say(self._kept.refuses or "250 ok")

    def _rset(self, _nothing: str) -> None:
        self._say("250 ok")

    def _data(self, _nothing: str) -> None:
        self._say("354 go on")
        lines = []
        while (line := self._read.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        self._kept.messages.append("\n".join(lines))
        self._kept.secured.append(self._secured)
        self._say("250 kept")


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail-server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
