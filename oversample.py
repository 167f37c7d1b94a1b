#!/usr/bin/env python3
"""Make your best answers count more when you fine-tune a language model on them.

  python oversample.py --base 2 in.md out.md
  python oversample.py --base 1.3 --seed 7 --strip-weights in.md out.md

A pair is QUESTION: some text, ANSWER: some text, OVERSAMPLE_WEIGHT: 1 to 5,
and <END_OF_SET>, each first on its line. Not one byte of it ever changes.
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
from collections import Counter, namedtuple
from contextlib import contextmanager, suppress
from itertools import islice
from operator import itemgetter, mul

TYPE_CHECKING = False  # typing's own, and NamedTuple, would cost a tenth of a short run
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from decimal import Decimal
    from typing import Any, NoReturn, Union

    Base = Union[int, float, str, Decimal]
    Path = Union[str, os.PathLike[str]]
    Misspelt = tuple[int, int, str]  # which marker, its offset, the line in quotes

__version__ = "2.0.0"
__all__ = ["Difference", "Document", "DocumentError", "QAPair", "Summary"]
__all__ += ["check", "copies", "oversample", "parse", "resample"]

# The grammar, and the limits --------------------------------------------------------------

MARKERS = b"QUESTION:", b"ANSWER:", b"OVERSAMPLE_WEIGHT:", b"<END_OF_SET>"
QUESTION, ANSWER, WEIGHT, END, NOTHING = range(5)
KINDS = {marker: kind for kind, marker in enumerate(MARKERS)}
NAMES = (*(marker.decode() for marker in MARKERS), "the end of the document")
LETTERS = [re.sub("[^A-Z]", "", name) for name in NAMES[:NOTHING]]
BOM = b"\xef\xbb\xbf"
WEIGHTS = range(1, 6)
DIGIT = b"[%d-%d]" % (WEIGHTS[0], WEIGHTS[-1])

MAX_BASE = 1000
MAX_SEED = 2**64 - 1
MAX_COPIES = 2**31
MAX_MESSAGES = 100  # errors, warnings and differences that are kept
WARNINGS_SHOWN = 10
MAX_QUOTED = 50  # characters; a longer quotation is cut
MISSPELT_WITHIN = 2**16  # bytes behind the last marker in which misspelt markers are looked for
BLOCK = 2**17  # bytes read or written at once; larger ones cost up to 1.3 times the write
IF_TOO_LARGE = "use a smaller base or a cap (--max-copies)"

# Patterns that begin with one literal byte scan over 1 GB a second, those that begin with
# a set of bytes a third of that; most of a document is inside pairs.
FOLLOWING = re.compile(rb"(\s*\n)QUESTION:")
INSIDE = re.compile(rb"\n(QUESTION:|ANSWER:|OVERSAMPLE_WEIGHT:)")
# The same, but a blank answer takes the next marker with it, and a sound weight all up to
# the end of its pair: two searches decide whether a pair is sound.
SOUND = re.compile(
    rb"\n(?:QUESTION:|ANSWER:(?:\s*\n(?:QUESTION:|ANSWER:|OVERSAMPLE_WEIGHT:))?"
    rb"|OVERSAMPLE_WEIGHT:(?:[ \t]*(" + DIGIT + rb")\s*<END_OF_SET>)?)"
)
# Markers at the start of a line. The look behind comes after the first letter: scanning for
# a letter is ten times as fast as looking behind every byte.
OPENING, *STARTS = (
    rb"%b(?:(?<![^\n]%b)|(?<=\A\xef\xbb\xbf%b))%b" % (*3 * (marker[:1],), marker[1:])
    for marker in MARKERS[:END]
)
# A marker is a group; most comments match to their end, those with < or - inside do not.
OUTSIDE = re.compile(rb"(%b|%b|%b|<END_OF_SET>)|<!--(?:[^<-]*-->)?" % (OPENING, *STARTS))
TEXT = re.compile(rb"\S")
LINE = re.compile(rb"^[^\n]{5,}", re.MULTILINE)  # no misspelt marker is shorter
WEIGHT_DIGIT = re.compile(rb"[ \t]*" + DIGIT + rb"(?=[\s<]|\Z)")
WEIGHT_LINE = re.compile(rb"\nOVERSAMPLE_WEIGHT:[^\n<]*\n?")
# What else a document may be, by its first bytes.
FORMATS = re.compile(
    rb"(\xff\xfe|\xfe\xff|[^\0]{,3}\0)|(PK\x03\x04|PK\x05\x06|\xd0\xcf\x11\xe0)|(\{\\rtf)|(%PDF)"
)
FORMAT_NAMES = "UTF-16 or UTF-32", "a Word document or a zip", "RTF", "PDF"
# SIGINT is restored last: Python's own handler raises an exception, too. Windows has two.
SIGNALS = [getattr(signal, f"SIG{name}", 0) for name in ("TERM", "HUP", "QUIT", "INT")]
DESCRIPTORS = re.compile(r"//?(dev/(std(in|out|err)|fd/[^/]+)|proc/.*/fd/[^/]+)")


class QAPair(namedtuple("QAPair", "span weight line")):
    """One pair of a document: its bytes, its weight, the line on which it begins.

    Example: the pair QUESTION: Why? ANSWER: Because. OVERSAMPLE_WEIGHT: 4 on lines
    1 to 6 has weight 4, line 1, question b"Why?" and answer b"Because."
    """

    __slots__ = ()
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


class Document(namedtuple("Document", "pairs separator warnings")):
    """What `parse` reads: `pairs`, a tuple of QAPair; `separator`, the commonest white space
    between two neighbours; `warnings`, the first 100 of (line, message); all in order.
    """


class DocumentError(ValueError):
    """A malformed document. `problems`: (line, message), in order; after 100, that reading stopped.

    Example: parse(b"QUESTION: Why?") has the problems
    ((1, "expected ANSWER: after QUESTION: (line 1), found the end of the document"),)
    """

    def __init__(self, problems: Iterable[tuple[int, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(f"line {line}: {text}" for line, text in self.problems)


# Parsing: bytes to pairs -----------------------------------------------------------------


def parse(document: bytes) -> Document:
    """Read a whole document; raise DocumentError if malformed, TypeError if it is not bytes.

    Example: one pair of weight 4 -> Document(pairs=(QAPair(span=b"QUESTION: ...
    <END_OF_SET>", weight=4, line=1),), separator=b"\\n\\n", warnings=())
    """
    if not isinstance(document, bytes):
        document = bytes(memoryview(document))
    if other := FORMATS.match(document):
        found = FORMAT_NAMES[(other.lastindex or 1) - 1]
        way_out = "save it as plain text, UTF-8 (in TextEdit, Format > Make Plain Text)"
        raise DocumentError([(1, f"expected plain text, found {found}: {way_out}")])
    reader = _Reader(document)
    reader.read_sections()
    if not reader.pairs and not reader.errors:
        found = "none" if document.removeprefix(BOM).strip() else "an empty document"
        reader.report(0, f"expected a pair, QUESTION: to <END_OF_SET>, found {found}")
    if reader.errors:
        errors = sorted(reader.errors, key=itemgetter(0))
        if len(errors) > MAX_MESSAGES:
            stopped = f"reading stopped here, after {MAX_MESSAGES} errors"
            errors[MAX_MESSAGES:] = [(errors[MAX_MESSAGES][0], stopped)]
        raise DocumentError(errors)
    if len(reader.questions) < len(reader.pairs):
        reader.warn_of_twins()
    line_end = b"\r\n" if b"\r\n" in reader.pairs[0].span else b"\n"
    separator = max(reader.gaps, key=reader.gaps.__getitem__) if reader.gaps else 2 * line_end
    warnings = sorted(reader.warnings, key=itemgetter(0))[:MAX_MESSAGES]
    return Document(tuple(reader.pairs), separator, tuple(warnings))


class _Reader:
    """Reads section by section; keeps the pairs, and the first fault of each other section."""

    def __init__(self, document: bytes) -> None:
        self.document = document
        self.pairs: list[QAPair] = []
        self.gaps: dict[bytes, int] = {}  # a Counter would cost a twentieth of short pairs
        # Hashes, for the texts would take more memory; of some 20,000, so would a set.
        self.questions: dict[int, None] = {}
        self.errors: list[tuple[int, str]] = []
        self.warnings: list[tuple[int, str]] = []
        self.counted, self.lines = 0, 1

    def read_sections(self) -> None:
        document, end = self.document, -1
        stop = len(BOM) if document.startswith(BOM) else 0
        pairs, gaps, lines, counted = self.pairs, self.gaps, 1, 0
        while stop < len(document) and len(self.errors) <= MAX_MESSAGES:
            following = opening = FOLLOWING.match(document, stop)
            if not opening:
                opening, stop = self.outside(stop)
                if not opening:
                    continue
            text = opening.end()
            if end < text:  # kept, for there may be millions of questions before an end
                end = document.find(MARKERS[END], text)
                end = end if end >= 0 else len(document)
            stop = end + len(MARKERS[END])
            answer = SOUND.search(document, text, stop)
            weight = answer and SOUND.search(document, answer.end(), stop)
            if answer and weight and weight.end() == stop and answer[0] == b"\nANSWER:":
                question = document[text : answer.start()].strip()
                if question:
                    self.questions[hash(question)] = None
                    if following and pairs:
                        gap = following[1]
                        gaps[gap] = gaps.get(gap, 0) + 1
                    begin = text - len(MARKERS[QUESTION])
                    lines, counted = lines + document.count(b"\n", counted, begin), begin
                    pairs.append(QAPair(document[begin:stop], int(weight[1]), lines))
                    continue
            self.find_fault(text, end)
            stop = self.section_stop(text, end)

    def section_stop(self, text: int, end: int) -> int:
        """Where a section ends: before the next question, or behind the next <END_OF_SET>."""
        question = self.document.find(b"\nQUESTION:", text, end)
        return question if question >= 0 else end + len(MARKERS[END])

    def find_fault(self, text: int, stop: int) -> None:
        """Report the first fault of a section, from its question's text to the next end."""
        document, end = self.document, END
        if stop == len(document):
            # On the last line, not on the empty one that editors show after it.
            end, stop = NOTHING, stop - document.endswith(b"\n")
        last, at, stray = QUESTION, text - len(MARKERS[QUESTION]), None
        while True:
            match = INSIDE.search(document, text, stop)
            kind, start = (KINDS[match[1]], match.start(1)) if match else (end, stop)
            if last == WEIGHT:
                digit = WEIGHT_DIGIT.match(document, text, start)
                if not digit:
                    due = f"a weight, {WEIGHTS[0]} to {WEIGHTS[-1]}, after {NAMES[WEIGHT]}"
                    found = _first_line(document[text:start])
                    return self.report(at, f"expected {due}, found {found}")
                stray = TEXT.search(document, digit.end(), start)
            elif not TEXT.search(document, text, start):
                return self.report(at, f"expected text after {NAMES[last]}, found {NAMES[kind]}")
            if not match or kind != last + 1:
                break
            last, at, text = kind, start, match.end()
        where, found = start, NAMES[kind]
        if stray:
            where, found = stray.start(), _first_line(document[stray.start() : start])
        line_end = document.find(b"\n", text, start)
        is_lost = line_end >= 0 and not (stray and kind == END)
        misspelt = self.misspelt(line_end + 1, start) if is_lost else []
        self.expected(last, at, [*misspelt, (last + 1, where, found)])

    def outside(self, stop: int) -> tuple[re.Match[bytes] | None, int]:
        """Go to the next marker outside pairs; return it if it is QUESTION:, and where to go on."""
        document, marker, near = self.document, None, MISSPELT_WITHIN
        last_end = stop - len(MARKERS[END])  # negative at the start of the document
        misspelt: list[Misspelt] = []
        while not marker and stop < len(document) and len(self.errors) <= MAX_MESSAGES:
            match = OUTSIDE.search(document, stop)
            start = match.start() if match else len(document)
            matters = start > stop and (near or len(self.warnings) < MAX_MESSAGES)
            text = TEXT.search(document, stop, start) if matters else None
            if text:
                lines = self.misspelt(stop, start, near)
                if len(self.warnings) < MAX_MESSAGES:
                    self.warn_of_text(text.start(), start, lines)
                misspelt += lines
                near = max(0, near - (start - stop))
            marker, stop = match if match and match.lastindex else None, start
            if match and not marker:
                is_whole = match.end() > start + len(b"<!--")
                stop = match.end() if is_whole else self.comment_stop(start)
        kinds = {kind for kind, _, _ in misspelt}
        if len(kinds) > 1:  # a pair, most of its markers misspelt, that would be lost
            for kind, offset, found in misspelt:
                self.report(offset, f"expected {NAMES[kind]}, found {found}")
        if not marker or marker[0] == MARKERS[QUESTION]:
            return marker, stop
        if len(kinds) < 2:
            self.expected(END, last_end, [*misspelt, (QUESTION, stop, marker[0].decode())])
        end = document.find(MARKERS[END], stop)
        return None, self.section_stop(stop, end if end >= 0 else len(document))

    def warn_of_text(self, start: int, end: int, misspelt: Sequence[Misspelt]) -> None:
        text = self.document[start:end].rstrip()
        more = text.count(b"\n")
        message = f"text outside any pair is not copied: {_first_line(text)}"
        message += f" and {more} more line{'s' * (more > 1)}" if more else ""
        for kind, offset, _ in misspelt[:1]:
            message += f"; line {self.line(offset)} looks like {NAMES[kind]}"
        self.warnings.append((self.line(start), message))

    def comment_stop(self, start: int) -> int:
        """Where a comment ends; reports one that may hide pairs."""
        document, inside = self.document, start + len(b"<!--")
        close = document.find(b"-->", inside)
        inner = document.find(b"<!--", inside, close) if close >= 0 else -1
        if close < 0 or inner >= 0:
            found = f"another <!-- (line {self.line(inner)})" if inner >= 0 else NAMES[NOTHING]
            self.report(start, f"expected --> after <!--, found {found}")
        return close + len(b"-->") if close >= 0 else len(document)

    def misspelt(self, begin: int, end: int, near: int = MISSPELT_WITHIN) -> list[Misspelt]:
        rows = []
        for match in LINE.finditer(self.document[begin : min(end, begin + near + 4 * MAX_QUOTED)]):
            kind = _resembles(match[0][:80])
            if kind != NOTHING and match.start() < near:
                rows.append((kind, begin + match.start(), _quoted(match[0].rstrip())))
        return rows

    def expected(self, last: int, at: int, instead: Iterable[Misspelt]) -> None:
        """Report that a marker is missing, at the first of these that stands in its place."""
        due = (last + 1) % len(MARKERS)
        where, found = next((offset, text) for kind, offset, text in instead if kind == due)
        after = f"after {NAMES[last]} (line {self.line(at)})" if at >= 0 else "first"
        self.report(where, f"expected {NAMES[due]} {after}, found {found}")

    def report(self, offset: int, message: str) -> None:
        self.errors.append((self.line(offset), message))

    def line(self, offset: int) -> int:
        """The line of an offset, counted from the last one asked for, which is near."""
        self.lines += self.document.count(b"\n", self.counted, offset)
        self.lines -= self.document.count(b"\n", offset, self.counted)  # if it lies before
        self.counted = offset
        return self.lines

    def warn_of_twins(self) -> None:
        first: dict[bytes, int] = {}
        lines = [(pair.line, first.setdefault(pair.question, pair.line)) for pair in self.pairs]
        twins = [(line, earlier) for line, earlier in lines if line != earlier]
        message = "this pair has the same question as that of line {}; both are copied"
        if 2 * len(twins) >= len(lines):
            message = f"{len(twins):,} of {len(lines):,} pairs repeat an earlier question, "
            message += "first that of line {}: is this document an output?"
            del twins[1:]
        self.warnings += [(line, message.format(earlier)) for line, earlier in twins[:MAX_MESSAGES]]


def _resembles(line: bytes) -> int:
    """The marker that a line misspells, by its letters alone; NOTHING if it misspells none.

    Example: b"**Answer** : Call her" -> ANSWER; b"Call her" -> NOTHING
    """
    text = line.decode("utf-8", "replace")
    capitals = re.match(r"[\W_]*[A-Z]+(?:[_ -][A-Z]+)*", text)
    for part in re.split("[:\uff1a]", text)[0], text, capitals[0] if capitals else "":
        letters = "".join(filter(str.isalpha, part)).upper()
        for kind, name in enumerate(LETTERS):
            if _one_off(letters, name):
                return kind
    return NOTHING


def _one_off(word: str, other: str) -> bool:
    """Whether at most one letter is added, left out, replaced or swapped with the next."""
    while word and word[:1] == other[:1]:
        word, other = word[1:], other[1:]
    swapped = word[1::-1] + word[2:]
    return other in (word[1:], swapped) or other[1:] in (word, word[1:])


def _quoted(value: object) -> str:
    """A value in a message: in quotes, on one line, cut if it is long."""
    if isinstance(value, bytes):
        value = value[: 4 * MAX_QUOTED + 4].decode("utf-8", "backslashreplace")
    text = _escaped(str(value))
    if len(text) > MAX_QUOTED:
        text = f"{text[: MAX_QUOTED - 3]}..."
    return f"'{text}'" if text else "nothing"


def _first_line(text: bytes) -> str:
    return _quoted(text.partition(b"\n")[0].strip())


def _counted(copies: int) -> str:
    return f"{copies:,} cop{'y' if copies == 1 else 'ies'}"


def _escaped(text: str) -> str:
    """Text that cannot drive a terminal.  Example: the escape character -> \\x1b"""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


# Copies: weights to numbers, to an order, to what will be written ---------------------------


class _BadNumber(argparse.ArgumentTypeError, ValueError):
    """A ValueError that argparse prints in its own words."""


def copies(weight: int, base: Base, max_copies: int | None = None) -> int:
    """How many copies a pair has in all: base ** weight, rounded, halves up.

    The power is exact; a float counts as it prints. Raises ValueError for a weight
    that is not 1 to 5, a base that is not 1 to 1000, a max_copies below 1.

    Example: copies(4, 2) -> 16; copies(1, "2.5") -> 3; copies(4, 1.3) -> 3
    """
    number, scale = _exact(base)
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
    _checked(base, max_copies, _whole(seed, 0, MAX_SEED))
    pairs = list(pairs)
    counts = [copies(pair.weight, base, max_copies) for pair in pairs]
    return [pairs[index] for index in _order(counts, seed)]


def _checked(base: Base, max_copies: int | None, seed: int | None) -> tuple[dict[int, int], int]:
    """The copies of each weight, and the seed; if None, one of 32 bits, to be typed again."""
    seed = int.from_bytes(os.urandom(4), "big") if seed is None else seed
    each = {weight: copies(weight, base, max_copies) for weight in WEIGHTS}
    return each, _whole(seed, 0, MAX_SEED)


def _exact(base: Base) -> tuple[int, int]:
    """A base as a numerator and a power of ten.  Example: 1.3 -> (13, 10)"""
    text = str(base)
    if hasattr(base, "adjusted") and 0 <= base.adjusted() <= 3:
        text = format(base, "f")  # a Decimal; 1E+999999999 would have a billion digits
    if match := re.fullmatch(r"([0-9]{1,4})(?:\.([0-9]{1,1000}))?", text):
        fraction = match[2] or ""
        number, scale = int(match[1] + fraction), 10 ** len(fraction)
        if scale <= number <= MAX_BASE * scale:
            return number, scale
    raise _BadNumber(f"expected a number from 1 to {MAX_BASE}, like 1.3, found {_quoted(text)}")


def _whole(value: int, low: int, high: int | None = None) -> int:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if is_whole and low <= value and (high is None or value <= high):
        return value
    limits = f"{low} or more" if high is None else f"from {low} to {high}"
    raise _BadNumber(f"expected a whole number, {limits}, found {_quoted(value)}")


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


def _total(counts: Iterable[int]) -> int:
    total = sum(counts)
    if total > MAX_COPIES:
        raise _BadNumber(f"{total:,} copies are more than {MAX_COPIES:,}; {IF_TOO_LARGE}")
    return total


# All that decides the output: the spans, the copies of each, the seed of their order.
_Plan = namedtuple("_Plan", "pairs spans counts each separator closing seed copies size")


def _plan(document: Document, each: dict[int, int], seed: int | None, strip_weights: bool) -> _Plan:
    pairs, separator = document.pairs, document.separator
    spans = [WEIGHT_LINE.sub(b"\n", pair.span) if strip_weights else pair.span for pair in pairs]
    counts = [each[pair.weight] for pair in pairs]
    total = _total(counts)
    closing = b"\r\n" if separator.endswith(b"\r\n") else b"\n"
    size = sum(map(mul, map(len, spans), counts)) + len(separator) * (total - 1) + len(closing)
    return _Plan(pairs, spans, counts, each, separator, closing, seed, total, size)


def _blocks(plan: _Plan) -> Iterator[bytes]:
    """The output, in blocks: three times as fast as copy by copy."""
    order = _order(plan.counts, plan.seed)
    length = max(1, BLOCK * plan.copies // plan.size)
    yield plan.spans[order[0]]
    # Nothing, joined to the copies that follow, puts a separator before them.
    spans = [*plan.spans, b""]
    for start in range(1, len(order), length):
        # itemgetter: of short copies, a tenth less for the whole run than one by one.
        yield plan.separator.join(itemgetter(-1, *order[start : start + length])(spans))
    yield plan.closing


# Files: all or nothing ----------------------------------------------------------------------


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Report whatever goes wrong with a file under the name that its user gave it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error


def _read(source: str | int, name: str) -> tuple[bytes, os.stat_result]:
    """What a file or descriptor holds, to its true end, and which file it is."""
    blocks: list[bytes] = []
    with _named(name), open(source, "rb", 0, closefd=isinstance(source, str)) as file:
        status = os.fstat(file.fileno())
        for block in iter(lambda: file.read(max(status.st_size + 1, BLOCK)), b""):
            if block is None:  # set not to block, by ssh or node, say; nothing is there yet
                time.sleep(0.01)
            else:
                blocks.append(block)
    return b"".join(blocks), status


class _Output:
    """A file that is yet to be written; what must not be written over is refused."""

    def __init__(self, name: str, source: os.stat_result, overwrite: bool) -> None:
        self.name, self.overwrite = name, overwrite
        self.old: os.stat_result | None = None  # the file that is replaced
        with _named(name):
            self.path = os.path.realpath(name)
            self.folder = os.path.dirname(self.path)
            with suppress(FileNotFoundError):
                self.old = os.stat(self.path)
            link = target = name
            while target:  # link by link: realpath follows a descriptor to the file behind it
                folder, last = os.path.split(os.path.abspath(link))
                link = os.path.join(os.path.realpath(folder), last)
                if DESCRIPTORS.fullmatch(link):
                    raise OSError(errno.EINVAL, "is an open descriptor; use - for standard output")
                target = os.readlink(link) if os.path.islink(link) else ""
                link = os.path.join(os.path.dirname(link), target)
            if not self.old:
                if os.path.isdir(os.path.dirname(name) or "."):
                    return
                raise OSError(errno.ENOENT, "its folder does not exist")
            if os.path.samestat(self.old, source):
                raise OSError(errno.EINVAL, "is the input itself; choose another name")
            if stat.S_ISDIR(self.old.st_mode):
                raise OSError(errno.EISDIR, "expected a file name, found a folder")
            if not stat.S_ISREG(self.old.st_mode):
                raise OSError(errno.EINVAL, "is not a regular file; use - for standard output")
            if not overwrite:
                replace = "replace it with --force (from Python, overwrite=True)"
                raise OSError(errno.EEXIST, f"exists already; choose another name, or {replace}")

    def check_space(self, size: int) -> None:
        with _named(self.name), suppress(AttributeError):  # Windows has no statvfs
            disk = os.statvfs(self.folder)
            free = disk.f_bavail * disk.f_frsize
            if disk.f_blocks and size > free:  # no blocks where the system cannot tell
                figures = f"the output needs {size:,} bytes, only {free:,} are free"
                raise OSError(errno.ENOSPC, f"{figures}; {IF_TOO_LARGE}")

    def publish(self, blocks: Iterable[bytes]) -> None:
        """Write a file that gets its name when it is whole and on the disk."""
        # Nobody else has a random name, so it can be removed without a look.
        temporary = os.path.join(self.folder, f".oversample-{os.urandom(8).hex()}.tmp")
        with _named(self.name):
            try:
                try:
                    self.write(temporary, blocks)
                    (os.replace if self.overwrite else _link)(temporary, self.path)
                finally:
                    with suppress(FileNotFoundError):
                        os.unlink(temporary)
            finally:  # again: a signal may come before the call above
                with suppress(FileNotFoundError):
                    os.unlink(temporary)

    def write(self, path: str, blocks: Iterable[bytes]) -> None:
        # What replaces a private file is private from its first byte.
        mode = 0o600 if self.old else 0o666
        with open(path, "xb", opener=lambda path, flags: os.open(path, flags, mode)) as file:
            if self.old:
                owner = self.old.st_uid, self.old.st_gid
                with suppress(OSError, AttributeError):  # not ours to give; Windows
                    os.chown(path, *owner)
                new = os.stat(path)
                kept = (new.st_uid, new.st_gid) == owner
                os.chmod(path, self.old.st_mode & (0o777 if kept else 0o700))
            _write(file.fileno(), blocks)
            os.fsync(file.fileno())


def _write(descriptor: int, blocks: Iterable[bytes]) -> None:
    for block in blocks:
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def _link(temporary: str, path: str) -> None:
    """Give a file its name, if nobody has it."""
    taken = FileExistsError(errno.EEXIST, "was created meanwhile; left untouched")
    try:
        return os.link(temporary, path)
    except FileExistsError:
        raise taken from None
    except OSError:
        pass  # no hard links (FAT, network drives): hold the name, then take it
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.replace(temporary, path)
    except FileExistsError:
        raise taken from None
    except BaseException:
        # A signal right behind the open leaves no other trace: the file that we hold is empty.
        if os.path.exists(path) and not os.path.getsize(path):
            os.unlink(path)
        raise


class Summary(namedtuple("Summary", "pairs copies bytes seed")):
    """What `oversample` wrote: pairs read, copies and bytes written, the seed used."""


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
    out of range and more than 2**31 copies, TypeError for a path that is not one,
    OSError for files and a full disk. On any error destination is as it was.

    Example: oversample("in.md", "out.md", base=2, seed=42)
    -> Summary(pairs=82, copies=1054, bytes=2981233, seed=42)
    """
    each, seed = _checked(base, max_copies, seed)
    source, destination = os.fsdecode(source), os.fsdecode(destination)
    content, status = _read(source, source)
    output = _Output(destination, status, overwrite)
    document = parse(content)
    del content  # so that a document is in memory twice, not three times
    plan = _plan(document, each, seed, strip_weights)
    output.check_space(plan.size)
    output.publish(_blocks(plan))
    return Summary(len(plan.pairs), plan.copies, plan.size, seed)


# The check: is a file what would be written? --------------------------------------------------


class Difference(namedtuple("Difference", "path line message")):
    """One way in which a file is not what it should be: where, and how."""


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
    `oversample`; nothing is written. The first 100 differences are kept.

    Example: check("in.md", "out.md", base=2) where one copy is gone -> (Difference(
    path="in.md", line=9, message="expected 4 copies of this pair in out.md, found 3"),)
    """
    each, _ = _checked(base, max_copies, seed)
    source, destination = os.fsdecode(source), os.fsdecode(destination)
    document = parse(_read(source, source)[0])
    return _differences(_plan(document, each, seed, strip_weights), source, destination)


def _differences(plan: _Plan, source: str, name: str) -> tuple[Difference, ...]:
    """How a file differs from the plan, in any order if that has no seed."""
    due: Counter[bytes] = Counter()
    for span, count in zip(plan.spans, plan.counts):
        due[span] += count
    found: Counter[int] = Counter()  # how many of each copy, by hash
    with _named(name):
        if not stat.S_ISREG(os.stat(name).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file")
        with open(name, "rb") as file:
            notes = islice(_notes(file, plan, source, found), MAX_MESSAGES)
            rows = [Difference(name, *note) for note in notes]
            to_the_end = not file.read(1)
    for pair, span in zip(plan.pairs, plan.spans):
        expected, number = due.pop(span, 0), found.pop(hash(span), 0)
        if to_the_end and expected != number:
            message = f"expected {_counted(expected)} of this pair in {name}, found {number:,}"
            rows.append(Difference(source, pair.line, message))
    return tuple(rows[:MAX_MESSAGES])


def _notes(file: Any, plan: _Plan, source: str, found: Counter[int]) -> Iterator[tuple[int, str]]:
    """Count the copies in a file; yield the line of whatever else it holds, and what it is."""
    # The first line of each question, and of each span without its weight line, by hash.
    alike: dict[int, int] = {}
    for pair in plan.pairs:
        alike.setdefault(hash(pair.question), pair.line)
        alike.setdefault(hash(WEIGHT_LINE.sub(b"\n", pair.span)), pair.line)
    order = iter(() if plan.seed is None else _order(plan.counts, plan.seed))
    known = set(plan.spans)
    # A copy that was edited since may be longer than its pair.
    longest = 2 * max(map(len, plan.spans)) + len(plan.separator) + BLOCK
    separator = b""
    for line, gap, span in _pieces(file, longest):
        text = gap.lstrip()
        expected = separator if span or gap.endswith(MARKERS[END]) else plan.closing
        if text:
            text_line = line + gap[: -len(text)].count(b"\n")
            yield text_line, f"text that belongs to no copy: {_first_line(text)}"
        elif gap != expected:
            yield line, f"expected {_quoted(expected)} here, found {_quoted(gap)}"
        separator, line = plan.separator, line + gap.count(b"\n")
        index = next(order, None) if span else None
        if span in known:
            if index is not None and plan.spans[index] != span:
                yield line, f"expected the order of seed {plan.seed}, found another"
                order = iter(())  # said once
        elif span and not found[hash(span)]:
            yield line, f"this copy matches no pair; {_likeness(span, alike, source)}"
        found[hash(span)] += 1


def _likeness(span: bytes, alike: dict[int, int], source: str) -> str:
    """What a copy that matches no pair has in common with one."""
    if line := alike.get(hash(WEIGHT_LINE.sub(b"\n", span))):
        edited = "the weight was edited, or only one of the two had --strip-weights"
        return f"it is {source}:{line} but for the weight line: {edited}"
    if line := alike.get(hash(QAPair(span, 0, 0).question)):
        return f"{source}:{line} has the same question: one of the two was edited"
    return f"no pair of {source} has this question"


def _pieces(file: Any, longest: int) -> Iterator[tuple[int, bytes, bytes]]:
    """The line of each gap, the gap, the copy behind it. Ends where one is longer than that."""
    held, block, line = b"", b"more", 1
    while block and len(held) <= longest:
        # As much again as is held, so that one long piece, too, takes linear time.
        block = file.read(max(BLOCK, len(held)))
        *pieces, held = (held + block).split(MARKERS[END])
        for piece in pieces:
            piece += MARKERS[END]
            match = re.search(OPENING, piece)
            begin = match.start() if match else len(piece)
            yield line, piece[:begin], piece[begin:]
            line += piece.count(b"\n")
    yield line, held, b""


# The command ----------------------------------------------------------------------------------


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on argv (as sys.argv[1:]); return its exit status.

    Example: main(["--base", "2", "in.md", "out.md"]) -> 0
    """
    # None, if closed by whoever started this.
    sys.stdout, sys.stderr = sys.stdout or io.StringIO(), sys.stderr or io.StringIO()
    handlers: dict[int, Any] = {}
    try:
        try:
            _catch_signals(handlers)
            _run(_options(argv))
        finally:
            _disarm(handlers)
        return 0
    except SystemExit as stop:  # help, bad usage, or a failure that is reported
        return int(stop.code or 0)
    except KeyboardInterrupt as stop:
        number = (*stop.args, signal.SIGINT)[0]  # Python's own, before there is a handler, has none
        _say(f"oversample: error: stopped by {number.name}")
        return 128 + int(number)
    except BrokenPipeError:  # its reader has seen enough
        return 1
    except OSError as error:
        text = error.strerror or str(error)
        name = f"{error.filename or repr('')}: " if error.filename is not None else ""
        _say(f"oversample: error: {name}{text[:1].lower()}{text[1:]}")
        return 1
    except (_BadNumber, MemoryError) as error:
        _say(f"oversample: error: {str(error) or 'not enough memory for this document and base'}")
        return 1
    finally:
        with suppress(KeyboardInterrupt):  # all is done: too late to stop
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _catch_signals(handlers: dict[int, Any]) -> None:
    """Let the signals that end a program raise an exception, once, so that files are cleaned up."""

    def stop(number: int, _frame: object) -> None:
        _disarm(handlers)
        raise KeyboardInterrupt(signal.Signals(number))

    for number in filter(None, SIGNALS):
        # What is ignored stays ignored: nohup, and jobs that a script has in the background.
        if signal.getsignal(number) != signal.SIG_IGN:
            with suppress(ValueError):  # outside the main thread signals are not ours
                # Noted before it is replaced: a signal may come between the two calls.
                handlers[number] = signal.signal(number, signal.getsignal(number))
                signal.signal(number, stop)


def _disarm(handlers: Iterable[int]) -> None:
    for number in handlers:
        # Not SIG_IGN: of a signal that is on its way, Python would say that it was ignored.
        signal.signal(number, lambda *_: None)


class _ArgumentParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        _say(f"usage: {self.usage}")  # format_usage() may be in colours, from Python 3.14 on
        _fail(message, 2)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _ArgumentParser(
        usage="oversample --base N [options] INPUT OUTPUT",
        description=__doc__,
        allow_abbrev=False,
        add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # Named groups, as the names of argparse's own are not the same in all versions.
    add = parser.add_argument_group("files").add_argument
    add("input", metavar="INPUT", help="the document; - reads standard input")
    add("output", metavar="OUTPUT", nargs="?", help="a new file; - writes standard output")
    group = parser.add_argument_group("options")
    add, add_mode = group.add_argument, group.add_mutually_exclusive_group().add_argument
    base = "N ** w copies of a pair of weight w; 1 to 1000, like 1.3"
    add("--base", metavar="N", required=True, type=lambda text: _exact(text) and text, help=base)
    add("--seed", metavar="N", type=_number(0, MAX_SEED), help="repeat the order of another run")
    add("--max-copies", metavar="N", type=_number(1), help="at most N copies of each pair")
    add("--strip-weights", action="store_true", help="leave the weight line out of every copy")
    add_mode("-n", "--dry-run", action="store_true", help="only report; OUTPUT may be left out")
    add_mode("--check", action="store_true", help="only say whether OUTPUT is up to date")
    add("-f", "--force", action="store_true", help="replace an existing OUTPUT")
    add("-q", "--quiet", action="store_true", help="errors only")
    add("--version", action="version", version=f"oversample {__version__}", help="print it")
    add("-h", "--help", action="help", help="print this")
    options = parser.parse_intermixed_args(argv)
    if options.output is None and not options.dry_run:
        parser.error("the following arguments are required: OUTPUT")
    if options.output == "-" and options.check:
        parser.error("argument --check: expected the name of a file as OUTPUT, found '-'")
    return options


def _number(low: int, high: int | None = None) -> Callable[[Any], int]:
    # int() alone takes 1_0, blanks, and the digits of every script.
    return lambda text: _whole(int(text) if re.fullmatch("[0-9]{1,99}", text) else text, low, high)


def _run(options: argparse.Namespace) -> None:
    each, seed = _checked(options.base, options.max_copies, options.seed)
    source, output = "<stdin>" if options.input == "-" else options.input, None
    content, status = _read(0 if options.input == "-" else source, source)
    if options.output == "-":
        with _named("<stdout>"):
            if stat.S_ISREG(status.st_mode) and os.path.samestat(os.fstat(1), status):
                raise OSError(errno.EINVAL, "is the input itself; choose another file")
    elif options.output is not None and not options.check:
        output = _Output(options.output, status, options.force)
    document = _document(content, source, options.quiet)
    del content  # so that a document is in memory twice, not three times
    plan = _plan(document, each, options.seed if options.check else seed, options.strip_weights)
    if options.check:
        return _run_check(plan, source, options)
    if output:
        output.check_space(plan.size)
    blocks = _blocks(plan)
    if sys.stderr.isatty() and not options.quiet and (output or os.path.isfile("/dev/stdout")):
        blocks = _progress(blocks, plan.size)
    if output and not options.dry_run:
        output.publish(blocks)
    elif not options.dry_run:
        with _named("<stdout>"):
            _write(1, blocks)
    if not options.quiet:
        _say(*_report(options, plan))


def _document(content: bytes, source: str, quiet: bool) -> Document:
    """Read a document; report its errors and warnings."""
    try:
        document = parse(content)
    except DocumentError as error:
        _say(*(f"{source}:{line}: error: {text}" for line, text in error.problems))
        spelling = "markers stand first on their line, spelled exactly " + " ".join(NAMES[:NOTHING])
        _fail(f"nothing was written; {spelling}")
    rows = [f"{source}:{line}: warning: {text}" for line, text in document.warnings]
    more = len(rows) - WARNINGS_SHOWN
    if more > 0:
        at_least = "at least " if len(rows) == MAX_MESSAGES else ""
        rows[WARNINGS_SHOWN:] = [f"oversample: warning: {at_least}{more} more, not shown"]
    _say(*rows if not quiet else ())
    return document


def _run_check(plan: _Plan, source: str, options: argparse.Namespace) -> None:
    name = options.output
    if differences := _differences(plan, source, name):
        _say(*(f"{path}:{line}: error: {text}" for path, line, text in differences))
        way_out = "if these are right, run again with --force instead of --check to renew it"
        _fail(f"{name} is not what {source} and these options give; {way_out}")
    if not options.quiet:
        order = "any order" if plan.seed is None else f"the order of seed {plan.seed}"
        _say(f"{name}: exactly the {_counted(plan.copies)} that {source} gives, in {order}")


def _progress(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Hand the blocks on; say on the terminal how far they are, for the next line to overwrite."""
    done = 0
    for block in blocks:
        yield block
        before, done = done, done + len(block)
        if 100 * done // size > 100 * before // size:
            _say(f"{100 * done // size}% written", end="\r")


def _report(options: argparse.Namespace, plan: _Plan) -> list[str]:
    """The copies of each weight, what was written where, the options that repeat it."""
    pairs = Counter(pair.weight for pair in plan.pairs)
    most = max(pairs[weight] * plan.each[weight] for weight in WEIGHTS)
    block = "\u2588" if "utf" in str(sys.stderr.encoding).lower() else "#"
    rows = [("weight", "pairs", "copies each", "copies", "share", "")]
    for weight, each in plan.each.items():
        number = pairs[weight] * each
        bar = block * max(1, round(20 * number / most)) if number else ""
        figures = f"{pairs[weight]:,}", f"{each:,}", f"{number:,}"
        rows.append((str(weight), *figures, f"{number / plan.copies:.1%}", bar))
    rows.append(("total", f"{len(plan.pairs):,}", "", f"{plan.copies:,}", "100.0%", ""))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join([*map(str.rjust, row[:-1], widths), row[-1]]).rstrip() for row in rows]
    done = "would be written" if options.dry_run else "written"
    if options.output:
        done += f" to {'standard output' if options.output == '-' else options.output}"
    lines += ["", f"{_counted(plan.copies)}, {plan.size:,} bytes, {done}"]
    again = f"--base {options.base} --seed {plan.seed}"
    if options.max_copies is not None:
        again += f" --max-copies {options.max_copies}"
    if options.strip_weights:
        again += " --strip-weights"
    else:
        lines.append("the copies keep their weight lines; --strip-weights leaves them out")
    return [*lines, f"to repeat or --check it: {again}"]


def _fail(message: str, status: int = 1) -> NoReturn:
    _say(f"oversample: error: {message}")
    raise SystemExit(status)


def _say(*lines: str, end: str = "\n") -> None:
    try:
        sys.stderr.write("".join(_escaped(line) + end for line in lines))
        sys.stderr.flush()
    except (OSError, ValueError):  # full, closed, or left by its reader: the document still matters
        sys.stderr = io.StringIO()  # lest Python, at its end, writes again, fails, and exits 120


if __name__ == "__main__":
    raise SystemExit(main())
