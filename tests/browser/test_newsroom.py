"""The newsroom, as an operator works in it: Chromium, a server, and a desk that behaves like a show's."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from anchor.broadcast.document import read_document
from anchor.media import VideoFormat
from anchor.onair import VoiceState
from tests.browser.hall import FAKE_DEVICE
from tests.browser.stage import Studio, page, studio, until
from tests.server.newsroom import DOCUMENT, NoteDesk

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
VIDEO = VideoFormat(320, 180, 10)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


@asynccontextmanager
async def newsroom(
    *,
    width: int = 1366,
    height: int = 768,
    flags: tuple[str, ...] = (),
    document: Mapping[str, Any] = DOCUMENT,
    **options: Any,
) -> AsyncIterator[tuple[Page, NoteDesk, Studio]]:
    desk = NoteDesk(document)
    async with studio(VIDEO, desk=desk, **options) as live, page(width=width, height=height, flags=flags) as shown:
        await shown.goto(live.address)
        await expect(rows(shown)).to_have_count(len(desk.ids))
        yield shown, desk, live


def rows(shown: Page) -> Locator:
    return shown.locator(".rundown li")


def row(shown: Page, place: int) -> Locator:
    return rows(shown).nth(place).locator(".open")


def field(shown: Page, label: str) -> Locator:
    return shown.locator("[data-panel=segment]").get_by_label(label, exact=True).first


def panel_tab(shown: Page, name: str) -> Locator:
    return shown.get_by_role("tab", name=name)


async def words(shown: Page) -> list[str]:
    return await shown.locator(".rundown .words").all_text_contents()


async def apply(shown: Page) -> None:
    await shown.get_by_role("button", name="Apply").click()


def said(shown: Page, of: str) -> Locator:
    return shown.locator(f".result[data-of={of}]")


def test_operator_sees_what_is_on_air_and_what_comes_next() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            await expect(shown.locator("[data-field=onair]")).to_have_text("On air")
            await expect(shown.locator("[data-field=now]")).to_have_text("Good evening. Here is the news.")
            await expect(shown.locator("[data-field=next]")).to_contain_text("The harbour grew again")
            await expect(shown.locator("[data-field=elapsed]")).to_have_text("0:02")
            await expect(rows(shown).nth(0)).to_have_attribute("data-state", "on air")
            await expect(rows(shown).nth(1).locator(".chip")).to_have_text("Next")
            await expect(rows(shown).nth(1).locator(".marks")).to_have_text("Chart · Headline")
            desk.advance()
            await expect(rows(shown).nth(1)).to_have_attribute("data-state", "on air")
            await expect(rows(shown).nth(0).locator(".chip")).to_have_text("Aired")
            await panel_tab(shown, "Log").click()
            await expect(shown.locator(".aired li")).to_have_count(1)

    run(main)


def test_operator_steers_the_show_and_kill_is_one_press_that_go_undoes() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            await shown.get_by_role("button", name="Hold").click()
            await expect(shown.locator("[data-field=onair]")).to_have_text("On air, then hold")
            await shown.get_by_role("button", name="Go live").click()
            await expect(shown.locator("[data-field=onair]")).to_have_text("On air")
            await row(shown, 3).click()
            await rows(shown).nth(3).get_by_role("button", name="Play next").click()
            await expect(rows(shown).nth(3).locator(".chip")).to_have_text("Next")
            await shown.get_by_role("button", name="Skip").click()
            await expect(rows(shown).nth(3)).to_have_attribute("data-state", "on air")
            await shown.get_by_role("button", name="Kill").click()
            await expect(shown.locator("[data-field=onair]")).to_have_text("Killed")
            await expect(shown.get_by_role("button", name="Kill")).to_be_disabled()
            await shown.get_by_role("button", name="Go live").click()
            await expect(shown.locator("[data-field=onair]")).to_have_text("On air")
            assert desk.orders == ["hold", "go", "jump bye", "skip", "kill", "go"]

    run(main)


def test_breaking_news_goes_out_with_enter_and_stays_when_it_is_refused() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            dialog = shown.get_by_role("dialog", name="Breaking news")
            await shown.get_by_role("button", name="Breaking news").click()
            await expect(dialog.get_by_label("Text")).to_be_focused()
            await shown.keyboard.type("FAIL")
            await shown.keyboard.press("Enter")
            await expect(dialog.locator(".result")).to_have_text("text: there is nothing to say in it")
            await expect(dialog.get_by_label("Text")).to_have_value("FAIL")
            await dialog.get_by_label("Text").fill("A ship is aground.")
            await dialog.get_by_label("Headline card").fill("Aground")
            await dialog.get_by_label("Headline card").press("Enter")
            await expect(dialog).to_be_hidden()
            await expect(shown.locator(".queued")).to_have_text("Waiting: A ship is aground.")
            assert (desk.news[0].text, desk.news[0].headline) == ("A ship is aground.", "Aground")

    run(main)


def test_segment_is_edited_checked_and_applied() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            await row(shown, 2).click()
            await field(shown, "Text").fill("And the weather: snow.")
            await field(shown, "Mood").select_option("serious")
            await field(shown, "Pause after it, seconds").fill("1.5")
            await shown.get_by_role("group", name="Gestures as it begins").get_by_role("button", name="nod").click()
            await field(shown, "Title").fill("Weather")
            await expect(shown.locator("[data-field=draft]")).to_have_text("Not applied yet")
            assert desk.version == 1
            await apply(shown)
            await expect(said(shown, "rundown")).to_have_text("Applied.")
            assert desk.document["segments"][2] == {
                "id": "weather", "text": "And the weather: snow.", "pause": 1.5, "mood": "serious",
                "gesture": ["nod"], "lower_third": {"title": "Weather"},
            }  # fmt: skip
            await field(shown, "Title").fill("")
            await apply(shown)
            await expect(shown.locator("[data-field=draft]")).to_have_text("As on air")
            assert "lower_third" not in desk.document["segments"][2], "what is empty is left out"

    run(main)


def test_problems_stand_at_their_segment_and_field_and_keep_the_edit() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            await row(shown, 2).click()
            await field(shown, "Text").fill("")
            await expect(rows(shown).nth(2).locator(".chip")).to_have_text("1 problem")
            await expect(field(shown, "Text")).to_have_attribute("aria-invalid", "true")
            await expect(shown.locator("[data-key=text] .wrong")).to_have_text("text: there is nothing to say")
            await apply(shown)
            await expect(said(shown, "rundown")).to_contain_text("nothing to say")
            await expect(shown.locator("[data-field=draft]")).to_have_text("Not applied yet")
            await field(shown, "Text").fill("Rain.")
            await expect(shown.locator(".wrong:visible")).to_have_count(0)
            assert desk.version == 1

    run(main)


def test_segments_are_moved_by_mouse_and_by_keyboard() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            grip, target = rows(shown).nth(3).locator(".grip"), rows(shown).nth(1)
            start, end = await grip.bounding_box(), await target.bounding_box()
            assert start and end
            await shown.mouse.move(start["x"] + 8, start["y"] + 20)
            await shown.mouse.down()
            await shown.mouse.move(start["x"] + 10, end["y"] + 30, steps=6)
            await shown.mouse.move(start["x"] + 10, end["y"] + 4, steps=4)
            await shown.mouse.up()
            assert [text[:8] for text in await words(shown)] == ["Good eve", "That is ", "The harb", "And the "]
            await row(shown, 1).focus()
            await shown.keyboard.press("Alt+ArrowDown")
            await expect(row(shown, 2)).to_be_focused()
            await shown.keyboard.press("ArrowUp")
            await expect(row(shown, 1)).to_be_focused()
            assert [text[:8] for text in await words(shown)] == ["Good eve", "The harb", "That is ", "And the "]
            await apply(shown)
            await expect(said(shown, "rundown")).to_have_text("Applied.")
            assert desk.ids == ["hello", "harbour", "bye", "weather"]

    run(main)


def test_segment_is_moved_by_finger_and_escape_takes_it_back() -> None:
    touch = """([from, to, escape]) => {
      const list = document.querySelector(".rundown ol");
      const grip = list.children[from].querySelector(".grip");
      const at = (element) => element.getBoundingClientRect();
      const finger = { bubbles: true, cancelable: true, pointerId: 1, pointerType: "touch", isPrimary: true };
      const send = (target, kind, clientY) => target.dispatchEvent(
        new PointerEvent(kind, { ...finger, clientX: at(grip).x + 5, clientY }));
      list.setPointerCapture = () => {};
      send(grip, "pointerdown", at(grip).y + 10);
      send(list, "pointermove", at(list.children[to]).y + 2);
      if (escape) window.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
      else send(list, "pointerup", at(list.children[to]).y + 2);
    }"""

    async def main() -> None:
        async with newsroom(width=768, height=1024) as (shown, _, __):
            before = await words(shown)
            await shown.evaluate(touch, [3, 0, True])
            assert await words(shown) == before
            await shown.evaluate(touch, [3, 0, False])
            assert (await words(shown))[0] == "That is all. Good night."
            assert await shown.locator(".grip").first.evaluate("one => getComputedStyle(one).touchAction") == "none"

    run(main)


def test_segments_are_added_duplicated_deleted_and_brought_back() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            await row(shown, 1).click()
            await shown.get_by_role("button", name="+ Segment").click()
            await shown.keyboard.type("A new one.")
            await expect(rows(shown)).to_have_count(5)
            await rows(shown).nth(2).get_by_role("button", name="Duplicate").click()
            await expect(rows(shown)).to_have_count(6)
            await shown.keyboard.press("Delete")
            await expect(rows(shown)).to_have_count(5)
            await shown.keyboard.press("Control+z")
            await expect(rows(shown)).to_have_count(6)
            await apply(shown)
            await expect(said(shown, "rundown")).to_have_text("Applied.")
            assert [segment["text"] for segment in desk.document["segments"]][2:4] == ["A new one.", "A new one."]
            assert len(set(desk.ids)) == 6

    run(main)


def test_chart_is_made_in_cells_and_pasted_from_a_spreadsheet() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            await row(shown, 2).click()
            await shown.get_by_role("group", name="What is shown").first.get_by_role("button", name="Chart").click()
            sheet = shown.get_by_role("group", name="Numbers of the chart")
            await sheet.get_by_label("Label").first.focus()
            await shown.evaluate(
                """() => {
                  const data = new DataTransfer();
                  data.setData("text", "\\tRain\\tSun\\r\\nMon\\t1,200\\t3.5\\r\\nTue\\t\\t4\\r\\n");
                  const pasted = { clipboardData: data, bubbles: true, cancelable: true };
                  document.activeElement.dispatchEvent(new ClipboardEvent("paste", pasted));
                }"""
            )
            await field(shown, "Kind").select_option("line")
            await sheet.get_by_label("Sun, row 2").fill("7")
            await apply(shown)
            await expect(said(shown, "rundown")).to_have_text("Applied.")
            assert desk.document["segments"][2]["chart"] == {
                "kind": "line", "labels": ["Mon", "Tue"], "series": {"Rain": [1200, None], "Sun": [3.5, 7]},
            }  # fmt: skip
            await shown.get_by_role("group", name="What is shown").first.get_by_role("button", name="Nothing").click()
            await apply(shown)
            await until(shown, "document.querySelector('[data-field=draft]').textContent === 'As on air'")
            assert "chart" not in desk.document["segments"][2]

    run(main)


def test_what_the_form_does_not_know_stays_as_it_is() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            document = copy.deepcopy(dict(desk.document))
            document["segments"][0]["mocap"] = {"take": "anna.csv", "mouth": "performer"}
            document["voices"] = {"en": "house"}
            await desk.edit(document, 1)
            await expect(shown.locator("[data-field=draft]")).to_have_text("As on air")
            await until(shown, "document.querySelectorAll('.rundown li').length === 4")
            await row(shown, 0).click()
            await shown.wait_for_timeout(1200)  # the page asks once a second
            await field(shown, "Text").fill("Hello.")
            await apply(shown)
            await expect(said(shown, "rundown")).to_have_text("Applied.")
            document["segments"][0]["text"] = "Hello."
            assert desk.document == document

    run(main)


def test_texts_of_several_languages_are_edited_one_at_a_time() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            document = copy.deepcopy(dict(desk.document)) | {"languages": ["en", "zh"]}
            document["segments"][2]["text"] = {"en": "Rain.", "zh": "有雨。"}
            await desk.edit(document, 1)
            await until(shown, "document.querySelectorAll('.rundown .words')[2].textContent === 'Rain.'")
            await row(shown, 2).click()
            await shown.get_by_role("group", name="Language that is edited").get_by_role("button", name="zh").click()
            await expect(field(shown, "Text")).to_have_value("有雨。")
            await field(shown, "Text").fill("晴。")
            await field(shown, "Headline").fill("天气")
            await apply(shown)
            await expect(said(shown, "rundown")).to_have_text("Applied.")
            segment = desk.document["segments"][2]
            assert (segment["text"], segment["headline"]) == ({"en": "Rain.", "zh": "晴。"}, {"zh": "天气"})

    run(main)


def test_bulletin_with_everything_opens_and_is_not_changed_by_being_looked_at() -> None:
    async def main() -> None:
        document = read_document(ROOT / "configs" / "news" / "bulletin.yaml")
        async with newsroom(document=document) as (shown, desk, _):
            for place in range(len(desk.ids)):
                await row(shown, place).click()
                await expect(shown.locator("[data-panel=segment] [data-key=text]").first).to_be_visible()
                assert "[object" not in await shown.locator("[data-panel=segment]").inner_text()
                values = await shown.locator("[data-panel=segment]").evaluate(
                    "panel => [...panel.querySelectorAll('input, textarea')].map((one) => one.value)"
                )
                assert not any("[object" in value for value in values)
            await expect(shown.locator("[data-field=draft]")).to_have_text("As on air")
            assert "[object" not in await shown.locator(".rundown").inner_text()

    run(main)


def test_cue_is_made_at_a_mark_of_the_text() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            await row(shown, 1).click()
            await shown.get_by_text("Cues", exact=True).click()
            await shown.get_by_role("button", name="+ Cue").click()
            cue = shown.locator(".cue")
            await expect(cue.get_by_label("At the mark")).to_have_value("chart")
            await cue.get_by_label("Headline").fill("Numbers")
            await cue.get_by_role("group", name="What is shown").get_by_role("button", name="Nothing").click()
            await apply(shown)
            await expect(said(shown, "rundown")).to_have_text("Applied.")
            cues = [{"mark": "chart", "headline": "Numbers", "picture": "none"}]
            assert desk.document["segments"][1]["cues"] == cues

    run(main)


def test_two_operators_at_once_lose_nothing() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            await row(shown, 2).click()
            await field(shown, "Text").fill("Mine: snow.")
            theirs = copy.deepcopy(dict(desk.document))
            theirs["segments"][0]["text"] = "Theirs: good evening."
            theirs["segments"].append({"id": "extra", "text": "Theirs: one more thing."})
            await desk.edit(theirs, 1)
            await expect(shown.locator("[data-field=draft]")).to_have_text("Changed elsewhere meanwhile")
            await apply(shown)
            dialog = shown.get_by_role("dialog", name="The rundown has changed meanwhile")
            await expect(dialog.locator("[data-of=theirs] li")).to_have_count(2)
            await expect(dialog.locator("[data-of=mine] li")).to_have_count(1)
            await dialog.get_by_role("button", name="Put both together").click()
            await expect(dialog).to_be_hidden()
            await expect(rows(shown)).to_have_count(5)
            await apply(shown)
            await expect(said(shown, "rundown")).to_have_text("Applied.")
            assert [segment["text"] for segment in desk.document["segments"]] == [
                "Theirs: good evening.", theirs["segments"][1]["text"], "Mine: snow.", "That is all. Good night.",
                "Theirs: one more thing.",
            ]  # fmt: skip

    run(main)


def test_show_that_goes_on_meanwhile_is_no_conflict() -> None:
    """Versions count other things than texts, too: an edit of the same rundown is taken."""

    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            await row(shown, 2).click()
            await field(shown, "Text").fill("Snow.")
            desk.version = 7
            await shown.wait_for_timeout(1300)  # the page asks once a second
            await expect(shown.locator("[data-field=draft]")).to_have_text("Not applied yet")
            await apply(shown)
            await expect(said(shown, "rundown")).to_have_text("Applied.")
            assert desk.version == 8

    run(main)


def test_edit_that_is_not_applied_survives_a_reload() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            shown.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))  # noqa: TID251 - "leave the page?"
            await row(shown, 2).click()
            await field(shown, "Text").fill("Snow tonight.")
            await shown.reload()
            await expect(rows(shown).nth(2).locator(".words")).to_have_text("Snow tonight.")
            await expect(shown.locator("[data-field=draft]")).to_have_text("Not applied yet")
            await shown.get_by_role("button", name="Discard").click()
            await expect(rows(shown).nth(2).locator(".words")).to_contain_text("rain until noon")
            assert desk.version == 1

    run(main)


def test_yaml_and_the_form_are_one_rundown() -> None:
    async def main() -> None:
        async with newsroom() as (shown, _, __):
            await panel_tab(shown, "YAML").click()
            area = shown.get_by_label("The rundown as YAML")
            await until(shown, "document.querySelector('textarea.yaml').value.includes('harbour')")
            text = await area.input_value()
            await area.fill(text.replace("And the weather: rain until noon, then sun.", "Snow."))
            await expect(rows(shown).nth(2).locator(".words")).to_have_text("Snow.")
            await area.fill("title: [")
            await expect(shown.locator("[data-panel=yaml] .result")).to_contain_text("no YAML")
            await expect(shown.locator("[data-panel=yaml] .problems li")).to_contain_text("Line")
            await expect(rows(shown)).to_have_count(4)
            await area.fill(text.replace("    text: That is all. Good night.\n", ""))
            await expect(shown.locator("[data-panel=yaml] .problems li")).to_contain_text("nothing to say")
            await shown.locator("[data-panel=yaml] .problems").get_by_role("button", name="Line").click()
            chosen = await area.evaluate("one => one.value.slice(one.selectionStart, one.selectionEnd)")
            assert "bye" in chosen

    run(main)


def test_segment_is_previewed_and_says_why_it_cannot_be() -> None:
    async def main() -> None:
        async with newsroom() as (shown, _, __):
            await row(shown, 1).click()
            await shown.get_by_role("button", name="Preview picture").click()
            await until(shown, "document.querySelector('.preview img').naturalWidth === 1")
            await row(shown, 2).click()
            await expect(shown.get_by_alt_text("Preview of this segment")).to_be_hidden()
            await shown.get_by_role("group", name="What is shown").first.get_by_role("button", name="Picture").click()
            await field(shown, "File, beside the rundown").fill("missing.png")
            await shown.get_by_role("button", name="Preview picture").click()
            await expect(shown.locator(".preview .result")).to_contain_text("there is no file missing.png")

    run(main)


def test_article_becomes_a_draft_that_is_marked_for_review() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            await shown.get_by_role("button", name="From an article").click()
            dialog = shown.get_by_role("dialog", name="A rundown from an article")
            await dialog.get_by_label("Article").fill("Only a title")
            await dialog.get_by_role("button", name="In place of it").click()
            await expect(dialog.locator(".result")).to_contain_text("no text under its title")
            await dialog.get_by_label("Article").fill("Harbour grows\n\nIt grew again.")
            await dialog.get_by_role("button", name="Add behind the rundown").click()
            await expect(rows(shown)).to_have_count(5)
            await expect(shown.locator(".review")).to_be_visible()
            assert desk.version == 1, "nothing goes on air by itself"

    run(main)


def test_outputs_show_their_state_and_are_switched() -> None:
    async def main() -> None:
        async with newsroom() as (shown, _, __):
            await panel_tab(shown, "Outputs").click()
            outputs = shown.get_by_role("list", name="Outputs").get_by_role("listitem")
            await expect(outputs.nth(0)).to_contain_text("4.5 Mbit/s")
            await expect(outputs.nth(1)).to_contain_text("the disk is full")
            await outputs.nth(0).get_by_role("button", name="Stop youtube").click()
            await expect(outputs.nth(0).get_by_role("button", name="Start youtube")).to_be_visible()
            await outputs.nth(1).get_by_role("button", name="Start archive").click()
            await expect(shown.locator("[data-panel=outputs] > .result")).to_have_text(
                "archive: the disk is full; make room"
            )

    run(main)


def test_health_shows_which_voice_speaks_which_rests_and_why() -> None:
    resting = VoiceState(
        "kokoro", "onnx", ("en",), "Apache-2.0", True, state="resting", problem="gave no sound within 1 s", sentences=5,
        switches=1,
    )  # fmt: skip
    espeak = VoiceState("espeak", "espeak-ng", ("en",), "GPL-3.0", True, speaking=True, sentences=2)

    async def main() -> None:
        async with newsroom() as (shown, _, live):
            live.hub.speakers = [resting, espeak]
            await panel_tab(shown, "Health").click()
            voices = shown.get_by_role("list", name="Voices").get_by_role("listitem")
            await expect(voices.nth(0)).to_contain_text("Rests")
            await expect(voices.nth(0)).to_contain_text("gave no sound within 1 s")
            await expect(voices.nth(0)).to_contain_text("1 switch to the next")
            await expect(voices.nth(1)).to_contain_text("Speaks")
            live.hub.speakers = [replace(resting, state="ready", problem="", speaking=True), espeak]
            await expect(voices.nth(0)).to_contain_text("Speaks")

    run(main)


def test_operator_takes_the_microphone_and_gives_the_show_back() -> None:
    async def main() -> None:
        async with newsroom(flags=FAKE_DEVICE) as (shown, _, live):
            assert await shown.evaluate("navigator.permissions.query({ name: 'microphone' }).then((it) => it.state)")
            await shown.get_by_role("button", name="Take the microphone").click()
            await expect(shown.locator(".speaking .result")).to_contain_text("Failed to parse", timeout=10_000)
            # The double's answer is no SDP; whoever could not be connected is shown out again.
            await until(shown, "document.querySelector('.speaking .badge').hidden")
            async with asyncio.timeout(5):
                while live.hub.news.takeover.state:
                    await shown.wait_for_timeout(20)
            await expect(shown.get_by_role("button", name="Take the microphone")).to_be_enabled()

    run(main)


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1024, 768), (768, 1024), (390, 844)])
def test_newsroom_fits_laptop_tablet_and_phone(width: int, height: int) -> None:
    async def main() -> None:
        async with newsroom(width=width, height=height) as (shown, _, __):
            for name in ("Segment", "YAML", "Anchor", "Outputs", "Health", "Log"):
                await panel_tab(shown, name).click()
                assert await shown.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            for act in ("go", "hold", "skip", "breaking", "kill"):
                box = await shown.locator(f"[data-act={act}]").bounding_box()
                assert box is not None and box["height"] >= 44 and box["x"] + box["width"] <= width
                assert width < 700 or box["y"] + box["height"] <= height, "in view without scrolling"

    run(main)


def test_everything_in_the_newsroom_has_a_name_and_a_visible_focus() -> None:
    async def main() -> None:
        async with newsroom() as (shown, _, __):
            await row(shown, 1).click()
            nameless = await shown.evaluate(
                """[...document.querySelectorAll(".desk :is(button, input, select, textarea, a, meter, video)")]
                  .filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.length || one.title))
                  .map((one) => one.outerHTML)"""
            )
            assert nameless == []
            reached = []
            for _ in range(60):
                await shown.keyboard.press("Tab")
                name, outline = await shown.evaluate(
                    "(({ className, dataset }, style) => [dataset.act ?? className, style.outlineStyle])"
                    "(document.activeElement, getComputedStyle(document.activeElement))"
                )
                if name == "newsroom":
                    break  # round, and at the page itself again
                assert outline != "none", name
                reached.append(name)
            assert reached.count("open") <= 2, "one stop for the whole list"

    run(main)


def test_page_does_not_jump_while_it_is_refreshed() -> None:
    async def main() -> None:
        async with newsroom() as (shown, desk, _):
            await row(shown, 2).click()
            await shown.evaluate(
                """window.shifts = 0; new PerformanceObserver((list) => {
                  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
                }).observe({ type: "layout-shift", buffered: false })"""
            )
            for _ in range(3):
                desk.advance()
                await shown.wait_for_timeout(1100)
            assert await shown.evaluate("window.shifts") < 0.01

    run(main)
