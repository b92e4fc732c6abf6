"""What the conversations of a channel share: who hears, who knows, who answers, and what can be done for a visitor."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from anchor import registry
from anchor.channel import closing
from anchor.clock import LoopClock, today, wall_time
from anchor.config import ChannelConfig, EngineConfig, TalkConfig
from anchor.dialogue.actions import Action, load_actions
from anchor.dialogue.guard import Guard
from anchor.dialogue.http_tool import HttpTool
from anchor.dialogue.knowledge import KnowledgeBase
from anchor.errors import AnchorError, ConfigError
from anchor.hearing.audio_file import read_audio
from anchor.hearing.silero import SileroVad
from anchor.interactive.answers import Manners, Minds
from anchor.interactive.business import ActionRecord, Clerk
from anchor.interactive.conversation import Conversation, Welcome
from anchor.interactive.ears import Ears
from anchor.interactive.facts import Fact
from anchor.interactive.reply import Patience
from anchor.interactive.turns import TurnRules
from anchor.parts import check_language
from anchor.ports import Voice
from anchor.store import Line, Store
from anchor.tags import among, base, closest
from anchor.talk import HEARING_RATE, Dialogue, Hearing, Knowledge, Recognizer
from anchor.trust.netguard import NetGuard

log = logging.getLogger(__name__)

EMBEDDED = "knowledge"
"""The dialogue that needs nothing, and answers where another fails."""

_UPLOAD_CHUNK = HEARING_RATE // 2


def _open(group: str, config: EngineConfig, where: str) -> Any:
    return registry.build(registry.load(group, config.engine), config.options, where)


class Talk:
    """Shared by all visitors of one channel. `address` is the server's own, for actions without a host.

    Raises `AnchorError` for what cannot be loaded.
    """

    def __init__(self, channel: ChannelConfig, voice: Voice, store: Store, address: str) -> None:
        config = channel.talk
        if config is None:
            raise ConfigError(f"channel {channel.name}: has no talk table")
        where = f"channel {channel.name}: talk"
        self.config: TalkConfig = config
        self.voice, self.store = voice, store
        languages = config.languages or (channel.language,)
        for language in languages:
            check_language(voice, language)
        self.recognizer: Recognizer = _open("anchor.recognizer", config.recognizer, f"{where}.recognizer.options")
        self.dialogue: Dialogue = _open("anchor.dialogue", config.dialogue, f"{where}.dialogue.options")
        embedded = config.dialogue.engine == EMBEDDED
        self._fallback: Dialogue = self.dialogue if embedded else registry.load("anchor.dialogue", EMBEDDED)()
        self.knowledge: Knowledge | None = KnowledgeBase(config.knowledge) if config.knowledge else None
        self.actions: tuple[Action, ...] = load_actions(config.actions) if config.actions is not None else ()
        self._tool = HttpTool(NetGuard(config.allow), base=address)
        self._guard = Guard(config.banned)
        self.welcome = Welcome(
            languages, config.greeting,
            TurnRules(
                barge_in=config.barge_in, partials=self.recognizer.info.partials, invite_after=config.invite_after,
                absence=config.absence,
            ),
        )  # fmt: skip
        self.manners = Manners(
            config.persona, config.hand_over.contact, config.hand_over.phrases, config.hand_over.crisis,
            config.hand_over.failures, Patience(first=config.patience),
        )  # fmt: skip

    def language(self, wanted: str | None) -> str:
        """The language to begin in: what the visitor's browser wants, where it is offered."""
        languages = self.welcome.languages
        return closest(languages, wanted or "") or languages[0]

    async def prepare(self) -> None:
        """Load what visitors would wait for. A dialogue that cannot be reached yet does not stop the others."""
        languages = self.welcome.languages
        phrases = {language: self._expected(language) for language in languages}
        self.recognizer.expect(phrases)
        await self.recognizer.warm([tag for tag in languages if self.understands(tag)])
        try:
            await self.dialogue.warm()
        except AnchorError as error:
            log.warning("the dialogue does not answer yet, and what is known does until then: %s", error)

    def _expected(self, language: str) -> list[str]:
        """What visitors are likely to say."""
        pressed = [
            text for button in self.config.buttons for tag, text in button.says.items() if base(tag) == base(language)
        ]
        begun = [text for action in self.actions for text in action.phrases(language)]
        return [*pressed, *begun, *(self.knowledge.questions(language) if self.knowledge is not None else ())]

    def understands(self, language: str) -> bool:
        return among(language, self.recognizer.info.languages)

    async def close(self) -> None:
        await self.recognizer.close()
        await self.dialogue.close()
        await self._fallback.close()
        await self._tool.close()

    def ears(self, language: str) -> Callable[[Callable[[Fact], None]], Ears]:
        """Makes ears that tell facts."""
        return lambda on_fact: Ears(self.recognizer, SileroVad, language, on_fact)

    def minds(self, acted: Callable[[str, Mapping[str, Any], str], None]) -> Minds:
        """Whom one conversation asks; `acted` hears of business that was done or not."""

        def done(record: ActionRecord) -> None:
            acted(record.name, record.arguments, record.outcome)

        clerk = Clerk(self.actions, self._tool, today=today, on_done=done)
        return Minds(self.dialogue, self._fallback, self.knowledge, self._guard, clerk, self.store)

    async def transcribe(self, data: bytes, language: str) -> str:
        """What is said in a recording. Raises `FormatError` and `RecognizerError`."""
        sound = await asyncio.to_thread(read_audio, data)

        async def speech() -> AsyncIterator[Hearing]:
            for start in range(0, len(sound), _UPLOAD_CHUNK):
                yield sound[start : start + _UPLOAD_CHUNK]

        text = ""
        async with closing(self.recognizer.listen(speech(), language)) as transcripts:
            async for transcript in transcripts:
                text = transcript.text if transcript.final else text
        return text

    @staticmethod
    def transcript(conversation: Conversation) -> list[Line]:
        """What was said, as a person who takes over reads it."""
        now, clock = wall_time(), LoopClock().now()
        return [
            Line(line.who, line.text, line.language, now.fromtimestamp(now.timestamp() - clock + line.at, now.tzinfo),
                 line.turn)
            for line in conversation.history
        ]  # fmt: skip
