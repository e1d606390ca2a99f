"""The simulated corpus as a table: ``generate(seed)``, and the links planted in it: ``planted(seed)``."""

import dataclasses

import numpy as np
import pandas as pd

from pipeline.errors import ConfigError
from pipeline.sample.faults import with_faults
from pipeline.sample.firms import inventor_name
from pipeline.sample.texts import Text, capital, write
from pipeline.sample.vocabulary import technologies
from pipeline.sample.world import FIRST_YEAR, STEPS, Invention, World, drift_partners, simulate

COLUMNS = ("patent_id", "date", "title", "abstract", "claims", "ipc", "cpc", "assignees", "inventors", "cited_ids",
           "cited_npl", "family_id", "claims_count", "office", "app_date", "date_kind")  # fmt: skip
OFFICES = {"US": 0.40, "EP": 0.20, "JP": 0.15, "CN": 0.15, "KR": 0.10}
FAMILY_SHARE = 0.14  # documents that are further members of a family
SECOND_GROUP = 0.3  # chance that a subclass of a patent stands with a second group
TAGGED = 0.5  # chance that a tag of CPC section Y is put on a patent of its technology
PENDING_DAYS = (400, 1100)  # between filing and publication of the first member
MEMBER_DAYS = (60, 400)  # between the publications of the first and a further member
NPL_A_PATENT = 0.4  # references to literature, on average
NO_APP_DATE = 0.02
OUTSIDE_DOCUMENTS = 2000
FEWEST_PATENTS = 100
_STEP_STARTS = pd.date_range(f"{FIRST_YEAR}-01-01", periods=STEPS + 1, freq="6MS").to_numpy().astype("datetime64[D]")


def source_label(seed: int) -> str:
    """What every output made from this corpus says about its source."""
    return f"simulated corpus (techconverge sample, seed {seed})"


def generate(seed: int, patents: int = 6000) -> pd.DataFrame:
    """Simulate a corpus of so many documents in the flat schema of an export, all columns text, sorted by date.

    After the documents come the few faulty rows of ``faults``, so that the account of what was read is seen at work.
    The same seed and size give the same table.

    Raises:
        ConfigError: when ``patents`` is too small for families, links and faulty rows.
    """
    world, details = _world(seed, patents)
    return with_faults(_documents(world, patents, details), details)


def planted(seed: int, patents: int = 6000) -> pd.DataFrame:
    """The links planted in ``generate(seed, patents)``, sorted by start: code_a < code_b, mechanism, both dates.

    ``sign_date``: when citations or words begin to approach (the start itself for the other mechanisms).
    ``start_date``: the first day on which a joint patent may appear; before it there is none.

    Raises:
        ConfigError: as ``generate``.
    """
    world, _ = _world(seed, patents)
    links = [link for link in world.links if link.start < STEPS]
    codes = np.array([technology.code for technology in technologies()])
    table = pd.DataFrame(
        {
            "code_a": codes[[link.a for link in links]],
            "code_b": codes[[link.b for link in links]],
            "mechanism": [link.mechanism for link in links],
            "sign_date": pd.DatetimeIndex(_STEP_STARTS[[link.sign for link in links]]).as_unit("s"),
            "start_date": pd.DatetimeIndex(_STEP_STARTS[[link.start for link in links]]).as_unit("s"),
        }
    )
    return table.sort_values(["start_date", "code_a", "code_b"], ignore_index=True)


def _world(seed: int, patents: int) -> tuple[World, np.random.Generator]:
    """The simulated world, and the generator of all details that do not shape it."""
    if patents < FEWEST_PATENTS:
        raise ConfigError(f"a simulated corpus of {patents} patents is too small: ask for {FEWEST_PATENTS} or more")
    first, second = np.random.SeedSequence(seed).spawn(2)
    inventions = patents - int(FAMILY_SHARE * patents)
    return simulate(np.random.default_rng(first), inventions, patents), np.random.default_rng(second)


def _documents(world: World, patents: int, rng: np.random.Generator) -> pd.DataFrame:
    steps = np.array([invention.step for invention in world.inventions])
    opened, closed = _STEP_STARTS[steps], _STEP_STARTS[steps + 1]
    dates = opened + (rng.random(len(steps)) * (closed - opened).astype(int)).astype("timedelta64[D]")
    first = pd.DataFrame(
        {
            "invention": np.arange(len(steps)),
            "date": dates,
            "app_date": dates - rng.integers(*PENDING_DAYS, size=len(steps)).astype("timedelta64[D]"),
            "office": rng.choice(list(OFFICES), p=list(OFFICES.values()), size=len(steps)),
            "claims_count": (3 + rng.negative_binomial(3, 0.22, size=len(steps))).astype(str),
        }
    )
    rows = pd.concat([first, _further_members(first, patents - len(first), rng)])
    rows = rows.sort_values(["date", "invention", "office"], ignore_index=True)
    rows["patent_id"] = [f"SIM{number:07d}" for number in range(1, len(rows) + 1)]
    standing = rows.drop_duplicates("invention").set_index("invention")["patent_id"].sort_index().tolist()
    content = pd.DataFrame(_contents(world, standing, rng))
    table = rows.merge(content, on="invention", validate="many_to_one")
    table = table.sort_values("patent_id", ignore_index=True)
    table["date"] = table["date"].dt.strftime("%Y-%m-%d")
    lacking = rng.random(len(table)) < NO_APP_DATE
    table["app_date"] = table["app_date"].dt.strftime("%Y-%m-%d").mask(lacking, "")
    table["date_kind"] = "publication"
    return table[list(COLUMNS)].astype("str")


def _further_members(first: pd.DataFrame, wanted: int, rng: np.random.Generator) -> pd.DataFrame:
    """Members of the same families at other offices, published later; one or two an invention."""
    offices = np.array(list(OFFICES))
    last = _STEP_STARTS[-1] - np.timedelta64(MEMBER_DAYS[1], "D")
    eligible = np.flatnonzero(first["date"].to_numpy() < last)
    pairs = rng.permutation(np.concatenate([eligible, eligible]))[:wanted]
    members = first.iloc[np.sort(pairs)].reset_index(drop=True)
    turn = 1 + members.groupby("invention").cumcount().to_numpy()
    home = pd.Index(offices).get_indexer(members["office"])
    # 1 or 2 offices on for the first further member, 3 or 4 for the second: of five offices, all different
    shift = rng.integers(1, 3, size=len(home)) + 2 * (turn - 1)
    delay = rng.integers(*MEMBER_DAYS, size=len(home)).astype("timedelta64[D]")
    priority_year = rng.integers(30, 365, size=len(home)).astype("timedelta64[D]")
    return members.assign(
        office=offices[(home + shift) % len(offices)],
        date=members["date"].to_numpy() + delay,
        app_date=members["app_date"].to_numpy() + priority_year,
    )


def _contents(world: World, standing: list[str], rng: np.random.Generator) -> list[dict[str, object]]:
    """What the members of a family have in common, an invention a row."""
    contents: list[dict[str, object]] = []
    partners: dict[int, list[tuple[int, float]]] = {}
    known = -1
    for number, invention in enumerate(world.inventions):
        if invention.step != known:
            known = invention.step
            partners = drift_partners(world.links, known)
        text = write(invention.codes, partners.get(invention.codes[0], []), rng)
        ipc, cpc = _symbols(invention, rng)
        contents.append(
            {
                "invention": number,
                **dataclasses.asdict(text),
                "ipc": ";".join(ipc),
                "cpc": ";".join(cpc),
                "assignees": ";".join(invention.firms),
                "inventors": ";".join(invention.inventors),
                "cited_ids": ";".join([*(standing[cited] for cited in invention.cites), *_outside(invention, rng)]),
                "cited_npl": ";".join(_literature(invention, text, rng)),
                "family_id": f"SIMFAM{number + 1:06d}",
            }
        )
    return contents


def _symbols(invention: Invention, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """IPC symbols of the invention, and the CPC ones: the same, for some with a tag of section Y."""
    ipc, tags = [], []
    for code in invention.codes:
        technology = technologies()[code]
        # squared draws favour the first groups of a subclass: use is unequal there too
        chosen = [int(draw**2 * len(technology.groups)) for draw in rng.random(2)]
        ipc += [technology.groups[place] for place in chosen[: 1 + int(rng.random() < SECOND_GROUP)]]
        if technology.tag and rng.random() < TAGGED:
            tags.append(technology.tag)
    ipc = list(dict.fromkeys(ipc))
    return ipc, [*ipc, *dict.fromkeys(tags)]


def _outside(invention: Invention, rng: np.random.Generator) -> list[str]:
    numbers = (rng.random(invention.cites_outside) ** 3 * OUTSIDE_DOCUMENTS).astype(int)
    return [f"SIMEXT{number:06d}" for number in sorted(set(numbers.tolist()))]


def _literature(invention: Invention, text: Text, rng: np.random.Generator) -> list[str]:
    technology = technologies()[invention.codes[0]]
    references = []
    for _ in range(int(rng.poisson(NPL_A_PATENT))):
        part = technology.parts[int(rng.integers(len(technology.parts)))]
        year = FIRST_YEAR + invention.step // 2 - int(rng.integers(1, 9))
        author = inventor_name(int(rng.integers(40)), int(rng.integers(40)))
        references.append(
            f"{author}: {capital(part)} in practice, Simulated {capital(technology.field)} Journal, {year}"
        )
    return list(dict.fromkeys(references))
