"""What the columns of patent tables are called, in English, Chinese, Japanese, Korean and German."""

HEADINGS: dict[str, tuple[str, ...]] = {
    "patent_id": (
        "patent_id", "publication number", "publication no", "patent number", "patent no", "document number",
        "pub no", "pn", "公开(公告)号", "公开号", "公告号", "专利号", "公開番号", "公報番号", "特許番号",
        "文献番号", "公開・公報番号", "공개번호", "등록번호", "공보번호", "특허번호", "문헌번호",
        "veröffentlichungsnummer", "publikationsnummer", "patentnummer", "schriftnummer", "dokumentnummer",
        "publication_number", "document id",
    ),
    "date": (
        "date", "publication date", "pub date", "grant date", "issue date", "date published", "pd", "公开(公告)日",
        "公开日", "公告日", "授权日", "公開日", "公報発行日", "発行日", "登録日", "공개일", "공개일자", "등록일",
        "등록일자", "공고일", "veröffentlichungsdatum", "veröffentlichungstag", "publikationsdatum",
        "erteilungsdatum", "publication_date",
    ),
    "app_date": (
        "application date", "filing date", "app date", "filed", "date filed", "申请日", "申请日期", "出願日",
        "출원일", "출원일자", "anmeldedatum", "anmeldetag", "einreichungsdatum", "filing_date", "app_date",
    ),
    "title": (
        "title", "invention title", "patent title", "invention", "ti", "标题", "名称", "专利名称", "发明名称",
        "発明の名称", "タイトル", "名称", "발명의명칭", "발명의 명칭", "명칭", "제목", "titel", "bezeichnung",
        "title (english)",
    ),
    "abstract": (
        "abstract", "summary", "ab", "摘要", "要約", "抄録", "요약", "초록", "zusammenfassung",
        "abstract (english)",
    ),
    "claims": (
        "claims", "first claim", "claim", "权利要求", "权利要求书", "首项权利要求", "請求項", "請求の範囲",
        "特許請求の範囲", "청구항", "청구범위", "ansprüche", "patentansprüche", "anspruch",
    ),
    "ipc": (
        "ipc", "ipc codes", "ipc classification", "ipcr classifications", "ipc - current",
        "international classification", "int. cl.", "ip", "ipc分类号", "ipc分类", "国际分类号", "分类号",
        "国際特許分類", "ipc分類", "ipc코드", "ipc 분류", "국제특허분류", "ipc-klassifikation", "ipc-klassen",
        "ipc klassen", "internationale patentklassifikation",
    ),
    "cpc": (
        "cpc", "cpc codes", "cpc classification", "cpc classifications", "cpc - current", "cpc分类号", "cpc分类",
        "cpc分類", "cpc코드", "cpc 분류", "cpc-klassifikation", "cpc-klassen", "cpc klassen",
    ),
    "assignees": (
        "assignees", "assignee", "applicants", "applicant", "owner", "patent assignee", "proprietor", "company",
        "申请人", "专利权人", "申请(专利权)人", "出願人", "権利者", "出願人/権利者", "출원인", "특허권자", "권리자",
        "anmelder", "inhaber", "anmelder/inhaber", "patentinhaber",
    ),
    "inventors": (
        "inventors", "inventor", "inventor name", "发明人", "发明(设计)人", "発明者", "발명자", "발명인",
        "erfinder",
    ),
    "cited_ids": (
        "cited patents", "backward citations", "references", "cited documents", "patent citations", "引用专利",
        "引证专利", "引用文献", "引用特許", "인용문헌", "인용특허", "zitierte patente", "zitierte dokumente",
        "entgegenhaltungen",
    ),
    "cited_npl": (
        "non-patent citations", "npl citations", "cited non-patent literature", "非专利引用文献", "非特許文献",
        "비특허문헌", "nichtpatentliteratur", "zitierte nichtpatentliteratur",
    ),
    "family_id": (
        "family id", "simple family id", "docdb family", "family number", "同族号", "同族编号", "ファミリーid",
        "패밀리번호", "패밀리id", "familiennummer", "familien-id", "family_id",
    ),
    "members": (
        "simple family members", "family members", "simple family", "简单同族", "同族专利", "パテントファミリー",
        "패밀리특허", "패밀리문헌", "familienmitglieder", "patentfamilie",
    ),
    "claims_count": (
        "number of claims", "claims count", "claim count", "权利要求数量", "权利要求数", "請求項数", "청구항수",
        "청구항 수", "anzahl ansprüche", "anzahl der ansprüche",
    ),
    "office": (
        "office", "country", "country code", "jurisdiction", "authority", "公开国别", "受理局", "国家/地区",
        "発行国", "国コード", "국가코드", "발행국", "land", "ländercode", "amt",
    ),
}  # fmt: skip

# what looks like one of these and is another: counts and flags, days that are no publication, what grows by the day
MISLEADING = (
    "count", "数量", "次数", "数", "수", "anzahl", "cited by", "citing", "被引", "被引用", "citing patents",
    "优先权", "priority", "prioritäts", "優先", "우선", "expir", "url", "link", "year", "年", "jahr", "status",
    "状态",
)  # fmt: skip
