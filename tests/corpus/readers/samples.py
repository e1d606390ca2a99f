"""One hand-made file of each layout and container, all telling of the same two documents.

The columns are those of the genuine exports where one was seen, else those of the format's public documentation
(PatSnap in English, incoPat, Derwent Innovation, Derwent tagged text, nested BigQuery, the newer Patentscope list).
"""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

FIRST = {
    "patent_id": "US20100000001A1",
    "date": "2010-01-07",
    "app_date": "2008-03-14",
    "title": "Heat pump",
    "abstract": "A pump, with heat.",
    "ipc": "F25B 41/20;G06F 3/00",
    "assignees": "Pump Corp, Inc.;Toshiba KK",
    "inventors": "Sato, A;Mueller, B",
}
SECOND = {"patent_id": "EP2000002B1", "date": "2011-12-28", "ipc": "H01L 21/02"}


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])
    return out.getvalue().encode()


def as_xlsx(rows: Sequence[Sequence[str | float]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet("About").write(0, 0, "Exported by hand")
        sheet = book.add_worksheet("Results")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return out.getvalue()


def as_zip(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def as_parquet(rows: Sequence[Mapping[str, object]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), out)
    return out.getvalue()


def as_json_lines(rows: Sequence[Mapping[str, object]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


_LENS_OLD = as_csv(
    [
        *("#", "Jurisdiction", "Kind", "Publication Number", "Lens ID", "Publication Date", "Publication Year"),
        *("Application Number", "Application Date", "Priority Numbers", "Title", "Applicants", "Inventors", "URL"),
        *("Type", "Cited Count", "Simple Family Size", "CPC Classifications", "IPCR Classifications"),
        "Non-Patent Citations",
    ],
    [
        [
            *(
                "1",
                "US",
                "A1",
                "US 2010/0000001 A1",
                "000-1",
                "1/7/10",
                "2010",
                "US 1 A",
                "3/14/08",
                "US 1 P",
                "Heat pump",
            ),
            *("Pump Corp, Inc.;;Toshiba KK", "Sato, A;;Mueller, B", "https://e.example/1", "Patent Application", "99"),
            *("2", "Y02B30/70", "F25B 41/20;;G06F 3/00", "Doe; Pumps (1999);;Roe, Heat"),
        ],
        ["2", "EP", "B1", "EP 2000002 B1", "000-2", "12/28/11", "2011", *[""] * 11, "H01L 21/02", ""],
    ],
)
_LENS_NEW = as_csv(
    [
        *("#", "Jurisdiction", "Kind", "Display Key", "Lens ID", "Publication Date", "Publication Year"),
        *("Application Number", "Application Date", "Priority Numbers", "Earliest Priority Date", "Title", "Abstract"),
        *("Applicants", "Inventors", "Owners", "URL", "Document Type", "Has Full Text", "Cites Patent Count"),
        *("Cited by Patent Count", "Simple Family Size", "Simple Family Members", "Extended Family Size"),
        *("Sequence Count", "CPC Classifications", "IPCR Classifications", "US Classifications"),
        *("NPL Citation Count", "NPL Citations", "Legal Status"),
    ],
    [
        [
            *("1", "US", "A1", "US 2010/0000001 A1", "000-1", "2010-01-07", "2010", "US 1 A", "2008-03-14", "US 1 P"),
            *("2008-01-01", "Heat pump", "A pump, with heat.", "Pump Corp, Inc.;;Toshiba KK", "Sato, A;;Mueller, B"),
            *("", "https://e.example/1", "Patent Application", "yes", "0", "99", "2"),
            *(
                "EP 2000002 B1;;US 2010/0000001 A1",
                "2",
                "0",
                "",
                "F25B 41/20;;G06F 3/00",
                "",
                "1",
                "Doe; Pumps",
                "Active",
            ),
        ],
        [
            *("2", "EP", "B1", "EP 2000002 B1", "000-2", "2011-12-28", "2011", *[""] * 15),
            *("US 2010/0000001 A1", *[""] * 3, "H01L 21/02", *[""] * 4),
        ],
    ],
)
_LENS_API: list[dict[str, object]] = [
    {
        "lens_id": "000-1", "jurisdiction": "US", "doc_number": "20100000001", "kind": "A1",
        "date_published": "2010-01-07",
        "biblio": {
            "application_reference": {"jurisdiction": "US", "doc_number": "1", "date": "2008-03-14"},
            "invention_title": [{"text": "Wärmepumpe", "lang": "de"}, {"text": "Heat pump", "lang": "en"}],
            "parties": {
                "applicants": [
                    {"extracted_name": {"value": "Pump Corp, Inc."}}, {"extracted_name": {"value": "Toshiba KK"}},
                ],
                "inventors": [{"extracted_name": {"value": "Sato, A"}}, {"extracted_name": {"value": "Mueller, B"}}],
            },
            "classifications_ipcr": {"classifications": [{"symbol": "F25B 41/20"}, {"symbol": "G06F 3/00"}]},
            "references_cited": {
                "citations": [
                    {"nplcit": {"text": "Doe; Pumps (1999)"}},
                    {"patcit": {"document_id": {"jurisdiction": "US", "doc_number": "7155747", "kind": "B2"}}},
                ]
            },
            "cited_by": {"patents": [{"lens_id": "000-9"}]},
        },
        "families": {"simple_family": {"members": [{"lens_id": "000-2"}, {"lens_id": "000-1"}]}},
        "abstract": [{"text": "A pump, with heat.", "lang": "en"}],
        "claims": [{"claims": [{"claim_text": ["1. A pump.", "2. A pump as in 1."]}]}],
    },
    {
        "lens_id": "000-2", "jurisdiction": "EP", "doc_number": "2000002", "kind": "B1", "date_published": "2011-12-28",
        "biblio": {"classifications_ipcr": {"classifications": [{"symbol": "H01L 21/02"}]}},
        "families": {"simple_family": {"members": [{"lens_id": "000-1"}, {"lens_id": "000-2"}]}},
    },
]  # fmt: skip
_NESTED: list[dict[str, object]] = [
    {
        "publication_number": "US-20100000001-A1", "publication_date": 20100107, "filing_date": 20080314,
        "family_id": "77", "country_code": "US",
        "title_localized": [{"text": "Wärmepumpe", "language": "de"}, {"text": "Heat pump", "language": "en"}],
        "abstract_localized": [{"text": "A pump, with heat.", "language": "en"}],
        "ipc": [{"code": "F25B 41/20", "inventive": True}, {"code": "G06F 3/00", "inventive": False}],
        "citation": [
            {"publication_number": "US-7155747-B2", "npl_text": ""},
            {"publication_number": "", "npl_text": "Doe; Pumps (1999)"},
        ],
        "assignee_harmonized": [{"name": "Pump Corp, Inc."}, {"name": "Toshiba KK"}],
        "inventor_harmonized": [{"name": "Sato, A"}, {"name": "Mueller, B"}],
    },
    {
        "publication_number": "EP-2000002-B1", "publication_date": 20111228, "filing_date": 0, "family_id": "-1",
        "country_code": "EP", "title_localized": [], "abstract_localized": [],
        "ipc": [{"code": "H01L 21/02", "inventive": True}], "citation": [], "assignee_harmonized": [],
        "inventor_harmonized": [],
    },
]  # fmt: skip
_NESTED_TEXT = [{key: json.dumps(v) if isinstance(v, list) else str(v) for key, v in row.items()} for row in _NESTED]
_NESTED_PYTHON = [
    {key: repr(value) if isinstance(value, list) else str(value) for key, value in row.items()} for row in _NESTED
]
_FLAT = [
    {
        "publication_number": "US-20100000001-A1", "publication_date": "20100107", "country_code": "US",
        "family_id": "77", "title_text": "Heat pump", "abstract_text": "A pump, with heat.",
        "cpc_code": "['Y02B30/70']", "ipc_code": "['F25B 41/20', 'G06F 3/00']", "refs": "['US-7155747-B2']",
        "filing_date": "20080314", "assignee": "['Pump Corp, Inc.', \"Toshiba KK\"]",
        "inventor": "['Sato, A', 'Mueller, B']",
    },
    {
        "publication_number": "EP-2000002-B1", "publication_date": "20111228", "country_code": "EP",
        "family_id": "-1", "title_text": "", "abstract_text": "", "cpc_code": "[]", "ipc_code": "['H01L 21/02']",
        "refs": "[]", "filing_date": "0", "assignee": "[]", "inventor": "[]",
    },
]  # fmt: skip


def _dicts_as_csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    return as_csv(list(rows[0]), [list(row.values()) for row in rows])


_PATENTSCOPE: list[Sequence[str]] = [
    ["Query: DP:([01.01.2010 TO 31.12.2011]) AND EN_ALL:pump"],
    ["Publication Number", "Publication Date", "Title", "Priority Data", "IPC", "Applicants", "Inventors", "FP Image"],
    [
        *("US20100000001A1", "07.01.2010", "Heat pump", "[1 2008-01-01T23:59:59.000Z US]", "F25B 41/20;G06F 3/00"),
        *("Pump Corp, Inc.;Toshiba KK", "Sato, A;Mueller, B", ""),
    ],
    ["EP2000002B1", "28.12.2011", "", "", "H01L 21/02", "", "", ""],
]
_PATENTSCOPE_NEW: list[Sequence[str]] = [
    [
        *("Application Id", "Application Number", "Application Date", "Publication Number", "Publication Date"),
        *("Country", "Title", "Abstract", "I P C", "Applicants", "Inventors", "Priorities Data"),
        "National Phase Entries",
    ],
    [
        *("US1", "1", "14.03.2008", "US20100000001A1", "07.01.2010", "US", "Heat pump", "A pump, with heat."),
        *("F25B 41/20;G06F 3/00", "Pump Corp, Inc.;Toshiba KK", "Sato, A;Mueller, B", "", ""),
    ],
    ["EP2", "2", "", "EP2000002B1", "28.12.2011", "EP", "", "", "H01L 21/02", "", "", "", ""],
]
_PATSNAP_ZH: list[Sequence[str]] = [
    [
        *(
            "序号",
            "公开（公告）号",
            "法律状态/事件",
            "申请日",
            "公开（公告）日",
            "被引用专利数量",
            "标题(译)(简体中文)",
        ),
        *(
            "标题(译)(English)",
            "摘要(译)(English)",
            "受理局",
            "[标]原始申请(专利权)人",
            "发明人",
            "IPC分类号",
            "简单同族",
        ),
    ],
    [
        *("1", "US20100000001A1", "授权", "2008-03-14", "2010-01-07", "99", "热泵", "Heat pump", "A pump, with heat."),
        *("美国", "Pump Corp, Inc. | Toshiba KK", "Sato, A | Mueller, B", "F25B 41/20 | G06F 3/00"),
        "EP2000002B1 | US20100000001A1",
    ],
    ["2", "EP2000002B1", "-", "-", "2011-12-28", "0", "-", "-", "-", "欧洲", "-", "-", "H01L 21/02", "US20100000001A1"],
]
_PATSNAP_EN: list[Sequence[str]] = [
    ["PatSnap export of two documents"],
    [
        *("Publication Number", "Publication Date", "Title", "Abstract", "Original Assignee", "Current Assignee"),
        *("Inventor", "IPC Classification", "Simple Family Members", "Application Date", "Legal Status/Event"),
        "Cited By Count",
    ],
    [
        *("US20100000001A1", "2010-01-07", "Heat pump", "A pump, with heat.", "Pump Corp, Inc. | Toshiba KK", "Other"),
        *("Sato, A | Mueller, B", "F25B 41/20 | G06F 3/00", "EP2000002B1 | US20100000001A1", "2008-03-14", "", "9"),
    ],
    ["EP2000002B1", "2011-12-28", "", "", "", "", "", "H01L 21/02", "EP2000002B1 | US20100000001A1", "", "", ""],
]
_INCOPAT: list[Sequence[str]] = [
    [
        *(
            "序号",
            "标题",
            "标题(英文)",
            "摘要(英文)",
            "申请人",
            "发明人",
            "公开（公告）号",
            "公开（公告）日",
            "申请号",
            "申请日",
        ),
        *("IPC主分类", "IPC", "简单同族", "公开国别", "被引证次数"),
    ],
    [
        *("1", "热泵", "Heat pump", "A pump, with heat.", "Pump Corp, Inc.; Toshiba KK", "Sato, A; Mueller, B"),
        *("US20100000001A1", "20100107", "US1", "20080314", "F25B 41/20", "F25B 41/20; G06F 3/00"),
        *("EP2000002B1; US20100000001A1", "US", "99"),
    ],
    ["2", *[""] * 5, "EP2000002B1", "20111228", "", "", "H01L 21/02", "H01L 21/02", "US20100000001A1", "EP", "0"],
]
_INNOVATION: list[Sequence[str]] = [
    ["Derwent Innovation"],
    ["Total records: 2"],
    [
        *("Publication Number", "Title - DWPI", "Title", "Abstract", "Assignee/Applicant", "Inventor", "IPC - Current"),
        *("IPC - Current - DWPI", "Publication Date", "Application Date", "INPADOC Family Members"),
        *("Cited Refs - Patent", "Count of Citing Patents"),
    ],
    [
        *("US20100000001A1", "Heat pump", "Wärmepumpe", "A pump, with heat.", "Pump Corp, Inc. | Toshiba KK"),
        *("Sato, A | Mueller, B", "F25B 41/20 | G06F 3/00", "F25B 41/20 | A01B 1/00", "2010-01-07", "2008-03-14"),
        *("EP2000002B1 | US20100000001A1", "US7155747B2", "99"),
    ],
    ["EP2000002B1", "", "", "", "", "", "H01L 21/02", "", "2011-12-28", "", "US20100000001A1", "", ""],
]
TAGGED = """FN Clarivate Analytics Web of Science
VR 1.0
PT P
PN US20100000001-A1; EP2000003-A1
TI Heat pump
AU Sato, A
   Mueller, B
AE Pump Corp, Inc. (PUMP-C)
   Toshiba KK (TOKE-C)
GA 2010A00001
AB A pump,
   with heat.
IP F25B-041/20; G06F-003/00
PD EP2000003-A1   08 Jan 2010   F25B-041/20   201011   English
   US20100000001-A1   07 Jan 2010   F25B-041/20   201010   Pages: 9   English
AD US20100000001-A1    US1    14 Mar 2008
CP US20100000001-A1 -- US7155747-B2   ROE INC (ROEI-Individual)   ROE R
CR US20100000001-A1 -- Doe, J; Pumps, 1999
ER

PT P
PN EP2000002-B1
TI
IP H01L-021/02
PD EP2000002-B1   28 Dec 2011   H01L-021/02   201201
GA 2010A00002
ER

EF
"""

SAMPLES: dict[str, tuple[str, bytes]] = {
    "plain CSV": ("table", as_csv([*FIRST], [[*FIRST.values()], [SECOND.get(field, "") for field in FIRST]])),
    "plain JSON lines": ("table", as_json_lines([FIRST, SECOND])),
    "plain Parquet": ("table", as_parquet([FIRST, SECOND])),
    "Lens CSV of 2017": ("lens", _LENS_OLD),
    "Lens CSV of today": ("lens", _LENS_NEW),
    "Lens API, lines": ("lens_api", as_json_lines(_LENS_API)),
    "Lens API, one answer": ("lens_api", json.dumps({"total": 2, "data": _LENS_API}).encode()),
    "BigQuery CSV, flat": ("google_patents", _dicts_as_csv(_FLAT)),
    "BigQuery JSON lines, nested": ("google_patents", as_json_lines(_NESTED)),
    "BigQuery Parquet, nested": ("google_patents", as_parquet(_NESTED)),
    "BigQuery CSV, nested as JSON": ("google_patents", _dicts_as_csv(_NESTED_TEXT)),
    "BigQuery CSV, nested as Python": ("google_patents", _dicts_as_csv(_NESTED_PYTHON)),
    "Patentscope XLSX of 2016": ("patentscope", as_xlsx(_PATENTSCOPE)),
    "Patentscope XLSX of today": ("patentscope", as_xlsx(_PATENTSCOPE_NEW)),
    "PatSnap XLSX, Chinese": ("patsnap", as_xlsx(_PATSNAP_ZH)),
    "PatSnap XLSX, English": ("patsnap", as_xlsx(_PATSNAP_EN)),
    "incoPat XLSX": ("incopat", as_xlsx(_INCOPAT)),
    "Derwent Innovation XLSX": ("derwent_innovation", as_xlsx(_INNOVATION)),
    "Derwent Innovation CSV": ("derwent_innovation", as_csv(_INNOVATION[2], _INNOVATION[3:])),
    "Derwent tagged text": ("derwent_index", TAGGED.encode()),
}  # fmt: skip
