"""The process that spells words in IPA."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import espeakng_loader

from anchor.voice import espeak_ipa


def test_it_spells_by_voice_and_tells_where_there_is_none() -> None:
    asked = [
        ("en-us", "hello"), ("de", "Guten Tag"), ("fr-fr", "bonjour"), ("xx-yy", "hello"), ("en-us", "hello"),
        ("en-us", ""), ("en-us", "One. Two"),
    ]  # fmt: skip
    lines = "".join(f"{json.dumps({'voice': voice, 'text': text})}\n" for voice, text in asked)
    library, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(Path(espeak_ipa.__file__)), library, data],
        input=lines, capture_output=True, text=True, check=True,
    )  # fmt: skip
    spelled = [json.loads(line)["ipa"] for line in done.stdout.splitlines()]
    assert spelled == ["həlˈoʊ", "ɡˈuːtən tˈɑːk", "bɔ̃ʒˈuʁ", None, "həlˈoʊ", "", "wˌʌntˈuː"]
