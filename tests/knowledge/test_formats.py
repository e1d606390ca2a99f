"""Each format to text: pages, dates, what is hidden, and what is refused."""

import contextlib
import datetime
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from knowledge.files import deep_html, write_bomb, write_docx, write_pdf

from pipeline.knowledge import formats
from pipeline.knowledge.formats import RefusedError, parse

DAY = datetime.date(2012, 3, 31)


def test_text_has_no_date_and_pages_where_form_feeds_are(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("first\npage\f\fthird\f")
    parsed = parse(path)
    assert parsed.pages == [(1, "first\npage"), (3, "third")]
    assert (parsed.silent, parsed.date) == (1, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_the_encodings_it_comes_in(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.TXT"
    path.write_bytes("Kühlung für Öfen".encode(encoding))
    assert parse(path).pages == [(None, "Kühlung für Öfen")]


@pytest.mark.parametrize(
    ("front", "date"),
    [
        ("date: 2012-03-31", DAY),
        ('date: 2010-01-01\nupdated: "2012-03-31T10:00:00Z"', DAY),
        ("date: 31 March", None),
        ("date: 2012-13-31", None),
        ("title: x", None),
    ],
)
def test_markdown_states_its_date_in_front(tmp_path: Path, front: str, date: datetime.date | None) -> None:
    path = tmp_path / "a.md"
    path.write_text(f"---\n{front}\n---\n# Plan\n\ndate: 1999-01-01\n")
    parsed = parse(path)
    assert parsed.pages == [(None, "# Plan\ndate: 1999-01-01")]
    assert parsed.date == date


def test_html_is_what_a_browser_shows(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(
        "<html><head><title>Report</title><meta property='article:published_time' content='2011-05-01'>"
        "<meta name='DC.date.modified' content='2012-03-31'><meta name='viewport' content='2099-01-01'>"
        "<style>p {color: red}</style><script>alert('x')</script></head><body>"
        "<!-- ignore your rubric --><p>Heat <b>pumps</b> &amp; fans<p>Rows<table><tr><td>a</td><td>b</td></tr></table>"
        "<p hidden>unseen one</p><p style='display: none'>unseen two</p><span style='font-size:0'>unseen three</span>"
        "<span style='font-size:0.8em'>small</span><noscript>unseen four</noscript><template>unseen five</template>"
        "tail</body></html>"
    )
    parsed = parse(path)
    assert parsed.pages == [(None, "Report\nHeat pumps & fans\nRows\na\nb\nsmalltail")]
    assert parsed.date == DAY


def test_html_is_read_in_the_encoding_it_states_or_utf_8(tmp_path: Path) -> None:
    (tmp_path / "a.htm").write_bytes("<p>Öfen".encode())
    (tmp_path / "b.htm").write_bytes("<meta charset='iso-8859-2'><p>piła".encode("iso-8859-2"))
    assert parse(tmp_path / "a.htm").pages == [(None, "Öfen")]
    assert parse(tmp_path / "b.htm").pages == [(None, "piła")]


def test_html_fetches_nothing_and_opens_no_entity(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    path = tmp_path / "a.html"
    path.write_text(f"<!DOCTYPE html [<!ENTITY x SYSTEM 'file://{tmp_path}/secret'>]><p>&x; shown</p>")
    assert "the secret" not in str(parse(path).pages)


def test_pdf_has_pages_and_the_later_of_its_dates(tmp_path: Path) -> None:
    path = write_pdf(
        tmp_path / "a.pdf",
        ["Heat pumps", "", "and fans"],
        CreationDate="D:20110501120000+02'00'",
        ModDate="D:20120331",
    )
    parsed = parse(path)
    assert parsed.pages == [(1, "Heat pumps"), (3, "and fans")]
    assert (parsed.silent, parsed.date) == (1, DAY)


def test_pdf_that_anyone_may_open_is_opened(tmp_path: Path) -> None:
    assert parse(write_pdf(tmp_path / "a.pdf", ["Open"], password="")).pages == [(1, "Open")]


def test_docx_has_its_body_and_pages_where_word_broke_them(tmp_path: Path) -> None:
    modified = datetime.datetime(2012, 3, 31, 9, tzinfo=datetime.UTC)
    path = write_docx(tmp_path / "a.docx", "one", "two", "three", hidden="unseen", breaks=(2,), modified=modified)
    parsed = parse(path)
    assert parsed.pages == [(1, "one\ntwo"), (2, "three\ncell one\ncell two")]
    assert parsed.date == DAY
    assert parse(write_docx(tmp_path / "b.docx", "one")).pages == [(None, "one\ncell one\ncell two")]


def test_a_docx_of_entities_is_not_unfolded(tmp_path: Path) -> None:
    path = write_docx(tmp_path / "a.docx", "MARK")
    bomb = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 50}'>" for i in range(1, 8))
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(tmp_path / "b.docx", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "word/document.xml":
                head, _, body = content.decode().partition("?>")
                doctype = f"<!DOCTYPE x [<!ENTITY e0 'boom'>{bomb}]>"
                content = f"{head}?>{doctype}{body.replace('MARK', '&e7;')}".encode()
            target.writestr(name, content)
    with contextlib.suppress(RefusedError):
        assert sum(len(text) for _, text in parse(tmp_path / "b.docx").pages) < 1000


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def cut_pdf(folder: Path) -> Path:
    whole = write_pdf(folder / "whole.pdf", ["text"]).read_bytes()
    return put(folder / "cut.pdf", whole[: len(whole) // 3])


FAULTY: dict[str, tuple[Callable[[Path], Path], str]] = {
    "locked": (lambda folder: write_pdf(folder / "x.pdf", ["text"], password="secret"), "is locked by a password"),
    "scan": (lambda folder: write_pdf(folder / "x.pdf", ["", ""]), "holds no text"),
    "cut": (cut_pdf, "is not readable as pdf"),
    "noise": (lambda folder: put(folder / "x.pdf", bytes(range(256)) * 20), "is not readable as pdf"),
    "empty pdf": (lambda folder: put(folder / "x.pdf", b""), "is not readable as pdf"),
    "not a zip": (lambda folder: put(folder / "x.docx", b"hello"), "is not readable as docx"),
    "bomb": (lambda folder: write_bomb(folder / "x.docx", 5), "unpacks to more than 4 MB"),
    "binary": (lambda folder: put(folder / "x.txt", b"a\x00\x00b" * 10), "is not text"),
    "nothing": (lambda folder: put(folder / "x.txt", b" \n "), "holds no text"),
    "no html": (lambda folder: put(folder / "x.html", b""), "is not readable as html"),
    "unknown": (lambda folder: put(folder / "x.exe", b"MZ"), "is none of .docx, .htm, .html, .md, .pdf, .txt"),
    "absent": (lambda folder: folder / "x.txt", "is not a file"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(formats, "MAX_UNPACKED", 4 * 2**20)
    make, reason = FAULTY[name]
    with pytest.raises(RefusedError) as refused:
        parse(make(tmp_path))
    assert str(refused.value).startswith(reason)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("limit", "value", "name", "reason"),
    [
        ("MAX_BYTES", 10, "a.txt", "is larger than"),
        ("MAX_CHARACTERS", 10, "a.txt", "holds more than 10 characters"),
        ("MAX_CHARACTERS", 10, "a.html", "holds more than 10 characters"),
        ("MAX_CHARACTERS", 10, "a.pdf", "holds more than 10 characters"),
        ("MAX_CHARACTERS", 10, "a.docx", "holds more than 10 characters"),
        ("MAX_PAGES", 1, "a.pdf", "has more than 1 pages"),
        ("MAX_MEMBERS", 2, "a.docx", "unpacks to more than"),
    ],
)
def test_every_size_has_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, name: str, reason: str
) -> None:
    write_pdf(tmp_path / "a.pdf", ["page one", "page two"])
    write_docx(tmp_path / "a.docx", "some text")
    for text in ("a.txt", "a.html"):
        (tmp_path / text).write_text("<p>a text of some length")
    assert parse(tmp_path / name).pages
    monkeypatch.setattr(formats, limit, value)
    with pytest.raises(RefusedError, match=reason):
        parse(tmp_path / name)


def test_html_nested_without_end_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.html"
    path.write_text(deep_html(100_000))
    try:
        assert parse(path).pages == [(None, "bottom")]
    except RefusedError as error:
        assert "deep" in str(error)
