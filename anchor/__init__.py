"""A real-time digital human: text or talk in, a speaking anchor out."""

__version__ = "0.1.0"
