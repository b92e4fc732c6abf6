"""Lips from sound alone: a small network of our own, and the alignment of a known text by what it hears."""
