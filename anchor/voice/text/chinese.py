"""Reading Chinese text."""

from __future__ import annotations

from anchor.voice.text.rules import Rules

RULES = Rules("zh", r"\d")
