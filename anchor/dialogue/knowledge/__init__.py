"""What an anchor knows: documents and tables that people wrote and approved."""

from anchor.dialogue.knowledge.index import KNOWN, KnowledgeBase

__all__ = ["KNOWN", "KnowledgeBase"]
