"""Packages that people make and hand on, of avatars and of voices: read as if their makers meant harm.

What both kinds share: folders and zips with a manifest in TOML, and the record of consent in it.
"""
