"""The account of every genuine sample of a document format: documents read, symbols valid; or why it is refused."""

from pathlib import Path

import pandas as pd
import pytest
from cases import real_data

from pipeline.corpus.ingest import ingest
from pipeline.corpus.readers import read_source
from pipeline.corpus.symbols import parse_symbol
from pipeline.errors import CorpusError

# file -> format, documents, those without any IPC or CPC symbol (designs)
SAMPLES = {
    **{
        f"uspto/grant2018_ipg{name}.xml": ("uspto_xml", 1, 1)
        for name in (
            "180102_sm5_0", "180102_sm5_1", "180102_sm5_2", "180102_sm5_3", "180102_sm5_4", "180109_sm5_5",
            "180109_sm5_6", "180109_sm5_7", "180109_sm5_8", "180109_sm5_9", "180116_sm5_0", "180116_sm5_1",
            "180116_sm5_2", "180116_sm5_8", "180116_sm5_9",
        )
    },
    **{
        f"uspto/{name}.xml": ("uspto_xml", 1, 0)
        for name in (
            "xml2004_US06859910", "xml2004_US06970935", "xml2006_US07272630B2", "xml2014_US08926509",
            "xml2014_US08927118", "xml2014_US08930553", "xmlApp2004_US20050004437A1", "xmlApp2004_US20050004974A1",
        )
    },
    "uspto/pap_US20010000044A1.xml": ("uspto_pap", 1, 0),
    "uspto/pap_US20010000943A1.xml": ("uspto_pap", 1, 0),
    "uspto/pap_US20010009014A1.xml": ("uspto_pap", 1, 0),
    "uspto/sgml_US06336130.xml": ("uspto_sgml", 1, 0),
    "uspto/sgml_US06337117.xml": ("uspto_sgml", 1, 0),
    "uspto/sgml_USD435854S1.xml": ("uspto_sgml", 1, 1),
    "uspto/greenbook_US03932709.greenbook": ("greenbook", 1, 0),
    "uspto/greenbook_US03937375.greenbook": ("greenbook", 1, 0),
    "uspto/greenbook_US04347903.greenbook": ("greenbook", 1, 0),
    "epo_ops/published_test_biblio_example.xml": ("epo_xml", 1, 0),
    "epo_ops/published_test_biblio_example_2.xml": ("epo_xml", 1, 0),
    "epo_ops/published_test_biblio_example_3.xml": ("epo_xml", 1, 0),
    "epo_ops/published_test_biblio_example_4.xml": ("epo_xml", 1, 0),
    "epo_ops/published_test_expected_ep1000000_biblio_result.xml": ("epo_xml", 1, 0),
    "epo_ops/published_test_full_cycle_example.xml": ("epo_xml", 2, 0),
    "patentsview_api.json": ("patentsview_api", 123, 0),
    "uspto_ppubs_biblio.json": ("uspto_ppubs", 129, 0),
}  # fmt: skip
REFUSED = {
    "uspto/cpcMaster_cpcMaster.xml": "no known patent format",
    "uspto/cpcScheme_cpc-scheme-A01L.xml": "no known patent format",
    "uspto/xml4ip_sample_XML4IP.ZIP": "no known patent format",  # parts of applications in the making, without numbers
    "uspto/css_brs_css_brs_sample.txt": "no known layout",  # a dump of the examiners' search system
    "epo_ops/family_fixtures_family_input.xml": "without their codes",
    "epo_ops/published_fixtures_search_result.xml": "no known layout",  # another program's JSON of ids
    "epo_ops/published_test_claims_example.xml": "without dates and codes",
    "epo_ops/published_test_claims_example_2.xml": "without dates and codes",
    "epo_ops/published_test_expected_search_result.xml": "without their codes",
    "epo_ops/published_test_search_example.xml": "without their codes",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_genuine_sample_is_read_whole(name: str) -> None:
    table = read_source(real_data(f"formats/{name}"))
    form, documents, uncoded = SAMPLES[name]
    frame = table.frame
    assert (table.format, len(frame), len(table.faults)) == (form, documents, 0)
    codes = frame["ipc"].str.cat(frame["cpc"], sep=";").str.strip(";")
    assert (codes == "").sum() == uncoded
    symbols = pd.concat([frame["ipc"], frame["cpc"]]).str.split(";").explode()
    assert [symbol for symbol in symbols[symbols != ""] if parse_symbol(symbol, "cpc") is None] == []
    assert frame["patent_id"].str.fullmatch(r"[A-Z]{2}[A-Z]{0,2}[0-9]+[A-Z]?[0-9]?").all()
    assert frame["date"].str.fullmatch(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}").all()
    assert (frame["app_date"] <= frame["date"]).all()
    if form not in ("epo_xml", "uspto_ppubs"):
        assert (frame["title"] != "").all()


@pytest.mark.parametrize("name", REFUSED)
def test_a_genuine_sample_of_no_use_is_refused(name: str) -> None:
    with pytest.raises(CorpusError, match=REFUSED[name]):
        read_source(real_data(f"formats/{name}"))


def test_all_uspto_samples_together_are_one_corpus(tmp_path: Path) -> None:
    """A weekly file made of the samples: 32 documents, of which the 16 designs have no IPC."""
    kinds = ("uspto_xml", "uspto_pap", "uspto_sgml")
    paths = [real_data(f"formats/{name}") for name, (form, _, _) in SAMPLES.items() if form in kinds]
    weekly = tmp_path / "ipg180102.xml"
    weekly.write_bytes(b"".join(path.read_bytes() for path in paths))
    result = ingest([weekly])
    assert (result.account.read, result.account.kept, result.account.quarantined) == (29, 13, 16)
    assert set(result.quarantine["reason"]) == {"no valid IPC or CPC symbol"}
    assert result.corpus.patent_codes["scheme"].value_counts().to_dict()["ipc"] >= 30
