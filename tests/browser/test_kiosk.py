from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page, expect

from anchor.events import Word
from anchor.media import Beat, VideoFormat
from anchor.server.visitors import SessionInfo
from tests.browser.hall import FAKE_DEVICE, Hall, hall, tone_file
from tests.browser.stage import page, until
from tests.server.hall import LINES, TURNS, NoteVisitors
from tests.streaming.beats import beat

pytestmark = pytest.mark.browser

VIDEO = VideoFormat(180, 320, 25)

# When each kind of message last came over the data channel, and when the page last fell silent or was heard again.
NOTE_TIMES = """
window.times = {};
const create = RTCPeerConnection.prototype.createDataChannel;
RTCPeerConnection.prototype.createDataChannel = function (...values) {
  const channel = create.apply(this, values);
  channel.addEventListener("message", ({ data }) => { window.times[JSON.parse(data).type] = performance.now(); });
  return channel;
};
const { get, set } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "volume");
Object.defineProperty(HTMLMediaElement.prototype, "volume", {
  get,
  set(value) {
    set.call(this, value);
    window.times[{ 0: "silent", 1: "loud" }[value] ?? "between"] = performance.now();
  },
});
"""

FORM: dict[str, Any] = {
    "action": "loss",
    "title": "Report a lost card",
    "slots": [
        {"name": "name", "label": "Name", "value": "Wei Chen"},
        {"name": "kind", "label": "Kind of card", "value": ""},
    ],
    "asking": "kind",
    "confirming": False,
    "choices": ["Debit card", "Credit card"],
}


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


class Script:
    """Beats of silence, and of a tone while an utterance is set."""

    def __init__(self) -> None:
        self.utterance: str | None = None
        self.words: list[str] = []

    def __call__(self, video: VideoFormat, index: int) -> Beat:
        made = beat(video, index)
        if self.utterance is None:
            return replace(made, audio=np.zeros_like(made.audio))
        words = (Word(self.words.pop(0), 0, 1),) if self.words else ()
        return replace(made, speaking=True, utterance=self.utterance, words=words)


async def begin(shown: Page, live: Hall, button: str = "#begin-silent") -> None:
    """Touch the button, and wait until picture and data channel stand."""
    await shown.goto(live.kiosk)
    await shown.locator(button).click()
    await until_live(shown)
    await live.until(lambda: bool(live.visitors.sent("begin")))


async def until_live(shown: Page) -> None:
    await until(shown, "document.querySelector('#scene').dataset.state === 'live'")


def test_before_the_first_word_the_visitor_knows_that_this_is_ai_and_nothing_sounds() -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=FAKE_DEVICE) as shown:
            await shown.goto(live.kiosk)
            start = shown.get_by_role("region", name="Hello, how can I help you?")
            await expect(start).to_contain_text("You are talking with AI.")
            await expect(start).to_contain_text("Your voice is not recorded.")
            await shown.get_by_role("radio", name="中文").check(force=True)
            await expect(shown.locator("#start")).to_contain_text("您正在与人工智能对话")
            await expect(shown.locator("#start")).to_contain_text("您的声音不会被录制。")
            assert await shown.evaluate("document.documentElement.lang") == "zh-CN"
            assert await shown.evaluate("window.connections.length") == 0
            assert await shown.evaluate("document.querySelector('video').srcObject === null")
            assert live.visitors.opened == []
            await shown.get_by_role("button", name="开始对话").click()
            await until_live(shown)
            await live.until(lambda: live.visitors.sent("begin") == [{"type": "begin", "language": "zh-CN"}])
            assert live.visitors.opened[0]["language"] == "zh-CN"
            await expect(shown.locator("#ai")).to_contain_text("人工智能生成")
            await expect(shown.locator("#ai")).to_be_visible()

    run(main)


def test_the_microphone_is_heard_and_its_level_is_seen(tmp_path: Path) -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=tone_file(tmp_path / "tone.wav")) as shown:
            await begin(shown, live, "#begin")
            await live.until(lambda: {"type": "microphone", "state": "on"} in live.visitors.messages)
            await live.until(lambda: live.visitors.loudness > 0.05)
            button = shown.locator("#microphone")
            await expect(button).to_have_attribute("aria-pressed", "true")
            await expect(shown.locator("#mode-text")).to_have_text("I am listening")
            await until(shown, "Number(document.querySelector('#microphone').style.getPropertyValue('--level')) > 0.3")
            await button.click()
            await live.until(lambda: live.visitors.sent("microphone")[-1]["state"] == "off")
            await expect(shown.locator("#mode-text")).to_have_text("Ask me by touch or text")
            await button.click()
            await live.until(lambda: live.visitors.sent("microphone")[-1]["state"] == "on")
            live.visitors.loudness = 0
            await live.until(lambda: live.visitors.loudness > 0.05)

    run(main)


@pytest.mark.parametrize(
    ("flags", "state", "said"),
    [
        (("--use-fake-device-for-media-stream",), "denied", "The microphone is blocked"),
        (("--use-fake-ui-for-media-stream",), "missing", "No microphone found"),
    ],
    ids=["denied", "no device"],
)
def test_without_a_microphone_the_page_says_what_to_do_and_the_visitor_writes(
    flags: tuple[str, ...], state: str, said: str
) -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=flags) as shown:
            await begin(shown, live, "#begin")
            await live.until(lambda: {"type": "microphone", "state": state} in live.visitors.messages)
            help_ = shown.get_by_role("region", name=said)
            await expect(help_).to_be_visible()
            await shown.locator("#language").select_option("zh-CN")
            await expect(shown.locator("#help")).to_contain_text("麦克风")
            await shown.get_by_role("button", name="改用文字").click()
            await expect(shown.locator("#text")).to_be_focused()
            await shown.keyboard.type("几点开门？")
            await shown.keyboard.press("Enter")
            await live.until(lambda: live.visitors.sent("text") == [{"type": "text", "text": "几点开门？"}])
            await expect(shown.locator("#log")).to_contain_text("几点开门？")
            await expect(shown.locator("#text")).to_have_value("")

    run(main)


def test_everything_can_be_done_by_keyboard_alone() -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=FAKE_DEVICE) as shown:
            await shown.goto(live.kiosk)
            order = []
            for _ in range(3):
                await shown.keyboard.press("Tab")
                order.append(await shown.evaluate("document.activeElement.id || document.activeElement.type"))
            assert order == ["radio", "begin", "begin-silent"]
            await shown.keyboard.press("Enter")
            await until_live(shown)
            await live.until(lambda: bool(live.visitors.sent("begin")))
            await expect(shown.locator("#text")).to_be_focused()
            await shown.keyboard.type("Hello")
            await shown.keyboard.press("Enter")
            await live.until(lambda: live.visitors.sent("text") == [{"type": "text", "text": "Hello"}])
            order = []
            for _ in range(4):
                await shown.keyboard.press("Tab")
                order.append(await shown.evaluate("document.activeElement.id"))
            assert order == ["send", "person", "language", "end"]
            await shown.locator("#person").focus()
            await shown.keyboard.press("Space")
            await live.until(lambda: bool(live.visitors.sent("human")))
            outline = await shown.evaluate("getComputedStyle(document.activeElement).outlineWidth")
            assert outline == "3px"
            live.visitors.tell("form", form=FORM | {"confirming": True, "choices": []})
            await shown.get_by_role("button", name="Yes").focus()
            await shown.keyboard.press("Enter")
            await live.until(lambda: live.visitors.sent("confirm") == [{"type": "confirm", "yes": True}])
            await shown.locator("#end").focus()
            await shown.keyboard.press("Enter")
            await live.until(lambda: bool(live.visitors.sent("end")))
            await expect(shown.locator("#over")).to_be_visible()
            await shown.get_by_role("button", name="Start again").press("Enter")
            await expect(shown.locator("#begin")).to_be_focused()

    run(main)


def test_both_sides_are_read_and_what_was_cut_is_not() -> None:
    async def main() -> None:
        script = Script()
        async with hall(VIDEO, script) as live, page(flags=FAKE_DEVICE) as shown:
            await begin(shown, live)
            tell = live.visitors.tell
            tell("visitor", turn=1, text="When are", final=False, language="en")
            mine = shown.locator("#log .visitor .text")
            await expect(mine).to_have_class("text partial")
            tell("visitor", turn=1, text="When are you open?", final=True, language="en")
            await expect(mine).to_have_text("When are you open?")
            await expect(mine).to_have_class("text")
            tell("mode", mode="speaking")
            tell("sources", turn=1, sources=[{"title": "Opening hours", "source": "hours.md#Hours"}])
            tell("anchor", turn=1, text="We open at nine.", utterance="u1", language="en")
            tell("anchor", turn=1, text="On Saturdays at ten.", utterance="u1", language="en")
            answer = shown.locator("#log .anchor .text")
            await expect(answer).to_have_text("We open at nine. On Saturdays at ten.")
            await expect(answer.locator(".ahead")).to_have_text("We open at nine. On Saturdays at ten.")
            script.words, script.utterance = ["We ", "open ", "at ", "nine. ", "On "], "u1"
            await expect(answer.locator(".ahead")).to_have_text("Saturdays at ten.")
            tell("hush")
            script.utterance = None
            # The beats of silence come long before it is known that the visitor meant it.
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=1)
            await expect(answer.locator(".ahead")).to_have_text("Saturdays at ten.")
            tell("cancel", utterance="u1")
            await expect(answer).to_have_text("We open at nine. On")
            await expect(shown.locator("#log .sources li")).to_have_text("Opening hours")
            await expect(shown.locator("#mode-text")).to_have_text("Speaking")

    run(main)


def test_what_is_said_later_stands_below_whatever_turn_it_belongs_to() -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=FAKE_DEVICE) as shown:
            await begin(shown, live)
            tell = live.visitors.tell
            tell("anchor", turn=0, text="Hello, I am an AI.", utterance="u1", language="en")
            tell("visitor", turn=1, text="Sorry", final=False, language="en")
            await expect(shown.locator("#log .visitor")).to_have_count(1)
            tell("visitor", turn=1, text="", final=False, language="en")
            await expect(shown.locator("#log .visitor")).to_have_count(0)
            tell("anchor", turn=0, text="I did not understand that.", utterance="u2", language="en")
            entries = shown.locator("#log .anchor .text")
            await expect(entries).to_have_text(["Hello, I am an AI.", "I did not understand that."])
            tell("visitor", turn=1, text="Are you open?", final=True, language="en")
            await expect(shown.locator("#log li:visible .text")).to_have_text(
                ["Hello, I am an AI.", "I did not understand that.", "Are you open?"]
            )

    run(main)


def test_a_screen_reader_is_told_each_answer_once_and_finds_everything_by_name() -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=FAKE_DEVICE) as shown:
            await begin(shown, live)
            live.visitors.tell("anchor", turn=1, text="We open at nine.", utterance="u1", language="en")
            live.visitors.tell("form", form=FORM)
            await expect(shown.locator("#spoken")).to_have_text("We open at nine. ")
            announced = await shown.evaluate(
                """[...document.querySelectorAll("[aria-live=polite], [role=status]")]
                   .filter((one) => one.textContent.includes("We open at nine")).length"""
            )
            assert announced == 1
            tree = await shown.locator("body").aria_snapshot()
            for part in (
                '- banner', 'heading "Harbour Bank <Hall>" [level=1]', 'log "Conversation"',
                'region "Report a lost card"', 'group "Kind of card"', 'button "Debit card"',
                'textbox "Write a question"',
                'button "Send"', 'button "Turn the microphone on"', 'button "Talk to a person"', 'combobox "Language"',
                'button "End"', "AI AI-generated",
            ):  # fmt: skip
                assert part in tree, f"{part} is not in\n{tree}"

    run(main)


def test_on_every_screen_all_is_in_reach_of_a_finger_and_can_be_read() -> None:
    screens = [(1080, 1920), (1280, 720), (768, 1024), (390, 844), (844, 390)]

    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=FAKE_DEVICE) as shown:
            await shown.emulate_media(reduced_motion="reduce")
            await shown.goto(live.kiosk)
            for width, height in screens:
                await shown.set_viewport_size({"width": width, "height": height})
                await check_targets(shown, width, height, ["#begin", "#begin-silent"])
            assert await shown.evaluate(CONTRAST, "#start") == []
            await shown.locator("#begin-silent").click()
            await until_live(shown)
            await live.until(lambda: bool(live.visitors.sent("begin")))
            for kind in ("visitor", "anchor"):
                live.visitors.tell(kind, turn=1, text="May I ask?", final=False, utterance="u1", language="en")
            always = ["#microphone", "#text", "#send", "#person", "#language", "#end"]
            for width, height in screens:
                await shown.set_viewport_size({"width": width, "height": height})
                live.visitors.tell("form", form=None)
                await expect(shown.locator("#form")).to_be_hidden()
                await check_targets(shown, width, height, ["#questions button >> nth=0", *always])
                live.visitors.tell("form", form=FORM)
                await expect(shown.locator("#form")).to_be_visible()
                await check_targets(shown, width, height, ["#form-choices button >> nth=0", *always])
                assert await shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert await shown.evaluate(CONTRAST, "#talk") == []

    run(main)


async def check_targets(shown: Page, width: int, height: int, selectors: list[str]) -> None:
    for selector in selectors:
        target = shown.locator(selector)
        await expect(target).to_be_visible()
        await target.scroll_into_view_if_needed()
        box = await target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 48, (selector, box)
        assert box["x"] >= 0 and box["x"] + box["width"] <= width + 1, (selector, box)
        assert box["y"] >= 0 and box["y"] + box["height"] <= height + 1, (selector, box)


# The contrast of every visible text with what is painted behind it, over a white picture: the worst there can be.
CONTRAST = """(root) => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((one, place) => one * a + under[place] * (1 - a));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((one) => (one /= 255) <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const bad = [];
  for (const one of document.querySelectorAll(`${root} *`)) {
    const own = [...one.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !one.checkVisibility() || one.closest(".spoken, option, .quiet")) continue;
    const layers = [];
    for (let at = one; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      layers.push(colour);
      if (colour[3] === 1) break;
    }
    const behind = layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
    const front = over(parse(getComputedStyle(one).color), behind);
    const [dark, light] = [luminance(behind), luminance(front)].sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) bad.push(`${one.textContent.trim().slice(0, 30)} (${one.className}): ${ratio.toFixed(2)}`);
  }
  return bad;
}"""


def test_common_questions_and_choices_are_a_touch_away() -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=FAKE_DEVICE) as shown:
            await begin(shown, live)
            await shown.get_by_role("button", name="Lost card").click()
            await live.until(lambda: live.visitors.sent("text") == [{"type": "text", "text": "I lost my card."}])
            # The server tells back what it took; the page shows it once.
            live.visitors.tell("visitor", turn=1, text="I lost my card.", final=True, language="en")
            live.visitors.tell("form", form=FORM)
            await shown.get_by_role("button", name="Debit card").click()
            await live.until(lambda: live.visitors.sent("text")[-1]["text"] == "Debit card")
            await expect(shown.locator("#log .visitor .text")).to_have_text(["I lost my card.", "Debit card"])
            await shown.locator("#language").select_option("zh-CN")
            await live.until(lambda: live.visitors.sent("language") == [{"type": "language", "language": "zh-CN"}])
            live.visitors.tell("form", form=None)
            await expect(shown.locator("#form")).to_be_hidden()
            await shown.get_by_role("button", name="营业时间").click()
            await live.until(lambda: live.visitors.sent("text")[-1]["text"] == "几点开门？")
            live.visitors.tell("notice", text="A colleague is coming.")
            await expect(shown.get_by_role("status").filter(has_text="A colleague is coming.")).to_be_visible()
            live.visitors.tell("mode", mode="person")
            await expect(shown.locator("#mode-text")).to_have_text("工作人员正在为您服务")

    run(main)


def test_a_hush_is_silence_within_100_ms_and_sound_comes_back() -> None:
    async def main() -> None:
        script = Script()
        async with hall(VIDEO, script) as live, page(flags=FAKE_DEVICE) as shown:
            await shown.add_init_script(NOTE_TIMES)
            await begin(shown, live)
            script.utterance = "u1"
            await until(shown, "window.times.state !== undefined && document.querySelector('video').volume === 1")
            live.visitors.tell("hush")
            await until(shown, "window.times.silent !== undefined")
            times = await shown.evaluate("window.times")
            assert times["silent"] - times["hush"] < 100
            live.visitors.tell("resume")
            await until(shown, "document.querySelector('video').volume === 1")
            times = await shown.evaluate("window.times")
            # What the browser still held of before is over.
            assert times["loud"] - times["hush"] > 150

            live.visitors.tell("hush")
            live.visitors.tell("cancel", utterance="u1")
            script.utterance = None
            await until(shown, "document.querySelector('video').volume === 0")
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.6)
            assert await shown.evaluate("document.querySelector('video').volume") == 0
            script.utterance = "u2"
            await until(shown, "document.querySelector('video').volume === 1")

    run(main)


def test_the_page_reports_how_soon_an_utterance_sounds() -> None:
    async def main() -> None:
        script = Script()
        async with hall(VIDEO, script) as live, page(flags=FAKE_DEVICE) as shown:
            await begin(shown, live)
            script.utterance = "u1"
            await live.until(lambda: bool(live.visitors.sent("sounded")))
            (report,) = live.visitors.sent("sounded")
            assert report["utterance"] == "u1"
            assert 0 < report["seconds"] < 1

    run(main)


def test_a_reload_goes_on_in_the_same_conversation() -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=FAKE_DEVICE) as shown:
            await begin(shown, live)
            await shown.reload()
            await until_live(shown)
            await expect(shown.locator("#start")).to_be_hidden()
            await expect(shown.locator("#log")).to_contain_text("When are you open?")
            await expect(shown.locator("#log")).to_contain_text("We are open from nine to five on working days.")
            assert [one["session"] for one in live.visitors.opened] == [None, "s1"]
            assert len(live.visitors.sent("begin")) == 1

    run(main)


def test_a_lost_connection_is_back_in_the_same_conversation_within_two_seconds() -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=FAKE_DEVICE) as shown:
            await begin(shown, live)
            loop = asyncio.get_running_loop()
            # The server's end of the connection is gone without a word, as when a cable is pulled.
            (viewer,) = live.viewers._viewers.values()
            transport = viewer.connection.getTransceivers()[0].sender.transport.transport
            for protocol in transport._connection._protocols:
                protocol.transport.abort()
            cut = loop.time()
            await live.until(lambda: live.visitors.comings.count("arrived") == 2)
            await until_live(shown)
            assert loop.time() - cut < 2
            assert [one["session"] for one in live.visitors.opened] == [None, "s1"]
            assert live.viewers.viewers == 1

    run(main)


def test_absence_is_counted_down_and_a_touch_stops_it() -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=FAKE_DEVICE) as shown:
            await begin(shown, live)
            live.visitors.tell("absence", seconds=15)
            await expect(shown.get_by_role("alertdialog", name="Are you still there?")).to_be_visible()
            await expect(shown.locator("#here")).to_be_focused()
            before = len(live.visitors.sent("here"))
            await shown.locator("#here").click()
            await live.until(lambda: len(live.visitors.sent("here")) > before)
            await expect(shown.locator("#absence")).to_be_hidden()

    run(main)


def test_after_the_end_the_next_visitor_finds_nothing_of_the_last() -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page(flags=FAKE_DEVICE) as shown:
            await begin(shown, live)
            live.visitors.tell("visitor", turn=1, text="My name is Wei Chen.", final=True, language="en")
            live.visitors.tell("form", form=FORM)
            await expect(shown.locator("#form")).to_be_visible()
            await shown.locator("#text").fill("unsent")
            await shown.locator("#language").select_option("zh-CN")
            live.visitors.tell("ended", why="absence")
            await expect(shown.locator("#over")).to_contain_text("对话内容已清除")
            await live.until(lambda: live.viewers.viewers == 0)
            await shown.locator("#again").click()
            await expect(shown.locator("#start")).to_contain_text("You are talking with AI.")
            assert await shown.evaluate("sessionStorage.length") == 0
            assert "Wei Chen" not in await shown.evaluate("document.body.textContent")
            assert await shown.evaluate("document.querySelector('#text').value") == ""
            await shown.locator("#begin-silent").click()
            await until_live(shown)
            await live.until(lambda: len(live.visitors.sent("begin")) == 2)
            assert [one["session"] for one in live.visitors.opened] == [None, None]

    run(main)


def test_a_full_hall_is_told_and_the_visitor_comes_in_when_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anchor.server.refusals.RETRY_SECONDS", 1)

    async def main() -> None:
        visitors = NoteVisitors(room=0)
        async with hall(VIDEO, visitors=visitors) as live, page(flags=FAKE_DEVICE) as shown:
            await shown.goto(live.kiosk)
            await shown.locator("#begin-silent").click()
            await expect(shown.locator("#connection")).to_contain_text("You are next")
            visitors.room = 1
            await until_live(shown)

    run(main)


def test_an_operator_sees_conversations_takes_one_over_and_gives_it_back() -> None:
    async def main() -> None:
        async with hall(VIDEO) as live, page() as shown:
            visitors = live.visitors
            await shown.goto(live.address)
            await expect(shown.get_by_role("region", name="Conversations")).to_contain_text("Nobody is talking")
            visitors.keys["s1"] = "key"
            visitors.infos["s1"] = replace(
                SessionInfo("s1", "news", "thinking", "en", 75.0, lines=LINES, latencies=TURNS), wants_person=True
            )
            card = shown.locator(".conversation")
            await expect(card).to_contain_text("Wants a person")
            await expect(card).to_contain_text("news · en · 1:15")
            await expect(card).to_contain_text("We are open from nine to five on working days.")
            await expect(shown.get_by_role("status").filter(has_text="A visitor wants a person")).to_be_visible()
            bars = card.get_by_role("img")
            await expect(bars).to_have_count(2)
            await expect(bars.last).to_have_attribute(
                "aria-label", "endpoint 0.30 s, hearing 0.25 s, dialogue 0.50 s, voice 0.10 s"
            )
            await expect(card.locator("output").last).to_have_text("1.15 s")
            await card.get_by_role("button", name="Take over").click()
            field = card.get_by_label("Say as a person")
            await expect(field).to_be_focused()
            await field.fill("Good morning, this is Ana.")
            await field.press("Enter")
            await live.until(lambda: ("say", "s1", "Good morning, this is Ana.") in visitors.done)
            await card.get_by_text("Whole conversation").click()
            await expect(card.locator(".transcript")).to_contain_text("Anything else?")
            await card.get_by_role("button", name="Give back to the anchor").click()
            await live.until(lambda: ("release", "s1") in visitors.done)
            await card.get_by_role("button", name="End").click()
            assert ("end", "s1") not in visitors.done
            await card.get_by_role("button", name="Really end?").click()
            await expect(card).to_have_count(0)
            await expect(shown.get_by_role("link", name="Kiosk page")).to_have_attribute("href", "/kiosk/news")

    run(main)
