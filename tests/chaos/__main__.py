"""`python -m tests.chaos kill --calls 40 --seconds 120 --seed 7`: one scenario, or several."""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import replace

import uvloop

from tests.chaos.oracle import judge
from tests.chaos.scenarios import SCENARIOS, perform
from tests.chaos.table import HEAD, line


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "scenario", nargs="*", choices=[*SCENARIOS, []], help="all, if none is named"
    )
    parser.add_argument("--calls", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--every", type=float, help="seconds from one fault to the next")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    given = parser.parse_args()
    wishes = {
        name: value
        for name in ("calls", "seconds", "every", "workers")
        if (value := getattr(given, name)) is not None
    }
    print(f"seed {given.seed}\n{HEAD}")
    well = True
    for name in given.scenario or SCENARIOS:
        scenario = replace(SCENARIOS[name], **wishes)
        recorded = uvloop.run(perform(scenario, given.seed))
        verdict = judge(recorded)
        print(line(scenario, recorded, verdict), flush=True)
        for complaint in verdict.complaints:
            print(f"  {complaint}", flush=True)
        well = well and not verdict.complaints
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
