"""WIPO Patentscope: the result list as XLS or XLSX, with or without the query above the header.

The date is the publication of each document. The list has no filing date in its older layout; the newer has.
"""

from pipeline.corpus.readers.columns import columns_layout

PATENTSCOPE = columns_layout(
    "patentscope",
    marks=("ipc|i p c|int.class|international class", "applicants|applicant", "publication date|pub. date|date",
           "publication number|application id|priority data|priorities data|national phase entries"),
    columns={
        "patent_id": ("publication number", "pub. no", "application id"),
        "date": ("publication date", "pub. date", "date"),
        "title": ("title",),
        "abstract": ("abstract",),
        "ipc": ("ipc", "i p c", "int.class", "international class"),
        "cpc": ("cpc",),
        "assignees": ("applicants", "applicant"),
        "inventors": ("inventors", "inventor"),
        "office": ("country", "ctr"),
        "app_date": ("application date", "filing date"),
    },
)  # fmt: skip
