"""PatSnap workbooks, with English or Chinese headers; lists are separated by ``|``.

The date is the publication of each document (of the grant, where the row is one). Current assignees are as of the
export; the original ones are taken first. Families: the simple family's members where exported.
"""

from pipeline.corpus.readers.columns import columns_layout

PATSNAP = columns_layout(
    "patsnap",
    marks=(
        "公开(公告)号|公开号|publication number|publication no.",
        "公开(公告)日|公开日|publication date",
        "简单同族专利申请数量|inpadoc同族专利申请数量|patsnap同族专利申请数量|[标]当前申请(专利权)人|"
        "[标]原始申请(专利权)人|当前申请(专利权)人|法律状态/事件|受理局|simple family|simple family members|"
        "legal status/event|receiving office|"
        "current assignee|[st] current assignee|[st]current assignee|original assignee|simple legal status",
    ),
    columns={
        "patent_id": ("公开(公告)号", "公开号", "publication number", "publication no."),
        "date": ("公开(公告)日", "公开日", "publication date"),
        "title": (
            "标题(译)(english)", "标题(英文)", "title (english)", "title(translated)(english)", "title (translated)",
            "title", "标题", "标题(译)(简体中文)", "标题(译)", "标题(中文)",
        ),
        "abstract": (
            "摘要(译)(english)", "摘要(英文)", "abstract (english)", "abstract(translated)(english)",
            "abstract (translated)", "abstract", "摘要", "摘要(译)(简体中文)", "摘要(译)", "摘要(中文)",
        ),
        "claims": (
            "权利要求", "claims", "独立权利要求", "independent claims", "首项权利要求", "first claim", "1st claim",
        ),
        "ipc": (
            "ipc分类号", "ipc", "ipc classification", "ipc(all)", "ipc主分类号", "main ipc", "ipc main classification",
        ),
        "cpc": ("cpc分类号", "cpc", "cpc classification", "cpc(all)", "cpc主分类号", "main cpc"),
        "assignees": (
            "[标]原始申请(专利权)人", "原始申请(专利权)人", "[st] original assignee", "[st]original assignee",
            "original assignee", "[标]当前申请(专利权)人", "当前申请(专利权)人", "申请(专利权)人", "申请人",
            "[st] current assignee", "[st]current assignee", "current assignee", "assignee",
        ),
        "inventors": ("发明人", "[标]发明人", "inventor", "inventors", "[st] inventor"),
        "cited_ids": ("引用专利", "引用文献", "cited patents", "backward citations", "patent citations"),
        "cited_npl": ("非专利引用文献", "引用非专利文献", "non-patent citations", "cited non-patent literature"),
        "members": ("简单同族", "简单同族专利", "simple family", "simple family members"),
        "claims_count": ("权利要求数量", "number of claims", "claim count", "claims count"),
        "app_date": ("申请日", "application date", "filing date"),
    },
    separator=r"\s*(?:\||\n|;)\s*",
    separators={"cited_npl": r"\s*(?:\||\n)\s*"},
)  # fmt: skip
