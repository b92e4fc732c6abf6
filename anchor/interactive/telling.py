"""What the clerk says came of an action."""

from __future__ import annotations

import logging
from datetime import date

from anchor.interactive.clerk_words import joined, word
from anchor.interactive.desk import News
from anchor.tags import base, said

logger = logging.getLogger(__name__)


def report(news: News, language: str, today: date) -> str:
    """One or two sentences: what was found or done, or that nothing was, or that nobody knows."""
    filling, outcome, action = news.filling, news.outcome, news.filling.action
    if filling.lends_to is not None and not outcome.error:
        return word("not_identified" if news.barred else "not_verified", language)
    if outcome.error or not outcome.done:
        failed = said(action.say_error, language) or word("failed", language)
        if outcome.done is None:
            return joined(language, failed, word("not_known", language))
        return joined(language, failed, word("nothing_done", language) if action.changes else "")
    template = said(action.say, language)
    if template.empty(outcome.data) and action.say_empty:
        return said(action.say_empty, language)
    try:
        return template.fill(outcome.data, filling.shows(language, today), language=base(language), today=today)
    except ValueError as error:
        logger.warning("%s: %s", action.name, error)
        return word("done_unread" if action.changes else "failed", language)
