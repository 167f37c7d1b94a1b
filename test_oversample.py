"""What oversample promises, as tests. The name of each test begins with the clause it holds.

    python -m unittest

needs nothing but Python. Documents and transcripts, the cases that can be shown as a person
sees them, are in sources/cases; the rest is here. Properties are tested on generated
documents, against a second reading of the format that shares no code with the first.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import hashlib
import heapq
import importlib.util
import inspect
import io
import itertools
import json
import os
import pathlib
import pickle
import random
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import typing
import unittest
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple
from unittest import mock

import oversample
from oversample import (
    Difference,
    Document,
    DocumentError,
    QAPair,
    check,
    copies,
    parse,
    resample,
)

HERE = pathlib.Path(oversample.__file__).resolve().parent
SCRIPT = HERE / "oversample.py"
README = HERE / "README.md"
CASES = HERE / "sources" / "cases"
SAMPLE = HERE / "sources" / "v2" / "v_2_1" / "tier_s_examples_master_document.md"

# What a platform lacks, as a decorator of the tests that need it --------------------------------

POSIX = os.name == "posix"
PYPY = sys.implementation.name == "pypy"
WASM = sys.platform in ("emscripten", "wasi")
IS_ROOT = POSIX and hasattr(os, "geteuid") and os.geteuid() == 0

posix_only = unittest.skipUnless(
    POSIX, "Windows has no such names, modes and descriptors"
)
linux_only = unittest.skipUnless(sys.platform == "linux", "only Linux has this")
windows_only = unittest.skipUnless(os.name == "nt", "only Windows has this")
root_only = unittest.skipUnless(IS_ROOT, "only root may give files away")
needs_processes = unittest.skipIf(
    WASM, "WebAssembly has no processes, threads and signals"
)


def needs(*names: str) -> Callable:
    """Skip a test where the platform lacks one of these functions of os."""
    lacking = [name for name in names if not hasattr(os, name)]
    return unittest.skipIf(
        lacking, f"this platform lacks os.{' and os.'.join(lacking)}"
    )


# Documents ----------------------------------------------------------------------------------


def listed(text: str) -> list[str]:
    """Return the words of a text, for tables of short words."""
    return text.split()


def pair(name: str = "a", weight: int = 1) -> bytes:
    """Return a pair of six lines, without a line end behind it."""
    lines = [
        f"QUESTION: {name}?",
        "",
        f"ANSWER: {name}!",
        "",
        f"OVERSAMPLE_WEIGHT: {weight}",
        "<END_OF_SET>",
    ]
    return "\n".join(lines).encode()


def document(*weights: int) -> bytes:
    """Return pairs a, b, c ... of these weights, a blank line between them: seven lines each."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = itertools.chain(letters, map(str, itertools.count()))
    pairs = [pair(name, weight) for name, weight in zip(names, weights)]
    return b"\n\n".join(pairs) + b"\n"


def problems(content: bytes) -> list[tuple[int, str]]:
    """Return the errors of a document, none if it is sound."""
    try:
        parse(content)
    except DocumentError as error:
        return list(error.problems)
    return []


ABC = document(1, 2, 3)


def ordered(order: str, gap: bytes = b"\n\n") -> bytes:
    """Return the output of ABC with its copies in this order."""
    weights = {"a": 1, "b": 2, "c": 3}
    copies_in_order = [pair(name, weights[name]) for name in order]
    return gap.join(copies_in_order) + b"\n"


ORDER_OF_SEED_1 = "cccbcacbcbbcca"
GOOD = ordered(ORDER_OF_SEED_1)  # the output of ABC at base 2 and seed 1
RUN = ("--base", "2", "--seed", "1", "in.md", "out.md")
QUIET = (*RUN, "-q")

# Words that several tests expect.
EXISTS = (
    "exists already; choose another name, "
    "or replace it with --force (from Python, overwrite=True)"
)
WEIGHT_EDITED = "the weight was edited, or only one of the two had --strip-weights"
WAYS_OUT = "use a smaller base or a cap (--max-copies)"


def errors_in(name: str, count: str = "1") -> str:
    """Return the line behind the errors of a document."""
    plural = "" if count == "1" else "s"
    return f"oversample: error: {count} error{plural} in {name}; nothing was written\n"


# Tests with a folder of their own -------------------------------------------------------------


class Case(unittest.TestCase):
    """A test that stands in a folder of its own."""

    maxDiff = None

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        self.folder = pathlib.Path(folder.name)

    def write(self, content: bytes, name: str = "in.md") -> pathlib.Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def read(self, name: str = "out.md") -> bytes | None:
        """Return what a file holds, None if there is none."""
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def names(self) -> list[str]:
        return sorted(os.listdir(self.folder))

    def main(self, *arguments: str, encoding: str = "utf-8") -> tuple[int, str]:
        """Run the command; return its exit status and what it said on standard error.

        It may print nothing on standard output.
        """
        said = io.BytesIO()
        err = io.TextIOWrapper(
            said, encoding, "backslashreplace", "\n", write_through=True
        )
        with (
            contextlib.redirect_stdout(io.StringIO()) as out,
            contextlib.redirect_stderr(err),
        ):
            status = oversample.main(arguments)
        self.assertEqual(out.getvalue(), "")
        return status, said.getvalue().decode(encoding)

    def assert_silent(self, *arguments: str) -> None:
        """The command does what it is told to, and says nothing."""
        self.assertEqual(self.main(*arguments), (0, ""))

    def assert_fails(self, message: str, *arguments: str) -> None:
        """The command ends with this one line."""
        self.assertEqual(self.main(*arguments), (1, f"oversample: error: {message}\n"))


class Scene(Case):
    """A folder with a document of three pairs, in.md."""

    def setUp(self) -> None:
        super().setUp()
        self.write(ABC)

    def old_output(self, content: bytes = b"old", mode: int | None = None) -> None:
        """Let there be an older out.md."""
        path = self.write(content, "out.md")
        if mode is not None:
            path.chmod(mode)

    def make(self, name: str = "out.md", **options) -> None:
        """Write the output from Python."""
        oversample.oversample("in.md", name, base=2, seed=1, **options)

    def state(self) -> dict[str, tuple]:
        """Return all that the folder holds, with kinds, modes, times and contents."""
        found = {}
        for path in self.folder.rglob("*"):
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path)] = (
                status.st_mode,
                status.st_ino,
                status.st_mtime_ns,
                content,
            )
        return found


# The command as a process ---------------------------------------------------------------------

SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")
    if hasattr(signal, name)
]


def start(
    *arguments: str,
    program=(str(SCRIPT),),
    handler=signal.SIG_DFL,
    variables=(),
    **options,
) -> subprocess.Popen:
    """Start the command, or another program, as a person does."""

    def setup() -> None:
        # Jobs that a script has in the background ignore signals that a terminal's do not.
        for number in SIGNALS:
            signal.signal(number, handler)

    environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONIOENCODING": "utf-8"}
    for name in "FORCE_COLOR", "NO_COLOR", "PYTHON_COLORS":
        environment.pop(name, None)
    # It hides what is left in a buffer at the end.
    environment.pop("PYTHONUNBUFFERED", None)
    environment.update(variables)
    if POSIX:
        options["preexec_fn"] = setup
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=environment,
        **options,
    )


def finish(process: subprocess.Popen) -> tuple[int, bytes, str]:
    """Wait for it; return the exit status, standard output, and the text on standard error."""
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, err.decode().replace(os.linesep, "\n")


# Standing in for the system -------------------------------------------------------------------


def failing(name: str, number: int):
    """Let a function of os fail with this error."""
    error = OSError(number, os.strerror(number))
    return mock.patch(f"os.{name}", side_effect=error, create=True)


@contextlib.contextmanager
def lacking(*names: str) -> Iterator[None]:
    """Take functions of os away, as on a platform that has none of them."""
    with contextlib.ExitStack() as stack:
        for name in names:
            if hasattr(os, name):
                stack.enter_context(mock.patch(f"os.{name}"))
                delattr(os, name)
        yield


@contextlib.contextmanager
def standing_in(number: int, file: int | str) -> Iterator[None]:
    """Let a standard stream, by its number, be another file."""
    saved = os.dup(number)
    with open(file, "r+b", 0, closefd=isinstance(file, str)) as other:
        os.dup2(other.fileno(), number)
    try:
        yield
    finally:
        os.dup2(saved, number)
        os.close(saved)


@contextlib.contextmanager
def handlers(handler, *numbers: int) -> Iterator[None]:
    """Let these signals, or all that stop a program, have this handler."""
    with contextlib.ExitStack() as stack:
        for number in numbers or SIGNALS:
            before = signal.signal(number, handler)
            stack.callback(signal.signal, number, before)
        yield


@contextlib.contextmanager
def default_handlers() -> Iterator[None]:
    """Let all signals that stop a program have the handlers that Python begins with."""
    with handlers(signal.SIG_DFL), handlers(signal.default_int_handler, signal.SIGINT):
        yield


def current_handlers() -> list:
    return [signal.getsignal(number) for number in SIGNALS]


@contextlib.contextmanager
def fed(*pieces: bytes, blocking: bool = True, last=lambda: None) -> Iterator[None]:
    """Let standard input be a pipe that another thread feeds as fast as it is read."""
    import select

    reading, writing = os.pipe()
    os.set_blocking(reading, blocking)

    def feed() -> None:
        time.sleep(0.003)
        for piece in pieces:
            os.write(writing, piece)
            while select.select([reading], [], [], 0)[0]:
                time.sleep(0.001)
            # There is nothing now: a program that gives up does it here.
            time.sleep(0.003)
        last()
        os.close(writing)

    thread = threading.Thread(target=feed)
    with standing_in(0, reading):
        thread.start()
        try:
            yield
        finally:
            os.close(reading)
            thread.join()


# What a call costs ----------------------------------------------------------------------------


def peak_memory(call: Callable[[], object]) -> int:
    """Return how many bytes of memory a call takes at most."""
    try:
        import tracemalloc
    except ImportError:
        raise unittest.SkipTest("PyPy does not trace memory") from None
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def seconds(call: Callable[[], object]) -> float:
    """Return how much time of the processor a call takes."""
    begun = time.process_time()
    call()
    return time.process_time() - begun


# 1. The document ------------------------------------------------------------------------------

# A section, a line for each marker.
SECTION = ["QUESTION: a", "ANSWER: b", "OVERSAMPLE_WEIGHT: 3", "<END_OF_SET>"]
SIX_LINES = pair("p").decode()
SIX_OTHERS = pair("q").decode()


def quoted(values: list) -> list[tuple[object, str]]:
    """Return each value and how an error quotes it."""
    return [(value, f"'{value}'") for value in values]


# What may stand in the place of a weight and is none, and how the error quotes it.
NO_WEIGHTS = [
    ("", "nothing"),
    ("\n3", "nothing"),
    (" x ", "'x'"),
    (" \t 8 \t", "'8'"),
    ("\f3", "'3'"),
    ("\v3", "'3'"),
    ("\r3", "'3'"),
    ("3\u00a0", "'3\\xa0'"),
    ("3\x00", "'3\\x00'"),
]
NO_WEIGHTS += quoted(listed("0 6 9 33 03 3.5 +3 -1 three \u0663 \uff13 1_0 3: '3'"))

# Lines that are near markers (1.9), a kind at a time. They are quoted whole.
NEAR = {
    "QUESTION:": """\
Question: n
question
QUESTION
QUESTIONS: n
Questions
**QUESTION:** n
**Question**: n
## QUESTION: n
## Question 12
1. Question: n
  QUESTION: n
QUESTION : n
QUESTION\uff1a n
\u201cQuestion\u201d: n
[Question 7]: n""",
    "ANSWER:": """\
Answer: n
answer
ANSWER
ANSWERS: n
- Answers :
**ANSWER:** n
### Answer
 ANSWER: n
_ANSWER:_ n
Answer\uff1a n
Answer 3: n""",
    "OVERSAMPLE_WEIGHT:": """\
OVERSAMPLE WEIGHT: 3
OVERSAMPLE_WEIGHT 3
OVERSAMPLE\\_WEIGHT: 3
Oversample-Weight: 3
**OVERSAMPLE_WEIGHT: 3**
OVERSAMPLEWEIGHT
 OVERSAMPLE_WEIGHT: 3
OVERSAMPLE_WEIGHT\uff1a3
OVERSAMPLE WEIGHT of 3
OVERSAMPLE_WEIGHTS: 3""",
    "<END_OF_SET>": """\
<END OF SET>
<end_of_set>
END_OF_SET
End of set
<END_OF_SET
</END_OF_SET>
\\<END\\_OF\\_SET\\>
**<END OF SET>**
< END_OF_SET >
<END OF SET>: done""",
}
# A marker that is not first on its line: it is quoted from there.
IN_MID_LINE = {
    "QUESTION:": ("so QUESTION: n", "QUESTION: n"),
    "ANSWER:": ("x: y: ANSWER: n", "ANSWER: n"),
    "OVERSAMPLE_WEIGHT:": ("w OVERSAMPLE_WEIGHT: 3", "OVERSAMPLE_WEIGHT: 3"),
}
# Slips of the keyboard: where a marker is missing, they are quoted in its place.
SLIPPED = {
    "QUESTION:": [
        "QUESTON: n",
        "Qeustion: n",
        "QUESTIOM",
        "UESTION: n",
        "**QUESSTION:** n",
    ],
    "ANSWER:": ["ANWSER: n", "Answr: n", "NSWER", "**ANSWERR:** n", "ANSWER n"],
    "OVERSAMPLE_WEIGHT:": [
        "OVERSAMPLE_WIEGHT: 3",
        "Ovresample weight 3",
        "OVERSAMPLE WEIGH: 3",
    ],
    "<END_OF_SET>": ["<END_OF_STE>", "<END_OF_SETS>", "<EDN_OF_SET>"],
}
NO_MARKERS = """\
I asked: what now?
Answering you: no
The answer: no
A question of money
call the QUESTION desk
QUEXXION: no
ANSWXXR: no
NSWE: no
Weigh it: 3
WEIGHT: 3
OVERSAMPLE: 3
END OF: no
> QUESTION: a
  > **Answer:** b
>Oversample weight: 3
> see ANSWER: b""".splitlines()


class Near(NamedTuple):
    """A line that was meant as a marker, and how an error quotes it."""

    marker: str
    line: str
    quoted: str


def near_markers_of(marker: str) -> list[Near]:
    found = [Near(marker, line, line) for line in NEAR[marker].splitlines()]
    if marker in IN_MID_LINE:
        found.append(Near(marker, *IN_MID_LINE[marker]))
    return found


ALL_NEAR = [near for marker in NEAR for near in near_markers_of(marker)]

TWO = "type it exactly so, with two hyphens"
# What was meant to begin a comment, and what was meant to end one (1.6b).
BEGINNINGS = listed(
    "<! <!- <!\u2014 <!DOCTYPE \u2039! \u2039!-- &lt;! &lt;!-- \\<! \\<!\u2014"
)
ENDINGS = listed("--> \u2014> \u2013> --&gt; \u2014&gt; \u2013&gt;")

# Not plain text: its name, and how it may begin. Without a name: nearly so, and plain text.
UNICODES = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
FORMATS = {
    "UTF-16 or UTF-32": [
        *(SIX_LINES.encode(code) for code in UNICODES),
        *(("\ufeff\u201c" + SIX_LINES).encode(code) for code in UNICODES),
        b"Q\0",
        b"abc\0" + pair(),
        b"\xef\xbb\xbf\0" + pair(),
        b"\0\0\xfe\xff",
        b"\xff\xfe",
        b"\xfe\xff",
    ],
    "a Word document or another zip": [
        b"PK\3\4\x14\0\6\0",
        b"PK\5\6" + bytes(18),
        b"PK\3\4" + pair(),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\xd0\xcf\x11\xe0\n" + pair(),
    ],
    "RTF": [b"{\\rtf1\\ansi\n" + pair() + b"}"],
    "PDF": [b"%PDF-1.7\n" + pair()],
    "a carriage return alone at the end of each line": [
        pair().replace(b"\n", b"\r"),
        pair().replace(b"\n", b"\r") + b"\r",
        pair().replace(b"\n", b"\r") + b"\n",
        b"a\rbc",
        b"\r\rab\n",
        b"\xef\xbb\xbf\rab",
    ],
    "": [
        b"abcd\0\n" + pair(),
        b"PK\3\n" + pair(),
        b"\xd0\xcf\x11\n" + pair(),
        b" %PDF\n" + pair(),
        b"{\\rt\n" + pair(),
        b"\xfe \xff\n" + pair(),
        b"a\rbc\n" + pair(),
        pair("a\rb"),
    ],
}


def warnings_of(content: bytes) -> list[tuple[int, str]]:
    return list(parse(content).warnings)


def first_reading(content: bytes) -> Reading:
    """Return what parse() reads, as the second reading gives it."""
    try:
        parsed = parse(content)
    except DocumentError as error:
        return Reading([line for line, _ in error.problems])
    warnings = [line for line, _ in parsed.warnings]
    return Reading([], list(parsed.pairs), parsed.separator, warnings)


class Grammar(unittest.TestCase):
    """1. What is a document, what is not."""

    maxDiff = None

    def assert_errors(self, text: str, expected: list) -> None:
        """The document has these errors, with either line end."""
        for end in "\n", "\r\n":
            content = text.replace("\n", end).encode()
            with self.subTest(content=content):
                self.assertEqual(problems(content), expected)

    def test_1_every_byte_passes_through_as_it_is(self) -> None:
        for odd in (
            bytes(range(9)) + bytes(range(14, 256)),
            "\u201ccurly\u201d \u2014 \xe9 \U0001f642 \u202e".encode(),
            "\xe9".encode("latin-1"),
            b"\xff\xfe\x00 lone \xc3",
            b"line\r\nline\r\n  trailing  \r\n\ttab\t",
            b"\x1b[31m \x00",
        ):
            span = pair("X").replace(b"X?", odd).replace(b"X!", b"also " + odd)
            parsed = parse(b"\n" + span + b" \n")
            with self.subTest(odd=odd):
                self.assertEqual(parsed.pairs, (QAPair(span, 1, 2),))
                self.assertEqual(parsed.warnings, ())

    def test_1_spans_and_the_text_between_them_in_order_are_the_document(self) -> None:
        generated = documents(seed=1, count=800)
        sound = [content for content in generated if not problems(content)]
        self.assertGreater(len(sound), 200)
        for content in [SAMPLE.read_bytes(), *sound]:
            rest = content
            outside = []
            for each in parse(content).pairs:
                before, span, rest = rest.partition(each.span)
                self.assertEqual(span, each.span)
                outside.append(before)
            outside = b".".join([*outside, rest])
            outside = re.sub(rb"(?s)<!--.*?-->", b".", outside)
            with self.subTest(content=content):
                self.assertNotRegex(
                    outside, rb"(?m)^(QUESTION|ANSWER|OVERSAMPLE_WEIGHT):"
                )
                self.assertNotIn(b"<END_OF_SET>", outside)

    def test_1_1_a_marker_stands_behind_a_line_feed_and_behind_no_other_byte(
        self,
    ) -> None:
        for byte in range(256):
            if byte == ord("\n"):
                continue
            before = bytes([byte])
            stray = b"text" + before + b"QUESTION: no\n"
            inside = pair().replace(b"a!", b"a!" + before + b"ANSWER: no")
            with self.subTest(byte=byte):
                self.assertEqual(parse(stray + inside).pairs, (QAPair(inside, 1, 2),))

    def test_1_2_the_end_is_a_marker_behind_every_byte(self) -> None:
        for byte in range(256):
            before = pair()[: -len("\n<END_OF_SET>")] + bytes([byte])
            content = before + b"<END_OF_SET>"
            with self.subTest(byte=byte):
                sound = bytes([byte]).isspace()
                self.assertEqual(not problems(content), sound)
            content = b"\nQUESTION: a" + bytes([byte]) + b"<END_OF_SET>"
            expected = "expected ANSWER: after QUESTION: (line 2), found <END_OF_SET>"
            line = 3 if byte == ord("\n") else 2
            self.assertEqual(problems(content), [(line, expected)])

    def test_1_3_a_pair_is_the_four_markers_once_each_in_that_order(self) -> None:
        for count in range(1, 6):
            for lines in itertools.product(SECTION, repeat=count):
                content = "\n".join(lines).encode()
                with self.subTest(lines=lines):
                    self.assertEqual(not problems(content), list(lines) == SECTION)

    def test_1_3_a_text_holds_something_other_than_ascii_white_space(self) -> None:
        for marker, following in zip(SECTION, SECTION[1:3]):
            name = marker.partition(" ")[0]
            expected = (
                f"expected text after {name}, found {following.partition(' ')[0]}"
            )
            line = 1 + SECTION.index(marker)
            for blank in "", " ", "\t", "\r", "\f", "\v", "\n\n", " \t\r\f\v\n":
                text = "\n".join(SECTION).replace(marker, name + blank)
                with self.subTest(text=text):
                    self.assertEqual(problems(text.encode()), [(line, expected)])
            for odd in "\u00a0", "\x00", "\x1c", "\x85", "\u2028", "\ufeff", ".":
                text = "\n".join(SECTION).replace(marker, name + odd)
                with self.subTest(text=text):
                    self.assertEqual(parse(text.encode()).pairs[0].span, text.encode())

    def test_1_4_a_weight_is_one_digit_from_1_to_5(self) -> None:
        head = "QUESTION: a\n\nANSWER: b\nOVERSAMPLE_WEIGHT:"
        forms = (
            "{}",
            " {}",
            "\t {}\t ",
            "{}\r",
            "{}\n\n",
            " {}\f\v",
            "{} \t\r\f\v\n\f\v\r\n ",
        )
        for weight, form in itertools.product(range(1, 6), forms):
            text = head + form.format(weight) + "<END_OF_SET>"
            span = text.encode()
            with self.subTest(text=text):
                self.assertEqual(parse(span).pairs, (QAPair(span, weight, 1),))
        for form, found in NO_WEIGHTS:
            message = (
                f"expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found {found}"
            )
            for end in "<END_OF_SET>", "\n<END_OF_SET>":
                self.assert_errors(head + form + end, [(4, message)])

    def test_1_6b_what_was_meant_to_begin_a_comment_is_an_error_outside_pairs(
        self,
    ) -> None:
        for before, half in itertools.product(("", "x ", "> "), BEGINNINGS):
            text = f"\n{before}{half} t \n{SIX_LINES}"
            message = f"expected <!-- to begin a comment, found '{half} t'; {TWO}"
            self.assert_errors(text, [(2, message)])
            inside = pair("a\n" + before + half + " t")
            self.assertEqual(parse(inside).pairs[0].span, inside)
            self.assertEqual(warnings_of(inside), [])
        message = f"expected <!-- to begin a comment, found '\\<!-- t -->'; {TWO}"
        self.assert_errors(f"x \\<!-- t -->\n{SIX_LINES}", [(1, message)])

    def test_1_6b_what_was_meant_to_end_a_comment_is_an_error_outside_pairs(
        self,
    ) -> None:
        for before, half in itertools.product(("", "x ", "> "), ENDINGS):
            message = f"expected <!-- before '{half}', found no open comment"
            for behind in "", " ", "\t \t", " <!-- c -->":
                text = f"{SIX_LINES}\n{before}{half}{behind}\n{SIX_OTHERS}"
                self.assert_errors(text, [(7, message)])
            for behind in ".", " t", " \u00a0":
                text = f"{SIX_LINES}\n{before}{half}{behind}\n{SIX_OTHERS}"
                self.assert_errors(text, [])
            inside = pair("a\n" + before + half)
            self.assertEqual(parse(inside).pairs[0].span, inside)
            self.assertEqual(warnings_of(inside), [])

    def test_1_6c_an_unfinished_merge_is_an_error_wherever_its_line_stands(
        self,
    ) -> None:
        message = "expected a finished merge, found '<<<<<<< HEAD'"
        in_a_pair = message + "; indent the line if it is text"
        for place in range(len(SECTION) + 1):
            lines = [*SECTION[:place], "<<<<<<< HEAD", *SECTION[place:]]
            is_inside = 0 < place < len(SECTION)
            expected = in_a_pair if is_inside else message
            self.assert_errors("\n".join(lines), [(place + 1, expected)])
        for line in " <<<<<<< a", "<<<<<<<a", "<<<<<< a", "<<<<<<<< a", "> <<<<<<< a":
            for place in 0, 1, 2, 4:
                lines = [*SECTION[:place], line, *SECTION[place:]]
                self.assert_errors("\n".join(lines), [])

    def test_1_9a_a_missing_marker_is_found_among_near_markers_and_slips(self) -> None:
        starts = [
            "expected QUESTION: first",
            "expected ANSWER: after QUESTION: (line 2)",
            "expected OVERSAMPLE_WEIGHT: after ANSWER: (line 3)",
            "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 4)",
        ]
        lines = [*ALL_NEAR]
        lines += [
            Near(marker, line, line) for marker in SLIPPED for line in SLIPPED[marker]
        ]
        lines += [Near("", line, line.lstrip()) for line in NO_MARKERS]
        for place, (missing, start) in enumerate(zip(NEAR, starts)):
            following = [*NEAR, "QUESTION:"][place + 1]
            for near in lines:
                section = [*SECTION, SIX_LINES]
                section[place] = near.line
                text = "\n" + "\n".join(section)
                if near.marker == missing:
                    expected = (place + 2, f"{start}, found '{near.quoted}'")
                elif missing == "<END_OF_SET>":
                    # Behind a weight every text is out of place.
                    expected = (place + 2, f"{start}, found '{near.line.lstrip()}'")
                else:
                    expected = (place + 3, f"{start}, found {following}")
                self.assert_errors(text, [expected])

    def test_1_9b_near_markers_of_two_kinds_outside_pairs_are_one_error(self) -> None:
        note = "; if it is a note, put it in <!-- -->"
        for one, other in itertools.product(NEAR, repeat=2):
            for first, second in zip(
                near_markers_of(one), reversed(near_markers_of(other))
            ):
                text = f"{SIX_LINES}\nx\n{first.line}\n> QUESTION:\n{second.line}\n{SIX_OTHERS}"
                if one != other:
                    expected = f"expected {one} first on its line"
                    message = f"{expected}, found '{first.quoted}'{note}"
                    self.assert_errors(text, [(8, message)])
                    continue
                message = f"{NOT_COPIED} and 3 more lines; line 8 looks like {one}"
                with self.subTest(text=text):
                    self.assertEqual(warnings_of(text.encode()), [(7, message)])

    def test_1_9c_a_pair_that_swallowed_a_question_and_more_is_an_error(self) -> None:
        advice = "too; begin the line with > if it is a quotation"
        for other in ["ANSWER:", "OVERSAMPLE_WEIGHT:", "<END_OF_SET>"]:
            questions = itertools.cycle(near_markers_of("QUESTION:"))
            for second, first in zip(near_markers_of(other), questions):
                expected = "expected one QUESTION: in a pair (line 1)"
                message = f"{expected}, found '{first.quoted}' {advice}"
                for place in 1, 2:
                    lines = [
                        *SECTION[:place],
                        first.line,
                        "so",
                        second.line,
                        *SECTION[place:],
                    ]
                    self.assert_errors("\n".join(lines), [(place + 1, message)])
                    lines = [
                        *SECTION[:place],
                        second.line,
                        "so",
                        first.line,
                        *SECTION[place:],
                    ]
                    self.assert_errors("\n".join(lines), [(place + 3, message)])
                    lines[place + 2] = "> " + first.line
                    self.assert_errors("\n".join(lines), [])
                # A letter with questions that are answered one by one is sound.
                lines = [SECTION[0], first.line, SECTION[1], second.line, *SECTION[2:]]
                self.assert_errors("\n".join(lines), [])

    def test_1_9_near_markers_are_seen_far_behind_the_last_marker(self) -> None:
        far = "x" * 65_000
        message = "expected ANSWER: after QUESTION: (line 1), found 'Answer: b'"
        lines = [SECTION[0], far, "Answer: b", "x" * 600_000, *SECTION[2:]]
        self.assert_errors("\n".join(lines), [(3, message)])
        expected = "expected QUESTION: first on its line, found 'Question: a'"
        message = f"{expected}; if it is a note, put it in <!-- -->"
        lines = [SIX_LINES, f"<!--{'x' * 99_000}-->", far, "Question: a", "Answer: b"]
        self.assert_errors("\n".join(lines), [(9, message)])
        message = f"expected ANSWER: after QUESTION: (line 1), found '{' ' * 47}...'"
        lines = [SECTION[0], f"{' ' * 72}Answer:{' ' * 99}b", *SECTION[2:]]
        self.assert_errors("\n".join(lines), [(2, message)])

    def test_1_9_long_texts_in_any_number_are_read_to_their_end(self) -> None:
        long = "x" * 70_000
        section = [SECTION[0], long, SECTION[2], SECTION[3]]
        text = "\n".join(section * 20)
        start = "expected ANSWER: after QUESTION: (line {}), found OVERSAMPLE_WEIGHT:"
        expected = [(line + 2, start.format(line)) for line in range(1, 80, 4)]
        self.assert_errors(text, expected)
        outside = f"{long}\n<!-- -->\n" * 3 + SIX_LINES
        lines = [line for line, _ in warnings_of(outside.encode())]
        self.assertEqual(lines, [1, 3, 5])

    def test_1_11_other_formats_are_one_error_that_says_what_to_do(self) -> None:
        advice = "save it as plain text, UTF-8 (in TextEdit, Format > Make Plain Text)"
        for name, contents in FORMATS.items():
            expected = (
                [(1, f"expected plain text, found {name}: {advice}")] if name else []
            )
            for content in contents:
                with self.subTest(name, content=content):
                    self.assertEqual(problems(content), expected)

    def test_1_11_white_space_of_every_kind_is_an_empty_document(self) -> None:
        message = "expected a pair, QUESTION: to <END_OF_SET>, found an empty document"
        for text in (
            "",
            "\n",
            "\r\r\r\r",
            " \r\n\n\t\f\v",
            "\ufeff",
            "\ufeff \r\n\n\t\f\v",
        ):
            self.assertEqual(problems(text.encode()), [(1, message)], text)

    def test_1_generated_documents_are_read_alike_by_a_second_method(self) -> None:
        count = int(os.environ.get("OVERSAMPLE_DOCUMENTS", "12000"))
        kinds = Counter()
        for content in documents(seed=4, count=count):
            found = first_reading(content)
            self.assertEqual(found, second_reading(content), content)
            kinds["pairs"] += bool(found.pairs)
            kinds["warnings"] += bool(found.warnings)
            kinds["errors"] += len(found.errors) > 1
        for kind in kinds:
            self.assertGreater(kinds[kind], count / 10, kinds)
        sample = SAMPLE.read_bytes()
        self.assertEqual(first_reading(sample), second_reading(sample))

    def test_1_all_small_documents_are_read_alike_by_a_second_method(self) -> None:
        length = int(os.environ.get("OVERSAMPLE_PIECES", "4"))
        for content in small_documents(length):
            found = first_reading(content)
            if found != second_reading(content):
                self.assertEqual(found, second_reading(content), content)


# 1.10 What reading costs ----------------------------------------------------------------------

STOPPED = "reading stopped here, after 100 errors"
NO_ANSWER = "expected ANSWER: after QUESTION: (line {}), found {}"
NOT_COPIED = "text outside any pair is not copied: 'x'"
SAME_QUESTION = "this pair has the same question as the one at line 1; both are copied"

# Hostile: what stands first, and what is repeated behind it.
HEADS = [
    b"",
    b"QUESTION: ",
    b"QUESTION: a\nANSWER: ",
    b"QUESTION: a\nANSWER: b\nOVERSAMPLE_WEIGHT: ",
    pair() + b"\n",
    b"<!--",
]
HOSTILE = [
    b"QUESTION: a\n",
    b"QUESTION:\n",
    b"\r\nQUESTION:",
    b"ANSWER: a\n",
    b"OVERSAMPLE_WEIGHT: 3\n",
    b"OVERSAMPLE_WEIGHT: ",
    b"<END_OF_SET>",
    b"QUESTION: a\nANSWER: b\n",
    b"QUESTION: a\nANSWER: b\nOVERSAMPLE_WEIGHT: 3\nx\n",
    pair() + b"\n",
    pair("a", 9) + b"\n",
    b"<!--",
    b"<!-- -->",
    b"<!-- x",
    b"<!--\nQUESTION: a\n",
    b"-->",
    b"-->\n",
    b"<!\n",
    b"x <!-- --> ",
    b"\n",
    b"\r",
    b" ",
    b"7",
    b"<",
    b"x\n",
    b"<<<<<<< a\n",
    b"> QUESTION: a\n",
    b"x QUESTION: ",
    b"Question: a\n",
    b"Question: a <!-- -->\n",
    b"QUESTON: a\n",
    b"QUESTION: a\nAnswer: b\n",
    b"QUESTION: a\nANSWR: b\n",
    b"Question: a\n\n**ANSWER:** b\n<END OF SET>\n",
    b"**QUESTION:** a\n<END_OF_SET>\n",
]

SIZES = [1_000 * 4**power for power in range(6)]  # up to 1 MB


class Large(NamedTuple):
    """A large document: what is repeated in it, and the memory that each byte may take."""

    head: bytes
    piece: bytes
    tail: bytes
    limit: float


LARGE = [
    Large(pair() + b"<!--", b"x", b"-->", 0.5),
    Large(b"<!--", b"x", b"-->\n" + pair(), 0.5),
    Large(b"", b"x <!-- -->\n", pair(), 10),
    Large(b"", b"<!-- <!-- -->", b"", 2),
    Large(b"", b"x\n", pair(), 30),
    Large(b"", b"Question: b\n", pair(), 30),
    Large(b"", b"QUESTON: b\n", pair(), 30),
    Large(b"", b"Question: a\nAnswer: b\n", b"", 30),
    Large(b"", b"QUESTION: a\n", b"", 30),
    Large(b"", b"<END_OF_SET>", b"", 30),
    Large(b"QUESTION: a", b"\n", b"\n" + pair()[11:], 30),
    Large(b"QUESTION: ", b"\n QUESTION:", b"", 30),
]


def growth(head: bytes, piece: bytes) -> float:
    """Return how much more time four times a document takes, of a size that takes a while."""
    took = 0.0
    for size in SIZES:
        before = took
        content = head + piece * (size // len(piece))
        took = seconds(lambda: problems(content))
        if took > 0.003 and before:
            return took / before
    return 0.0  # next to nothing, at any size


class Cost(unittest.TestCase):
    """1.10. What reading costs: time, memory, and the number of messages."""

    def test_1_10_100_errors_are_kept_and_a_row_that_reading_stopped(self) -> None:
        last = (100, NO_ANSWER.format(100, "the end of the document"))
        stopped = (101, STOPPED)
        for count, expected in (100, last), (101, stopped), (999, (102, STOPPED)):
            found = problems(b"QUESTION: a\n" * count)
            lines = range(1, min(count, 101))
            rows = [(line + 1, NO_ANSWER.format(line, "QUESTION:")) for line in lines]
            self.assertEqual(found, [*rows, expected])
        message = "expected <!-- before '-->', found no open comment"
        rows = [(line, message) for line in range(1, 101)]
        self.assertEqual(problems(b"-->\n" * 99 + pair()), rows[:99])
        self.assertEqual(problems(b"-->\n" * 100 + pair()), rows)
        self.assertEqual(problems(b"-->\n" * 101 + pair()), [*rows, stopped])

    def test_1_10_the_first_100_warnings_are_kept(self) -> None:
        comments = b"x <!-- -->\n" * 999
        twice = pair("a") + b"\n" + pair("a")
        expected = [(line, NOT_COPIED) for line in range(1, 101)]
        self.assertEqual(warnings_of(comments + twice), expected)
        three = b"\n".join([pair("a"), pair("b"), pair("a")]) + b"\n"
        expected = [(13, SAME_QUESTION)]
        expected += [(line, NOT_COPIED) for line in range(19, 118)]
        self.assertEqual(warnings_of(three + comments), expected)
        many = b"\n".join(pair(f"{number} <!-- x") for number in range(150))
        lines = [line for line, _ in warnings_of(many)]
        self.assertEqual(lines, list(range(1, 601, 6)))

    def test_1_7_thousands_of_pairs_that_repeat_a_question(self) -> None:
        message = "1,000 of 1,001 pairs repeat an earlier question (line 1, for one)"
        expected = [(7, f"{message}: is this document an output?")]
        self.assertEqual(warnings_of((pair() + b"\n") * 1001), expected)

    def test_4_3_a_quotation_of_more_than_50_characters_is_cut(self) -> None:
        smile = "\U0001f642"
        for text, shown in (
            (smile * 50, smile * 50),
            (smile * 51, smile * 47 + "..."),
            ("xy" * 200, "xy" * 23 + "x..."),
            ("\x1b" * 13, "\\x1b" * 11 + "\\x1..."),
        ):
            message = NOT_COPIED.replace("'x'", f"'{shown}'")
            content = text.encode() + b"\n" + pair()
            self.assertEqual(warnings_of(content), [(1, message)])

    def test_1_10_a_document_of_100_warnings_and_one_error_is_refused(self) -> None:
        content = b"x <!-- -->\n" * 999 + pair() + b"\nANSWER: a"
        message = "expected QUESTION: after <END_OF_SET> (line 1005), found ANSWER:"
        self.assertEqual(problems(content), [(1006, message)])

    def test_1_10_four_times_the_document_is_not_twelve_times_the_time(self) -> None:
        for head, piece in itertools.product(HEADS, HOSTILE):
            with self.subTest(head=head, piece=piece):
                # Linear is 4, quadratic 16; whatever else the machine does makes it more.
                growths = (growth(head, piece) for _ in range(5))
                self.assertTrue(any(ratio < 12 for ratio in growths))

    def test_1_10_memory_is_linear_and_a_comment_is_not_copied(self) -> None:
        for large in LARGE:
            count = 20_000 // len(large.piece)
            content = large.head + large.piece * count + large.tail
            peak = peak_memory(lambda: problems(content))
            with self.subTest(large):
                self.assertLess(peak / len(content), large.limit)


# 2. The copies --------------------------------------------------------------------------------


class Index:
    """A whole number of a type of its own, like NumPy's."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number

    def __str__(self) -> str:
        return str(self.number)

    def __repr__(self) -> str:
        return f"np.int64({self.number})"


class Float(float):
    """A float of a type of its own, like NumPy's."""

    def __repr__(self) -> str:
        return f"np.float64({float(self)})"

    def __str__(self) -> str:
        return str(float(self))


# The copies of weights 1 to 5, and bases that give them: numbers that a person can check.
POWERS = [
    ("1 1 1 1 1", [1, "1.0000000000000001"]),
    ("1 2 2 3 4", [1.3, "1.3", "1.30", "01.3"]),
    ("1 2 2 3 4", [Decimal("1.3"), Float(1.3)]),
    ("2 2 3 5 8", [1.5]),
    ("2 4 8 16 32", [2, 2.0, "2", "2.0", "0002"]),
    ("2 4 8 16 32", [Index(2), Decimal(2), Decimal("0.2E1")]),
    ("3 9 27 81 243", [3]),
    ("10 100 1000 10000 100000", [10]),
    ("20 400 8000 160000 3200000", [Decimal("2E1")]),
    ("1000 1000000 1000000000 1000000000000 1000000000000000", [1000, Decimal("1E3")]),
    ("1000 1000000 999999700 999999600000 999999500000100", ["999.9999"]),
    # Beside a half by less than a float can tell.
    ("3 6 16 39 98", [2.5, "2.5", "2.5000000000000000000001"]),
    ("2 6 16 39 98", ["2.4999999999999999999999"]),
    ("2 2 4 6 9", ["1." + "5" * 1000]),
    ("2 2 4 6 10", ["1.58113883008418966599944677"]),
    ("2 3 4 6 10", ["1.58113883008418966599944678"]),
]
# A cap, and the copies of weights 1 to 5 at base 2.
CAPPED = [
    (1, "1 1 1 1 1"),
    (5, "2 4 5 5 5"),
    (31, "2 4 8 16 31"),
    (32, "2 4 8 16 32"),
    (2**64, "2 4 8 16 32"),
    (Index(5), "2 4 5 5 5"),
]

BASE = "expected a number from 1 to 1000, like 1.3, found "
SEED = "expected a whole number, from 0 to 18446744073709551615, found "
CAP = "expected a whole number, 1 or more, found "
WEIGHT_RANGE = "expected a whole number, from 1 to 5, found "

# What is no base: numbers, texts, and what the error quotes otherwise than by str().
NO_BASES = [0, 0.5, -2, 1001, True, None, b"2", [], 1e9, 0.999, 1000.0001, Index(0)]
NO_BASES += [float("nan"), float("inf")]
NO_BASES += [
    Decimal(text)
    for text in listed("NaN sNaN Infinity 1000.01 1E+400000000 1E-400000000")
]
NO_BASES += [Decimal(f"1E+{MAX_EMAX}"), Decimal(f"1E{MIN_EMIN}")]
NO_BASES += listed(
    "two 0 0.99 1000.1 1e1 nan inf 1_0 +2 -2 2. .5 1,3 0x2 2/1 1.2.3 00002"
)
NO_BASES += [" 2", "2 ", "\u0662", "1.\u0662"]
for character in map(chr, range(33, 127)):
    if character not in "0123456789":
        NO_BASES += [f"1{character}", f"1.5{character}", f"1{character}5"]
NO_BASES.remove("1.5")
QUOTED_BASES = [
    ("", "nothing"),
    ("2\n", "'2\\n'"),
    ("\x1b[2J", "'\\x1b[2J'"),
    ("\udcff", "'\\udcff'"),
    (10**300, f"'1{'0' * 46}...'"),
    ("1." + "5" * 1001, f"'1.{'5' * 45}...'"),
]

NO_SEEDS = [-1, 2**64, 1.0, 1.5, "1", True, Decimal(1), Index(-1)]
NO_CAPS = [0, -1, 1.5, 3.0, "3", True, Index(0)]
NO_WEIGHT_NUMBERS = [0, 6, -1, 1.0, 2.0, "1", "3", True, None, Index(6)]


BAD_BASES = quoted(NO_BASES) + QUOTED_BASES
BAD_SEEDS = quoted(NO_SEEDS)
BAD_CAPS = quoted(NO_CAPS)

# More than 2**31 copies: weights, base, cap, and how many they are.
TOO_MANY = [
    ((3, 3, 3), 1000, None, "3,000,000,000"),
    ((3, 3, 3), 1000, 2**40, "3,000,000,000"),
    ((5,), 1000, None, "1,000,000,000,000,000"),
    ((5,), 999, 2**31 + 1, "2,147,483,649"),
]
MANY = f" copies are more than 2,147,483,648; {WAYS_OUT}"

# A fair order: weights, base, the arrangements there are of the copies, and the limit of
# Pearson's chi-square. It is above it for one fair shuffle in a hundred million. The seeds
# are fixed, so it never is by chance.
FAIR = [
    ((1, 1, 1, 1), 1, 24, 83.5),  # 4 different copies: 23 degrees of freedom
    ((1, 2), 2, 15, 65.5),  # 2 copies of a, 4 of b: 14
]

PAIRS = parse(ABC).pairs
ORDERS = {
    0: "baacccccbcbbcc",
    1: ORDER_OF_SEED_1,
    2**64 - 1: "cccacccbbccbba",
}


def copies_of_each_weight(base, cap: int | None = None) -> str:
    return " ".join(str(copies(weight, base, cap)) for weight in range(1, 6))


class Copies(unittest.TestCase):
    """2. How many copies, and in which order."""

    def assert_value_errors(self, call, values: list, limits: str) -> None:
        for value, found in values:
            with self.subTest(value=value):
                with self.assertRaises(ValueError) as caught:
                    call(value)
                self.assertEqual(str(caught.exception), limits + found)

    def test_2_1_6_0_a_pair_has_base_to_the_power_of_weight_copies(self) -> None:
        for expected, bases in POWERS:
            for base in bases:
                with self.subTest(base=base):
                    self.assertEqual(copies_of_each_weight(base), expected)
        self.assertEqual(copies(Index(4), 2), 16)

    def test_2_2_the_power_is_exact_and_rounded_halves_up(self) -> None:
        for whole, part in itertools.product((1, 2, 17, 999), range(0, 100, 7)):
            text = f"{whole}.{part:02}"
            for weight in range(1, 6):
                power = Decimal(text) ** weight  # at most 25 digits, exact in 28
                expected = power.to_integral_value(ROUND_HALF_UP)
                for base in text, Decimal(text), float(text):
                    with self.subTest(weight=weight, base=base):
                        self.assertEqual(copies(weight, base), expected)

    def test_2_3_a_cap_limits_the_copies_of_each_pair(self) -> None:
        for cap, expected in CAPPED:
            with self.subTest(cap=cap):
                self.assertEqual(copies_of_each_weight(2, cap), expected)

    def test_2_2_6_1_bad_bases_are_refused(self) -> None:
        # Of a third pair, a bad base that passed would make a billion copies.
        two = PAIRS[:2]
        self.assert_value_errors(lambda base: copies(1, base), BAD_BASES, BASE)
        self.assert_value_errors(
            lambda base: resample([], base=base, seed=1), BAD_BASES, BASE
        )
        self.assert_value_errors(
            lambda base: resample(two, base=base, seed=1), BAD_BASES, BASE
        )
        for base in 10**5000, -(10**5000):
            with self.assertRaises(ValueError):
                copies(1, base)

    def test_2_3_6_1_bad_caps_are_refused(self) -> None:
        def order(pairs, cap):
            return resample(pairs, base=2, seed=1, max_copies=cap)

        self.assert_value_errors(lambda cap: copies(1, 2, cap), BAD_CAPS, CAP)
        self.assert_value_errors(lambda cap: order([], cap), BAD_CAPS, CAP)
        self.assert_value_errors(lambda cap: order(PAIRS, cap), BAD_CAPS, CAP)

    def test_2_5_6_1_bad_seeds_are_refused(self) -> None:
        seeds = [*BAD_SEEDS, (None, "'None'")]
        self.assert_value_errors(
            lambda seed: resample([], base=2, seed=seed), seeds, SEED
        )
        self.assert_value_errors(
            lambda seed: resample(PAIRS, base=2, seed=seed), seeds, SEED
        )

    def test_6_1_bad_weights_are_refused(self) -> None:
        def order(weight):
            return resample([QAPair(b"", weight, 1)], base=2, seed=1)

        weights = quoted(NO_WEIGHT_NUMBERS)
        self.assert_value_errors(
            lambda weight: copies(weight, 2), weights, WEIGHT_RANGE
        )
        self.assert_value_errors(order, weights, WEIGHT_RANGE)

    def test_3_6_more_than_2_31_copies_are_refused(self) -> None:
        for weights, base, cap, found in TOO_MANY:
            pairs = parse(document(*weights)).pairs
            with self.subTest(weights=weights, base=base, cap=cap):
                with self.assertRaises(ValueError) as caught:
                    resample(pairs, base=base, seed=1, max_copies=cap)
                self.assertEqual(str(caught.exception), found + MANY)

    def test_2_4_the_order_is_uniform(self) -> None:
        draws = 6_000
        for weights, base, arrangements, limit in FAIR:
            pairs = parse(document(*weights)).pairs
            found = Counter()
            for seed in range(draws):
                order = resample(pairs, base=base, seed=seed)
                found[tuple(each.line for each in order)] += 1
            self.assertEqual(len(found), arrangements)
            expected = draws / arrangements
            chi_square = sum(
                (count - expected) ** 2 / expected for count in found.values()
            )
            self.assertLess(chi_square, limit)

    def test_2_4_2_5_every_copy_is_there_in_an_order_that_is_for_good(self) -> None:
        for seed, order in ORDERS.items():
            made = resample(iter(PAIRS), base=2, seed=seed)
            expected = [PAIRS["abc".index(name)] for name in order]
            self.assertEqual(made, expected)
        made = resample(PAIRS, base=Index(2), seed=Index(1), max_copies=Index(9))
        self.assertEqual(made, resample(PAIRS, base=2, seed=1))
        self.assertEqual(resample([], base=2, seed=1), [])

    def test_2_5_the_shuffle_rests_on_random_alone(self) -> None:
        shuffle = mock.patch("random.shuffle", side_effect=AssertionError)
        getrandbits = mock.patch.object(
            random.Random, "getrandbits", side_effect=AssertionError
        )
        for cap in 3, 8:
            # As an independent second program would have it.
            draw = random.Random(42).random
            expected = []
            for each in PAIRS:
                expected += [each] * min(2**each.weight, cap)
            for last in reversed(range(1, len(expected))):
                other = int(draw() * (last + 1))
                expected[last], expected[other] = expected[other], expected[last]
            with shuffle, getrandbits:
                made = resample(PAIRS, base=2, seed=42, max_copies=cap)
            self.assertEqual(made, expected)


# 6. What is read, from Python -----------------------------------------------------------------


class Types(unittest.TestCase):
    """6. From Python: what parse() gives, and what it refuses."""

    def test_6_1_5_parse_gives_pairs_that_cannot_be_changed_separator_and_warnings(
        self,
    ) -> None:
        parsed = parse(b"\xef\xbb\xbfx\n" + document(1, 5) + b" \n")
        pairs = (QAPair(pair("a", 1), 1, 2), QAPair(pair("b", 5), 5, 9))
        self.assertEqual(parsed, Document(pairs, b"\n\n", ((1, NOT_COPIED),)))
        self.assertEqual(parsed.pairs, pairs)
        self.assertEqual(parsed.separator, b"\n\n")
        self.assertEqual(parsed.warnings, ((1, NOT_COPIED),))
        for name in "span", "weight", "line", "question", "answer", "other":
            with self.subTest(name=name), self.assertRaises(AttributeError):
                setattr(parsed.pairs[0], name, None)

    def test_6_1_a_document_that_is_not_bytes_is_a_type_error(self) -> None:
        for content in "text", SIX_LINES, 5, None, [1], io.BytesIO():
            with self.subTest(content=content), self.assertRaises(TypeError):
                parse(content)

    def test_6_a_bytearray_may_change_later_and_the_spans_do_not(self) -> None:
        content = bytearray(document(1))
        found = [parse(content), parse(memoryview(content))]
        content[:] = b"x" * len(content)
        for parsed in found:
            self.assertEqual(parsed.pairs, (QAPair(pair("a", 1), 1, 1),))
            self.assertIs(type(parsed.pairs[0].span), bytes)

    def test_6_question_and_answer_are_their_text_alone(self) -> None:
        for question, answer in (
            (b"a", b"b"),
            (b"a\n\nb", b"c\nd ANSWER : d"),
            (b"to ANSWER: or\nnot", b"an OVERSAMPLE_WEIGHT: of 9\nWEIGHT: 9"),
            (b"\x00", b"\xa0"),
        ):
            for blank in b"", b" ", b"\n\n", b" \t\r\n\f\v":
                parts = [b"QUESTION:", question, b"\nANSWER:", answer]
                parts += [b"\nOVERSAMPLE_WEIGHT:4", b"<END_OF_SET>"]
                (found,) = parse(blank.join(parts)).pairs
                with self.subTest(span=found.span):
                    self.assertEqual(found.question, question)
                    self.assertEqual(found.answer, answer)

    def test_6_a_document_error_is_a_value_error_that_has_and_shows_its_problems(
        self,
    ) -> None:
        first = "expected ANSWER: after QUESTION: (line 1), found <END_OF_SET>"
        second = "expected QUESTION: after <END_OF_SET> (line 2), found <END_OF_SET>"
        rows = ((2, first), (3, second))
        text = f"line 2: {first}\nline 3: {second}"
        with self.assertRaises(ValueError) as caught:
            parse(b"QUESTION: a\n<END_OF_SET>\n<END_OF_SET>")
        made = DocumentError(row for row in rows)
        for error in caught.exception, made, pickle.loads(pickle.dumps(made)):
            self.assertIs(type(error), DocumentError)
            self.assertEqual(error.problems, rows)
            self.assertEqual(str(error), text)
        self.assertEqual(str(DocumentError(rows[:1])), text.splitlines()[0])
        self.assertEqual(str(DocumentError([])), "")

    def test_6_1_a_type_checker_sees_the_types_of_the_fields(self) -> None:
        fields = {
            QAPair: {"span": bytes, "weight": int, "line": int},
            oversample.Summary: {
                "pairs": int,
                "copies": int,
                "bytes": int,
                "seed": int,
            },
            Difference: {"path": str, "line": int, "message": str},
        }
        for kind, expected in fields.items():
            self.assertTrue(issubclass(kind, tuple))
            self.assertEqual(typing.get_type_hints(kind), expected)
        hints = typing.get_type_hints(Document)
        self.assertEqual(list(hints), ["pairs", "separator", "warnings"])
        self.assertIs(hints["separator"], bytes)


# 3. The output --------------------------------------------------------------------------------

ONE = pair()
CRLF = pair().replace(b"\n", b"\r\n")

# A document of which all pairs are the same, and its output at base 1.
SEPARATORS = {
    "an odd gap": (
        ONE + b" \t\n\n \n" + ONE + b"\n\n\n",
        ONE + b" \t\n\n \n" + ONE + b"\n",
    ),
    "a gap of CRLF": (
        CRLF + b"\r\n\r\n" + CRLF + b"\n",
        CRLF + b"\r\n\r\n" + CRLF + b"\r\n",
    ),
    "a gap of LF between pairs of CRLF": (
        CRLF + b"\n" + CRLF,
        CRLF + b"\n" + CRLF + b"\n",
    ),
    "the commonest": (
        ONE + b"\n" + ONE + b"\n\n" + ONE + b"\n\n" + ONE,
        b"\n\n".join([ONE] * 4) + b"\n",
    ),
    "of equals the first": (
        ONE + b"\n\n\n" + ONE + b"\n" + ONE,
        b"\n\n\n".join([ONE] * 3) + b"\n",
    ),
    "none but comments": (
        ONE + b"\n<!-- x -->\n" + ONE,
        ONE + b"\n\n" + ONE + b"\n",
    ),
    "none but text": (
        ONE + b"\nx\n" + ONE,
        ONE + b"\n\n" + ONE + b"\n",
    ),
    "comments and CRLF": (
        CRLF + b"\r\n<!-- x -->\r\n" + CRLF,
        CRLF + b"\r\n\r\n" + CRLF + b"\r\n",
    ),
}
# A weight line with all behind it, and the same without the weight line.
STRIPPED = {
    "its own line": (b"\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>", b"\n<END_OF_SET>"),
    "blank lines behind it": (
        b"OVERSAMPLE_WEIGHT:\t3 \n\n <END_OF_SET>",
        b"\n <END_OF_SET>",
    ),
    "a bare CR ends no line": (b"OVERSAMPLE_WEIGHT: 3\r<END_OF_SET>", b"<END_OF_SET>"),
    "a shared line": (b"OVERSAMPLE_WEIGHT: 3 <END_OF_SET>", b"<END_OF_SET>"),
    "a shared line, no blank": (b"OVERSAMPLE_WEIGHT:3<END_OF_SET>", b"<END_OF_SET>"),
}
# Outputs of the sample at fixed base, seed and strip_weights: they never change.
DIGESTS = {
    (2, 1, False): "5839aa03e085d06dfd47a83b702a39a881aeed0f870b932f3b8f67209f97122c",
    (
        1.3,
        2**64 - 1,
        False,
    ): "59aaac26d5f97f154024d53375adff625b3689c8e8ca794d06c77e5fa43efa4a",
    (2, 1, True): "3e614ac3052ceddcc1c5785b6e0c60762111931a027dfe55a175435ad0b1d6c8",
}
# Four pairs of weights 5, 5, 5 and 2 at base 2 and seed 3, in their order.
LONG_ORDER = (
    "abcabcabbcccaadbaacccabaccabacacbccacbbbcbbbacbcccb"
    "aaacaadabaacbcacabbbbbcaabbaccbcdabccbcadcaabbbba"
)


class Output(Scene):
    """3.1, 3.2, 6.2. What is written, by the function and by the command."""

    def output_of(self, content: bytes, **options) -> bytes | None:
        """Write the output of a document in both ways; return it."""
        self.write(content)
        for name in "out.md", "same.md":
            pathlib.Path(name).unlink(missing_ok=True)
        seed = oversample.oversample("in.md", "out.md", **options).seed
        words = ["-q", f"--seed={seed}"]
        for name, value in options.items():
            option = f"--{name.replace('_', '-')}"
            if value is True:
                words.append(option)
            elif value:
                words.append(f"{option}={value}")
        self.assert_silent(*words, "in.md", "same.md")
        found = self.read()
        self.assertTrue(found == self.read("same.md"), "6.2 the same bytes")
        return found

    def test_3_1_copies_are_separated_as_the_pairs_are(self) -> None:
        for name, (content, expected) in SEPARATORS.items():
            with self.subTest(name):
                self.assertEqual(self.output_of(content, base=1), expected)

    def test_3_1_copies_are_whole_spans_in_order(self) -> None:
        self.assertEqual(self.output_of(ABC, base=2, seed=1), GOOD)
        capped = self.output_of(ABC, base=Decimal(10), seed=7, max_copies=5)
        self.assertEqual(capped, ordered("bcabbccccababaa"))

    def test_3_1_blocks_of_every_length_join_to_the_same_output(self) -> None:
        for long, length in itertools.product(
            "ad", (1, 100, 1_000, 3_000, 60_000, 200_000)
        ):
            pairs = {name: pair(name, 5) for name in "abc"}
            pairs["d"] = pair("d", 2)
            pairs[long] = pairs[long].replace(long.encode(), long.encode() * length)
            content = b"\n\n".join(pairs.values())
            found = self.output_of(content, base=2, seed=3)
            expected = b"\n\n".join(pairs[name] for name in LONG_ORDER) + b"\n"
            self.assertTrue(found == expected, (long, length))

    def test_3_2_strip_weights_leaves_out_the_weight_line_and_nothing_else(
        self,
    ) -> None:
        # Text that looks like a weight line stays.
        texts = b"QUESTION: a\n\nANSWER: OVERSAMPLE_WEIGHT: 3\n"
        for name, (tail, stripped) in STRIPPED.items():
            for end in b"\n", b"\r\n":
                given = (texts + tail).replace(b"\n", end)
                kept = (texts + stripped).replace(b"\n", end)
                with self.subTest(name, end=end):
                    found = self.output_of(given, base=1, strip_weights=True)
                    self.assertEqual(found, kept + end)
                    self.assertEqual(self.output_of(given, base=1), given + end)

    def test_2_5_the_sample_document_gives_the_same_bytes_for_good(self) -> None:
        for (base, seed, strip_weights), digest in DIGESTS.items():
            content = SAMPLE.read_bytes()
            options = {"base": base, "seed": seed, "strip_weights": strip_weights}
            found = self.output_of(content, **options)
            self.assertEqual(hashlib.sha256(found).hexdigest(), digest)


# 3.3, 3.5, 3.6. The file: its name, its permissions, its size -----------------------------------

INPUT_ITSELF = "is the input itself; choose another name"
SAME_BYTES = "holds the same bytes as the input; choose another name"
NO_FOLDER = "its folder does not exist"
IS_FOLDER = "expected a file name, found a folder"
NOT_REGULAR = "is not a regular file; use - for standard output"
DESCRIPTOR = "is an open descriptor; use - for standard output"
MEANWHILE = "was created meanwhile; left untouched"

# Links that are there, and where they lead.
LINKS = {
    "link.md": "old.md",
    "new.md": "folder/new.md",
    "same.md": "./in.md",
    "away.md": "none/../in.md",
    "lost": "none/x",
    "loop": "loop",
    "to-folder": "folder",
    "out": "/dev/stdout",
    "folder/away.md": "../old.md",
    "way/near.md": "x",
}
# hard.md is the input, too; way a link to the folder; pipe a FIFO; 99 the descriptor of a
# file that has no name any more, 98 no descriptor.
REFUSED_NAMES = [
    (INPUT_ITSELF, errno.EINVAL, "in.md ./in.md hard.md folder/../in.md way/../in.md"),
    (IS_FOLDER, errno.EISDIR, ". folder folder/ way/ /"),
    (NO_FOLDER, errno.ENOENT, "none/ none/out.md none/../x"),
    ("not a directory", errno.ENOTDIR, "in.md/x in.md/../x"),
    (NOT_REGULAR, errno.EINVAL, f"pipe {os.devnull}"),
    (DESCRIPTOR, errno.EINVAL, "/dev/stdin /dev/stdout /dev/stderr //dev/stdout"),
    (DESCRIPTOR, errno.EINVAL, "/dev/fd/1 /dev/fd/98 /dev/fd/99"),
    (
        DESCRIPTOR,
        errno.EINVAL,
        "/proc/self/fd/1 /proc/self/fd/99 /proc/thread-self/fd/1",
    ),
]
GOOD_NAMES = ["out.md", "./folder/../out.md", "folder/x", "way/x"]

SWAPPED = "is not replaced: {}, so the two names may be swapped; swap them, or choose a new name"


@posix_only
class Files(Scene):
    """3.3. Which file is written, and which is left alone."""

    def setUp(self) -> None:
        super().setUp()
        os.mkdir("folder")
        os.symlink("folder", "way")

    def assert_refused(self, name: str, message: str, force: bool = True) -> OSError:
        """A name is refused by the command and from Python, and all is as it was."""
        before = self.state()
        options = ["-f"] if force else []
        found = self.main(*RUN[:-1], name, "-q", *options)
        shown = name or "''"
        self.assertEqual(found, (1, f"oversample: error: {shown}: {message}\n"))
        with self.assertRaises(OSError) as caught:
            self.make(name, overwrite=force)
        error = caught.exception
        self.assertEqual(error.filename, name)
        self.assertEqual(error.strerror[0].lower() + error.strerror[1:], message)
        self.assertEqual(self.state(), before)
        return error

    def test_3_3_a_new_name_is_written_also_by_way_of_a_folder_that_is_a_link(
        self,
    ) -> None:
        names = [*GOOD_NAMES]
        if os.access("/dev/shm", os.W_OK):
            names.append(f"/dev/shm/{os.getpid()}.md")
        for name, option in itertools.product(names, ("-q", "-qf")):
            with self.subTest(name=name):
                self.assert_silent(*RUN[:-1], option, name)
                self.assertEqual(self.read(name), GOOD)
                os.unlink(name)

    @linux_only
    def test_3_3_names_that_are_no_place_for_a_file_are_refused(self) -> None:
        os.link("in.md", "hard.md")
        os.mkfifo("pipe")
        for name in "log", "gone":
            self.write(b"log", name)
        # Standard input and output are files that could be replaced.
        with standing_in(1, "log"), standing_in(0, "log"), open("gone", "rb") as gone:
            os.unlink("gone")
            os.dup2(gone.fileno(), 99)
            self.addCleanup(os.close, 99)
            for message, number, names in REFUSED_NAMES:
                for name, force in itertools.product(names.split(), (True, False)):
                    with self.subTest(name=name, force=force):
                        error = self.assert_refused(name, message, force)
                        self.assertEqual(error.errno, number)
            self.assert_refused("", IS_FOLDER)

    def test_3_3_a_link_is_refused_with_where_it_leads(self) -> None:
        self.write(b"old", "old.md")
        for name, target in LINKS.items():
            os.symlink(target, name)
            leads_to = os.path.join(os.path.dirname(name), target)
            message = f"is a link to {leads_to}; name that file, or remove the link"
            for force in True, False:
                with self.subTest(name=name, force=force):
                    self.assert_refused(name, message, force)
        os.symlink("\x1b[2J", "nasty")
        message = "nasty: is a link to \\x1b[2J; name that file, or remove the link"
        self.assert_fails(message, *RUN[:-1], "nasty")

    def test_3_3_input_and_a_file_to_be_checked_may_be_links(self) -> None:
        os.symlink("in.md", "link.md")
        self.assert_silent(*QUIET[:4], "-q", "link.md", "out.md")
        os.symlink("out.md", "made.md")
        self.assert_silent(*QUIET[:4], "-q", "--check", "link.md", "made.md")

    def test_3_3_an_existing_file_is_replaced_only_when_told_to(self) -> None:
        self.old_output()
        error = self.assert_refused("out.md", EXISTS, force=False)
        self.assertIsInstance(error, FileExistsError)
        self.assert_silent(*QUIET, "-f")
        self.assertEqual(self.read(), GOOD)

    def test_3_3_4_1_a_dry_run_does_not_look_at_the_output(self) -> None:
        os.symlink("none", "link.md")
        self.old_output()
        before = self.state()
        for name in "out.md", "in.md", "link.md", "folder", "none/x", "/dev/stdout", "":
            with self.subTest(name=name):
                self.assert_silent(*RUN[:-1], name, "-nq")
        self.assertEqual(self.state(), before)

    def test_3_3_the_input_is_known_as_standard_input_or_output(self) -> None:
        for option in "-f", "-q":
            with standing_in(0, "in.md"):
                self.assert_fails(
                    f"in.md: {INPUT_ITSELF}", "--base", "2", option, "-", "in.md"
                )
            for name in "in.md", "./in.md":
                with standing_in(1, "in.md"):
                    found = self.main("--base", "2", option, name, "-")
                message = "<stdout>: is the input itself; choose another file"
                self.assertEqual(found, (1, f"oversample: error: {message}\n"))
            self.assertEqual(self.read("in.md"), ABC)

    def test_3_3_the_input_is_known_by_its_bytes(self) -> None:
        self.write(ABC, "copy.md")
        self.assert_refused("copy.md", SAME_BYTES)
        self.assert_refused("copy.md", EXISTS, force=False)
        with standing_in(0, "copy.md"):
            self.assert_fails(f"in.md: {SAME_BYTES}", "--base", "2", "-f", "-", "in.md")
        for content in ABC[:-1], ABC + b"\n", ABC.replace(b"a?", b"b?"), b"":
            self.write(content, "copy.md")
            self.make("copy.md", overwrite=True)
            self.assertEqual(self.read("copy.md"), GOOD)

    def test_3_3_where_the_system_tells_no_inodes_the_bytes_decide(self) -> None:
        def without_inode(call):
            def status_of(*arguments, **options):
                fields = list(call(*arguments, **options))
                fields[1:3] = 0, 0
                return os.stat_result(fields[:10])

            return status_of

        self.old_output()
        calls = {
            name: without_inode(getattr(os, name))
            for name in ("stat", "lstat", "fstat")
        }
        with mock.patch.multiple("os", **calls):
            self.assert_fails(f"in.md: {SAME_BYTES}", *RUN[:-1], "in.md", "-f")
            self.assert_silent(*QUIET, "-f")
        self.assertEqual(self.read(), GOOD)

    def test_3_3_an_output_in_place_of_the_input_replaces_no_file(self) -> None:
        copies_of_others = "11 of the 14 pairs of out.md are copies of others"
        self.old_output(GOOD)
        before = self.state()
        run = ["--base", "2", "-q", "out.md"]
        message = f"in.md: {SWAPPED.format(copies_of_others)}"
        self.assert_fails(message, *run, "-f", "in.md")
        with self.assertRaises(OSError) as caught:
            oversample.oversample("out.md", "in.md", base=2, overwrite=True)
        self.assertEqual(caught.exception.filename, "in.md")
        self.assertEqual(self.state(), before)
        self.assert_silent(*run, "-f", "new.md")
        with standing_in(0, "out.md"):
            message = message.replace("pairs of out.md", "pairs of <stdin>")
            self.assert_fails(message, "--base", "2", "-qf", "-", "in.md")

    def test_3_3_one_pair_in_ten_that_is_a_copy_makes_an_output(self) -> None:
        one_copy = "1 of the 10 pairs of in.md is a copy of another"
        self.write(document(*[1] * 9) + pair("a"))
        self.old_output()
        self.assert_fails(
            f"out.md: {SWAPPED.format(one_copy)}", *RUN[:-1], "-fq", "out.md"
        )
        self.assertEqual(self.read(), b"old")
        another_answer = pair("a").replace(b"a!", b"b!")
        for last in pair("z") + b"\n" + pair("a"), another_answer:
            self.write(document(*[1] * 9) + last)
            self.assert_silent(*RUN[:-1], "-fq", "out.md")

    def test_3_3_a_file_that_appears_during_the_run_is_left_alone(self) -> None:
        ways = [contextlib.nullcontext, lambda: failing("link", errno.EPERM)]
        ways.append(lambda: lacking("link"))
        for way, content in itertools.product(ways, (b"theirs", b"")):
            appears = mock.patch("os.fsync", lambda _: self.write(content, "out.md"))
            with appears, way():
                self.assert_fails(f"out.md: {MEANWHILE}", *RUN)
                self.assertEqual(self.read(), content)
                os.unlink("out.md")
                with self.assertRaises(FileExistsError):
                    self.make()
            self.assertEqual(self.names(), ["folder", "in.md", "out.md", "way"])
            os.unlink("out.md")


# The umask, the permissions of the old file, if there is one, and of the new file.
MODES = [
    (0o022, None, 0o644),
    (0o077, None, 0o600),
    (0o002, None, 0o664),
    (0o000, None, 0o666),
    (0o027, None, 0o640),
    (0o022, 0o600, 0o600),
    (0o077, 0o666, 0o666),
    (0o000, 0o444, 0o444),
    (0o022, 0o4755, 0o755),
]
# Owner and group of the old file, who replaces it, and owner, group and mode afterwards.
OWNERS = [
    (1001, 2000, "root", (1001, 2000, 0o651)),
    (1001, 2000, "another", (1000, 0, 0o600)),
    (1001, 0, "denied", (0, 0, 0o600)),
    (0, 2000, "denied", (0, 0, 0o600)),
    (0, 0, "denied", (0, 0, 0o651)),
]
ACCESS_LIST = "system.posix_acl_access"


def mode_of(file: int | str) -> int:
    return stat.S_IMODE(os.stat(file).st_mode)


@posix_only
class Permissions(Scene):
    """3.5. The permissions of the new file, set on the open file."""

    @unittest.skipIf(WASM, "WebAssembly has no umask")
    def test_3_5_permissions_are_any_new_files_or_the_old_ones_from_the_first_byte(
        self,
    ) -> None:
        real_open = os.open
        real_write = os.write
        at_first = []
        later = set()

        def open_file(path, flags, *arguments, **options):
            descriptor = real_open(path, flags, *arguments, **options)
            at_first.append(mode_of(descriptor))
            return descriptor

        def write(descriptor: int, data: bytes) -> int:
            later.add(mode_of(descriptor))
            return real_write(descriptor, data)

        self.addCleanup(os.umask, os.umask(0))
        for (mask, old, mode), has_links in itertools.product(MODES, (True, False)):
            os.umask(mask)
            if old is not None:
                self.old_output(mode=old)
            with contextlib.ExitStack() as stack:
                stack.enter_context(mock.patch("os.open", open_file))
                stack.enter_context(mock.patch("os.write", write))
                if not has_links:
                    stack.enter_context(failing("link", errno.EPERM))
                self.make(overwrite=old is not None)
            with self.subTest(
                mask=oct(mask), old=old and oct(old), has_links=has_links
            ):
                self.assertEqual(later, {mode})
                self.assertEqual(mode_of("out.md"), mode)
                group_and_others = at_first[0] & 0o077
                self.assertEqual(
                    group_and_others & ~mode, 0, "private from the first byte"
                )
            at_first.clear()
            later.clear()
            os.unlink("out.md")

    @root_only
    def test_3_5_owner_and_group_are_kept_or_only_the_permissions_of_the_owner(
        self,
    ) -> None:
        os.chmod(".", 0o777)
        for owner, group, who, expected in OWNERS:
            self.old_output(mode=0o651)
            os.chown("out.md", owner, group)
            denied = (
                failing("fchown", errno.EPERM)
                if who == "denied"
                else contextlib.nullcontext()
            )
            try:
                os.seteuid(1000 if who == "another" else 0)
                with denied:
                    self.make(overwrite=True)
            finally:
                os.seteuid(0)
            status = os.stat("out.md")
            found = (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))
            with self.subTest(owner=owner, group=group, who=who):
                self.assertEqual(found, expected)
                self.assertEqual(self.read(), GOOD)
            os.unlink("out.md")

    @needs("listxattr")
    def test_3_5_behind_an_access_list_only_the_owners_permissions_are_kept(
        self,
    ) -> None:
        no_list = OSError(errno.ENOTSUP, "Operation not supported")
        for found, mode in (
            ([ACCESS_LIST], 0o600),
            (["user.note", ACCESS_LIST], 0o600),
            (["user.note"], 0o664),
            ([], 0o664),
        ):
            self.old_output(mode=0o664)
            with mock.patch("os.listxattr", return_value=found):
                self.make(overwrite=True)
            self.assertEqual(mode_of("out.md"), mode, found)
        for way in (
            mock.patch("os.listxattr", side_effect=no_list),
            lacking("listxattr"),
        ):
            self.old_output(mode=0o664)
            with way:
                self.make(overwrite=True)
            self.assertEqual(mode_of("out.md"), 0o664)

    def test_3_5_permissions_are_set_on_the_open_file_not_by_name(self) -> None:
        # Somebody who may write in the folder puts a link in the place of the new file.
        self.write(b"theirs", "victim").chmod(0o600)
        self.old_output(mode=0o666)
        real_open = os.open

        def open_file(path, flags, *arguments, **options):
            descriptor = real_open(path, flags, *arguments, **options)
            if flags & os.O_CREAT:
                os.unlink(path)
                os.symlink("victim", path)
            return descriptor

        with mock.patch("os.open", open_file), contextlib.suppress(OSError):
            self.make(overwrite=True)
        self.assertEqual(mode_of("victim"), 0o600)
        self.assertEqual(self.read("victim"), b"theirs")

    def test_3_5_a_file_system_that_refuses_them_gets_the_file_all_the_same(
        self,
    ) -> None:
        for name in "fchmod", "fchown":
            for number in (
                errno.EPERM,
                errno.EINVAL,
                errno.ENOTSUP,
                errno.ENOSYS,
                errno.EIO,
            ):
                self.old_output(mode=0o640)
                with self.subTest(name, number=number), failing(name, number):
                    self.assert_silent(*QUIET, "-f")
                    self.assertEqual(self.read(), GOOD)
                    self.assertEqual(mode_of("out.md") & 0o077 & ~0o640, 0)

    def test_3_5_a_file_system_that_cannot_flush_gets_the_file_all_the_same(
        self,
    ) -> None:
        for number in errno.EINVAL, errno.ENOTSUP, errno.ENOSYS:
            for option in "-q", "-f":
                with self.subTest(number=number), failing("fsync", number):
                    self.assert_silent(*QUIET, option)
                    self.assertEqual(self.read(), GOOD)
            os.unlink("out.md")
        for number in errno.EIO, errno.ENOSPC, errno.EPERM:
            text = os.strerror(number)
            said = f"oversample: error: out.md: {text[0].lower()}{text[1:]}\n"
            with self.subTest(number=number), failing("fsync", number):
                self.assertEqual(self.main(*RUN), (1, said))
                self.assertEqual(self.names(), ["in.md"])

    def test_3_5_what_windows_lacks_is_not_needed(self) -> None:
        disk = mock.Mock(free=10**9)
        with mock.patch("shutil.disk_usage", return_value=disk) as asked:
            for option in "-q", "-f":
                with lacking(
                    "fchmod", "fchown", "chown", "listxattr", "statvfs", "geteuid"
                ):
                    self.assert_silent(*QUIET, option)
                self.assertEqual(self.read(), GOOD)
            self.assertEqual(asked.call_count, 2)
            disk.free = 852
            with lacking("statvfs"):
                status, said = self.main(*QUIET, "-f")
        self.assertEqual(status, 1)
        self.assertIn("the output needs 853 bytes, only 852 are free", said)


class Disk(NamedTuple):
    """The free space that a file system tells: in blocks of f_frsize bytes."""

    f_bavail: int
    f_frsize: int
    f_blocks: int = 99
    f_bfree: int = 2**60
    f_bsize: int = 2**30


# The disk, and the free bytes that the error names; the output needs 853.
DISKS = [
    (Disk(852, 1), "852"),
    (Disk(1, 512), "512"),
    (Disk(2, 426), "852"),
    (Disk(853, 1), ""),
    (Disk(2, 427), ""),
    (Disk(0, 512), ""),  # no answer: some file systems tell 0 for all
    (Disk(0, 0, 0), ""),
]


class Size(Scene):
    """3.6. The size is known before anything is written."""

    @needs("statvfs")
    def test_3_6_more_than_the_free_space_is_refused_with_the_figures(self) -> None:
        os.mkdir("folder")
        name = "folder/out.md"
        for disk, free in DISKS:
            figures = f"the output needs 853 bytes, only {free} are free"
            said = f"oversample: error: {name}: {figures}; {WAYS_OUT}\n" if free else ""
            with (
                self.subTest(disk),
                mock.patch("os.statvfs", return_value=disk) as asked,
            ):
                found = self.main(*RUN[:5], name, "-qf")
                self.assertEqual(found, (bool(free), said))
                place = asked.call_args[0][0]
                self.assertTrue(os.path.samefile(place, "folder"))
                if free:
                    with self.assertRaises(OSError) as caught:
                        self.make(name)
                    self.assertEqual(caught.exception.errno, errno.ENOSPC)
                    self.assertEqual(os.listdir("folder"), [])
                else:
                    self.assertEqual(self.read(name), GOOD)
                    os.unlink(name)

    @needs("statvfs")
    def test_3_6_a_system_that_cannot_tell_is_no_reason_to_stop(self) -> None:
        for number in errno.ENOSYS, errno.EIO:
            with failing("statvfs", number):
                self.make(overwrite=True)
            self.assertEqual(self.read(), GOOD)

    @needs("statvfs")
    def test_3_6_macos_before_python_3_13_is_not_asked_for_it_wraps(self) -> None:
        full = mock.patch("os.statvfs", return_value=Disk(852, 1))
        for version, platform, expected in (
            ((3, 12, 9, "final", 0), "darwin", 0),
            ((3, 13, 0, "final", 0), "darwin", 1),
            ((3, 12, 9, "final", 0), "linux", 1),
        ):
            on_platform = mock.patch.multiple(
                sys, platform=platform, version_info=version
            )
            with self.subTest(platform, version=version), full, on_platform:
                status, _ = self.main(*QUIET, "-f")
                self.assertEqual(status, expected)

    def test_3_6_more_than_2_31_copies_are_refused_before_anything_is_written(
        self,
    ) -> None:
        for weights, base, cap, found in TOO_MANY:
            self.write(document(*weights))
            words = ["--base", str(base)]
            if cap:
                words += ["--max-copies", str(cap)]
            for output in (
                ["out.md"],
                ["-"],
                ["-n"],
                ["-q", "out.md"],
                ["--check", "in.md"],
            ):
                with self.subTest(words, output=output):
                    result = self.main(*words, "in.md", *output)
                    self.assertEqual(result, (1, f"oversample: error: {found}{MANY}\n"))
            self.assertEqual(self.names(), ["in.md"])

    def test_3_6_as_many_copies_as_are_possible_are_not_too_many(self) -> None:
        self.write(document(5))
        words = ["--base", "1000", "--max-copies", "2147483648", "-n", "in.md"]
        status, said = self.main(*words)
        self.assertEqual(status, 0)
        self.assertEqual(said.count("2,147,483,648"), 5)


# 3.4. Whole or absent -------------------------------------------------------------------------


@contextlib.contextmanager
def at_each_line(call) -> Iterator[None]:
    """Call this at each line of the program, from its first file on."""

    def trace(frame, event: str, _):
        if frame.f_code.co_filename != oversample.__file__:
            return None
        if event == "line" and opened.called:
            call()
        return trace

    before = sys.gettrace()
    with mock.patch("os.open", side_effect=os.open) as opened:
        sys.settrace(trace)
        try:
            yield
        finally:
            sys.settrace(before)


class Way(NamedTuple):
    """What is there before a run: an old output, and hard links."""

    old: bytes | None
    has_links: bool


WAYS = [Way(None, True), Way(None, False), Way(b"old", True)]
# All that the program asks of the system.
CALLS = [
    *listed(
        "open write fsync close fchmod fchown stat lstat fstat statvfs listxattr readlink"
    ),
    *listed("urandom link rename replace unlink remove"),
]
CALLS = [name for name in CALLS if hasattr(os, name)]
NO_LINKS = listed("EPERM ENOTSUP ENOSYS EMLINK EACCES EXDEV EIO")


class Whole(Scene):
    """3.4. Whole or absent, whatever goes wrong."""

    def assert_whole(self, *allowed: bytes | None) -> None:
        """The input is as it was, the output one of these, and nothing else is there."""
        self.assertEqual(self.read("in.md"), ABC)
        self.assertEqual(set(self.names()) - {"out.md"}, {"in.md"})
        self.assertIn(self.read(), allowed)

    def begin(self, way: Way) -> None:
        pathlib.Path("out.md").unlink(missing_ok=True)
        if way.old:
            self.old_output(way.old)

    def finish(self, way: Way) -> None:
        with (
            contextlib.nullcontext() if way.has_links else failing("link", errno.EPERM)
        ):
            self.make(overwrite=bool(way.old))

    @posix_only
    @needs("link")
    def test_3_4_the_file_is_new_and_has_its_name_only_when_whole_and_on_disk(
        self,
    ) -> None:
        os.mkdir("folder")
        events = []
        flags = []

        def spy(name: str):
            real = getattr(os, name)

            def call(*arguments, **options):
                events.append((name, len(os.listdir("folder"))))
                if name == "open":
                    self.assertEqual(os.path.dirname(arguments[0]), "folder")
                    flags.append(arguments[1])
                return real(*arguments, **options)

            return mock.patch(f"os.{name}", call)

        for old, last in (0, "link"), (1, "replace"):
            with contextlib.ExitStack() as stack:
                for name in "open", "write", "fsync", "link", "replace":
                    stack.enter_context(spy(name))
                self.make("folder/out.md", overwrite=bool(old))
            writes = [("write", old + 1)] * (len(events) - 3)
            self.assertGreater(len(writes), 0)
            self.assertEqual(events[0], ("open", old))
            self.assertEqual(events[-2:], [("fsync", old + 1), (last, old + 1)])
            self.assertEqual(events[1:-2], writes)
            events.clear()
        for each in flags:
            self.assertTrue(
                each & os.O_CREAT and each & os.O_EXCL and each & os.O_CLOEXEC
            )

    def test_3_4_whatever_call_fails_all_is_as_it_was(self) -> None:
        for failure in OSError(errno.ENOSPC, "No space left"), MemoryError():
            for name, way in itertools.product(CALLS, WAYS):
                self.fail_each(name, failure, way)

    def test_3_4_a_stop_behind_any_call_leaves_all_or_nothing(self) -> None:
        for name, way in itertools.product(CALLS, WAYS):
            # The mock that is stopped holds the open file, and Windows does not remove that.
            if POSIX or name != "open":
                self.fail_each(name, KeyboardInterrupt(), way)

    def fail_each(self, name: str, failure: BaseException, way: Way) -> None:
        """Let each call of a name in turn fail, or be stopped right behind."""
        real = getattr(os, name)
        is_stop = isinstance(failure, KeyboardInterrupt)
        is_behind = is_stop or name == "close"
        # The file has its name by then, or may have it.
        may_be_named = name in ("unlink", "remove")
        if is_stop and name in ("link", "rename", "replace", "close"):
            may_be_named = True
        for number in itertools.count():
            calls = itertools.count()

            def call(*arguments, **options):
                if next(calls) != number:
                    return real(*arguments, **options)
                if is_behind:
                    real(*arguments, **options)
                raise failure

            self.begin(way)
            is_done = False
            with mock.patch(f"os.{name}", call), contextlib.suppress(type(failure)):
                self.finish(way)
                is_done = True
            with self.subTest(name, number=number, failure=failure, way=way):
                if is_done:
                    self.assert_whole(GOOD)
                elif may_be_named:
                    self.assert_whole(way.old, GOOD)
                else:
                    self.assert_whole(way.old)
            if next(calls) <= number:
                return

    @unittest.skipUnless(
        POSIX, "Windows does not remove a file that a stop has left open"
    )
    def test_3_4_a_stop_at_any_line_leaves_all_or_nothing(self) -> None:
        for way in WAYS:
            for number in itertools.count():
                lines = itertools.count()

                def stop():
                    if next(lines) == number:
                        raise KeyboardInterrupt

                self.begin(way)
                with warnings.catch_warnings():
                    # Of a stop between the opening of a file and its block.
                    warnings.simplefilter("ignore", ResourceWarning)
                    with at_each_line(stop), contextlib.suppress(KeyboardInterrupt):
                        self.finish(way)
                with self.subTest(way, number=number):
                    self.assert_whole(way.old, GOOD)
                if next(lines) <= number:
                    break
            self.assertGreater(number, 20)

    @needs("link")
    def test_3_4_where_there_are_no_hard_links_it_is_as_whole(self) -> None:
        for name in NO_LINKS:
            with self.subTest(name), failing("link", getattr(errno, name)):
                self.make()
                self.assert_whole(GOOD)
                os.unlink("out.md")
        with lacking("link"):  # as on WebAssembly
            self.assert_silent(*QUIET)
        self.assert_whole(GOOD)

    def test_3_4_on_windows_a_name_is_given_by_rename_which_never_replaces(
        self,
    ) -> None:
        rename = os.rename

        def never_replaces(source: str, target: str) -> None:
            if os.path.exists(target):
                raise FileExistsError(errno.EEXIST, "File exists")
            rename(source, target)

        on_windows = mock.patch.multiple(os, name="nt", rename=never_replaces)
        with on_windows, failing("link", errno.EPERM):
            found = self.main(*QUIET)
        self.assertEqual(found, (0, ""))
        self.assert_whole(GOOD)
        os.unlink("out.md")
        appears = mock.patch("os.fsync", lambda _: self.write(b"theirs", "out.md"))
        with on_windows, appears:
            found = self.main(*QUIET)
        self.assertEqual(found, (1, f"oversample: error: out.md: {MEANWHILE}\n"))
        self.assert_whole(b"theirs")

    def test_3_4_short_writes_go_on_to_the_end(self) -> None:
        write = os.write
        with mock.patch("os.write", lambda file, data: write(file, data[:7])):
            self.make()
        self.assert_whole(GOOD)


# 4.2. Signals ---------------------------------------------------------------------------------

# The command, held in the middle of its write, and again where it removes its file: it says
# so on standard output, and waits for a byte, or the end, of standard input.
HELD_COMMAND = """
import os, sys, oversample
real_write = os.write
real_unlink = os.unlink

def hold():
    real_write(1, b".")
    os.read(0, 1)

def write(descriptor, data):
    os.write = real_write
    written = real_write(descriptor, data[:7])
    hold()
    return written

def unlink(path):
    hold()
    real_unlink(path)

os.write = write
os.unlink = os.remove = unlink
sys.exit(oversample.main())
"""
# The command on a platform that has SIGBREAK, as Windows: it is another name of SIGUSR1.
BREAK = """
import os, signal, sys
signal.SIGBREAK = signal.SIGUSR1
import oversample
os.fsync = lambda _: signal.raise_signal(signal.SIGBREAK)
sys.exit(oversample.main())
"""


def own_handler(*_) -> None:
    """A handler of a caller's own, that does nothing."""


@needs_processes
class Signals(Scene):
    """4.2, 3.4. What stops a run, and what does not."""

    def held_in_its_write(
        self, folder: str, old: bytes | None, **options
    ) -> subprocess.Popen:
        """Start the command, to write to a folder; return it in the middle of its write."""
        os.mkdir(folder)
        if old:
            self.write(old, f"{folder}/out.md")
        process = start(
            *QUIET[:5],
            f"{folder}/out.md",
            "-qf",
            program=("-c", HELD_COMMAND),
            **options,
        )
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.read(1), b".")
        return process

    @posix_only
    def test_4_2_3_4_a_signal_in_the_middle_of_the_write_leaves_all_as_it_was(
        self,
    ) -> None:
        statuses = {
            signal.SIGINT: 130,
            signal.SIGTERM: 143,
            signal.SIGHUP: 129,
            signal.SIGQUIT: 131,
        }
        for (number, status), old in itertools.product(
            statuses.items(), (None, b"old")
        ):
            folder = f"{number.name}{bool(old)}"
            with self.subTest(folder):
                process = self.held_in_its_write(folder, old)
                self.assertEqual(self.temporary_file(folder), 1)
                process.send_signal(number)
                # An impatient person, while the rest is cleaned up.
                self.assertEqual(process.stdout.read(1), b".")
                for again in number, *SIGNALS:
                    process.send_signal(again)
                found, out, err = finish(process)
                self.assertEqual((found, out.strip(b".")), (status, b""))
                self.assertEqual(err, f"oversample: error: stopped by {number.name}\n")
                self.assertEqual(self.temporary_file(folder), 0)
                self.assertEqual(self.read(f"{folder}/out.md"), old)

    def temporary_file(self, folder: str) -> int:
        """Return how many files beside out.md there are; they have random names."""
        others = [name for name in os.listdir(folder) if name != "out.md"]
        for name in others:
            self.assertRegex(name, r"^\.oversample-[0-9a-f]{16}\.tmp$")
        return len(others)

    @posix_only
    def test_3_4_a_kill_leaves_no_more_than_the_temporary_file(self) -> None:
        for old in None, b"old":
            folder = f"killed{bool(old)}"
            process = self.held_in_its_write(folder, old)
            process.send_signal(signal.SIGKILL)
            self.assertEqual(finish(process), (-signal.SIGKILL, b"", ""))
            self.assertEqual(self.temporary_file(folder), 1)
            self.assertEqual(self.read(f"{folder}/out.md"), old)

    @posix_only
    @unittest.skipIf(PYPY, "PyPy does not know that a signal is ignored")
    def test_4_2_what_is_ignored_stays_ignored(self) -> None:
        process = self.held_in_its_write("folder", None, handler=signal.SIG_IGN)
        for number in SIGNALS:
            process.send_signal(number)
        status, _, err = finish(process)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(self.read("folder/out.md"), GOOD)

    @posix_only
    def test_4_2_on_windows_break_counts_too(self) -> None:
        status, out, err = finish(start(*RUN, program=("-c", BREAK)))
        self.assertEqual((status, out), (128 + signal.SIGUSR1, b""))
        self.assertRegex(err, r"\Aoversample: error: stopped by \w+\n\Z")
        self.assertEqual(self.names(), ["in.md"])

    def test_4_2_every_signal_that_stops_a_run_has_its_status(self) -> None:
        for number in SIGNALS:
            comes = mock.patch("os.fsync", lambda _: signal.raise_signal(number))
            with self.subTest(number=number), default_handlers(), comes:
                found = self.main(*RUN)
            said = f"oversample: error: stopped by {number.name}\n"
            self.assertEqual(found, (128 + number, said))
            self.assertEqual(self.names(), ["in.md"])

    @posix_only
    def test_4_2_3_7_a_signal_while_the_input_is_waited_for(self) -> None:
        main_thread = threading.main_thread().ident

        def interrupt():
            signal.pthread_kill(main_thread, signal.SIGINT)

        with default_handlers(), fed(b"QUESTION: ", last=interrupt):
            found = self.main("--base", "2", "-", "out.md")
        self.assertEqual(found, (130, "oversample: error: stopped by SIGINT\n"))
        self.assertEqual(self.names(), ["in.md"])

    def test_4_2_a_caller_of_main_has_its_handlers_back(self) -> None:
        runs = [
            [*QUIET, "-f"],
            ["--base", "2", "none", "x"],
            ["--base"],
            ["-h"],
            [*QUIET, "--check"],
        ]
        ways = [default_handlers]
        ways += [lambda: handlers(signal.SIG_IGN), lambda: handlers(own_handler)]
        for way, arguments in itertools.product(ways, runs):
            with self.subTest(arguments), way():
                before = current_handlers()
                with mock.patch.multiple(
                    sys, stdout=io.StringIO(), stderr=io.StringIO()
                ):
                    oversample.main(arguments)
                self.assertEqual(current_handlers(), before)

    def test_4_2_a_handler_that_is_not_pythons_default_is_never_touched(self) -> None:
        seen = []

        def own(number: int, _) -> None:
            seen.append(number)

        def during_the_run(_) -> None:
            self.assertEqual(current_handlers(), [own] * len(SIGNALS))
            for number in SIGNALS:
                signal.raise_signal(number)

        with handlers(own), mock.patch("os.fsync", during_the_run):
            self.assert_silent(*QUIET)
        self.assertEqual(seen, SIGNALS)

    def test_4_2_a_handler_that_was_set_in_c_is_left_alone(self) -> None:
        in_c = mock.patch("signal.getsignal", return_value=None)
        with in_c, mock.patch("signal.signal", side_effect=AssertionError):
            self.assert_silent(*QUIET)
        self.assertEqual(self.read(), GOOD)

    @posix_only
    def test_4_2_signals_that_arrive_at_once_are_one_stop(self) -> None:
        def all_at_once(_) -> None:
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            for number in SIGNALS * 2:
                os.kill(os.getpid(), number)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

        with default_handlers():
            before = current_handlers()
            with mock.patch("os.fsync", all_at_once):
                status, said = self.main(*RUN)
            self.assertEqual(current_handlers(), before)
        # Pythons differ in which of them comes first.
        number = signal.Signals(status - 128)
        self.assertIn(number, SIGNALS)
        self.assertEqual(said, f"oversample: error: stopped by {number.name}\n")
        self.assertEqual(self.names(), ["in.md"])

    @posix_only
    def test_4_2_a_signal_while_handlers_are_set_or_given_back_is_no_traceback(
        self,
    ) -> None:
        stopped = (130, "oversample: error: stopped by SIGINT\n")
        real = signal.signal
        found = []
        for number in itertools.count():
            times = itertools.count()

            def interrupt():
                if next(times) == number:
                    os.kill(os.getpid(), signal.SIGINT)

            def set_handler(*arguments):
                interrupt()
                before = real(*arguments)
                interrupt()
                return before

            with default_handlers():
                before = current_handlers()
                with mock.patch("signal.signal", set_handler):
                    found.append(self.main(*QUIET, "-f"))
                with self.subTest(number=number):
                    self.assertEqual(current_handlers(), before)
            if next(times) <= number:
                break
        self.assertEqual(found[0], stopped)
        self.assertEqual(found[-1], (0, ""))
        self.assertEqual(set(found), {stopped, (0, "")})

    def test_4_2_outside_the_main_thread_signals_are_left_alone(self) -> None:
        found = []
        thread = threading.Thread(target=lambda: found.append(oversample.main(QUIET)))
        with default_handlers():
            before = current_handlers()
            thread.start()
            thread.join()
            self.assertEqual(current_handlers(), before)
        self.assertEqual(found, [0])
        self.assertEqual(self.read(), GOOD)


# 3.7. Streams and terminals -------------------------------------------------------------------

KEPT = "the copies keep their weight lines; --strip-weights leaves them out\n"
AGAIN = "to repeat or --check it: --base "
TABLE = """\
weight  pairs  copies each  copies   share
     1      1            2       2   14.3%  █████
     2      1            4       4   28.6%  ██████████
     3      1            8       8   57.1%  ████████████████████
     4      0           16       0    0.0%
     5      0           32       0    0.0%
 total      3                   14  100.0%

"""


def report(where: str) -> str:
    """Return the report of RUN on ABC, written to this place."""
    return f"{TABLE}14 copies, 853 bytes, written to {where}\n{KEPT}{AGAIN}2 --seed 1\n"


CLOSED = "oversample: error: <{}>: bad file descriptor\n"
NO_PAIR = "expected a pair, QUESTION: to <END_OF_SET>, found an empty document"
EMPTY = f"/dev/null:1: error: {NO_PAIR}\n{errors_in('/dev/null')}"
# A line of the shell, the exit status, and what is said on the standard error that is left.
SHELL_LINES = [
    ("run in.md 1.md 2>&-", 0, ""),
    ("run -q in.md 2.md >&-", 0, ""),
    ("run -q in.md 3.md <&-", 0, ""),
    ("run in.md 4.md <&- >&- 2>&-", 0, ""),
    ("run in.md 5.md 2>/dev/full", 0, ""),
    ("run in.md - >&-", 1, CLOSED.format("stdout")),
    ("run - 7.md <&-", 1, CLOSED.format("stdin")),
    ("run in.md - <&- >&- 2>&-", 1, ""),
    ("run none.md 7.md 2>&-", 1, ""),
    ("run none.md 7.md 2>/dev/full", 1, ""),
    ("run -x 2>/dev/full", 2, ""),
    ("run --check in.md in.md 2>&- >&-", 1, ""),
    ("run --help >&-", 0, ""),
    ("run --help >/dev/full", 1, "oversample: error: no space left on device\n"),
    ("{ sleep 0.2; run --version; echo $? >&2; } | true", 0, "1\n"),
    ("run /dev/null - >/dev/null", 1, EMPTY),
    (
        "run in.md - >/dev/full",
        1,
        "oversample: error: <stdout>: no space left on device\n",
    ),
    # More than a pipe holds.
    ("(run in.md - --base 30; echo status $? >&2) | read line", 0, "status 1\n"),
]


class Words:
    """A standard error of a caller's own, that can do no more than it must."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


class Streams(Scene):
    """3.7, 4.2, 4.5. Standard input, output and error: whole, closed, full, or left."""

    def test_3_7_a_hyphen_reads_standard_input_and_writes_standard_output(self) -> None:
        to_stdout = (0, report("standard output"))
        for stdin, files, expected, out, written in (
            ("in.md", "- -", to_stdout, GOOD, None),
            ("in.md", "in.md -", to_stdout, GOOD, None),
            ("in.md", "- out.md", (0, report("out.md")), b"", GOOD),
        ):
            self.write(b"", "stdout")
            with self.subTest(files), standing_in(0, stdin), standing_in(1, "stdout"):
                self.assertEqual(self.main(*RUN[:4], *files.split()), expected)
                os.fstat(0)  # they are still open
                os.fstat(1)
            self.assertEqual(self.read("stdout"), out)
            self.assertEqual(self.read(), written)

    def test_3_7_nothing_is_written_of_a_bad_document_on_standard_input(self) -> None:
        self.write(b"ANSWER: a", "bad.md")
        self.write(b"", "stdout")
        message = "<stdin>:1: error: expected QUESTION: first, found ANSWER:\n"
        with standing_in(0, "bad.md"), standing_in(1, "stdout"):
            found = self.main(*RUN[:4], "-", "-")
        self.assertEqual(found, (1, message + errors_in("<stdin>")))
        self.assertEqual(self.read("stdout"), b"")

    @posix_only
    @needs_processes
    def test_3_7_an_input_that_would_block_is_read_to_its_true_end(self) -> None:
        checked = (
            "out.md: up to date: all 14 copies of <stdin>, in the order of seed 1\n"
        )
        for is_blocking in False, True:
            for option, expected in ("-qf", ""), ("--check", checked):
                with self.subTest(option, is_blocking=is_blocking):
                    with fed(ABC[:70], ABC[70:100], ABC[100:], blocking=is_blocking):
                        found = self.main(*RUN[:4], option, "-", "out.md")
                    self.assertEqual(found, (0, expected))
                    self.assertEqual(self.read(), GOOD)

    @posix_only
    @needs_processes
    def test_3_7_an_output_that_would_block_is_waited_for(self) -> None:
        # 217 KB, more than a pipe holds.
        words = ["--base", "15", "--seed", "1", "in.md"]
        self.assert_silent(*words, "-q", "out.md")
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        blocks = []

        def read_slowly() -> None:
            time.sleep(0.02)
            with open(reading, "rb", 0) as file:
                while True:
                    block = file.read(30_000)
                    if not block:
                        return
                    blocks.append(block)
                    time.sleep(0.001)

        thread = threading.Thread(target=read_slowly)
        thread.start()
        with standing_in(1, writing):
            os.close(writing)
            found = self.main(*words, "-q", "-")
        thread.join()
        self.assertEqual(found, (0, ""))
        self.assertTrue(b"".join(blocks) == self.read())

    @posix_only
    @needs_processes
    def test_3_7_4_2_streams_that_are_closed_full_or_left_are_no_traceback(
        self,
    ) -> None:
        run = f'run() {{ "{sys.executable}" "{SCRIPT}" --base 2 --seed 1 "$@"; }}; '
        for line, status, said in SHELL_LINES:
            if "/dev/full" in line and not os.path.exists("/dev/full"):
                continue
            shell = start("-c", run + line, program=(), executable="/bin/sh")
            with self.subTest(line=line):
                self.assertEqual(finish(shell), (status, b"", said))
        for number in 1, 2, 3, 4:
            self.assertEqual(self.read(f"{number}.md"), GOOD)
        self.assertIsNone(self.read("7.md"))

    def test_3_7_4_2_a_reader_that_leaves_ends_the_run_in_silence(self) -> None:
        with failing("write", errno.EPIPE):
            self.assertEqual(self.main(*RUN[:-1], "-"), (1, ""))
        # So Windows says it.
        for system, said in (
            ("nt", ""),
            ("posix", "error: <stdout>: invalid argument\n"),
        ):
            with mock.patch("os.name", system), failing("write", errno.EINVAL):
                found = self.main(*RUN[:-1], "-")
            self.assertEqual(found, (1, said and f"oversample: {said}"))

    def test_3_7_4_2_help_that_cannot_be_printed_is_no_traceback(self) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        for error, said in (
            (BrokenPipeError(), ""),
            (full, "oversample: error: no space left on device\n"),
        ):
            stream = io.StringIO()
            stream.flush = mock.Mock(side_effect=error)
            err = io.StringIO()
            with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(err):
                status = oversample.main(["--help"])
                left = sys.stdout  # what Python flushes at its end
            with self.subTest(error=error):
                self.assertEqual((status, err.getvalue()), (1, said))
                self.assertIsNot(left, stream)

    def test_4_2_what_cannot_be_said_does_not_stop_the_work(self) -> None:
        for error in (
            BrokenPipeError(),
            OSError(errno.EIO, "Input/output error"),
            ValueError(),
        ):
            stream = mock.Mock(encoding="utf-8")
            stream.flush.side_effect = error
            with mock.patch.object(sys, "stderr", stream):
                self.assertEqual(oversample.main([*RUN, "-f"]), 0)
            self.assertEqual(self.read(), GOOD)

    def test_4_2_4_5_a_standard_error_may_be_a_callers_own_object(self) -> None:
        for option in "-f", "--check", "-x":
            with mock.patch.object(sys, "stderr", Words()) as stream:
                status = oversample.main([*RUN, option])
            self.assertEqual(status, 2 if option == "-x" else 0)
            self.assertGreater(len(stream.text), 0)
        self.assertEqual(self.read(), GOOD)


# The first copy, a block, and the line end.
PROGRESS = "99% written\r100% written\r"


@posix_only
@needs_processes
class Terminals(Scene):
    """3.7, 4.5. Standard streams that are a terminal."""

    def on_terminal(self, *arguments: str, out: int | str = "") -> tuple[int, str]:
        """Run the command with error, and output unless told otherwise, on a terminal."""
        import pty
        import tty

        keyboard, terminal = pty.openpty()
        tty.setraw(terminal)
        with open(terminal, "w", encoding="utf-8") as stream:
            with (
                mock.patch.object(sys, "stderr", stream),
                standing_in(1, out or terminal),
            ):
                status = oversample.main([*RUN[:5], *arguments])
        shown = b""
        # Linux says that a terminal ends by an error.
        with contextlib.suppress(OSError), open(keyboard, "rb", 0) as file:
            while True:
                block = file.read(9999)
                if not block:
                    break
                shown += block
        return status, shown.decode()

    def test_3_7_an_input_that_is_typed_ends_with_the_first_end_of_file(self) -> None:
        import pty

        keyboard, terminal = pty.openpty()
        end_of_file = b"\x04"
        os.write(keyboard, ABC + end_of_file + b"ANSWER: not read\n" + end_of_file * 9)
        with standing_in(0, terminal):
            self.assert_silent(*RUN[:4], "-q", "-", "out.md")
        self.assertEqual(self.read(), GOOD)
        os.close(keyboard)
        os.close(terminal)

    def test_4_5_progress_is_drawn_on_a_terminal_and_the_next_line_overwrites_it(
        self,
    ) -> None:
        found = self.on_terminal("-f", "out.md")
        self.assertEqual(found, (0, PROGRESS + report("out.md")))
        self.assertEqual(self.read(), GOOD)
        self.assertEqual(self.on_terminal("-qf", "out.md"), (0, ""))
        self.assertEqual(self.on_terminal("-n", "out.md")[1].count("\r"), 0)
        with failing("fsync", errno.ENOSPC):
            found = self.on_terminal("-f", "out.md")
        text = os.strerror(errno.ENOSPC).lower()
        self.assertEqual(found, (1, f"{PROGRESS}oversample: error: out.md: {text}\n"))

    def test_4_5_progress_is_a_line_for_each_percentage(self) -> None:
        self.write(pair("x" * 33_000, 5))  # at base 3, 243 blocks
        _, shown = self.on_terminal("--base", "3", "-f", "out.md")
        *percents, _ = shown.split("% written\r")
        self.assertEqual([int(each) for each in percents], list(range(1, 101)))

    def test_3_7_no_progress_where_the_document_goes_or_may_go_to_the_terminal(
        self,
    ) -> None:
        said = report("standard output")
        self.assertEqual(self.on_terminal("-"), (0, GOOD.decode() + said))
        reading, writing = os.pipe()
        self.assertEqual(self.on_terminal("-", out=writing), (0, said))
        os.close(reading)
        os.close(writing)
        self.write(b"", "stdout")
        status, shown = self.on_terminal("-", out="stdout")
        self.assertEqual((status, shown), (0, PROGRESS + said))
        self.assertEqual(self.read("stdout"), GOOD)


# 4. The command -------------------------------------------------------------------------------

USAGE = "usage: oversample --base N [options] INPUT OUTPUT\n"
OPTIONS = (
    "INPUT OUTPUT --base --seed --max-copies --strip-weights -n, --dry-run --check "
    "-f, --force -q, --quiet --version -h, --help"
)
# Words that are no base, no seed, no cap, and how the error quotes them otherwise.
BASE_WORDS = listed("0 0.5 -2 nan inf 1e9 two 1_0 1000.1 1001 +2 2. .5 \u0662 1/2 2,5")
SEED_WORDS = listed("-1 1.5 18446744073709551616 1_0 \u0663 x +1")
CAP_WORDS = listed("0 -1 1.5 x 1_0 \u0661")
LONG_SEED = ("9" * 5000, f"'{'9' * 47}...'")

NASTY = b"\x1b[31m\x00\x07\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xff\x7f\r"
SAFE = r"\x1b[31m\x00\x07\x9b\u202e\u2028\xff\x7f"
NASTY_NAME = "\x1b[2J\n\u202e.md"
SAFE_NAME = r"\x1b[2J\n\u202e.md"

# How many warnings a document has, and the line behind the first ten.
MORE_WARNINGS = [
    (9, ""),
    (10, ""),
    (11, "oversample: warning: 1 more, not shown\n"),
    (12, "oversample: warning: 2 more, not shown\n"),
    (99, "oversample: warning: 89 more, not shown\n"),
    (100, "oversample: warning: at least 90 more, not shown\n"),
    (250, "oversample: warning: at least 90 more, not shown\n"),
]
# 1,201 pairs at base 1.3 and some rows of their report.
THOUSANDS = [
    "weight  pairs  copies each  copies   share",
    "     1  1,200            1   1,200   99.8%  ████████████████████",
    "     2      1            2       2    0.2%  █",
    " total  1,201                1,202  100.0%",
]
MILLIONS = [
    "weight  pairs    copies each      copies   share",
    "     1      1             73          73    0.0%  █",
    "     2      2          5,329      10,658    0.0%  █",
    "     4      1     28,398,241  28,398,241  100.0%  ████████████████████",
    "     5      0  2,073,071,593           0    0.0%",
    " total      4                 28,408,972  100.0%",
]
NO_MEMORY = "oversample: error: not enough memory for this document and base\n"


class Command(Scene):
    """4. The command, where a transcript cannot show it."""

    def test_4_1_bad_numbers_are_bad_usage(self) -> None:
        nothing = ("", "nothing")
        rows = [("--base", BASE, *row) for row in [*quoted(BASE_WORDS), nothing]]
        rows += [
            ("--seed", SEED, *row) for row in [*quoted(SEED_WORDS), nothing, LONG_SEED]
        ]
        rows += [("--max-copies", CAP, *row) for row in [*quoted(CAP_WORDS), nothing]]
        for option, limits, word, found in rows:
            said = f"{USAGE}oversample: error: argument {option}: {limits}{found}\n"
            with self.subTest(option, word=word):
                result = self.main("--base", "2", "in.md", "out.md", f"{option}={word}")
                self.assertEqual(result, (2, said))
        self.assertEqual(self.names(), ["in.md"])

    def test_4_1_options_are_not_abbreviated(self) -> None:
        for word in listed("-x --strip --forc --dry --see --chec --q --no \u2013f"):
            with self.subTest(word=word):
                status, said = self.main(*RUN, word)
                self.assertEqual(status, 2)
                self.assertTrue(said.startswith(f"{USAGE}oversample: error: "))
                self.assertIn(word, said)
        status, said = self.main(*RUN, "--\x1b[2Jx")
        self.assertEqual(status, 2)
        self.assertIn("--\\x1b[2Jx\n", said)
        self.assertEqual(self.names(), ["in.md"])

    def test_4_1_options_stand_before_between_and_behind_the_files(self) -> None:
        chunks = ["--base", "2"], ["--seed=1"], ["-qf"], ["in.md"], ["out.md"]
        for order in itertools.permutations(chunks):
            if order.index(["in.md"]) > order.index(["out.md"]):
                continue
            words = itertools.chain(*order)
            with self.subTest(order=order):
                self.assert_silent(*words)
                self.assertEqual(self.read(), GOOD)
                os.unlink("out.md")

    def test_4_help_and_version_go_to_standard_output(self) -> None:
        printed = []
        for words in ["-h"], ["--help"], ["--base", "2", "x", "-h"], ["--version"]:
            with contextlib.redirect_stdout(io.StringIO()) as out:
                self.assertEqual(oversample.main(words), 0)
            printed.append(out.getvalue())
        newest = mock.patch.object(sys, "version_info", (3, 14, 0, "final", 0))
        with newest, contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(oversample.main(["-h"]), 0)
        text, *others, version = printed
        self.assertEqual([*others, out.getvalue()], [text] * 3)
        self.assertTrue(text.startswith(USAGE))
        options = re.findall(r"(?m)^  (?:-\w, )?--[\w-]+|^  [A-Z]+", text)
        self.assertEqual(" ".join(" ".join(options).split()), OPTIONS)
        self.assertRegex(version, r"\Aoversample [0-9]+\.[0-9]+\.[0-9]+\n\Z")

    @needs_processes
    def test_4_help_has_no_colours_even_where_they_are_forced(self) -> None:
        for word, status in ("--help", 0), ("--base", 2):
            found, out, err = finish(start(word, variables={"FORCE_COLOR": "1"}))
            self.assertEqual(found, status)
            text = out.decode() + err
            self.assertTrue(text.startswith(USAGE.rstrip()))
            self.assertNotIn("\x1b", text)

    def test_4_4_the_bars_fall_back_to_ascii(self) -> None:
        blocks = {"utf-8": "█", "utf-16": "█", "ascii": "#", "latin-1": "#"}
        for encoding, block in blocks.items():
            found = self.main(*RUN, "-f", encoding=encoding)
            said = report("out.md").replace("█", block)
            self.assertEqual(found, (0, said))

    def test_4_4_the_report_is_aligned_whatever_its_numbers_are(self) -> None:
        for weights, words, rows in (
            ([1] * 1200 + [2], "--base 1.3", THOUSANDS),
            ([1, 2, 2, 4], "--base 73 --max-copies 2147483648", MILLIONS),
        ):
            self.write(document(*weights))
            status, said = self.main("-n", *words.split(), "in.md")
            lines = said.splitlines()
            with self.subTest(words):
                self.assertEqual(status, 0)
                self.assertEqual([line for line in lines if line in rows], rows)

    def test_4_4_the_last_line_repeats_the_run_and_checks_it(self) -> None:
        seeds = set()
        for options in (
            [],
            ["--max-copies", "3"],
            ["--strip-weights"],
            ["--base", "1.30"],
        ):
            for name, way in ("1.md", "-f"), ("2.md", "-n"):
                _, said = self.main("--base", "2", *options, way, "in.md", name)
                words = said.splitlines()[-1].partition("check it: ")[2].split()
                seed = words[words.index("--seed") + 1]
                self.assertRegex(seed, r"\A\d{1,10}\Z")
                seeds.add(seed)
                self.assert_silent("-qf", *words, "in.md", "again.md")
                self.assert_silent("-q", "--check", *words, "in.md", "again.md")
                written = None if way == "-n" else self.read("again.md")
                self.assertEqual(self.read(name), written)
        self.assertGreater(len(seeds), 6)  # two of eight are the same once in 10**8

    def test_2_5_a_seed_that_is_drawn_has_32_bits(self) -> None:
        for byte, seed in (b"\xff", 2**32 - 1), (b"\x00", 0):
            with mock.patch("os.urandom", side_effect=lambda size: byte * size):
                summary = oversample.oversample(
                    "in.md", "out.md", base=2, overwrite=True
                )
            self.assertEqual(summary.seed, seed)

    def test_4_6_of_more_than_ten_warnings_the_first_ten_are_printed(self) -> None:
        for count, more in MORE_WARNINGS:
            self.write(b"x\n<!-- -->\n" * count + ABC)
            lines = range(1, 2 * min(count, 10), 2)
            said = (
                "".join(f"in.md:{line}: warning: {NOT_COPIED}\n" for line in lines)
                + more
            )
            with self.subTest(count=count):
                found = self.main(*RUN, "-f")
                self.assertEqual(found, (0, said + report("out.md")))
                self.assert_silent(*QUIET, "-f")

    def test_4_6_all_errors_are_printed_and_how_many_they_are(self) -> None:
        row = "expected <!-- before '-->', found no open comment"
        for count in 1, 2, 100, 250:
            self.write(b"-->\n" * count + ABC)
            shown = min(count, 100)
            said = "".join(
                f"in.md:{line}: error: {row}\n" for line in range(1, shown + 1)
            )
            how_many = str(count)
            if count > 100:
                said += f"in.md:101: error: {STOPPED}\n"
                how_many = "more than 100"
            said += errors_in("in.md", how_many)
            for option in "-f", "-n", "-q", "--check":
                with self.subTest(option, count=count):
                    self.assertEqual(self.main(*RUN, option), (1, said))

    def test_4_3_what_is_quoted_from_a_document_has_its_control_characters_escaped(
        self,
    ) -> None:
        self.write(NASTY + b"\n" + ABC)
        said = f"in.md:1: warning: text outside any pair is not copied: '{SAFE}'\n"
        self.assertEqual(self.main(*RUN), (0, said + report("out.md")))
        self.write(b"QUESTION: a\nANSWER: b\nOVERSAMPLE_WEIGHT: " + NASTY + b"\n")
        message = "expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found"
        said = f"in.md:3: error: {message} '{SAFE}'\n" + errors_in("in.md")
        self.assertEqual(self.main(*RUN, "-f"), (1, said))

    @posix_only
    def test_4_3_names_have_their_control_characters_escaped(self) -> None:
        run = ["--base", "2", "--seed", "1"]
        self.write(ABC, NASTY_NAME)
        found = self.main(*run, NASTY_NAME, NASTY_NAME * 2)
        self.assertEqual(found, (0, report(SAFE_NAME * 2)))
        self.assert_fails(f"{SAFE_NAME}: {EXISTS}", *run, "in.md", NASTY_NAME)
        self.write(b"ANSWER: a", NASTY_NAME)
        message = "1: error: expected QUESTION: first, found ANSWER:\n"
        found = self.main(*run, NASTY_NAME, "out.md")
        self.assertEqual(found, (1, f"{SAFE_NAME}:{message}{errors_in(SAFE_NAME)}"))
        found = self.main(*run, "--check", "in.md", "\udcff")
        text = os.strerror(errno.ENOENT).lower()
        self.assertEqual(found, (1, f"oversample: error: \\udcff: {text}\n"))

    def test_4_2_what_is_wrong_with_the_input_is_one_line(self) -> None:
        names = {
            "none.md": errno.ENOENT,
            "": errno.ENOENT,
            "./-none": errno.ENOENT,
        }
        if POSIX:
            names.update({".": errno.EISDIR, "in.md/x": errno.ENOTDIR})
            names.update({"\udcff": errno.ENOENT, NASTY_NAME: errno.ENOENT})
        for name, number in names.items():
            shown = {"": "''", "\udcff": "\\udcff", NASTY_NAME: SAFE_NAME}.get(
                name, name
            )
            text = os.strerror(number)
            said = f"oversample: error: {shown}: {text[0].lower()}{text[1:]}\n"
            for words in ["out.md"], ["--check", "in.md"], ["-n"]:
                with self.subTest(words, name=name):
                    self.assertEqual(self.main("--base", "2", name, *words), (1, said))
        self.assertEqual(self.names(), ["in.md"])

    @linux_only
    def test_3_7_an_input_that_fails_is_never_cut_short(self) -> None:
        said = "oversample: error: /proc/self/mem: input/output error\n"
        for words in (
            ["/proc/self/mem", "out.md"],
            ["--check", "in.md", "/proc/self/mem"],
        ):
            self.assertEqual(self.main("--base", "2", *words), (1, said))

    def test_4_2_a_defect_of_the_program_is_not_told_as_an_error_of_its_user(
        self,
    ) -> None:
        errors = (
            ValueError("odd"),
            RuntimeError("odd"),
            DocumentError([(1, "odd")]),
            KeyError(),
        )
        for error, name in itertools.product(errors, ("random.Random", "os.fsync")):
            with self.subTest(name, error=error), default_handlers():
                before = current_handlers()
                with (
                    mock.patch(name, side_effect=error),
                    self.assertRaises(type(error)),
                ):
                    self.main(*RUN)
                self.assertEqual(current_handlers(), before)  # even then
        self.assertEqual(self.names(), ["in.md"])

    def test_4_2_an_error_of_the_system_without_a_number_is_one_line(self) -> None:
        with mock.patch("os.urandom", side_effect=OSError("Odd")):
            self.assert_fails("odd", "--base", "2", "in.md", "-n")

    def test_4_2_not_enough_memory_is_one_line(self) -> None:
        with mock.patch("random.Random", side_effect=MemoryError):
            self.assertEqual(self.main(*RUN), (1, NO_MEMORY))
        self.assertEqual(self.names(), ["in.md"])

    @linux_only
    @unittest.skipIf(PYPY, "PyPy aborts where memory ends")
    def test_4_2_an_input_or_an_order_larger_than_memory_is_one_line(self) -> None:
        import resource

        self.write(document(5))
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        for base, *files in ("2", "/dev/zero", "out.md"), ("73", "in.md", "-"):
            resource.setrlimit(resource.RLIMIT_AS, (2**28, most))
            try:
                found = self.main("--base", base, *files)
            finally:
                resource.setrlimit(resource.RLIMIT_AS, (most, most))
            self.assertEqual(found, (1, NO_MEMORY))


# 5. The check ---------------------------------------------------------------------------------

A = pair("a", 1)
B = pair("b", 2)
C = pair("c", 3)
SORTED = [A, A, *[B] * 4, *[C] * 8]  # the copies of ABC at base 2
EDITED_C = C.replace(b"c!", b"d!")
LONG_EDITED_C = C.replace(b"c!", b"c!\n" * 300)
STRANGER = pair("z")

STRANGE = "this copy matches no pair; "
SAME_C = STRANGE + "in.md:15 has the same question: one of the two was edited"
WEIGHED_C = f"{STRANGE}it is in.md:15 except for its weight line: {WEIGHT_EDITED}"
NO_SUCH = STRANGE + "no pair of in.md has this question"
NO_COPY = "text that belongs to no copy: "
ANOTHER_ORDER = "expected the order of seed {}, found another"


def joined(*spans: bytes) -> bytes:
    return b"\n\n".join(spans) + b"\n"


def miscounted(line: int, due: int, found: int) -> str:
    """Return the row that a pair has too few or too many copies."""
    plural = "copy" if due == 1 else "copies"
    return (
        f"in.md:{line}: expected {due} {plural} of this pair in out.md, found {found}"
    )


class Differing(NamedTuple):
    """A file that differs from the output of ABC at base 2, and how."""

    title: str
    content: bytes
    expected: list[str]


DIFFERING = [
    Differing("any order", joined(*SORTED), []),
    # Copies.
    Differing("one is missing", joined(*SORTED[:-1]), [miscounted(15, 8, 7)]),
    Differing("one too many", joined(*SORTED, ONE), [miscounted(1, 2, 3)]),
    Differing(
        "one for another",
        joined(*SORTED[:-1], SORTED[2]),
        [miscounted(8, 4, 5), miscounted(15, 8, 7)],
    ),
    Differing(
        "an edited one",
        joined(*SORTED[:-1], EDITED_C),
        ["out.md:92: " + SAME_C, miscounted(15, 8, 7)],
    ),
    Differing(
        "an edited one first, longer than its pair",
        joined(LONG_EDITED_C, *SORTED[:-1]),
        ["out.md:1: " + SAME_C, miscounted(15, 8, 7)],
    ),
    Differing(
        "all copies of an older text",
        joined(*SORTED[:6], *[EDITED_C] * 8),
        ["out.md:43: " + SAME_C, miscounted(15, 8, 0)],
    ),
    Differing(
        "another weight",
        joined(*SORTED[:-1], pair("c", 4)),
        ["out.md:92: " + WEIGHED_C, miscounted(15, 8, 7)],
    ),
    Differing(
        "no weight line",
        joined(*SORTED[:-1], C.replace(b"OVERSAMPLE_WEIGHT: 3\n", b"")),
        ["out.md:92: " + WEIGHED_C, miscounted(15, 8, 7)],
    ),
    Differing(
        "no weight",
        joined(*SORTED[:-1], C.replace(b" 3\n", b"\n")),
        ["out.md:92: " + WEIGHED_C, miscounted(15, 8, 7)],
    ),
    Differing("of no pair", joined(*SORTED, STRANGER), ["out.md:99: " + NO_SUCH]),
    Differing(
        "two of no pair, and another",
        joined(STRANGER, *SORTED[:4], pair("y"), *SORTED[4:], STRANGER),
        ["out.md:1: " + NO_SUCH, "out.md:36: " + NO_SUCH],
    ),
    # Text.
    Differing("text before", b" x\n" + joined(*SORTED), [f"out.md:1: {NO_COPY}'x'"]),
    Differing(
        "text before, blank lines around it",
        b"\n\nx\n\n" + joined(*SORTED),
        [f"out.md:3: {NO_COPY}'x'"],
    ),
    Differing(
        "a byte order mark",
        b"\xef\xbb\xbf" + joined(*SORTED),
        [f"out.md:1: {NO_COPY}'\\ufeff'"],
    ),
    Differing(
        "a marker in mid-line",
        b"see QUESTION: x\n" + joined(*SORTED),
        [f"out.md:1: {NO_COPY}'see QUESTION: x'"],
    ),
    Differing(
        "text between",
        joined(*SORTED[:3]) + b"\n\nsome\nx\n" + joined(*SORTED[3:]),
        [f"out.md:23: {NO_COPY}'some'"],
    ),
    Differing("text after", joined(*SORTED) + b"x\n", [f"out.md:98: {NO_COPY}'x'"]),
    Differing(
        "text behind a copy of no pair",
        joined(STRANGER, *SORTED) + b"x\n",
        ["out.md:1: " + NO_SUCH, f"out.md:105: {NO_COPY}'x'"],
    ),
    Differing(
        "a marker after",
        joined(*SORTED) + b"QUESTION:",
        [f"out.md:98: {NO_COPY}'QUESTION:'"],
    ),
    Differing(
        "a copy cut short",
        joined(*SORTED, ONE[:-1]).rstrip(),
        [f"out.md:99: {NO_COPY}'QUESTION: a?'"],
    ),
    Differing(
        "a copy in mid-line",
        joined(*SORTED[:2]).rstrip() + b"  " + joined(*SORTED[2:]),
        [f"out.md:13: {NO_COPY}'QUESTION: b?'", miscounted(8, 4, 3)],
    ),
    Differing(
        "a stray end",
        joined(*SORTED).rstrip() + b"<END_OF_SET>\n",
        [f"out.md:97: {NO_COPY}'<END_OF_SET>'"],
    ),
    # Gaps.
    Differing(
        "a short gap",
        joined(*SORTED[:3]) + joined(*SORTED[3:]),
        ["out.md:20: expected '\\n\\n' here, found '\\n'"],
    ),
    Differing(
        "no gap",
        joined(*SORTED[:3]).rstrip() + joined(*SORTED[3:]),
        ["out.md:20: expected '\\n\\n' here, found nothing"],
    ),
    Differing(
        "a gap before the first",
        b"\n\n" + joined(*SORTED),
        ["out.md:1: expected nothing here, found '\\n\\n'"],
    ),
    Differing(
        "no line end",
        joined(*SORTED).rstrip(),
        ["out.md:97: expected '\\n' here, found nothing"],
    ),
    Differing(
        "a longer end",
        joined(*SORTED) + b"\n",
        ["out.md:97: expected '\\n' here, found '\\n\\n'"],
    ),
    Differing(
        "nothing",
        b"",
        [
            "out.md:1: expected '\\n' here, found nothing",
            miscounted(1, 2, 0),
            miscounted(8, 4, 0),
            miscounted(15, 8, 0),
        ],
    ),
]

# Altered copies of one hash() each where PYTHONHASHSEED is 0: for Python 3.11 and later, and
# for those before. It is the answer of a pair that is made to measure.
FORGED_ANSWERS = [
    (b"ckbnindbnbmfckpc", b"aogccinkimlbacnn"),
    (b"mdpaomiokcfoknic", b"mkhojenmiickggkb"),
]
FORGED = b"QUESTION: a?\n\nANSWER: b %s\n\nOVERSAMPLE_WEIGHT: 5\n<END_OF_SET>"
FORGED_CHECK = """
import sys
from oversample import check
_, *spans = open("spans", "rb").read().split(b"---")
print(len(set(map(hash, spans))), len(check("in.md", "out.md", base=2)))
"""


class Check(Scene):
    """5. Is this output what the input and the options give?"""

    def differences(self, **options) -> list[str]:
        options.setdefault("base", 2)
        found = check("in.md", "out.md", **options)
        return [f"{each.path}:{each.line}: {each.message}" for each in found]

    def test_5_1_what_was_written_passes_with_its_seed_and_without(self) -> None:
        contents = {
            "the sample": SAMPLE.read_bytes(),
            "one pair": document(1),
            "twins": ONE + b"\n" + ONE,
            "CRLF": ABC.replace(b"\n", b"\r\n"),
            "a long pair": document(1) + pair("x" * 300_000),
        }
        runs = [
            {"base": 2},
            {"base": 1.3, "strip_weights": True},
            {"base": 9, "max_copies": 2},
        ]
        for name, options in itertools.product(contents, runs):
            self.write(contents[name])
            oversample.oversample("in.md", "out.md", seed=4, **options)
            with self.subTest(name, options=options):
                self.assertEqual(self.differences(**options), [])
                self.assertEqual(self.differences(seed=4, **options), [])
            os.unlink("out.md")

    def test_5_2_every_way_to_differ_is_said_with_its_lines(self) -> None:
        for title, content, expected in DIFFERING:
            self.old_output(content)
            with self.subTest(title):
                self.assertEqual(self.differences(), expected)
                *rows, last = self.differences(seed=1)
                # Of the order something is said only where the copies are right.
                if any(
                    word in row for row in expected for word in ("no pair", "this pair")
                ):
                    self.assertEqual([*rows, last], expected)
                else:
                    self.assertEqual(rows, expected)
                    self.assertIn(ANOTHER_ORDER.format(1), last)

    def test_5_2_the_first_copy_out_of_order_is_named(self) -> None:
        order = ORDER_OF_SEED_1
        for place in range(len(order) - 1):
            if order[place] == order[place + 1]:
                continue
            swapped = [*order]
            swapped[place : place + 2] = order[place + 1], order[place]
            self.old_output(ordered("".join(swapped)))
            expected = f"out.md:{1 + 7 * place}: {ANOTHER_ORDER.format(1)}"
            self.assertEqual(self.differences(seed=1), [expected])
            self.assertEqual(self.differences(), [])

    def test_5_1_of_equal_pairs_the_first_speaks_for_all(self) -> None:
        self.write(joined(pair("a", 2), pair("b", 1), pair("a", 2)))
        b_copies = [pair("b", 1)] * 2
        self.old_output(joined(*[pair("a", 2)] * 8, *b_copies))
        self.assertEqual(self.differences(), [])
        self.old_output(joined(*[pair("a", 2)] * 7, *b_copies))
        self.assertEqual(self.differences(), [miscounted(1, 8, 7)])

    def test_5_2_a_strange_copy_is_set_beside_the_pair_that_it_resembles(self) -> None:
        twin = pair("a", 3).replace(b"a!", b"b!")
        self.write(joined(pair("a", 1), twin, pair("a", 2)))
        missing = [miscounted(*row) for row in ((1, 2, 0), (8, 8, 0), (15, 4, 0))]
        same_question = (
            STRANGE + "in.md:1 has the same question: one of the two was edited"
        )
        weighed = (
            f"{STRANGE}it is in.md:{{}} except for its weight line: {WEIGHT_EDITED}"
        )
        for copy, expected in (
            (pair("a", 4), weighed.format(1)),
            (twin.replace(b" 3", b" 5"), weighed.format(8)),
            (twin.replace(b"b!", b"c!"), same_question),
        ):
            self.old_output(joined(copy))
            self.assertEqual(self.differences(), [f"out.md:1: {expected}", *missing])

    def test_5_2_a_weight_line_that_was_stripped_once_and_not_now(self) -> None:
        weighed = f"{STRANGE}it is in.md:1 except for its weight line: {WEIGHT_EDITED}"
        expected = [f"out.md:1: {weighed}", miscounted(1, 1, 0)]
        stripped = ONE.replace(b"OVERSAMPLE_WEIGHT: 1\n", b"") + b"\n"
        self.write(ONE)
        self.old_output(stripped)
        self.assertEqual(self.differences(base=1), expected)
        self.old_output(ONE + b"\n")
        self.assertEqual(self.differences(base=1, strip_weights=True), expected)

    def test_5_1_every_byte_counts_with_a_seed_and_without(self) -> None:
        for place in range(0, len(GOOD), 2):
            options = {"seed": 1} if place % 4 else {}
            changed = bytearray(GOOD)
            changed[place] ^= 1
            self.old_output(changed)
            self.assertNotEqual(self.differences(**options), [], place)
            del changed[place]
            self.old_output(changed)
            self.assertNotEqual(self.differences(**options), [], place)

    @needs_processes
    def test_5_1_copies_of_the_same_hash_are_no_copies(self) -> None:
        collisions = 0
        for answer, altered in FORGED_ANSWERS:
            good = FORGED % answer
            bad = FORGED % altered
            self.write(good + b"\n")
            self.old_output(joined(good, *[bad] * 31))
            self.write(b"---".join([b"", good, bad]), "spans")
            process = start(
                program=("-c", FORGED_CHECK), variables={"PYTHONHASHSEED": "0"}
            )
            status, out, err = finish(process)
            self.assertEqual((status, err), (0, ""))
            hashes, differences = map(int, out.split())
            self.assertGreater(differences, 0)
            collisions += hashes == 1
        if not collisions:
            self.skipTest("this Python hashes bytes in a way of its own")

    def test_5_2_at_most_100_differences_are_kept(self) -> None:
        self.old_output(b"0<END_OF_SET>" * 200)
        expected = [f"out.md:1: {NO_COPY}'0<END_OF_SET>'"] * 100
        self.assertEqual(self.differences(), expected)
        self.write(b"\n".join(pair(str(number)) for number in range(300)))
        self.old_output(b"\n")
        expected = [miscounted(line, 2, 0) for line in range(1, 600, 6)]
        self.assertEqual(self.differences(), expected)
        said = [row.replace(": ", ": error: ", 1) + "\n" for row in expected[:10]]
        said.append("oversample: error: at least 90 more, not shown\n")
        options = "if out.md was made with these options, run again with --force instead of --check"
        said.append(
            "oversample: error: out.md is not what in.md and these options give; "
        )
        said.append(f"{options} to renew it\n")
        found = self.main(*RUN, "--check")
        self.assertEqual(found, (1, "".join(said)))

    def test_5_2_figures_of_thousands_are_grouped(self) -> None:
        self.write(document(5))
        self.old_output(joined(*[pair("a", 5)] * 1024))
        expected = "in.md:1: expected 3,125 copies of this pair in out.md, found 1,024"
        self.assertEqual(self.differences(base=5), [expected])

    def test_5_3_memory_and_time_are_bounded_whatever_the_output_is(self) -> None:
        self.write(joined(pair("x" * 1000, 5), pair("y" * 1000, 5)))
        oversample.oversample("in.md", "good.md", base=5)
        good = self.read("good.md")  # 13 MB
        strange = joined(*(pair(str(number)) for number in range(30_000)))
        for title, content, lines in (
            ("a good one", good, []),
            ("stray ends", b"0<END_OF_SET>" * 200_000, [1] * 100),
            ("copies of no pair", strange, range(1, 701, 7)),
        ):
            self.old_output(content)
            with self.subTest(title):
                self.assert_bounded(lines)
        for title, content, line in (
            ("a hole", b"", 1),
            ("a hole behind two gaps", good[:5000] + b"\n\n", 15),
            ("a hole in a copy", good[:5000], 15),
        ):
            self.old_output(content)
            os.truncate("out.md", 300 * 2**20)
            with self.subTest(title):
                self.assert_bounded([line])

    def assert_bounded(self, lines) -> None:
        """The check finds differences at these lines of the output, at a small cost."""
        found = []

        def run() -> None:
            found[:] = check("in.md", "out.md", base=5)

        self.assertLess(seconds(run), 1)
        at_output = [each.line for each in found if each.path == "out.md"]
        self.assertEqual(at_output, list(lines))
        self.assertLess(peak_memory(run), 2**20)

    def test_5_1_gaps_longer_than_every_pair_are_no_reason_to_stop(self) -> None:
        for length in 70_000, 140_000, 400_000:
            gap = b"\n" * length
            self.write(gap.join([pair("a", 1), pair("b", 1)]))
            oversample.oversample("in.md", "out.md", base=2, seed=1, overwrite=True)
            self.assertEqual(self.differences(), [])
            self.assertEqual(self.differences(seed=1), [])
            first = self.read()[: len(pair()) * 2 + length]
            for end in b"\n", b"x\n", gap:
                self.old_output(first + end)
                self.assertNotEqual(self.differences(), [])

    @needs("mkfifo")
    def test_5_3_what_is_no_regular_file_is_refused(self) -> None:
        os.mkfifo("pipe")
        said = "oversample: error: {}: is not a regular file\n"
        for name in "pipe", ".", "/dev/zero", "/dev/null":
            found = self.main("--check", *RUN[:5], name)
            self.assertEqual(found, (1, said.format(name)))

    def test_5_the_check_writes_nothing(self) -> None:
        self.old_output(GOOD)
        before = self.state()
        names = listed("write link replace rename unlink remove chmod open fsync")
        names = [name for name in names if hasattr(os, name)]
        forbidden = mock.Mock(side_effect=AssertionError)
        with mock.patch.multiple("os", **dict.fromkeys(names, forbidden)):
            status, _ = self.main("--check", *RUN, "-f")
            self.assertEqual(status, 0)
            status, _ = self.main("--check", *RUN, "--base", "3")
            self.assertEqual(status, 1)
        self.assertEqual(self.state(), before)


# 6. The functions, the module -----------------------------------------------------------------

PUBLIC = "Difference Document DocumentError QAPair Summary check copies oversample parse resample"
KEYWORDS = "*, base, seed=None, max_copies=None, strip_weights=False"
SIGNATURES = [
    (oversample.oversample, f"(source, destination, {KEYWORDS}, overwrite=False)"),
    (check, f"(source, destination, {KEYWORDS})"),
    (copies, "(weight, base, max_copies=None)"),
    (resample, "(pairs, *, base, seed, max_copies=None)"),
    (parse, "(document)"),
    (oversample.main, "(argv=None)"),
]
IMPORT = """
import os, signal, sys, threading

def state():
    return (
        [signal.getsignal(number) for number in (1, 2, 15)],
        os.listdir(),
        os.getcwd(),
        threading.active_count(),
        dict(os.environ),
        list(sys.argv),
        sys.excepthook,
    )

before = state()
import oversample
sys.exit(state() != before)
"""


class Python(Scene):
    """6. From Python: oversample(), check(), the module."""

    def test_6_the_signatures_and_names_are_those_of_the_contract(self) -> None:
        for function, expected in SIGNATURES:
            with mock.patch.object(function, "__annotations__", {}):
                self.assertEqual(str(inspect.signature(function)), expected)
        self.assertEqual(sorted(oversample.__all__), PUBLIC.split())
        for name in oversample.__all__:
            self.assertTrue(getattr(oversample, name).__doc__, name)

    def test_6_a_summary_has_names(self) -> None:
        summary = oversample.oversample("in.md", pathlib.Path("out.md"), base=2, seed=1)
        self.assertEqual(summary, (3, 14, 853, 1))
        self.assertEqual(self.read(), GOOD)
        names = (summary.pairs, summary.copies, summary.bytes, summary.seed)
        self.assertEqual(names, summary)

    def test_6_a_difference_has_names(self) -> None:
        self.make()
        self.assertEqual(check("in.md", "out.md", base="2"), ())
        *_, last = check(pathlib.Path("in.md"), pathlib.Path("out.md"), base=3)
        self.assertEqual((last.path, last.line), ("in.md", 15))
        self.assertEqual(
            last.message, "expected 27 copies of this pair in out.md, found 8"
        )

    def test_6_1_whole_numbers_may_be_of_any_type_that_is_an_index(self) -> None:
        options = {"base": Index(2), "seed": Index(1), "max_copies": Index(8)}
        summary = oversample.oversample("in.md", "out.md", **options)
        self.assertEqual(summary, (3, 14, 853, 1))
        self.assertEqual(self.read(), GOOD)
        self.assertEqual(check("in.md", "out.md", **options), ())

    def test_6_a_path_may_be_bytes(self) -> None:
        oversample.oversample(b"in.md", b"out.md", base=2, seed=1)
        self.assertEqual(self.read(), GOOD)
        self.assertEqual(check(b"in.md", b"out.md", base=2, seed=1), ())

    def test_6_1_what_is_not_a_path_is_a_type_error_and_is_neither_opened_nor_closed(
        self,
    ) -> None:
        functions = oversample.oversample, check
        with open("in.md", "rb") as file:
            for bad in file.fileno(), True, 1, None, 1.5, file:
                for paths in (bad, "out.md"), ("in.md", bad):
                    for function in functions:
                        with mock.patch("builtins.open", side_effect=AssertionError):
                            with self.assertRaises(TypeError, msg=paths):
                                function(*paths, base=2, seed=1)
                        os.fstat(1)
            self.assertEqual(file.read(), ABC)
        self.assertEqual(self.names(), ["in.md"])

    def test_6_1_bad_numbers_are_value_errors_before_a_file_is_opened(self) -> None:
        rows = [("base", BASE, *row) for row in BAD_BASES]
        rows += [("seed", SEED, *row) for row in BAD_SEEDS]
        rows += [("max_copies", CAP, *row) for row in BAD_CAPS]
        for function in oversample.oversample, check:
            for name, limits, value, found in rows:
                options = {"base": 2, name: value}
                with self.subTest(function.__name__, **{name: value}):
                    with self.assertRaises(ValueError) as caught:
                        function("none.md", "out.md", **options)
                    self.assertEqual(str(caught.exception), limits + found)

    def test_6_1_a_bad_document_is_a_document_error_and_nothing_is_written(
        self,
    ) -> None:
        self.write(b"ANSWER: a")
        expected = ((1, "expected QUESTION: first, found ANSWER:"),)
        for function in oversample.oversample, check:
            with self.assertRaises(DocumentError) as caught:
                function("in.md", "out.md", base=2)
            self.assertEqual(caught.exception.problems, expected)
        self.assertEqual(self.names(), ["in.md"])

    def test_6_1_nothing_below_main_prints_or_touches_signals(self) -> None:
        self.write(b"text\n" + document(1, 1) + b"\n" + document(1))
        self.write(b"ANSWER:", "bad.md")
        untouched = mock.patch("signal.signal", side_effect=AssertionError)
        with (
            contextlib.redirect_stdout(io.StringIO()) as out,
            contextlib.redirect_stderr(out),
        ):
            for source, base in itertools.product(("in.md", "bad.md"), (2, 3)):
                for function in oversample.oversample, check:
                    with untouched, contextlib.suppress(OSError, DocumentError):
                        function(source, "out.md", base=base)
        self.assertEqual(out.getvalue(), "")

    @needs_processes
    def test_6_1_importing_has_no_side_effect(self) -> None:
        process = start(program=("-W", "error", "-c", IMPORT))
        self.assertEqual(finish(process), (0, b"", ""))


# Cases in files: sources/cases/README.md says how they are written ----------------------------

ESCAPE = re.compile(r"\{([0-9a-f]*)\}")
NO_LINE_END = "{eof}"
NOTE = re.compile(r"[\^~=] ")
PART_LINE = re.compile(r"(\$) (.+)|(--|\+\+) (.+) \3")
TITLE = "=== "
LIKE_A_TITLE = re.compile(r"(?m)^==+[^=\n]")


class Example(NamedTuple):
    """A case of a file: its title, its file and line, and its lines."""

    title: str
    place: str
    lines: list[str]


class TranscriptPart(NamedTuple):
    """A command ($), a file before (--) or at the end (++), and what stands below it."""

    sign: str
    words: str
    below: list[str]


def unescape(text: str) -> str:
    if "{" in ESCAPE.sub("", text):
        raise ValueError(f"a brace that begins no escape: {text}")

    def character(escape: re.Match[str]) -> str:
        number = escape[1]
        return chr(int(number, 16)) if number else ""

    return ESCAPE.sub(character, text)


def text_of(lines: list[str]) -> str:
    """Return the text of these lines, without the blank ones at its end."""
    text = "\n".join(lines).rstrip("\n")
    if text.endswith(NO_LINE_END):
        return unescape(text[: -len(NO_LINE_END)])
    return unescape(text) + "\n" if text else ""


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def examples(name: str) -> list[Example]:
    """Return the cases of a file; what stands before the first is part of each."""
    common: list[str] = []
    found: list[Example] = []
    text = (CASES / name).read_text(encoding="utf-8")
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(TITLE):
            title = line[len(TITLE) :]
            found.append(Example(title, f"{name}:{number}", common.copy()))
        elif found:
            found[-1].lines.append(line)
        else:
            common.append(line)
    return found


def split_notes(lines: list[str]) -> tuple[str, list[tuple[int, str]]]:
    """Return the document of a case, and its notes with the line that each is about."""
    document = []
    notes = []
    for line in lines:
        if NOTE.match(line):
            notes.append((len(document) or 1, unescape(line)))
        else:
            document.append(line)
    return text_of(document), notes


def parts_of_transcript(lines: list[str]) -> list[TranscriptPart]:
    parts: list[TranscriptPart] = []
    for line in lines:
        found = PART_LINE.fullmatch(line)
        if found:
            sign, words = filter(None, found.groups())
            below: list[str] = []
            if sign == "$" and parts and parts[-1].sign == "$" and not parts[-1].below:
                below = parts[
                    -1
                ].below  # commands right under each other have one answer
            parts.append(TranscriptPart(sign, words, below))
        elif parts:
            parts[-1].below.append(line)
        elif line:
            raise ValueError(f"text before the first part: {line}")
    return parts


def arguments_of(command: str) -> list[str]:
    """Return the words that are typed behind the name of the program."""
    words = [unescape(word) for word in shlex.split(command)]
    for program in ["oversample"], ["python3", "oversample.py"]:
        if words[: len(program)] == program:
            return words[len(program) :]
    raise ValueError(f"another command: {command}")


def answer_of(below: list[str]) -> tuple[int, str]:
    """Return the exit status of a command and what it says, as the case has it."""
    said, _, status = text_of(below).partition("(exit ")
    return int(status.rstrip(")\n") or 0), said


class Examples(Case):
    """A file of cases."""

    def skip_elsewhere(self, example: Example) -> None:
        if example.title.endswith("[posix]") and not POSIX:
            self.skipTest("Windows has no such names")

    def assert_whole(self, name: str, clauses: str) -> None:
        """Nothing in the file is passed over, and each of these clauses begins a title."""
        text = (CASES / name).read_text(encoding="utf-8")
        titles = [example.title for example in examples(name)]
        self.assertTrue(titles, "no cases were found")
        self.assertEqual(
            len(titles), len(LIKE_A_TITLE.findall(text)), "a title is text"
        )
        self.assertEqual(len(titles), len(set(titles)), "a title stands there twice")
        self.assertNotRegex(
            text, r"(?m)[ \t]$", "a blank at the end of a line is written {}"
        )
        found = {title.split()[0] for title in titles}
        self.assertEqual(set(clauses.split()) - found, set(), "clauses without a case")


class Documents(Examples):
    """1. Documents as a writer sees them, and what is said of them."""

    def test_1_nothing_in_the_file_is_passed_over(self) -> None:
        # 1.10 is about size: Python makes its documents.
        clauses = (
            "1.1 1.2 1.3 1.4 1.5 1.6 1.6a 1.6b 1.6c 1.7 1.8 1.9 1.9a 1.9b 1.9c 1.11"
        )
        self.assert_whole("documents.txt", clauses)

    def test_1_every_document_is_read_as_its_notes_say(self) -> None:
        for example in examples("documents.txt"):
            for line_end in "\n", "\r\n":
                with self.subTest(
                    example.title, place=example.place, line_end=line_end
                ):
                    self.skip_elsewhere(example)
                    document, notes = split_notes(example.lines)
                    content = encode(document.replace("\n", line_end))
                    self.assertEqual(self.notes_on(content), notes)

    def notes_on(self, content: bytes) -> list[tuple[int, str]]:
        """Return what parse() says, in the form of notes."""
        try:
            document = parse(content)
        except DocumentError as error:
            return [(line, f"^ {message}") for line, message in error.problems]
        pairs = []
        for pair in document.pairs:
            self.assert_is_span(pair, content)
            last_line = pair.line + pair.span.count(b"\n")
            pairs.append((last_line, f"= weight {pair.weight}, from line {pair.line}"))
        warnings = [(line, f"~ {message}") for line, message in document.warnings]
        # Merging keeps the order of the warnings, and puts a pair before those of its line.
        return list(heapq.merge(pairs, warnings, key=lambda note: note[0]))

    def assert_is_span(self, pair: QAPair, content: bytes) -> None:
        """1.5 The span begins at the pair's line and runs to the next end."""
        lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        rest = b"\n".join(lines[pair.line - 1 :])
        before_end, end, _ = rest.partition(b"<END_OF_SET>")
        self.assertEqual(pair.span, before_end + end)


class Transcripts(Examples):
    """2 to 5. The command as it is typed, what it says, and what it leaves behind."""

    def test_4_nothing_in_the_files_is_passed_over(self) -> None:
        clauses = "2.1 2.2 2.3 2.5 3.1 3.2 3.3 3.6 4.1 4.2 4.3 4.4 4.6 5.1 5.2 5.3"
        self.assert_whole("transcripts.txt", clauses)
        self.assert_whole("readme.txt", "")

    def test_4_every_transcript_is_what_happens(self) -> None:
        for number, example in enumerate(
            examples("transcripts.txt") + examples("readme.txt")
        ):
            folder = self.folder / str(number)
            folder.mkdir()
            os.chdir(folder)
            with self.subTest(example.title, place=example.place):
                self.skip_elsewhere(example)
                self.play(parts_of_transcript(example.lines), folder)

    def play(self, parts: list[TranscriptPart], folder: pathlib.Path) -> None:
        self.assertIn("$", [part.sign for part in parts], "nothing is typed")
        expected = {}
        for part in parts:
            if part.sign == "$":
                self.assert_answer(part)
                continue
            name = unescape(part.words)
            expected[name] = encode(text_of(part.below))
            if part.sign == "--":
                (folder / name).write_bytes(expected[name])
        found = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.assertEqual(found, expected)

    def assert_answer(self, command: TranscriptPart) -> None:
        status, expected = answer_of(command.below)
        found, said = self.main(*arguments_of(command.words))
        pattern = re.escape(expected).replace(re.escape("[..]"), ".*")
        if not re.fullmatch(pattern, said):
            self.assertEqual(said, expected, command.words)
        self.assertEqual(found, status, command.words)


# The README -----------------------------------------------------------------------------------

PAGE = README.read_text(encoding="utf-8")
FLAT = " ".join(PAGE.split())
SHOWN = r"(?ms)^<!-- shown: (\w+) -->\n```\w+\n(.*?)^```$"
BLOCKS = dict(re.findall(SHOWN, PAGE))
HELD = "report format mistake help check hook rows axolotl info python spark"


def run(script: str) -> tuple[int, str]:
    """Run a script; return its exit status and all that it printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            exec(script, {"__name__": "__main__"})
        except SystemExit as stop:
            print(stop.code)  # as Python does with a text
            return 1, out.getvalue()
    return 0, out.getvalue()


class Readme(Case):
    """The README shows what the program prints."""

    def assert_main(self, line: str, status: int, *names: str) -> str:
        """Type these words behind the command; see the folder's files; return what is said."""
        found, said = self.main(*line.split())
        self.assertEqual(found, status, said)
        self.assertEqual(self.names(), sorted(names))
        return said

    def test_every_block_is_held_by_a_test(self) -> None:
        self.assertEqual(" ".join(BLOCKS), HELD)
        fences = re.findall(r"(?m)^\s*(?:```|~~~)", PAGE)
        self.assertEqual(len(fences), 2 * len(BLOCKS))
        folds = re.findall("</?details>", PAGE)
        self.assertEqual(folds, ["<details>", "</details>"] * (len(folds) // 2))

    def test_the_first_screen_is_small_and_so_is_the_page(self) -> None:
        first_screen, _, _ = PAGE.partition("\n## ")
        unfolded = re.sub(r"(?s)<details>.*?</details>\n", "", PAGE)
        self.assertLessEqual(first_screen.count("\n"), 40)
        self.assertLessEqual(unfolded.count("\n"), 175)
        self.assertLessEqual(PAGE.count("\n"), 360)
        self.assertIn(BLOCKS["report"], first_screen)
        self.assertNotRegex(
            PAGE, "</summary>(?!\n\n)", "GitHub wants a blank line there"
        )

    def test_every_link_leads_to_a_heading(self) -> None:
        links = re.findall(r"\]\(#(.*?)\)", PAGE)
        headings = re.findall(r"(?m)^## (.*)$", PAGE)
        anchors = [re.sub("[^a-z]+", "-", heading.lower()) for heading in headings]
        for link in links:
            self.assertIn(link, anchors)

    def test_the_output_of_the_first_command_is_as_shown(self) -> None:
        first, second = re.findall(r"(?m)^    python (.*)$", PAGE)
        self.assertEqual(second, "-m unittest")
        script, line = first.split(" ", 1)
        self.assertEqual(script, "oversample.py")
        shutil.copytree(HERE / "sources", "sources")
        said = self.assert_main(line, 0, "out.md", "sources")
        said_until_seed, _, _ = said.rpartition(" ")
        shown_until_seed, _, _ = BLOCKS["report"].rpartition(" ")
        self.assertEqual(said_until_seed, shown_until_seed)

    def test_the_command_for_ones_own_document_runs_as_shown(self) -> None:
        (line,) = re.findall(r"(?m)^    python3 oversample.py (.*)$", PAGE)
        *_, source, destination = line.split()
        self.write(document(1, 2), source)
        self.assert_main(line, 0, source, destination)

    def test_the_dry_run_can_be_typed_as_shown(self) -> None:
        (line,) = re.findall(r"`python3 oversample.py (.*--dry-run.*?)`", FLAT)
        self.write(document(1, 2, 3))
        self.assert_main(line, 0, "in.md")

    @needs_processes
    def test_the_help_is_as_shown_and_the_page_begins_alike(self) -> None:
        status, out, _ = finish(start("--help"))
        self.assertEqual(status, 0)
        said = out.decode().splitlines()
        self.assertEqual(said, BLOCKS["help"].splitlines())
        sentence = PAGE.splitlines()[2]
        self.assertEqual(sentence, said[2])

    def test_the_format_is_as_shown_and_the_mistake_is_one_in_it(self) -> None:
        text = BLOCKS["format"].encode()
        (only,) = parse(text).pairs
        self.assertEqual((only.span, only.weight), (text.rstrip(), 4))
        self.write(text.replace(b"OVERSAMPLE_WEIGHT", b"OVERSAMPLE WEIGHT"))
        command, shown = BLOCKS["mistake"].split("\n", 1)
        program, line = command[:24], command[24:]
        self.assertEqual(program, "$ python3 oversample.py ")
        said = self.assert_main(line, 1, "in.md")
        self.assertEqual(said, shown)

    def test_the_transcripts_are_those_of_the_cases(self) -> None:
        cases = examples("readme.txt")
        titles = [case.title for case in cases]
        self.assertEqual(titles, ["mistake", "check"])
        for case in cases:
            with self.subTest(case.title):
                self.assertEqual(self.terminal(case.lines), BLOCKS[case.title])

    def terminal(self, lines: list[str]) -> str:
        """Return what a person sees of a case: what is typed, and what comes back."""
        seen = ""
        for part in parts_of_transcript(lines):
            if part.sign == "$":
                said, _, _ = text_of(part.below).partition("(exit ")
                seen += f"$ {part.words}\n{said}"
        return seen

    def test_with_one_seed_an_edited_line_changes_as_many_lines_as_there_are_copies(
        self,
    ) -> None:
        before = self.lines_of_output(b"e!", seed=42)
        edited = self.lines_of_output(b"edited!", seed=42)
        other_seed = self.lines_of_output(b"e!", seed=43)
        changed = [old for old, new in zip(before, edited) if old != new]
        self.assertEqual(changed, [b"ANSWER: e!"] * 4)
        self.assertIn(
            "edit one line of a pair of weight 5, and 4 lines of `out.md` change", FLAT
        )
        changed = [old for old, new in zip(before, other_seed) if old != new]
        self.assertGreater(len(changed), 20)

    def lines_of_output(self, answer: bytes, seed: int) -> list[bytes]:
        content = document(1, 2, 3, 4, 5)
        self.write(content.replace(b"e!", answer))
        oversample.oversample("in.md", "out.md", base=1.3, seed=seed, overwrite=True)
        output = (self.folder / "out.md").read_bytes()
        return output.split(b"\n")

    def test_the_lines_of_python_run_as_shown(self) -> None:
        self.write(document(1, 2))
        self.assertEqual(run(BLOCKS["python"]), (0, "2 3 182 42\n"))
        differences = check("in.md", "out.md", base=1.3, seed=42)
        self.assertEqual(differences, ())

    def test_the_page_names_everything_that_is_public_and_its_arguments(self) -> None:
        for name in oversample.__all__:
            self.assertRegex(PAGE, rf"\b{name}\b")
        rows = re.findall(r"(?m)^\| `(\w+)(\([^`]*\))` \|", PAGE)
        names = [name for name, _ in rows]
        self.assertEqual(names, ["parse", "copies", "resample"])
        for name, arguments in rows:
            function = getattr(oversample, name)
            signature = str(inspect.signature(function))
            bare = re.sub(r": [^,=)]+| -> .*", "", signature).replace("= ", "=")
            self.assertEqual(bare, arguments)

    def test_the_last_tenth_is_trained_on_too_as_said(self) -> None:
        seed = int(BLOCKS["report"].split()[-1])
        pairs = parse(SAMPLE.read_bytes()).pairs
        made = resample(pairs, base=2, seed=seed)
        held_out = made[-34:]
        trained_on = made[:-34]
        self.assertEqual(len(trained_on), 306)
        self.assertEqual(set(held_out) - set(trained_on), set())
        self.assertIn(
            "the last 34 of the 340 copies above, each of the 34 is also among", FLAT
        )
        self.assertIn("among the 306 that it trains on", FLAT)

    def test_the_shares_are_those_of_the_sample(self) -> None:
        for words, base, max_copies in [
            ("4 of the 28 pairs make {} of all copies", 2, None),
            ("With one copy each they would be {};", 1, None),
            ("at base 1.3 they are {};", 1.3, None),
            ("at base 2 with `--max-copies 8`, {}, and", 2, 8),
        ]:
            pairs = parse(SAMPLE.read_bytes()).pairs
            made = resample(pairs, base=base, seed=1, max_copies=max_copies)
            fives = [each for each in made if each.weight == 5]
            share = f"{len(fives) / len(made):.1%}"
            self.assertIn(words.format(share), FLAT)


# The hooks ------------------------------------------------------------------------------------


@unittest.skipUnless(POSIX and shutil.which("git"), "needs git and a shell")
class Hook(Case):
    """What is committed is fresh, by the hook that the README shows."""

    def setUp(self) -> None:
        super().setUp()
        self.home = self.folder / "home"
        self.home.mkdir()
        self.program(
            self.home / "python3", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
        )
        self.variables = dict(os.environ)
        for name in os.environ:
            if name.startswith("GIT_"):
                del self.variables[name]
        self.variables["GIT_CONFIG_NOSYSTEM"] = "1"
        for name in "HOME", "XDG_CONFIG_HOME", "TMPDIR":
            self.variables[name] = str(self.home)
        self.variables["PATH"] = f"{self.home}:{os.environ['PATH']}"
        self.begin("repository", "in.md", "out.md")

    def begin(self, repository: str, source: str, output: str) -> None:
        """Make a repository with the hook, and in it the first commit of a document."""
        folder = self.folder / repository
        folder.mkdir()
        os.chdir(folder)
        self.source = source
        self.output = output
        self.git("init", "-q")
        os.makedirs(".git/hooks", exist_ok=True)
        self.program(".git/hooks/pre-commit", self.with_names(BLOCKS["hook"]))
        shutil.copy(SCRIPT, ".")
        (folder / source).parent.mkdir(exist_ok=True)
        self.edit("b!")
        self.renew()
        self.git("add", "oversample.py", source, output)
        self.assertEqual(self.commit(), self.fresh())

    def program(self, path: str | os.PathLike[str], text: str) -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def with_names(self, text: str) -> str:
        return text.replace("in.md", self.source).replace("out.md", self.output)

    def git(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=b", *words],
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        return done.returncode, done.stdout.decode()

    def commit(self, *options: str) -> tuple[int, str]:
        """Commit; return the exit status and what git and the hook say."""
        return self.git("commit", "-q", "-m", "a commit", *options)

    def edit(self, answer: str) -> None:
        content = document(1, 2)
        with open(self.source, "wb") as file:
            file.write(content.replace(b"b!", answer.encode()))

    def renew(self) -> None:
        options = {"base": 1.3, "seed": 42, "overwrite": True}
        oversample.oversample(self.source, self.output, **options)

    def fresh(self) -> tuple[int, str]:
        said = "out.md: up to date: all 3 copies of in.md, in the order of seed 42\n"
        return 0, self.with_names(said)

    def stale(self) -> tuple[int, str]:
        """What the README shows of a stale output, in this seed's order."""
        _, _, _, shown = BLOCKS["check"].split("\n", 3)
        shown = shown.replace("out.md:8", "out.md:1")
        return 1, self.with_names(shown)

    def test_a_fresh_output_passes(self) -> None:
        self.edit("better!")
        self.renew()
        self.assertEqual(self.commit("-a"), self.fresh())
        self.assertEqual(self.git("status", "--short"), (0, ""))
        left = os.listdir(self.home)
        self.assertEqual(left, ["python3"])

    def test_a_stale_output_is_stopped(self) -> None:
        self.edit("better!")
        self.assertEqual(self.commit("-a"), self.stale())

    def test_an_output_that_was_renewed_and_not_added_is_stopped(self) -> None:
        self.edit("better!")
        self.git("add", self.source)
        self.renew()
        self.assertEqual(self.commit(), self.stale())

    def test_an_output_that_was_never_added_is_stopped(self) -> None:
        self.git("rm", "-q", "--cached", self.output)
        status, said = self.commit()
        self.assertNotEqual(status, 0)
        self.assertIn("out.md is not in the cache", said)

    def test_an_edit_that_was_not_added_stops_no_other_commit(self) -> None:
        self.edit("better!")
        self.program("other.txt", "something else\n")
        self.git("add", "other.txt")
        self.assertEqual(self.commit(), self.fresh())

    def test_documents_may_be_in_a_folder(self) -> None:
        self.begin("another", "letters/in.md", "letters/out.md")
        self.edit("better!")
        self.assertEqual(self.commit("-a"), self.stale())
        self.renew()
        self.assertEqual(self.commit("-a"), self.fresh())

    def test_nothing_is_committed_unseen_where_there_is_no_room_for_a_look(
        self,
    ) -> None:
        self.edit("better!")
        self.renew()
        self.variables["TMPDIR"] = str(self.home / "missing")
        status, _ = self.commit("-a")
        self.assertNotEqual(status, 0)

    def test_a_warning_is_seen(self) -> None:
        with open(self.source, "ab") as file:
            file.write(b"\nDear all,\n")
        self.git("add", self.source)
        warning = (
            "in.md:15: warning: text outside any pair is not copied: 'Dear all,'\n"
        )
        status, said = self.fresh()
        self.assertEqual(self.commit(), (status, warning + said))

    def test_pre_commit_runs_the_check_with_the_options_of_its_user(self) -> None:
        hooks = (HERE / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
        settings = dict(re.findall(r"(?m)^[- ] (\w+): (.*)$", hooks))
        self.assertIn(f"`id: {settings['id']}`", FLAT)
        self.assertEqual(settings["pass_filenames"], "false")
        program, option = settings["entry"].split()
        self.assertEqual(program, "oversample")
        words = [option, "--base", "1.3", "--seed", "42", "in.md", "out.md"]
        self.assertEqual(self.main(*words), self.fresh())
        self.edit("better!")
        self.assertEqual(self.main(*words), self.stale())


# The recipes ----------------------------------------------------------------------------------

KINDS = ("chat", "prompt", "alpaca", "text")
TRAIN, VALID = "train.jsonl", "valid.jsonl"

# Two questions that count as the same: how they differ, the one, the other.
LEAKS = [
    ("in quotes", "Why \"now\", and why 'here'?", "Why “now”, and why ‘here’?"),
    ("in case", "May Ann come?", "MAY ANN COME?"),
    ("in punctuation", "Well, may she?", "Well - may she!"),
    ("in white space", "Is it\n\n late?", "Is it\r\n\r\n\xa0late?"),
    ("in the Unicode form", "O\u00f9 est Zo\u00eb?", "Ou\u0300 est Zoe\u0308?"),
    ("in nothing: twins", "And then?", "And then?"),
    ("in width, ligatures and sharp s", "Fix 12 Maße?", "ﬁx １２ MASSE?"),
]


class Texts(NamedTuple):
    """A question and its answer, as a row is to hold them."""

    question: bytes
    answer: bytes


def texts_of(pairs: Iterable[QAPair]) -> list[Texts]:
    """Return the texts of these pairs; rows have line feeds alone."""
    found = []
    for each in pairs:
        question = each.question.replace(b"\r\n", b"\n")
        answer = each.answer.replace(b"\r\n", b"\n")
        found.append(Texts(question, answer))
    return found


def without_weights(content: bytes) -> bytes:
    return re.sub(rb"OVERSAMPLE_WEIGHT: \d\r?\n", b"", content)


def asking(question: str, name: str) -> bytes:
    """Return a pair with this question, and the answer of that name."""
    content = pair(name) + b"\n"
    return content.replace(f"{name}?".encode(), question.encode())


class Recipe(Case):
    """The README's rows.py, run as it is printed but for its settings."""

    def make_rows(self, numbers=(1.3, None, 42), **settings: object) -> tuple[int, str]:
        """Run rows.py with these settings; return its exit status and what it said."""
        script = BLOCKS["rows"]
        for names, value in {"base, max_copies, seed": numbers, **settings}.items():
            (line,) = re.findall(rf"(?m)^{names} = .*\n", script)
            script = script.replace(line, f"{names} = {value!r}\n")
        return run(script)

    def rows(self, name: str) -> list[dict]:
        """Return the rows of a file; each line ends in a line feed, the last one, too."""
        content = (self.folder / name).read_bytes()
        *lines, end = content.split(b"\n")
        self.assertEqual(end, b"")
        self.assertNotIn(b"\r", content)
        return [json.loads(line) for line in lines]

    def answers(self, name: str) -> list[str]:
        """Return the answers in a file of chat rows."""
        return [row["messages"][-1]["content"] for row in self.rows(name)]

    def texts(self, row: dict, system: str = "", markers: bool = False) -> Texts:
        """Return question and answer of a row of any kind, without what the settings add."""
        if "messages" in row:
            turns = {turn["role"]: turn["content"] for turn in row["messages"]}
            question, answer = turns["user"], turns["assistant"]
            roles = ["system", "user", "assistant"]
            self.assertEqual([*turns], roles if system else roles[1:])
            self.assertEqual(turns.get("system", ""), system)
            system = ""
        elif "prompt" in row:
            question = self.cut(row["prompt"], end="\n")
            answer = row["completion"]
        elif "instruction" in row:
            self.assertEqual(row["input"], "")
            question, answer = row["instruction"], row["output"]
        else:
            question, answer = row["text"].rsplit("\n\n", 1)
        if system:
            question = self.cut(question, start=f"{system}\n\n")
        if markers:
            question = self.cut(question, start="QUESTION: ")
            answer = self.cut(answer, start="ANSWER: ")
        return Texts(question.encode(), answer.encode())

    def cut(self, text: str, start: str = "", end: str = "") -> str:
        """Return a text without what it is to begin and end with."""
        self.assertTrue(text.startswith(start))
        self.assertTrue(text.endswith(end))
        return text[len(start) : len(text) - len(end)]


class Rows(Recipe):
    """Rows for trainers: complete, split, and never the same question in both files."""

    def test_a_tenth_of_the_questions_is_held_out_and_listed(self) -> None:
        content = document(*[1, 2, 3, 4, 5] * 4)
        self.write(content)
        status, said = self.make_rows()
        train = [self.texts(row) for row in self.rows(TRAIN)]
        valid = [self.texts(row) for row in self.rows(VALID)]
        self.assertEqual(len(valid), 2)

        kept, held_out, expected = [], [], ""
        for each in parse(content).pairs:
            if Texts(each.question, each.answer) in valid:
                held_out.append(each)
                expected += f"in.md:{each.line}: held out: '{each.question.decode()}'\n"
            else:
                kept.append(each)
        copied = resample(kept, base=1.3, seed=42)
        self.assertEqual(train, texts_of(copied))
        self.assertEqual(valid, texts_of(held_out))
        expected += "rows in train.jsonl: 44, the longest of 89 characters\n"
        expected += "rows in valid.jsonl: 2, the longest of 89 characters\n"
        self.assertEqual((status, said), (0, expected))

    def test_the_rows_are_the_same_each_time_in_documents_of_any_line_ends(
        self,
    ) -> None:
        content = document(*[1, 2] * 10).replace(b"!", b"!\n\nSo there.")
        made = []
        for version in content, content, content.replace(b"\n", b"\r\n"):
            self.write(version)
            self.make_rows()
            made.append([self.read(TRAIN), self.read(VALID)])
        first, second, third = made
        self.assertEqual(second, first)
        self.assertEqual(third, first)

    def test_questions_that_are_nearly_the_same_are_held_out_together(self) -> None:
        for title, one, other in LEAKS:
            # One question of two is held out: the twins together, or the third.
            self.write(asking(one, "x") + asking(other, "y") + pair("z"))
            with self.subTest(title):
                status, said = self.make_rows(numbers=(1, None, 42))
                self.assertEqual(status, 0, said)
                split = [self.answers(TRAIN), self.answers(VALID)]
                split.sort(key=len)
                self.assertEqual(split[0], ["z!"])
                self.assertCountEqual(split[1], ["x!", "y!"])

    def test_questions_that_are_nearly_the_same_may_not_be_in_both_documents(
        self,
    ) -> None:
        for title, one, other in LEAKS:
            self.write(ABC + asking(one, "x"))
            validation = pair("y") + b"\n" + asking(other, "z")
            for content, line in (validation, 7), (without_weights(validation), 6):
                self.write(content, "validation.md")
                said = f"in.md:21: error: validation.md:{line} has the same question\n"
                said += "nothing was written; keep each question in one document\n"
                with self.subTest(title, content=content):
                    self.assert_refused(said)

    def test_other_letters_and_digits_make_another_question(self) -> None:
        for one, other in [
            ("Is it 1?", "Is it 2?"),
            ("Is Ann here?", "Is Anna here?"),
            ("🙂", "🙃"),  # no letters at all
        ]:
            self.write(asking(one, "x"))
            self.write(asking(other, "y"), "validation.md")
            with self.subTest(one):
                status, said = self.make_rows()
                self.assertEqual(status, 0, said)

    def test_a_validation_document_of_ones_own_is_taken_once_each_and_whole(
        self,
    ) -> None:
        weighted = pair("x", 5) + b"\n" + pair("y", 1) + b"\n"
        expected = "rows in train.jsonl: 6, the longest of 89 characters\n"
        expected += "rows in valid.jsonl: 2, the longest of 89 characters\n"
        self.write(document(1, 2))
        for valid in weighted, without_weights(weighted):
            for content in valid, valid.replace(b"\n", b"\r\n"):
                self.write(content, "validation.md")
                with self.subTest(content=content):
                    self.assertEqual(
                        self.make_rows(numbers=(2, None, 42)), (0, expected)
                    )
                    self.assertEqual(self.answers(VALID), ["x!", "y!"])
                    train = Counter(self.answers(TRAIN))
                    self.assertEqual(train, {"a!": 2, "b!": 4})

    def test_weights_in_some_of_its_pairs_or_damaged_ones_are_a_mistake(self) -> None:
        some = pair("x") + b"\n" + without_weights(pair("y"))
        damaged = pair("x").replace(b"OVERSAMPLE_WEIGHT", b"Oversample\\_Weight")
        self.write(ABC)
        for valid, line in (some, 11), (damaged, 5):
            self.write(valid, "validation.md")
            with self.subTest(valid=valid):
                status, said = self.make_rows()
                self.assertEqual(status, 1)
                place, _, message = said.partition(" error: ")
                self.assertEqual(place, f"validation.md:{line}:")
                self.assertIn("expected OVERSAMPLE_WEIGHT: after ANSWER:", message)

    def test_in_the_document_itself_every_pair_has_a_weight(self) -> None:
        self.write(without_weights(ABC))
        status, said = self.make_rows()
        self.assertEqual(status, 1)
        errors = said.splitlines()
        self.assertEqual(len(errors), 3)
        self.assertEqual(self.names(), ["in.md"])

    def test_malformed_documents_are_told_and_no_rows_are_written(self) -> None:
        malformed = (
            document(1, 2).replace(b"ANSWER: a", b"Answer: a").replace(b"T: 2", b"T: 9")
        )
        errors = (
            "{0}:3: error: expected ANSWER: after QUESTION: (line 1), found 'Answer: a!'\n"
            "{0}:12: error: expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found '9'\n"
        )
        latin = document(1, 2).replace(b"b!", b"n\xe9")
        no_utf8 = "{0}:10: error: expected UTF-8; save the document as UTF-8\n"
        for content, said in (malformed, errors), (latin, no_utf8):
            with self.subTest(said=said):
                self.write(content)
                self.assert_refused(said.format("in.md"))
                self.write(ABC)
                self.write(content, "validation.md")
                self.assert_refused(said.format("validation.md"))
                os.remove("validation.md")

    def assert_refused(self, said: str) -> None:
        before = self.names()
        self.assertEqual(self.make_rows(), (1, said))
        self.assertEqual(self.names(), before)

    def test_no_document_and_a_single_question_are_told(self) -> None:
        self.assert_refused("in.md: error: No such file or directory\n")
        for content in pair("a"), pair("a") + b"\n" + pair("A", 3):
            self.write(content)
            said = "expected a second question, to hold one out; found one in all"
            self.assert_refused(f"in.md: error: {said}\n")

    def test_letters_are_written_as_they_are(self) -> None:
        self.write(document(1, 1).replace(b"!", " été 🙂!".encode()))
        self.make_rows()
        self.assertIn(" été 🙂!", self.read(VALID).decode())

    def test_warnings_are_printed(self) -> None:
        self.write(ABC + b"\nDear all,\n")
        status, said = self.make_rows()
        self.assertEqual(status, 0)
        warning, *_ = said.splitlines()
        outside = "text outside any pair is not copied"
        self.assertEqual(warning, f"in.md:22: warning: {outside}: 'Dear all,'")

    def test_system_prompt_and_markers_are_one_setting_each(self) -> None:
        question, answer, asked = (
            "QUESTION: x?",
            "ANSWER: x!",
            "Be kind.\n\nQUESTION: x?",
        )
        turns = [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
        self.write(document(1))
        self.write(pair("x"), "validation.md")
        for kind, expected in [
            ("chat", {"messages": turns}),
            ("prompt", {"prompt": f"{asked}\n", "completion": answer}),
            ("alpaca", {"instruction": asked, "input": "", "output": answer}),
            ("text", {"text": f"{asked}\n\n{answer}"}),
        ]:
            with self.subTest(kind=kind):
                self.make_rows(kind=kind, system="Be kind.", keep_markers=True)
                self.assertEqual(self.rows(VALID), [expected])

    def test_copies_and_order_are_those_of_the_command_with_the_same_numbers(
        self,
    ) -> None:
        content = document(1, 5)
        self.write(content)
        self.write(pair("x"), "validation.md")
        self.make_rows(numbers=(2, 3, 7))
        pairs = parse(content).pairs
        copied = resample(pairs, base=2, seed=7, max_copies=3)
        train = [self.texts(row) for row in self.rows(TRAIN)]
        self.assertEqual(train, texts_of(copied))

    def test_axolotl_is_told_the_names_of_the_files(self) -> None:
        paths = re.findall(r"(?m)^(\w+): \[{path: ([\w.]+), ", BLOCKS["axolotl"])
        self.assertEqual(dict(paths), {"datasets": TRAIN, "test_datasets": VALID})

    def test_llama_factory_is_told_the_names_of_the_files_and_of_the_fields(
        self,
    ) -> None:
        self.write(document(1, 1))
        self.make_rows(system="Be kind.")
        entries = json.loads(BLOCKS["info"])
        train, valid = entries
        self.assertIn(f"`dataset: {train}`, `eval_dataset: {valid}`", PAGE)
        files = [entry["file_name"] for entry in entries.values()]
        self.assertEqual(files, [TRAIN, VALID])
        for entry in entries.values():
            tags = entry["tags"]
            first_row, *_ = self.rows(entry["file_name"])
            turns = first_row[entry["columns"]["messages"]]
            roles = [turn[tags["role_tag"]] for turn in turns]
            names = ("system_tag", "user_tag", "assistant_tag")
            self.assertEqual(roles, [tags[name] for name in names])
            self.assertEqual(turns[0][tags["content_tag"]], "Be kind.")


@unittest.skipUnless(importlib.util.find_spec("datasets"), "datasets is not installed")
class Datasets(Recipe):
    """What trainers load is what parse and resample give, byte for byte."""

    # What careless readers of lines and of JSON stumble over.
    ODD = 'Naïve “日本” 🙂\u2028\x85\x7f\0 \\n "x"\t\ud7ff'

    def load(self, name: str, system: str, markers: bool) -> list[Texts]:
        """Return the questions and answers of a file, as datasets reads them."""
        import datasets

        datasets.disable_progress_bars()
        cache = str(self.folder / "cache")
        rows = datasets.load_dataset(
            "json", data_files=name, split="train", cache_dir=cache
        )
        return [self.texts(row, system, markers) for row in rows]

    def test_rows_of_every_kind_and_setting_are_loaded_as_they_are(self) -> None:
        content = document(*[1, 2, 3, 4, 5] * 2)
        content = content.replace(b"!", f"{self.ODD}!\n".encode())
        content = content.replace(b"\n", b"\r\n")
        own = content.replace(b"?", b" of another?")
        self.write(content)
        systems = ("", "Be kind.\nBe brief.")
        caps = (None, 3)
        settings = itertools.product(KINDS, systems, (False, True), caps)
        for kind, system, markers, cap in settings:
            named = {"kind": kind, "system": system, "keep_markers": markers}
            with self.subTest(**named, max_copies=cap):
                self.make_rows(numbers=(2, cap, 42), **named)
                train = self.load(TRAIN, system, markers)
                valid = self.load(VALID, system, markers)
                pairs = parse(content).pairs
                (held_out,) = [each for each in pairs if texts_of([each]) == valid]
                others = [each for each in pairs if each != held_out]
                self.assert_copies(train, others, cap)

                self.write(without_weights(own), "validation.md")
                self.make_rows(numbers=(2, cap, 42), **named)
                os.remove("validation.md")
                train = self.load(TRAIN, system, markers)
                valid = self.load(VALID, system, markers)
                self.assert_copies(train, pairs, cap)
                self.assertEqual(valid, texts_of(parse(own).pairs))

    def assert_copies(
        self, rows: list[Texts], pairs: Iterable[QAPair], cap: int | None
    ) -> None:
        copied = resample(pairs, base=2, seed=42, max_copies=cap)
        self.assertEqual(rows, texts_of(copied))


@unittest.skipUnless(importlib.util.find_spec("pyspark"), "pyspark is not installed")
class Spark(Case):
    """The README's recipe for a cluster, in a Spark on this machine."""

    def run_recipe(self, partitions: int) -> tuple[int, str]:
        """Run the recipe; return its exit status and what it said. Its rows are kept."""
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[2]")
        builder = builder.config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.adaptive.enabled", "false")
        builder = builder.config("spark.sql.shuffle.partitions", partitions)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        try:
            status, said = run(BLOCKS["spark"])
            self.rows = []
            if status == 0:
                files = list(self.folder.glob("copies.parquet/part-*"))
                self.assertEqual(len(files), partitions)
                output = session.read.parquet("copies.parquet")
                for row in output.orderBy("key").collect():
                    self.rows.append((os.path.basename(row.path), bytes(row.span)))
                shutil.rmtree("copies.parquet")
            return status, said
        finally:
            session.stop()

    @mock.patch.dict(os.environ, PYSPARK_PYTHON=sys.executable)
    def test_it_gives_the_copies_of_the_command_in_an_order_of_its_own(self) -> None:
        # One test: the Java behind Spark stays in the folder in which it was started.
        shutil.copy(SCRIPT, ".")
        os.mkdir("corpus")
        self.write(b"no document", "corpus/notes.txt")
        odd = document(1, 3).replace(b"a!", b"\xff\x00\xe9 a!")
        odd = odd.replace(b"\n", b"\r\n")
        expected: Counter = Counter()
        for name, content in (
            ("one.md", SAMPLE.read_bytes()),
            ("odd.md", odd),
            ("twin.md", odd),
        ):
            self.write(content, f"corpus/{name}")
            pairs = parse(content).pairs
            for each in resample(pairs, base=1.3, seed=1):
                expected[name, each.span] += 1
        status, said = self.run_recipe(partitions=2)
        self.assertEqual(status, 0, said)
        rows = self.rows
        self.assertEqual(Counter(rows), expected)
        self.run_recipe(partitions=7)
        self.assertEqual(self.rows, rows)

        self.write(document(1).replace(b"ANSWER", b"Answer"), "corpus/bad.md")
        status, said = self.run_recipe(partitions=2)
        self.assertEqual(status, 1)
        error = "expected ANSWER: after QUESTION: (line 1), found 'Answer: a!'"
        self.assertTrue(said.endswith(f"/corpus/bad.md:3: error: {error}\n"), said)
        self.assertNotIn("copies.parquet", self.names())


# The second reading: line by line, from the contract alone ------------------------------------

BOM = b"\xef\xbb\xbf"
QUESTION = b"QUESTION:"
ANSWER = b"ANSWER:"
WEIGHT = b"OVERSAMPLE_WEIGHT:"
END = b"<END_OF_SET>"
NO_MARKER = b""  # where the document begins, and where it ends
OPEN = b"<!--"
CLOSE = b"-->"
CONFLICT = b"<<<<<<< "

ZIP = [b"PK\3\4", b"PK\5\6"]
OTHER_FORMATS = (
    b"\xff\xfe",
    b"\xfe\xff",
    *ZIP,
    b"\xd0\xcf\x11\xe0",
    b"{\\rtf",
    b"%PDF",
)

# The letters of a line that is a near marker (1.9), all of them up to its first colon.
NEAR_LETTERS = {
    b"QUESTION": QUESTION,
    b"QUESTIONS": QUESTION,
    b"ANSWER": ANSWER,
    b"ANSWERS": ANSWER,
    b"ENDOFSET": END,
}
MARKER_LETTERS = {
    QUESTION: "QUESTION",
    ANSWER: "ANSWER",
    WEIGHT: "OVERSAMPLEWEIGHT",
    END: "ENDOFSET",
}
COLON = re.compile(rb":|\xef\xbc\x9a")  # ASCII or full-width
NO_LETTERS = re.compile(rb"[^A-Za-z]+")
MID_LINE_MARKER = re.compile(rb"QUESTION:|ANSWER:|OVERSAMPLE_WEIGHT:")
WEIGHT_VALUE = re.compile(rb"[ \t]*([1-5])(?=[\s<]|\Z)")  # 2t and 44 are bad weights

# What was meant to begin or end a comment (1.6b): <!, \<!, &lt;! or ‹!, and what ends one.
FIRST_HALF = re.compile(rb"\\<!|<!(?!--)|&lt;!|" + "‹!".encode())
DASHES = [b"--", "–".encode(), "—".encode()]
LAST_HALVES = tuple(
    dash + angle for dash in DASHES for angle in (b">", b"\\>", b"&gt;", "›".encode())
)


class Reading(NamedTuple):
    """What a document holds; of a refused one, only the lines of its errors."""

    errors: list[int]
    pairs: list[tuple[bytes, int, int]] = []  # span, weight, line
    separator: bytes = b""
    warnings: list[int] = []  # their lines


class Text(NamedTuple):
    """What one line holds between two markers or comments, if it is not blank."""

    line: int
    text: bytes
    whole: bool  # its line begins with it
    quoted: bool  # it is a whole line that begins with >


class Part:
    """A marker, and the text behind it up to the next one."""

    def __init__(self, marker: bytes, line: int, start: int) -> None:
        self.marker = marker
        self.line = line
        self.start = start
        self.outside = marker in (NO_MARKER, END)  # is the text behind it?
        self.stretches: list[list[Text]] = [[]]  # a comment ends one
        self.comment_errors: list[int] = []  # 1.6a, and \<!-- of 1.6b

    def texts(self) -> list[Text]:
        return list(itertools.chain.from_iterable(self.stretches))


def second_reading(document: bytes) -> Reading:
    """Read a document: cut it at its markers, then judge what stands between them."""
    if not document.strip() or is_other_format(document):
        return Reading([1])
    parts = parts_of(document)
    errors = []
    pairs = []
    edges = []  # of the pairs: where one begins and where it ends
    warnings = []

    for part in parts:
        if part.outside:
            errors += outside_errors(part)
            warnings += outside_warnings(part)

    for before, *section, after in sections_of(parts):
        first = section[0]
        if first.marker != QUESTION and lost_pair(before):
            continue
        fault = first_fault(before, section, after) or swallowed_pair(section)
        if fault:
            errors.append(fault)
            continue
        stop = section[-1].start + len(END)
        span = document[first.start : stop]
        weight = weight_of(section[2])
        pairs.append((span, weight, first.line))
        edges.append((first.start, stop))
        if OPEN in span:
            lines_before = span[: span.index(OPEN)].count(b"\n")
            warnings.append(first.line + lines_before)

    if errors:
        return Reading(sorted(errors))
    if not pairs:
        return Reading([1])
    warnings += twin_warnings(pairs)
    return Reading([], pairs, separator_of(document, edges), sorted(warnings))


def is_other_format(document: bytes) -> bool:
    """Tell whether the document is not plain text (1.11)."""
    if document.startswith(OTHER_FORMATS) or b"\0" in document[:4]:
        return True
    return b"\r" in document[:-2] and b"\n" not in document[:-1]


# Cutting: parts, stretches, texts


def parts_of(document: bytes) -> list[Part]:
    """Return a part for the beginning, one for each marker, and one for the end."""
    cutter = Cutter()
    start = 0
    for number, line in enumerate(document.split(b"\n"), 1):
        cutter.cut_line(line, number, start)
        start += len(line) + 1
    if cutter.comment:
        cutter.part.comment_errors.append(cutter.comment.line)
    last_line = document.rstrip().count(b"\n") + 1
    return [*cutter.parts, Part(NO_MARKER, last_line, len(document))]


class Comment:
    """A comment that is open."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.has_question = False  # first on a line of it
        self.is_wrong = False  # another <!-- stands behind that question


class Cutter:
    """Cuts a document into parts, a line at a time."""

    def __init__(self) -> None:
        self.part = Part(NO_MARKER, 1, 0)
        self.parts = [self.part]
        self.comment: Comment | None = None

    def cut_line(self, line: bytes, number: int, start: int) -> None:
        stop = start + len(line)
        rest = line
        if number == 1 and line.startswith(BOM):
            rest = line[len(BOM) :]
        quoted = rest.lstrip().startswith(b">")
        whole = False
        marker = marker_first_in(rest)

        if self.comment:
            self.comment.has_question |= marker == QUESTION
        elif marker:
            self.begin_part(marker, number, stop - len(rest))
            rest = rest[len(marker) :]
        else:
            whole = True

        # A turn for each text, and for each comment, on the line.
        while rest:
            if self.comment:
                rest = self.pass_comment(rest)
                continue
            text, found, rest = cut(rest, self.part.outside)
            if text.strip():
                self.part.stretches[-1].append(
                    Text(number, text, whole, whole and quoted)
                )
            whole = False
            if found == OPEN:
                self.open_comment(text, number)
            elif found == END:
                self.begin_part(END, number, stop - len(rest) - len(END))

    def begin_part(self, marker: bytes, number: int, start: int) -> None:
        self.part = Part(marker, number, start)
        self.parts.append(self.part)

    def open_comment(self, text_before: bytes, number: int) -> None:
        if text_before.endswith(b"\\"):
            self.part.comment_errors.append(number)
        self.comment = Comment(number)

    def pass_comment(self, rest: bytes) -> bytes:
        """Return what stands behind the comment on this line."""
        inside, close, behind = rest.partition(CLOSE)
        if self.comment.has_question and OPEN in inside:
            self.comment.is_wrong = True
        if close:
            self.close_comment()
        return behind

    def close_comment(self) -> None:
        if self.comment.is_wrong:
            self.part.comment_errors.append(self.comment.line)
        self.part.stretches.append([])
        self.comment = None


def marker_first_in(line: bytes) -> bytes:
    for marker in (QUESTION, ANSWER, WEIGHT):
        if line.startswith(marker):
            return marker
    return NO_MARKER


def cut(rest: bytes, outside: bool) -> tuple[bytes, bytes, bytes]:
    """Return the text up to the next END or, outside pairs, comment; what ends it; the rest."""
    text, opened, behind = rest.partition(OPEN)
    if outside and opened and END not in text:
        return text, opened, behind
    return rest.partition(END)


def sections_of(parts: list[Part]) -> Iterator[list[Part]]:
    """Yield the parts of each section (1.8), with the part before it and the one behind it."""
    first = 1
    while parts[first].marker:
        behind = first + 1
        while parts[behind - 1].marker != END:
            if parts[behind].marker in (QUESTION, NO_MARKER):
                break
            behind += 1
        yield parts[first - 1 : behind + 1]
        first = behind


# Judging what stands outside pairs


def outside_errors(part: Part) -> list[int]:
    errors = list(part.comment_errors)
    for text in part.texts():
        errors += [text.line] * half_comments(text.text)
        if is_conflict(text):
            errors.append(text.line)
    if lost_pair(part):
        errors.append(lost_pair(part))
    return errors


def outside_warnings(part: Part) -> list[int]:
    return [stretch[0].line for stretch in part.stretches if stretch]


@lru_cache(10_000)
def half_comments(text: bytes) -> int:
    """Return how often a comment was meant to begin or to end in a text (1.6b)."""
    count = len(FIRST_HALF.findall(text))
    if text.rstrip().endswith(LAST_HALVES):
        count += 1
    return count


def is_conflict(text: Text) -> bool:
    return text.whole and text.text.startswith(CONFLICT)


def lost_pair(part: Part) -> int:
    """Return the line of the first near marker outside pairs if there are two kinds (1.9b)."""
    if not part.outside:
        return 0
    kinds = set()
    lines = []
    for text in part.texts():
        near = near_markers(text)
        if near:
            kinds.update(near)
            lines.append(text.line)
    return lines[0] if len(kinds) > 1 else 0


# Judging a section


def first_fault(before: Part, section: list[Part], after: Part) -> int:
    """Return the line of the first fault of a section (1.8), 0 if it is a pair."""
    faults = [marker_fault([before, *section, after])]
    for part, found in zip(section, [*section[1:], after]):
        faults += text_faults(part, found.marker)
    return min(filter(None, faults), default=0)


def marker_fault(parts: list[Part]) -> int:
    """Return the line of the marker that is missing, or there in place of it (1.8, 1.9a)."""
    for due, part, found in zip((QUESTION, ANSWER, WEIGHT, END), parts, parts[1:]):
        if found.marker != due:
            return near_line(due, part.texts()) or found.line
    return 0


def near_line(marker: bytes, texts: list[Text]) -> int:
    """Return the line of the first near marker of a kind, or of the first slip (1.9a)."""
    for text in texts:
        if marker in near_markers(text):
            return text.line
    for text in texts:
        if text.whole and not text.quoted and is_slip(text.text, marker):
            return text.line
    return 0


def text_faults(part: Part, found: bytes) -> list[int]:
    """Return the lines of what is wrong behind a marker; what is behind END is outside."""
    if part.marker == END:
        return []
    faults = [text.line for text in part.texts() if is_conflict(text)]
    if part.marker == WEIGHT:
        faults.append(weight_fault(part, found))
    elif not part.texts():
        faults.append(part.line)
    return faults


def weight_fault(part: Part, found: bytes) -> int:
    """Return the line of a bad weight, or of text behind a weight, 0 if there is neither."""
    if not weight_of(part):
        return part.line
    if found != END and near_line(END, part.texts()):
        return 0  # the text is meant as the end, or stands before it (1.9a)
    on_its_line, *below = part.texts()
    value = WEIGHT_VALUE.match(on_its_line.text)
    if on_its_line.text[value.end() :].strip():
        return part.line
    return below[0].line if below else 0


def weight_of(part: Part) -> int:
    """Return the weight on the line of the marker, 0 if there is none (1.4)."""
    texts = part.texts()
    if not texts or texts[0].line != part.line:
        return 0
    value = WEIGHT_VALUE.match(texts[0].text)
    return int(value[1]) if value else 0


def swallowed_pair(section: list[Part]) -> int:
    """Return the line of the near QUESTION: in a pair that swallowed another (1.9c)."""
    for part in section[:2]:
        kinds = set()
        for text in part.texts():
            kinds.update(near_markers(text))
        if QUESTION in kinds and len(kinds) > 1:
            return near_line(QUESTION, part.texts())
    return 0


# Near markers (1.9)


def near_markers(text: Text) -> tuple[bytes, ...]:
    """Return the markers that a text was meant to hold."""
    if text.quoted:
        return ()
    return near_markers_in(text.text, text.whole)


@lru_cache(10_000)
def near_markers_in(text: bytes, whole: bool) -> tuple[bytes, ...]:
    mid_line = tuple(MID_LINE_MARKER.findall(text))
    letters = letters_to_colon(text) if whole else b""
    if letters in NEAR_LETTERS:
        return (NEAR_LETTERS[letters], *mid_line)
    if letters.startswith(b"OVERSAMPLEWEIGHT"):
        return (WEIGHT, *mid_line)
    return mid_line


@lru_cache(10_000)
def is_slip(text: bytes, marker: bytes) -> bool:
    letters = letters_to_colon(text).decode()
    matcher = difflib.SequenceMatcher(None, letters, MARKER_LETTERS[marker])
    return matcher.ratio() >= 0.83


def letters_to_colon(text: bytes) -> bytes:
    head = COLON.split(text, maxsplit=1)[0]
    return NO_LETTERS.sub(b"", head).upper()


# What all pairs together say


def twin_warnings(pairs: list[tuple[bytes, int, int]]) -> list[int]:
    """Return the lines of the pairs that repeat a question; of the first if many do (1.7)."""
    seen = set()
    lines = []
    for span, _, line in pairs:
        question = question_of(span)
        if question in seen:
            lines.append(line)
        seen.add(question)
    if len(lines) * 2 >= len(pairs):
        return lines[:1]
    return lines


def question_of(span: bytes) -> bytes:
    head, *_ = span.split(b"\n" + ANSWER, maxsplit=1)
    return head[len(QUESTION) :].strip()


def separator_of(document: bytes, edges: list[tuple[int, int]]) -> bytes:
    """Return the commonest white-space gap between neighbours (3.1)."""
    gaps = []
    for (_, stop), (start, _) in zip(edges, edges[1:]):
        gap = document[stop:start]
        if not gap.strip():
            gaps.append(gap)
    if gaps:
        return Counter(gaps).most_common(1)[0][0]
    start, stop = edges[0]
    if b"\r\n" in document[start:stop]:
        return b"\r\n\r\n"
    return b"\n\n"


# Documents: valid ones, and mutants of them ---------------------------------------------------

SPACES = [b" ", b"\t", b"\r", b"\f", b"\v", b"\n", b"\r\n", b"\n\n", b" \n", b"\t\n"]

# What may stand anywhere in a line of a pair, and leaves it a pair.
WORDS = [
    b"a",
    b"b c",
    b"4",
    b"*",
    b"--",
    b">",
    b"<",
    b":",
    b"# ",
    b" > ",
    b"\\",
    "“q”".encode(),
]
ODD_BYTES = [
    b"\0",
    b"\xff\xfe",
    b"\xe2\x80",
    b"\x85",
    b"\xa0",
    b"\x1c",
    "\u2028".encode(),
    BOM,
]
ALMOST_END = [
    b"<END_OF_SET",
    b"END_OF_SET>",
    b"<end_of_set>",
    b"<END_OF_SET >",
    b"</END_OF_SET>",
]
COMMENT_MARKS = [
    b"<!--",
    b"-->",
    b"<!-->",
    b"<!--->",
    b"<!-- c -->",
    b"<!",
    b"\\<!--",
    b"<!---",
]
INLINE = [*WORDS, *WORDS, *SPACES[:5], *ODD_BYTES, *ALMOST_END, *COMMENT_MARKS]

# Lines that are near markers (1.9), a kind at a time.
NEAR_LINES = {
    QUESTION: """\
Question: n
question 12
## Question 12
 QUESTION: n
\tQUESTION: n
**QUESTION:** n
1. Questions : n
Question：n
so QUESTION: n
x: QUESTION:
QUESTIONS
*QUESTION*""",
    ANSWER: """\
Answer: n
answer
### Answer
 ANSWER: n
  Answer: n
**ANSWER:** n
- Answers :
ANSWER：n
an ANSWER: n
= ANSWER:
ANSWERS: n
ANSWER (1)""",
    WEIGHT: """\
Oversample weight: 3
OVERSAMPLE\\_WEIGHT 3
 OVERSAMPLE_WEIGHT: 3
OVERSAMPLE_WEIGHTS: 3
OVERSAMPLE WEIGHT of 3
- Oversample-Weight： 3
w OVERSAMPLE_WEIGHT: 3""",
    END: """\
<END OF SET>
\\<END\\_OF\\_SET\\>
</END_OF_SET>
END_OF_SET
end of set.
<END_OF_SET: >""",
}
# Slips of the keyboard (1.9a), and words that resemble a marker too little.
SLIPS = {
    QUESTION: ["QUESTON: n", "QEUSTION: n", "Quesstion: n", " QUESTIONX", "QUEST: n"],
    ANSWER: ["ANWSER: n", "Answr: n", "**ANSWERR:** n", "ANSVER", "ANS: n"],
    WEIGHT: [
        "OVERSAMPLE_WEIGTH: 3",
        "Oversampel weight 3",
        "OVERSAMPEL_WEIGHT: 3",
        "WEIGHT: 3",
    ],
    END: ["<END_OF_STE>", "<EDN_OF_SET>", "<END_OF_SETS>", "END SET"],
}
# Lines that look like near markers and are none.
QUOTATIONS = b"""\
> QUESTION: n
  > Answer: n
>ANSWER: n
> <END OF SET>
\t> Oversample weight: 3""".splitlines()
NO_NEAR_LINES = b"""\
A question: n
The Answer is n
Questionnaire: n
weight: 3
END OF THE SET
# Notes
MYANSWER
: QUESTION""".splitlines()

COMMENTS = b"""\
<!---->
<!-->-->
<!--->-->
<!-- c -->
<!-- <!-- -->
<!--<!---->
<!-- c --><!-- d -->
<!-- c --> t
<!-- c --> # t <!-- d -->
t <!-- c -->
<!-- <END_OF_SET> -->
<!-- Question: n --> t
<!-- > c --> > QUESTION: n
> <!-- c --> ANSWER: n
<!-- c -->Question: n
<!-- c -->QUESTION: n
Question <!-- Answer -->: n
**<!-- c -->ANSWER:** n""".splitlines()
LONG_COMMENTS = [
    b"<!--\n-->",
    b"<!--\n\nt\n-->",
    b"<!--\nQUESTION: c\n-->",
    b"<!-- QUESTION: c <!--\n-->",
    b"<!--\n<!-- QUESTION: c\n-->",
    b"<!--\n<!--\nQUESTION: c\n-->",
    b"<!--\nANSWER: c\n<!--\n-->",
    b"<!--\n QUESTION: c\n<!--\n-->",
    b"<!--\nQuestion: c\nAnswer: c\n-->",
    b"<!--\n<<<<<<< HEAD\n-->",
    b"<!--\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>-->",
    b"<!--\nQUESTION: c\nANSWER: c\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>\n-->",
]
BAD_COMMENTS = [
    b"<!-- a\nQUESTION: c\nANSWER: c <!-- -->",
    b"<!--\nQUESTION: c <!-- d\n-->",
    b"<!--\nQUESTION: c\n<!--\n\n-->",
    b"<!--\nQUESTION: c\n<!-- d -->\n-->",
    b"<!-- <!-- c --> -->",
    b"<!-- never closed",
]
HALVES = """\
<!— t
<!—
<!— t <!— u
<! t
<!- t
<!DOCTYPE t
‹!—
‹!-- t -->
&lt;!-- t
&lt;!-- t --&gt;
\\<!-- t -->
\\<!-- t --> --> t
\\<!— t —>
t \\<!
<!<!-- t -->
-->
--> \t
t —>
–>
t --&gt;
—&gt;
---->
--> <!-- c -->
t --> <!-- c --> t""".encode().splitlines()
NO_HALVES = """\
## t --> u
t —> u
--> —
–&gt; u
! t
&lt; t
< ! t
->
— >
t -- > t
--\\""".encode().splitlines()
CONFLICTS = [b"<<<<<<< HEAD", b"<<<<<<< ", b"<<<<<<< <!-- c -->", b"<<<<<<< > t"]
NO_CONFLICTS = [
    b" <<<<<<< t",
    b"<<<<<<<t",
    b"<<<<<< t",
    b"<<<<<<<< t",
    b"=======",
    b"> <<<<<<< t",
]

WEIGHTS = [
    b"4",
    b" 4 ",
    b"\t4",
    b" 1",
    b" 2",
    b" 3\t",
    b" 5",
    b" \t 2 \t ",
    b" 1",
    b" 2",
    b" 3",
]
LOOSE_WEIGHTS = [
    b"4\r",
    b"4\f",
    b"4\v",
    b" 3\r\r",
    b" 4 \n",
    b"1\n\n",
    b"5\n\v\n",
    b" 2\r\n\f",
]
BAD_WEIGHTS = [
    b"",
    b" ",
    b"44",
    b"0",
    b"6",
    b"04",
    b"4.0",
    b"+4",
    b"-1",
    b"4 4",
    b"4x",
    b"x4",
    b"=4",
]
BAD_WEIGHTS += [
    b"\n4",
    b" \n 4",
    b"\r4",
    b"\f4",
    b"\v4",
    b"4\0",
    b"4\xa0",
    b"4\x85",
    b"4\x1c",
]
BAD_WEIGHTS += [
    b"4\n4",
    b"4 <!-- c -->",
    b"4\nt",
    b"\r\n4",
    b":4",
    "٤".encode(),
    b"4 *",
    b"4\n\\",
]

MARKERS = [QUESTION, ANSWER, WEIGHT, END]
BYTES_OF_NOTE = [
    *MARKERS,
    OPEN,
    CLOSE,
    BOM,
    CONFLICT,
    b"\n",
    b"\r",
    b"> ",
    b"\\",
    b":",
    b"Question",
]
LINE_ENDS = [
    (b"\n", b""),
    (b"\n", b"\r"),
    (b"\n", b"\r\n"),
    (b"\r\n", b"\n"),
    (b"\n\n", b"\n"),
]
STARTS = [
    *OTHER_FORMATS,
    b"PK",
    b"\0",
    b"\0\0\xfe\xff",
    b"abc\0",
    b"abcd\0",
    b"{\\rt",
    b"%PD",
    BOM,
]


def documents(seed: int, count: int) -> Iterator[bytes]:
    """Yield generated documents, the same for the same seed: valid ones, and mutants of them."""
    rng = random.Random(seed)
    last = b""
    for _ in range(count):
        chunks = valid_chunks(rng)
        kind = rng.random()
        if kind < 0.5:
            for _ in range(rng.choice((1, 1, 1, 2))):
                mutation = rng.choice(CHUNK_MUTATIONS)
                mutation(rng, chunks)
        document = b"".join(chunks)
        if kind > 0.85:
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                mutation = rng.choice(BYTE_MUTATIONS)
                document = mutation(rng, document, last)
        if kind > 0.99:
            document = rng.choice(STARTS) + document
        last = document
        yield document


def small_documents(length: int) -> Iterator[bytes]:
    """Yield every document of up to so many pieces, out of thirteen.

    The answer holds half of a swallowed pair (1.9c), so that five pieces are enough for one.
    """
    pieces = (
        b"QUESTION: p\nANSWER: p\nOVERSAMPLE_WEIGHT: 2\n<END_OF_SET>\n",
        b"QUESTION: a\n",
        b"ANSWER: b QUESTION: c\n",
        b"OVERSAMPLE_WEIGHT: 3\n",
        b"<END_OF_SET>\n",
        b"OVERSAMPLE_WEIGHT: 6\n",
        b"QUESTION:\n",
        b"Question: n\n",
        b" ANSWER: n\n",
        b"t\n",
        b"\n",
        b"<!--\n",
        b"-->\n",
    )
    for count in range(length + 1):
        for chosen in itertools.product(pieces, repeat=count):
            yield b"".join(chosen)


# Valid documents


def valid_chunks(rng: random.Random) -> list[bytes]:
    """Return a document in chunks: markers, texts, weights, line ends, gaps. Most are valid."""
    end = b"\r\n" if rng.random() < 0.2 else b"\n"
    chunks = []
    if rng.random() < 0.15:
        chunks.append(BOM)
    if rng.random() < 0.3:
        chunks += [gap(rng, end), end]
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4, 6))):
        pair = pair_chunks(rng, end)
        if rng.random() < 0.1:
            chunks += [*twin_of(rng, pair), end]
        chunks += pair
        if rng.random() < 0.5:
            chunks.append(gap(rng, end))
        chunks.append(end)
    if rng.random() < 0.3:
        chunks.pop()
    return chunks


def pair_chunks(rng: random.Random, end: bytes) -> list[bytes]:
    weights = LOOSE_WEIGHTS if rng.random() < 0.1 else WEIGHTS
    before_end = rng.choice((b"", end, end, end))
    question = [QUESTION, pair_text(rng, end), end]
    answer = [ANSWER, pair_text(rng, end), end]
    return [*question, *answer, WEIGHT, rng.choice(weights), before_end, END]


def twin_of(rng: random.Random, pair: list[bytes]) -> list[bytes]:
    """Return a pair with the same question, and at times another answer."""
    answer = rng.choice((pair[4], b" another"))
    return [*pair[:4], answer, *pair[5:]]


def pair_text(rng: random.Random, end: bytes) -> bytes:
    """Return a question or an answer, which is never blank."""
    kind = rng.random()
    if kind < 0.2:
        return b" t"
    if kind < 0.6:
        pieces = rng.choices(INLINE, k=rng.choice((0, 1, 1, 2, 3)))
        while rng.random() < 0.35:
            pieces.insert(rng.randrange(len(pieces) + 1), end)
        pieces.insert(rng.randrange(len(pieces) + 1), b"t")
        return b" " + b"".join(pieces)
    return end.join([rng.choice((b"", b" t")), *some_lines(rng), b"t"])


def some_lines(rng: random.Random) -> list[bytes]:
    """Return lines that a pair may hold; now and then they are a pair in a pair (1.9c)."""
    kinds = [rng.choice(MARKERS)]
    if rng.random() < 0.2:
        kinds += rng.choices(MARKERS, k=2)
    lines = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        choice = rng.random()
        if choice < 0.55:
            lines.append(near_line_like(rng, rng.choice(kinds)))
        elif choice < 0.65:
            lines.append(rng.choice(NO_CONFLICTS))
        elif choice < 0.67:
            lines.append(rng.choice(CONFLICTS))
        elif choice < 0.75:
            lines.append(rng.choice(rng.choice((COMMENTS, HALVES))).replace(END, b""))
        else:
            lines.append(rng.choice(QUOTATIONS + NO_NEAR_LINES + [b"", b"t"]))
    return lines


def near_line_like(rng: random.Random, marker: bytes) -> bytes:
    line = rng.choice(NEAR_LINES[marker].splitlines())
    if line.isascii() and rng.random() < 0.03:
        return line.encode("utf-16-le")
    return line.encode()


def gap(rng: random.Random, end: bytes) -> bytes:
    """Return what may stand between pairs: white space, comments, text; little of it wrong."""
    pieces = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        kind = rng.random()
        if kind < 0.5:
            pieces.append(rng.choice(SPACES))
        elif kind < 0.75:
            pieces += [rng.choice(rng.choice((COMMENTS, COMMENTS, LONG_COMMENTS))), end]
        elif kind < 0.9:
            pieces += [end, outside_line(rng), end]
        else:
            pieces += [end, *(line + end for line in some_lines(rng))]
    return b"".join(pieces)


def outside_line(rng: random.Random) -> bytes:
    harmless = NO_HALVES + NO_CONFLICTS + NO_NEAR_LINES + QUOTATIONS
    if rng.random() < 0.9:
        return rng.choice(harmless)
    return rng.choice(HALVES + BAD_COMMENTS + CONFLICTS)


# Mutations


def anything(rng: random.Random) -> bytes:
    near = near_line_like(rng, rng.choice(MARKERS))
    comments = COMMENTS + LONG_COMMENTS + BAD_COMMENTS
    kinds = (
        BYTES_OF_NOTE,
        BYTES_OF_NOTE,
        INLINE,
        SPACES,
        comments,
        HALVES,
        CONFLICTS,
        [near],
    )
    return rng.choice(rng.choice(kinds))


def place_of_marker(rng: random.Random, chunks: list[bytes]) -> int:
    """Return the place of a chunk that is a marker; of the last chunk if none is left."""
    places = [place for place, chunk in enumerate(chunks) if chunk in MARKERS]
    return rng.choice(places) if places else len(chunks) - 1


def delete_chunk(rng: random.Random, chunks: list[bytes]) -> None:
    if len(chunks) > 1:
        del chunks[rng.randrange(len(chunks))]


def delete_marker(rng: random.Random, chunks: list[bytes]) -> None:
    chunks[place_of_marker(rng, chunks)] = b""


def double_chunk(rng: random.Random, chunks: list[bytes]) -> None:
    place = rng.randrange(len(chunks))
    chunks.insert(place, chunks[place])


def insert_chunk(rng: random.Random, chunks: list[bytes]) -> None:
    chunks.insert(rng.randrange(len(chunks) + 1), anything(rng))


def insert_lines(rng: random.Random, chunks: list[bytes]) -> None:
    lines = [b"", *(anything(rng) for _ in range(rng.choice((1, 2)))), b""]
    chunks.insert(rng.randrange(len(chunks) + 1), b"\n".join(lines))


def replace_chunk(rng: random.Random, chunks: list[bytes]) -> None:
    chunks[rng.randrange(len(chunks))] = anything(rng)


def swap_chunks(rng: random.Random, chunks: list[bytes]) -> None:
    one = rng.randrange(len(chunks))
    other = rng.randrange(len(chunks))
    chunks[one], chunks[other] = chunks[other], chunks[one]


def swap_markers(rng: random.Random, chunks: list[bytes]) -> None:
    one = place_of_marker(rng, chunks)
    other = place_of_marker(rng, chunks)
    chunks[one], chunks[other] = chunks[other], chunks[one]


def add_space(rng: random.Random, chunks: list[bytes]) -> None:
    chunks.insert(place_of_marker(rng, chunks) + rng.randrange(2), rng.choice(SPACES))


def misspell_marker(rng: random.Random, chunks: list[bytes]) -> None:
    """Put a near marker or a slip in the place of a marker, or of all four of a pair."""
    place = place_of_marker(rng, chunks)
    places = [place]
    if rng.random() < 0.3:
        places = range(place, min(place + rng.choice((4, 6, 10)), len(chunks)))
    for place in places:
        marker = chunks[place]
        if marker in MARKERS:
            if rng.random() < 0.5:
                chunks[place] = rng.choice(SLIPS[marker]).encode()
            else:
                chunks[place] = near_line_like(rng, marker)


def add_near_line(rng: random.Random, chunks: list[bytes]) -> None:
    """Lose a marker, and put what may be meant as one above it."""
    place = place_of_marker(rng, chunks)
    marker = chunks[place]
    if marker not in MARKERS:
        return
    lines = NEAR_LINES[marker].splitlines() + SLIPS[marker] + ["t", "<<<<<<< t", "> t"]
    chosen = [line.encode() for line in rng.choices(lines, k=rng.choice((1, 2, 3)))]
    chunks[place] = b"\n".join([*chosen, b""])


def spoil_weight(rng: random.Random, chunks: list[bytes]) -> None:
    if WEIGHT in chunks[:-1]:
        chunks[chunks.index(WEIGHT) + 1] = rng.choice(BAD_WEIGHTS)


def add_behind_weight(rng: random.Random, chunks: list[bytes]) -> None:
    """Put a line behind a weight, or around its END."""
    if END in chunks:
        place = chunks.index(END)
        slips = rng.choice(SLIPS[END]).encode()
        ends = [b"*" + END + b"*", b"\\" + END, b"t\n" + END, slips + b"\n" + END]
        ends += [
            near_line_like(rng, END),
            b"t\n" + near_line_like(rng, END),
            END + b" t",
        ]
        chunks[place] = rng.choice(ends)


def empty_text(rng: random.Random, chunks: list[bytes]) -> None:
    """Leave nothing of a question or an answer, or nearly nothing."""
    marker = rng.choice((QUESTION, ANSWER))
    if marker in chunks[:-1]:
        blank = b"".join(rng.choices(SPACES, k=rng.randrange(3)))
        nearly = rng.choice((b"", b"", b"", b"\0", b"\xa0", b"\x1c", BOM))
        chunks[chunks.index(marker) + 1] = blank + nearly


CHUNK_MUTATIONS = [
    delete_chunk,
    delete_marker,
    double_chunk,
    insert_chunk,
    insert_lines,
    replace_chunk,
    swap_chunks,
    swap_markers,
    add_space,
    misspell_marker,
    misspell_marker,
    add_near_line,
    add_near_line,
    spoil_weight,
    add_behind_weight,
    empty_text,
]


def change_lines(rng: random.Random, document: bytes, _: bytes) -> bytes:
    """Delete, double, replace, lengthen or swap a line."""
    lines = document.split(b"\n")
    place = rng.randrange(len(lines))
    other = rng.randrange(len(lines))
    line = lines[place]
    kind = rng.randrange(5)
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines.insert(other, line)
    elif kind == 2:
        lines[place] = anything(rng)
    elif kind == 3:
        lines[place] = anything(rng) + line
    else:
        lines[place], lines[other] = lines[other], line
    return b"\n".join(lines)


def change_byte(rng: random.Random, document: bytes, _: bytes) -> bytes:
    place = rng.randrange(len(document) + 1)
    new = rng.choice((b"", rng.choice(SPACES), bytes([rng.randrange(256)])))
    return document[:place] + new + document[place + 1 :]


def insert_bytes(rng: random.Random, document: bytes, _: bytes) -> bytes:
    place = rng.randrange(len(document) + 1)
    return document[:place] + anything(rng) + document[place:]


def cut_out(rng: random.Random, document: bytes, _: bytes) -> bytes:
    place = rng.randrange(len(document) + 1)
    length = rng.choice((2, 10, 40, len(document)))
    return document[:place] + document[place + length :]


def splice(rng: random.Random, document: bytes, last: bytes) -> bytes:
    """Go on with the end of the document before, or put all of it in front."""
    if rng.random() < 0.5:
        return last + rng.choice((b"", b"\n", b" ")) + document
    place = rng.randrange(len(document) + 1)
    return document[:place] + last[rng.randrange(len(last) + 1) :]


def change_line_ends(rng: random.Random, document: bytes, _: bytes) -> bytes:
    old, new = rng.choice(LINE_ENDS)
    return document.replace(old, new, rng.choice((1, 2, -1)))


BYTE_MUTATIONS = [
    change_lines,
    change_lines,
    change_byte,
    insert_bytes,
    cut_out,
    splice,
    change_line_ends,
]


if __name__ == "__main__":
    unittest.main()
