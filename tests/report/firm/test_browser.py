"""The firm's page in a browser: cards that open, sort and filter, no error, no request, nothing beyond the screen."""

import pytest
from report.browser import browser
from report.firm_fixtures import write_firm_run
from report.test_browser import complaints, requests

from pipeline.report.firm.render import render_firm_report

pytestmark = pytest.mark.slow

CARDS = "[...document.querySelectorAll('#cards > details')].filter(card => !card.hidden)"
ROWS = "[...document.querySelectorAll('#ranked tbody tr')].filter(row => !row.hidden)"
KEY = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{}', bubbles: true }}))"


def opened(folder):
    (path,) = render_firm_report(folder, formats=["html"])
    return path


def test_cards_and_tables_sort_filter_and_open_without_an_error_or_a_request(tmp_path):
    path = opened(write_firm_run(tmp_path / "run", judged=True, simulated=True, pairs=8))
    with browser(tmp_path / "profile") as page:
        page.open(path, 1280, 900)
        assert page.run(f"{CARDS}.map(card => card.open)") == [True] + [False] * (page.run(f"{CARDS}.length") - 1)

        # a card opens by mouse, by keyboard and by the link on the first page
        page.run("document.querySelector('#o4 > summary').click()")
        assert page.run("document.getElementById('o4').open")
        page.run("document.querySelector('#o5 > summary').focus()")
        page.call(
            "Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r"
        )
        assert page.run("document.getElementById('o5').open")
        target = page.run("document.querySelectorAll('.brief a')[2].hash.slice(1)")
        page.run("document.querySelectorAll('.brief a')[2].click(); new Promise(done => setTimeout(done, 200))")
        assert page.run(f"document.getElementById('{target}').open")
        top = page.run(f"document.getElementById('{target}').getBoundingClientRect().top")
        assert 0 <= top < 300
        # the mark of what a score cites leads to the passage
        page.run("document.querySelector('#o1 .cite').click(); new Promise(done => setTimeout(done, 200))")
        assert page.run("location.hash") == "#o1-1" and page.run(
            "document.querySelector(':target').closest('details').open"
        )

        page.run("document.querySelector('[data-open]').click()")
        assert all(page.run(f"{CARDS}.map(card => card.open)"))
        page.run("document.querySelector('[data-open]').click()")
        assert not any(page.run(f"{CARDS}.map(card => card.open)"))

        page.run("const chosen = document.getElementById('card-filters')")
        for key in ("probability", "fit", "growth", "judged", "space"):
            page.run(f"chosen.elements.order.value = '{key}'")
            page.run("chosen.elements.order.dispatchEvent(new Event('input', { bubbles: true }))")
            values = page.run(f"{CARDS}.map(card => card.dataset.{key})")
            known = [float(value) for value in values if value]
            assert known == sorted(known, reverse=True) and len(known) > 3
            assert not any(values[len(known) :])  # what is not known comes last
        page.run("chosen.elements.text.value = 'fan blades'; chosen.dispatchEvent(new Event('input'))")
        found = page.run(f"{CARDS}.map(card => card.textContent)")
        assert 0 < len(found) < 20 and all("fan blades" in text for text in found)
        assert page.run("chosen.querySelector('output').textContent").startswith(f"{len(found)} of ")
        page.run("chosen.reset(); new Promise(done => setTimeout(done, 50))")
        assert page.run(f"{CARDS}.map(card => Number(card.dataset.rank))") == sorted(
            page.run(f"{CARDS}.map(card => Number(card.dataset.rank))")
        )

        # the table: by heading, by key, by filter
        heads = page.run("[...document.querySelectorAll('#ranked thead th')].map(head => head.textContent)")
        place = heads.index("Firm fit")
        numbers = f"{ROWS}.map(row => Number(row.cells[{place}].dataset.value))"
        page.run(f"document.querySelectorAll('#ranked thead [role=button]')[{place}].focus()")
        page.run(KEY.format("Enter"))
        falling = page.run(numbers)
        assert len(falling) == 32 and falling == sorted(falling, reverse=True)
        page.run(KEY.format(" "))
        assert page.run(numbers) == sorted(falling)
        page.run("const form = document.getElementById('filters'); form.elements.target.selectedIndex = 1")
        page.run("form.dispatchEvent(new Event('input'))")
        code = page.run("form.elements.target.value")
        assert set(page.run(f"{ROWS}.map(row => row.dataset.target)")) == {code}
        assert (
            page.run("document.getElementById('shown').textContent")
            == f"{page.run(f'{ROWS}.length')} of 32 opportunities"
        )

        # the tables of the appendix sort too
        page.run("document.querySelectorAll('details').forEach(part => part.open = true)")
        page.run("document.querySelectorAll('.sortable thead [role=button]')[2].click()")
        patents = page.run(
            "[...document.querySelector('.sortable').tBodies[0].rows].map(row => Number(row.cells[2].dataset.value))"
        )
        assert patents == sorted(patents, reverse=True)

        assert complaints(page) == []
        assert requests(page) == {path.as_uri()}


@pytest.mark.parametrize("title", [None, "Averyveryverylongunbrokentitle" * 4])
def test_nothing_is_wider_than_the_screen(tmp_path, title):
    path = opened(write_firm_run(tmp_path / "run", judged=True, title=title))
    with browser(tmp_path / "profile") as page:
        for width in (390, 768, 1280):
            page.open(path, width, 844)
            page.run("document.querySelectorAll('details').forEach(part => part.open = true)")
            assert page.run("document.documentElement.scrollWidth") <= width


def test_it_prints_with_the_first_page_by_itself(tmp_path):
    pypdf = pytest.importorskip("pypdf")
    path = opened(write_firm_run(tmp_path / "run", judged=True))
    with browser(tmp_path / "profile") as page:
        page.open(path, 1280, 900)
        page.pdf(tmp_path / "report.pdf")
    pages = [" ".join(sheet.extract_text().split()) for sheet in pypdf.PdfReader(tmp_path / "report.pdf").pages]
    assert "How far to trust it" in pages[0] and "The topics" in pages[0] and "ranked first" not in pages[0]
    assert pages[1].startswith("The opportunities ranked first")
    assert len(pages) < 25
    assert sum("What to do next" in text for text in pages) >= 3  # the first cards are printed open
