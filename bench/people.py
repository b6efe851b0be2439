"""People at their browsers: each with a session of their own, filling in the pages' own forms, and sending them over HTTP."""

import http.client
import re
import socket
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from bench.serving import Served
from tests.support.page_checks import Form, Page

_LENGTH = re.compile(r"^content-length: (\d+)", re.IGNORECASE | re.MULTILINE)
_LOCATION = re.compile(r"^location: (\S+)", re.IGNORECASE | re.MULTILINE)
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    body: str
    location: str


@dataclass
class Person:
    """Somebody signed in, on one connection that is kept open as a browser keeps it."""

    served: Served
    cookies: dict[str, str]
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)
    _line: socket.socket | None = field(default=None, repr=False)

    def get(self, path: str) -> Answer:
        """Ask for a page."""
        return self.send("GET", path)

    def post(self, path: str, body: str) -> Answer:
        """Send a form that was encoded already."""
        return self.send("POST", path, body)

    def fire(self, request: bytes) -> Answer:
        """Send a request that was written out already and read its answer, as cheaply as may be: to be timed.

        Its cookies are not kept, as though the page that follows had been read meanwhile.
        """
        if self._line is None:
            self._line = socket.create_connection(("127.0.0.1", self.served.port), timeout=60)
        self._line.sendall(request)
        answer = b""
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._received()
        head = answer[:end].decode("latin-1")
        length = int(_LENGTH.search(head)[1])  # type: ignore[index]
        while len(answer) < end + 4 + length:
            answer += self._received()
        location = _LOCATION.search(head)
        return Answer(int(head[9:12]), answer[end + 4 :].decode(), location[1] if location else "")

    def written(self, path: str, body: str) -> bytes:
        """Return a form that is sent as the bytes of its request, for `fire`."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = (
            f"POST {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.served.port}",
            f"Cookie: {cookies}",
            *(f"{name}: {value}" for name, value in HEADERS.items()),
            f"Content-Length: {len(body)}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("ascii")

    def _received(self) -> bytes:
        assert self._line is not None  # noqa: S101 - just connected
        data = self._line.recv(65_536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data

    def send(self, method: str, path: str, body: str | None = None) -> Answer:
        """Send one request, read the whole answer and keep its cookies."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self._connection.request(method, path, body, {**(HEADERS if body else {}), "Cookie": cookies})
        response = self._connection.getresponse()
        text = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(response.status, text, response.headers.get("Location", ""))

    def close(self) -> None:
        """Leave."""
        if self._connection is not None:
            self._connection.close()
        if self._line is not None:
            self._line.close()


def ready_dose(person: Person, patient_id: object) -> bytes:
    """Fill in the page of a dose up to its confirmation; return the request that the confirming button would send."""
    path = f"/give/{patient_id}"
    typed = _filled(person.get(f"{path}?mode=about"), "step", "check", indication="B12 deficiency")
    confirming = _filled(person.post(path, typed), "step", "record")
    return person.written(path, confirming)


def _filled(answer: Answer, button: str, pressed: str, **typed: str) -> str:
    """Return the page's form that has this button, filled in and encoded."""
    forms = [form for form in Page(answer.body).forms if pressed in form.buttons.get(button, ())]
    if not forms:
        raise RuntimeError(
            f"no button {pressed} on a page that answered {answer.status}:\n{answer.body[:2000]}"
        )
    return _encoded(forms[0], {button: pressed, "consent_seen": "y", "identity_ticked": "y", **typed})


def _encoded(form: Form, typed: dict[str, str]) -> str:
    fields = {
        **form.fields,
        **{name: [value] for name, value in typed.items() if name in form.names | set(form.buttons)},
    }
    return urlencode(fields, doseq=True)


def is_recorded(answer: Answer) -> bool:
    """Tell whether the answer leads to the page of a dose."""
    return answer.status in {302, 303} and urlsplit(answer.location).path.startswith("/doses/")
