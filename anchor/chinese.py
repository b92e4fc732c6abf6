"""Chinese words: jieba's dictionary, loaded once for all who cut text into them."""

from __future__ import annotations

import functools
import logging
import os
import threading
import warnings
from pathlib import Path
from typing import Any

_lock = threading.Lock()


@functools.cache
def _segmenter() -> Any:
    with warnings.catch_warnings():
        # jieba imports pkg_resources and has old escapes in its regular expressions; neither is of use to a user.
        warnings.simplefilter("ignore")
        import jieba
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anchor"
    try:
        # Its dictionary is cached as marshalled code: never in a folder that others can write to, such as /tmp.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tokenizer.tmp_dir = str(folder)
    except OSError:
        tokenizer.tmp_dir = None
    tokenizer.initialize()
    return tokenizer


def words(text: str, *, guess: bool) -> list[str]:
    """Cut text into words, which joined give it back. `guess`: words that are in no dictionary are made out, too."""
    with _lock:
        segmenter = _segmenter()
    return [str(word) for word in segmenter.cut(text, HMM=guess)]
