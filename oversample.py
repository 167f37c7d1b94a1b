#!/usr/bin/env python3
"""Write base ** weight copies of every question-and-answer pair, in random order.

The document is markdown, read and written as bytes:

    QUESTION: one or more paragraphs

    ANSWER: one or more paragraphs

    OVERSAMPLE_WEIGHT: 4
    <END_OF_SET>

Pairs are copied, never edited: all from the Q of QUESTION: to the > of
<END_OF_SET> is written as it is, as often as the weight says. A document with
anything malformed in it is refused, and every such place named by its line.

Example: base 2, two pairs of weights 1 and 3 -> 2 copies of the one, 8 of the other.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import random
import re
import signal
import stat
import sys
import time
from array import array
from collections import Counter
from contextlib import contextmanager, suppress
from operator import itemgetter, mul
from typing import TYPE_CHECKING, Any, NamedTuple, Union

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from decimal import Decimal
    from typing import IO, NoReturn

    Base = Union[int, float, str, Decimal]
    Path = Union[str, os.PathLike[str]]
    Mark = tuple[int, int, int]

__version__ = "1.0.0"
__all__ = ["Difference", "Document", "DocumentError", "QAPair", "Summary"]
__all__ += ["check", "copies", "oversample", "parse", "resample"]

# The grammar ----------------------------------------------------------------------

MARKERS = b"QUESTION:", b"ANSWER:", b"OVERSAMPLE_WEIGHT:", b"<END_OF_SET>"
QUESTION, ANSWER, WEIGHT, END, NOTHING = range(5)
KINDS = {marker: kind for kind, marker in enumerate(MARKERS)}
NAMES = (*(marker.decode() for marker in MARKERS), "the end of the document")
BOM = b"\xef\xbb\xbf"
WEIGHTS = range(1, 6)
MAX_SEED = 2**64 - 1
MAX_COPIES = 2**31
WAYS_OUT = "use a smaller base or a cap (--max-copies)"

# A pattern that starts with one literal byte scans over 1 GB a second, one that
# starts with a set of bytes a third of that; most of a document is inside pairs.
INSIDE = re.compile(rb"\n(QUESTION:|ANSWER:|OVERSAMPLE_WEIGHT:)")
LINE_START = rb"(?:(?<![^\n])|(?<=\A\xef\xbb\xbf))"
OUTSIDE = re.compile(
    rb"(" + LINE_START + rb"(?:QUESTION:|ANSWER:|OVERSAMPLE_WEIGHT:)|<END_OF_SET>)|<!--"
)
ENDING = re.compile(MARKERS[END])
OPENING = re.compile(LINE_START + MARKERS[QUESTION])
BLANK = re.compile(rb"\s*")
TEXT = re.compile(rb"\S")
WEIGHT_TEXT = re.compile(rb"[ \t]*([1-5])\s*")
WEIGHT_DIGIT = re.compile(rb"[ \t]*[1-5](?=[\s<])")
# What may be a marker that missed: what is first on its line, or behind a bare CR, an end,
# a comment or a byte order mark, and, since an end may stand anywhere, what begins with <.
LINE = re.compile(rb"(?:\r|(?=<)|(?<![^\n>\xbf]))[^\r\n]{4,}")
NEAR = 2**16
QUOTED = 51  # a quotation is cut at so many characters, of up to 4 bytes each
STRIPPED = re.compile(rb"OVERSAMPLE_WEIGHT:[^\n<]*\n?")


class QAPair(NamedTuple):
    """One pair of a document: its bytes, its weight, the line on which it begins.

    Example: the pair QUESTION: Why? ANSWER: Because. OVERSAMPLE_WEIGHT: 4 on lines
    1 to 6 has weight 4, line 1, question b"Why?" and answer b"Because."
    """

    span: bytes
    weight: int
    line: int

    # Derived when asked for: to cut them for every pair costs as much as the parse.
    @property
    def question(self) -> bytes:
        """The text of the question, without marker and surrounding white space."""
        return self.span.partition(b"\nANSWER:")[0][len(MARKERS[QUESTION]) :].strip()

    @property
    def answer(self) -> bytes:
        """The text of the answer, without marker and surrounding white space."""
        body = self.span.partition(b"\nANSWER:")[2]
        return body.partition(b"\nOVERSAMPLE_WEIGHT:")[0].strip()


class Document(NamedTuple):
    """The pairs in order, what separates them, and (line, message) warnings in order.

    The separator is the commonest white space between two neighbouring pairs.
    """

    pairs: tuple[QAPair, ...]
    separator: bytes
    warnings: tuple[tuple[int, str], ...]


class DocumentError(ValueError):
    """A malformed document: `problems` are (line, message), in order of line.

    `count` is how many there are: len(problems), unless they are more than 100,000.

    Example: parse(b"QUESTION: Why?") has the problems
    ((1, "expected ANSWER: after QUESTION: (line 1), found the end of the document"),)
    """

    def __init__(self, problems: Iterable[tuple[int, str]], count: int = 0) -> None:
        self.problems = tuple(problems)
        self.count = max(count, len(self.problems))
        super().__init__(self.problems, self.count)

    def __str__(self) -> str:
        more = f" (and {self.count - 1:,} more)" if self.count > 1 else ""
        return "line {}: {}{}".format(*self.problems[0], more)


# Parsing: bytes to pairs ------------------------------------------------------------


def parse(document: bytes) -> Document:
    """Read a whole document; raise DocumentError, with every problem, if malformed.

    Example: one pair of weight 4 -> Document(pairs=(QAPair(span=b"QUESTION: ...
    <END_OF_SET>", weight=4, line=1),), separator=b"\\n\\n", warnings=())
    """
    if not isinstance(document, bytes):
        document = bytes(memoryview(document))
    return _Parser(document).parse()


class _Findings:
    """(line, message) rows. Hostile documents have millions: so many are kept, all counted."""

    def __init__(self, kept: int = 100_000) -> None:
        self.rows: list[tuple[int, str]] = []
        self.count, self.room = 0, kept

    def add(self, line: int, message: str) -> None:
        self.count += 1
        if self.count <= self.room:
            self.rows.append((line, message))

    def full(self) -> bool:
        return self.count >= self.room

    def in_order(self) -> tuple[tuple[int, str], ...]:
        return tuple(sorted(self.rows, key=lambda row: row[0]))


class _Parser:
    """Goes from mark to mark; each pair is either kept or has a problem reported."""

    def __init__(self, document: bytes) -> None:
        self.document = document
        self.problems, self.warnings = _Findings(), _Findings()
        self.counted, self.lines = 0, 1
        # The mark that is due, the last one seen, where it stands and where its text begins.
        self.due, self.last, self.at = QUESTION, NOTHING, 0
        self.text = len(BOM) if document.startswith(BOM) else 0
        # Marks that are no second error, should they come: their absence is one already.
        self.excused: set[int] = set()
        self.weight = 0
        self.pairs: list[QAPair] = []
        self.gaps: dict[bytes, int] = {}
        self.closed = 0

    def parse(self) -> Document:
        problems = self.problems
        begin = faults = 0
        for kind, start, stop in self.marks():
            if self.due != QUESTION:
                self.check_text(kind, start)
            if kind != self.due:
                self.misplaced(kind, start)
            elif self.excused:
                self.excused -= {QUESTION, NOTHING}
            if kind == QUESTION:
                begin, faults = start, problems.count
                self.due, self.excused = ANSWER, set()
            elif kind == END:
                if problems.count == faults:
                    self.keep(begin, stop)
                self.due, self.excused, self.closed = QUESTION, set(), stop
            else:
                self.due = max(self.due, kind + 1)
            self.last, self.at, self.text = kind, start, stop
        if not self.pairs and not problems.count:
            self.no_pairs()
        if problems.count:
            raise DocumentError(problems.in_order(), problems.count)
        self.warn_of_twins()
        line_end = b"\r\n" if b"\r\n" in self.pairs[0].span else b"\n"
        separator = max(self.gaps, key=self.gaps.__getitem__) if self.gaps else 2 * line_end
        return Document(tuple(self.pairs), separator, self.warnings.in_order())

    def keep(self, begin: int, stop: int) -> None:
        gap = self.document[self.closed : begin]
        if self.pairs and gap.isspace():
            self.gaps[gap] = self.gaps.get(gap, 0) + 1
        self.pairs.append(QAPair(self.document[begin:stop], self.weight, self.line(begin)))

    def marks(self) -> Iterator[Mark]:
        """Every marker as (kind, start, stop), then the end of the document."""
        document, stop, end = self.document, self.text, 0
        while end >= 0:
            if self.last == END:
                stop = self.sound_pairs(stop)
            match = self.outside(stop)
            if not match:
                break
            kind, stop = KINDS[match[1]], match.end()
            yield kind, match.start(), stop
            if kind != END:
                end = document.find(MARKERS[END], stop)
                for match in INSIDE.finditer(document, stop, end if end >= 0 else len(document)):
                    yield KINDS[match[1]], match.start() + 1, match.end()
                stop = end + len(MARKERS[END])
                if end >= 0:
                    yield END, end, stop
        # On the last line, not on the empty one that editors show after it.
        last = len(document) - document.endswith(b"\n")
        yield NOTHING, last, self.text

    def sound_pairs(self, stop: int) -> int:
        """Keep the pairs that follow with nothing amiss, which most do, in half the time."""
        document = self.document
        while True:
            end = document.find(MARKERS[END], stop)
            begin = document.find(b"\nQUESTION:", stop, max(end, 0)) + 1
            if not document[stop:begin].isspace():
                return stop
            question = begin + len(MARKERS[QUESTION])
            answer = INSIDE.search(document, question, end)
            weight = answer and INSIDE.search(document, answer.end(), end)
            if not answer or not weight or KINDS[answer[1]] != ANSWER or KINDS[weight[1]] != WEIGHT:
                return stop
            match = WEIGHT_TEXT.fullmatch(document, weight.end(), end)
            blank = BLANK.fullmatch(document, question, answer.start())
            if not match or blank or BLANK.fullmatch(document, answer.end(), weight.start()):
                return stop
            self.weight, stop = int(match[1]), end + len(MARKERS[END])
            self.keep(begin, stop)
            self.at, self.text, self.closed = end, stop, stop

    def outside(self, stop: int) -> re.Match[bytes] | None:
        """The next marker outside pairs; passes over comments, warns of text."""
        document = self.document
        while True:
            match = OUTSIDE.search(document, stop)
            start = match.start() if match else len(document)
            self.warn_of_text(stop, start)
            if not match or match[1]:
                return match
            line, close = self.line(start), document.find(b"-->", match.end())
            if close < 0:
                self.problems.add(line, "expected --> after <!--, found the end of the document")
                return None
            inner = document.find(b"<!--", match.end(), close)
            if inner >= 0:
                message = f"this comment ends on line {self.line(close)} and holds another <!--, "
                message += f"on line {self.line(inner)}: was a --> forgotten before it?"
                self.warnings.add(line, message)
            stop = self.text = close + len(b"-->")

    def line(self, offset: int) -> int:
        """The line of an offset, counted from the last one asked for, which is near."""
        if offset >= self.counted:
            self.lines += self.document.count(b"\n", self.counted, offset)
        else:
            self.lines -= self.document.count(b"\n", offset, self.counted)
        self.counted = offset
        return self.lines

    def line_end(self, begin: int, stop: int) -> int:
        end = self.document.find(b"\n", begin, stop)
        return end if end >= 0 else stop

    def check_text(self, kind: int, start: int) -> None:
        """Check what stands between the last mark and this one."""
        if self.last == WEIGHT:
            self.check_weight(start)
        elif BLANK.fullmatch(self.document, self.text, start):
            message = f"expected text after {NAMES[self.last]}, found {NAMES[kind]}"
            self.problems.add(self.line(self.at), message)

    def check_weight(self, start: int) -> None:
        document, tail = self.document, self.text
        match = WEIGHT_TEXT.fullmatch(document, tail, start)
        if match:
            self.weight = int(match[1])
            return
        match = WEIGHT_DIGIT.match(document, tail, start)
        tail = match.end() if match else self.line_end(tail, start)
        if not match:
            found = _quote(document, self.text, tail)
            message = f"expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found {found}"
            self.problems.add(self.line(self.at), message)
        match = TEXT.search(document, tail, start)
        if match:
            begin = match.start()
            end = self.line_end(begin, start)
            hint = self.hint(max(tail, begin - NEAR), end, {END, QUESTION})
            self.expected(END, _quote(document, begin, start) + hint, begin)
            # Told once: what follows is as after an end, or after a missed question.
            self.due, self.excused = QUESTION, {ANSWER, WEIGHT, END}

    def misplaced(self, kind: int, start: int) -> None:
        if kind == NOTHING and self.due == QUESTION:
            return
        due, told = self.due, kind in self.excused
        if not told:
            lacking = set(range(due, kind if kind > due else NOTHING))
            hint = self.hint(max(self.text, start - NEAR), start, lacking)
            self.expected(due, NAMES[kind] + hint, start)
        # One error a place: what it leaves out or puts out of order is told by it.
        if due == QUESTION:
            self.excused = {NOTHING, *range(kind)}
        elif kind > due:
            self.excused |= set(range(due, kind))
        elif not told:
            self.due = kind

    def expected(self, due: int, found: str, offset: int) -> None:
        after = "first"
        if self.last != NOTHING:
            after = f"after {NAMES[self.last]} (line {self.line(self.at)})"
        self.problems.add(self.line(offset), f"expected {NAMES[due]} {after}, found {found}")

    def hint(self, begin: int, end: int, kinds: set[int]) -> str:
        """Name the first line of each kind that looks like a marker, but is none."""
        hints = ""
        if self.problems.full() or self.warnings.full():
            return hints
        for match in LINE.finditer(self.document, begin, end):
            kind = _resembles(match[0][:80])
            if kind in kinds:
                where = "" if kind == END else " first on its line"
                hints += f"; line {self.line(match.start())} looks like a marker that missed: "
                hints += f"expected '{NAMES[kind]}'{where}, found {_quoted(match[0])}"
                kinds = kinds - {kind}
                if not kinds:
                    break
        return hints

    def warn_of_text(self, begin: int, end: int) -> None:
        match = TEXT.search(self.document, begin, end)
        if match:
            text = match.start()
            line, found = self.line(text), _quote(self.document, text, end)
            more = self.document[text:end].rstrip().count(b"\n")
            lines = f" and {more} more line{'s' * (more > 1)}" if more else ""
            begin, end = max(begin, text - NEAR), min(end, text + NEAR)
            hint = self.hint(begin, end, {*KINDS.values()})
            self.warnings.add(line, f"text outside any pair is not copied: {found}{lines}{hint}")

    def warn_of_twins(self) -> None:
        for weight in WEIGHTS:  # one by one, for a third of the memory
            first: dict[bytes, int] = {}
            for span, _, line in (pair for pair in self.pairs if pair.weight == weight):
                if first.setdefault(span, line) != line:
                    message = f"this pair is the same as the one on line {first[span]}"
                    self.warnings.add(line, f"{message}; both are copied")

    def no_pairs(self) -> None:
        document = self.document
        if not document.strip():
            found = "an empty document"
        elif document.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in document[:4]:
            found = "UTF-16 or UTF-32: save the document as UTF-8"
        else:
            found = "none" + self.hint(self.text, self.text + NEAR, {*KINDS.values()})
        self.problems.add(1, f"expected a pair, QUESTION: to <END_OF_SET>, found {found}")


def _resembles(line: bytes) -> int:
    """The marker a line looks like: one whose case, spelling or surroundings are off.

    Example: b"**Answer** : Call her" -> ANSWER; b"Call her" -> NOTHING
    """
    text = line.decode("utf-8", "replace")
    capitals = re.match(r"[\W_]*[A-Z]+(?:[_ -][A-Z]+)*", text)
    for part in re.split("[:\uff1a]", text)[0], text, capitals[0] if capitals else "":
        letters = "".join(filter(str.isalpha, part)).upper()
        for kind, name in enumerate(("QUESTION", "ANSWER", "OVERSAMPLEWEIGHT", "ENDOFSET")):
            if _one_off(letters, name):
                return kind
    return NOTHING


def _one_off(word: str, other: str) -> bool:
    """Whether at most one letter is added, left out, replaced or swapped with the next."""
    if abs(len(word) - len(other)) > 1:
        return False
    for _ in range(2):  # cut what both begin with, then, reversed, what both end with
        same = len(os.path.commonprefix([word, other]))
        word, other = word[same:][::-1], other[same:][::-1]
    return max(len(word), len(other)) < 2 or len(word) == 2 and word == other[::-1]


def _quote(document: bytes, begin: int, end: int) -> str:
    """The first line of text in document[begin:end], for a message."""
    match = TEXT.search(document, begin, end)
    begin = match.start() if match else end
    return _quoted(document[begin : min(end, begin + 4 * QUOTED)].partition(b"\n")[0].rstrip())


def _quoted(text: bytes) -> str:
    if not text:
        return "nothing"
    shown = _escaped(text[: 4 * QUOTED].decode("utf-8", "backslashreplace"))
    return f"'{shown}'" if len(shown) < QUOTED else f"'{shown[: QUOTED - 4]}...'"


def _escaped(text: str) -> str:
    """Text that cannot drive a terminal.  Example: the escape character -> \\x1b"""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


# Copies: weights to numbers, numbers to an order --------------------------------------


def copies(weight: int, base: Base, max_copies: int | None = None) -> int:
    """How many copies a pair has in all: base ** weight, rounded, halves up.

    The power is exact; a float counts as it prints. Raises ValueError for a weight
    that is not 1 to 5, a base that is not 1 to 1000, a max_copies below 1.

    Example: copies(4, 2) -> 16; copies(1, "2.5") -> 3; copies(4, 1.3) -> 3
    """
    number, scale = _ratio(base)
    exponent = _whole(weight, WEIGHTS[0], WEIGHTS[-1])
    power, unit = number**exponent, scale**exponent
    rounded: int = (2 * power + unit) // (2 * unit)
    return rounded if max_copies is None else min(rounded, _whole(max_copies, 1))


def resample(
    pairs: Iterable[QAPair], *, base: Base, seed: int, max_copies: int | None = None
) -> list[QAPair]:
    """Every copy of every pair, in the order in which `oversample` writes them.

    Raises ValueError for what `copies` refuses, a seed that is not a whole number
    from 0 to 2**64 - 1, and more than 2**31 copies.

    Example: resample([a, b], base=2, seed=1), weights 1 and 2 -> [a, b, b, b, a, b]
    """
    pairs = list(pairs)
    order = _order([copies(pair.weight, base, max_copies) for pair in pairs], _whole(seed))
    return [pairs[index] for index in order]


def _ratio(base: Base) -> tuple[int, int]:
    """A base as a numerator and a power of ten.  Example: 1.3 -> (13, 10)"""
    match = re.fullmatch(r"([0-9]{1,4})(?:\.([0-9]{1,1000}))?", _decimal_text(base))
    if match:
        fraction = match[2] or ""
        number, scale = int(match[1] + fraction), 10 ** len(fraction)
        if scale <= number <= 1000 * scale:
            return number, scale
    raise ValueError(f"expected a whole or decimal number from 1 to 1000, found {_shown(base)}")


def _decimal_text(base: Base) -> str:
    if isinstance(base, float):
        return float.__repr__(base)  # str() of a subclass, numpy's say, may be anything
    if isinstance(base, str):
        return base
    if isinstance(base, int) and not isinstance(base, bool):
        return int.__repr__(base) if 0 < base <= 1000 else ""
    from decimal import Decimal  # costs 4 ms; whoever has one has paid them

    # adjusted() first: written out, 1E+999999999 has a billion digits.
    plain = isinstance(base, Decimal) and 0 <= base.adjusted() <= 3
    return format(base, "f") if plain else str(base)


def _whole(value: int, low: int = 0, high: int = MAX_SEED) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise ValueError(f"expected a whole number from {low} to {high}, found {_shown(value)}")


def _shown(value: object) -> str:
    try:
        text = value if isinstance(value, str) else repr(value)
    except ValueError:  # an int of more digits than Python prints
        text = "a huge number"
    return _quoted(text.encode("utf-8", "backslashreplace"))


def _order(counts: Sequence[int], seed: int) -> array[int]:
    """The index of each pair, as often as it has copies, in random order.

    The shuffle of Fisher and Yates in Durstenfeld's form (CACM 7, 1964, algorithm
    235). It draws on random() alone, whose sequence for a seed Python promises to keep.
    """
    _total(counts)
    # No list: an array takes half the memory and, with no reference counts to touch,
    # half the time where the copies outgrow the processor's cache.
    order = array("I")
    for index, count in enumerate(counts):
        order.extend(array("I", (index,)) * count)
    draw = random.Random(seed).random
    for last in range(len(order) - 1, 0, -1):
        other = int(draw() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order


def _total(counts: Sequence[int]) -> int:
    total = sum(counts)
    if total > MAX_COPIES:
        raise ValueError(f"{total:,} copies are more than {MAX_COPIES:,}; {WAYS_OUT}")
    return total


# The plan: what will be written ---------------------------------------------------------


class _Plan(NamedTuple):
    """All that decides the output, and its size in bytes; `each` is copies by weight."""

    each: dict[int, int]
    spans: list[bytes]
    counts: list[int]
    separator: bytes
    closing: bytes
    seed: int
    copies: int
    size: int


def _plan(
    document: Document, base: Base, seed: int | None, max_copies: int | None, strip_weights: bool
) -> _Plan:
    each = {weight: copies(weight, base, max_copies) for weight in WEIGHTS}
    seed = int.from_bytes(os.urandom(8), "big") if seed is None else _whole(seed)
    counts = [each[pair.weight] for pair in document.pairs]
    spans = [pair.span for pair in document.pairs]
    if strip_weights:
        spans = [_stripped(span) for span in spans]
    separator = document.separator
    closing = b"\r\n" if separator.endswith(b"\r\n") else b"\n"
    total = _total(counts)
    size = sum(map(mul, map(len, spans), counts)) + len(separator) * (total - 1) + len(closing)
    return _Plan(each, spans, counts, separator, closing, seed, total, size)


def _stripped(span: bytes) -> bytes:
    """A span without its weight line, or as it is if it has none."""
    start = span.rfind(b"\nOVERSAMPLE_WEIGHT:") + 1
    match = STRIPPED.match(span, start)
    return span[:start] + span[match.end() :] if match else span


def _blocks(plan: _Plan) -> Generator[bytes, None, None]:
    """The output, in blocks: three times as fast as copy by copy."""
    order = _order(plan.counts, plan.seed)
    # Larger blocks would each be new memory from the system: a fifth more for the whole run.
    length = max(1, 2**17 // max(map(len, plan.spans)))
    yield plan.spans[order[0]]
    # Nothing, joined to the copies that follow, puts a separator before them.
    spans = [*plan.spans, b""]
    for start in range(1, len(order), length):
        # itemgetter: of short copies, a tenth less for the whole run than one by one.
        yield plan.separator.join(itemgetter(-1, *order[start : start + length])(spans))
    yield plan.closing


# Files: all or nothing --------------------------------------------------------------------


class _Target(NamedTuple):
    """Where the output goes; `old` is the file that it replaces, if any."""

    name: str
    path: str
    old: os.stat_result | None
    overwrite: bool


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Whatever goes wrong with a file is told under the name that its user gave it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error


def _read(file: IO[bytes], name: str) -> bytes:
    with _named(name):
        return file.read()


def _target(destination: Path, source: os.stat_result, overwrite: bool) -> _Target:
    """Decide whether the output may be written, before anything is."""
    name = os.fsdecode(destination)
    path = os.path.realpath(name)
    with _named(name):
        if not name:
            raise OSError(errno.ENOENT, "expected a file name, found nothing")
        try:
            old = os.stat(name)
        except FileNotFoundError:
            for folder in os.path.dirname(name) or os.curdir, os.path.dirname(path):
                if not os.path.isdir(folder):
                    raise OSError(errno.ENOENT, "its folder does not exist") from None
            return _Target(name, path, None, overwrite)
        if os.path.samestat(old, source):
            raise OSError(errno.EINVAL, "is the input itself; choose another name")
        if stat.S_ISDIR(old.st_mode):
            raise OSError(errno.EISDIR, "expected a file name, found a folder")
        if not stat.S_ISREG(old.st_mode):
            raise OSError(errno.EINVAL, "is no regular file; - writes to standard output")
        if not overwrite:
            ways_out = (
                "choose another name, or replace it with --force (from Python, overwrite=True)"
            )
            raise OSError(errno.EEXIST, f"exists already; {ways_out}")
        return _Target(name, path, old, overwrite)


def _check_space(target: _Target, size: int) -> None:
    with _named(target.name):
        if not hasattr(os, "statvfs"):  # Windows
            return
        disk = os.statvfs(os.path.dirname(target.path))
        free = disk.f_bavail * disk.f_frsize
        if disk.f_blocks and size > free:  # no blocks where the system cannot tell
            figures = f"the output has {size:,} bytes, free are {free:,}"
            raise OSError(errno.ENOSPC, f"{figures}; {WAYS_OUT}")


def _publish(target: _Target, blocks: Iterable[bytes]) -> None:
    """Write a file that gets its name when it is whole and on the disk."""
    # Nobody else has this name, so it can be removed without a look.
    temporary = os.path.join(os.path.dirname(target.path), f".oversample-{os.urandom(8).hex()}.tmp")
    with _named(target.name):
        try:
            try:
                _write_file(temporary, blocks, target.old)
                _give_name(temporary, target)
            finally:
                _discard(temporary)
        except BaseException:  # again: a signal may come before the call above
            _discard(temporary)
            raise


def _write_file(path: str, blocks: Iterable[bytes], old: os.stat_result | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    # What replaces a private file is private from its first byte.
    descriptor = os.open(path, flags, 0o600 if old else 0o666)
    try:
        if old:
            with suppress(OSError, AttributeError):  # not ours to give; Windows
                os.chown(path, old.st_uid, old.st_gid)
            os.chmod(path, old.st_mode & 0o777)
        _write(descriptor, blocks)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, blocks: Iterable[bytes]) -> None:
    for block in blocks:
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def _give_name(temporary: str, target: _Target) -> None:
    try:
        (os.replace if target.overwrite else _link)(temporary, target.path)
    except FileExistsError:
        message = "appeared while this ran, and is left as it is"
        raise FileExistsError(errno.EEXIST, message) from None


def _link(temporary: str, path: str) -> None:
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        # FAT and some network drives have no hard links: hold the name, then take it.
        held = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.close(held)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(path)
            raise


def _discard(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


class Summary(NamedTuple):
    """What `oversample` wrote: pairs read, copies and bytes written, the seed used."""

    pairs: int
    copies: int
    bytes: int
    seed: int


def oversample(
    source: Path,
    destination: Path,
    *,
    base: Base,
    seed: int | None = None,
    max_copies: int | None = None,
    strip_weights: bool = False,
    overwrite: bool = False,
) -> Summary:
    """Write base ** weight copies of every pair of source, in random order, to destination.

    base           1 to 1000, whole or decimal
    seed           0 to 2**64 - 1, repeats an order; if None, one is drawn
    max_copies     caps the copies of each pair
    strip_weights  leaves the weight line out of every copy
    overwrite      replaces an existing destination, in one step

    Raises DocumentError if the document is malformed, ValueError for an argument
    out of range and more than 2**31 copies, OSError for files and a full disk. On
    any error destination is as it was.

    Example: oversample("in.md", "out.md", base=2, seed=42)
    -> Summary(pairs=82, copies=1054, bytes=2981233, seed=42)
    """
    with open(source, "rb") as file:
        target = _target(destination, os.fstat(file.fileno()), overwrite)
        document = parse(_read(file, os.fsdecode(source)))
    plan = _plan(document, base, seed, max_copies, strip_weights)
    del document  # so that a giant pair is in memory twice, not three times
    _check_space(target, plan.size)
    _publish(target, _blocks(plan))
    return Summary(len(plan.spans), plan.copies, plan.size, plan.seed)


# The check: is a file what would be written? ------------------------------------------------


class Difference(NamedTuple):
    """One way in which a file is not what it should be: where, and how."""

    path: str
    line: int
    message: str


def check(
    source: Path,
    destination: Path,
    *,
    base: Base,
    seed: int | None = None,
    max_copies: int | None = None,
    strip_weights: bool = False,
) -> tuple[Difference, ...]:
    """How destination differs from what `oversample` would write; () if it does not.

    With a seed it must be the same byte for byte; without, it must be made of
    exactly the right copies in any order. Arguments and errors are those of
    `oversample`; nothing is written.

    Example: check("in.md", "out.md", base=2) where one copy is gone -> (Difference(
    path="in.md", line=9, message="expected 4 copies of this pair in out.md, found 3"),)
    """
    with open(source, "rb") as file:
        document = parse(_read(file, os.fsdecode(source)))
    plan = _plan(document, base, seed, max_copies, strip_weights)
    names = os.fsdecode(source), os.fsdecode(destination)
    return tuple(_check(document, plan, *names, seed is not None)[0])


def _check(
    document: Document, plan: _Plan, source: str, destination: str, in_order: bool
) -> tuple[list[Difference], int]:
    """The differences, and how many there are: more, if there are too many to keep."""
    tally = _Tally(document, plan, in_order)
    with _named(destination), open(destination, "rb") as file:
        tally.read(file)
    differences = [Difference(destination, *row) for row in tally.strange(source)]
    differences += [Difference(source, *row) for row in tally.wrong_counts(destination)]
    if tally.disorder and not differences:
        message = f"expected the order of seed {plan.seed}, found the same copies in another"
        differences = [Difference(destination, tally.disorder, message)]
    unkept = tally.unkept + tally.notes.count - len(tally.notes.rows)
    return differences, len(differences) + unkept


class _Tally:
    """Counts the copies in a file, and notes all that is none."""

    def __init__(self, document: Document, plan: _Plan, in_order: bool) -> None:
        self.pairs, self.plan = document.pairs, plan
        self.order = iter(_order(plan.counts, plan.seed) if in_order else ())
        self.disorder = 0  # the line of the first copy that is not the one due
        self.expected: Counter[bytes] = Counter()
        self.lines: dict[bytes, int] = {}
        for pair, span, count in zip(document.pairs, plan.spans, plan.counts):
            self.expected[span] += count
            self.lines.setdefault(span, pair.line)
        self.found: Counter[bytes] = Counter()
        self.notes = _Findings()
        # By hash, as (line, hash without weight line, hash of question): the file may be
        # something else altogether, and larger than memory.
        self.strangers: dict[int, tuple[int, int, int]] = {}
        self.times: Counter[int] = Counter()
        self.unkept = 0

    def read(self, file: IO[bytes]) -> None:
        line, separator = 1, b""
        for piece in _pieces(file):
            if piece.endswith(MARKERS[END]):
                self.copy(piece, separator, line)
            elif piece != self.plan.closing:
                self.gap(piece, self.plan.closing, line, "after the last copy")
            line += piece.count(b"\n")
            separator = self.plan.separator

    def copy(self, piece: bytes, separator: bytes, line: int) -> None:
        gap, span = piece[: len(separator)], piece[len(separator) :]
        if gap != separator or span not in self.expected:
            match = OPENING.search(piece)
            begin = match.start() if match else len(piece)
            gap, span = piece[:begin], piece[begin:]
        if gap != separator:
            self.gap(gap, separator, line, "before this copy")
        if span not in self.expected:
            if span:
                self.stranger(span, line + gap.count(b"\n"))
            return
        self.found[span] += 1
        due = next(self.order, None)
        if due is not None and not self.disorder and self.plan.spans[due] != span:
            self.disorder = line + gap.count(b"\n")

    def stranger(self, span: bytes, line: int) -> None:
        key = hash(span)
        if key not in self.times and len(self.times) >= self.notes.room:
            self.unkept += 1
            return
        self.times[key] += 1
        question = hash(QAPair(span, 0, 0).question)
        self.strangers.setdefault(key, (line, hash(_stripped(span)), question))

    def gap(self, found: bytes, expected: bytes, line: int, where: str) -> None:
        if found.strip():
            line += found[: len(found) - len(found.lstrip())].count(b"\n")
            message = f"text that belongs to no copy: {_quote(found, 0, len(found))}"
        else:
            message = f"expected {_quoted(expected)} {where}, found {_quoted(found)}"
        self.notes.add(line, message)

    def strange(self, source: str) -> tuple[tuple[int, str], ...]:
        stripped = {hash(_stripped(pair.span)): pair.line for pair in reversed(self.pairs)}
        questions = {hash(pair.question): pair.line for pair in reversed(self.pairs)}
        for key, (line, body, question) in self.strangers.items():
            times = self.times[key]
            which = "a copy matches" if times == 1 else f"{times:,} copies match"
            likeness = f"no pair of {source} has this question"
            if body in stripped:
                likeness = f"but for the weight line it is the pair at {source}:{stripped[body]}, "
                likeness += "so its weight was edited since or --strip-weights was given only once"
            elif question in questions:
                likeness = f"the question is that of {source}:{questions[question]}, "
                likeness += "so the pair was edited since or the copy altered"
            self.notes.add(line, f"{which} no pair: {likeness}")
        return self.notes.in_order()

    def wrong_counts(self, destination: str) -> Iterator[tuple[int, str]]:
        for span, count in self.expected.items():
            if self.found[span] != count:
                number = f"{count:,} cop{'y' if count == 1 else 'ies'} of this pair"
                found = f"{self.found[span]:,}"
                yield self.lines[span], f"expected {number} in {destination}, found {found}"


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """What a file holds up to and with each <END_OF_SET>, then the rest."""
    held, block = b"", b"more"
    while block:
        # As much again as is held, so that one long piece, too, takes linear time.
        block = file.read(max(2**17, len(held)))
        held += block
        start = 0
        for match in ENDING.finditer(held):
            yield held[start : match.end()]
            start = match.end()
        held = held[start:]
    yield held


# The command --------------------------------------------------------------------------------

EXAMPLES = """

  python oversample.py --base 2 in.md out.md
  python oversample.py --base 1.3 --seed 7 --strip-weights in.md out.md"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on argv (as sys.argv[1:]); return its exit status.

    Example: main(["--base", "2", "in.md", "out.md"]) -> 0
    """
    _hold_streams()
    handlers = _catch_signals()
    try:
        status = _status(argv)
        _disarm(handlers)
    except _Stopped as stopped:
        _say(f"oversample: error: stopped by {signal.Signals(stopped.number).name}")
        status = 128 + stopped.number
    for number, handler in handlers.items():
        # Nothing interrupts the end of the program; another caller has its own handlers back.
        signal.signal(number, signal.SIG_IGN if argv is None else handler)
    return status


def _status(argv: Sequence[str] | None) -> int:
    try:
        return _run(_options(argv))
    except SystemExit as help_or_bad_usage:
        return int(help_or_bad_usage.code or 0)
    except OSError as error:
        name = f"{error.filename or repr('')}: " if error.filename is not None else ""
        text = error.strerror or str(error)
        return _fail(f"{name}{text[:1].lower()}{text[1:]}")
    except ValueError as error:
        return _fail(str(error))
    except MemoryError:
        return _fail(f"not enough memory; {WAYS_OUT}")


def _fail(message: str) -> int:
    _say(f"oversample: error: {message}")
    return 1


def _hold_streams() -> None:
    """Keep the numbers of closed standard streams, or the next file to be opened has them."""
    for name, mode in ("stdin", os.O_WRONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_RDONLY):
        if getattr(sys, name) is None:
            os.open(os.devnull, mode)
            setattr(sys, name, io.StringIO())


class _Stopped(BaseException):
    def __init__(self, number: int) -> None:
        self.number = number


def _catch_signals() -> dict[int, Any]:
    """Let the signals that end a program raise _Stopped, once, so that files are cleaned up."""
    handlers: dict[int, Any] = {}

    def stop(number: int, _frame: object) -> None:
        _disarm(handlers)
        raise _Stopped(number)

    for name in "SIGINT", "SIGTERM", "SIGHUP":
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        # What is ignored stays ignored: nohup, and jobs that a script has in the background.
        if number and signal.getsignal(number) != signal.SIG_IGN:
            with suppress(ValueError):  # outside the main thread signals are not ours
                handlers[number] = signal.signal(number, stop)
    return handlers


def _disarm(handlers: Iterable[int]) -> None:
    for number in handlers:
        # Not SIG_IGN: of a signal that is on its way, Python would say that it was ignored.
        signal.signal(number, lambda *_: None)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _ArgumentParser(
        usage="oversample --base N [options] INPUT OUTPUT",
        description=(__doc__ or "").partition("\n")[0] + EXAMPLES,
        allow_abbrev=False,
        add_help=False,
        # A fixed width and named groups: help is the same everywhere, as in the README.
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=79),
    )
    _add_arguments(parser)
    parser.given = sys.argv[1:] if argv is None else argv
    try:
        options = parser.parse_args(argv)
    finally:
        _flush_help()
    if options.output is None and not options.dry_run:
        parser.error("the following arguments are required: OUTPUT")
    if options.output == "-" and options.check:
        parser.error("argument --check: expected the name of a file as OUTPUT, found '-'")
    return options


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("files").add_argument
    add("input", metavar="INPUT", help="the document; - reads standard input")
    add("output", metavar="OUTPUT", nargs="?", help="a new file; - writes standard output")
    group = parser.add_argument_group("options")
    add = group.add_argument
    base = "a pair of weight w has N ** w copies in all; 1 to 1000, such as 2 or 1.3"
    add("--base", metavar="N", required=True, type=_checked(_base), help=base)
    seed, cap = _checked(_number), _checked(lambda text: _number(text, 1))
    add("--seed", metavar="N", type=seed, help="repeat the order of another run")
    add("--max-copies", metavar="N", type=cap, help="at most N copies of each pair")
    strip = "leave the weight line out of every copy"
    add("--strip-weights", action="store_true", help=strip)
    modes = group.add_mutually_exclusive_group()
    dry_run = "report what would be written, write nothing; OUTPUT may be left out"
    modes.add_argument("-n", "--dry-run", action="store_true", help=dry_run)
    checks = "write nothing; say whether OUTPUT is what INPUT and these options give"
    modes.add_argument("--check", action="store_true", help=checks)
    add("-f", "--force", action="store_true", help="replace an existing OUTPUT")
    add("-q", "--quiet", action="store_true", help="errors only")
    add("--version", action="version", version=f"oversample {__version__}", help="print it")
    add("-h", "--help", action="help", help="print this")


class _ArgumentParser(argparse.ArgumentParser):
    given: Sequence[str] = ()

    def error(self, message: str) -> NoReturn:
        for text in self.given:
            if text.startswith(("\u2013", "\u2014")):  # what editors make of two hyphens
                message += f"; expected two hyphens before an option, found {_shown(text)}"
        _say(self.format_usage().rstrip(), f"oversample: error: {message}")
        raise SystemExit(2)


def _checked(check: Callable[[str], Any]) -> Callable[[str], Any]:
    """Let argparse say what is wrong in the words of the ValueError."""

    def convert(text: str) -> Any:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def _base(text: str) -> str:
    _ratio(text)
    return text


def _number(text: str, low: int = 0) -> int:
    # int() alone takes 1_0, blanks, and the digits of every script.
    number: Any = int(text) if re.fullmatch("[0-9]{1,20}", text) else text
    return _whole(number, low)


def _flush_help() -> None:
    """What cannot be printed fails here, and not, with a traceback, when Python ends."""
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = io.StringIO()
        raise


def _run(options: argparse.Namespace) -> int:
    source = "<stdin>" if options.input == "-" else options.input
    with _open(options.input) as file:
        target = None
        if options.output is not None and not options.check:
            target = _command_target(options, os.fstat(file.fileno()))
        content = _read(file, source)
    try:
        document = parse(content)
    except DocumentError as error:
        _say_rows([(source, *problem) for problem in error.problems], "error", error.count)
        return 1
    del content
    if not options.quiet:
        _say_rows([(source, *warning) for warning in document.warnings], "warning")
    plan = _plan(document, options.base, options.seed, options.max_copies, options.strip_weights)
    if options.check:
        return _run_check(document, plan, source, options)
    weights = Counter(pair.weight for pair in document.pairs)
    del document  # so that a giant pair is in memory twice, not three times
    if target and target.path:
        _check_space(target, plan.size)
    if target and not options.dry_run:
        _run_write(target, plan, options.quiet)
    if not options.quiet:
        _say(*_report(options, plan, weights))
    return 0


def _open(name: str) -> IO[bytes]:
    with _named("<stdin>" if name == "-" else name):
        return open(0 if name == "-" else name, "rb", closefd=name != "-")


def _command_target(options: argparse.Namespace, source: os.stat_result) -> _Target:
    if options.output != "-":
        return _target(options.output, source, options.force)
    with _named("<stdout>"):
        out = os.fstat(1)
        if stat.S_ISREG(out.st_mode) and os.path.samestat(out, source):
            raise OSError(errno.EINVAL, "is the input itself; choose another file")
    return _Target("<stdout>", "", None, False)


def _run_check(document: Document, plan: _Plan, source: str, options: argparse.Namespace) -> int:
    in_order = options.seed is not None
    differences, count = _check(document, plan, source, options.output, in_order)
    _say_rows(differences, "error", count)
    if not differences and not options.quiet:
        order = "in any order" if options.seed is None else f"in the order of seed {plan.seed}"
        _say(f"{options.output}: exactly the {plan.copies:,} copies that {source} gives, {order}")
    return 1 if differences else 0


def _run_write(target: _Target, plan: _Plan, quiet: bool) -> None:
    blocks = _blocks(plan)
    if not quiet and sys.stderr.isatty():
        blocks = _progress(blocks, plan.size)
    try:
        if target.path:
            _publish(target, blocks)
        else:
            with _named(target.name):
                _write(1, blocks)
    finally:
        blocks.close()  # now, so that the line of progress is gone before the next


def _say_rows(rows: Sequence[tuple[str, int, str]], level: str, count: int = 0) -> None:
    """Print the first of them, and say how many there are."""
    count, shown = max(count, len(rows)), rows[:100]
    _say(*(f"{name}:{line}: {level}: {message}" for name, line, message in shown))
    if count > len(shown):
        _say(f"oversample: {level}: {count:,} {level}s in all, the first {len(shown)} are shown")


def _say(*lines: str) -> None:
    _tell("".join(f"{_escaped(line)}\n" for line in lines))


def _tell(text: str) -> None:
    """Write for people; if that is impossible, the document still matters."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        sys.stderr = io.StringIO()


def _report(options: argparse.Namespace, plan: _Plan, weights: Counter[int]) -> list[str]:
    """The table of weights, and what was written where."""
    total = plan.copies
    rows = [(weights[weight], each, weights[weight] * each) for weight, each in plan.each.items()]
    widest = max(number for _, _, number in rows)
    lines = ["weight   pairs   copies each          copies    share"]
    for weight, (pairs, each, number) in zip(plan.each, rows):
        figures = f"{weight:>6} {pairs:>7,} {each:>13,} {number:>15,} {number / total:>8.1%}"
        lines.append(f"{figures}  {_bar(20 * number / widest) if number else ''}".rstrip())
    lines.append(f" total {len(plan.spans):>7,} {total:>29,} {1:>8.1%}")
    where = "standard output" if options.output == "-" else options.output
    done = f"written to {where}"
    if options.dry_run:
        done = "would be " + (done if where else "written")
    drawn = f" (drawn; --seed {plan.seed} repeats it)" if options.seed is None else ""
    lines += ["", f"{total:,} copies, {plan.size:,} bytes, {done}", f"seed {plan.seed}{drawn}"]
    if not options.strip_weights:
        lines.append("the copies keep their weight lines; --strip-weights leaves them out")
    return lines


def _bar(length: float) -> str:
    """A bar so many columns long, to the eighth; of whole # where there is no UTF-8."""
    # Python itself may speak UTF-8 where the terminal, by its locale, does not.
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LANG", "LC_CTYPE"))), "utf-8")
    encoding = str(getattr(sys.stderr, "encoding", None))
    if "utf" not in locale.lower() or "utf" not in encoding.lower():
        return "#" * (round(length) or 1)
    eighths = round(8 * length) or 1
    return "\u2588" * (eighths // 8) + " \u258f\u258e\u258d\u258c\u258b\u258a\u2589"[eighths % 8]


def _progress(blocks: Iterable[bytes], size: int) -> Generator[bytes, None, None]:
    """Hand the blocks on; after a second, say on the terminal how far they are."""
    done, begun, shown = 0, 0.0, 0.0
    try:
        for block in blocks:
            begun = begun or time.monotonic()
            yield block
            done += len(block)
            now = time.monotonic()
            if now - begun > 1 and now - shown > 0.1:
                speed = done / (now - begun)
                text = f"{done / size:.0%} of {size / 1e9:,.1f} GB, {speed / 1e6:,.0f} MB/s, "
                text += f"{(size - done) / speed:,.0f} s left"
                columns = 80
                with suppress(OSError):  # the terminal may be gone
                    columns = os.get_terminal_size(2).columns or columns
                _tell(f"\r\x1b[K{text[: columns - 1]}")
                shown = now
    finally:
        if shown:
            _tell("\r\x1b[K")


if __name__ == "__main__":
    raise SystemExit(main())
