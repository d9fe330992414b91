"""Recognition while people are watched: who is who from frame to frame, and when a class is said.

poses of a frame -> track (an id for each) -> network, a state per id -> smooth (one class, or none
yet)
"""
