"""The bundled people: heads nobody has, dressed, lit and drawn in Blender, and cut into avatar packages.

``python -m tools.people yue --head HEAD.npz --blender PYTHON`` draws one anew; PYTHON is an interpreter with ``bpy``.
"""
