"""The built-in voice, with its real engine."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from anchor.errors import ConfigError, VoiceError
from anchor.events import Mood, Sentence
from anchor.media import SAMPLE_RATE
from anchor.voice import espeak, espeak_worker
from anchor.voice.espeak import EspeakVoice
from anchor.voice.languages import SPEAKING, languages, resolve
from anchor.voice.sounding import CHUNK_SECONDS
from anchor.workers import Worker, WorkerDiedError, WorkerPool
from tests.voice.speech import chunks_of, hear, level

GREETINGS = {
    "en": "Good evening, and welcome to the news.",
    "en-GB": "Good evening, and welcome to the news.",
    "zh-CN": "各位观众晚上好，欢迎收看新闻。",
    "zh-TW": "各位觀眾晚上好，歡迎收看新聞。",
    "ja": "こんばんは、今日のニュースをお伝えします。",
    "es": "Buenas noches y bienvenidos a las noticias.",
    "fr": "Bonsoir et bienvenue dans ce journal.",
    "de": "Guten Abend und willkommen zu den Nachrichten.",
    "ko": "안녕하세요, 오늘의 뉴스를 전해 드리겠습니다.",
}


@pytest.mark.parametrize("language", GREETINGS)
def test_a_language_is_spoken_with_words_and_phones_in_step(voice: EspeakVoice, language: str) -> None:
    text = GREETINGS[language]
    audio, words, phones = asyncio.run(hear(voice, text, language))
    assert audio.dtype == np.float32
    assert audio.ndim == 1
    assert 1.5 < len(audio) / SAMPLE_RATE < 6
    assert "".join(word.text for word in words) == text
    for before, after in pairwise(words):
        assert before.start < before.end <= after.start
    for one, next_one in pairwise(phones):
        assert one.start < one.end <= next_one.start
    assert phones[0].start >= 0
    assert phones[-1].end <= len(audio)
    assert {phone.stress for phone in phones} >= {0, 2}


@pytest.mark.parametrize("language", GREETINGS)
def test_phones_are_in_the_inventory_that_lips_rely_on(voice: EspeakVoice, language: str) -> None:
    inventory = json.loads((Path(__file__).parent / "phone_inventory.json").read_text("utf-8"))
    _, _, phones = asyncio.run(hear(voice, GREETINGS[language], language))
    assert {phone.symbol for phone in phones} <= set(inventory[language.split("-")[0]])


@pytest.mark.parametrize(
    ("text", "language", "symbol"),
    [
        ("A happy puppy popped up.", "en", "p"),
        ("爸爸包包子。", "zh", "p"),
        ("怕怕跑跑。", "zh", "pʰ"),
        ("Take two tickets.", "en", "t"),
        ("Papas y papel para Pepe.", "es", "p"),
    ],
)
def test_a_stop_begins_with_its_closure_not_with_its_burst(
    voice: EspeakVoice, text: str, language: str, symbol: str
) -> None:
    audio, _, phones = asyncio.run(hear(voice, text, language))
    loud = np.percentile(np.abs(audio), 95)
    inside = [phone for phone in phones if phone.symbol == symbol and phone.start > 0]
    assert len(inside) >= 3
    for phone in inside:
        closed = audio[phone.start + 240 : phone.start + 240 + SAMPLE_RATE // 100]
        assert np.abs(closed).max() < 0.05 * loud, "10 ms of a closed mouth, from 5 ms after the start"


@pytest.mark.parametrize(("text", "language"), [("My mum may move on Monday.", "en"), ("妈妈买马慢慢忙。", "zh")])
def test_a_nasal_is_where_the_sound_dips(voice: EspeakVoice, text: str, language: str) -> None:
    audio, _, phones = asyncio.run(hear(voice, text, language))
    for before, phone, after in zip(phones, phones[1:], phones[2:], strict=False):
        if phone.symbol == "m" and "m" not in (before.symbol, after.symbol):
            around = max(level(audio[one.start : one.end]) for one in (before, after))
            assert level(audio[phone.start : phone.end]) < around - 3


def test_a_number_that_is_said_in_many_words_is_one_word_over_all_of_them(voice: EspeakVoice) -> None:
    _, words, phones = asyncio.run(hear(voice, "It rose 3,215.6 points.", "en"))
    number = next(word for word in words if word.text.startswith("3,215.6"))
    said = [phone.symbol for phone in phones if number.start <= phone.start < number.end]
    assert said[0] == "θ"
    assert said[-1] in "ks"
    assert number.end - number.start > 1.2 * SAMPLE_RATE
    assert [word.text for word in words] == ["It ", "rose ", "3,215.6 ", "points."]


def test_chinese_words_are_timed_by_their_own_syllables(voice: EspeakVoice) -> None:
    _, words, phones = asyncio.run(hear(voice, "今天北京下雨。", "zh"))
    assert [word.text for word in words] == ["今天", "北京", "下雨。"]
    first = [next(phone.symbol for phone in phones if phone.start >= word.start) for word in words]
    assert first == ["tɕ", "p", "ɕ"]


def test_english_words_in_a_chinese_sentence_are_said_in_english(voice: EspeakVoice) -> None:
    audio, words, phones = asyncio.run(hear(voice, "使用WebRTC技术。", "zh"))
    brand = next(word for word in words if word.text == "WebRTC")
    said = [phone.symbol for phone in phones if brand.start <= phone.start < brand.end]
    assert "b" in said
    assert "ɹ" in said
    edges = [index for index in range(1, len(words)) if "WebRTC" in (words[index].text, words[index - 1].text)]
    for index in edges:
        gap = (words[index].start - words[index - 1].end) / SAMPLE_RATE
        assert 0 <= gap < 0.2
    assert np.abs(np.diff(audio)).max() < 0.5


def test_sound_starts_and_ends_in_silence(voice: EspeakVoice) -> None:
    for language, text in GREETINGS.items():
        audio, _, _ = asyncio.run(hear(voice, text, language))
        assert abs(audio[0]) < 1e-3
        assert abs(audio[-1]) < 1e-3


@pytest.mark.parametrize("text", ["", "   ", "…", "。", "😀😀", "\u0000\u200b\n", "—", "()", "***"])
def test_text_with_nothing_to_say_yields_nothing(voice: EspeakVoice, text: str) -> None:
    assert asyncio.run(chunks_of(voice, text, "en")) == []
    assert asyncio.run(chunks_of(voice, text, "zh-CN")) == []


def test_an_unknown_language_is_named_with_what_can_be_spoken(voice: EspeakVoice) -> None:
    with pytest.raises(VoiceError, match=r"'tlh'.*zh-CN"):
        asyncio.run(chunks_of(voice, "hello", "tlh"))


@pytest.mark.parametrize(
    ("tag", "key"),
    [
        ("zh", "zh-CN"),
        ("zh-Hant-TW", "zh-TW"),
        ("zh-Hans", "zh-CN"),
        ("cmn", "zh-CN"),
        ("EN", "en-US"),
        ("en_GB", "en-GB"),
        ("en-AU", "en-US"),
        ("es-MX", "es"),
        ("de-AT", "de"),
    ],
)
def test_language_tags_are_resolved_as_bcp_47_says(tag: str, key: str) -> None:
    assert resolve(tag) == key


def test_every_language_is_listed() -> None:
    assert set(SPEAKING) <= set(languages())
    assert {"en", "zh", "ja", "es", "fr", "de", "ko"} <= set(languages())
    assert espeak.voices()[0].name == "espeak"


_PIECES = st.sampled_from(
    """2025 3.5 % $ ¥1,299 年 月 中国 经济 Dr. U.S. AT&T 3:05 a.m. ½ ( ) “ ” 。 ， . , kg ℃ II #1 @ x.com 😀 é ß 안녕
    こんにちは 東京 第 1980s 00 ² - – A a 1st Q3 H7N9 3/4 [[ ]] [[p]] <b> & ｱ ﬁ … it's""".split()  # noqa: SIM905
) | st.sampled_from([" ", "\n", "\t", "\u200b", "\x07", "\u0301"])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=30),
    language=st.sampled_from(["en", "zh", "ja", "de", "ko"]),
)
@example(text="  Hello", language="en")
@example(text="[[hello]] world", language="en")
@example(text="'[[[", language="en")
def test_words_always_join_to_the_text_and_lie_in_the_sound(voice: EspeakVoice, text: str, language: str) -> None:
    audio, words, phones = asyncio.run(hear(voice, text, language))
    if not words:
        assert not len(audio)
        return
    assert "".join(word.text for word in words) == text
    places = [place for word in words for place in (word.start, word.end)]
    assert places == sorted(places)
    assert places[-1] <= len(audio)
    assert phones


def test_sessions_that_speak_at_once_do_not_mix() -> None:
    async def both() -> None:
        voice = EspeakVoice(workers=2)
        alone = {language: await hear(voice, text, language) for language, text in GREETINGS.items()}
        together = await asyncio.gather(*(hear(voice, text, language) for language, text in GREETINGS.items()))
        for (language, (audio, words, phones)), (again, words_again, phones_again) in zip(
            alone.items(), together, strict=True
        ):
            # Breath noise and the glottis go on from sentence to sentence, so the samples differ, and edges a little.
            assert len(audio) == len(again), language
            assert [word.text for word in words] == [word.text for word in words_again]
            assert [phone.symbol for phone in phones] == [phone.symbol for phone in phones_again]
            starts = [one.start for one in words] + [one.start for one in phones]
            again_starts = [one.start for one in words_again] + [one.start for one in phones_again]
            assert np.abs(np.subtract(starts, again_starts)).max() <= 0.01 * SAMPLE_RATE
            assert abs(level(audio) - level(again)) < 0.5
        assert 1 <= len(voice.pids) <= 2
        await voice.close()

    asyncio.run(both())


def test_a_worker_that_is_killed_is_replaced_unnoticed() -> None:
    async def kill() -> None:
        voice = EspeakVoice(workers=1)
        before, _, _ = await hear(voice, "Good evening.", "en")
        (pid,) = voice.pids
        os.kill(pid, signal.SIGKILL)
        after, _, _ = await hear(voice, "Good evening.", "en")
        assert len(before) == len(after)
        assert voice.pids != (pid,)
        await voice.close()

    asyncio.run(kill())


def test_a_worker_that_is_killed_in_the_middle_of_a_sentence_is_replaced_unnoticed() -> None:
    async def kill() -> None:
        voice = EspeakVoice(workers=1)
        await voice.warm(["en"])
        (pid,) = voice.pids
        os.kill(pid, signal.SIGSTOP)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(hear(voice, "Good evening.", "en"))
            await asyncio.wait([task], timeout=0.1)
            assert not task.done(), "the request is with a worker that stands still"
            os.kill(pid, signal.SIGKILL)
        audio, words, _ = task.result()
        assert len(audio) > 0
        assert [word.text for word in words] == ["Good ", "evening."]
        await voice.close()

    asyncio.run(kill())


def test_a_worker_that_hangs_is_given_up_and_killed() -> None:
    worker = Worker("sleeper", [sys.executable, "-c", "import signal; signal.pause()"], patience=0.1)
    with pytest.raises(WorkerDiedError, match=r"no answer for 0\.1 seconds"):
        worker.ask({})
    assert _gone(worker.pid)


def test_a_worker_that_dies_of_a_text_twice_is_an_error_with_its_last_words() -> None:
    dying = "import sys; sys.stdin.buffer.read(8); sys.exit('the tongue is tied')"

    async def ask() -> None:
        pool = WorkerPool("espeak-ng", lambda: [sys.executable, "-c", dying], 1)
        try:
            with pytest.raises(VoiceError, match=r"the tongue is tied.*twice"):
                await pool.run(lambda: pool.ask({"text": "hello"}))
        finally:
            await pool.close()

    asyncio.run(ask())


def test_a_worker_out_of_step_is_an_error_and_not_a_wait() -> None:
    worker = Worker("babbler", [sys.executable, "-c", "print('x' * 64, flush=True); input()"])
    with pytest.raises(WorkerDiedError, match="out of step"):
        worker.ask({})


def test_a_worker_that_cannot_start_says_why() -> None:
    with pytest.raises(WorkerDiedError, match="cannot be started"):
        Worker("nobody", ["/does/not/exist"])


def test_a_missing_variant_is_named() -> None:
    async def speak() -> None:
        voice = EspeakVoice(variant="Nobody", workers=1)
        try:
            with pytest.raises(VoiceError, match="Nobody"):
                await hear(voice, "Hello.", "en")
        finally:
            await voice.close()

    asyncio.run(speak())


@pytest.mark.parametrize("setting", [{"rate": 9.0}, {"pitch": 99}, {"workers": 0}, {"variant": "../../etc"}])
def test_settings_that_cannot_be_are_refused_by_name(setting: dict[str, object]) -> None:
    (name,) = setting
    with pytest.raises(ConfigError, match=rf"voice\.options\.{name}"):
        EspeakVoice(**setting)  # type: ignore[arg-type]


def test_a_faster_rate_is_shorter_and_a_higher_pitch_is_not() -> None:
    async def length(**setting: object) -> int:
        voice = EspeakVoice(workers=1, **setting)  # type: ignore[arg-type]
        audio, _, _ = await hear(voice, GREETINGS["en"], "en")
        await voice.close()
        return len(audio)

    usual, fast, high = (asyncio.run(length(**setting)) for setting in ({}, {"rate": 1.3}, {"pitch": 20}))
    assert fast < 0.85 * usual
    assert abs(high - usual) < 0.1 * usual


def _gone(pid: int) -> bool:
    """Whether a process ends within ten seconds (waits on it, does not poll)."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 10)[0])
    finally:
        os.close(handle)


def test_closing_ends_the_worker_and_a_closed_voice_says_so() -> None:
    async def close() -> int:
        voice = EspeakVoice(workers=1)
        await hear(voice, "Hello.", "en")
        (pid,) = voice.pids
        await voice.close()
        await voice.close()
        with pytest.raises(VoiceError, match="closed"):
            await hear(voice, "Hello.", "en")
        return pid

    assert _gone(asyncio.run(close()))


def test_no_worker_outlives_a_killed_parent() -> None:
    program = (
        "import asyncio, signal\n"
        "from anchor.voice.espeak import EspeakVoice\n"
        "voice = EspeakVoice(workers=1)\n"
        "asyncio.run(voice.warm(['en']))\n"
        "print(*voice.pids, flush=True)\n"
        "signal.pause()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert _gone(pid)


def test_leaving_early_leaves_the_voice_ready() -> None:
    async def leave() -> None:
        voice = EspeakVoice(workers=1)
        long = "One sentence that goes on and on, " * 20
        async with aclosing(voice.speak(Sentence(long, "en"))) as speech:
            async for _ in speech:
                break
        task = asyncio.get_running_loop().create_task(hear(voice, long, "en"))
        await asyncio.wait([task], timeout=0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        audio, _, _ = await hear(voice, "Hello.", "en")
        assert len(audio) > 0
        await voice.close()

    asyncio.run(leave())
    gc.collect()  # an iterator left behind would warn here, and warnings are errors


def test_a_long_sentence_comes_in_pieces_that_follow_each_other(voice: EspeakVoice) -> None:
    chunks = asyncio.run(chunks_of(voice, "This is quite a long sentence about nothing in particular. " * 3, "en"))
    assert len(chunks) > 5
    assert all(0 < len(chunk.audio) <= CHUNK_SECONDS * SAMPLE_RATE for chunk in chunks)
    heard = 0
    for chunk in chunks:
        heard += len(chunk.audio)
        assert all(word.start < heard or chunk is chunks[0] for word in chunk.words)


def test_a_lexicon_changes_what_is_said(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.txt"
    path.write_text("[en]\nWorcester\t[[w'Ust@]]\nQatar\tgutter\n[zh]\n行长\txing2 chang2\n", "utf-8")

    async def phones(lexicon: Path | None, text: str, language: str) -> str:
        voice = EspeakVoice(workers=1, lexicon=lexicon)
        _, words, phones = await hear(voice, text, language)
        assert "".join(word.text for word in words) == text
        await voice.close()
        return "".join(phone.symbol for phone in phones)

    assert "wʊst" in asyncio.run(phones(path, "In Worcester town.", "en"))
    assert asyncio.run(phones(path, "Qatar", "en")) == asyncio.run(phones(None, "gutter", "en"))
    assert asyncio.run(phones(path, "行长", "zh")).startswith("ɕ")
    assert asyncio.run(phones(None, "行长", "zh")).startswith("x")


def test_the_engine_runs_where_its_path_is_longer_than_it_can_remember(tmp_path: Path) -> None:
    _, _, _, worker, library, data = espeak.command()
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 10)
    deep.mkdir(parents=True)
    (deep / "espeak-ng-data").symlink_to(data)
    worker_process = Worker("deep", [sys.executable, "-I", "-S", worker, library, str(deep / "espeak-ng-data")])
    request = {"text": "hello", "voice": "gmw/en-US", "timbre": "", "rate": 160, "pitch": 50, "range": 50}
    answer, sound = worker_process.ask({**request, "phonemes": False})
    worker_process.close()
    assert answer["rate"] == 22050
    assert len(sound) > 10_000
    assert [event for event in answer["events"] if event[0] == espeak_worker.EVENT_WORD] == [[1, 0, 0, ""]]


def test_the_library_is_never_loaded_in_this_process() -> None:
    assert "espeak-ng" not in Path("/proc/self/maps").read_text()


def test_ipa_of_texts_has_words_apart_and_other_languages_marked() -> None:
    worker = Worker("espeak-ng", espeak.command())
    try:
        answer, _ = worker.ask(
            {
                "ipa": [
                    ["en-us", "It was in the house, there"],
                    ["en-us", "[[w'Ust@]]"],
                    ["cmn", "hang2zhang3 AI"],
                    ["en-us", ""],
                ]
            }
        )
        refused, _ = worker.ask({"ipa": [["nowhere", "hello"]]})
    finally:
        worker.close()
    assert answer["ipa"] == ["ɪt wʌz ɪnðə hˈaʊs ðˈɛɹ", "wˈʊstə", "χɑɜŋts.ˈɑ2ŋ (en)ˈeɪ ˈaɪ(cmn)", ""]
    assert refused["error"] == "espeak-ng has no voice 'nowhere'"


def test_moods_change_how_fast_a_sentence_is_said(voice: EspeakVoice) -> None:
    """Faster and higher for joy, slower for concern, as `anchor.voice.moods` has it."""

    async def length(mood: Mood) -> int:
        sentence = Sentence("Good evening and welcome to the news.", "en", mood=mood)
        return sum([len(chunk.audio) async for chunk in voice.speak(sentence)])

    async def lengths() -> dict[Mood, int]:
        moods: tuple[Mood, ...] = ("neutral", *voice.info.moods)
        return {mood: await length(mood) for mood in moods}

    found = asyncio.run(lengths())
    assert found["cheerful"] < 0.98 * found["neutral"]
    assert found["concerned"] > 1.02 * found["serious"] > 1.04 * found["neutral"]
