"""Documents: each format's fields, whatever the file's name and container; what is no whole document is a fault."""

import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from corpus.readers import documents as fixtures

from pipeline.corpus.readers import FLAT, SourceTable, read_source
from pipeline.corpus.readers.documents import DOCUMENT_FORMATS
from pipeline.errors import CorpusError


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(folder: Path, text: str | bytes) -> SourceTable:
    return read_source(write(folder / "patents.csv", text))  # the name says nothing


def filled(row: pd.Series) -> dict[str, str]:
    return {name: value for name, value in row.items() if value}


def refusal(path: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        read_source(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def accounted(table: SourceTable) -> int:
    """Documents of the table: each in the frame or in a fault of its own."""
    lost = table.faults.loc[table.faults["kind"] == "row", "row"].tolist()
    places = sorted([*table.frame.index, *lost])
    assert places == list(range(1, len(places) + 1))
    return len(places)


# --- each format ----------------------------------------------------------------------------------------------------

ROWS = {
    "GRANT": {
        "patent_id": "US9000001B2", "date": "2015-04-07", "title": "Valve for a heat pump",
        "abstract": "A valve, café &mystery; style.", "claims": "1. A valve,of brass.\n2. The valve of claim 1.",
        "ipc": "F25B 41/20;G06F 3/00", "cpc": "F25B 41/24", "assignees": "Valves & Co., Ltd.",
        "inventors": "Lovelace, Ada, M.", "cited_ids": "US7844851B2;US20070140112A1;JP2004088737A",
        "cited_npl": "Ada L., “Valves & pumps”, Journal 1.", "claims_count": "2", "office": "US",
        "app_date": "2012-01-05", "date_kind": "grant",
    },
    "APPLICATION": {
        "patent_id": "US20050004437A1", "date": "2005-01-06", "title": "Meter", "abstract": "A meter.",
        "claims": "1. A meter.", "ipc": "A61B005/00;G06F017/60", "inventors": "Curie, Marie", "claims_count": "1",
        "office": "US", "app_date": "2004-04-23", "date_kind": "publication",
    },
    "PAP": {
        "patent_id": "US20010000044A1", "date": "2001-03-15", "title": "Trade", "abstract": "Trading.",
        "claims": "1. To trade.", "ipc": "G06F017/60;H04L009/00", "assignees": "ACME", "inventors": "Lin, Wayne W",
        "claims_count": "1", "office": "US", "app_date": "1999-06-29", "date_kind": "publication",
    },
    "SGML": {
        "patent_id": "US6336130B1", "date": "2002-01-01", "title": "Services — available", "abstract": "A system.",
        "claims": "1. A system.", "ipc": "G06F 15/16;B60R 9/00", "assignees": "Ericsson", "inventors": "Do, Thanh Van",
        "cited_ids": "US5825759A;WO9625012", "cited_npl": "A book, 1996.", "claims_count": "1", "office": "US",
        "app_date": "1999-10-05", "date_kind": "grant",
    },
    "GREENBOOK": {
        "patent_id": "US3932709A", "date": "1976-01-13", "title": "Electronic business telephone",
        "abstract": "A telephone for voice and data.",
        "claims": "1. A terminal: a. a keyboard.\n2. The terminal of claim 1.", "ipc": "H04M 11/00;B60R 9/00",
        "assignees": "General Teletronics Incorporated", "inventors": "Hoff, Don G.;Young, Patrick",
        "cited_ids": "US3518629;GB1234567", "cited_npl": 'Hoff, "Phones, more", 1970.', "claims_count": "2",
        "office": "US", "app_date": "1974-03-07", "date_kind": "grant",
    },
    "DOCDB": {
        "patent_id": "JP2005533465A", "date": "2005-11-04", "title": "Coding", "abstract": "A coder.",
        "ipc": "G06T 9/00;H03M 7/30", "cpc": "H04N 19/13", "assignees": "ACME", "inventors": "TANAKA AI",
        "cited_ids": "EP0680812A1", "cited_npl": "A paper.", "family_id": "30117972", "office": "JP",
        "app_date": "2003-07-11", "date_kind": "publication",
    },
    "OPS": {
        "patent_id": "EP1000000A1", "date": "2000-05-17", "title": "Vorrichtung", "ipc": "B28B5/02",
        "assignees": "BOER BEHEER", "family_id": "19768124", "office": "EP", "app_date": "1999-11-08",
        "date_kind": "publication",
    },
    "PATENTSVIEW_OLD": {
        "patent_id": "US10457642", "date": "2019-10-29", "title": "211-astatine", "abstract": "At.",
        "cpc": "A61K9/0019", "assignees": "Duke, University", "inventors": "519697", "cited_ids": "US5919934",
        "office": "US", "app_date": "2016-04-26", "date_kind": "grant",
    },
    "PATENTSVIEW_NEW": {
        "patent_id": "US10000001B2", "date": "2018-06-19", "title": "Press", "ipc": "B29C 45/64", "cpc": "B29C45/64",
        "assignees": "Curie", "inventors": "Lovelace, Ada", "cited_ids": "US5000000;US20070140112;EP0680812",
        "cited_npl": "A, book", "office": "US", "app_date": "2015-03-02", "date_kind": "grant",
    },
    "PUBLIC_SEARCH": {
        "patent_id": "US11803561B1", "date": "2023-10-31", "title": "Query", "ipc": "G06F16/2458;G06F16/31",
        "cpc": "G06F16/313;H04L1/00", "assignees": "Amazon", "inventors": "Hurst, William",
        "cited_ids": "US5826261;USD344261;US20020022956", "office": "US", "app_date": "2014-03-31",
        "date_kind": "grant",
    },
    "OPEN_DATA_PORTAL": {
        "patent_id": "US20140167116A1", "date": "2014-06-19", "title": "TRANSISTOR", "cpc": "H01L29/66325;G01S 7/4863",
        "assignees": "ST", "inventors": "Pascal Chevalier", "office": "US", "app_date": "2012-12-19",
        "date_kind": "publication",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_every_field_of_a_document_is_read(tmp_path: Path, name: str) -> None:
    table = read(tmp_path, getattr(fixtures, name))
    assert tuple(table.frame.columns) == FLAT
    assert {str(dtype) for dtype in table.frame.dtypes} == {"str"}
    assert filled(table.frame.loc[1]) == ROWS[name]


def test_an_application_is_dated_by_its_first_publication_else_its_grant(tmp_path: Path) -> None:
    table = read(tmp_path, fixtures.OPEN_DATA_PORTAL)
    second = table.frame.loc[2, ["patent_id", "date", "date_kind", "cpc", "assignees"]].tolist()
    assert second == ["US9000002", "2015-04-07", "grant", "B01D71/00", "ACME"]
    assert table.faults["reason"].tolist() == ["document 3 in patents.csv is not published yet"]


def test_what_is_classified_as_of_today_is_warned_of(tmp_path: Path) -> None:
    warned = {name: bool(read(tmp_path, text).warnings) for name, text in fixtures.ALL.items()}
    assert {name for name, is_warned in warned.items() if is_warned} == {"epo_xml", "patentsview_api", "uspto_odp"}


def test_a_design_has_no_ipc(tmp_path: Path) -> None:
    design = fixtures.GRANT.replace("09000001</doc-number><kind>B2", "D0806350</doc-number><kind>S1")
    assert read(tmp_path, design).frame.loc[1, ["patent_id", "ipc"]].tolist() == ["USD806350S1", ""]


def test_claims_are_bounded(tmp_path: Path) -> None:
    long = fixtures.GRANT.replace("of brass.", "of brass " * 10_000)
    assert 19_990 < len(read(tmp_path, long).frame.loc[1, "claims"]) <= 20_000


@pytest.mark.parametrize(("name", "text"), fixtures.ALL.items())
def test_a_format_is_known_by_content_in_any_container(tmp_path: Path, name: str, text: str) -> None:
    plain = read(tmp_path, text)
    assert plain.format == name
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/b.bin", text)
    for packed in (
        gzip.compress(text.encode()),
        archive.getvalue(),
        b"\xef\xbb\xbf" + text.encode(),
        text.encode("utf-16"),
    ):
        table = read(tmp_path, packed)
        assert table.format == name
        pd.testing.assert_frame_equal(table.frame, plain.frame)


def test_formats_are_told_apart(tmp_path: Path) -> None:
    for name, text in fixtures.ALL.items():
        known = [known.name for known in DOCUMENT_FORMATS if known.recognises(text.encode()) and not known.refusal]
        assert known == [name]


# --- many documents in one file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["uspto_xml", "uspto_pap", "uspto_sgml", "greenbook"])
def test_concatenated_documents_are_counted_in_order(tmp_path: Path, name: str) -> None:
    one = read(tmp_path, fixtures.ALL[name])
    many = read(tmp_path, fixtures.ALL[name] * 400)
    assert accounted(many) == 400 * accounted(one)
    assert many.frame["patent_id"].tolist() == one.frame["patent_id"].tolist() * 400


def test_documents_of_several_kinds_in_one_file_are_all_read(tmp_path: Path) -> None:
    table = read(tmp_path, fixtures.GRANT + fixtures.PAP + fixtures.SGML + fixtures.DOCDB + fixtures.APPLICATION)
    assert table.frame["patent_id"].tolist() == [
        "US9000001B2", "US20010000044A1", "US6336130B1", "JP2005533465A", "US20050004437A1",
    ]  # fmt: skip
    assert table.faults.empty


def test_members_of_an_archive_are_numbered_on(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../../evil.xml", fixtures.GRANT)
        file.writestr("readme.txt", "see the documentation")
        file.writestr("b.xml", fixtures.APPLICATION)
    table = read(tmp_path, archive.getvalue())
    assert table.frame["patent_id"].to_dict() == {1: "US9000001B2", 3: "US20050004437A1"}
    assert table.faults["reason"].tolist() == ["document 2 in readme.txt is text outside of any patent document"]


CUT = fixtures.GRANT[: fixtures.GRANT.index("<claims")]


@pytest.mark.parametrize(
    ("text", "kept", "faults"),
    [
        (fixtures.GRANT + CUT, [1], [(2, "ends before its end tag")]),
        (CUT + fixtures.GRANT, [2], [(1, "ends before its end tag")]),
        (fixtures.GRANT + "junk" + fixtures.APPLICATION, [1, 3], [(2, "is text outside of any patent document")]),
        (
            fixtures.GRANT.replace("</invention-title>", "") + fixtures.APPLICATION,
            [2],
            [(1, "is not well-formed: Opening and ending tag mismatch: invention-title")],
        ),
        (fixtures.GRANT.replace("Valve", "Va\0lve") + fixtures.APPLICATION, [2], [(1, "is not well-formed")]),
        (
            fixtures.GRANT + "<sequence-cwu><x>1</x></sequence-cwu>" + fixtures.APPLICATION,
            [1, 3],
            [(2, "is a sequence listing, not a patent")],
        ),
        ("<us-patent-grant></us-patent-grant>" + fixtures.GRANT, [2], [(1, "has no bibliographic data")]),
        (fixtures.GREENBOOK + "PATN\nTTL  x\n" + fixtures.GREENBOOK, [1, 3], [(2, "has no number (WKU)")]),
        (
            fixtures.PATENTSVIEW_NEW[:-40] + fixtures.PATENTSVIEW_OLD,
            [],
            [(1, "is broken JSON (Expecting ':' delimiter), and all behind it lost")],
        ),
        (
            fixtures.PATENTSVIEW_OLD.replace('}], "count"', '}, 7, {}], "count"'),
            [1],
            [(2, "is no object"), (3, "has no")],
        ),
        ('{"patents": [{"patent_id": "1", "patent_date": "2018', [], [(1, "is cut off, and all behind it lost")]),
        ('{"patents": [{"patent_id": ' + "[" * 200_000, [], [(1, "is nested more than")]),
    ],
    ids=range(12),
)
def test_what_is_no_whole_document_is_a_fault_in_its_place(
    tmp_path: Path, text: str, kept: list[int], faults: list[tuple[int, str]]
) -> None:
    table = read(tmp_path, text)
    assert table.frame.index.tolist() == kept
    assert table.faults["row"].tolist() == [row for row, _ in faults]
    for reason, (row, expected) in zip(table.faults["reason"], faults, strict=True):
        assert f"document {row} in patents.csv {expected}" in reason
    assert (table.faults["value"].str.len() <= 200).all()
    accounted(table)


# --- hostile input --------------------------------------------------------------------------------------------------

LAUGHS = """<?xml version="1.0"?><!DOCTYPE us-patent-grant [
<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;">]>"""
FILE = '<!DOCTYPE us-patent-grant [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
PARAMETER = '<!DOCTYPE us-patent-grant [<!ENTITY % load SYSTEM "http://127.0.0.1:9/x.dtd"> %load;]>'


@pytest.mark.parametrize("doctype", [LAUGHS, FILE, PARAMETER], ids=["laughs", "file", "parameter"])
def test_documents_with_entities_of_their_own_are_not_read(tmp_path: Path, doctype: str) -> None:
    body = fixtures.GRANT[fixtures.GRANT.index("<us-patent-grant") :].replace("Valve for", "&lol3;&secret; for")
    table = read(tmp_path, doctype + body + fixtures.APPLICATION)
    assert table.frame["patent_id"].tolist() == ["US20050004437A1"]
    assert "text entities of its own, which are never expanded" in table.faults["reason"][0]


def test_an_undeclared_entity_stays_as_it_is_written(tmp_path: Path) -> None:
    text = fixtures.GRANT.replace("Valve for", "&lol3; for").replace(" [ ]", "")
    assert read(tmp_path, text).frame.loc[1, "title"].startswith("&lol3; for")


def test_nothing_deep_or_wide_is_built(tmp_path: Path) -> None:
    deep = fixtures.GRANT.replace("of brass.", "<b>" * 5000 + "</b>" * 5000)
    assert "is not well-formed" in read(tmp_path, deep + fixtures.APPLICATION).faults["reason"][0]


@pytest.mark.parametrize(
    ("declared", "encoded", "title"),
    [
        ("ISO-8859-1", "iso-8859-1", "Pümp"),
        ("UTF-8", "cp1252", "Pümp"),  # not what it says
        ("ISO-8859-1", "utf-8", "Pümp"),  # nor this
        ("no-such-code", "cp1252", "Pümp"),
        ("Shift_JIS", "shift_jis", "弁"),
    ],
)
def test_a_wrong_encoding_declaration_does_no_harm(tmp_path: Path, declared: str, encoded: str, title: str) -> None:
    text = fixtures.GRANT.replace("UTF-8", declared).replace("Valve for", f"{title} for")
    assert read(tmp_path, text.encode(encoded)).frame.loc[1, "title"] == f"{title} for a heat pump"


def packed(text: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.xml", text)
    return archive.getvalue()


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    whole = packed(fixtures.GRANT * 50)
    for part in (whole[: len(whole) // 2], whole[:4], gzip.compress(fixtures.GRANT.encode() * 50)[:-20]):
        assert "damaged" in refusal(write(tmp_path / "a.zip", part))
    broken = bytearray(whole)
    broken[60:80] = bytes(20)
    assert "damaged" in refusal(write(tmp_path / "a.zip", bytes(broken)))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = packed(fixtures.GRANT + "<us-patent-grant>" + " " * (80 << 20))
    assert "bomb" in refusal(write(tmp_path / "a.zip", bomb))


def test_a_document_larger_than_the_limit_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pipeline.corpus.readers.documents.markup as markup

    monkeypatch.setattr(markup, "LARGEST", 1 << 20)
    large = fixtures.GRANT.replace("A meter", "x").replace("Long.", "long " * 700_000)
    table = read(tmp_path, fixtures.APPLICATION + large + fixtures.APPLICATION)
    assert table.frame.index.tolist() == [1, 3]
    assert "is larger than 1 MiB" in table.faults["reason"][0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<?xml version='1.0'?><catalogue><book/></catalogue>", "XML of no known patent format"),
        (
            fixtures.OPS.replace("exchange-document", "thing").replace("<ops:world", "<ops:biblio-search/><ops:world"),
            "biblio",
        ),
        (
            '<ops:x><ftxt:fulltext-document xmlns="y"><claims/></ftxt:fulltext-document></ops:x>',
            "without dates and codes",
        ),
        ('{"patents": [], "x": "patent_id"}', "holds no patent document"),
        ('{"patents": null, "x": "patent_id"}', "holds no patent document"),
    ],
)
def test_a_file_that_is_of_no_use_is_refused_with_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(write(tmp_path / "a.xml", text))
