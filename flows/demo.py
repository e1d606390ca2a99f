"""``make demo``: the whole pipeline as a Prefect flow on the embedded simulated corpus, with no server set up."""

import datetime
import logging
import shutil
import sys
from pathlib import Path

from flows.opportunities import opportunities_flow
from flows.run import run_flow
from pipeline.corpus.store import save_corpus
from pipeline.errors import TechconvergeError
from pipeline.resume import finished
from pipeline.run_config import load_config
from pipeline.run_opportunities import OpportunitiesRequest
from pipeline.run_request import RunRequest
from pipeline.sample.corpus import simulated_corpus

FOLDER = Path("data") / "demo"
CUTOFF = datetime.date(2016, 12, 31)  # three years before the sample ends: what came of it can be looked up
FIRM = "Sample Thermal Systems SA (simulated)"
SEED = 7
PATENTS = 6000


def main() -> None:
    """Make the corpus, run the flow, say where the report is."""
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("prefect").setLevel(logging.INFO)
    corpus = FOLDER / "corpus"
    print("techconverge demo on a simulated corpus: no real patent is in it. It takes some minutes.", flush=True)
    try:
        save_corpus(simulated_corpus(SEED, PATENTS), corpus, simulated=True)
        request = RunRequest(
            command="forecast", corpus=corpus, cutoffs=(CUTOFF,), firm=FIRM, config=load_config(None, {})
        )
        values = request.model_dump(mode="json")
        if not finished(request, FOLDER / "run"):
            for earlier in (FOLDER / "run").glob("firm-*"):  # made of the run that is about to be replaced
                shutil.rmtree(earlier)
        report = run_flow("forecast", values, str(FOLDER / "run"), str(FOLDER / "parts"))
        asked = OpportunitiesRequest(run=FOLDER / "run", firm=FIRM)
        firm_report, *_ = opportunities_flow(asked.model_dump(mode="json"), str(FOLDER / "run"))
    except TechconvergeError as error:
        sys.exit(f"error: {error}")
    print(f"\nThe pairs of codes: {Path(report).absolute()}\nThe firm's opportunities: {Path(firm_report).absolute()}")
    print(f"The ranked table: {Path(report).parent / 'ranked.csv'}")


if __name__ == "__main__":
    main()
