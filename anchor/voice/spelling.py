"""How a voice that times its phones would say a text: what an aligner looks for in sound without timings."""

from __future__ import annotations

from anchor.channel import closing
from anchor.events import Phone, Sentence, Word
from anchor.ports import SpelledWord, Voice


async def spell(reader: Voice, sentence: Sentence) -> list[SpelledWord]:
    """How `reader`, a voice that times its phones, would say a sentence. Raises `VoiceError`."""
    words, phones = list[Word](), list[Phone]()
    async with closing(reader.speak(sentence)) as chunks:
        async for chunk in chunks:
            words += chunk.words
            phones += chunk.phones
    spelled = list[SpelledWord]()
    index = 0
    for number, word in enumerate(words):
        until = words[number + 1].start if number + 1 < len(words) else phones[-1].end + 1 if phones else 0
        begun = index
        while index < len(phones) and phones[index].start < until:
            index += 1
        spelled.append(SpelledWord(word.text, tuple((phone.symbol, phone.stress) for phone in phones[begun:index])))
    return spelled
