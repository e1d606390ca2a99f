"""Hand-made documents of the shape of the genuine formats, for the tests of their readers. None is a real patent."""

import json

GRANT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE us-patent-grant SYSTEM "us-patent-grant-v45-2014-04-03.dtd" [ ]>
<us-patent-grant lang="EN" file="US09000001-20150407.XML" country="US" date-publ="20150407">
<us-bibliographic-data-grant>
<publication-reference><document-id><country>US</country><doc-number>09000001</doc-number><kind>B2</kind>
<date>20150407</date></document-id></publication-reference>
<application-reference appl-type="utility"><document-id><country>US</country><doc-number>13000001</doc-number>
<date>20120105</date></document-id></application-reference>
<classifications-ipcr>
<classification-ipcr><section>G</section><class>06</class><subclass>F</subclass><main-group>3</main-group>
<subgroup>00</subgroup><symbol-position>L</symbol-position></classification-ipcr>
<classification-ipcr><section>F</section><class>25</class><subclass>B</subclass><main-group>41</main-group>
<subgroup>20</subgroup><symbol-position>F</symbol-position></classification-ipcr>
</classifications-ipcr>
<classifications-cpc><main-cpc><classification-cpc><section>F</section><class>25</class><subclass>B</subclass>
<main-group>41</main-group><subgroup>24</subgroup></classification-cpc></main-cpc></classifications-cpc>
<invention-title id="d1">Valve for a <i>heat</i> pump</invention-title>
<us-references-cited>
<us-citation><patcit num="1"><document-id><country>US</country><doc-number>7844851</doc-number><kind>B2</kind>
<name>Ada</name><date>20101100</date></document-id></patcit><category>cited by examiner</category></us-citation>
<us-citation><patcit num="2"><document-id><country>US</country><doc-number>2007/0140112</doc-number><kind>A1</kind>
</document-id></patcit></us-citation>
<us-citation><patcit num="3"><document-id><country>JP</country><doc-number>2004-088737</doc-number><kind>A</kind>
</document-id></patcit></us-citation>
<us-citation><nplcit num="4"><othercit>Ada L.; &#x201c;Valves &#x26; pumps&#x201d;, <i>Journal</i> 1.</othercit>
</nplcit></us-citation>
</us-references-cited>
<number-of-claims>2</number-of-claims>
<us-parties><inventors><inventor sequence="001"><addressbook><last-name>Lovelace</last-name>
<first-name>Ada; M.</first-name></addressbook></inventor></inventors></us-parties>
<assignees><assignee><addressbook><orgname>Valves &#x26; Co., Ltd.</orgname></addressbook></assignee></assignees>
</us-bibliographic-data-grant>
<abstract id="abstract"><p>A valve, caf&eacute; &mystery; style.</p></abstract>
<drawings><figure/></drawings>
<description id="description"><p>Long.</p></description>
<claims id="claims"><claim id="1"><claim-text>1. A valve,<claim-text>of brass.</claim-text></claim-text></claim>
<claim id="2"><claim-text>2. The valve of claim 1.</claim-text></claim></claims>
</us-patent-grant>
"""
APPLICATION = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE us-patent-application SYSTEM "us-patent-application-v40-2004-12-02.dtd" [ ]>
<us-patent-application lang="EN" country="US"><us-bibliographic-data-application lang="EN" country="US">
<publication-reference><document-id><country>US</country><doc-number>20050004437</doc-number><kind>A1</kind>
<date>20050106</date></document-id></publication-reference>
<application-reference><document-id><date>20040423</date></document-id></application-reference>
<classification-ipc><edition>07</edition><main-classification>A61B005/00</main-classification>
<further-classification>G06F017/60</further-classification></classification-ipc>
<invention-title>Meter</invention-title>
<parties><applicants><applicant app-type="applicant-inventor"><addressbook><last-name>Curie</last-name>
<first-name>Marie</first-name></addressbook></applicant></applicants></parties>
</us-bibliographic-data-application><abstract><p>A meter.</p></abstract>
<claims><claim><claim-text>1. A meter.</claim-text></claim></claims></us-patent-application>
"""
PAP = """<!DOCTYPE patent-application-publication SYSTEM "pap-v15-2001-01-31.dtd" [
<!ENTITY US20010000044A1-D00001.TIF SYSTEM "US20010000044A1-D00001.TIF" NDATA TIF>
]>
<patent-application-publication><subdoc-bibliographic-information>
<document-id><doc-number>20010000044</doc-number><kind-code>A1</kind-code><document-date>20010315</document-date>
</document-id><domestic-filing-data><filing-date>19990629</filing-date></domestic-filing-data>
<technical-information><classification-ipc><classification-ipc-primary><ipc>G06F017/60</ipc></classification-ipc-primary>
<classification-ipc-secondary><ipc>H04L009/00</ipc></classification-ipc-secondary></classification-ipc>
<title-of-invention> Trade
 </title-of-invention></technical-information>
<inventors><first-named-inventor><name><given-name> Wayne </given-name><middle-name> W </middle-name>
<family-name> Lin </family-name></name></first-named-inventor></inventors>
<assignee><organization-name>ACME</organization-name></assignee></subdoc-bibliographic-information>
<subdoc-abstract><paragraph>Trading.</paragraph></subdoc-abstract>
<subdoc-claims><claim><claim-text>1. To trade.</claim-text></claim></subdoc-claims></patent-application-publication>
"""
SGML = """<!DOCTYPE PATDOC PUBLIC "-//USPTO//DTD ST.32 US PATENT GRANT V2.4 2000-09-20//EN" [
<!ENTITY US06336130-D00000.TIF SYSTEM "US06336130-D00000.TIF" NDATA TIF>
]>
<PATDOC DTD="2.4" STATUS="BUILD 20001018"><SDOBI>
<B100><B110><DNUM><PDAT>06336130</PDAT></DNUM></B110><B130><PDAT>B1</PDAT></B130>
<B140><DATE><PDAT>20020101</PDAT></DATE></B140><B190><PDAT>US</PDAT></B190></B100>
<B200><B220><DATE><PDAT>19991005</PDAT></DATE></B220></B200>
<B500><B510><B511><PDAT>G06F 1516</PDAT></B511><B512><PDAT>B60R  900</PDAT></B512><B516><PDAT>7</PDAT></B516></B510>
<B540><STEXT><PDAT>Services &mdash; available</PDAT></STEXT></B540>
<B560><B561><PCIT><DOC><DNUM><PDAT>5825759</PDAT></DNUM><KIND><PDAT>A</PDAT></KIND></DOC></PCIT><CITED-BY-EXAMINER></B561>
<B561><PCIT><DOC><DNUM><PDAT>96/25012</PDAT></DNUM><CTRY><PDAT>WO</PDAT></CTRY></DOC></PCIT><CITED-BY-OTHER></B561>
<B562><NCIT><STEXT><PDAT>A book; 1996.</PDAT></STEXT></NCIT><CITED-BY-OTHER></B562></B560>
<B570><B577><PDAT>1</PDAT></B577></B570><B590><B597US></B590></B500>
<B700><B720><B721><PARTY-US><NAM><FNM><PDAT>Thanh Van</PDAT></FNM><SNM><STEXT><PDAT>Do</PDAT></STEXT></SNM></NAM>
</PARTY-US></B721></B720><B730><B731><PARTY-US><NAM><ONM><STEXT><PDAT>Ericsson</PDAT></STEXT></ONM></NAM></PARTY-US>
</B731></B730></B700></SDOBI>
<SDOAB><BTEXT><PARA ID="P-1" LVL="0"><PTEXT><PDAT>A system.</PDAT></PTEXT></PARA></BTEXT></SDOAB>
<SDODE><BTEXT><PARA><PTEXT><PDAT>Long.</PDAT></PTEXT></PARA></BTEXT></SDODE>
<SDOCL><CL><CLM ID="CLM-1"><PARA><PTEXT><PDAT>1. A system.</PDAT></PTEXT></PARA></CLM></CL></SDOCL>
<SDODR><EMI ID="E-1" FILE="US06336130-D00000.TIF"></SDODR></PATDOC>
"""
GREENBOOK = """PATN
WKU  039327094
SRC  5
APN  4491556
APT  1
APD  19740307
TTL  Electronic business
      telephone
ISD  19760113
NCL  2
INVT
NAM  Hoff; Don G.
CTY  Tiburon
INVT
NAM  Young; Patrick
ASSG
NAM  General Teletronics Incorporated
CLAS
OCL  179 90K
EDF  2
ICL  H04M 1100
ICL  B60R  900
UREF
PNO  3518629
ISD  19700600
FREF
PNO  1234567
CNT  GBX
OREF
PAL  Hoff, "Phones; more", 1970.
ABST
PAL  A telephone for voice
      and data.
BSUM
PAR  Long.
CLMS
STM  What is claimed is:
NUM  1.
PAR  1. A terminal:
PA1  a. a keyboard.
NUM  2.
PAR  2. The terminal of claim 1.
"""
DOCDB = """<?xml version="1.0" encoding="UTF-8"?>
<exch:exchange-documents xmlns:exch="http://www.epo.org/exchange" no-of-documents="1">
<exch:exchange-document country="JP" doc-number="2005533465" kind="A" date-publ="20051104" family-id="30117972">
<exch:bibliographic-data>
<exch:publication-reference data-format="docdb"><document-id lang="ja"><country>JP</country>
<doc-number>2005533465</doc-number><kind>A</kind><date>20051104</date></document-id></exch:publication-reference>
<exch:classifications-ipcr><classification-ipcr sequence="1"><text>G06T   9/    00            A I    </text>
</classification-ipcr><classification-ipcr sequence="2"><text>H03M   7/30        20060101AFI20051220RMJP</text>
</classification-ipcr></exch:classifications-ipcr>
<exch:patent-classifications><patent-classification><classification-scheme office="EP" scheme="CPCI"/>
<classification-symbol>H04N  19/13         20141101</classification-symbol></patent-classification>
<patent-classification><classification-scheme office="JP" scheme="FI"/>
<classification-symbol>H03M  7/30      A</classification-symbol></patent-classification></exch:patent-classifications>
<exch:application-reference data-format="docdb"><document-id><date>20030711</date></document-id>
</exch:application-reference>
<exch:parties><exch:applicants><exch:applicant sequence="1" data-format="docdb"><exch:applicant-name>
<name>ACME CORP</name></exch:applicant-name></exch:applicant>
<exch:applicant sequence="1" data-format="docdba"><exch:applicant-name><name>ACME</name></exch:applicant-name>
</exch:applicant></exch:applicants><exch:inventors><exch:inventor data-format="docdb"><exch:inventor-name>
<name>TANAKA AI</name></exch:inventor-name></exch:inventor></exch:inventors></exch:parties>
<exch:invention-title lang="ja">符号化</exch:invention-title>
<exch:invention-title lang="en">Coding</exch:invention-title>
<exch:references-cited><exch:citation><patcit><document-id><country>EP</country><doc-number>0680812</doc-number>
<kind>A1</kind></document-id></patcit></exch:citation>
<exch:citation><nplcit><text>A paper.</text></nplcit></exch:citation>
</exch:references-cited></exch:bibliographic-data>
<exch:abstract lang="en"><exch:p>A coder.</exch:p></exch:abstract></exch:exchange-document></exch:exchange-documents>
"""
OPS = """<?xml version="1.0"?><ops:world-patent-data xmlns="http://www.epo.org/exchange" xmlns:ops="http://ops.epo.org">
<exchange-documents><exchange-document system="ops.epo.org" family-id="19768124" country="EP" doc-number="1000000"
 kind="A1"><bibliographic-data><publication-reference><document-id document-id-type="docdb"><country>EP</country>
<doc-number>1000000</doc-number><kind>A1</kind><date>20000517</date></document-id></publication-reference>
<classification-ipc><text>B28B5/02</text></classification-ipc>
<application-reference><document-id document-id-type="docdb"><country>EP</country></document-id>
<document-id document-id-type="epodoc"><date>19991108</date></document-id></application-reference>
<parties><applicants><applicant data-format="epodoc"><applicant-name><name>BOER BEHEER [NL]</name></applicant-name>
</applicant><applicant data-format="original"><applicant-name><name>Boer Beheer, B.V.</name></applicant-name>
</applicant></applicants></parties><invention-title lang="de">Vorrichtung</invention-title></bibliographic-data>
</exchange-document></exchange-documents></ops:world-patent-data>
"""
PATENTSVIEW_OLD = json.dumps({"patents": [
    {"patent_number": "10457642", "patent_title": "211-astatine", "patent_abstract": "At.", "patent_date": "2019-10-29",
     "applications": [{"app_date": "2016-04-26"}], "inventors": [{"inventor_key_id": "519697"}],
     "assignees": [{"assignee_organization": "Duke; University"}],
     "cited_patents": [{"cited_patent_number": "5919934"}, {"cited_patent_number": None}],
     "cpcs": [{"cpc_group_id": "A61K", "cpc_subgroup_id": "A61K9/0019"}]}], "count": 1})  # fmt: skip
PATENTSVIEW_NEW = json.dumps({"error": False, "count": 1, "total_hits": 1, "patents": [
    {"patent_id": "10000001", "patent_title": "Press", "patent_date": "2018-06-19", "wipo_kind": "B2",
     "application": [{"filing_date": "2015-03-02"}],
     "inventors": [{"inventor_name_first": "Ada", "inventor_name_last": "Lovelace"}],
     "assignees": [{"assignee_organization": None, "assignee_individual_name_last": "Curie"}],
     "ipcr": [{"ipc_section": "B", "ipc_class": "29", "ipc_subclass": "C", "ipc_main_group": "45",
               "ipc_subgroup": "64"}],
     "cpc_current": [{"cpc_subclass_id": "B29C", "cpc_group_id": "B29C45/64"}],
     "us_patent_citations": [{"citation_patent_id": "5000000"}],
     "us_application_citations": [{"citation_document_number": "20070140112"}],
     "foreign_citations": [{"citation_number": "0680812", "citation_country": "EP"}],
     "other_references": [{"reference_text": "A; book"}]}]})  # fmt: skip
PUBLIC_SEARCH = json.dumps({"numFound": 1, "patents": [
    {"guid": "US-11803561-B1", "publicationReferenceDocumentNumber": "11803561",
     "datePublished": "2023-10-31T00:00:00Z",
     "inventionTitle": "Query", "applicantName": ["Amazon"], "assigneeName": None,
     "ipcCodeFlattened": "G06F16/2458;G06F16/31",
     "cpcInventiveFlattened": "G06F16/313", "cpcAdditionalFlattened": "H04L1/00",
     "applicationFilingDate": ["2014-03-31T00:00:00Z"], "inventorsShort": "Hurst; William et al.", "kindCode": ["B1"],
     "urpn": ["5826261", "D344261", "20020022956"]}]})  # fmt: skip
OPEN_DATA_PORTAL = json.dumps({"count": 3, "patentFileWrapperDataBag": [
    {"applicationNumberText": "14104993", "applicationMetaData": {
        "inventionTitle": "TRANSISTOR", "filingDate": "2012-12-19", "grantDate": "2016-06-07",
        "patentNumber": "9362380",
        "earliestPublicationNumber": "US 2014-0167116 A1", "earliestPublicationDate": "2014-06-19",
        "cpcClassificationBag": ["H01L29/66325", "G01S   7/4863"], "applicantBag": [{"applicantNameText": "ST"}],
        "inventorBag": [{"inventorNameText": "Pascal Chevalier"}]}},
    {"applicationNumberText": "2", "applicationMetaData": {"patentNumber": "9000002", "grantDate": "2015-04-07",
        "firstApplicantName": "ACME", "cpcClassificationBag": [{"classificationSymbolText": "B01D71/00"}]}},
    {"applicationNumberText": "3", "applicationMetaData": {"filingDate": "2025-01-02"}}]})  # fmt: skip
ALL = {
    "uspto_xml": GRANT + APPLICATION,
    "uspto_pap": PAP,
    "uspto_sgml": SGML,
    "greenbook": GREENBOOK,
    "epo_xml": DOCDB,
    "patentsview_api": PATENTSVIEW_NEW,
    "uspto_ppubs": PUBLIC_SEARCH,
    "uspto_odp": OPEN_DATA_PORTAL,
}
