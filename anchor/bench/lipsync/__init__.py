"""``anchor bench lipsync``: any driver against phone labels, in its weights and in rendered pixels.

Drivers are fed as live speech comes (`feeding`), scored by plain functions of arrays (`metrics`, over the fifteen
visemes of `classes`), and stand in the `report` beside loudness alone and Rhubarb, measured in the same run.
"""
