"""Fuzz formulas with coverage: PYTHONPATH=src python tests/tasks/fuzz_formula.py -atheris_runs=1000000 [CORPUS]

Needs atheris and numpy only. Every input must give a task whose answers are the exact ones, or an InputError of one
line, within 100 ms and 100 MiB. Prints how many inputs there were.
"""

import atexit
import resource
import sys
import time
import zlib
from collections import Counter

import atheris
from exact import Exact

with atheris.instrument_imports(include=["modgrok"]):
    from modgrok.errors import InputError
    from modgrok.tasks import make_task
    from modgrok.tasks.catalog import NAMES

GRAMMAR = "x y z + - * / ** ( ) x y + * x**2 y**3 (x y) x*y 0 1 2 3 4 5 6 7 8 9 10 11 12 13 97 1000003"
STRANGE = "٣ ⅹ x. __ // % ^ 0x1 1e3 (((((((( ))))))))"
# a byte of an input that starts below 128 stands for one of these; other inputs are UTF-8, or are not
WORDS = (*GRAMMAR.split(), *STRANGE.split(), " ", "\n", "\0", "9" * 30, "-" * 20)
MODULI = (*range(2, 14), 97, 113, 10**6 + 3, 10**18)
SECONDS, MEBIBYTES = 0.1, 100
seen: Counter[str] = Counter()
slowest = 0.0


def memory() -> float:
    """The most memory that the process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read(data: bytes) -> tuple[str, int]:
    """A text and a modulus."""
    head, body = data[0] if data else 0, data[1:]
    words = "".join(WORDS[byte % len(WORDS)] for byte in body)
    text = words if head < 128 else body.decode(errors="surrogateescape")
    modulus = MODULI[head % len(MODULI)]
    return text, min(modulus, 13) if "z" in text else modulus  # a table of triples takes its time


def one_input(data: bytes) -> None:
    """Try one input."""
    global slowest
    text, modulus = read(data)
    before, start = memory(), time.process_time()
    try:
        task = make_task(text, modulus)
    except InputError as error:
        task, message = None, str(error)
    seconds = time.process_time() - start
    slowest = max(slowest, seconds)
    seen["inputs"] += 1
    assert seconds < SECONDS, f"{seconds} s for {text!r}"
    assert memory() - before < MEBIBYTES, f"{memory() - before} MiB for {text!r}"
    if task is None:
        seen["errors"] += 1
        assert "\n" not in message, message
        assert len(message) < 400, message
    elif task.name not in NAMES:
        seen["tasks"] += 1
        answers, defined = task.grid()
        for k in range(3):  # three of the tuples, different ones for each text
            place = tuple(zlib.crc32(data, 3 * k + i) % modulus for i in range(task.n_operands))
            expected = Exact(task.name, modulus, place).answer()
            assert (int(answers[place]) if defined[place] else None) == expected, (task.name, modulus, place)


def report() -> None:
    """Print what was tried."""
    print(f"{dict(seen)}; slowest {slowest * 1e3:.1f} ms, most memory of the process {memory():.0f} MiB")


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    atexit.register(report)
    atheris.Setup([*sys.argv, "-max_len=700", "-timeout=10"], one_input)
    atheris.Fuzz()
