"""The simulated firms: what they are called, what they hold, who invents for them."""

import dataclasses

import numpy as np

from pipeline.sample.vocabulary import proximity, technologies

FIRMS = 32
STARTING_TECHNOLOGIES = (4, 10)  # fewest and most
ENTRY_RATE = 0.3  # chance a half-year that a firm enters a new technology
INVENTORS_A_TECHNOLOGY = 3
MAX_INVENTORS = 6
AT_HOME = 30.0  # how much likelier an inventor works on a patent in the own technology

_FIELD_NAMES = {
    "thermal": "Thermal Systems", "energy": "Power and Cells", "vehicle": "Vehicle Works",
    "machine": "Machine Elements", "robotics": "Robotics", "control": "Control Technology",
    "measurement": "Instruments", "computing": "Computing", "communications": "Communications",
    "semiconductors": "Semiconductors", "optics": "Optics", "medical": "Medical Devices", "pharma": "Pharma",
    "biotech": "Biosciences", "chemistry": "Chemicals", "materials": "Materials", "food": "Foods",
    "household": "Home Appliances", "textile": "Fibres and Paper", "construction": "Building Technology",
    "mining": "Resources", "space": "Aero and Marine", "safety": "Safety Products",
}  # fmt: skip
_STEMS = ("Example", "Sample", "Specimen", "Placeholder")
_FORMS = ("Ltd", "Inc", "GmbH", "KK", "Corp", "SA")
_GIVEN = ("Ada", "Bo", "Cleo", "Dara", "Edda", "Finn", "Gita", "Hugo", "Iris", "Jun", "Kaya", "Leo", "Mira", "Nils",
          "Oda", "Pia", "Ravi", "Sina", "Timo", "Uma", "Vito", "Wen", "Yara", "Zoe")  # fmt: skip
_ONSETS = ("Tol", "Vel", "Mar", "Quin", "Dor", "Zan", "Fen", "Hul", "Ork", "Bri", "Sel", "Nev")
_CENTRES = ("va", "mo", "di", "ru", "ke", "li", "so", "na")
_CODAS = ("xel", "quist", "zor", "vane", "mirk", "tunn", "grob", "wyn", "pell", "dask")


@dataclasses.dataclass
class Firms:
    """The firms as the simulation goes: ``portfolio`` is what they aim at, ``holdings`` the patents they have."""

    names: list[str]
    sizes: np.ndarray
    portfolio: np.ndarray  # firms x technologies
    holdings: np.ndarray  # firms x technologies
    homes: list[list[int]]  # per firm the technology of each of its inventors

    def expand(self, rng: np.random.Generator) -> None:
        """Let some firms enter a technology near to what they hold, and deepen what they entered before."""
        self.portfolio = np.where(self.portfolio > 0, np.minimum(self.portfolio * 1.2, 1.0), 0.0)
        for firm in np.flatnonzero(rng.random(len(self.names)) < ENTRY_RATE):
            nearness = (proximity() @ self.portfolio[firm]) ** 2 * (self.portfolio[firm] == 0)
            entered = int(rng.choice(len(nearness), p=nearness / nearness.sum()))
            self.portfolio[firm, entered] = 0.2
            self.homes[firm] += [entered] * INVENTORS_A_TECHNOLOGY

    def choose(self, codes: list[int], rng: np.random.Generator) -> int:
        """The firm that files a patent with these codes (the first is the main one)."""
        fit = self.portfolio[:, codes].sum(axis=1) + self.portfolio[:, codes[0]]
        weights = np.cumsum(self.sizes * (fit**2 + 1e-4))
        return int(np.searchsorted(weights, rng.random() * weights[-1]))

    def team(self, firm: int, codes: list[int], rng: np.random.Generator) -> list[str]:
        """Names of the inventors of one patent, mostly people at home in its technologies."""
        size = min(1 + int(rng.poisson(1.2)), MAX_INVENTORS)
        draws = rng.random(len(self.homes[firm]))
        # the smallest draws make the team; a draw is divided where the inventor is at home
        keys = [draw / AT_HOME if home in codes else draw for draw, home in zip(draws, self.homes[firm], strict=True)]
        return [inventor_name(firm, int(person)) for person in np.argsort(keys)[:size]]


def found_firms(rng: np.random.Generator) -> Firms:
    """Firms at the outset: one or more at home in every field, of very unequal size."""
    fields = list(_FIELD_NAMES)
    homes = [fields[number % len(fields)] for number in range(FIRMS)]
    names = [
        f"{_STEMS[number // len(fields)]} {_FIELD_NAMES[home]} {_FORMS[number % len(_FORMS)]} (simulated)"
        for number, home in enumerate(homes)
    ]
    portfolio = np.zeros((FIRMS, len(technologies())))
    for firm, home in enumerate(homes):
        pull = np.array([1.0 if t.field == home else 0.3 if t.near == home else 0.005 for t in technologies()])
        count = rng.integers(*STARTING_TECHNOLOGIES, endpoint=True)
        chosen = rng.choice(len(pull), size=count, replace=False, p=pull / pull.sum())
        portfolio[firm, chosen] = rng.uniform(0.4, 1.0, size=count)
    return Firms(
        names=names,
        sizes=rng.permutation(1.0 / np.arange(1, FIRMS + 1) ** 0.7),
        portfolio=portfolio,
        holdings=np.zeros_like(portfolio),
        homes=[np.repeat(np.flatnonzero(row), INVENTORS_A_TECHNOLOGY).tolist() for row in portfolio],
    )


def inventor_name(firm: int, person: int) -> str:
    """A made-up name, one for each person of each firm; surnames are composed of syllables."""
    number = firm * 211 + person
    surnames = len(_ONSETS) * len(_CENTRES) * len(_CODAS)
    surname = number * 389 % surnames  # 389 shares no factor with 960: neighbours differ, nobody is named twice
    onset, rest = surname % len(_ONSETS), surname // len(_ONSETS)
    centre, coda = rest % len(_CENTRES), rest // len(_CENTRES)
    given = _GIVEN[(number + number // surnames) % len(_GIVEN)]
    return f"{_ONSETS[onset]}{_CENTRES[centre]}{_CODAS[coda]}, {given}"
