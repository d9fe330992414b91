"""Online action recognition: tracking of people and prediction of their actions, frame by frame.

frame -> poses -> tracks (an id per person) -> classifier (a state per id)
    -> smoothing (one class, or none)
"""
