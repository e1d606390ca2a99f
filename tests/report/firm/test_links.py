"""Which ids lead to a page."""

import pytest

from pipeline.report.firm.links import patent_url


@pytest.mark.parametrize(
    ("patent_id", "page"),
    [
        ("US7123456B2", "/patent/US7123456B2"),
        ("US-7123456-B2", "/patent/US7123456B2"),
        ("US08456293", "/?oq=US8456293"),
        ("US-2007123456-A1", "/patent/US20070123456A1"),
        ("US20070123456A1", "/patent/US20070123456A1"),
        ("EP 2361168 A1", "/patent/EP2361168A1"),
        ("USD668832S1", "/patent/USD668832S1"),
        ("CN102345678A", "/patent/CN102345678A"),
    ],
)
def test_a_publication_number_has_a_page(patent_id, page):
    assert patent_url(patent_id) == f"https://patents.google.com{page}"


@pytest.mark.parametrize(
    "patent_id",
    ["SIM0001234", "7123456", "D668832", "", "US", "javascript:alert(1)", "US7123456B2/../x", 'US12345678"B2'],
)
def test_anything_else_has_none(patent_id):
    assert patent_url(patent_id) is None
