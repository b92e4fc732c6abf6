"""What is kept of conversations, masked: in SQLite or PostgreSQL, or nowhere."""

from anchor.store.records import Line, SessionRecord
from anchor.store.store import Store, Who, masked_json

__all__ = ["Line", "SessionRecord", "Store", "Who", "masked_json"]
