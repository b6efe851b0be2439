"""An uploaded file as text: as spreadsheets, loggers and makers write it, or refused as no text at all. Pure."""

import re

_BINARY = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f\ufffe\uffff]")
"""What is in no text: control characters but for blanks, line ends, and the end-of-file mark of old programs."""


class NotTextError(ValueError):
    """The file is an image, a workbook or a document, or is damaged."""


def text_of(raw: bytes) -> str:
    """Return the text of a file: UTF-16 where it begins with its mark, UTF-8, or else Latin-1. Raises NotTextError."""
    try:
        text = raw.decode("utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise NotTextError from error
        # Older programs write the code page of Windows; nothing beyond ASCII decides anything here.
        text = raw.decode("latin-1")
    # Some programs fill their last block up.
    text = text.rstrip("\x00")
    if raw.startswith((b"PK\x03\x04", b"%PDF")) or _BINARY.search(text):
        raise NotTextError
    return text
