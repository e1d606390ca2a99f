"""incoPat workbooks with Chinese headers; lists are separated by ``;``.

The date is the publication of each document. Families: the simple family's members where exported.
"""

from pipeline.corpus.readers.columns import columns_layout

INCOPAT = columns_layout(
    "incopat",
    marks=(
        "公开(公告)号|公开号",
        "公开(公告)日|公开日",
        "标题|标题(中文)|标题(中文/翻译)|标题(翻译)|名称",
        "ipc|ipc主分类|ipc分类|主ipc|cpc",
    ),
    columns={
        "patent_id": ("公开(公告)号", "公开号"),
        "date": ("公开(公告)日", "公开日"),
        "title": ("标题(英文)", "标题(翻译)", "标题", "标题(中文)", "标题(中文/翻译)", "名称"),
        "abstract": ("摘要(英文)", "摘要(翻译)", "摘要", "摘要(中文)", "摘要(中文/翻译)"),
        "claims": ("权利要求", "权利要求书", "首项权利要求", "首权项", "独立权利要求"),
        "ipc": ("ipc", "ipc分类", "ipc分类号", "ipc主分类", "主ipc"),
        "cpc": ("cpc", "cpc分类", "cpc分类号"),
        "assignees": ("申请人", "标准化申请人", "第一申请人", "标准化当前权利人", "当前权利人", "专利权人"),
        "inventors": ("发明人", "发明(设计)人", "第一发明人"),
        "cited_ids": ("引证专利", "引证文献", "引用专利"),
        "cited_npl": ("引证科技文献", "非专利引证文献"),
        "members": ("简单同族",),
        "claims_count": ("权利要求数量",),
        "office": ("公开国别", "公开国"),
        "app_date": ("申请日",),
    },
    separator=r"\s*[;；|\n]\s*",
    separators={"cited_npl": r"\s*(?:\||\n|；)\s*"},
)
