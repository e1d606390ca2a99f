"""The report in a browser: no error, no request, nothing wider than the screen, and a table that sorts and filters."""

import pytest
from report.browser import Page, browser
from report.fixtures import write_run

from pipeline.artifacts import read_table, write_table
from pipeline.report.render import render_report

pytestmark = pytest.mark.slow

VISIBLE = "[...document.querySelectorAll('#ranked tbody tr')].filter(row => !row.hidden)"


def complaints(page: Page) -> list[dict]:
    return [
        event
        for event in page.events
        if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    ]


def requests(page: Page) -> set[str]:
    urls = [
        event["params"]["request"]["url"] for event in page.events if event["method"] == "Network.requestWillBeSent"
    ]
    return {url for url in urls if not url.startswith("data:")}


def test_the_table_sorts_and_filters_without_an_error_or_a_request(tmp_path):
    path = render_report(write_run(tmp_path / "run", simulated=True))
    with browser(tmp_path / "profile") as page:
        page.open(path, 1280, 900)
        assert page.run(f"{VISIBLE}.length") == 200
        on_screen = f"{VISIBLE}.filter(row => row.offsetParent !== null).length"
        assert page.run(on_screen) == 25
        page.run("document.getElementById('more').click()")
        assert page.run(on_screen) == 200

        heading = "document.querySelectorAll('#ranked thead [role=button]')[3]"
        numbers = f"{VISIBLE}.map(row => Number(row.cells[3].dataset.value))"
        page.run(f"{heading}.click()")
        falling = page.run(numbers)
        assert falling == sorted(falling, reverse=True) and len(set(falling)) > 100
        page.run(f"{heading}.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter' }}))")
        assert page.run(numbers) == sorted(falling)
        assert page.run("document.querySelector('#ranked th[aria-sort]').cellIndex") == 3

        page.run("const form = document.getElementById('filters')")
        page.run("form.elements.type.value = 'III'; form.dispatchEvent(new Event('input'))")
        assert set(page.run(f"{VISIBLE}.map(row => row.dataset.type)")) == {"III"}
        page.run("form.elements.text.value = 'wind motors'; form.dispatchEvent(new Event('input'))")
        texts = page.run(f"{VISIBLE}.map(row => row.textContent)")
        assert 0 < len(texts) < 200 and all("F03D" in text for text in texts)
        assert page.run("document.getElementById('shown').textContent") == f"{len(texts)} of 200 pairs"
        page.run("form.reset(); new Promise(done => setTimeout(done, 50))")
        assert page.run(f"{VISIBLE}.length") == 200

        assert complaints(page) == []
        assert requests(page) == {path.as_uri()}


@pytest.mark.parametrize("command", ["forecast", "backtest"])
def test_nothing_is_wider_than_the_screen(tmp_path, command):
    folder = write_run(tmp_path / "run", command=command, title="Averyveryverylongunbrokentitle" * 4)
    for name in ("predictions", "opportunities", "links", "explanations", "examples"):  # the longest symbols there are
        table = read_table(folder / f"{name}.parquet")
        write_table(
            folder / f"{name}.parquet", table.assign(**{c: table[c] + " 1234/567890" for c in ("code_a", "code_b")})
        )
    path = render_report(folder)
    with browser(tmp_path / "profile") as page:
        for width in (390, 1280):
            page.open(path, width, 844)
            page.run("document.querySelectorAll('details').forEach(part => part.open = true)")
            assert page.run("document.documentElement.scrollWidth") <= width
