#!/usr/bin/env python3
"""Time oversample beside cp, gawk and shuf, and a plain script; print tables of medians.

    .ci/benchmark.py [--before OTHER/oversample.py] [--folder DIR] [--runs N] > figures.md

It makes its own documents, runs the programs in turn, and judges nothing. It needs a POSIX
system and 1.3 GB of room, best in memory: on a disk oversample waits until its output is
safe there, and the others do not. The plain script takes 2.5 GB of memory. With --before,
another edition of the module is measured, too, and its parse beside this one's.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OVERSAMPLE = Path(__file__).resolve().parents[1] / "oversample.py"
WORDS = "the letter *came* late — “you’re kind”, she **wrote**, and nothing else; don’t ask: `why`"
SPREAD = 10, 20, 30, 30, 10  # per cent of the pairs that have weight 1, 2, 3, 4 and 5
PLAIN_SCRIPT = r"""
import random, re, sys
PAIR = re.compile(r"^QUESTION:.*?^OVERSAMPLE_WEIGHT: *([1-5])\s*<END_OF_SET>", re.M | re.S)
text, copies = open(sys.argv[1], encoding="utf-8").read(), []
for pair in PAIR.finditer(text):
    copies += [pair[0]] * 2 ** int(pair[1])
random.shuffle(copies)
open(sys.argv[2], "w", encoding="utf-8").write("\n\n".join(copies) + "\n")
"""
PIPELINE = r"""
export LC_ALL=C
gawk 'BEGIN { RS = "<END_OF_SET>\n+"; ORS = "<END_OF_SET>\n\n\0" }
    { for (n = 2 ^ $NF; n; n--) print }' "$1" | shuf -z | tr -d '\0' > "$2"
"""
PARSE = r"""
import contextlib, os, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[1])))
from oversample import DocumentError, parse
content = open(sys.argv[2], "rb").read()
begun = time.process_time()
with contextlib.suppress(DocumentError):
    parse(content)
print(time.process_time() - begun)
"""
# What a document may be made of to make reading slow, 5 MB of each.
HOSTILE = [
    b"QUESTION: a\n", b"ANSWER: a\n", b"OVERSAMPLE_WEIGHT: ", b"<END_OF_SET>", b"<!--", b"<!-- -->",
    b"\n", b" ", b"x\n", b"x<!-- -->\n", b"QUESTION: a\nAnswer: b\n", b"Question: a\nAnswer: b\n",
    b"QUESTION:\n", b"QUESTION: a\nANSWER: b\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>\n", b"over <!---->\n",
]  # fmt: skip


def make_document(path: Path, pairs: int, size: int) -> None:
    """Write so many pairs of about so many bytes, the same every time."""
    draw = random.Random(1)
    lines = (
        " ".join(draw.choices(WORDS.split(), k=draw.randint(6, 13)))
        for _ in range(2000)
    )
    text = "".join(line + draw.choice(("\n", "\n\n")) for line in lines)
    length = max(0, size - 80) * len(text) // len(text.encode())
    with open(path, "wb") as file:  # pair by pair, so that this program stays small
        for number in range(pairs):
            start, weight = (
                draw.randrange(len(text) - length),
                draw.choices(range(1, 6), SPREAD)[0],
            )
            question, answer = (
                text[start:][: length // 4],
                text[start + length // 4 :][: length * 3 // 4],
            )
            pair = f"QUESTION: {number}? {question}\n\nANSWER: Yes. {answer}\n\n"
            pair += f"OVERSAMPLE_WEIGHT: {weight}\n<END_OF_SET>\n\n"
            file.write(pair.encode())


def run(command: list[str], output: Path) -> tuple[float, float]:
    """Wall clock seconds, and MB at the peak of the largest process, of one run."""
    output.unlink(
        missing_ok=True
    )  # no program is to write into pages that are there already
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    words = process.stderr.read().decode() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(
            f"{' '.join(command)[:200]}: exit status {process.returncode}\n{words}"
        )
    return seconds, usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def table(title: str, programs: dict[str, list[str]], output: Path, runs: int) -> None:
    """Run the programs in turn; print the medians, and each as a ratio to the first."""
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(runs + 1):
        for name, command in programs.items():
            costs[name].append(run(command, output))
    first = next(iter(programs))
    print(f"\n| {title} | s | to {first} | peak MB |\n| --- | ---: | ---: | ---: |")
    base = statistics.median(seconds for seconds, _ in costs[first][1:])
    for name, all_runs in costs.items():
        seconds, peak = map(statistics.median, zip(*all_runs[1:]))
        print(
            f"| {name} | {seconds:.4f} | {seconds / base:.2f} | {peak:,.0f} |",
            flush=True,
        )


def python(*arguments: object) -> list[str]:
    return [sys.executable, *map(str, arguments)]


def parse_ratios(editions: dict[str, Path], documents: list[Path], runs: int) -> None:
    """The processor time of each edition's parse, and its ratio to the first."""
    print(
        f"\n| parse | {' | '.join(editions)} | ratio |\n| --- |{' ---: |' * (len(editions) + 1)}"
    )
    for path in documents:
        times: dict[str, list[float]] = {name: [] for name in editions}
        for _ in range(runs):
            for name, module in editions.items():
                done = subprocess.run(
                    python("-c", PARSE, module, path), capture_output=True, check=True
                )
                times[name].append(float(done.stdout))
        medians = [statistics.median(each) for each in times.values()]
        figures = " | ".join(f"{each:.3f}" for each in medians)
        print(
            f"| {path.name} | {figures} | {medians[-1] / medians[0]:.2f} |", flush=True
        )


def main() -> None:
    in_memory = os.access("/dev/shm", os.W_OK)
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--before", type=Path, help="the oversample.py of another edition"
    )
    parser.add_argument(
        "--folder", default="/dev/shm" if in_memory else tempfile.gettempdir()
    )
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    editions = {
        **({"before": options.before} if options.before else {}),
        "oversample": OVERSAMPLE,
    }
    print(f"{time.strftime('%Y-%m-%d')}, {platform.python_implementation()} ", end="")
    print(
        f"{platform.python_version()}, {platform.system()}, {os.cpu_count()} processors"
    )
    with tempfile.TemporaryDirectory(prefix="oversample-", dir=options.folder) as name:
        folder = Path(name)
        made, output, documents = folder / "made.md", folder / "out.md", []
        for pairs, size in (20_000, 2500), (200_000, 100), (82, 2800):
            documents.append(folder / f"{pairs:,} pairs of {size:,} bytes.md")
            make_document(documents[-1], pairs, size)
        documents += [
            folder / "30,000 short.md",
            folder / "30,000 short and one of 200 KB.md",
        ]
        make_document(documents[3], 30_000, 0)
        long = f"QUESTION: long?\n\nANSWER: {'x' * 200_000}\n\nOVERSAMPLE_WEIGHT: 5\n<END_OF_SET>\n"
        documents[4].write_bytes(documents[3].read_bytes() + long.encode())
        for path in documents:
            modes: dict[str, list[str]] = {"python alone": python("-c", "pass")}
            run(python(OVERSAMPLE, "--base", 2, path, made), made)
            if path in documents[:2]:
                modes = {"cp": ["cp", str(made), str(output)]}
                if shutil.which("gawk") and shutil.which("shuf"):
                    modes["gawk, shuf"] = [
                        "sh",
                        "-c",
                        PIPELINE,
                        "sh",
                        str(path),
                        str(output),
                    ]
                modes["plain script"] = python("-c", PLAIN_SCRIPT, path, output)
            for edition, module in editions.items():
                modes[edition] = python(module, "--base", 2, path, output)
            if path == documents[2]:
                modes["--check"] = python(
                    OVERSAMPLE, "--check", "--base", 2, path, made
                )
            table(
                path.stem,
                modes,
                output,
                options.runs * (5 if path == documents[2] else 1),
            )
        made.unlink()
        for number, piece in enumerate(HOSTILE):
            documents.append(
                folder / f"hostile {number}: {piece.decode()[:30]!r}".replace("/", ":")
            )
            documents[-1].write_bytes(piece * (5_000_000 // len(piece)))
        parse_ratios(editions, documents[:2] + documents[5:], options.runs)


if __name__ == "__main__":
    main()
