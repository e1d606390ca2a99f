"""A command that is told to stop: it says so at once, and a second word ends it."""

import signal
import subprocess
import sys
from pathlib import Path

from runs import stored

from pipeline.corpus.readers import SourceTable

STOPPING = "stopping (once more stops at once); the same command goes on from what is kept"


def test_a_run_that_is_told_to_stop_says_so_and_leaves_nothing(sample_rows: SourceTable, tmp_path: Path) -> None:
    corpus = stored(sample_rows, tmp_path / "corpus")
    words = ["forecast", corpus, "--cutoff", "2016-12-31", "--encoder", "hashing", "--out", tmp_path / "run"]
    program = [sys.executable, "-m", "pipeline", *map(str, words)]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if "features at" in line:
                running.terminate()
                break
        log = running.stderr.read()
    assert running.returncode == 128 + signal.SIGTERM
    assert log.splitlines()[-1] == STOPPING
    assert list(tmp_path.iterdir()) == [corpus]


def test_what_is_computed_in_threads_keeps_nobody_waiting_who_says_it_twice() -> None:
    program = (
        "import signal, time\nfrom pipeline import cli\nfrom pipeline.threads import each\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # what is started in the background ignores it
        "def run(words): print('begun', flush=True); list(each(time.sleep, [60, 60]))\n"
        "cli.run = run\ncli.main()"
    )
    said = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], text=True, **said) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.readline()
        running.send_signal(signal.SIGINT)
        assert running.stderr.readline() == f"{STOPPING}\n"  # at once, and not when the threads are done
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == -signal.SIGINT
