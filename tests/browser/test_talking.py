"""Visitors of the shipped kiosk: a real browser with a voice, a real server, and nothing in between that is made up."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import date, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.async_api import expect

from anchor.bench.visitor import visiting
from anchor.config import HandOverConfig
from anchor.media import SAMPLE_RATE
from tests.browser.kiosk import kiosk, recording, says, visitor
from tests.browser.stage import until

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(120)]

SHORT = {"en": "I am an AI.", "zh-CN": "我是人工智能。"}


def test_a_question_is_asked_and_answered_aloud_and_whoever_speaks_into_the_answer_is_listened_to(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        hours, branch = await says("what are your opening hours"), await says("where can I find a branch")
        async with kiosk(greeting=SHORT) as (_, address), visitor(tmp_path) as ana:
            await ana.come(address)
            log = ana.page.locator("#log")
            await ana.page.evaluate("window.loudness = 0")
            since = await ana.say(hours)
            await ana.mode("speaking", since)
            await expect(log.locator(".visitor").last).to_contain_text("opening hours")
            await until(ana.page, "window.loudness > 0.01", 5)
            await expect(log.locator(".anchor").last).to_contain_text("Monday to Friday")
            await expect(log.locator(".sources").last).to_be_visible()

            since = await ana.say(branch)
            await ana.page.evaluate("window.loudness = 0")
            await ana.mode("speaking", since)
            assert "hush" in [one["type"] for one in await ana.page.evaluate(f"window.told.slice({since})")]
            cut = log.locator(".anchor", has=ana.page.locator(".cut")).first
            await expect(cut).to_be_visible()
            await expect(cut).not_to_contain_text("day and night")
            assert (await cut.inner_text()).strip()
            await expect(log.locator(".visitor").last).to_contain_text("branch")

    asyncio.run(main())


async def free(address: str, day: date) -> list[str]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{address}/demo/bank/times", params={"branch": "central", "date": str(day)})
    return [one["time"] for one in answer.json()["times"]]


@pytest.mark.skipif(shutil.which("flite") is None, reason="speaks with flite, which is not installed")
def test_an_appointment_is_booked_by_voice_and_touch_and_the_bank_knows_of_it(tmp_path: Path) -> None:
    async def main() -> None:
        wish, monday_said = await says("I want to book an appointment"), await says("next Monday at ten")
        monday = date.today() + timedelta(days=7 - date.today().weekday())
        async with kiosk(greeting=SHORT) as (_, address), visitor(tmp_path) as ana:
            wanted = (await free(address, monday))[0]
            await ana.come(address)
            form = ana.page.locator("#form")
            asking = "window.told.filter((one) => one.type === 'form').at(-1).form?.asking"
            await ana.say_until(wish, f"{asking} === 'branch'")
            await expect(form).to_contain_text("Book an appointment")
            # Who knows the way does not wait until a question is asked to its end.
            await form.get_by_role("button", name="Central").click()
            await until(ana.page, f"{asking} === 'date'")
            await ana.say_until(monday_said, f"{asking} === 'name'")
            await ana.write(f"at {wanted}")
            said = await ana.answered(await ana.write("Ana Silva"))
            assert "Shall I book it?" in said
            assert wanted in await free(address, monday)
            await form.get_by_role("button", name="Yes").click()
            await expect(ana.page.locator("#log")).to_contain_text("It is booked", timeout=15_000)
            await expect(form).to_be_hidden()
            assert wanted not in await free(address, monday)

    asyncio.run(main())


def test_who_writes_in_chinese_is_answered_in_chinese_and_a_reload_goes_on_in_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with kiosk(greeting=SHORT) as (studio, address), visitor(tmp_path) as wei:
            await wei.come(address, "#begin-silent")
            since = await wei.place()
            await wei.page.locator("#language").select_option("zh-CN")
            await wei.answered(since)
            await expect(wei.page.locator("#help")).to_contain_text("打字")
            assert "9点" in await wei.answered(await wei.write("你们几点开门"))
            log = wei.page.locator("#log")
            await wei.page.reload()
            await wei.live()
            await expect(log).to_contain_text("你们几点开门")
            await expect(log).to_contain_text("周日和法定节假日柜台休息")
            await expect(wei.page.locator("#start")).to_be_hidden()
            assert await wei.page.evaluate("document.documentElement.lang") == "zh-CN"
            (session,) = studio.visitors.sessions()
            assert session.language == "zh-CN"
            assert await wei.told("language") == []
            # The conversation is the same, and goes on.
            await wei.write("我的银行卡丢了")
            await expect(wei.page.locator("#form")).to_contain_text("卡号后四位")

    asyncio.run(main())


def test_a_full_hall_says_so_and_lets_the_visitor_in_when_there_is_room(tmp_path: Path) -> None:
    async def main() -> None:
        async with kiosk(max_sessions=1) as (_, address), visitor(tmp_path) as ana:
            async with visiting(address, "hall") as first:
                await first.mode("speaking")
                await ana.page.goto(f"{address}/kiosk/hall")
                await ana.page.locator("#begin-silent").click()
                await expect(ana.page.locator("#connection")).to_contain_text("You are next")
                first.tell(type="end")
                await first.until(lambda event: event["type"] == "ended")
            await ana.live()
            await expect(ana.page.locator("#log")).to_contain_text("I am the AI assistant of Harbour Bank")

    asyncio.run(main())


LONG = bool(os.environ.get("ANCHOR_LONG"))
FEW = (
    "asterisk_allison/transfer.flac",
    "asterisk_allison/pm-invalid-option.flac",
)


@pytest.mark.shared
@pytest.mark.timeout(900 if LONG else 120)
def test_people_who_talk_of_something_else_get_no_confident_answer(tmp_path: Path, shared: Path) -> None:
    folder = shared / "aligned"
    files = [folder / name for name in FEW]
    if LONG:
        files = sorted([*folder.glob("asterisk_allison/*.flac"), *(shared / "speech").glob("lj/*.wav")])
        files += [shared / "speech" / "jfk.flac", *sorted((shared / "speech").glob("zh/*.wav"))]

    async def main() -> None:
        wrong: dict[str, str] = {}
        async with (
            kiosk(greeting=SHORT, hand_over=HandOverConfig(failures=10)) as (_, address),
            visitor(tmp_path) as ana,
        ):
            await ana.come(address)
            for file in files:
                sound = recording(file)
                since = await ana.say(sound)
                await ana.mode("hearing", since)
                await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=len(sound) / SAMPLE_RATE)
                settled = "['listening', 'speaking'].includes(window.told.filter((m) => m.type === 'mode').at(-1).mode)"
                await until(ana.page, settled, 10)
                await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.5)
                if await ana.told("sources", since) or any(one["form"] for one in await ana.told("form", since)):
                    wrong[file.name] = f"{await ana.understood(since)}"
                    print(file.name, wrong[file.name], [one["text"] for one in await ana.told("anchor", since)])
            # Whatever they said, the kiosk is there for the next question.
            assert "Monday to Friday" in await ana.answered(await ana.write("what are your opening hours"))
        print(f"{len(wrong)} of {len(files)} confidently wrong: {wrong}")
        assert len(wrong) <= len(files) // 20

    asyncio.run(main())


@pytest.mark.shared
def test_the_noise_of_a_room_never_stops_the_anchor(tmp_path: Path, shared: Path) -> None:
    async def main() -> None:
        async with kiosk(greeting=SHORT) as (_, address), visitor(tmp_path) as ana:
            await ana.come(address)
            names = ("noise1.wav", "noise2.wav", "office-ambience-24000-mono.mp3")
            sounds = [recording(shared / "speech" / "noise" / name)[: 4 * SAMPLE_RATE] for name in names]
            since = await ana.write("what are your opening hours")
            await ana.mode("speaking", since)
            await ana.say(np.concatenate(sounds))
            assert "day and night" in await ana.answered(since)
            assert await ana.told("cancel", since) == []
            assert len(await ana.told("hush", since)) == len(await ana.told("resume", since))

    asyncio.run(main())
