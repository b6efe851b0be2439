"""What every HTML page must satisfy, whichever test asked for it."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

from werkzeug.test import TestResponse

REFERRING = (
    "for",
    "aria-describedby",
    "aria-labelledby",
    "aria-controls",
    "aria-errormessage",
    "list",
    "form",
)
SCRIPT_ADDRESS = ("href", "src", "action", "formaction")


@dataclass
class Form:
    """One form of a page, with what a browser would send if nothing were typed."""

    action: str = ""
    method: str = "get"
    fields: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    buttons: dict[str, list[str]] = field(default_factory=dict)


class Page(HTMLParser):
    """A page as read from its HTML: its forms, its headings and what is wrong with it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.problems: list[str] = []
        self.title = ""
        self._open_form: Form | None = None
        self._tags: Counter[str] = Counter()
        self._ids: Counter[str] = Counter()
        self._referred: list[str] = []
        self._inside: str | None = None
        self._select: tuple[str, bool] | None = None
        self._first_option: str | None = None
        self._chosen = False
        self._textarea = ""
        self._language = ""
        self.feed(html)
        self.close()
        self._judge()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self._tags[tag] += 1
        self._check_attributes(tag, attributes)
        if tag == "html":
            self._language = attributes.get("lang", "")
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if tag in {"title", "style", "textarea"}:
            self._inside = tag
        if tag == "form":
            self._open_form = Form(attributes.get("action", ""), attributes.get("method", "get").lower())
            self.forms.append(self._open_form)
        elif self._open_form is not None:
            self._read_control(self._open_form, tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._check_form()
            self._open_form = None
        elif tag == "textarea" and self._textarea:
            self._textarea = ""
        elif tag == "select":
            self._close_select()
        if tag == self._inside:
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data
        elif self._inside == "textarea" and self._textarea and self._open_form is not None:
            values = self._open_form.fields.setdefault(self._textarea, [""])
            values[-1] += data.removeprefix("\n") if not values[-1] else data

    def _read_control(self, form: Form, tag: str, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "")
        kind = attributes.get("type", "text").lower() if tag == "input" else tag
        if tag == "option":
            self._read_option(form, attributes)
        if not name or "disabled" in attributes:
            return
        if kind in {"submit", "button", "image", "reset"}:
            form.buttons.setdefault(name, []).append(attributes.get("value", ""))
        elif tag in {"input", "select", "textarea"}:
            form.names.add(name)
            self._read_value(form, kind, name, attributes)

    def _read_value(self, form: Form, kind: str, name: str, attributes: dict[str, str]) -> None:
        if kind in {"checkbox", "radio"}:
            if "checked" in attributes:
                form.fields.setdefault(name, []).append(attributes.get("value", "on"))
        elif kind == "select":
            self._select = (name, "multiple" in attributes)
            self._first_option, self._chosen = None, False
        elif kind == "textarea":
            self._textarea = name
            form.fields.setdefault(name, []).append("")
        elif kind != "file":
            form.fields.setdefault(name, []).append(attributes.get("value", ""))

    def _read_option(self, form: Form, attributes: dict[str, str]) -> None:
        if self._select is None:
            return
        value = attributes.get("value", "")
        if self._first_option is None:
            self._first_option = value
        if "selected" in attributes:
            form.fields.setdefault(self._select[0], []).append(value)
            self._chosen = True

    def _close_select(self) -> None:
        if self._select and self._open_form is not None and not self._chosen:
            name, multiple = self._select
            if not multiple and self._first_option is not None:
                self._open_form.fields.setdefault(name, []).append(self._first_option)
        self._select = None

    def _check_attributes(self, tag: str, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            if name == "style" or name.startswith("on"):
                self.problems.append(f"<{tag}> has an inline {name}")
            if name in SCRIPT_ADDRESS and value.strip().lower().startswith("javascript:"):
                self.problems.append(f"<{tag}> has a script in its {name}")
            if name in REFERRING:
                self._referred += [reference for reference in value.split() if name != "form" or reference]
        if tag == "style" or (tag == "script" and not attributes.get("src")):
            self.problems.append(f"inline <{tag}>")
        if tag == "img" and "alt" not in attributes:
            self.problems.append("an <img> without alt")
        if "id" in attributes:
            self._ids[attributes["id"]] += 1

    def _check_form(self) -> None:
        form = self._open_form
        if form is not None and form.method == "post" and "csrf_token" not in form.names:
            self.problems.append(f"the form to {form.action or 'this page'} carries no csrf_token")

    def _judge(self) -> None:
        if self._tags["h1"] != 1:
            self.problems.append(f"{self._tags['h1']} <h1> instead of one")
        if not self.title.strip():
            self.problems.append("no title")
        if not self._language:
            self.problems.append("no language on <html>")
        self.problems += [
            f"id {name!r} stands {count} times" for name, count in self._ids.items() if count > 1
        ]
        self.problems += [
            f"refers to an id {name!r} that is not there" for name in self._referred if name not in self._ids
        ]


def is_page(response: TestResponse) -> bool:
    """Tell whether a response is a page for a person, not a redirect or a file."""
    return response.mimetype == "text/html" and not 300 <= response.status_code < 400


def problems_of(response: TestResponse) -> list[str]:
    """Return what is wrong with a page, in words; nothing when all is well."""
    problems = Page(response.get_data(as_text=True)).problems
    policy = response.headers.get("Content-Security-Policy", "")
    if not policy:
        problems.append("no Content-Security-Policy")
    problems += [
        f"the Content-Security-Policy allows {word}"
        for word in ("unsafe-inline", "unsafe-eval")
        if word in policy
    ]
    if response.headers.get("X-Content-Type-Options") != "nosniff":
        problems.append("no X-Content-Type-Options: nosniff")
    return problems
