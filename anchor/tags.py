"""Language tags (BCP 47), as far as anybody here compares them: by their primary language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


def base(tag: str) -> str:
    """The primary language: ``zh`` of ``zh-CN``."""
    return tag.partition("-")[0].lower()


def closest(tags: Iterable[str], language: str) -> str | None:
    """The tag itself, else the first of the same primary language, None where there is none."""
    listed = tuple(tags)
    same = [tag for tag in listed if base(tag) == base(language)]
    return next((tag for tag in same if tag.lower() == language.lower()), same[0] if same else None)


def among(language: str, tags: Iterable[str]) -> bool:
    """Whether one of the tags is of the same primary language."""
    return closest(tags, language) is not None


def said(texts: Mapping[str, T], language: str, default: T | str = "") -> T:
    """What there is for a language, else for English, else for any; else `default`."""
    tag = closest(texts, language) or closest(texts, "en") or next(iter(texts), None)
    return texts[tag] if tag is not None else default  # type: ignore[return-value]
