"""Times calls of the port: reads what to call from standard input, prints seconds by name as one line.

Each call is repeated until it takes MIN_SECONDS, several times over; the median counts.
"""

import copy
import importlib
import json
import os
import statistics
import sys
import time

MIN_SECONDS = 0.005
SAMPLES = 5
LOOPS_MAX = 1 << 24


def plain(value):
    """Texts, whole numbers, floats, truth values and lists of these, and nothing else."""
    if isinstance(value, list):
        return [plain(element) for element in value]
    if isinstance(value, (str, int, float)):
        return value
    raise TypeError("an argument is no text, number or list: %r" % (value,))


def find(module, path):
    found = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def seconds_for(function, args, loops):
    # A call may change its lists, and must not be given what an earlier call left of them.
    fresh = any(isinstance(arg, list) for arg in args)
    batch = [copy.deepcopy(args) for _ in range(loops)] if fresh else [args] * loops
    start = time.perf_counter()
    for each in batch:
        function(*each)
    return time.perf_counter() - start


def time_call(function, args):
    loops = 1
    while seconds_for(function, args, loops) < MIN_SECONDS and loops < LOOPS_MAX:
        loops *= 2
    return statistics.median(seconds_for(function, args, loops) / loops for _ in range(SAMPLES))


def main():
    request = json.load(sys.stdin)
    sys.path.insert(0, request["root"])
    # What the port prints must not end up in the result.
    result = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    times = {
        call["name"]: time_call(find(call["module"], call["function"]), plain(call["args"]))
        for call in request["calls"]
    }
    print(json.dumps(times, sort_keys=True), file=result, flush=True)


main()
