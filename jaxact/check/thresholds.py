"""Every limit the rules use, with its reason. Lengths are in sizes of the body: the diagonal of the
box around one person in one frame, the median over a clip.
"""

# --- one clip

# Two people have exchanged slots when reading on along the slots makes both of them jump, and
# reading crosswise makes both move little. People who hug are a quarter of a body apart; at 10
# frames a second or more nobody moves as far in a frame while the other one moves the other way.
SWAP_JUMP = 0.5  # sizes that the two persons together would have moved
SWAP_RATIO = 0.35  # the crossed reading moves at most this share of it
HOP = 0.2  # sizes between where one slot empties and where another fills in the next frame

# The same for left and right joints of a limb pair. Hands and feet pass each other all the time, so
# whole limbs must exchange (three pairs of joints at least), and be far enough apart that noise
# does not do it. In a picture limbs seen from the side lie over each other, and annotators and
# networks waver; depth keeps them apart.
SIDES_PAIRS = 3
SIDES_JUMP_2D = 0.08  # sizes that a joint would have moved, mean over the limbs' joints
SIDES_JUMP_3D = 0.04
SIDES_RATIO = 0.4

# In 3-D bones have one length; Kinect's noise and occlusion change it by a factor of two, so three
# is no body's. Short bones (hands) jitter most, therefore the limit is never under half a body. In
# 2-D a bone shortens as it points to the camera and the median says little; but a bone is a quarter
# of a person, and people do not come four times as near.
BONE_FACTOR = 3.0
BONE_SIZES_3D = 0.5
BONE_SIZES_2D = 1.0

FROZEN_FRAMES = (
    5  # recorders repeat a frame or two when they are late; five are a sixth of a second
)

# --- the clips of a set

# Pixels against shares of the frame, and millimetres against metres, are factors of 100 and more;
# where a person stands and how tall they are in the picture is a factor below 20.
REACH_FACTOR = 30.0

# A frame votes on which way is up when head and feet are well apart in y: people who lie down do
# not vote.
VOTE_HEIGHT = 0.3  # sizes
VOTES = 5  # fewest votes of a clip
FLIPPED = 0.95  # share of votes against the set that makes a clip flipped: acrobats start or end on their feet
ON_HEAD = 0.5  # share that is worth a note
CLASS_WITH_SET = 0.7  # share of its class that stands as the set does; in a class of handstands flipped is normal
MIXED = 0.2  # share of clips against the set that makes it a mix of two conventions

# Where the feet point is forwards; with up and across it tells left from right. In a picture the
# left eye and the left shoulder are on the same side. A frame votes when it is clear, a clip is
# mirrored when nearly all of its votes say so.
FORWARD_COSINE = 0.5
MIRRORED = 0.9
MIRROR_AGREES = 0.9  # share of the set's clips that must agree before one is held against them
EYES_APART, SHOULDERS_APART = (
    0.02,
    0.15,
)  # sizes in the picture; below, the face or body is seen from the side

METRES = (
    0.1,
    10.0,
)  # sizes of a person that can be metres or shares of a frame; beyond are millimetres or pixels
SHARES = 10.0  # largest coordinate of a picture measured in frames or persons; beyond are pixels

# --- classes and splits

SHARED = 0.5  # below this share of subjects in both halves a split is by subject, and those few are leaks
FEW = 5  # training clips under which a class is hardly learnt
IMBALANCE = 10  # times the clips of the smallest class
