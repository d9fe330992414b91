"""Thresholds of the rules, with their reasons.

Lengths are in sizes of a body: the diagonal of the box around one person in one frame, the median
over a clip.
"""

# --- one clip

# Two persons exchanged slots if both jump along the slots, and both move little across the slots.
# People who hug are a quarter of a body apart. At 10 frames per second or more, two persons do not
# move that far towards each other's position in one frame.
SWAP_JUMP = 0.5  # least sum of both persons' steps along the slots, in sizes
SWAP_RATIO = 0.35  # largest share of it that the steps across the slots may have
HOP = 0.2  # sizes between a slot that empties and another that fills in the next frame

# The same for left and right joints of a limb pair. Hands and feet often pass each other, so whole
# limbs must exchange (at least three pairs of joints), and be far enough apart that noise cannot
# cause it. In an image, limbs seen from the side overlap, and annotators and networks are uncertain
# about them; in 3-D, depth separates them.
SIDES_PAIRS = 3
SIDES_JUMP_2D = 0.08  # sizes that a joint would have moved, mean over the limbs' joints
SIDES_JUMP_3D = 0.04
SIDES_RATIO = 0.4

# In 3-D a bone has a constant length. Noise and occlusion of Kinect change it by a factor of two,
# so a factor of three is an error. Short bones (hands) jitter most, so the limit is at least half a
# body. In 2-D a bone shortens as it points to the camera and its median says little; but a bone is
# a quarter of a person, and people do not come four times as near.
BONE_FACTOR = 3.0
BONE_SIZES_3D = 0.5
BONE_SIZES_2D = 1.0

# Recorders that fall behind repeat a frame or two. Five frames are a sixth of a second.
FROZEN_FRAMES = 5

# --- the clips of a set

# Pixels against shares of the frame, and millimetres against metres, are factors of 100 and more.
# A person's position and height in the picture are a factor below 20.
REACH_FACTOR = 30.0

# A frame votes on the direction of y if head and feet are well apart in y: people who lie down do
# not vote.
VOTE_HEIGHT = 0.3  # sizes
VOTES = 5  # fewest votes of a clip
# Share of a clip's votes against the set that makes it flipped. It is below 1 because acrobats
# start or end on their feet.
FLIPPED = 0.95
ON_HEAD = 0.5  # share of votes that is worth a note
# Share of a class that must agree with the set: in a class of handstands a flipped clip is normal.
CLASS_WITH_SET = 0.7
MIXED = 0.2  # share of clips against the set that makes it a mix of two conventions

# The feet point forward; with up and across, this tells left from right. In an image, the left eye
# and the left shoulder are on the same side. A frame votes if it is clear. A clip is mirrored if
# nearly all of its votes say so.
FORWARD_COSINE = 0.5
MIRRORED = 0.9
MIRROR_AGREES = 0.9  # share of the set's clips that must agree before one is compared with them
# Least distances in the image, in sizes; below, the face or body is seen from the side.
EYES_APART = 0.02
SHOULDERS_APART = 0.15

# Sizes of a person that can be metres or shares of a frame; others are millimetres or pixels.
METRES = (0.1, 10.0)
# Largest coordinate of an image in units of the frame or of persons; larger ones are pixels.
SHARES = 10.0

# --- classes and splits

# Below this share of common subjects a split is by subject, and the common ones are leaks.
SHARED = 0.5
FEW = 5  # training clips below which a class is hardly learnt
IMBALANCE = 10  # ratio of the largest class's clips to a class's own
