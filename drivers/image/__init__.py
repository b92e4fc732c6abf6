"""Drivers made of ONNX files that people bring: networks that paint mouths, and networks that give blendshapes.

Files are recognised by the shapes of what they take and give (`drivers.image.signature`), never by their names.
"""
