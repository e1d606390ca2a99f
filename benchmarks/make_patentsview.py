"""Write a synthetic set of PatentsView bulk tables, of the real ones' columns and proportions, for size tests.

    .venv/bin/python benchmarks/make_patentsview.py FOLDER --patents 1000000 [--zip]

A million patents are some 5 GB of text. Nothing in it is a real patent; the same arguments give the same bytes.
"""

import argparse
import itertools
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_WORDS = 4000
_CHUNK = 20_000  # patents made; more are the same under other numbers
_FIRST = 7_000_000
Rows = Iterator[tuple[int, str]]  # a patent's number in the chunk, and its line without the number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patents", type=int, default=1_000_000)
    parser.add_argument("--zip", action="store_true")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, header in TABLES.items():
        path = arguments.folder / f"{name}.tsv"
        with path.open("w", encoding="utf-8") as handle:
            handle.write("\t".join(f'"{column}"' for column in header.split()) + "\n")
            rng = np.random.default_rng([7, sum(name.encode())])
            rows = list(ROWS[name](rng))
            for start in range(_FIRST, _FIRST + arguments.patents, _CHUNK):
                handle.write("".join(f'"{start + patent}"\t{rest}' for patent, rest in rows))
        if arguments.zip:
            with zipfile.ZipFile(path.with_suffix(".tsv.zip"), "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
                archive.write(path, path.name)
            path.unlink()
        print(name, flush=True)


_rng = np.random.default_rng(7)
_LETTERS = np.array(list("etaoinshrdlucmfwypvbgk"))
WORDS = np.array(["".join(_LETTERS[_rng.integers(0, 22, size)]) for size in _rng.integers(2, 11, _WORDS)])
GROUPS = [
    f"{section}{number:02}{letter}\t{group}\t{subgroup:02}"
    for section, number, letter, group, subgroup in itertools.product(
        "ABCDEFGH", (1, 4, 21), "BKN", (1, 7, 33), (0, 2, 18)
    )
]


def prose(rng: np.random.Generator, words: int) -> str:
    return " ".join(WORDS[np.minimum(rng.zipf(1.3, words), _WORDS) - 1])


def line(*fields: object) -> str:
    return "\t".join(f'"{field}"' for field in fields) + "\n"


def repeated(rng: np.random.Generator, mean: float) -> Iterator[tuple[int, int]]:
    for patent, count in enumerate(rng.poisson(mean, _CHUNK)):
        for sequence in range(count):
            yield patent, sequence


def patents(rng: np.random.Generator) -> Rows:
    for patent in range(_CHUNK):
        day = f"{2005 + patent % 20}-{1 + patent % 12:02}-{1 + patent % 28:02}"
        yield patent, line("utility", day, prose(rng, 8), "B2", rng.integers(1, 40), 0, "ipg.xml")


def applications(rng: np.random.Generator) -> Rows:
    for patent in range(_CHUNK):
        yield patent, line(f"11/{patent}", "utility", f"{2002 + patent % 20}-03-05", 11, "f")


def abstracts(rng: np.random.Generator) -> Rows:
    return ((patent, line(prose(rng, 120))) for patent in range(_CHUNK))


def ipc(rng: np.random.Generator) -> Rows:
    for patent, sequence in repeated(rng, 2.6):
        stem, group, subgroup = GROUPS[rng.integers(0, len(GROUPS))].split("\t")
        yield patent, line(sequence, "A", stem[0], stem[1:3], stem[3], group, subgroup, "I", "2006-01-01")


def cpc(rng: np.random.Generator) -> Rows:
    for patent, sequence in repeated(rng, 6.5):
        stem, group, subgroup = GROUPS[rng.integers(0, len(GROUPS))].split("\t")
        yield patent, line(sequence, stem[0], stem[:3], stem, f"{stem}{group}/{subgroup}", "inventional")


def citations(rng: np.random.Generator) -> Rows:
    for patent, sequence in repeated(rng, 17.0):
        cited = rng.integers(6_000_000, _FIRST)
        yield patent, line(sequence, cited, "2004-05-01", "Smith et al.", "B1", "cited by examiner")


def foreign(rng: np.random.Generator) -> Rows:
    for patent, sequence in repeated(rng, 5.0):
        yield patent, line(sequence, rng.integers(100_000, 9_999_999), "2003-01-01", "cited by applicant", "EP")


def literature(rng: np.random.Generator) -> Rows:
    return ((patent, line(sequence, prose(rng, 25))) for patent, sequence in repeated(rng, 7.0))


def assignees(rng: np.random.Generator) -> Rows:
    for patent, sequence in repeated(rng, 0.95):
        firm = f"{WORDS[rng.integers(0, _WORDS)].title()} Corporation"
        yield patent, line(sequence, f"key-{sequence}", "", "", firm, 2, "place")


def inventors(rng: np.random.Generator) -> Rows:
    for patent, sequence in repeated(rng, 2.7):
        first, last = WORDS[rng.integers(0, _WORDS, 2)]
        yield patent, line(sequence, "fl:key", first.title(), last.title(), "M", "place")


ROWS = {
    "g_patent": patents, "g_application": applications, "g_patent_abstract": abstracts, "g_ipc_at_issue": ipc,
    "g_cpc_current": cpc, "g_us_patent_citation": citations, "g_foreign_citation": foreign,
    "g_other_reference": literature, "g_assignee_disambiguated": assignees, "g_inventor_disambiguated": inventors,
}  # fmt: skip
TABLES = {
    "g_patent": "patent_id patent_type patent_date patent_title wipo_kind num_claims withdrawn filename",
    "g_application": "patent_id application_id patent_application_type filing_date series_code rule_47_flag",
    "g_patent_abstract": "patent_id patent_abstract",
    "g_ipc_at_issue": "patent_id ipc_sequence classification_level section ipc_class subclass main_group subgroup "
    "classification_value action_date",
    "g_cpc_current": "patent_id cpc_sequence cpc_section cpc_class cpc_subclass cpc_group cpc_type",
    "g_us_patent_citation": "patent_id citation_sequence citation_patent_id citation_date record_name wipo_kind "
    "citation_category",
    "g_foreign_citation": "patent_id citation_sequence citation_application_id citation_date citation_category "
    "citation_country",
    "g_other_reference": "patent_id other_reference_sequence other_reference_text",
    "g_assignee_disambiguated": "patent_id assignee_sequence assignee_id disambig_assignee_individual_name_first "
    "disambig_assignee_individual_name_last disambig_assignee_organization assignee_type location_id",
    "g_inventor_disambiguated": "patent_id inventor_sequence inventor_id disambig_inventor_name_first "
    "disambig_inventor_name_last gender_code location_id",
}

if __name__ == "__main__":
    main()
