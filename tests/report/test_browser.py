"""The page must work in a browser: with scripts and without, wide and narrow, on paper."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from analyzer.report import audit_html
from analyzer.report.html import render
from analyzer.report.view import View
from analyzer.sites import Verdict

from .browser import chromium, complaints, emulate, requests, resize, show
from .golden import VIEW
from .results import FINDING, ROWS, read, selected
from .test_audit import AUDIT

pytestmark = pytest.mark.slow

VERDICTS = tuple(Verdict)
#: As many uses as a large tree has.
MANY = tuple(
    replace(
        ROWS[0],
        span=replace(ROWS[0].span, line=n),
        verdict=VERDICTS[n % 4],
        reason=f"reason number {n}",
    )
    for n in range(1, 1001)
)
LARGE = replace(VIEW, sites=MANY)


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    """Share one browser."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(driver: Chrome, tmp_path: Path) -> Chrome:
    """Open the page with findings of every kind and an audit of a thousand rows."""
    emulate(driver)
    resize(driver, 1280)
    show(driver, render(LARGE), tmp_path)
    return driver


def shown(driver: Chrome, selector: str) -> int:
    """Count the elements that are not hidden."""
    script = "return document.querySelectorAll(arguments[0] + ':not([hidden])').length"
    return int(driver.execute_script(script, selector))  # type: ignore[no-untyped-call]


def wait_for(driver: Chrome, selector: str, count: int) -> None:
    """Wait until so many elements are shown."""
    WebDriverWait(driver, 5).until(lambda d: shown(d, selector) == count)


def test_nothing_is_fetched_and_nothing_complained_of(page: Chrome) -> None:
    assert [] == complaints(page)
    assert [] == [url for url in requests(page) if not url.startswith(("file:", "data:"))]


def test_links_lead_to_what_they_name(page: Chrome) -> None:
    for link in page.find_elements(By.CSS_SELECTOR, "nav a"):
        link.click()

        target = str(link.get_attribute("href")).rpartition("#")[2]
        top = page.execute_script(  # type: ignore[no-untyped-call]
            "return document.getElementById(arguments[0]).getBoundingClientRect().top", target
        )
        assert top < 800, target


def test_a_verdict_filters_the_audit(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, "[data-filter=audit-rows] [data-kind=affected]").click()

    wait_for(page, "#audit-rows tr", 250)
    assert 250 == shown(page, "#audit-rows tr[data-item=affected]")
    output = page.find_element(By.CSS_SELECTOR, "[data-filter=audit-rows] output")
    assert "250 of 1000 shown" == output.text


def test_words_filter_and_escape_clears(page: Chrome) -> None:
    search = page.find_element(By.CSS_SELECTOR, "[data-filter=audit-rows] input")
    search.send_keys("toy.c reason 77")

    wait_for(page, "#audit-rows tr", sum("77" in row.reason or row.line == 77 for row in MANY))
    search.send_keys(Keys.ESCAPE)
    wait_for(page, "#audit-rows tr", 1000)


def test_findings_are_filtered_by_kind(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, "[data-filter=findings-list] [data-kind=hazard]").click()

    wait_for(page, ".card", 1)


def test_a_heading_sorts(page: Chrome) -> None:
    def lines() -> list[str]:
        cells = page.find_elements(By.CSS_SELECTOR, "#audit-rows tr td:nth-child(2) .place")
        return [cells[0].text, cells[-1].text]

    button = page.find_element(By.CSS_SELECTOR, "th:nth-child(2) button")
    button.click()
    button.click()

    assert ["drivers/toy/toy.c:1000", "drivers/toy/toy.c:1"] == lines()


def test_keys_walk_through_findings_and_reach_the_filter(page: Chrome) -> None:
    focused = []
    for key in "jjk/":
        ActionChains(page).send_keys(key).perform()
        focused.append(page.switch_to.active_element)

    assert ["finding-1", "finding-2", "finding-1"] == [e.get_attribute("id") for e in focused[:3]]
    assert "search" == focused[3].get_attribute("type")


def test_everything_can_be_reached_by_tabs(page: Chrome) -> None:
    reached = set()
    for _ in range(14):
        page.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(page.switch_to.active_element.tag_name)

    assert {"a", "button", "input", "summary"} <= reached


def test_a_thousand_rows_stay_fluid(page: Chrome) -> None:
    milliseconds = page.execute_async_script(  # type: ignore[no-untyped-call]
        """
        const done = arguments[0];
        const search = document.querySelector("[data-filter=audit-rows] input");
        const times = [];
        const once = (text) => {
          const start = performance.now();
          search.value = text;
          search.dispatchEvent(new Event("input"));
          requestAnimationFrame(() => requestAnimationFrame(() => {
            document.body.getBoundingClientRect();
            times.push(performance.now() - start);
            if (times.length < 10) once("reason " + times.length);
            else done(Math.min(...times));
          }));
        };
        once("reason");
        """
    )

    # The best of ten, because other work on the machine is not what is measured.
    assert milliseconds < 200, f"{milliseconds:.0f} ms for a letter"


@pytest.mark.parametrize("width", [320, 420, 800])
def test_no_width_makes_the_page_scroll_sideways(page: Chrome, width: int) -> None:
    resize(page, width)

    wide = page.execute_script("return document.documentElement.scrollWidth")  # type: ignore[no-untyped-call]
    assert wide <= width


def test_a_bare_table_fits_a_page_however_long_its_names_are(
    driver: Chrome, tmp_path: Path
) -> None:
    row = replace(
        ROWS[0],
        file="drivers/media/platform/vendor/family/a_very_long_name_of_a_file.c",
        function="so_long_a_name_has_no_function_but_one_of_a_driver",
        operation="and_neither_has_an_accessor_of_pages_or_folios",
        reason="a_reason_that_names_a_function_with_a_name_that_is_long() " * 3,
    )
    table = audit_html.render(replace(AUDIT, sites=(row,)))
    resize(driver, 1100)

    def width(page: str) -> int:
        show(driver, f"<!doctype html><meta charset=utf-8>{page}", tmp_path)
        script = "return document.documentElement.scrollWidth"
        return int(driver.execute_script(script))  # type: ignore[no-untyped-call]

    assert width(table) <= 1100 < width(table.replace("<wbr>", ""))


def test_a_narrow_window_has_the_reasons_in_sight(page: Chrome) -> None:
    resize(page, 420)
    page.find_element(By.CSS_SELECTOR, "[data-filter=audit-rows] [data-kind=affected]").click()
    wait_for(page, "#audit-rows tr", 250)

    rows, end = page.execute_script(  # type: ignore[no-untyped-call]
        """
        const rows = [...document.querySelectorAll("#audit-rows tr")].filter((r) => r.offsetHeight);
        const ends = rows.map((row) => row.cells[3].getBoundingClientRect().right);
        return [rows.length, Math.max(...ends)];
        """
    )
    assert 250 == rows
    assert end <= 420


def test_the_page_is_dark_where_the_reader_is(page: Chrome) -> None:
    colours = []
    for scheme in ("light", "dark"):
        emulate(page, scheme=scheme)
        colours.append(page.find_element(By.TAG_NAME, "body").value_of_css_property("color"))

    assert colours[0] != colours[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Chrome, scheme: str) -> None:
    emulate(page, scheme=scheme)

    # The contrast that WCAG 2 asks of text of this size.
    faint = page.execute_script(  # type: ignore[no-untyped-call]
        """
        const light = (css) => {
          const [r, g, b] = css.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
            .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = (e) => {
          for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor;
            if (!/, 0\\)$/.test(c)) return c;
          }
          return "rgb(255, 255, 255)";
        };
        const faint = [];
        for (const e of document.querySelectorAll("main *, header *, footer *")) {
          if (e.closest("svg, [hidden], details:not([open])")) continue;
          if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
          const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
          const contrast = (a + 0.05) / (b + 0.05);
          if (contrast < 4.5) faint.push(`${e.tagName}.${e.className} ${contrast.toFixed(2)}`);
        }
        return [...new Set(faint)];
        """
    )
    assert [] == faint


def test_on_paper_traces_are_open_and_controls_are_gone(page: Chrome) -> None:
    printed = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})

    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    emulate(page, medium="print")
    assert "none" == page.find_element(By.TAG_NAME, "nav").value_of_css_property("display")
    for part in page.find_elements(By.CSS_SELECTOR, ".filters"):
        assert not part.is_displayed()


def test_without_scripts_everything_is_read(tmp_path: Path) -> None:
    with chromium(scripts=False) as bare:
        show(bare, render(VIEW), tmp_path)

        text = bare.find_element(By.TAG_NAME, "main").text
        assert [] == complaints(bare)

    for said in (FINDING.message, *(row.reason for row in ROWS), "an unbalanced brace"):
        assert said in text
    assert "Filter" not in text


def test_nothing_in_a_patch_runs(driver: Chrome, tmp_path: Path) -> None:
    evil = '"><img src=x onerror="document.title=1"><script>document.title=1</script>{{7*7}}'
    hostile = replace(FINDING, message=evil, function=evil, file=evil, rule=evil)
    view = View(
        selected=selected(hostile),
        read=lambda path, patch: (read("drivers/toy/toy.c", patch) or b"") + evil.encode(),
        sites=(replace(ROWS[0], reason=evil, operation=evil),),
    )
    show(driver, render(view), tmp_path)

    assert "1" != driver.title
    assert evil in driver.find_element(By.TAG_NAME, "main").text
    assert [] == driver.find_elements(By.CSS_SELECTOR, "img")
    assert [] == complaints(driver)
