"""Files that mean harm to whoever reads PDFs: bombs, circles, claims about bytes that are not there, endless parts."""

import zlib


def pdf_of(objects: dict[int, bytes], trailer: bytes = b"/Root 1 0 R", before: bytes = b"") -> bytes:
    """Put objects together with a proper cross-reference."""
    out, places = bytearray(b"%PDF-1.7\n" + before), {}
    for number, told in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, told)
    start = len(out)
    out += b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % (number, at) for number, at in places.items())
    return bytes(out + b"trailer\n<< %s >>\nstartxref\n%d\n%%%%EOF\n" % (trailer, start))


BOMB = zlib.compress(b"\0" * 300_000_000, 9)
NESTED = b"[" * 200_000
SIGNATURE = b"<< /Fields [ << /FT /Sig /V << /Type /Sig /SubFilter /ETSI.CAdES.detached %s >> >> ] >>"


def signature_of(told: bytes) -> bytes:
    return pdf_of({1: b"<< /AcroForm " + SIGNATURE % told + b" >>"})


FAR = (
    b"%PDF-1.7\n1 0 obj\n<< /Type /XRef /W [1 8 0] /Size 3 /Root 2 0 R /Length 27 >>\nstream\n"
    + b"\1\xff\xff\xff\xff\xff\xff\xff\xff" * 3
    + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n"
)

HOSTILE: dict[str, bytes] = {
    "nested": pdf_of({1: b"<< /AcroForm " + NESTED + b" >>"}),
    "refers to itself": pdf_of({1: b"<< /AcroForm 2 0 R >>", 2: b"2 0 R"}),
    "refers in a circle": pdf_of({1: b"<< /AcroForm 2 0 R >>", 2: b"3 0 R", 3: b"2 0 R"}),
    "length refers to itself": pdf_of({1: b"2 0 R", 2: b"<< /Length 2 0 R >>\nstream\nx\nendstream"}),
    "no root": pdf_of({}, b""),
    "encrypted": pdf_of({1: b"<< >>"}, b"/Root 1 0 R /Encrypt 1 0 R"),
    "earlier part leads to itself": pdf_of({1: b"<< >>"}, b"/Root 1 0 R /Prev 9"),
    "earlier part leads on": pdf_of({1: b"<< >>"}, b"/Root 1 0 R /Prev 999999999"),
    "key twice": pdf_of({1: b"<< /AcroForm 1 /AcroForm 2 >>"}),
    "long comment": pdf_of({1: b"%" + b"x" * 5_000_000 + b"\n<< >>"}),
    "long blank": pdf_of({1: b" " * 5_000_000 + b"<< >>"}),
    "long number": pdf_of({1: b"9" * 5_000_000}),
    "long text": pdf_of({1: b"(" + b"(" * 5_000_000}),
    "long name": pdf_of({1: b"<< /" + b"x" * 5_000_000 + b" 1 >>"}),
    "packed in what is not there": pdf_of({1: b"<< /AcroForm 7 0 R >>"}),
    "bytes that are not there": signature_of(b"/ByteRange [0 5 10 99999999] /Contents <00>"),
    "bytes that overlap": signature_of(b"/ByteRange [0 50 10 5] /Contents <00>"),
    "negative bytes": signature_of(b"/ByteRange [0 -1 10 5] /Contents <00>"),
    "three numbers": signature_of(b"/ByteRange [0 1 10] /Contents <00>"),
    "many claims": signature_of(b"/ByteRange [0 5 10 20] /Contents <00>") + b"/ByteRange [0 1 2 3]" * 300_000,
    "bomb in the cross-reference": b"%PDF-1.7\n1 0 obj\n<< /Type /XRef /W [1 2 1] /Size 9 /Filter /FlateDecode /Length "
    + b"%d >>\nstream\n" % len(BOMB)
    + BOMB
    + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n",
    "place that is nowhere": FAR,
    "stream that ends nowhere": FAR.replace(b"/Length 27", b"/Length 99999999999999999999"),
    "nothing but brackets": b"%PDF-1.7\n" + b"<<" * 1_000_000,
}
