"""Documents made by hand, well and badly."""

import io
import zipfile
from pathlib import Path

import docx
from docx.oxml import OxmlElement
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject


def write_pdf(path: Path, pages: list[str], password: str | None = None, **information: str) -> Path:
    """A PDF with a line of text a page, and information such as ``CreationDate``."""
    writer = PdfWriter()
    for text in pages:
        page = writer.add_blank_page(300, 300)
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(content)
        font = DictionaryObject({
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        })  # fmt: skip
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
    writer.add_metadata({f"/{key}": value for key, value in information.items()})
    if password is not None:
        writer.encrypt(password, "owner", algorithm="RC4-128")
    with path.open("wb") as handle:
        writer.write(handle)
    return path


def write_docx(path: Path, *paragraphs: str, hidden: str = "", breaks: tuple[int, ...] = (), modified=None) -> Path:
    """A Word document; ``breaks``: paragraphs before which Word broke the page."""
    document = docx.Document()
    for number, text in enumerate(paragraphs):
        run = document.add_paragraph().add_run()
        if number in breaks:
            run._r.append(OxmlElement("w:lastRenderedPageBreak"))
        run.add_text(text)
    if hidden:
        document.add_paragraph().add_run(hidden).font.hidden = True
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "cell one", "cell two"
    if modified is not None:
        document.core_properties.created = document.core_properties.modified = modified
    document.save(str(path))
    return path


def write_bomb(path: Path, megabytes: int) -> Path:
    """A small zip that unpacks to very much."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as member:
        for _ in range(megabytes):
            member.write(bytes(2**20))
    return path


def deep_html(depth: int) -> str:
    """Elements within elements."""
    text = io.StringIO()
    text.write("<div>" * depth)
    text.write("bottom")
    return text.getvalue()
