"""The process of one peer: ``python -m benchmarks.peers.serve NAME``.

It prints ``{"chunk": n}`` when ready, and then answers each line such as ``fomaml 1000`` with the
wall and processor seconds of that many iterations.
"""

from __future__ import annotations

import json
import sys
import time

from benchmarks.peers import PEERS


def main() -> None:
    peer = PEERS[sys.argv[1]].make()
    print(json.dumps({"chunk": peer.chunk}), flush=True)
    for line in sys.stdin:
        algorithm, _, iterations = line.rpartition(" ")
        processor, wall = time.process_time(), time.perf_counter()
        peer.run(algorithm, int(iterations))
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(json.dumps({"wall": wall, "processor": processor}), flush=True)


if __name__ == "__main__":
    main()
