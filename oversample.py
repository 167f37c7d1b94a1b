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
import operator
import os
import random
import re
import signal
import stat
import sys
import time
from array import array
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from decimal import Decimal
    from typing import Any, BinaryIO, NoReturn, Union

    Base = Union[int, float, str, Decimal]
    Path = Union[str, os.PathLike[str]]
    Problem = tuple[int, str]  # a line, a message
    Fault = tuple[int, str]  # an offset, a message
    Range = tuple[int, int]  # the offsets of a text

__version__ = "3.0.0"
__all__ = [
    "Difference",
    "Document",
    "DocumentError",
    "QAPair",
    "Summary",
    "check",
    "copies",
    "oversample",
    "parse",
    "resample",
]

# The limits ---------------------------------------------------------------------------

WEIGHTS = range(1, 6)
MAX_BASE = 1000
MAX_SEED = 2**64 - 1
MAX_COPIES = 2**31
MAX_MESSAGES = 100  # errors, warnings and differences that are kept
MAX_PRINTED = 10  # warnings and differences that the command prints
MAX_QUOTED = 50  # characters
MAX_QUOTED_BYTES = 4 * (MAX_QUOTED + 1)  # no character has more than four
NEAR_WITHIN = 2**16  # bytes of a text in which near markers are looked for
SLIPS_WITHIN = 2**20  # bytes of a document in which slips are looked for
SLIP_RATIO = 0.83
BLOCK = 2**17  # bytes read or written at once; more take up to 1.3 times as long
PAUSE = 0.001  # seconds between two looks at a stream that would block

# Words that several messages share.
IF_TOO_LARGE = "use a smaller base or a cap (--max-copies)"
EXPECTED_FILE = "expected a file name, found a folder"
EXPECTED_PAIR = "expected a pair, QUESTION: to <END_OF_SET>"

# The grammar --------------------------------------------------------------------------

# The markers. <END_OF_SET> is one wherever it stands, the others only at the start of
# a line: anywhere else they are text.
QUESTION = b"QUESTION:"
ANSWER = b"ANSWER:"
WEIGHT = b"OVERSAMPLE_WEIGHT:"
END = b"<END_OF_SET>"
DOCUMENT_END = b"the end of the document"  # what is found where no marker is left
FOLLOWS = {QUESTION: ANSWER, ANSWER: WEIGHT, WEIGHT: END, END: QUESTION}
COMMENT = b"<!--"
COMMENT_END = b"-->"
BOM = b"\xef\xbb\xbf"

# White space between two pairs.
GAP = re.compile(rb"\s*\n(?=QUESTION:)")
NOT_BLANK = re.compile(rb"\S")
WEIGHT_DIGIT = rb"[ \t]*([%d-%d])" % (WEIGHTS[0], WEIGHTS[-1])
WEIGHT_TO_END = re.compile(WEIGHT_DIGIT + rb"\s*<END_OF_SET>")
# As much of it as is sound.
WEIGHT_TEXT = re.compile(WEIGHT_DIGIT + rb"(?=[\s<]|\Z)\s*")
MERGE = re.compile(rb"\n<{7} ")

# What matters outside pairs. Every alternative begins with a literal byte, for re skips
# to the next of these bytes then, many times as fast: a look behind comes second, a
# group never comes first. (e2 80 93 and 94 are dashes, e2 80 b9 and ba angle quotes.)
ARROW = rb"(?:\\?>|\xe2\x80\xba|&gt;)(?=[^\S\n]*(?:\n|\Z|<!--|<END_OF_SET>))"
HALF_END = rb"--" + ARROW + rb"|\xe2\x80[\x93\x94]" + ARROW
OUTSIDE = re.compile(
    b"|".join(
        [
            rb"Q(?<![^\n]Q)UESTION:",
            rb"A(?<![^\n]A)NSWER:",
            rb"O(?<![^\n]O)VERSAMPLE_WEIGHT:",
            rb"<END_OF_SET>",
            # A comment; a short and plain one as a whole, which takes less time.
            rb"<!--(?:[^<-]{,99}-->)?",
            # A merge that was never finished.
            rb"<(?<![^\n]<)<{6} ",
            # What was meant to begin a comment.
            rb"\\(?=<!--)",
            rb"\\<!(?!--)",
            rb"<!(?!--)",
            rb"\xe2\x80\xb9!",
            rb"&lt;!",
            # What was meant to end one.
            HALF_END,
        ]
    )
)
# What of it ends a text, beside comments; the rest is a fault in one.
ENDS_OF_TEXT = {*FOLLOWS, DOCUMENT_END}


class QAPair(NamedTuple):
    """One pair of a document: its bytes, its weight, the line on which it begins.

    Example: the pair QUESTION: Why? ANSWER: Because. OVERSAMPLE_WEIGHT: 4 on lines
    1 to 6 has weight 4, line 1, question b"Why?" and answer b"Because."
    """

    span: bytes
    weight: int
    line: int

    # Cut out when asked for: doing it for every pair costs as much as the parse.
    @property
    def question(self) -> bytes:
        """The text of the question, without marker and surrounding white space."""
        before_answer, _, _ = self.span.partition(b"\nANSWER:")
        return before_answer[len(QUESTION) :].strip()

    @property
    def answer(self) -> bytes:
        """The text of the answer, without marker and surrounding white space."""
        _, _, after_question = self.span.partition(b"\nANSWER:")
        before_weight, _, _ = after_question.partition(b"\nOVERSAMPLE_WEIGHT:")
        return before_weight.strip()


class Document(NamedTuple):
    """What `parse` reads.

    pairs      every pair, in order
    separator  the commonest white space between two neighbouring pairs
    warnings   (line, message), in order of line; the first 100
    """

    pairs: tuple[QAPair, ...]
    separator: bytes
    warnings: tuple[tuple[int, str], ...]


class DocumentError(ValueError):
    """A malformed document. `problems` are (line, message), in order of line.

    Behind 100 problems, one more says that reading stopped.

    Example: parse(b"QUESTION: Why?") has the problems
    ((1, "expected ANSWER: after QUESTION: (line 1), found the end of the document"),)
    """

    def __init__(self, problems: Iterable[tuple[int, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(f"line {line}: {text}" for line, text in self.problems)


# Quotations in messages ---------------------------------------------------------------


def _quoted(value: object) -> str:
    """A value in quotes, on one line; cut if it is long."""
    if isinstance(value, bytes):
        value = value[:MAX_QUOTED_BYTES].decode("utf-8", "backslashreplace")
    text = _escaped(str(value))
    if not text:
        return "nothing"
    if len(text) > MAX_QUOTED:
        text = text[: MAX_QUOTED - 3] + "..."
    return f"'{text}'"


def _escaped(text: str) -> str:
    """Text that cannot drive a terminal.  Example: the escape character -> \\x1b"""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _counted(number: int, noun: str, plural: str) -> str:
    """Example: 1,024, "copy", "copies" -> "1,024 copies" """
    return f"{number:,} {noun if number == 1 else plural}"


def _copies_counted(number: int) -> str:
    return _counted(number, "copy", "copies")


# Near markers: what a person meant as a marker ----------------------------------------

# The letters of a near marker, and the marker meant. Those of a weight may go on:
# "OVERSAMPLE WEIGHT of 3".
NEAR_LETTERS = {
    b"QUESTION": QUESTION,
    b"QUESTIONS": QUESTION,
    b"ANSWER": ANSWER,
    b"ANSWERS": ANSWER,
    b"ENDOFSET": END,
}
WEIGHT_LETTERS = b"OVERSAMPLEWEIGHT"
NOT_LETTERS = bytes(byte for byte in range(256) if not bytes([byte]).isalpha())
COLON = re.compile(rb":|\xef\xbc\x9a")  # the second is full-width
LINE_MARKERS = re.compile(rb"QUESTION:|ANSWER:|OVERSAMPLE_WEIGHT:")
NO_LETTERS = rb"[^A-Za-z\n]*"


def _spelled(word: bytes) -> bytes:
    """A pattern for a word in any case, with other signs between its letters."""
    letters = [b"[%c%c]" % (letter, letter + 32) for letter in word]
    return NO_LETTERS.join(letters)


# Where a line begins that may be a near QUESTION:.
NEAR_QUESTION = NO_LETTERS + _spelled(b"QUE")
# Where one begins that may be a near marker of any kind, or where it may hold one.
STARTS = b"|".join(_spelled(start) for start in (b"QUE", b"ANS", b"OVE", b"END"))
MAY_BE_NEAR = rb"\n" + NO_LETTERS + rb"(?:" + STARTS + rb")|" + LINE_MARKERS.pattern


def _letters(line: bytes) -> bytes:
    """The letters of a line up to its colon.  Example: b"**A** : b" -> b"A" """
    head = COLON.split(line, 1)[0]
    return head.translate(None, NOT_LETTERS).upper()


def _is_quotation(line: bytes) -> bool:
    return line.lstrip().startswith(b">")


def _near_markers(document: bytes, ranges: Sequence[Range]) -> dict[bytes, int]:
    """The offset of the first near marker of each kind in some ranges, in order.

    Example: b"so\\n**ANSWER:** b", [(0, 16)] -> {b"ANSWER:": 3}
    """
    may_be_near = re.compile(MAY_BE_NEAR)  # here, as it is seldom needed; re keeps it
    near: dict[bytes, int] = {}
    for start, stop in ranges:
        stop = min(stop, start + NEAR_WITHIN)
        at = start
        while True:
            line_stop = _line_stop(document, at, stop)
            line = document[at:line_stop]
            for marker, column in _near_in_line(line, _is_line_start(document, at)):
                near.setdefault(marker, at + column)
            # Most lines hold none: go to the start of the next that may hold one.
            candidate = may_be_near.search(document, line_stop, stop)
            if not candidate:
                break
            at = document.rfind(b"\n", line_stop, candidate.end()) + 1
    return near


def _near_in_line(line: bytes, at_line_start: bool) -> Iterator[tuple[bytes, int]]:
    """The near markers of a line, and where they stand in it."""
    if at_line_start:
        if _is_quotation(line):
            return
        letters = _letters(line)
        if letters.startswith(WEIGHT_LETTERS):
            yield WEIGHT, 0
        elif letters in NEAR_LETTERS:
            yield NEAR_LETTERS[letters], 0
    # An exact marker, but not first on its line.
    for marker in LINE_MARKERS.finditer(line):
        yield marker[0], marker.start()


def _slip(document: bytes, ranges: Sequence[Range], marker: bytes) -> int | None:
    """The offset of the first line that is a marker except for a typing error."""
    from difflib import SequenceMatcher  # imported here, as it is seldom needed

    matcher = SequenceMatcher(None, b"", _letters(marker))
    for start, stop in ranges:
        at = start
        for line in document[start : min(stop, start + NEAR_WITHIN)].split(b"\n"):
            if _is_line_start(document, at) and not _is_quotation(line):
                matcher.set_seq1(_letters(line))
                # The quick ratio is an upper bound, and rules out most lines.
                at_most = matcher.real_quick_ratio()
                if at_most >= SLIP_RATIO and matcher.ratio() >= SLIP_RATIO:
                    return at
            at += len(line) + len(b"\n")
    return None


def _is_line_start(document: bytes, at: int) -> bool:
    """Whether a line begins here; it does not after a marker or a comment."""
    return at == 0 or document.startswith(b"\n", at - 1)


def _line_stop(document: bytes, at: int, stop: int) -> int:
    line_feed = document.find(b"\n", at, stop)
    return line_feed if line_feed >= 0 else stop


# Parsing: bytes to pairs --------------------------------------------------------------

# What a document may be instead of plain text, by its first bytes.
UTF_16 = "UTF-16 or UTF-32"
WORD = "a Word document or another zip"
OTHER_FORMATS = {
    b"\xff\xfe": UTF_16,
    b"\xfe\xff": UTF_16,
    b"PK\x03\x04": WORD,
    b"PK\x05\x06": WORD,
    b"\xd0\xcf\x11\xe0": WORD,
    b"{\\rtf": "RTF",
    b"%PDF": "PDF",
}
# The markers inside a section, which ends before the next question. The second pattern
# also stops at lines that may be a near QUESTION:, so that one look tells of most
# sections that they hold none.
INSIDE = re.compile(rb"\n(ANSWER:|OVERSAMPLE_WEIGHT:)")
INSIDE_OR_NEAR = re.compile(rb"\n(ANSWER:|OVERSAMPLE_WEIGHT:|" + NEAR_QUESTION + b")")
BY_PLACE = operator.itemgetter(0)  # the line of a problem, the offset of a fault


def parse(document: bytes) -> Document:
    """Read a whole document.

    Raises DocumentError if it is malformed, TypeError if it is not bytes.

    Example: one pair of weight 4 -> Document(pairs=(QAPair(span=b"QUESTION: ...
    <END_OF_SET>", weight=4, line=1),), separator=b"\\n\\n", warnings=())
    """
    if not isinstance(document, bytes):
        document = bytes(memoryview(document))
    text = document.removeprefix(BOM)
    if not text or text.isspace():
        raise DocumentError([(1, f"{EXPECTED_PAIR}, found an empty document")])
    _refuse_other_formats(document)
    parser = _Parser(text)
    with suppress(_TooManyErrors):
        parser.read()
    if parser.errors:
        raise DocumentError(_first_errors(parser.errors))
    parser.warn_of_twins()
    warnings = sorted(parser.warnings, key=BY_PLACE)[:MAX_MESSAGES]
    return Document(tuple(parser.pairs), parser.separator(), tuple(warnings))


def _refuse_other_formats(document: bytes) -> None:
    """Raise DocumentError if a document is not plain text."""
    starts = [start for start in OTHER_FORMATS if document.startswith(start)]
    found = [OTHER_FORMATS[start] for start in starts]
    if b"\0" in document[:4]:
        found.append(UTF_16)
    # The last line may end in any way.
    has_line_feed = document.find(b"\n", 0, -1) >= 0
    if not has_line_feed and document.find(b"\r", 0, -2) >= 0:
        found.append("a carriage return alone at the end of each line")
    if found:
        hint = "save it as plain text, UTF-8 (in TextEdit, Format > Make Plain Text)"
        raise DocumentError([(1, f"expected plain text, found {found[0]}: {hint}")])


def _first_errors(errors: list[Problem]) -> list[Problem]:
    errors = sorted(errors, key=BY_PLACE)
    if len(errors) > MAX_MESSAGES:
        line, _ = errors[MAX_MESSAGES]
        stopped = f"reading stopped here, after {MAX_MESSAGES} errors"
        errors[MAX_MESSAGES:] = [(line, stopped)]
    return errors


class _TooManyErrors(Exception):
    """There are more errors than are kept."""


class _Source:
    """A document, and what messages say of its offsets."""

    def __init__(self, document: bytes) -> None:
        self.document = document
        self.known_offset = 0  # the last one whose line was asked for
        self.known_line = 1
        self.slip_budget = SLIPS_WITHIN

    def line(self, offset: int) -> int:
        """The line of an offset, counted from the last one asked for."""
        known = self.known_offset
        if offset >= known:
            self.known_line += self.document.count(b"\n", known, offset)
        else:
            self.known_line -= self.document.count(b"\n", offset, known)
        self.known_offset = offset
        return self.known_line

    def quoted(self, offset: int) -> str:
        """What stands from an offset to the end of its line, in quotes."""
        stop = offset + MAX_QUOTED_BYTES
        line, _, _ = self.document[offset:stop].partition(b"\n")
        return _quoted(line.rstrip())

    def meant_marker(self, marker: bytes, ranges: Sequence[Range]) -> int | None:
        """The offset of what a person meant as a marker in some ranges, if anything."""
        near = _near_markers(self.document, ranges)
        if marker in near:
            return near[marker]
        if self.slip_budget <= 0:
            return None
        for start, stop in ranges:
            self.slip_budget -= min(stop - start, NEAR_WITHIN)
        return _slip(self.document, ranges, marker)


class _Step(NamedTuple):
    """A marker of a section, the text after it, and the marker found after that."""

    marker: bytes
    marker_at: int
    text: bytes
    found: bytes
    found_at: int

    @property
    def text_at(self) -> int:
        return self.marker_at + len(self.marker)

    @property
    def text_range(self) -> Range:
        return self.text_at, self.text_at + len(self.text)


class _Section:
    """A question and what belongs to it, up to an end or the next question.

    `parts` are its texts and, between them, the markers.
    """

    def __init__(
        self, source: _Source, start: int, section: bytes, parts: list[bytes]
    ) -> None:
        self.source = source
        self.start = start
        self.section = section
        self.parts = parts

    def first_fault(self) -> Fault | None:
        """The first thing that is wrong, or None if the section is a pair."""
        steps = self.steps()
        # A merge may stand anywhere among the others.
        faults = [self.merge_fault()]
        for step in steps:
            faults.append(self.text_fault(step) or self.marker_fault(step))
        if not any(faults):
            question, answer, _ = steps
            faults = [self.swallowed_pair(question), self.swallowed_pair(answer)]
        return min(filter(None, faults), key=BY_PLACE, default=None)

    def steps(self) -> list[_Step]:
        """Each marker with what comes after it.

        Example: QUESTION: a ANSWER: b <END_OF_SET>
        -> (QUESTION:, a, ANSWER:), (ANSWER:, b, <END_OF_SET>), and their offsets
        """
        texts = self.parts[::2]
        texts[0] = texts[0].removeprefix(QUESTION)
        texts[-1] = texts[-1].removesuffix(END)
        steps = []
        marker, marker_at = QUESTION, self.start
        for text, found in zip(texts, self.parts[1::2]):
            found_at = marker_at + len(marker) + len(text) + len(b"\n")
            steps.append(_Step(marker, marker_at, text, found, found_at))
            marker, marker_at = found, found_at
        found, found_at = self.what_follows()
        steps.append(_Step(marker, marker_at, texts[-1], found, found_at))
        return steps

    def what_follows(self) -> tuple[bytes, int]:
        """What is found after the last text, and its offset."""
        stop = self.start + len(self.section)
        if self.section.endswith(END):
            return END, stop - len(END)
        if stop < len(self.source.document):
            return QUESTION, stop + len(b"\n")
        # On the last line that is not blank.
        return DOCUMENT_END, self.start + len(self.section.rstrip())

    def merge_fault(self) -> Fault | None:
        """A merge that was never finished."""
        merge = MERGE.search(self.section)
        if not merge:
            return None
        at = self.start + merge.start() + len(b"\n")
        found = f"found {self.source.quoted(at)}; indent the line if it is text"
        return at, f"expected a finished merge, {found}"

    def text_fault(self, step: _Step) -> Fault | None:
        """A blank text, a bad weight, or text after a weight."""
        if step.marker != WEIGHT:
            if step.text.strip():
                return None
            expected = f"expected text after {step.marker.decode()}"
            return step.marker_at, f"{expected}, found {step.found.decode()}"
        weight = WEIGHT_TEXT.match(step.text)
        if not weight:
            limits = f"{WEIGHTS[0]} to {WEIGHTS[-1]}"
            expected = f"expected a weight, {limits}, after {WEIGHT.decode()}"
            found = _quoted(step.text.partition(b"\n")[0].strip())
            return step.marker_at, f"{expected}, found {found}"
        if weight.end() < len(step.text):
            stray_at = step.text_at + weight.end()
            return self.missing_marker(step, stray_at, self.source.quoted(stray_at))
        return None

    def marker_fault(self, step: _Step) -> Fault | None:
        """Another marker than the one that is due, or none."""
        if step.found == FOLLOWS[step.marker]:
            return None
        return self.missing_marker(step, step.found_at, step.found.decode())

    def missing_marker(self, step: _Step, at: int, found: str) -> Fault:
        """The marker that is due; reported where a person meant it to stand."""
        due = FOLLOWS[step.marker]
        # An end that is there was meant nowhere else: the text before it is the fault.
        if step.found != due:
            meant_at = self.source.meant_marker(due, [step.text_range])
            if meant_at is not None:
                at, found = meant_at, self.source.quoted(meant_at)
        marker_line = self.source.line(step.marker_at)
        after = f"after {step.marker.decode()} (line {marker_line})"
        return at, f"expected {due.decode()} {after}, found {found}"

    def swallowed_pair(self, step: _Step) -> Fault | None:
        """Another pair in a text, or what is left of one."""
        near = _near_markers(self.source.document, [step.text_range])
        if QUESTION not in near or len(near) == 1:
            return None
        at = near[QUESTION]
        line = self.source.line(self.start)
        expected = f"expected one QUESTION: in a pair (line {line})"
        hint = "begin the line with > if it is a quotation"
        return at, f"{expected}, found {self.source.quoted(at)} too; {hint}"


class _Parser:
    """Reads a document section by section: each is a pair, or one error."""

    def __init__(self, document: bytes) -> None:
        self.document = document
        self.source = _Source(document)
        self.pairs: list[QAPair] = []
        self.gaps: dict[bytes, int] = {}  # how often each stands between two pairs
        self.question_hashes: set[int] = set()  # to see whether there are twins
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self.next_end = -1  # the first <END_OF_SET> after the start of the section

    def read(self) -> None:
        """Read the document, a gap and a section at a time."""
        document = self.document
        at = 0
        while at < len(document):
            # 1. Nearly always: white space, then a question.
            gap = GAP.match(document, at)
            if gap:
                question_at = gap.end()
                white_space = gap[0]
                if self.pairs:
                    self.gaps[white_space] = self.gaps.get(white_space, 0) + 1
            # 2. Whatever else stands before the next question.
            else:
                question_at = self.read_outside(at)
                if question_at == len(document):
                    break
            # 3. The question and what belongs to it.
            at = self.read_section(question_at)
        if not self.pairs and not self.errors:
            self.report(0, f"{EXPECTED_PAIR}, found none")

    def read_section(self, start: int) -> int:
        """Read a section; return where it ends."""
        stop = self.section_end(start)
        section = self.document[start:stop]
        # A third marker is a fault, and those after it do not matter: only the first
        # fault is reported.
        parts = INSIDE_OR_NEAR.split(section, 3)
        weight = _plain_weight(section, parts)
        if not weight:
            parts = INSIDE.split(section, 3)
            fault = _Section(self.source, start, section, parts).first_fault()
            if fault:
                self.report(*fault)
                return stop
            self.warn_of_comment(start, stop)
            weight = int(parts[4].removesuffix(END))
        self.pairs.append(QAPair(section, weight, self.source.line(start)))
        self.question_hashes.add(hash(_question(parts)))
        return stop

    def section_end(self, start: int) -> int:
        """Where a section ends: after an <END_OF_SET>, or before the next question."""
        document = self.document
        if self.next_end < start:
            # Kept, as there may be millions of questions before the next one.
            self.next_end = document.find(END, start)
            if self.next_end < 0:
                self.next_end = len(document)
        # Most sections hold no other question, first on its line or not, and not to look
        # for line feeds is twice as fast.
        if document.find(QUESTION, start + 1, self.next_end) >= 0:
            line_feed = document.find(b"\nQUESTION:", start, self.next_end)
            if line_feed >= 0:
                return line_feed
        return min(self.next_end + len(END), len(document))

    def read_outside(self, at: int) -> int:
        """Go to the next question, or to the end of the document; return its offset."""
        while True:
            marker_at, marker, ranges = self.read_to_marker(at)
            is_lost = self.report_lost_pair(ranges)
            if marker in (QUESTION, DOCUMENT_END):
                return marker_at
            # The section of a marker after a lost pair belongs to that pair.
            if not is_lost:
                self.report_stray(marker_at, marker, at, ranges)
            at = self.section_end(marker_at)

    def read_to_marker(self, at: int) -> tuple[int, bytes, list[Range]]:
        """Pass over white space, comments and text, up to the next marker.

        Returns its offset, the marker, and the ranges of text before it in which near
        markers are to be looked for.
        """
        document = self.document
        ranges: list[Range] = []
        near_budget = NEAR_WITHIN
        text_at = at
        while True:
            token = OUTSIDE.search(document, at)
            found = token[0] if token else DOCUMENT_END
            start = token.start() if token else len(document)
            is_comment = found.startswith(COMMENT)
            if not is_comment and found not in ENDS_OF_TEXT:
                self.report_outside(start, found)
                at = start + len(found)  # and the text goes on
                continue
            if start > text_at and NOT_BLANK.search(document, text_at, start):
                if len(self.warnings) < MAX_MESSAGES:
                    self.warn_of_text(text_at, start)
                if near_budget > 0:
                    ranges.append((text_at, start))
                    near_budget -= start - text_at
            if not is_comment:
                return start, found, ranges
            if found == COMMENT:
                stop = self.comment_end(start)
            else:
                stop = start + len(found)
            at = text_at = stop

    def report_outside(self, at: int, found: bytes) -> None:
        """Report half a comment, or an unfinished merge."""
        line = self.source.quoted(at)
        if found.startswith(b"<<"):
            self.report(at, f"expected a finished merge, found {line}")
        elif found.endswith((b"!", b"\\")):
            hint = "type it exactly so, with two hyphens"
            self.report(at, f"expected <!-- to begin a comment, found {line}; {hint}")
        else:
            half = _quoted(found)
            self.report(at, f"expected <!-- before {half}, found no open comment")

    def comment_end(self, start: int) -> int:
        """Where a comment ends; reports one that never does, or may hide a pair."""
        document = self.document
        inside = start + len(COMMENT)
        close = document.find(COMMENT_END, inside)
        if close < 0:
            found = DOCUMENT_END.decode()
            half = re.compile(HALF_END).search(document, inside)
            if half:
                line = self.source.line(half.start())
                found = f"{_quoted(half[0])} (line {line})"
            self.report(start, f"expected --> after <!--, found {found}")
            return len(document)
        question = document.find(b"\nQUESTION:", inside, close)
        if question >= 0:
            # One --> was forgotten, and this one belongs to another comment.
            another = document.find(COMMENT, question, close)
            if another >= 0:
                found = f"another <!-- (line {self.source.line(another)})"
                self.report(start, f"expected --> after <!--, found {found}")
        return close + len(COMMENT_END)

    def report_lost_pair(self, ranges: list[Range]) -> bool:
        """Report if text outside pairs holds what was meant as a pair."""
        near = _near_markers(self.document, ranges) if ranges else {}
        if len(near) < 2:
            return False
        marker, at = next(iter(near.items()))
        expected = f"expected {marker.decode()} first on its line"
        hint = "if it is a note, put it in <!-- -->"
        self.report(at, f"{expected}, found {self.source.quoted(at)}; {hint}")
        return True

    def report_stray(
        self, at: int, marker: bytes, outside_at: int, ranges: list[Range]
    ) -> None:
        """Report a marker that no question comes before."""
        found = marker.decode()
        meant_at = self.source.meant_marker(QUESTION, ranges)
        if meant_at is not None:
            at, found = meant_at, self.source.quoted(meant_at)
        where = "first"
        if outside_at:  # which is where an <END_OF_SET> ends
            where = f"after {END.decode()} (line {self.source.line(outside_at - 1)})"
        self.report(at, f"expected {QUESTION.decode()} {where}, found {found}")

    def report(self, offset: int, message: str) -> None:
        self.errors.append((self.source.line(offset), message))
        if len(self.errors) > MAX_MESSAGES:
            raise _TooManyErrors

    def warn(self, offset: int, message: str) -> None:
        if len(self.warnings) < MAX_MESSAGES:
            self.warnings.append((self.source.line(offset), message))

    def warn_of_comment(self, start: int, stop: int) -> None:
        at = self.document.find(COMMENT, start, stop)
        if at >= 0:
            message = "a comment inside a pair is copied, and would be trained on"
            self.warn(at, f"{message}: {self.source.quoted(at)}")

    def warn_of_text(self, start: int, stop: int) -> None:
        text = self.document[start:stop]
        first, _, rest = text.strip().partition(b"\n")
        message = f"text outside any pair is not copied: {_quoted(first.rstrip())}"
        if rest:
            more = 1 + rest.count(b"\n")
            message += f" and {_counted(more, 'more line', 'more lines')}"
        near = _near_markers(self.document, [(start, stop)])
        if near:
            marker, at = next(iter(near.items()))
            message += f"; line {self.source.line(at)} looks like {marker.decode()}"
        blanks = len(text) - len(text.lstrip())
        self.warn(start + blanks, message)

    def warn_of_twins(self) -> None:
        """Warn of pairs with the same question."""
        if len(self.question_hashes) == len(self.pairs):
            return
        first_lines: dict[bytes, int] = {}
        twins = []
        for pair in self.pairs:
            earlier = first_lines.setdefault(pair.question, pair.line)
            if earlier != pair.line:
                twins.append((pair.line, earlier))
        if len(twins) < len(self.pairs) / 2:
            for line, earlier in twins:
                same = f"this pair has the same question as the one at line {earlier}"
                self.warnings.append((line, f"{same}; both are copied"))
        else:
            line, earlier = twins[0]
            verb = "repeats" if len(twins) == 1 else "repeat"
            some = f"{len(twins):,} of {len(self.pairs):,} pairs {verb}"
            question = f"an earlier question (line {earlier}, for one)"
            hint = "is this document an output?"
            self.warnings.append((line, f"{some} {question}: {hint}"))

    def separator(self) -> bytes:
        """The commonest white space between two neighbouring pairs."""
        if self.gaps:
            return max(self.gaps, key=self.gaps.__getitem__)
        line_end = b"\r\n" if b"\r\n" in self.pairs[0].span else b"\n"
        return 2 * line_end


def _plain_weight(section: bytes, parts: list[bytes]) -> int:
    """The weight of a section that is plainly a pair; 0 where _Section has to look.

    Most are: their markers are in order, and they hold no near question and no comment.
    """
    if len(parts) != 5 or parts[1] != ANSWER or parts[3] != WEIGHT:
        return 0
    if not _question(parts) or not parts[2].strip():
        return 0
    weight = WEIGHT_TO_END.fullmatch(parts[4])
    if not weight:
        return 0
    has_angle_bracket = section.find(b"<", 0, -len(END)) >= 0
    has_midline_question = section.find(QUESTION, len(QUESTION)) >= 0
    if has_angle_bracket or has_midline_question:
        return 0
    return int(weight[1])


def _question(parts: list[bytes]) -> bytes:
    return parts[0].removeprefix(QUESTION).strip()


# Copies: weights to numbers -----------------------------------------------------------


class _BadNumber(argparse.ArgumentTypeError, ValueError):
    """A ValueError that argparse prints in its own words."""


def copies(weight: int, base: Base, max_copies: int | None = None) -> int:
    """How many copies a pair has in all: base ** weight, rounded, halves up.

    The power is exact; a float counts as it prints. Raises ValueError for a weight
    that is not 1 to 5, a base that is not 1 to 1000, a max_copies below 1.

    Example: copies(4, 2) -> 16; copies(1, "2.5") -> 3; copies(4, 1.3) -> 3
    """
    number, scale = _exact(base)
    weight = _whole(weight, WEIGHTS[0], WEIGHTS[-1])
    power = number**weight
    unit = scale**weight
    rounded: int = (2 * power + unit) // (2 * unit)
    if max_copies is None:
        return rounded
    return min(rounded, _whole(max_copies, 1))


def _exact(base: Base) -> tuple[int, int]:
    """A base as a numerator and a power of ten.  Example: 1.3 -> (13, 10)"""
    text = str(base)
    if hasattr(base, "adjusted") and 0 <= base.adjusted() <= 3:
        text = format(base, "f")  # a Decimal; that of 1E+999999999 has a billion digits
    match = re.fullmatch(r"([0-9]{1,4})(?:\.([0-9]{1,1000}))?", text)
    if match:
        fraction = match[2] or ""
        number = int(match[1] + fraction)
        scale = 10 ** len(fraction)
        if scale <= number <= MAX_BASE * scale:
            return number, scale
    limits = f"from 1 to {MAX_BASE}, like 1.3"
    raise _BadNumber(f"expected a number {limits}, found {_quoted(text)}")


def _whole(value: Any, low: int, high: int | None = None) -> int:
    """A whole number of any type that is an index, such as NumPy's; no bool."""
    if not isinstance(value, bool):
        with suppress(TypeError):
            number = operator.index(value)
            if low <= number and (high is None or number <= high):
                return number
    limits = f"{low} or more" if high is None else f"from {low} to {high}"
    raise _BadNumber(f"expected a whole number, {limits}, found {_quoted(value)}")


def _copies_of_weights(base: Base, max_copies: int | None) -> dict[int, int]:
    return {weight: copies(weight, base, max_copies) for weight in WEIGHTS}


def _seed(seed: int | None) -> int:
    """The seed; if there is none, a new one of 32 bits, short enough to be typed."""
    if seed is None:
        return int.from_bytes(os.urandom(4), "big")
    return _whole(seed, 0, MAX_SEED)


# Order: a fair shuffle ----------------------------------------------------------------


def resample(
    pairs: Iterable[QAPair], *, base: Base, seed: int, max_copies: int | None = None
) -> list[QAPair]:
    """Every copy of every pair, in the order in which `oversample` writes them.

    Raises ValueError for what `copies` refuses, a seed that is not a whole number
    from 0 to 2**64 - 1, and more than 2**31 copies.

    Example: resample([a, b], base=2, seed=1), weights 1 and 2 -> [a, b, b, b, a, b]
    """
    _copies_of_weights(base, max_copies)  # found bad even if there are no pairs
    seed = _whole(seed, 0, MAX_SEED)
    pairs = list(pairs)
    counts = [copies(pair.weight, base, max_copies) for pair in pairs]
    _total(counts)
    return [pairs[index] for index in _order(counts, seed)]


def _total(counts: Iterable[int]) -> int:
    total = sum(counts)
    if total > MAX_COPIES:
        figures = f"{total:,} copies are more than {MAX_COPIES:,}"
        raise _BadNumber(f"{figures}; {IF_TOO_LARGE}")
    return total


def _order(counts: Iterable[int], seed: int) -> array[int]:
    """The index of each pair, as often as it has copies, in random order.

    The shuffle of Fisher and Yates in Durstenfeld's form (CACM 7, 1964, algorithm
    235). It draws on random() alone, whose sequence for a seed Python promises to keep.
    """
    # No list: an array takes half the memory and, with no reference counts to touch,
    # half the time where the copies outgrow the processor's cache.
    order = array("I")
    for index, count in enumerate(counts):
        order.extend(array("I", [index]) * count)
    draw = random.Random(seed).random
    for last in range(len(order) - 1, 0, -1):
        other = int(draw() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order


# The plan: all that decides the output ------------------------------------------------


class _Plan(NamedTuple):
    pairs: Sequence[QAPair]
    spans: list[bytes]  # of the pairs, without weight lines if they are to be left out
    counts: list[int]  # the copies of each
    separator: bytes
    closing: bytes
    copies: int
    size: int  # bytes


def _make_plan(
    document: Document, copies_of: dict[int, int], strip_weights: bool
) -> _Plan:
    spans = [pair.span for pair in document.pairs]
    if strip_weights:
        spans = [_stripped(span) for span in spans]
    counts = [copies_of[pair.weight] for pair in document.pairs]
    total = _total(counts)
    separator = document.separator
    closing = b"\r\n" if separator.endswith(b"\r\n") else b"\n"
    size = sum(map(operator.mul, map(len, spans), counts))
    size += len(separator) * (total - 1) + len(closing)
    return _Plan(document.pairs, spans, counts, separator, closing, total, size)


WEIGHT_LINE = re.compile(rb"\nOVERSAMPLE_WEIGHT:[^\n<]*\n?")


def _stripped(span: bytes) -> bytes:
    """A span without its weight line."""
    return WEIGHT_LINE.sub(b"\n", span)


def _blocks(plan: _Plan, seed: int) -> Iterator[bytes]:
    """The output, in blocks: three times as fast as copy by copy."""
    order = _order(plan.counts, seed)
    per_block = max(1, BLOCK * plan.copies // plan.size)
    for start in range(0, len(order), per_block):
        copies = _chosen(plan.spans, order[start : start + per_block])
        if start:
            copies = (b"", *copies)  # puts a separator before the others
        yield plan.separator.join(copies)
    yield plan.closing


def _chosen(spans: list[bytes], indexes: array[int]) -> tuple[bytes, ...]:
    if len(indexes) == 1:
        return (spans[indexes[0]],)
    # One by one takes a tenth more for a run of short copies.
    chosen: tuple[bytes, ...] = operator.itemgetter(*indexes)(spans)
    return chosen


# Files: all or nothing ----------------------------------------------------------------

# What file systems say that cannot flush.
CANNOT_FLUSH = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Report whatever goes wrong with a file under the name that its user gave it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error


def _refuse(code: int, message: str) -> NoReturn:
    """Raise an error without a name; _named adds it."""
    raise OSError(code, message)


def _read(source: str | int, name: str) -> tuple[bytes, os.stat_result]:
    """What a file or a descriptor holds, to its true end, and which file it is."""
    blocks: list[bytes] = []
    is_path = isinstance(source, str)
    with _named(name), open(source, "rb", buffering=0, closefd=is_path) as file:
        status = os.fstat(file.fileno())
        size = max(status.st_size, BLOCK)
        while True:
            block = file.read(size)
            if block:
                blocks.append(block)
            elif block is None:  # nothing is there yet, and the stream does not wait
                time.sleep(PAUSE)
            else:
                return b"".join(blocks), status


class _Output:
    """A file that is yet to be written. What must not be written over is refused."""

    def __init__(
        self, name: str, content: bytes, status: os.stat_result, overwrite: bool
    ) -> None:
        self.name = name
        self.folder = os.path.dirname(name) or os.curdir
        self.overwrite = overwrite
        self.old: os.stat_result | None = None  # the file that is replaced
        with _named(name):
            self.refuse_special_names()
            with suppress(FileNotFoundError):
                self.old = os.lstat(name)
            if not self.old:
                if not os.path.isdir(self.folder):
                    _refuse(errno.ENOENT, "its folder does not exist")
                return
            self.refuse_old_file(self.old, status)
            is_as_long = self.old.st_size == len(content)
            if is_as_long and _read(name, name)[0] == content:
                same = "holds the same bytes as the input"
                _refuse(errno.EEXIST, f"{same}; choose another name")

    def refuse_special_names(self) -> None:
        if _is_descriptor(self.name):
            _refuse(errno.EINVAL, "is an open descriptor; use - for standard output")
        if os.path.islink(self.name):
            # A relative link begins in the folder where it stands.
            target = os.path.join(os.path.dirname(self.name), os.readlink(self.name))
            hint = "name that file, or remove the link"
            _refuse(errno.EINVAL, f"is a link to {target}; {hint}")
        ends_in_slash = not os.path.basename(self.name)
        if ends_in_slash and os.path.isdir(self.folder):
            _refuse(errno.EISDIR, EXPECTED_FILE)

    def refuse_old_file(self, old: os.stat_result, source: os.stat_result) -> None:
        if _is_same_file(old, source):
            _refuse(errno.EINVAL, "is the input itself; choose another name")
        if stat.S_ISDIR(old.st_mode):
            _refuse(errno.EISDIR, EXPECTED_FILE)
        if not stat.S_ISREG(old.st_mode):
            _refuse(errno.EINVAL, "is not a regular file; use - for standard output")
        if not self.overwrite:
            hint = "replace it with --force (from Python, overwrite=True)"
            _refuse(errno.EEXIST, f"exists already; choose another name, or {hint}")

    def refuse_swapped_names(self, pairs: Sequence[QAPair], source: str) -> None:
        """Replace no file if the input looks like an output."""
        repeated = len(pairs) - len({pair.span for pair in pairs})
        if not self.old or repeated < len(pairs) / 10:
            return
        verb = "is a copy of another" if repeated == 1 else "are copies of others"
        some = f"{repeated:,} of the {len(pairs):,} pairs of {source} {verb}"
        hint = "swap them, or choose a new name"
        with _named(self.name):
            swapped = f"{some}, so the two names may be swapped; {hint}"
            _refuse(errno.EEXIST, f"is not replaced: {swapped}")

    def check_space(self, size: int) -> None:
        free = _free_bytes(self.folder)
        if free is not None and free < size:
            figures = f"the output needs {size:,} bytes, only {free:,} are free"
            with _named(self.name):
                _refuse(errno.ENOSPC, f"{figures}; {IF_TOO_LARGE}")

    def publish(self, blocks: Iterable[bytes]) -> None:
        """Write a file that gets its name when it is whole and on the disk."""
        # Nobody else has a random name, so it can be removed without checking.
        name = f".oversample-{os.urandom(8).hex()}.tmp"
        temporary = os.path.join(self.folder, name)
        with _named(self.name):
            try:
                try:
                    self.write(temporary, blocks)
                    if self.overwrite:
                        os.replace(temporary, self.name)
                    else:
                        _give_new_name(temporary, self.name)
                finally:
                    _remove(temporary)
            finally:
                _remove(temporary)  # again: a signal may come before the call above

    def write(self, path: str, blocks: Iterable[bytes]) -> None:
        # What replaces a private file is private from its first byte.
        mode = 0o600 if self.old else 0o666
        # No function of ours between the opening and the file object: a signal there
        # would leave the descriptor open, and Windows does not remove open files.
        opener = partial(os.open, mode=mode)
        with open(path, "xb", buffering=0, opener=opener) as file:
            descriptor = file.fileno()
            if self.old:
                _keep_permissions(descriptor, self.name, self.old)
            _write(descriptor, blocks)
            try:
                os.fsync(descriptor)
            except OSError as error:
                if error.errno not in CANNOT_FLUSH:
                    raise


def _is_descriptor(name: str) -> bool:
    """Whether a name may be another one of an open file, like /dev/fd/1."""
    path = os.path.abspath(name).replace("//", "/")  # POSIX lets it begin with two
    return path.startswith(("/dev/std", "/dev/fd/", "/proc/"))


def _is_same_file(one: os.stat_result, other: os.stat_result) -> bool:
    # Windows numbers some files 0.
    return one.st_ino != 0 and os.path.samestat(one, other)


def _free_bytes(folder: str) -> int | None:
    """The free bytes of a disk, if the system tells."""
    if sys.platform == "darwin" and sys.version_info < (3, 13):
        return None  # its figures wrap around at 4 TiB (python/cpython#87804)
    with suppress(OSError):
        if hasattr(os, "statvfs"):
            disk = os.statvfs(folder)
            # Some network drives say 0.
            return disk.f_bavail * disk.f_frsize or None
        from shutil import disk_usage  # Windows; elsewhere it takes long to import

        return disk_usage(folder).free
    return None


def _keep_permissions(descriptor: int, name: str, old: os.stat_result) -> None:
    """Give a file the owner, group and permissions of the one that it replaces.

    They are set on the open file: the name may be another's by now.
    """
    if not hasattr(os, "fchown"):  # Windows
        return
    with suppress(OSError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    new = os.fstat(descriptor)
    keeps_owner = (new.st_uid, new.st_gid) == (old.st_uid, old.st_gid)
    # With an access list, the bits of the group are a mask for all that it names.
    keeps_all = keeps_owner and not _has_access_list(name)
    with suppress(OSError):
        os.fchmod(descriptor, old.st_mode & (0o777 if keeps_all else 0o700))


def _has_access_list(name: str) -> bool:
    if not hasattr(os, "listxattr"):
        return False
    with suppress(OSError):
        return "system.posix_acl_access" in os.listxattr(name)
    return False


def _write(descriptor: int, blocks: Iterable[bytes]) -> None:
    for block in blocks:
        rest = memoryview(block)
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:  # it is full, and does not wait
                time.sleep(PAUSE)


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _give_new_name(temporary: str, name: str) -> None:
    """Give a file its name, if nobody has it."""
    try:
        if os.name == "nt":
            os.rename(temporary, name)  # never replaces a file there
        elif not _link(temporary, name):
            _hold_and_replace(temporary, name)
    except FileExistsError:
        taken = "was created meanwhile; left untouched"
        raise FileExistsError(errno.EEXIST, taken) from None


def _link(temporary: str, name: str) -> bool:
    """Give a file a second name; False where there are no hard links."""
    try:
        os.link(temporary, name)
    except FileExistsError:
        raise
    except (OSError, AttributeError):  # FAT, network drives; WebAssembly
        return False
    return True


def _hold_and_replace(temporary: str, name: str) -> None:
    """Create an empty file that holds the name, then take its place."""
    try:
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.replace(temporary, name)
    except FileExistsError:
        raise
    except BaseException:
        # It is ours if it is empty: a signal may come right after the open.
        if os.path.exists(name) and not os.path.getsize(name):
            os.unlink(name)
        raise


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
    """Write base ** weight copies of every pair of source, in random order.

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
    copies_of = _copies_of_weights(base, max_copies)
    seed = _seed(seed)
    source, destination = os.fsdecode(source), os.fsdecode(destination)
    content, status = _read(source, source)
    output = _Output(destination, content, status, overwrite)
    document = parse(content)
    del content  # so that a document is in memory twice, not three times
    plan = _make_plan(document, copies_of, strip_weights)
    output.refuse_swapped_names(plan.pairs, source)
    output.check_space(plan.size)
    output.publish(_blocks(plan, seed))
    return Summary(len(plan.pairs), plan.copies, plan.size, seed)


# The check: is a file what would be written? ------------------------------------------


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
    `oversample`; nothing is written. The first 100 differences are kept.

    Example: check("in.md", "out.md", base=2) where one copy is gone -> (Difference(
    path="in.md", line=9, message="expected 4 copies of this pair in out.md, found 3"),)
    """
    copies_of = _copies_of_weights(base, max_copies)
    if seed is not None:
        seed = _whole(seed, 0, MAX_SEED)
    source, destination = os.fsdecode(source), os.fsdecode(destination)
    document = parse(_read(source, source)[0])
    plan = _make_plan(document, copies_of, strip_weights)
    return _differences(plan, seed, source, destination)


def _differences(
    plan: _Plan, seed: int | None, source: str, name: str
) -> tuple[Difference, ...]:
    """How a file differs from the plan; in any order if there is no seed."""
    comparison = _Comparison(plan, seed, source, name)
    with _named(name):
        if not stat.S_ISREG(os.stat(name).st_mode):
            _refuse(errno.EINVAL, "is not a regular file")
        with open(name, "rb") as file, suppress(_Enough):
            comparison.compare(file)
    return tuple(comparison.differences)


class _Enough(Exception):
    """No more differences are looked for."""


class _Comparison:
    """Compares a file with a plan. A yes is certain: spans are compared, not hashes."""

    def __init__(self, plan: _Plan, seed: int | None, source: str, name: str) -> None:
        self.plan = plan
        self.seed = seed
        self.source = source
        self.name = name
        self.differences: list[Difference] = []
        self.found = dict.fromkeys(plan.spans, 0)  # copies of each
        self.order = iter(() if seed is None else _order(plan.counts, seed))
        self.out_of_order: int | None = None  # the line of the first such copy
        # Hashes save memory. What collides is only reported less well: that the file
        # differs is known by then.
        self.strangers: set[int] = set()  # copies that match no pair
        self.alike: dict[int, int] = {}  # the lines of questions, and of stripped spans

    def compare(self, file: BinaryIO) -> None:
        self.compare_pieces(file)
        counts_are_right = self.compare_counts()
        if counts_are_right and not self.strangers and self.out_of_order:
            order = f"expected the order of seed {self.seed}, found another"
            self.note(self.name, self.out_of_order, order)

    def note(self, path: str, line: int, message: str) -> None:
        self.differences.append(Difference(path, line, message))
        if len(self.differences) == MAX_MESSAGES:
            raise _Enough

    def compare_pieces(self, file: BinaryIO) -> None:
        """Note, in order of line, what a file holds and should not."""
        plan = self.plan
        # A copy that was edited since may be longer than its pair.
        longest = 2 * max(map(len, plan.spans)) + len(plan.separator) + BLOCK
        line = 1
        expected = b""
        for gap, span in _pieces(file, longest):
            self.compare_gap(line, gap, expected if span else plan.closing)
            expected = plan.separator
            line += gap.count(b"\n")
            if span:
                self.compare_copy(line, span)
                line += span.count(b"\n")

    def compare_gap(self, line: int, gap: bytes, expected: bytes) -> None:
        text = gap.lstrip()
        if text:
            blanks = gap[: len(gap) - len(text)]
            first = _quoted(text.partition(b"\n")[0].rstrip())
            text_line = line + blanks.count(b"\n")
            self.note(self.name, text_line, f"text that belongs to no copy: {first}")
        elif gap != expected:
            found = f"expected {_quoted(expected)} here, found {_quoted(gap)}"
            self.note(self.name, line, found)

    def compare_copy(self, line: int, span: bytes) -> None:
        # None without a seed, and after the last copy that is due.
        index = next(self.order, None)
        if span in self.found:
            self.found[span] += 1
            is_due = index is None or self.plan.spans[index] == span
            if not is_due and not self.out_of_order:
                self.out_of_order = line
        elif hash(span) not in self.strangers:
            self.strangers.add(hash(span))
            stranger = f"this copy matches no pair; {self.likeness(span)}"
            self.note(self.name, line, stranger)

    def compare_counts(self) -> bool:
        """Note pairs with too few or too many copies; return whether there is none."""
        due = dict.fromkeys(self.found, 0)
        first_lines: dict[bytes, int] = {}
        plan = self.plan
        for pair, span, count in zip(plan.pairs, plan.spans, plan.counts):
            due[span] += count
            first_lines.setdefault(span, pair.line)
        for span, line in first_lines.items():
            if due[span] != self.found[span]:
                some = f"{_copies_counted(due[span])} of this pair in {self.name}"
                message = f"expected {some}, found {self.found[span]:,}"
                self.note(self.source, line, message)
        return due == self.found

    def likeness(self, span: bytes) -> str:
        """What a copy that matches no pair has in common with one."""
        if not self.alike:
            for pair in self.plan.pairs:
                self.alike.setdefault(hash(pair.question), pair.line)
                self.alike.setdefault(hash(_stripped(pair.span)), pair.line)
        line = self.alike.get(hash(_stripped(span)))
        if line:
            same = f"it is {self.source}:{line} except for its weight line"
            hint = "the weight was edited, or only one of the two had --strip-weights"
            return f"{same}: {hint}"
        question = QAPair(span, weight=0, line=0).question
        line = self.alike.get(hash(question))
        if line:
            same = f"{self.source}:{line} has the same question"
            return f"{same}: one of the two was edited"
        return f"no pair of {self.source} has this question"


# In an output; an editor may have put a byte order mark before it.
LINE_QUESTION = re.compile(rb"^(?:\xef\xbb\xbf)?(QUESTION:)", re.MULTILINE)


def _pieces(file: BinaryIO, longest: int) -> Iterator[tuple[bytes, bytes]]:
    """Each gap of a file and the copy after it, up to one that is too long."""
    held = b""
    while len(held) <= longest:
        # As much as is held, so that one long piece takes linear time, too.
        block = file.read(max(BLOCK, len(held)))
        *pieces, held = (held + block).split(END)
        for piece in pieces:
            piece += END
            question = LINE_QUESTION.search(piece)
            begin = question.start(1) if question else len(piece)
            yield piece[:begin], piece[begin:]
        if not block:
            yield held, b""
            return
    yield held, b""
    raise _Enough


# The command: what it says ------------------------------------------------------------


def _say(*lines: str, end: str = "\n") -> None:
    """Print for people. What standard error cannot take is dropped."""
    try:
        sys.stderr.write("".join(_escaped(line) + end for line in lines))
        sys.stderr.flush()
    except (OSError, ValueError):  # full, closed, or left by its reader
        # Otherwise Python, at its end, would write again, fail, and exit with 120.
        sys.stderr = io.StringIO()


def _with_progress(
    blocks: Iterable[bytes], size: int, options: argparse.Namespace
) -> Iterator[bytes]:
    """Hand the blocks on; say on a terminal how far they are, unless they go there."""
    to_file = options.output != "-" or stat.S_ISREG(os.fstat(1).st_mode)
    # A caller of main may have put anything in the place of standard error.
    is_terminal = hasattr(sys.stderr, "isatty") and sys.stderr.isatty()
    is_shown = to_file and is_terminal and not options.quiet
    done = 0
    percent = 0
    for block in blocks:
        yield block
        done += len(block)
        if is_shown and 100 * done // size > percent:
            percent = 100 * done // size
            # The next line overwrites this one.
            _say(f"{percent}% written", end="\r")


def _report(
    plan: _Plan, copies_of: dict[int, int], seed: int, options: argparse.Namespace
) -> list[str]:
    """The copies of each weight, what was written where, the options that repeat it."""
    lines = _table(plan, copies_of)
    lines.append("")
    lines.append(_outcome(plan, options))
    again = f"--base {options.base} --seed {seed}"
    if options.max_copies is not None:
        again += f" --max-copies {options.max_copies}"
    if options.strip_weights:
        again += " --strip-weights"
    else:
        lines.append(
            "the copies keep their weight lines; --strip-weights leaves them out"
        )
    lines.append(f"to repeat or --check it: {again}")
    return lines


def _outcome(plan: _Plan, options: argparse.Namespace) -> str:
    what = f"{_copies_counted(plan.copies)}, {plan.size:,} bytes"
    where = "standard output" if options.output == "-" else options.output
    if not options.dry_run:
        return f"{what}, written to {where}"
    to_where = f", to {where}" if where else ""
    return f"nothing written; a real run would write {what}{to_where}"


def _table(plan: _Plan, copies_of: dict[int, int]) -> list[str]:
    """A row for each weight, aligned, with a bar for its share of the copies."""
    pairs = dict.fromkeys(WEIGHTS, 0)
    for pair in plan.pairs:
        pairs[pair.weight] += 1
    totals = {weight: pairs[weight] * copies_of[weight] for weight in WEIGHTS}
    most = max(totals.values())
    rows = [("weight", "pairs", "copies each", "copies", "share", "")]
    for weight in WEIGHTS:
        figures = f"{pairs[weight]:,}", f"{copies_of[weight]:,}", f"{totals[weight]:,}"
        share = f"{totals[weight] / plan.copies:.1%}"
        rows.append((str(weight), *figures, share, _bar(totals[weight], most)))
    rows.append(("total", f"{len(plan.pairs):,}", "", f"{plan.copies:,}", "100.0%", ""))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [_aligned(row, widths) for row in rows]


def _aligned(row: Sequence[str], widths: list[int]) -> str:
    *figures, bar = row
    cells = [*map(str.rjust, figures, widths), bar]
    return "  ".join(cells).rstrip()


def _bar(number: int, most: int) -> str:
    if not number:
        return ""
    encoding = str(getattr(sys.stderr, "encoding", ""))
    block = "\u2588" if "utf" in encoding.lower() else "#"
    return block * max(1, round(20 * number / most))


# The command: its options -------------------------------------------------------------


class _BadUsage(Exception):
    """Bad arguments; the usage line has been printed."""


class _ArgumentParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        _say(f"usage: {self.usage}")  # format_usage() may be in colours
        raise _BadUsage(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        try:
            sys.stdout.flush()  # of --help or --version
        except OSError:
            # Otherwise Python, at its end, would write again, fail, and exit with 120.
            sys.stdout = io.StringIO()
            raise
        super().exit(status, message)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _ArgumentParser(
        usage="oversample --base N [options] INPUT OUTPUT",
        description=__doc__,
        allow_abbrev=False,
        add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if sys.version_info >= (3, 14):
        parser.color = False  # help would have colours even in a file
    _add_files(parser.add_argument_group("files"))
    group = parser.add_argument_group("options")
    _add_numbers(group)
    _add_switches(group)
    options = parser.parse_intermixed_args(argv)
    if options.output is None and not options.dry_run:
        parser.error("the following arguments are required: OUTPUT")
    if options.output == "-" and options.check:
        found = "expected the name of a file as OUTPUT, found '-'"
        parser.error(f"argument --check: {found}")
    return options


def _add_files(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "input", metavar="INPUT", help="the document; - reads standard input"
    )
    group.add_argument(
        "output",
        metavar="OUTPUT",
        nargs="?",
        help="a new file; - writes standard output",
    )


def _add_numbers(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--base",
        metavar="N",
        type=_base_option,
        required=True,
        help="N ** w copies of a pair of weight w; 1 to 1000, like 1.3",
    )
    group.add_argument(
        "--seed",
        metavar="N",
        type=_seed_option,
        help="repeat the order of another run",
    )
    group.add_argument(
        "--max-copies",
        metavar="N",
        type=_max_copies_option,
        help="at most N copies of each pair",
    )


def _add_switches(group: argparse._ArgumentGroup) -> None:
    add = partial(group.add_argument, action="store_true")
    modes = group.add_mutually_exclusive_group()
    add_mode = partial(modes.add_argument, action="store_true")
    add("--strip-weights", help="leave the weight line out of every copy")
    add_mode("-n", "--dry-run", help="only report; OUTPUT may be left out")
    add_mode("--check", help="only say whether OUTPUT is up to date")
    add("-f", "--force", help="replace an existing OUTPUT")
    add("-q", "--quiet", help="errors only")
    version = f"oversample {__version__}"
    add("--version", action="version", version=version, help="print the version")
    add("-h", "--help", action="help", help="print this help")


def _base_option(text: str) -> str:
    _exact(text)
    return text


def _seed_option(text: str) -> int:
    return _whole(_int_or_text(text), 0, MAX_SEED)


def _max_copies_option(text: str) -> int:
    return _whole(_int_or_text(text), 1)


def _int_or_text(text: str) -> int | str:
    # int() alone takes 1_0, blanks, and the digits of every script.
    return int(text) if re.fullmatch("[0-9]{1,99}", text) else text


# The command: what it does ------------------------------------------------------------


class _Refused(Exception):
    """What is wrong has been printed; this is the last line."""


def _run(options: argparse.Namespace) -> None:
    copies_of = _copies_of_weights(options.base, options.max_copies)
    source = "<stdin>" if options.input == "-" else options.input
    content, status = _read(0 if options.input == "-" else source, source)
    output = None  # also for standard output
    if not options.check and not options.dry_run:
        output = _open_output(options, content, status)
    document = _parse_or_refuse(content, source, options.quiet)
    del content  # so that a document is in memory twice, not three times
    plan = _make_plan(document, copies_of, options.strip_weights)
    if options.check:
        _run_check(plan, source, options)
        return
    seed = _seed(options.seed)
    if output:
        output.refuse_swapped_names(plan.pairs, source)
        output.check_space(plan.size)
    if not options.dry_run:
        _publish(output, _with_progress(_blocks(plan, seed), plan.size, options))
    if not options.quiet:
        _say(*_report(plan, copies_of, seed, options))


def _open_output(
    options: argparse.Namespace, content: bytes, status: os.stat_result
) -> _Output | None:
    """The file to be written, or None for standard output."""
    if options.output != "-":
        return _Output(options.output, content, status, options.force)
    with _named("<stdout>"):
        is_file = stat.S_ISREG(status.st_mode)
        if is_file and _is_same_file(os.fstat(1), status):
            _refuse(errno.EINVAL, "is the input itself; choose another file")
    return None


def _publish(output: _Output | None, blocks: Iterable[bytes]) -> None:
    if output:
        output.publish(blocks)
        return
    with _named("<stdout>"):
        try:
            _write(1, blocks)
        except OSError as error:
            if os.name == "nt" and error.errno == errno.EINVAL:
                # So Windows says that the reader left.
                broken = os.strerror(errno.EPIPE)
                raise BrokenPipeError(errno.EPIPE, broken) from None
            raise


def _parse_or_refuse(content: bytes, source: str, quiet: bool) -> Document:
    """Read a document; print its errors and warnings."""
    try:
        document = parse(content)
    except DocumentError as error:
        problems = error.problems
        _say(*(f"{source}:{line}: error: {text}" for line, text in problems))
        errors = _counted(len(problems), "error", "errors")
        if len(problems) > MAX_MESSAGES:
            errors = f"more than {MAX_MESSAGES} errors"
        raise _Refused(f"{errors} in {source}; nothing was written") from None
    if not quiet:
        warnings = document.warnings
        lines = [f"{source}:{line}: warning: {text}" for line, text in warnings]
        _say(*_first_lines(lines, "warning"))
    return document


def _first_lines(lines: list[str], kind: str) -> list[str]:
    """The lines that are printed, and how many are not."""
    more = len(lines) - MAX_PRINTED
    if more <= 0:
        return lines
    at_least = "at least " if len(lines) == MAX_MESSAGES else ""
    rest = f"oversample: {kind}: {at_least}{more} more, not shown"
    return [*lines[:MAX_PRINTED], rest]


def _run_check(plan: _Plan, source: str, options: argparse.Namespace) -> None:
    name = options.output
    differences = _differences(plan, options.seed, source, name)
    if differences:
        lines = [f"{path}:{line}: error: {text}" for path, line, text in differences]
        _say(*_first_lines(lines, "error"))
        differs = f"{name} is not what {source} and these options give"
        condition = f"if {name} was made with these options"
        hint = "run again with --force instead of --check to renew it"
        raise _Refused(f"{differs}; {condition}, {hint}")
    if not options.quiet:
        order = " (order not checked)"
        if options.seed is not None:
            order = f", in the order of seed {options.seed}"
        found = f"all {_copies_counted(plan.copies)} of {source}"
        _say(f"{name}: up to date: {found}{order}")


# The command: signals, failures and the exit status -----------------------------------

# The signals that end a program, as far as a platform has them.
SIGNAL_NAMES = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK", "SIGINT")
SIGNALS = [getattr(signal, name) for name in SIGNAL_NAMES if hasattr(signal, name)]
DEFAULT_HANDLERS = (signal.SIG_DFL, signal.default_int_handler)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on argv (as sys.argv[1:]); return its exit status.

    Example: main(["--base", "2", "in.md", "out.md"]) -> 0
    """
    # sys.stdout and sys.stderr are None if whoever started this closed them.
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()
    replaced: dict[int, Any] = {}  # the handlers of signals
    try:
        return _exit_status(argv, replaced)
    finally:
        # SIGINT is the last: with Python's handler back, it would break off the loop.
        with suppress(KeyboardInterrupt):
            for number, handler in replaced.items():
                signal.signal(number, handler)


def _exit_status(argv: Sequence[str] | None, replaced: dict[int, Any]) -> int:
    """Run the command; turn every failure of a user or a system into one line."""
    try:
        try:
            _catch_signals(replaced)
            _run(_options(argv))
        finally:
            _disarm(replaced)
        return 0
    except SystemExit as stop:  # --help, --version
        return int(stop.code or 0)
    except KeyboardInterrupt as stop:
        # Before there is a handler of ours, Python raises one without a number.
        number = stop.args[0] if stop.args else signal.SIGINT
        return _failed(f"stopped by {number.name}", 128 + number)
    except BrokenPipeError:  # its reader left
        return 1
    except OSError as error:
        return _failed(_file_error(error))
    except _BadUsage as error:
        return _failed(str(error), 2)
    except MemoryError:
        return _failed("not enough memory for this document and base")
    except (_Refused, _BadNumber) as error:
        return _failed(str(error))


def _failed(message: str, status: int = 1) -> int:
    _say(f"oversample: error: {message}")
    return status


def _file_error(error: OSError) -> str:
    text = error.strerror or str(error)
    message = text[:1].lower() + text[1:]
    if error.filename is None:
        return message
    return f"{error.filename or repr('')}: {message}"


def _catch_signals(replaced: dict[int, Any]) -> None:
    """Let the signals that end a program raise an exception: files are removed then."""

    def stop(number: int, _frame: object) -> None:
        _disarm(replaced)
        raise KeyboardInterrupt(signal.Signals(number))

    for number in SIGNALS:
        handler = signal.getsignal(number)
        # Others are a caller's own, or ignored on purpose, as nohup does.
        if handler in DEFAULT_HANDLERS:
            with suppress(ValueError):
                signal.signal(number, handler)  # fails outside the main thread
                # Noted before it is replaced: a signal may come in between.
                replaced[number] = handler
                signal.signal(number, stop)


def _disarm(numbers: Iterable[int]) -> None:
    """Let nothing interrupt what is done about a stop, or after the end."""
    for number in numbers:
        # Not SIG_IGN: Python would print that it was ignored if one is on its way.
        signal.signal(number, lambda *_: None)


if __name__ == "__main__":
    raise SystemExit(main())
