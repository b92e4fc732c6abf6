"""Motion capture: a performer's face, filmed or recorded, as ARKit weights, head pose and gaze.

Takes are read from files (`table`, `clip`) or made live, picture by picture (`live`). Pictures of a performer are
looked at and let go: nothing here stores or forwards one.
"""
