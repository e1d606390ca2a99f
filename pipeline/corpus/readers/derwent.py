"""Derwent Innovation tables (English, Chinese or Japanese headers): one row a document, lists separated by ``|``.

The date is the publication of each document. The original symbols are taken before those DWPI adds for the family.
"""

from pipeline.corpus.readers.columns import columns_layout

INNOVATION = columns_layout(
    "derwent_innovation",
    marks=(
        "publication number|公开号|公報番号",
        "title - dwpi|ipc - current|ipc - current - dwpi|ipc - original|assignee/applicant|标题 - dwpi|ipc - 现版|"
        "ipc - 现版 - dwpi|专利权人/申请人|タイトル - dwpi|ipc - 最新|ipc - 最新 - dwpi|譲受人/出願人",
    ),
    columns={
        "patent_id": ("publication number", "公开号", "公報番号"),
        "date": ("publication date", "公开日期", "公報発行日"),
        "title": ("title (english)", "title - dwpi", "title", "标题 - dwpi", "标题", "タイトル - dwpi", "タイトル"),
        "abstract": (
            "abstract (english)", "abstract", "abstract - dwpi", "摘要", "摘要 - dwpi", "抄録", "抄録 - dwpi",
            "抄録 - dwpi優位性",
        ),
        "claims": ("claims (english)", "claims", "first claim", "权利要求", "請求項"),
        "ipc": (
            "ipc - original", "ipc - current", "ipc", "ipc - current - dwpi", "ipc - 现版", "ipc - 现版 - dwpi",
            "ipc - 最新", "ipc - 最新 - dwpi",
        ),
        "cpc": ("cpc - original", "cpc - current", "cpc", "cpc - current - dwpi", "cpc - 现版", "cpc - 现版 - dwpi"),
        "assignees": (
            "assignee/applicant", "assignee - original", "assignee - standardized", "optimized assignee",
            "专利权人/申请人", "譲受人/出願人",
        ),
        "inventors": ("inventor", "inventor - original", "inventor - dwpi", "发明人", "发明人 - 带有地址", "発明者"),
        "cited_ids": ("cited refs - patent", "引用的参考文献 - 专利", "引用文献 - 特許"),
        "cited_npl": ("cited refs - non-patent", "引用的参考文献 - 非专利", "引用文献 - 非特許"),
        "members": ("inpadoc family members", "dwpi family members", "dwpi 同族专利成员", "dwpi ファミリーメンバー"),
        "claims_count": ("claims count", "count of claims"),
        "app_date": ("application date", "申请日期", "出願日"),
    },
    separator=r"\s*(?:\||\n|;)\s*",
    separators={"cited_npl": r"\s*(?:\||\n)\s*"},
)  # fmt: skip
