"""The texts that the functions of the CUDA backend are made of: names in capitals are replaced. And what such a function is given."""

HALF = 32  # neurons between two that share draws

# bits of status[0]: a neuron had more events than its list has places; a value that has to be finite is not
OVERFULL, NOT_FINITE = 1, 2

STEPS_TIME = "first steps interval dt".split()  # of many steps at once: the first one, and their number
# what every function is given. listed[event, place, neuron] is a step since the first one of the chunk, counts[event, neuron] their number
PLACES = "n k0 k1 capacity reals whole fixed fixed_whole listed counts status".split()
CHUNK = "reals_out whole_out before".split()  # and those that make a chunk
# for each probe: the first step that is due, since the first one of the chunk, and how many lie between two
RECORDED = "due apart column values".split()

STEPS = """
def advance(ARGUMENTS):
    NEURONS
    if i < n and before[0] == 0:
        LOAD
        NONE_LISTED
        s = int32(0)
        while s < steps:
            TIMES
            PHASES
            s = int32(s + 1)
        STORE
        COUNTED
        CHECK
"""

# Steps up to the next one that is due for a recording, so that most of them do not ask. No steps at all: only what is due at the first.
STEPS_RECORDED = """
def advance(ARGUMENTS):
    NEURONS
    if i < n and before[0] == 0:
        LOAD
        NONE_LISTED
        NONE_RECORDED
        s = int32(0)
        while True:
            RECORDS
            until = steps
            UNTIL
            while s < until:
                TIMES
                PHASES
                s = int32(s + 1)
            if s == steps:
                break
        STORE
        COUNTED
        CHECK
"""

ONE_NEURON = "i = cuda.grid(1)"

NONE_RECORDED = "ROW = int32(0)"

PLACED = "PLACE = COLUMN[NEURON] if DUE <= steps else int32(-1)"

RECORDED_NEURON = """
if PLACE >= 0:
    TIMES
    BODY
    VALUES[ROW, PLACE] = VALUE
"""

RECORD_IN_CHUNK = """
if s == DUE:
    RECORDED_NEURONS
    ROW = int32(ROW + 1)
    DUE = int32(DUE + APART)
"""

UNTIL = """
if DUE < until:
    until = DUE
"""

# An event goes to the list of its neuron. Where many steps are made at once, the number of those is kept in a register.
LISTED = """
if FLAG:
    if COUNT < ROOM:
        listed[EVENT, COUNT, NEURON] = s
        MOMENT
    COUNT = int32(COUNT + 1)
"""

COUNTED = """
counts[EVENT, NEURON] = COUNT
if COUNT > capacity:
    cuda.atomic.or_(status, 0, OVERFULL)
"""

TROUBLE = """
if not FINITE:
    cuda.atomic.or_(status, 0, NOT_FINITE)
"""

MOMENT = "moments[EVENT, COUNT, NEURON] = MOMENT_VALUE"

TEMPLATES = (
    *(STEPS, STEPS_RECORDED, ONE_NEURON, NONE_RECORDED, PLACED, RECORDED_NEURON, RECORD_IN_CHUNK, UNTIL),
    *(LISTED, MOMENT, COUNTED, TROUBLE),
)
