"""The texts that the function of the CPU backend is made of: names in capitals are replaced."""

from __future__ import annotations

# The numbers of the one argument of the function, `plan`; then follow, for each series, its address, rows and columns, and
# the addresses of the matrices.
PLAN = (
    "n first_block last_block begin first last stop k0 k1 capacity at_once recordings blocks"
    " reals integers scalars scratch wholes flags spikes counts marks records ranges spare spare_wholes searched"
).split()
ADDRESSES = PLAN.index("reals")

PRIMITIVES = (
    "all_finite any_of_eight at below copy get largest_of lowest_bit maximum minimum put repeat select sign smallest_of".split()
)
REDUCTIONS = "count largest one_of one_of_block product rank rank_wholes smallest sum_up tree tree_of_block".split()
DISTRIBUTIONS = "uniform normal exponential poisson".split()
PAIRS = {distribution: f"{distribution}_pair" for distribution in DISTRIBUTIONS if distribution != "poisson"}

UNCOUPLED = """
def advance(plan):
    PLACES
    SCALARS
    block, step = first_block, begin
    while block < last_block:
        origin = block * BLOCK
        many = min(BLOCK, n - origin)
        lanes = (many + 31) & -32
        FILL
        MARK
        full = False
        while step < stop:
            FULL
            if full:
                break
            t = step * interval
            t_next = (step + 1) * interval
            RECORD
            if step == last:
                break
            PHASES
            step += 1
        plan[REACHED_BLOCK], plan[REACHED_STEP] = block, step
        finite = True
        CHECK
        if not finite and stop == last:
            FORGET
            return 2
        KEEP
        if full:
            return 1
        block += 1
        step = first
    return 0
"""

COUPLED = """
def advance(plan):
    PLACES
    SCALARS
    EACH_FILL
    MARK
    step = begin
    full = False
    while step < stop:
        FULL
        if full:
            break
        t = step * interval
        t_next = (step + 1) * interval
        EACH_RECORD
        if step == last:
            break
        PHASES
        step += 1
    plan[REACHED_BLOCK], plan[REACHED_STEP] = 0, step
    finite = True
    EACH_CHECK
    if not finite and stop == last:
        FORGET
        return 2
    EACH_KEEP
    return 1 if full else 0
"""

EACH = """
for turn in range(last_block):
    block = ORDER
    origin = block * BLOCK
    many = min(BLOCK, n - origin)
    lanes = (many + 31) & -32
    base = block * WIDTH
    whole_base = block * WHOLE_WIDTH
    INSIDE
"""

# Blocks in turn, and the other way: what the last pass left in the cache is read first in the next.
FORWARD, BACKWARD = "turn", "last_block - 1 - turn"

# Eight flags are read as one word, eight words at once are mostly 0.
EVENTS = """
found = get(counts, EVENT)
for group in range(0, many, 64):
    w = WORD + (group >> 3)
    if any_of_eight(words, w):
        for w in range(w, w + 8):
            word = get(words, w)
            while word != 0:
                j = ((w - WORD) << 3) + (lowest_bit(word) >> 3)
                if j < many:
                    put(spikes, ROWS * EVENT * capacity + found, step)
                    put(spikes, (ROWS * EVENT + 1) * capacity + found, origin + j)
                    MOMENT
                    found += 1
                word &= word - 1
put(counts, EVENT, found)
"""

# The numbers of a draw, ahead of the loop that reads them. Lanes behind the last neuron repeat the last neuron's.
DRAWS = """
for group in range(0, lanes, 64):
    for j in range(group, group + 32):
        one, two = PAIR(origin + j, step, STREAM, k0, k1)
        put(scratch, PLACE + j, one)
        put(scratch, PLACE + 32 + j, two)
repeat(scratch, PLACE + many, PLACE + lanes)
"""

# Counts: their means are written first.
COUNTS = """
MEANS
repeat(scratch, PLACE + many, PLACE + lanes)
MANY(scratch, PLACE, searched, BLOCK, lanes, origin, step, STREAM, k0, k1)
repeat(scratch, PLACE + many, PLACE + lanes)
"""

MOMENT = "put(moments, (ROWS * EVENT + 2) * capacity + found, double(get(scratch, PLACE)))"

# A phase that concerns few neurons: they are flagged, found as events are, and gone through one by one. Under a plain condition LLVM
# would compute the whole phase for all of them.
RARE = """
for j in range(lanes):
    NOBODY
    put(flags, FIRST + j, get(scratch, PLACE) != 0)
for group in range(0, many, 64):
    w = (FIRST + group) >> 3
    if any_of_eight(words, w):
        for w in range(w, w + 8):
            word = get(words, w)
            while word != 0:
                j = (w << 3) - FIRST + (lowest_bit(word) >> 3)
                if j < many:
                    INSIDE
                word &= word - 1
"""

# What a block gives to a reduction while it is at hand: a value in its place of SPARE, or a copy of its values. Behind the
# values of the blocks is room for one block more.
OF_BLOCK = {
    "total": "put(SPARE, block, tree_of_block(VALUES, PLACE, many, SPARE, blocks + 16))",
    "largest": "repeat(VALUES, PLACE + many, PLACE + lanes)\nput(SPARE, block, largest_of(VALUES, PLACE, lanes))",
    "smallest": "repeat(VALUES, PLACE + many, PLACE + lanes)\nput(SPARE, block, smallest_of(VALUES, PLACE, lanes))",
    "count": "put(spare_wholes, block, count(VALUES, PLACE, many))",
    "one_of": """
put(spare_wholes, block, one_of_block(VALUES, PLACE, many, origin, doubles, blocks + 16, step, STREAM, k0, k1))
""",
    "all": "copy(SPARE, origin, VALUES, PLACE, many)",
}
OVER_BLOCKS = {
    "total": "tree(SPARE, 0, blocks)",
    "largest": "largest(SPARE, blocks)",
    "smallest": "smallest(SPARE, blocks)",
    "count": "sum_up(spare_wholes, blocks)",
}

WINNER = """
winner = one_of(spare_wholes, blocks, step, STREAM, k0, k1)
for block in range(last_block):
    for j in range(BLOCK):
        put(scratch, block * WIDTH + FIRST + j, 0)
if winner >= 0:
    put(scratch, winner // BLOCK * WIDTH + FIRST + winner % BLOCK, 1)
"""

# One contiguous array to the scratches of all blocks.
SCATTER = """
for block in range(last_block):
    copy(SCRATCH, block * WIDTH + FIRST, VALUES, block * BLOCK, min(BLOCK, n - block * BLOCK))
repeat(SCRATCH, (last_block - 1) * (WIDTH - BLOCK) + FIRST + n, (last_block - 1) * WIDTH + FIRST + BLOCK)
"""

# The numbers of one row of `records`: probe, every, start, neurons, places, values.
RECORD = """
for r in range(recordings):
    low, high = get(ranges, r * (blocks + 1) + block), get(ranges, r * (blocks + 1) + block + 1)
    every, since = get(records, 6 * r + 1), step - get(records, 6 * r + 2)
    if get(records, 6 * r) == PROBE and low < high and since >= 0 and since % every == 0:
        row = since // every * get(records, 6 * r + 3)
        places, values = at(get(records, 6 * r + 4), integer), at(get(records, 6 * r + 5), DTYPE)
        UNIFORM
        for q in range(low, high):
            i = get(places, q)
            j = i - origin
            BODY
"""
