"""Weights that can be had for the asking: what there is, fetching it, and checking what is here."""
