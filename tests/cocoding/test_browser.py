"""The page in a real browser: by mouse, keys and touch, offline, in two tabs."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from expertise.cocoding.circle import open_circle
from tests.cocoding.driving import (
    acts,
    chosen,
    codings,
    drag,
    mark,
    name_code,
    prepare,
    press,
    read,
    rewrite,
    saved,
    serving,
    visiting,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


# ---- one round, by each way of pointing ---------------------------------------------------------


def test_a_round_by_keyboard_alone(browser, server):
    with visiting(browser, server, "Samira") as page:
        keys = page.keyboard

        def tab_to(text):
            for _ in range(40):
                keys.press("Tab")
                said = page.evaluate(
                    "document.activeElement.innerText || document.activeElement.id"
                )
                if text in said:
                    return
            raise AssertionError(f"Tab does not reach {text!r}")

        tab_to("Begin")
        keys.press("Enter")
        page.wait_for_selector(".cc-offer")
        tab_to("Lezen")
        keys.press("Enter")
        page.wait_for_selector(".cc-text")
        tab_to("Vanmorgen")
        for key in ("ArrowDown", "ArrowDown", "Shift+ArrowDown"):
            keys.press(key)
        assert page.evaluate("document.activeElement.dataset.number") == "3"
        described = "document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent"
        assert page.evaluate(described) == "zin 4"
        keys.press("Enter")
        assert page.evaluate("document.activeElement.id") == "cc-search"
        keys.type("gezien")
        keys.press("Enter")
        saved(page)
        assert page.evaluate(described) == "zin 4, gemarkeerd: Gezien worden"
        keys.press("t")
        keys.press("w")
        keys.type("Zij onthield het.")
        tab_to("Bewaar")
        keys.press("Enter")
        saved(page)
        keys.press("ArrowDown")
        keys.press("5")
        saved(page)
        keys.press("u")
        keys.press("Escape")
        assert page.locator(".cc-text").is_hidden()
        assert "Noor de Vries, 06-00000000" in page.locator(".cc-pause").inner_text()
        assert "gratis 0800-0113, dag en nacht." in page.locator(".cc-pause").inner_text()
        tab_to("Verder lezen")
        keys.press("Enter")
        assert page.evaluate("document.activeElement.dataset.number") == "4"
        tab_to("Klaar met deze tekst")
        keys.press("Enter")
        page.wait_for_selector("text=Zo kan het ook")
    rows = codings(server)
    assert rows["code"].tolist() == ["gezien-worden"]
    assert rows["doubted"].all()
    assert rows["counted"].all()


def test_the_text_is_one_tab_stop(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        stops = page.locator(".cc-text [tabindex='0'], .cc-text button, .cc-text a").count()
        assert stops == 1
        assert page.locator(".cc-sentence").count() > 20


def test_a_round_by_touch_at_360_pixels(browser, server):
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    with visiting(browser, server, "Samira", **phone) as page:
        page.get_by_role("button", name="Begin").tap()
        page.get_by_role("button", name="Lezen").tap()
        sentences = page.locator(".cc-sentence")
        sentences.nth(1).tap()
        sentences.nth(2).tap()
        covered = "document.querySelector('.cc-panel').getBoundingClientRect().top"
        bottom = sentences.nth(2).bounding_box()
        assert bottom["y"] + bottom["height"] <= page.evaluate(covered)
        page.locator(".cc-card > button", has_text="Hoop").tap()
        saved(page)
        page.get_by_role("button", name="Sluit").tap()
        page.get_by_role("button", name="Klaar met deze tekst").tap()
        page.wait_for_selector("text=Zo kan het ook")
        wide = "document.documentElement.scrollWidth <= innerWidth"
        assert page.evaluate(wide)
        small = page.evaluate(
            """[...document.querySelectorAll('button, summary, select, input')]
               .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect())
               .filter((box) => box.height < 24 || box.width < 24).length"""
        )
        assert small == 0
    row = codings(server).iloc[0]
    circle = open_circle(server.folder)
    text = circle.fragments[0].text[row["start"] : row["end"]]
    circle.store.close()
    assert text.startswith("Ik had het drie keer uitgesteld")
    assert text.endswith("vorige week gemist.")


def test_dragging_takes_whole_words_and_can_be_adjusted(browser, server):
    with visiting(browser, server, "Samira") as page:
        press(page, "Begin")
        press(page, "Lezen")
        page.wait_for_selector(".cc-text")
        drag(page, "buurthuis", "uitgesteld")
        assert chosen(page) == "buurthuis gegaan. Ik had het drie keer uitgesteld"
        page.get_by_text("Iets meer of minder tekst").click()
        press(page, "eind: woord eraf")
        page.get_by_text("Iets meer of minder tekst").click()
        press(page, "begin: woord erbij")
        assert chosen(page) == "het buurthuis gegaan. Ik had het drie keer"
        name_code(page, "Kleine stappen")
        saved(page)
    row = codings(server).iloc[0]
    text = server.circle.fragments[0].text[row["start"] : row["end"]]
    assert text == "het buurthuis gegaan. Ik had het drie keer"


def test_a_failed_drag_leaves_nothing_chosen(browser, server):
    with visiting(browser, server, "Samira") as page:
        press(page, "Begin")
        press(page, "Lezen")
        page.locator(".cc-sentence").nth(0).click()
        assert chosen(page)
        box = page.locator(".cc-sentence").nth(1).bounding_box()
        page.mouse.move(box["x"] + 5, box["y"] + 8)
        page.mouse.down()
        page.mouse.move(5, 60, steps=5)
        page.mouse.up()
        assert chosen(page) == ""
        assert page.locator(".cc-hidden[role=status]").last.inner_text() == "Niets gekozen"


# ---- nothing lost, nothing doubled --------------------------------------------------------------


def test_offline_and_back(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        page.context.set_offline(True)
        for number, code in ((0, "Hoop"), (3, "Regie"), (5, "Uitputting")):
            page.locator(".cc-sentence").nth(number).click()
            name_code(page, code)
            press(page, "Sluit")
        page.wait_for_selector("text=We bewaren het hier en sturen het straks.")
        assert page.locator("mark").count() >= 3
        assert codings(server).empty
        page.context.set_offline(False)
        saved(page)
        kept = page.evaluate("Object.keys(localStorage).filter((name) => name.endsWith(':queue'))")
        assert kept == []
    assert sorted(codings(server)["code"]) == ["hoop", "regie", "uitputting"]


def test_the_server_is_killed_in_the_middle(browser, process):
    with visiting(browser, process, "Samira") as page:
        read(page)
        page.locator(".cc-sentence").nth(0).click()
        name_code(page, "Hoop")
        saved(page)
        process.kill()
        page.locator(".cc-sentence").nth(4).click()
        name_code(page, "Regie")
        page.wait_for_selector("text=We bewaren het hier")
        process.start()
        saved(page)
    rows = codings(process)
    assert sorted(rows["code"]) == ["hoop", "regie"]
    assert rows["uuid"].is_unique


def test_what_waits_survives_closing_the_tab(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        server.kill()
        page.locator(".cc-sentence").nth(4).click()
        name_code(page, "Regie")
        page.wait_for_selector("text=We bewaren het hier")
        context = page.context
        page.close()
        server.start()
        again = context.new_page()
        again.goto(server.address())
        again.wait_for_selector(".cc-desk")
        saved(again)
    assert codings(server)["code"].tolist() == ["regie"]


def test_two_tabs_of_one_coder(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        other = page.context.new_page()
        other.goto(server.address())
        other.locator(".cc-texts button").nth(0).click()
        other.wait_for_selector(".cc-text")
        for tab, number, code in ((page, 0, "Hoop"), (other, 3, "Regie"), (page, 5, "Hoop")):
            tab.locator(".cc-sentence").nth(number).click()
            name_code(tab, code)
            saved(tab)
        assert page.locator(".cc-label", has_text="Regie").count() == 1
        uuid = codings(server).set_index("code").loc["regie", "uuid"]
        for tab, why in ((page, "eerst"), (other, "later")):
            tab.locator(f"[data-coding='{uuid}']").first.click()
            tab.locator("#cc-why").fill(why)
            press(tab, "Bewaar")
        other.wait_for_timeout(500)
        other.locator(f"[data-coding='{uuid}']").first.click()
        assert "eerst" in other.locator(".cc-conflict").inner_text()
        assert other.locator("#cc-why").input_value() == "later"
    assert len(codings(server)) == 3


def test_another_text_and_back_again(browser, server):
    """Only the open text's acts are on the page, and yet all is there again, undo included."""
    with visiting(browser, server, "Samira") as page:
        read(page)
        answers = []
        page.on("response", lambda one: answers.append(one.text()) if "/message" in one.url else 0)
        for number, code in ((0, "Hoop"), (3, "Regie")):
            mark(page, number, code)
        press(page, "Terug")
        texts = page.locator(".cc-texts button")
        assert "bezig · 2 markeringen" in texts.nth(0).inner_text()
        texts.nth(1).click()
        press(page, "Lezen")
        page.wait_for_selector(".cc-text")
        assert page.locator("mark").count() == 0
        page.context.set_offline(True)
        page.locator(".cc-sentence").nth(1).click()
        name_code(page, "Uitputting")
        page.wait_for_selector("text=We bewaren het hier")
        page.context.set_offline(False)
        saved(page)
        press(page, "Terug")
        page.reload()
        texts.nth(0).click()
        page.wait_for_selector("mark")
        assert page.locator(".cc-done li").count() == 2
        press(page, "Maak ongedaan")
        saved(page)
        assert page.locator(".cc-done li").count() == 1
        press(page, "Terug")
        assert "bezig · 1 markering" in texts.nth(0).inner_text()
    assert codings(server)["code"].tolist() == ["hoop", "uitputting"]
    desks = [one for one in answers if '"desk"' in one]
    assert desks
    assert not any('"applied"' in one for one in desks)


def test_a_text_that_changed_under_the_page_is_not_coded(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        server.kill()
        rewrite(server.folder, "T01-patient-1", "Vandaag staat hier iets anders.\n")
        server.start()
        page.locator(".cc-sentence").nth(2).click()
        name_code(page, "Hoop")
        page.wait_for_selector("text=De tekst is veranderd; open hem opnieuw")
        assert page.locator("mark").count() == 0
        press(page, "Terug")
        page.locator(".cc-texts button").nth(0).click()
        page.wait_for_selector("text=Vandaag staat hier iets anders.")
        page.locator(".cc-sentence").first.click()
        name_code(page, "Regie")
        saved(page)
    assert codings(server)["code"].tolist() == ["regie"]


@pytest.mark.parametrize("year", [1999, 2099])
def test_a_wrong_clock_on_the_device_changes_nothing(browser, server, year):
    with visiting(browser, server, "Samira") as page:
        page.clock.set_fixed_time(datetime(year, 1, 1, tzinfo=UTC))
        assert page.evaluate("new Date().getUTCFullYear()") == year
        read(page)
        page.locator(".cc-sentence").nth(1).click()
        name_code(page, "Hoop")
        saved(page)
        page.reload()
        page.wait_for_selector(".cc-desk")
    assert codings(server)["code"].tolist() == ["hoop"]
    moments = [datetime.fromisoformat(moment) for moment in acts(server)["when"]]
    assert all(abs(datetime.now(UTC) - moment) < timedelta(hours=1) for moment in moments)


def test_a_round_on_postgresql(browser, folder, new_database):
    store = new_database()
    prepare(folder, store, Samira="patient")
    with serving(folder, store=store) as server, visiting(browser, server, "Samira") as page:
        read(page)
        for number, code in ((0, "Hoop"), (3, "Regie")):
            mark(page, number, code)
        press(page, "Maak ongedaan")
        saved(page)
        press(page, "Klaar met deze tekst")
        page.wait_for_selector(".cc-desk")
        assert codings(server)["code"].tolist() == ["hoop"]
        assert codings(server)["counted"].all()


def test_of_very_many_marks_the_last_fifty_are_listed(browser, server):
    circle = server.circle
    me = next(key for key, one in circle.members.items() if one.name == "Samira")
    text = next(one for one in circle.fragments if one.id == "T01-patient-1")
    place = {"document": text.id, "sha256": text.sha256, "code": "hoop"}
    for message in ({"kind": "return", "document": "oefenen"},
                    {"kind": "open", "document": text.id},
                    *({"kind": "apply", "start": at, "end": at + 9} | place
                      for at in range(60, 0, -1))):  # fmt: skip
        assert circle.handle(me, message | {"id": str(uuid4())})["error"] is None
    with visiting(browser, server, "Samira") as page:
        page.locator(".cc-texts button").nth(0).click()
        page.wait_for_selector(".cc-done li")
        assert page.locator(".cc-done li").count() == 50
        press(page, "Toon alle 60 markeringen")
        assert page.locator(".cc-done li").count() == 60


def test_giving_back_asks_nothing_and_wipes_the_text(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        before = page.locator(".cc-texts button").count()
        sentence = page.locator(".cc-sentence").nth(3).inner_text()
        press(page, "Geef terug")
        page.wait_for_selector(".cc-desk")
        assert sentence not in page.content()
        assert page.locator(".cc-texts button").count() != before
    assert "returned" in acts(server)["kind"].tolist()


def test_done_wipes_everything_from_the_device(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        sentence = page.locator(".cc-sentence").nth(3).inner_text()
        page.get_by_text("Weergave").click()
        press(page, "Klaar: afmelden op dit apparaat")
        page.wait_for_selector("text=De teksten staan niet meer op dit apparaat")
        assert sentence not in page.content()
        kept = page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
        assert "queue" not in kept
        page.goto(server.address())
        assert page.get_by_label("Vier woorden").count() == 1


def test_what_others_chose_in_practice_is_said_without_a_score(browser, server):
    with visiting(browser, server, "Bram") as page:
        press(page, "Begin")
        press(page, "Lezen")
        for number, code in ((2, "Hoop"), (5, "Hoop"), (5, "Regie")):
            mark(page, number, code)
        press(page, "Klaar met deze tekst")
        page.wait_for_selector("text=U bent de eerste die deze oefentekst las.")
        said = page.locator("main").inner_text()
        assert "Anderen" not in said
        assert "wat fijn dat je er bent, ik heb je vorige week gemist." in said
        assert "De woordenlijst geeft dit als voorbeeld bij Gezien worden." in said
    with visiting(browser, server, "Samira") as page:
        press(page, "Begin")
        press(page, "Lezen")
        page.locator(".cc-sentence").nth(5).click()
        name_code(page, "Hoop")
        saved(page)
        press(page, "Sluit")
        press(page, "Klaar met deze tekst")
        page.wait_for_selector("text=Anderen kozen ook")
        said = page.locator(".cc-others li > p").all_inner_texts()
    assert said == [
        "Iemand koos hier Hoop.", "Iemand anders koos hier ook Hoop.", "Iemand koos hier Regie.",
    ]  # fmt: skip


def test_without_passages_the_first_one_sees_the_examples_of_their_words(browser, folder):
    book = folder / "codebook.toml"
    lines = book.read_text("utf-8").splitlines(keepends=True)
    book.write_text("".join(one for one in lines if not one.startswith("practice")), "utf-8")
    prepare(folder, Bram="naaste")
    with serving(folder) as server, visiting(browser, server, "Bram") as page:
        press(page, "Begin")
        press(page, "Lezen")
        page.locator(".cc-sentence").nth(2).click()
        name_code(page, "Gezien worden")
        saved(page)
        press(page, "Sluit")
        press(page, "Klaar met deze tekst")
        page.wait_for_selector("text=Zo kan het ook")
        said = page.locator(".cc-others").inner_text()
    assert "Ze wist nog dat ik altijd bij het raam wil zitten." in said
    assert "als voorbeeld bij Gezien worden. Het komt uit een ander verhaal." in said


def test_pause_is_neither_timed_nor_logged(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        before = len(acts(server))
        for _ in range(3):
            press(page, "Pauze")
            assert page.locator(".cc-text").is_hidden()
            press(page, "Verder lezen")
        assert len(acts(server)) == before


def test_declined_topics_are_not_offered(browser, server):
    with visiting(browser, server, "Samira") as page:
        page.get_by_text("Onderwerpen die u liever niet leest").click()
        page.get_by_label("depressie").check()
        press(page, "Bewaar deze keuze")
        page.wait_for_timeout(300)
        assert "depressie" not in page.locator(".cc-texts").inner_text()


# ---- positions ----------------------------------------------------------------------------------


def test_code_points_and_units_meet_in_one_place(browser, server):
    text = "Zij 👩‍👩‍👧 gaf me hoop: e\u0301e\u0301n dag \U0001d538 weer."
    with visiting(browser, server, "Samira") as page:
        found = page.evaluate(
            """async (text) => {
              const { positions } = await import('/static/positions.js');
              const at = positions(text);
              const points = [...text];
              return points.map((point, i) => {
                const unit = at.toUnit(i);
                return [at.toPoint(unit), String.fromCodePoint(text.codePointAt(unit))];
              }).concat([[at.toPoint(text.length), at.toUnit(points.length)]]);
            }""",
            text,
        )
    assert [point for point, _ in found] == list(range(len(text) + 1))
    assert "".join(one for _, one in found[:-1]) == text
    assert found[-1] == [len(text), len(text.encode("utf-16-le")) // 2]


def test_a_text_with_emoji_is_coded_where_it_stands(browser, server):
    with visiting(browser, server, "Samira") as page:
        circle = open_circle(server.folder)
        texts = [one for one in circle.fragments if not one.practice and "patient" in one.coded_by]
        nth = next(i for i, one in enumerate(texts) if any(ord(c) > 0xFFFF for c in one.text))
        text = texts[nth].text
        circle.store.close()
        read(page, nth)
        last = page.locator(".cc-sentence").last
        quote = last.inner_text()
        last.click()
        name_code(page, "Hoop")
        saved(page)
    row = codings(server).iloc[0]
    assert text[row["start"] : row["end"]] == quote.strip()
