#!/usr/bin/env python3
"""Time oversample beside cp, gawk and shuf, and a plain script; print tables of medians.

    .ci/benchmark.py > figures.md

It makes its own documents, runs the programs in turn, and judges nothing. It needs a POSIX
system and 1.3 GB of room, best in memory: on a disk oversample waits until its output is
safe there, and the others do not. The plain script takes 2.5 GB of memory.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Others = Callable[["Document", Path, Path], dict[str, "Program"]]

OVERSAMPLE = Path(__file__).resolve().parents[1] / "oversample.py"
SHARED_MEMORY = "/dev/shm"
ROOM = 1_300_000_000

# Per cent of the pairs that have weight 1, 2, 3, 4 and 5.
SPREAD = 10, 20, 30, 30, 10
FIVES = 0, 0, 0, 0, 100
WORDS = "the letter *came* late — “you’re kind”, she **wrote**, and nothing else; don’t ask: `why`"

PLAIN_SCRIPT = r"""
import random, re, sys

PAIR = re.compile(r"^QUESTION:.*?^OVERSAMPLE_WEIGHT: *([1-5])\s*<END_OF_SET>", re.M | re.S)
with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
copies = []
for pair in PAIR.finditer(text):
    copies += [pair[0]] * 2 ** int(pair[1])
random.shuffle(copies)
with open(sys.argv[2], "w", encoding="utf-8") as file:
    file.write("\n\n".join(copies) + "\n")
"""

PIPELINE = r"""
export LC_ALL=C
gawk 'BEGIN { RS = "<END_OF_SET>\n+"; ORS = "<END_OF_SET>\n\n\0" }
    { for (n = 2 ^ $NF; n; n--) print }' "$1" | shuf -z | tr -d '\0' > "$2"
"""


class Document(NamedTuple):
    """A document, and what base 2 makes of it."""

    title: str
    path: Path
    size: int
    copies: int
    output_size: int


class Program(NamedTuple):
    """A command, and the file that it writes, if any."""

    command: list[str]
    output: Path | None = None
    size: int = 0


class Cost(NamedTuple):
    """Wall clock, and bytes of memory at the peak: of the largest process in a pipeline.

    A peak counts from the size of this program on, which is all that cp shows.
    """

    seconds: float
    peak: float


# Documents --------------------------------------------------------------------------------


def make_document(
    title: str, path: Path, pairs: int, pair_size: int, spread: tuple[int, ...] = SPREAD
) -> Document:
    """Write so many pairs of about so many bytes, the same every time."""
    tell(f"{title}: making the document")
    draw = random.Random(1)
    text = some_text(draw)
    length = max(0, pair_size - len(make_pair(pairs, "", 1)))
    length = length * len(text) // len(text.encode())  # in characters
    size = copies = output_size = 0
    with open(path, "wb") as file:  # pair by pair: see run
        for number in range(pairs):
            start, weight = draw.randrange(len(text) - length), draw.choices(range(1, 6), spread)[0]
            pair = make_pair(number, text[start : start + length], weight)
            size += file.write(pair + b"\n\n"[number == pairs - 1 :])
            copies += 2**weight
            output_size += 2**weight * len(pair + b"\n\n")
    return Document(title, path, size, copies, output_size - 1)


def make_pair(number: int, text: str, weight: int) -> bytes:
    question, answer = text[: len(text) // 4], text[len(text) // 4 :]
    pair = f"QUESTION: {number}? {question}\n\nANSWER: Yes. {answer}\n\n"
    return f"{pair}OVERSAMPLE_WEIGHT: {weight}\n<END_OF_SET>".encode()


def some_text(draw: random.Random) -> str:
    """Paragraphs of lines of some 30 to 100 bytes."""
    lines = (" ".join(draw.choices(WORDS.split(), k=draw.randint(6, 13))) for _ in range(2000))
    return "".join(line + draw.choice(("\n", "\n\n")) for line in lines)


# Programs ---------------------------------------------------------------------------------


def python(*arguments: object) -> list[str]:
    return [sys.executable, *map(str, arguments)]


def writer(document: Document, output: Path) -> Program:
    command = python(OVERSAMPLE, "--base", 2, document.path, output)
    return Program(command, output, document.output_size)


def rivals(document: Document, made: Path, output: Path) -> dict[str, Program]:
    """What else makes the output, and cp, which has it made already."""
    ends = str(document.path), str(output)
    commands = {"cp": ["cp", str(made), str(output)]}
    if shutil.which("gawk") and shutil.which("shuf"):
        commands["gawk, shuf"] = ["sh", "-c", PIPELINE, "sh", *ends]
    commands["plain script"] = python("-c", PLAIN_SCRIPT, *ends)
    return {name: Program(each, output, document.output_size) for name, each in commands.items()}


def modes(document: Document, made: Path, _output: Path) -> dict[str, Program]:
    """What else oversample does, and the start of the interpreter alone."""
    check = python(OVERSAMPLE, "--check", "--base", 2, document.path, made)
    commands = {"start": python("-c", "pass"), "--check": check}
    commands["--help"] = python(OVERSAMPLE, "--help")
    return {name: Program(command) for name, command in commands.items()}


def run(name: str, program: Program) -> Cost:
    # The peak of a child is at least the size of its parent, so this one stays small.
    if program.output:  # no program is to write into pages that are there already
        program.output.unlink(missing_ok=True)
    null, pipe = subprocess.DEVNULL, subprocess.PIPE
    begun = time.perf_counter()
    process = subprocess.Popen(
        program.command, stdin=null, stdout=null, stderr=pipe, start_new_session=True
    )
    try:
        words = process.stderr.read().decode() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # all of a pipeline
        process.wait()
        raise
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    # One byte more: the pipeline has a blank line after the last copy, too.
    wrong = program.output and program.output.stat().st_size - program.size not in (0, 1)
    if process.returncode or wrong:
        what = f"exit status {process.returncode}" if process.returncode else "output of wrong size"
        raise SystemExit(f"{name}: {what}\n{words}")
    return Cost(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def compare(title: str, programs: dict[str, Program], runs: int) -> dict[str, Cost]:
    """The median cost of each. They take turns, so that a slow minute is slow for all."""
    costs: dict[str, list[Cost]] = {name: [] for name in programs}
    for number in range(runs + 1):
        tell(f"{title}: {f'run {number} of {runs}' if number else 'warm-up'}")
        for name, program in programs.items():
            costs[name].append(run(name, program))
    return {name: Cost(*map(median, zip(*each[1:]))) for name, each in costs.items()}


# Workloads and their tables ---------------------------------------------------------------


def workload(folder: Path, pairs: int, pair_size: int, runs: int, others: Others) -> list[str]:
    """Time oversample and others on a document; return the row for the table of memory."""
    title = f"{pairs:,} pairs of {pair_size:,} bytes"
    document = make_document(title, folder / "in.md", pairs, pair_size)
    made, output = folder / "made.md", folder / "out.md"
    run("oversample", writer(document, made))
    programs = {**others(document, made, output), "oversample": writer(document, output)}
    costs = compare(title, programs, runs)
    first, ours = next(iter(costs)), costs["oversample"]
    rows = []
    for name, (seconds, peak) in costs.items():
        ratios = seconds / costs[first].seconds, ours.seconds / seconds
        rows.append([name, f"{seconds:.4f}", *map("{:.2f}".format, ratios), megabytes(peak)])
    table = f"{title}, {document.copies:,} copies, {megabytes(document.output_size)} MB"
    print_table(table, ["program", "s", f"to {first}", "oversample to it", "peak MB"], rows)
    return memory_row(document, ours)


def growth(folder: Path, sizes: list[int], runs: int) -> list[list[str]]:
    """The shortest of pairs, of weight 5, so that it is the copies that count."""
    documents = [
        make_document(f"{size} million copies", folder / f"{size}.md", size * 31250, 0, FIVES)
        for size in sizes
    ]
    output = folder / "out.md"
    costs = compare("growth", {each.title: writer(each, output) for each in documents}, runs)
    seconds = [cost.seconds for cost in costs.values()]
    ratios = ["", *(f"{after / before:.2f}" for before, after in zip(seconds, seconds[1:]))]
    rows = [list(row) for row in zip(costs, map("{:.2f}".format, seconds), ratios)]
    print_table("growth", ["copies", "s", "to the one before"], rows)
    return list(map(memory_row, documents, costs.values()))


def memory_row(document: Document, cost: Cost) -> list[str]:
    terms = 2 * document.size + 10 * document.copies + 25e6
    return [document.title, *map(megabytes, (document.size, cost.peak, terms))]


def megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f}"


def print_table(title: str, header: list[str], rows: list[list[str]]) -> None:
    """In the markdown of GitHub, names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    print(f"\n{title}\n")
    for name, *figures in header, rule, *rows:
        print("|", " | ".join([name.ljust(widths[0]), *map(str.rjust, figures, widths[1:])]), "|")
    sys.stdout.flush()


# The command ------------------------------------------------------------------------------


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def headline(folder: str, runs: int) -> str:
    python_version = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{platform.system()} {platform.release()}, {os.cpu_count()} x {processor()}"
    return f"{time.strftime('%Y-%m-%d')}, {python_version}, {machine}, in {folder}, {runs} runs"


def processor() -> str:
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def main() -> int:
    in_memory = os.access(SHARED_MEMORY, os.W_OK)
    folder = SHARED_MEMORY if in_memory else tempfile.gettempdir()
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", default=folder, help="where to write; %(default)s if not given")
    parser.add_argument("--runs", type=int, default=5, help="of each program; %(default)s")
    parser.add_argument("--quick", action="store_true", help="2 runs, growth to 4 million copies")
    options = parser.parse_args()
    runs, sizes = (2, [1, 2, 4]) if options.quick else (max(1, options.runs), [1, 2, 4, 8, 16])
    free = shutil.disk_usage(options.folder).free
    if free < ROOM:
        figures = f"{megabytes(ROOM)} MB are needed, {megabytes(free)} are free"
        parser.error(f"{options.folder}: {figures}; choose another --folder")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both stop it, and clean up
    print(headline(options.folder, runs))
    try:
        with tempfile.TemporaryDirectory(prefix="oversample-", dir=options.folder) as name:
            memory = [
                workload(Path(name), 20_000, 2500, runs, rivals),
                workload(Path(name), 200_000, 100, runs, rivals),
                workload(Path(name), 82, 2800, 5 * runs, modes),
                *growth(Path(name), sizes, max(1, runs // 2)),
            ]
    except KeyboardInterrupt:
        return 130
    header = ["oversample", "input MB", "peak MB", "2 x input + 10 bytes a copy + 25 MB"]
    print_table("memory", header, memory)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
