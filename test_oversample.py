"""What oversample promises, as tests. Each test names the clause it holds.

    python -m unittest

needs nothing but Python. Properties are tested on generated documents, against a
second reading of the format that shares no code with the first.
"""

from __future__ import annotations

import contextlib
import decimal
import enum
import errno
import hashlib
import importlib.util
import io
import itertools
import json
import os
import pathlib
import pickle
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from unittest import mock

import oversample
from oversample import DocumentError, QAPair, check, copies, parse, resample

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = HERE / "oversample.py"
SAMPLE = HERE / "sources" / "v2" / "v_2_1" / "tier_s_examples_master_document.md"
README = HERE / "README.md"
POSIX = os.name == "posix"
ROOT = POSIX and os.geteuid() == 0


def pair(name: str = "a", weight: int = 1) -> bytes:
    text = f"QUESTION: {name}?\n\nANSWER: {name}!\n\nOVERSAMPLE_WEIGHT: {weight}\n<END_OF_SET>"
    return text.encode()


def document(*weights: int) -> bytes:
    """Pairs a, b, c ... of these weights, a blank line between them."""
    names = itertools.chain("abcdefghijklmnopqrstuvwxyz", map(str, itertools.count()))
    return b"\n\n".join(pair(name, weight) for name, weight in zip(names, weights)) + b"\n"


def problems(content: bytes) -> list[tuple[int, str]]:
    try:
        parse(content)
    except DocumentError as error:
        return list(error.problems)
    return []


class Case(unittest.TestCase):
    """A test with a folder of its own, in which it stands."""

    maxDiff = None

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(folder.name)
        self.folder = pathlib.Path(folder.name)

    def write(self, content: bytes, name: str = "in.md") -> pathlib.Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def main(self, *arguments: str, encoding: str = "utf-8", **environment: str) -> tuple[int, str]:
        """The exit status and what was printed for people; nothing else may be printed."""
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        err = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
        environment = {"LC_ALL": "en_US.UTF-8", **environment}
        with mock.patch.dict(os.environ, environment):
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    status = oversample.main(arguments)
                except SystemExit as stop:
                    status = stop.code
        for stream in out, err:
            stream.flush()
        self.assertEqual(out.buffer.getvalue(), b"")
        return status, err.buffer.getvalue().decode(encoding)

    def names(self) -> list[str]:
        return sorted(os.listdir(self.folder))


def command(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run the command as a person does."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60, **options}
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], **options)


class Spans(unittest.TestCase):
    """1. Bytes in, bytes out."""

    def assert_rebuilt(self, content: bytes) -> None:
        position, pieces = 0, []
        for each in parse(content).pairs:
            start = content.index(each.span, position)
            pieces += [content[position:start], each.span]
            position = start + len(each.span)
        rest = content[position:]
        gaps = b".".join([*pieces[::2], rest])  # a dot for each span, and for each comment
        self.assertEqual(b"".join(pieces) + rest, content)
        outside = re.sub(rb"<!--.*?-->", b".", gaps, flags=re.DOTALL)
        self.assertNotRegex(outside, rb"(?m)^(QUESTION|ANSWER|OVERSAMPLE_WEIGHT):|<END_OF_SET>")

    def test_1_spans_and_the_text_between_them_in_order_are_the_document(self) -> None:
        self.assert_rebuilt(SAMPLE.read_bytes())
        for content in itertools.islice(documents(seed=1, count=2_000), 2_000):
            if second_reading(content) is not None:
                with self.subTest(content=content):
                    self.assert_rebuilt(content)

    def test_1_every_byte_passes_through_as_it_is(self) -> None:
        for odd in (
            bytes(range(9)) + bytes(range(14, 256)),
            "“curly” — é 🙂 \u202e".encode(),
            "é".encode("latin-1"),
            b"\xff\xfe\x00 lone \xc3",
            b"line\r\nline\r\n  trailing  \r\n\ttab\t",
            b"\x1b[31m <!-- no comment in a pair \x00",
        ):
            span = pair("X").replace(b"X?", odd).replace(b"X!", b"also " + odd)
            with self.subTest(odd=odd):
                (parsed,) = parse(b"\n" + span + b" \n").pairs
                self.assertEqual(parsed.span, span)

    def test_1_a_document_is_bytes(self) -> None:
        for content in "text", 5, None:
            with self.subTest(content=content), self.assertRaises(TypeError):
                parse(content)

    def test_1_5_a_span_runs_from_q_to_the_bracket_and_cannot_be_changed(self) -> None:
        content = b"\xef\xbb\xbf \n" + pair("a", 3) + b" tail\n"
        (parsed,) = parse(content).pairs
        self.assertEqual(parsed, QAPair(pair("a", 3), 3, 2))
        for name in "span", "weight", "line", "question", "answer", "other":
            with self.subTest(name=name), self.assertRaises(AttributeError):
                setattr(parsed, name, None)
        self.assertIs(type(parsed.span), bytes)

    def test_1_a_bytearray_may_change_later_and_the_spans_do_not(self) -> None:
        content = bytearray(document(1))
        parsed = parse(content)
        content[:] = b"x" * len(content)
        self.assertEqual(parsed.pairs[0].span, pair("a", 1))


PAIR = pair().decode()
Q, A, W, E = "QUESTION: a", "ANSWER: b", "OVERSAMPLE_WEIGHT: 3", "<END_OF_SET>"
HEAD = "QUESTION: a\n\nANSWER: b\n"

# fmt: off
# Accepted: (what it shows, document, its spans).
ACCEPTED = [
    ("1.1 a marker in mid-line is text", "QUESTION: QUESTION: x ANSWER: y\n\nANSWER: OVERSAMPLE_WEIGHT: 9\nsee QUESTION:\nOVERSAMPLE_WEIGHT: 1\n<END_OF_SET>"),
    ("1.1 a marker spelled otherwise is text", HEAD + "Question: c\n**ANSWER:** d\n ANSWER: e\nQUESTION : f\nOVERSAMPLE_WEIGHT 4\n<END OF SET>\n</END_OF_SET>\n" + W + "\n" + E),
    ("1.2 the end may share the line of the weight", HEAD + "OVERSAMPLE_WEIGHT: 3<END_OF_SET>"),
    ("1.3 paragraphs", "QUESTION:\n\na\n\nb\nANSWER:\n\nc\n\nd\nOVERSAMPLE_WEIGHT:5\n\n \t\n<END_OF_SET>"),
    ("1.3 what is no ASCII white space is text", "QUESTION:\u00a0\nANSWER:\x00\n" + W + "\n" + E),
    ("1.3 white space of every kind before the end", HEAD + "OVERSAMPLE_WEIGHT: 3 \t\r\f\v\n\f\v\r\n <END_OF_SET>"),
    ("1.4 blanks and tabs around the weight", HEAD + "OVERSAMPLE_WEIGHT: \t 4 \t \n<END_OF_SET>"),
    ("1.6 a comment in a pair is text", "QUESTION: <!-- a\n\nANSWER: b -->\n<!--\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>"),
]

# Refused: (what it shows, document, [(line, message)]).
REFUSED = [
    ("1.8 nothing", "", [(1, "expected a pair, QUESTION: to <END_OF_SET>, found an empty document")]),
    ("1.8 white space alone", " \r\n\n", [(1, "expected a pair, QUESTION: to <END_OF_SET>, found an empty document")]),
    ("1.8 text alone", "Dear all,\n", [(1, "expected a pair, QUESTION: to <END_OF_SET>, found none")]),
    ("1.8 a comment alone", "<!-- " + PAIR + " -->", [(1, "expected a pair, QUESTION: to <END_OF_SET>, found none")]),
    ("1.3 no answer", f"\n{Q}\n{W}\n{E}", [(3, "expected ANSWER: after QUESTION: (line 2), found OVERSAMPLE_WEIGHT:")]),
    ("1.3 no weight", f"{Q}\n{A}\n{E}\n{PAIR}", [(3, "expected OVERSAMPLE_WEIGHT: after ANSWER: (line 2), found <END_OF_SET>")]),
    ("1.3 no answer and no weight", f"{Q}\n{E}", [(2, "expected ANSWER: after QUESTION: (line 1), found <END_OF_SET>")]),
    ("1.3 no end", f"{Q}\n{A}\n{W}\n\n{PAIR}", [(5, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 3), found QUESTION:")]),
    ("1.3 no end of the last", f"{PAIR}\n{Q}\n{A}\n{W}\n\n", [(10, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 9), found the end of the document")]),
    ("1.3 no weight and no end", f"{Q}\n{A}\n\n{PAIR}", [(4, "expected OVERSAMPLE_WEIGHT: after ANSWER: (line 2), found QUESTION:")]),
    ("1.3 a question alone", Q, [(1, "expected ANSWER: after QUESTION: (line 1), found the end of the document")]),
    ("1.3 a second question", f"{Q}\n{Q}\n{A}\n{W}\n{E}", [(2, "expected ANSWER: after QUESTION: (line 1), found QUESTION:")]),
    ("1.3 a second answer", f"{Q}\n{A}\n{A}\n{W}\n{E}", [(3, "expected OVERSAMPLE_WEIGHT: after ANSWER: (line 2), found ANSWER:")]),
    ("1.3 a second weight", f"{Q}\n{A}\n{W}\n{W}\n{E}", [(4, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 3), found OVERSAMPLE_WEIGHT:")]),
    ("1.3 a second end", f"{PAIR}\n{E}", [(7, "expected QUESTION: after <END_OF_SET> (line 6), found <END_OF_SET>")]),
    ("1.3 answer and weight change places", f"{Q}\n{W}\n{A}\n{E}", [(2, "expected ANSWER: after QUESTION: (line 1), found OVERSAMPLE_WEIGHT:")]),
    ("1.3 question and answer change places", f"{A}\n{Q}\n{W}\n{E}", [
        (1, "expected QUESTION: first, found ANSWER:"),
        (3, "expected ANSWER: after QUESTION: (line 2), found OVERSAMPLE_WEIGHT:")]),
    ("1.2 an end in the question", f"QUESTION: a {E} b\n{A}\n{W}\n{E}", [
        (1, "expected ANSWER: after QUESTION: (line 1), found <END_OF_SET>"),
        (2, "expected QUESTION: after <END_OF_SET> (line 1), found ANSWER:")]),
    ("1.3 an empty question", f"QUESTION:\n\n{A}\n{W}\n{E}", [(1, "expected text after QUESTION:, found ANSWER:")]),
    ("1.3 a blank answer", f"{Q}\nANSWER: \t\r\f\v\n{W}\n{E}", [(2, "expected text after ANSWER:, found OVERSAMPLE_WEIGHT:")]),
    ("1.3 text before the end", f"{Q}\n{A}\n{W}\n\n  so\nthere\n{E}", [(5, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 3), found 'so'")]),
    ("1.3 text before an end that is not there", f"{Q}\n{A}\n{W}\nso\n{PAIR}", [(4, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 3), found 'so'")]),
    ("1.3 text behind the weight", f"{HEAD}OVERSAMPLE_WEIGHT: 3 stars\n{E}", [(4, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 4), found 'stars'")]),
    ("1.3 an end that missed, behind the weight", f"{HEAD}OVERSAMPLE_WEIGHT: 3 <END OF SET>\n{PAIR}", [(4, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 4), found '<END OF SET>'; line 4 looks like a marker that missed: expected '<END_OF_SET>', found '<END OF SET>'")]),
    ("1.3 no end, and a question that missed", f"{Q}\n{A}\n{W}\nQuestion: c\n{A}\n{W}\n{E}", [(4, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 3), found 'Question: c'; line 4 looks like a marker that missed: expected 'QUESTION:' first on its line, found 'Question: c'")]),
    ("1.3 no end, and no question", f"{Q}\n{A}\n{W}\n{A}\n{W}\n{E}", [(4, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 3), found ANSWER:")]),
    ("1.3 text before a weight once more", f"{Q}\n{A}\n{W}\nso\n{W}\n{E}", [(4, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 3), found 'so'")]),
    ("1.3 no question, and no end", f"{A}\n{W}\n{PAIR}", [
        (1, "expected QUESTION: first, found ANSWER:"),
        (3, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 2), found QUESTION:")]),
    ("1.3 no question, and no end of the document", f"{A}\n{W}", [
        (1, "expected QUESTION: first, found ANSWER:"),
        (2, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 2), found the end of the document")]),
    ("1.4 no weight on the line", f"{HEAD}OVERSAMPLE_WEIGHT:\n{E}", [(4, "expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found nothing")]),
    ("1.4 the weight on the next line", f"{HEAD}OVERSAMPLE_WEIGHT:\n3\n{E}", [
        (4, "expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found nothing"),
        (5, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 4), found '3'")]),
    ("1.6 a marker outside", f"{PAIR}\nOVERSAMPLE_WEIGHT: 3\n{PAIR}", [(7, "expected QUESTION: after <END_OF_SET> (line 6), found OVERSAMPLE_WEIGHT:")]),
    ("1.6 a marker outside, last", f"{PAIR}\nANSWER: 3", [(7, "expected QUESTION: after <END_OF_SET> (line 6), found ANSWER:")]),
    ("1.6 a comment that never closes", f"{PAIR}\n<!-- a\n{Q}\n--", [(7, "expected --> after <!--, found the end of the document")]),
    ("1.6 a comment does not close itself", f"<!-->\n{PAIR}", [(1, "expected --> after <!--, found the end of the document")]),
    ("1.8 every error, in order of line", f"{E}\n{Q}\n{E}\nQUESTION:\n{A}\nOVERSAMPLE_WEIGHT: 9\nx\n{E}\n<!--", [
        (1, "expected QUESTION: first, found <END_OF_SET>"),
        (3, "expected ANSWER: after QUESTION: (line 2), found <END_OF_SET>"),
        (4, "expected text after QUESTION:, found ANSWER:"),
        (6, "expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found '9'"),
        (7, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 6), found 'x'"),
        (9, "expected --> after <!--, found the end of the document")]),
    ("1.8 UTF-16", "\ufeff" + PAIR, [(1, "expected a pair, QUESTION: to <END_OF_SET>, found UTF-16 or UTF-32: save the document as UTF-8")]),
]

NO_WEIGHTS = ["0", "6", "9", "33", "3.5", "+3", "-1", "three", "\u0663", "\uff13", "1_0", "\f3", "\r3", "3:", "'3'"]

# What missed: (the line as it stands, the marker that it should be).
NEAR_MISSES = [
    ("Question: a", "QUESTION:"), ("question: a", "QUESTION:"), ("**QUESTION:** a", "QUESTION:"),
    ("**Question**: a", "QUESTION:"), ("## QUESTION: a", "QUESTION:"), ("  QUESTION: a", "QUESTION:"),
    ("> QUESTION: a", "QUESTION:"), ("QUESTION a", "QUESTION:"), ("QUESTION", "QUESTION:"),
    ("QUESTION : a", "QUESTION:"), ("QUESTION\uff1a a", "QUESTION:"), ("QUESTON: a", "QUESTION:"),
    ("QUESTIONS: a", "QUESTION:"), ("QEUSTION: a", "QUESTION:"), ("QUESTIOM: a", "QUESTION:"), ("1. Question: a", "QUESTION:"),
    ("Answer: b", "ANSWER:"), ("**ANSWER:** b", "ANSWER:"), ("\tANSWER: b", "ANSWER:"), ("ANSWER b", "ANSWER:"),
    ("ANSWR: b", "ANSWER:"), ("_ANSWER:_ b", "ANSWER:"), ("### Answer", "ANSWER:"), ("ANSWER; b", "ANSWER:"),
    ("OVERSAMPLE WEIGHT: 3", "OVERSAMPLE_WEIGHT:"), ("OVERSAMPLE_WEIGHT 3", "OVERSAMPLE_WEIGHT:"),
    ("Oversample_Weight: 3", "OVERSAMPLE_WEIGHT:"), ("OVERSAMPLE-WEIGHT: 3", "OVERSAMPLE_WEIGHT:"),
    ("**OVERSAMPLE_WEIGHT: 3**", "OVERSAMPLE_WEIGHT:"), ("OVERSAMPLE_WIEGHT: 3", "OVERSAMPLE_WEIGHT:"),
    ("OVERSAMPLEWEIGHT: 3", "OVERSAMPLE_WEIGHT:"), ("OVERSAMPLE_WEIGHT\uff1a3", "OVERSAMPLE_WEIGHT:"), (" OVERSAMPLE_WEIGHT: 3", "OVERSAMPLE_WEIGHT:"),
    ("<END OF SET>", "<END_OF_SET>"), ("< END_OF_SET >", "<END_OF_SET>"), ("<end_of_set>", "<END_OF_SET>"),
    ("END_OF_SET", "<END_OF_SET>"), ("<END_OF_SET", "<END_OF_SET>"), ("</END_OF_SET>", "<END_OF_SET>"),
    ("<END_OF_STE>", "<END_OF_SET>"), ("<ENDOFSET>", "<END_OF_SET>"), ("**<END_OF_SETS>**", "<END_OF_SET>"),
]

NO_MISSES = ["I asked: what now?", "Answering you: no", "The answer: no", "A question of money", "Weigh it: 3", "Setting: home", "", "Questioning", "\u201cQuestion\u201d she said: no", "In the end of settlement"]
# fmt: on


class Grammar(unittest.TestCase):
    """1. What is a document, and what is none."""

    maxDiff = None

    def test_1_what_is_a_pair_is_taken_whole(self) -> None:
        for title, text in ACCEPTED:
            with self.subTest(title):
                parsed = parse(text.encode())
                self.assertEqual([each.span for each in parsed.pairs], [text.encode()])
                self.assertEqual(parsed.warnings, ())

    def test_1_8_what_is_malformed_is_refused_with_every_error_by_line(self) -> None:
        for title, text, expected in REFUSED:
            content = text.encode("utf-16-le" if "UTF-16" in title else "utf-8")
            with self.subTest(title):
                self.assertEqual(problems(content), expected)
            if "UTF-16" not in title:
                with self.subTest(title, line_ends="CRLF"):
                    self.assertEqual(problems(content.replace(b"\n", b"\r\n")), expected)

    def test_1_3_a_pair_is_the_four_markers_once_each_in_that_order(self) -> None:
        for count in range(1, 6):
            for lines in itertools.product((Q, A, W, E), repeat=count):
                text = "\n".join(lines).encode()
                whole = lines == (Q, A, W, E)
                with self.subTest(lines=lines):
                    self.assertEqual(not problems(text), whole)

    def test_1_4_a_weight_is_one_digit_from_1_to_5(self) -> None:
        for weight in "12345":
            for form in f"{weight}", f" {weight}", f"\t{weight} \t", f"{weight}\r":
                text = f"{HEAD}OVERSAMPLE_WEIGHT:{form}\n{E}".encode()
                with self.subTest(form=form):
                    self.assertEqual([each.weight for each in parse(text).pairs], [int(weight)])
        for form in NO_WEIGHTS:
            found = oversample._quoted(form.strip().encode())
            with self.subTest(form=form):
                text = f"{HEAD}OVERSAMPLE_WEIGHT:{form}\n{E}".encode()
                message = f"expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found {found}"
                self.assertEqual(problems(text), [(4, message)])

    def test_1_6_white_space_a_byte_order_mark_and_comments_are_passed_over(self) -> None:
        comment = f"<!-- {PAIR}\n{Q}\n{E} -->"
        text = f"\ufeff{PAIR} \n{comment}{comment}\n\n{PAIR[:-1]}> <!-- QUESTION: --> \n<!---->\n"
        for content in text, text.replace("\ufeff", "\ufeff \n"), text.replace("\ufeff", ""):
            parsed = parse(content.encode())
            self.assertEqual([each.span for each in parsed.pairs], [pair(), pair()])
            self.assertEqual([line for line, _ in parsed.warnings], [parsed.pairs[1].line])

    def test_1_6_other_text_is_warned_about_with_its_line(self) -> None:
        text = (
            f"# Title\n\n{PAIR} tail\n\n one\ntwo\n\n<!-- x --> three\n{pair('b').decode()}\nlast"
        )
        expected = (
            (1, "text outside any pair is not copied: '# Title'"),
            (8, "text outside any pair is not copied: 'tail' and 3 more lines"),
            (13, "text outside any pair is not copied: 'three'"),
            (20, "text outside any pair is not copied: 'last'"),
        )
        self.assertEqual(parse(text.encode()).warnings, expected)
        self.assertEqual(len(parse(text.encode()).pairs), 2)
        two = parse(f"{PAIR}\none\ntwo\n".encode()).warnings
        self.assertEqual(two, ((7, "text outside any pair is not copied: 'one' and 1 more line"),))

    def test_1_6_a_comment_that_may_have_swallowed_pairs_is_warned_about(self) -> None:
        text = f"<!-- open\n{PAIR}\n<!-- x -->\n{PAIR}"
        message = "this comment ends on line 8 and holds another <!--, on line 8: "
        expected = ((1, message + "was a --> forgotten before it?"),)
        self.assertEqual(parse(text.encode()).warnings, expected)
        self.assertEqual(len(parse(text.encode()).pairs), 1)

    def test_1_7_identical_pairs_are_each_a_pair_with_a_warning_that_names_both_lines(self) -> None:
        parsed = parse(b"\n".join([pair("a"), pair("b"), pair("a"), pair("a")]))
        self.assertEqual([each.line for each in parsed.pairs], [1, 7, 13, 19])
        message = "this pair is the same as the one on line 1; both are copied"
        self.assertEqual(parsed.warnings, ((13, message), (19, message)))

    def test_1_7_identical_pairs_of_every_weight_are_warned_about(self) -> None:
        for weight in range(1, 6):
            parsed = parse(b"\n".join([pair("a", weight), pair("b"), pair("a", weight)]))
            self.assertEqual([line for line, _ in parsed.warnings], [13])

    def test_1_9_a_near_miss_is_named_with_what_was_expected(self) -> None:
        lines = [Q, A, W, E]
        for text, marker in NEAR_MISSES:
            at = oversample.NAMES.index(marker)
            changed = lines[:at] + [text] + lines[at + 1 :]
            where = "" if marker == "<END_OF_SET>" else " first on its line"
            hint = f"; line {at + 2} looks like a marker that missed: expected '{marker}'{where}, found '{text}'"
            hint = hint.replace("\t", "\\t")
            with self.subTest(text=text):
                first = problems("\n".join(["", *changed, "", PAIR]).encode())[0][1]
                self.assertTrue(first.endswith(hint), first)

    def test_1_9_what_is_no_near_miss_is_not_named(self) -> None:
        for text in NO_MISSES:
            for at in range(4):
                lines = [Q, A, W, E]
                lines[at] = text
                with self.subTest(text=text, at=at):
                    found = problems("\n".join(lines + [PAIR]).encode())
                    self.assertNotIn("looks like", str(found))
                    self.assertTrue(found)

    def test_1_9_a_document_in_bold_is_told_so(self) -> None:
        bold = "**QUESTION:** a\n\n**ANSWER:** b\n\n**OVERSAMPLE_WEIGHT: 3**\n**END_OF_SET**\n"
        looks = "looks like a marker that missed: expected"
        expected = (
            "expected a pair, QUESTION: to <END_OF_SET>, found none"
            f"; line 1 {looks} 'QUESTION:' first on its line, found '**QUESTION:** a'"
            f"; line 3 {looks} 'ANSWER:' first on its line, found '**ANSWER:** b'"
            f"; line 5 {looks} 'OVERSAMPLE_WEIGHT:' first on its line, found '**OVERSAMPLE_WEIGHT: 3**'"
            f"; line 6 {looks} '<END_OF_SET>', found '**END_OF_SET**'"
        )
        self.assertEqual(problems(bold.encode()), [(1, expected)])

    def test_1_9_a_marker_behind_a_bare_carriage_return_or_an_end_is_a_near_miss(self) -> None:
        found = problems(b"QUESTION: a\rANSWER: b\n" + W.encode() + b"\n" + E.encode())
        self.assertTrue(
            found[0][1].endswith("expected 'ANSWER:' first on its line, found '\\rANSWER: b'")
        )
        found = problems(f"{PAIR} QUESTION: c\n{A}".encode())
        self.assertTrue(
            found[0][1].endswith("expected 'QUESTION:' first on its line, found ' QUESTION: c'")
        )

    def test_1_9_text_outside_that_looks_like_a_pair_is_told_so_in_its_warning(self) -> None:
        ((line, message),) = parse(f"{PAIR}\nQuestion: b\n".encode()).warnings
        hint = "; line 7 looks like a marker that missed: expected 'QUESTION:' first on its line, found 'Question: b'"
        self.assertEqual(
            (line, message), (7, "text outside any pair is not copied: 'Question: b'" + hint)
        )

    def test_1_1_a_marker_behind_any_byte_but_a_line_end_is_text_outside_too(self) -> None:
        for byte in set(range(256)) - set(b"\n"):
            text = b"x" + bytes([byte]) + b"QUESTION: no\n"
            with self.subTest(byte=byte):
                self.assertEqual([each.line for each in parse(text + pair()).pairs], [2])

    def test_1_3_a_question_of_no_byte_at_all_is_empty(self) -> None:
        expected = [
            (1, "expected text after QUESTION:, found <END_OF_SET>"),
            (1, "expected ANSWER: after QUESTION: (line 1), found <END_OF_SET>"),
        ]
        self.assertEqual(problems(b"QUESTION:<END_OF_SET>"), expected)

    def test_1_3_text_behind_every_weight_is_told_as_text(self) -> None:
        for form in "1 x", "\t5 x", " \t3 x", "  4\tx", "3\nx", "2\rx":
            text = f"{HEAD}OVERSAMPLE_WEIGHT:{form}\n{E}".encode()
            message = "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 4), found 'x'"
            with self.subTest(form=form):
                self.assertEqual([found for _, found in problems(text)], [message])
        text = f"{HEAD}OVERSAMPLE_WEIGHT: 3<!-- x -->{E}".encode()
        self.assertEqual(problems(text), [(4, message.replace("'x'", "'<!-- x -->'"))])

    def test_1_4_no_weight_before_an_end_that_shares_its_line(self) -> None:
        for form, found in ("33", "'33'"), ("", "nothing"), (" x ", "'x'"):
            message = f"expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found {found}"
            for tail in "", "\n", f"\n{PAIR}":
                with self.subTest(form=form, tail=tail):
                    text = f"{HEAD}OVERSAMPLE_WEIGHT:{form}{E}{tail}".encode()
                    self.assertEqual(problems(text), [(4, message)])

    def test_1_6_a_comment_after_a_stray_end_is_a_comment(self) -> None:
        text = f"{E}\n<!--\n{A}\n-->\n{PAIR}".encode()
        self.assertEqual(problems(text), [(1, "expected QUESTION: first, found <END_OF_SET>")])

    def test_1_9_a_near_miss_is_one_whatever_follows_it(self) -> None:
        rows = {
            "QUESTION:": [
                "Question: call her", "Question 12: call her", "**Question**: call her", "QUESTION call her", "QUESTION Call her", "**QUESTION** call her",
                "Q UESTION call her", "QUESTIONZ call her", "ZQUESTION call her", "QUESTION - O K, call her", "QUESTION[AB] call her", "QUESTION@AB call her",
            ],
            "ANSWER:": ["Answer\uff1a call her", "ANSWERS: call her", "ANSWER call her", "_ANSWER_ call her", "ANSWER; call her", "ANSWE R call her"],
            "OVERSAMPLE_WEIGHT:": [
                "OVERSAMPLE: WEIGHT: 3", "OVERSAMPLE WEIGHT of 3", "OVERSAMPLE_WEIGHT of 3", "OVERSAMPLE-WEIGHT of 3",
                "OVERSAMPLE_ZWEIGHT of 3", "OVERSAMPLE WEIGHTZ of 3", "OVERS AMPLE WEIGHT of 3", "OVERSAMPLE WEIGHT[AB] of 3", "OVERSAMPLE WEIGHT@AB of 3",
            ],
            "<END_OF_SET>": ["<END OF SET is here>", "END OF SET is here", "END O F SET is here"],
        }  # fmt: skip
        for marker, texts in rows.items():
            at = oversample.NAMES.index(marker)
            for text in texts:
                lines = [Q, A, W, E]
                lines[at] = text
                where = "" if marker == E else " first on its line"
                hint = f"expected '{marker}'{where}, found '{text}'"
                with self.subTest(text=text):
                    first = problems("\n".join(["", *lines, "", PAIR]).encode())[0][1]
                    self.assertTrue(first.endswith(hint), first)

    NO_MISSES = [
        "call the QUESTION desk",
        "QUEXXION: no",
        "QUEAAION: no",
        "ANEWSR: no",
        "ANSWXXR: no",
        "QUEXION: no",
        "QUESXYION: no",
    ]

    def test_1_9_text_in_mid_line_and_two_wrong_letters_are_no_near_misses(self) -> None:
        for text in self.NO_MISSES:
            for at in range(4):
                lines = [Q, A, W, E]
                lines[at] = text
                with self.subTest(text=text, at=at):
                    self.assertNotIn("looks", str(problems("\n".join([*lines, PAIR]).encode())))
        for text in " Answer: b", " ^Answer: b", "Answer: b", " x Answer: b", " (Answer: b)":
            with self.subTest(text=text):
                found = problems(f"QUESTION:{text}\n{W}\n{E}".encode())
                message = "expected ANSWER: after QUESTION: (line 1), found OVERSAMPLE_WEIGHT:"
                self.assertEqual(found, [(2, message)])

    def test_1_9_a_near_miss_behind_a_byte_order_mark_is_named_whole(self) -> None:
        found = problems(f"\ufeffQuestion: a^b\n{A}\n{W}\n{E}".encode())
        hint = "; line 1 looks like a marker that missed: expected 'QUESTION:' first on its line, found 'Question: a^b'"
        self.assertEqual(found, [(2, f"expected QUESTION: first, found ANSWER:{hint}")])

    def test_1_7_warnings_of_every_kind_are_in_order_of_line(self) -> None:
        found = parse(f"{PAIR}\n{PAIR}\ntext\n".encode()).warnings
        self.assertEqual([line for line, _ in found], [7, 13])

    def test_1_6_a_comment_ends_at_its_first_end_wherever_another_begins(self) -> None:
        for comment, end in ("<!-- <!---->", 1), ("<!-- <!--\n-->", 2), ("<!--\n<!--\n\n-->", 4):
            with self.subTest(comment=comment):
                ((line, message),) = parse(f"{comment}\n{PAIR}".encode()).warnings
                self.assertEqual(line, 1)
                self.assertRegex(message, rf"^this comment .*ends on line {end}\b")

        self.assertEqual(parse(f"<!-- <!- !-- --!> <! -->\n{PAIR}".encode()).warnings, ())

    def test_1_9_a_near_miss_is_named_where_its_marker_lacks_and_nowhere_else(self) -> None:
        for lines, kinds in [
            ([Q, A, "Oversample Weight: 3", "<END OF SET>", PAIR], ["OVERSAMPLE_WEIGHT:", E]),
            ([Q, A, "Question: c", "Answer: d", E], []),
            ([Q, "Question: c", "<END OF SET>", "Oversample weight: 3", W, E], []),
            ([Q, "Answer: b", "Oversample weight: 3", "<END OF SET>", W, E], ["ANSWER:"]),
        ]:
            with self.subTest(lines=lines):
                found = problems("\n".join(lines).encode())[0][1]
                named = re.findall(r"missed: expected '([^']+)'", found)
                self.assertEqual(named, kinds)

    def test_1_8_what_stands_at_the_edge_of_a_marker_is_told_whole(self) -> None:
        behind = "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line {}), found "
        for text, expected in [
            (f"{HEAD}OVERSAMPLE_WEIGHT: 3 x{E}", [(4, behind.format(4) + "'x'")]),
            (f"{HEAD}OVERSAMPLE_WEIGHT: 3 <END OF SET>{E}", [(4, behind.format(4) + "'<END OF SET>'; line 4 looks like a marker that missed: expected '<END_OF_SET>', found '<END OF SET>'")]),
            (f"{Q}\n{W}\n{PAIR}", [(2, "expected ANSWER: after QUESTION: (line 1), found OVERSAMPLE_WEIGHT:"), (3, behind.format(2) + "QUESTION:")]),
            (f"{Q}\nANSWER:{E}", [(2, "expected text after ANSWER:, found <END_OF_SET>"), (2, "expected OVERSAMPLE_WEIGHT: after ANSWER: (line 2), found <END_OF_SET>")]),
        ]:  # fmt: skip
            with self.subTest(text=text):
                self.assertEqual(problems(text.encode()), expected)

    def test_1_9_the_first_near_miss_of_each_kind_is_named(self) -> None:
        found = problems(f"{Q}\nAnswer: b\n*Answer: c*\n{W}\n{E}".encode())[0][1]
        self.assertEqual(found.count("looks like"), 1)
        self.assertTrue(found.endswith("found 'Answer: b'"), found)

    def test_1_6_one_byte_of_text_is_text_and_a_hint_begins_with_it(self) -> None:
        text = f"x<!-- -->\n{PAIR}y<!-- -->".encode()
        message = "text outside any pair is not copied: "
        self.assertEqual(parse(text).warnings, ((1, f"{message}'x'"), (7, f"{message}'y'")))
        for text, found in [
            ("x\ny<!-- -->", "'x' and 1 more line"),
            ("x\ny\nz<!-- -->", "'x' and 2 more lines"),
            ("Question: b<!-- -->", "'Question: b'; line 1 looks like a marker that missed: expected 'QUESTION:' first on its line, found 'Question: b'"),
        ]:  # fmt: skip
            with self.subTest(text=text):
                parsed = parse(f"{text}\n{PAIR}".encode())
                self.assertEqual(parsed.warnings, ((1, message + found),))
        text = f"{PAIR}\r<!-- -->\n{PAIR}".encode()
        self.assertEqual([line for line, _ in parse(text).warnings], [7])

    def test_1_8_utf_16_and_utf_32_are_told(self) -> None:
        message = "expected a pair, QUESTION: to <END_OF_SET>, found UTF-16 or UTF-32: save the document as UTF-8"
        for text in PAIR, "\u201c" + PAIR:
            for code in "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be":
                for mark in "\ufeff", "":
                    if mark or text == PAIR:
                        with self.subTest(text=text[:1], code=code, mark=mark):
                            self.assertEqual(problems((mark + text).encode(code)), [(1, message)])
        self.assertEqual(problems("\u201cQ".encode("utf-16-le")), [(1, message)])
        message = "expected a pair, QUESTION: to <END_OF_SET>, found none"
        self.assertEqual(problems(b"Dear\0"), [(1, message)])

    def test_1_9_a_near_miss_ends_where_the_next_marker_begins(self) -> None:
        found = problems(f"{Q}\nAnswer: b{E}".encode())[0][1]
        self.assertTrue(found.endswith("found 'Answer: b'"), found)

    def test_1_9_a_near_miss_is_looked_for_so_far_and_no_farther(self) -> None:
        for length, named in (60_000, True), (70_000, False):
            text = f"{Q}\nAnswer: b\n{'x' * length}\n{W}\n{E}".encode()
            with self.subTest(length=length):
                self.assertEqual("looks like" in problems(text)[0][1], named)
            text = f"{PAIR}\n{'x' * length}\nQuestion: b\n".encode()
            with self.subTest(length=length, outside=True):
                self.assertEqual("looks like" in parse(text).warnings[0][1], named)
        text = pair("x" * 70_000) + b"\nx\nQuestion: b\n"
        self.assertIn("looks like", parse(text).warnings[0][1])

    def test_1_10_of_a_long_line_its_beginning_is_looked_at(self) -> None:
        with mock.patch("oversample._resembles", return_value=oversample.NOTHING) as looked:
            problems(f"{Q}\n{'x' * 1000}\n{W}\n{E}".encode())
        self.assertEqual([len(call.args[0]) for call in looked.mock_calls], [80])

    def test_1_9_an_indented_marker_that_is_the_first_text_is_a_near_miss(self) -> None:
        for text in f"{PAIR}\n  Question: b\n", f"{PAIR}\n\tQUESTION: b\n":
            with self.subTest(text=text):
                self.assertIn("looks like", parse(text.encode()).warnings[0][1])
        text = f"{Q}\n{A}\n{W}\n  QUESTION: c\n{A}\n{W}\n{E}"
        self.assertIn("looks like", problems(text.encode())[0][1])


class Copies(unittest.TestCase):
    """2. How many copies, and in which order."""

    def test_2_1_at_base_2_there_are_2_4_8_16_32_copies(self) -> None:
        self.assertEqual([copies(weight, 2) for weight in range(1, 6)], [2, 4, 8, 16, 32])

    def test_2_numbers_a_person_can_check(self) -> None:
        pairs = 3, 18, 22, 28, 11
        for base, each, total in ((2, (2, 4, 8, 16, 32), 1054), (1.3, (1, 2, 2, 3, 4), 211)):
            self.assertEqual(tuple(copies(weight, base) for weight in range(1, 6)), each)
            self.assertEqual(sum(map(int.__mul__, pairs, each)), total)
        self.assertEqual([copies(w, 1.5, max_copies=3) for w in range(1, 6)], [2, 2, 3, 3, 3])

    def test_2_2_the_power_is_exact_and_rounded_halves_up(self) -> None:
        # 1.5 ** 1 and 2.5 ** 1 are halves; the others are beside one, by less than
        # a float can tell.
        table = [
            (1, "2.5", 3), (1, "1.5", 2), (1, 2.5, 3), (1, "3.5", 4), (1, "1.4", 1), (1, "1", 1), (5, "1", 1), (5, 1000, 10**15),
            (1, "2.4999999999999999999999", 2), (1, "2.5000000000000000000001", 3), (5, "999.9999", 999999500000100000), (2, "1.58113883008418966599944677", 2),
        ]  # fmt: skip
        for weight, base, expected in table[:-2]:
            with self.subTest(weight=weight, base=base):
                self.assertEqual(copies(weight, base), expected)
        for text in [f"{whole}.{part}" for whole in (1, 2, 17, 999) for part in range(0, 100, 7)]:
            for weight in range(1, 6):
                with self.subTest(weight=weight, base=text):
                    exact = Fraction(text) ** weight + Fraction(1, 2)
                    expected = exact.numerator // exact.denominator
                    self.assertEqual(copies(weight, text), expected)
                    self.assertEqual(copies(weight, Decimal(text)), expected)
                    self.assertEqual(copies(weight, float(text)), expected)

    def test_2_2_no_pair_has_fewer_than_one_copy(self) -> None:
        self.assertEqual({copies(weight, 1) for weight in range(1, 6)}, {1})

    def test_6_0_a_base_is_an_int_a_decimal_a_float_as_it_prints_or_its_text(self) -> None:
        class Float(float):
            __repr__ = __str__ = lambda self: "np.float64(1.3)"

        for base in 1.3, "1.3", Decimal("1.3"), Float("1.3"), "1.30", "01.3":
            with self.subTest(base=base):
                self.assertEqual(oversample._ratio(base)[0] * 10, oversample._ratio(base)[1] * 13)
        for base in 2, "2", 2.0, "2.0", Decimal(2), Decimal("2E0"), Decimal("0.2E1"):
            with self.subTest(base=base):
                self.assertEqual(copies(5, base), 32)
        self.assertEqual(copies(1, Decimal("1E3")), 1000)

    def test_2_2_a_base_out_of_range_is_refused(self) -> None:
        expected = "expected a whole or decimal number from 1 to 1000, found "
        values = [
            0,
            0.5,
            -2,
            1001,
            10**300,
            10**5000,
            True,
            None,
            float("nan"),
            float("inf"),
            1e9,
            0.999,
        ]
        values += [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999999")]
        values += [Decimal("1E-999999999"), Decimal("1000.01"), [], b"2"]
        texts = [
            "",
            "two",
            "0",
            "0.99",
            "1000.1",
            "1e1",
            "nan",
            "inf",
            "1_0",
            " 2",
            "2 ",
            "+2",
            "-2",
        ]
        texts += ["2.", ".5", "1,3", "\u0662", "2\n", "0x2", "2/1", "\x1b[2J", "\udcff"]
        for base in values + texts:
            with self.subTest(base=base), self.assertRaises(ValueError) as caught:
                copies(1, base)
            found = oversample._shown(base)
            self.assertEqual(str(caught.exception), expected + found)
            self.assertTrue(str(caught.exception).isprintable())

    def test_2_3_max_copies_caps_the_copies_of_each_pair(self) -> None:
        self.assertEqual([copies(w, 2, max_copies=5) for w in range(1, 6)], [2, 4, 5, 5, 5])
        self.assertEqual(copies(5, 1000, max_copies=1), 1)
        for cap in 0, -1, 1.5, "3", True, 2**64, 10**5000:
            with self.subTest(cap=cap), self.assertRaises(ValueError) as caught:
                copies(1, 2, max_copies=cap)
            message = f"expected a whole number from 1 to {2**64 - 1}, found "
            self.assertEqual(str(caught.exception), message + oversample._shown(cap))

    def test_6_a_weight_is_1_to_5(self) -> None:
        for weight in 0, 6, -1, 2.0, "3", True, None:
            with self.subTest(weight=weight), self.assertRaises(ValueError) as caught:
                copies(weight, 2)
            message = f"expected a whole number from 1 to 5, found {oversample._shown(weight)}"
            self.assertEqual(str(caught.exception), message)

    def test_2_2_a_base_is_digits_and_one_point_and_nothing_else(self) -> None:
        for code in set(range(33, 127)) - set(b"0123456789"):
            for text in f"1{chr(code)}", f"1.5{chr(code)}", f"1{chr(code)}5", "1.2.3", "2.0.0":
                if text != "1.5":
                    with self.subTest(text=text), self.assertRaises(ValueError) as caught:
                        copies(1, text)
                    self.assertIn("expected a whole or decimal number", str(caught.exception))
        self.assertEqual(copies(1, "1." + "5" * 1000), 2)
        self.assertEqual(copies(1, "0002"), 2)
        with self.assertRaises(ValueError):
            copies(1, "00002")
        with self.assertRaises(ValueError):
            copies(1, "1." + "5" * 1001)

    def test_6_0_a_base_of_every_kind_of_text_and_of_every_size(self) -> None:
        class Level(str, enum.Enum):
            LOW = "1.3"

        self.assertEqual(copies(5, Level.LOW), 4)
        self.assertEqual(copies(1, Decimal("2E1")), 20)
        with self.assertRaises(ValueError) as caught:
            copies(1, -(10**5000))
        message = "expected a whole or decimal number from 1 to 1000, found 'a huge number'"
        self.assertEqual(str(caught.exception), message)
        for base in Decimal(f"1E{decimal.MAX_EMAX}"), Decimal(f"1E{decimal.MIN_EMIN}"):
            with self.subTest(base=base), self.assertRaises(ValueError) as caught:
                copies(1, base)
            self.assertTrue(str(caught.exception).endswith(f"found '{base!r}'"))

    def test_6_0_a_number_of_another_kind_counts_as_it_prints(self) -> None:
        class Int64:
            __repr__ = lambda self: "np.int64(2)"
            __str__ = lambda self: "2"

        self.assertEqual(copies(3, Int64()), 8)


class Order(unittest.TestCase):
    """2.4, 2.5. The order of the copies."""

    PAIRS = parse(document(1, 2, 3)).pairs

    def test_2_4_every_copy_is_there(self) -> None:
        found = Counter(resample(self.PAIRS, base=2, seed=7))
        self.assertEqual([found[each] for each in self.PAIRS], [2, 4, 8])
        self.assertEqual(resample([], base=2, seed=1), [])
        self.assertEqual(len(resample(iter(self.PAIRS), base=2, seed=7, max_copies=3)), 8)

    def test_2_4_the_order_is_uniform_over_all_permutations(self) -> None:
        # Pearson's chi-square with 23 degrees of freedom is above 83.5 for one fair
        # shuffle in a hundred million; the seeds are fixed, so it is never by chance.
        pairs, draws = parse(document(1, 1, 1, 1)).pairs, 12_000
        found = Counter(tuple(resample(pairs, base=1, seed=seed)) for seed in range(draws))
        self.assertEqual(len(found), 24)
        expected = draws / 24
        self.assertLess(sum((n - expected) ** 2 / expected for n in found.values()), 83.5)

    def test_2_4_copies_of_one_pair_are_shuffled_among_the_others(self) -> None:
        # 2 copies of a, 4 of b: 15 arrangements; 14 degrees of freedom, 1 in 10**8.
        pairs, draws = parse(document(1, 2)).pairs, 12_000
        found = Counter(tuple(resample(pairs, base=2, seed=seed)) for seed in range(draws))
        self.assertEqual(len(found), 15)
        expected = draws / 15
        self.assertLess(sum((n - expected) ** 2 / expected for n in found.values()), 65.5)

    def test_2_5_the_order_of_a_seed_is_for_good(self) -> None:
        def order(seed: int) -> str:
            return "".join(chr(each.span[10]) for each in resample(self.PAIRS, base=2, seed=seed))

        self.assertEqual(order(0), GOLDEN[0])
        self.assertEqual(order(1), GOLDEN[1])
        self.assertEqual(order(2**64 - 1), GOLDEN[2])

    def test_2_5_the_shuffle_rests_on_random_alone(self) -> None:
        # As an independent second program would have it.
        draw = random.Random(42).random
        expected = [each for each in self.PAIRS for _ in range(2**each.weight)]
        for last in reversed(range(1, 14)):
            other = int(draw() * (last + 1))
            expected[last], expected[other] = expected[other], expected[last]
        self.assertEqual(resample(self.PAIRS, base=2, seed=42), expected)
        with mock.patch("random.shuffle", side_effect=AssertionError):
            with mock.patch.object(random.Random, "getrandbits", side_effect=AssertionError):
                self.assertEqual(resample(self.PAIRS, base=2, seed=42), expected)

    def test_2_5_a_seed_is_a_whole_number_from_0_to_2_64(self) -> None:
        for seed in -1, 2**64, 1.0, 1.5, "1", True, None:
            with self.subTest(seed=seed), self.assertRaises(ValueError) as caught:
                resample(self.PAIRS, base=2, seed=seed)
            message = f"expected a whole number from 0 to {2**64 - 1}, found "
            self.assertEqual(str(caught.exception), message + oversample._shown(seed))

    def test_3_6_more_than_2_31_copies_are_refused_before_they_are_made(self) -> None:
        pairs = parse(document(3, 3, 3)).pairs
        with self.assertRaises(ValueError) as caught:
            resample(pairs, base=1000, seed=1)
        message = "3,000,000,000 copies are more than 2,147,483,648; "
        message += "use a smaller base or a cap (--max-copies)"
        self.assertEqual(str(caught.exception), message)
        self.assertEqual(oversample._total([2**31 - 1, 1]), 2**31)


class Output(Case):
    """3.1, 3.2. What is written."""

    def assert_output(self, content: bytes, expected: bytes, **options) -> None:
        """At base 1 and with one pair, or two that are the same, the order does not matter."""
        self.write(content)
        oversample.oversample("in.md", "out.md", base=1, seed=0, overwrite=True, **options)
        self.assertEqual((self.folder / "out.md").read_bytes(), expected)

    def test_3_1_copies_are_separated_as_the_pairs_are(self) -> None:
        a, crlf = pair(), pair().replace(b"\n", b"\r\n")
        for name, content, expected in [
            ("one pair", a, a + b"\n"),
            ("one pair, CRLF", crlf, crlf + b"\r\n"),
            ("one line end", a + b"\n" + a, a + b"\n" + a + b"\n"),
            ("odd", a + b" \t\n\n \n" + a + b"\n\n\n", a + b" \t\n\n \n" + a + b"\n"),
            ("CRLF", crlf + b"\r\n\r\n" + crlf, crlf + b"\r\n\r\n" + crlf + b"\r\n"),
            (
                "the commonest",
                a + b"\n" + a + b"\n\n" + a + b"\n\n" + a,
                b"\n\n".join([a] * 4) + b"\n",
            ),
            (
                "the first of as common ones",
                a + b"\n" + a + b"\n\n" + a,
                b"\n".join([a] * 3) + b"\n",
            ),
            ("none but comments", a + b"\n<!-- x -->\n" + a, a + b"\n\n" + a + b"\n"),
            (
                "text is no gap",
                a + b"\nx\n" + a + b"\ny\n" + a + b"\n" + a,
                b"\n".join([a] * 4) + b"\n",
            ),
            (
                "CRLF and comments",
                crlf + b"\r\n<!-- x -->\r\n" + crlf,
                crlf + b"\r\n\r\n" + crlf + b"\r\n",
            ),
        ]:
            with self.subTest(name):
                self.assert_output(content, expected)

    def test_3_1_the_output_is_spans_separators_and_a_line_end_in_the_order_of_resample(
        self,
    ) -> None:
        generated = (each for each in documents(seed=2, count=200) if second_reading(each))
        for content in itertools.chain([SAMPLE.read_bytes()], generated):
            parsed = parse(content)
            for base, seed, cap in ((2, 5, None), (1.3, 6, None), (3, 7, 4)):
                self.write(content)
                oversample.oversample(
                    "in.md", "out.md", base=base, seed=seed, max_copies=cap, overwrite=True
                )
                order = resample(parsed.pairs, base=base, seed=seed, max_copies=cap)
                end = b"\r\n" if parsed.separator.endswith(b"\r\n") else b"\n"
                expected = parsed.separator.join(each.span for each in order) + end
                with self.subTest(content=content[:2000], base=base):
                    self.assertEqual((self.folder / "out.md").read_bytes(), expected)

    def test_3_1_blocks_of_every_length_join_to_the_same_output(self) -> None:
        content = document(5, 5, 5) + pair("long" * 200_000, 2)
        self.write(content)
        oversample.oversample("in.md", "out.md", base=2, seed=3)
        parsed = parse(content)
        order = resample(parsed.pairs, base=2, seed=3)
        expected = b"\n\n".join(each.span for each in order) + b"\n"
        self.assertEqual((self.folder / "out.md").read_bytes(), expected)

    def test_3_2_strip_weights_leaves_out_the_weight_line_and_nothing_else(self) -> None:
        head = b"QUESTION: a\n\nANSWER: OVERSAMPLE_WEIGHT: 3\n"
        for name, tail, stripped in [
            ("its own line", b"\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>", b"\n<END_OF_SET>"),
            ("with blanks", b"OVERSAMPLE_WEIGHT:\t3 \n\n <END_OF_SET>", b"\n <END_OF_SET>"),
            ("a bare CR ends no line", b"OVERSAMPLE_WEIGHT: 3\r<END_OF_SET>", b"<END_OF_SET>"),
            ("a shared line", b"OVERSAMPLE_WEIGHT: 3 <END_OF_SET>", b"<END_OF_SET>"),
            ("a shared line, no blank", b"OVERSAMPLE_WEIGHT:3<END_OF_SET>", b"<END_OF_SET>"),
        ]:
            with self.subTest(name):
                for end in b"\n", b"\r\n":
                    given, kept = ((head + each).replace(b"\n", end) for each in (tail, stripped))
                    self.assert_output(given, kept + end, strip_weights=True)
                    self.assert_output(given, given + end)

    def test_2_5_the_sample_document_gives_the_same_bytes_for_good(self) -> None:
        for (base, seed, strip), digest in DIGESTS.items():
            oversample.oversample(
                SAMPLE, "out.md", base=base, seed=seed, strip_weights=strip, overwrite=True
            )
            found = hashlib.sha256((self.folder / "out.md").read_bytes()).hexdigest()
            with self.subTest(base=base, seed=seed):
                self.assertEqual(found, digest)


class Files(Case):
    """3.3 to 3.6. The file: new, whole or absent, its permissions; by function and by command."""

    def setUp(self) -> None:
        super().setUp()
        self.content = document(1, 2, 3)
        self.write(self.content)

    def refused(self, output: str, message: str, *options: str, source: str = "in.md") -> None:
        """The command refuses, in these words; the function raises OSError; nothing changes."""
        before = {name: self.state(name) for name in self.names()}
        error = f"oversample: error: {message}\n"
        self.assertEqual(self.main("--base", "2", *options, source, output), (1, error))
        with self.assertRaises(OSError):
            oversample.oversample(source, output, base=2, overwrite="-f" in options)
        self.assertEqual({name: self.state(name) for name in self.names()}, before)

    def state(self, name: str) -> tuple:
        status = os.lstat(name)
        readable = stat.S_ISREG(status.st_mode) and os.access(name, os.R_OK)
        content = pathlib.Path(name).read_bytes() if readable else b""
        return status.st_ino, status.st_mode, status.st_mtime_ns, content

    def test_3_3_an_existing_file_is_left_alone_unless_told_otherwise(self) -> None:
        self.write(b"old", "out.md")
        self.refused(
            "out.md",
            "out.md: exists already; choose another name, or replace it with --force (from Python, overwrite=True)",
        )
        self.assertEqual(self.main("--base", "2", "-q", "-f", "in.md", "out.md"), (0, ""))
        self.assertEqual(self.names(), ["in.md", "out.md"])
        self.assertEqual(len(parse((self.folder / "out.md").read_bytes()).pairs), 14)

    def test_3_3_the_input_is_never_the_output_by_whatever_name_or_link(self) -> None:
        os.symlink("in.md", "link.md")
        os.link("in.md", "hard.md")
        os.mkdir("folder")
        for output in "in.md", "./in.md", "link.md", "hard.md", "folder/../in.md":
            for options in (), ("-f",):
                with self.subTest(output=output, options=options):
                    message = f"{output}: is the input itself; choose another name"
                    self.refused(output, message, *options)
                    self.refused(output, message, *options, source="link.md")
        with open("in.md", "rb") as file:
            done = command("--base", "2", "-f", "-", "hard.md", stdin=file)
        message = b"oversample: error: hard.md: is the input itself; choose another name\n"
        self.assertEqual((done.returncode, done.stderr), (1, message))

    def test_3_3_standard_output_is_not_the_input_either(self) -> None:
        with open("in.md", "ab") as out:
            done = command("--base", "2", "in.md", "-", stdout=out)
        message = b"oversample: error: <stdout>: is the input itself; choose another file\n"
        self.assertEqual((done.returncode, done.stderr), (1, message))
        self.assertEqual((self.folder / "in.md").read_bytes(), self.content)

    def test_3_3_what_is_no_regular_file_is_not_replaced(self) -> None:
        os.mkdir("folder")
        os.mkfifo("pipe")
        os.symlink("folder", "to-folder")
        os.symlink("loop", "loop")
        for options in (), ("-f",):
            for name, message in {
                **dict.fromkeys(
                    ("folder", "to-folder", ".", "folder/"), "expected a file name, found a folder"
                ),
                **dict.fromkeys(("new/", "new/.", "new/../x"), "its folder does not exist"),
                "in.md/../x": "not a directory",
                "": "expected a file name, found nothing",
            }.items():
                with self.subTest(name=name, options=options):
                    self.refused(name, f"{name or repr('')}: {message}", *options)
            for name in "pipe", os.devnull:
                message = f"{name}: is no regular file; - writes to standard output"
                self.refused(name, message, *options)
            with self.assertRaises(OSError):
                oversample.oversample("in.md", "loop", base=2, overwrite=bool(options))
        self.assertTrue(stat.S_ISCHR(os.stat(os.devnull).st_mode))

    def test_3_3_a_file_that_appears_during_the_run_is_left_alone(self) -> None:
        real = oversample._write_file

        def write(*arguments) -> None:
            real(*arguments)
            self.write(b"theirs", "out.md")

        for failing in False, True:
            with mock.patch("oversample._write_file", write):
                with (
                    mock.patch("os.link", side_effect=OSError(1, "no links"))
                    if failing
                    else contextlib.nullcontext()
                ):
                    error = (
                        "oversample: error: out.md: appeared while this ran, and is left as it is\n"
                    )
                    self.assertEqual(self.main("--base", "2", "in.md", "out.md"), (1, error))
                    self.assertEqual((self.folder / "out.md").read_bytes(), b"theirs")
                    self.assertEqual(self.names(), ["in.md", "out.md"])
                    os.unlink("out.md")

    def test_3_4_where_there_are_no_hard_links_the_file_is_as_whole(self) -> None:
        with mock.patch("os.link", side_effect=PermissionError(1, "no links")):
            self.assertEqual(self.main("-q", "--base", "2", "in.md", "out.md"), (0, ""))
            self.assertEqual(self.names(), ["in.md", "out.md"])
            self.assertEqual(check("in.md", "out.md", base=2), ())
            os.unlink("out.md")
            with mock.patch("os.replace", side_effect=OSError(5, "Input/output error")):
                error = "oversample: error: out.md: input/output error\n"
                self.assertEqual(self.main("--base", "2", "in.md", "out.md"), (1, error))
        self.assertEqual(self.names(), ["in.md"])
        for failing in "close", "replace":  # no empty file is left where the name was held
            with mock.patch("os.link", side_effect=PermissionError(1, "no links")):
                with mock.patch("oversample._write_file"):
                    with mock.patch(f"os.{failing}", side_effect=KeyboardInterrupt):
                        with self.assertRaises(KeyboardInterrupt):
                            oversample.oversample("in.md", "out.md", base=2)
            self.assertEqual(self.names(), ["in.md"])

    def test_3_4_a_link_that_fails_is_an_error_where_there_are_links(self) -> None:
        with mock.patch("os.link", side_effect=OSError(5, "Input/output error")):
            error = "oversample: error: out.md: input/output error\n"
            self.assertEqual(self.main("--base", "2", "in.md", "out.md"), (1, error))
        self.assertEqual(self.names(), ["in.md"])

    def test_3_4_the_file_has_its_name_only_when_it_is_whole_and_on_the_disk(self) -> None:
        events = []
        real = {name: getattr(os, name) for name in ("write", "fsync", "link", "replace")}

        def spy(name):
            def call(*arguments, **options):
                events.append((name, os.path.exists("out.md"), len(os.listdir("."))))
                return real[name](*arguments, **options)

            return call

        with contextlib.ExitStack() as stack:
            for name in real:
                stack.enter_context(mock.patch(f"os.{name}", spy(name)))
            oversample.oversample("in.md", "out.md", base=2)
            first, events[:] = events[:], []
            oversample.oversample("in.md", "out.md", base=2, overwrite=True)
        self.assertEqual({event for event in first[:-2]}, {("write", False, 2)})
        self.assertEqual(first[-2:], [("fsync", False, 2), ("link", False, 2)])
        self.assertEqual(events[-2:], [("fsync", True, 3), ("replace", True, 3)])

    def test_3_4_whatever_fails_leaves_all_as_it_was(self) -> None:
        # Each system call of a run in turn, and a stop in the place of an error.
        calls = ["open", "write", "fsync", "close", "chmod", "stat", "fstat"]
        for old in None, b"old":
            for name in [*calls, "link", "replace", "urandom"]:
                for failure in (
                    OSError(28, "No space left on device"),
                    KeyboardInterrupt(),
                    MemoryError(),
                ):
                    self.fail_each(name, failure, old)

    def fail_each(self, name: str, failure: BaseException, old: bytes | None) -> None:
        for number in range(20):
            if old:
                self.write(old, "out.md")
            real, calls = getattr(os, name), []

            def call(*arguments, **options):
                calls.append(arguments)
                if len(calls) == number + 1:
                    if name == "close":
                        real(*arguments, **options)
                    raise failure
                return real(*arguments, **options)

            done = False
            with self.subTest(name=name, number=number, failure=failure, old=old):
                with mock.patch(f"os.{name}", call):
                    try:
                        oversample.oversample(
                            "in.md", "out.md", base=2, seed=1, overwrite=bool(old)
                        )
                        done = True
                    except (type(failure), OSError):
                        pass
                self.assertEqual((self.folder / "in.md").read_bytes(), self.content)
                if done:
                    self.assertEqual(check("in.md", "out.md", base=2, seed=1), ())
                    os.unlink("out.md")
                elif old:
                    self.assertEqual((self.folder / "out.md").read_bytes(), old)
                self.assertEqual(
                    self.names(), ["in.md", "out.md"] if old and not done else ["in.md"]
                )
            if len(calls) <= number:
                return

    def test_3_4_a_write_that_takes_less_than_asked_is_gone_on_with(self) -> None:
        real = os.write
        with mock.patch("os.write", lambda file, data: real(file, data[:7])):
            oversample.oversample("in.md", "out.md", base=2, seed=9)
        self.assertEqual(check("in.md", "out.md", base=2, seed=9), ())

    @unittest.skipUnless(POSIX, "permissions are POSIX's")
    def test_3_5_a_new_file_has_the_permissions_of_any_new_file(self) -> None:
        for mask, mode in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o664)):
            before = os.umask(mask)
            self.addCleanup(os.umask, before)
            oversample.oversample("in.md", f"out{mask}.md", base=2)
            self.assertEqual(stat.S_IMODE(os.stat(f"out{mask}.md").st_mode), mode)

    @unittest.skipUnless(POSIX, "permissions are POSIX's")
    def test_3_5_a_file_that_is_replaced_keeps_its_permissions_from_the_first_byte(self) -> None:
        real, seen = os.write, set()

        def write(descriptor, data):
            seen.add(stat.S_IMODE(os.fstat(descriptor).st_mode))
            return real(descriptor, data)

        for mode in 0o600, 0o666, 0o640, 0o444:
            self.write(b"old", "out.md")
            os.chmod("out.md", mode)
            with mock.patch("os.write", write):
                oversample.oversample("in.md", "out.md", base=2, overwrite=True)
            self.assertEqual(stat.S_IMODE(os.stat("out.md").st_mode), mode)
            self.assertEqual(seen, {mode})
            seen.clear()
            os.unlink("out.md")

    @unittest.skipUnless(POSIX, "owners are POSIX's")
    def test_3_5_a_file_that_is_replaced_keeps_its_owner_where_that_can_be(self) -> None:
        self.write(b"old", "out.md")
        os.chmod("out.md", 0o4640)
        owner = os.stat("out.md")
        for failure in None, PermissionError(1, "not yours"):
            with mock.patch("os.chown", side_effect=failure) as chown:
                oversample.oversample("in.md", "out.md", base=2, overwrite=True)
            self.assertEqual(chown.call_args[0][1:], (owner.st_uid, owner.st_gid))
            self.assertEqual(stat.S_IMODE(os.stat("out.md").st_mode), 0o640)

    def test_3_5_a_symlink_given_as_the_output_is_followed(self) -> None:
        os.mkdir("folder")
        self.write(b"old", "folder/real.md")
        os.symlink("folder/real.md", "link.md")
        os.symlink("folder/new.md", "dangling.md")
        message = "link.md: exists already; choose another name, or replace it with --force (from Python, overwrite=True)"
        self.refused("link.md", message)
        for link, target in ("link.md", "real.md"), ("dangling.md", "new.md"):
            oversample.oversample("in.md", link, base=2, overwrite=link == "link.md")
            self.assertTrue(os.path.islink(link))
            self.assertEqual(check("in.md", f"folder/{target}", base=2), ())
        self.assertEqual(sorted(os.listdir("folder")), ["new.md", "real.md"])

    def test_3_6_more_than_the_free_space_is_refused_with_the_figures(self) -> None:
        size = oversample.oversample("in.md", "x.md", base=2).bytes
        disk = mock.Mock(f_blocks=9, f_bavail=size - 1, f_frsize=1)
        with mock.patch("os.statvfs", return_value=disk):
            message = f"out.md: the output has {size:,} bytes, free are {size - 1:,}; "
            self.refused("out.md", message + "use a smaller base or a cap (--max-copies)")
        if hasattr(os, "statvfs"):
            with mock.patch.object(os, "statvfs"):
                del os.statvfs  # as on Windows
                oversample.oversample("in.md", "y.md", base=2)
        for free, blocks in (size, 9), (0, 0):  # no blocks: the system cannot tell
            disk = mock.Mock(f_blocks=blocks, f_bavail=free, f_frsize=1)
            with mock.patch("os.statvfs", return_value=disk):
                oversample.oversample("in.md", "out.md", base=2, overwrite=True)

    def test_3_6_a_base_that_no_disk_can_hold_is_refused_at_once(self) -> None:
        self.write(document(5))
        message = "oversample: error: 1,000,000,000,000,000 copies are more than 2,147,483,648; "
        message += "use a smaller base or a cap (--max-copies)\n"
        for output in ["out.md"], ["-"], ["-n"]:
            self.assertEqual(self.main("--base", "1000", "in.md", *output), (1, message))
        self.assertEqual(self.names(), ["in.md"])

    def test_4_2_files_that_are_not_there_or_not_to_be_had_are_one_line(self) -> None:
        os.mkdir("folder")
        os.mkdir("closed")
        self.write(b"x", "secret.md")
        os.chmod("closed", 0o500)
        os.chmod("secret.md", 0)
        self.addCleanup(os.chmod, "closed", 0o700)
        table = [
            ("none.md", "out.md", "none.md: no such file or directory"),
            ("folder", "out.md", "folder: is a directory"),
            ("in.md", "none/out.md", "none/out.md: its folder does not exist"),
            ("in.md", "in.md/out.md", "in.md/out.md: not a directory"),
        ]
        if not ROOT:
            table += [
                ("secret.md", "out.md", "secret.md: permission denied"),
                ("in.md", "closed/out.md", "closed/out.md: permission denied"),
            ]
        for source, output, message in table:
            with self.subTest(source=source, output=output):
                self.refused(output, message, source=source)

    def test_3_4_the_temporary_file_is_new_and_beside_its_destination(self) -> None:
        os.mkdir("folder")
        real, opened = os.open, []

        def call(path, flags, *arguments, **options):
            opened.append((os.path.realpath(os.path.dirname(path)), flags, arguments))
            return real(path, flags & ~binary, *arguments, **options)

        binary = 1 << 40
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary
        folder = os.path.realpath("folder")
        with mock.patch("os.open", call), mock.patch("os.O_BINARY", binary, create=True):
            for mode in 0o666, 0o600:  # what replaces a file is private until it has its mode
                overwrite = mode == 0o600
                oversample.oversample("in.md", "folder/out.md", base=2, overwrite=overwrite)
                self.assertEqual(opened.pop(), (folder, flags, (mode,)))
        self.assertEqual(opened, [])

    def test_3_4_a_stop_before_the_temporary_file_is_removed_leaves_none(self) -> None:
        real, calls = oversample._discard, []

        def discard(path: str) -> None:
            calls.append(path)
            if len(calls) == 1:
                raise KeyboardInterrupt
            real(path)

        with mock.patch("oversample._discard", discard):
            with mock.patch("os.fsync", side_effect=OSError(5, "Input/output error")):
                with self.assertRaises(KeyboardInterrupt):
                    oversample.oversample("in.md", "out.md", base=2)
        self.assertEqual(self.names(), ["in.md"])

    def test_3_4_no_descriptor_is_left_open(self) -> None:
        def free() -> int:
            descriptor = os.open(os.devnull, os.O_RDONLY)
            os.close(descriptor)
            return descriptor

        before = free()
        oversample.oversample("in.md", "out.md", base=2)
        self.assertEqual(free(), before)
        with mock.patch("os.fsync", side_effect=OSError(5, "Input/output error")):
            with self.assertRaises(OSError):
                oversample.oversample("in.md", "out.md", base=2, overwrite=True)
        self.assertEqual(free(), before)

    def test_3_5_a_symlink_into_a_folder_that_does_not_exist_is_refused(self) -> None:
        os.symlink("none/out.md", "link.md")
        message = "oversample: error: link.md: its folder does not exist\n"
        self.assertEqual(self.main("--base", "2", "in.md", "link.md"), (1, message))
        with mock.patch("os.link", side_effect=PermissionError(1, "no links")):
            with mock.patch("os.open", side_effect=os.open) as opened:
                oversample.oversample("in.md", "out.md", base=2)
        self.assertEqual(opened.mock_calls[-1].args[2], 0o600)

    def test_3_6_the_free_space_is_counted_in_blocks_of_the_disk(self) -> None:
        self.write(document(*[5] * 20))
        size = oversample.oversample("in.md", "x.md", base=2).bytes
        for available, each, fits in ((2, size // 2 + 1, True), (3, size // 3 - 1, False)):
            disk = mock.Mock(
                f_blocks=9, f_bavail=available, f_frsize=each, f_bfree=9e9, f_bsize=9e9
            )
            figures = f"the output has {size:,} bytes, free are {available * each:,}"
            ways_out = "use a smaller base or a cap (--max-copies)"
            refusal = f"oversample: error: out.md: {figures}; {ways_out}\n"
            expected = (0, "") if fits else (1, refusal)
            with mock.patch("os.statvfs", return_value=disk) as asked:
                found = self.main("-qf", "--base", "2", "in.md", "out.md")
            self.assertEqual(found, expected)
            self.assertEqual(asked.mock_calls, [mock.call(os.path.realpath("."))])

    def test_6_1_an_error_of_a_file_is_of_the_kind_that_python_has_for_it(self) -> None:
        os.mkdir("folder")
        os.mkfifo("pipe")
        self.write(b"", "out.md")
        for name, number in {
            "": errno.ENOENT, "none/out.md": errno.ENOENT, "in.md": errno.EINVAL,
            "folder": errno.EISDIR, "pipe": errno.EINVAL, "out.md": errno.EEXIST,
        }.items():  # fmt: skip
            with self.subTest(name=name), self.assertRaises(OSError) as caught:
                oversample.oversample("in.md", name, base=2)
            self.assertEqual((caught.exception.errno, caught.exception.filename), (number, name))
        disk = mock.Mock(f_blocks=9, f_bavail=1, f_frsize=1)
        with mock.patch("os.statvfs", return_value=disk), self.assertRaises(OSError) as caught:
            oversample.oversample("in.md", "o2.md", base=2)
        self.assertEqual(caught.exception.errno, errno.ENOSPC)
        with mock.patch("os.link", side_effect=FileExistsError(errno.EEXIST, "File exists")):
            with self.assertRaises(FileExistsError):
                oversample.oversample("in.md", "o2.md", base=2)

    @unittest.skipUnless(os.path.exists("/proc/self/mem"), "no /proc here")
    def test_6_1_an_input_that_cannot_be_read_on_is_told_by_its_name(self) -> None:
        for function in oversample.oversample, check:
            with self.assertRaises(OSError) as caught:
                function(pathlib.Path("/proc/self/mem"), "out.md", base=2)
            self.assertEqual(caught.exception.filename, "/proc/self/mem")

    def test_3_5_owner_group_and_every_permission_are_kept_where_they_can_be(self) -> None:
        self.write(b"old", "out.md")
        for mode in 0o755, 0o777, 0o511:
            os.chmod("out.md", mode)
            oversample.oversample("in.md", "out.md", base=2, overwrite=True)
            self.assertEqual(stat.S_IMODE(os.stat("out.md").st_mode), mode)
        if os.geteuid() == 0:
            os.chown("out.md", 1, 2)
            oversample.oversample("in.md", "out.md", base=2, overwrite=True)
            status = os.stat("out.md")
            self.assertEqual((status.st_uid, status.st_gid), (1, 2))
        with mock.patch.object(os, "chown", create=True):
            del os.chown  # as on Windows
            oversample.oversample("in.md", "out.md", base=2, overwrite=True)

    def test_3_4_every_way_to_have_no_hard_links_is_known(self) -> None:
        for number in errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK:
            with mock.patch("os.link", side_effect=OSError(number, "no links")):
                with mock.patch("os.open", side_effect=os.open) as opened:
                    oversample.oversample("in.md", f"{number}.md", base=2)
            path = os.path.realpath(f"{number}.md")
            held = mock.call(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self.assertEqual(opened.mock_calls[-1], held)

    def test_2_5_a_drawn_seed_has_64_bits(self) -> None:
        with mock.patch("os.urandom", side_effect=lambda size: b"\xff" * size):
            self.assertEqual(oversample.oversample("in.md", "out.md", base=2).seed, 2**64 - 1)

    def test_3_1_what_stands_before_the_first_pair_is_no_gap(self) -> None:
        self.assertEqual(parse(b"\n\n\n" + pair() + b"\n" + pair()).separator, b"\n")

    def test_3_1_without_a_gap_the_first_pair_has_the_style(self) -> None:
        crlf = pair().replace(b"\n", b"\r\n")
        self.assertEqual(parse(pair() + b"<!-- -->\n" + crlf).separator, b"\n\n")
        self.assertEqual(parse(crlf + b"<!-- -->\n" + pair()).separator, b"\r\n\r\n")

    def test_1_10_what_is_left_to_write_is_not_copied(self) -> None:
        real = os.write
        with mock.patch("os.write", side_effect=lambda file, data: real(file, data[:7])) as write:
            oversample.oversample("in.md", "out.md", base=2)
        self.assertEqual({type(call.args[1]) for call in write.mock_calls}, {memoryview})

    def test_1_10_neither_the_document_nor_its_bytes_are_kept_while_the_output_is_written(
        self,
    ) -> None:
        seen = []
        real = oversample._publish

        def publish(*arguments) -> None:
            frame = sys._getframe(1)
            while frame.f_code.co_filename == oversample.__file__:
                seen.extend(frame.f_locals.values())
                frame = frame.f_back
            real(*arguments)

        with mock.patch("oversample._publish", publish):
            oversample.oversample("in.md", "out.md", base=2)
            self.assertEqual(self.main("-q", "--base", "2", "in.md", "o2.md"), (0, ""))
        self.assertTrue(seen)
        for value in seen:
            self.assertNotIsInstance(value, (bytes, oversample.Document))

    def test_6_1_a_file_error_names_the_file_as_text_and_keeps_its_cause(self) -> None:
        self.write(b"", "out.md")
        with self.assertRaises(FileExistsError) as caught:
            oversample.oversample("in.md", pathlib.Path("out.md"), base=2)
        self.assertEqual(caught.exception.filename, "out.md")
        self.assertIsInstance(caught.exception.__cause__, OSError)


class Command(Case):
    """4. The command."""

    def setUp(self) -> None:
        super().setUp()
        self.write(document(1, 2, 2, 4))

    TABLE = """\
weight   pairs   copies each          copies    share
     1       1             2               2     7.7%  {0}
     2       2             4               8    30.8%  {1}
     3       0             8               0     0.0%
     4       1            16              16    61.5%  {2}
     5       0            32               0     0.0%
 total       4                            26   100.0%
"""
    BARS = "██▌", "██████████", "████████████████████"
    ASCII_BARS = "##", "##########", "####################"
    KEEP = "the copies keep their weight lines; --strip-weights leaves them out\n"

    def test_4_4_the_report_is_a_row_per_weight_and_what_was_written(self) -> None:
        expected = (
            self.TABLE.format(*self.BARS) + "\n26 copies, 1,585 bytes, written to out.md\nseed 3\n"
        )
        found = self.main("--base", "2", "--seed", "3", "in.md", "out.md")
        self.assertEqual(found, (0, expected + self.KEEP))
        self.assertEqual(os.path.getsize("out.md"), 1585)
        found = self.main("--base", "2", "--seed", "3", "--strip-weights", "in.md", "o2.md")
        expected = expected.replace("1,585", f"{os.path.getsize('o2.md'):,}").replace(
            "out.md", "o2.md"
        )
        self.assertEqual(found, (0, expected))

    def test_4_4_the_bars_fall_back_to_ascii(self) -> None:
        def report(encoding: str = "utf-8", **environment: str) -> str:
            return self.main("--base", "2", "-n", "in.md", encoding=encoding, **environment)[1]

        for environment in (
            {"LC_ALL": "C"},
            {"LC_ALL": "", "LANG": "POSIX"},
            {"LC_ALL": "de_DE.ISO-8859-1"},
        ):
            self.assertTrue(report(**environment).startswith(self.TABLE.format(*self.ASCII_BARS)))
        self.assertTrue(report("ascii").startswith(self.TABLE.format(*self.ASCII_BARS)))
        bare = {"LC_ALL": "", "LANG": "", "LC_CTYPE": ""}
        self.assertTrue(report(**bare).startswith(self.TABLE.format(*self.BARS)))

    def test_4_4_the_report_fits_80_columns(self) -> None:
        self.write(b"\n".join(pair("a", weight) for weight in range(1, 6)))
        with mock.patch("os.urandom", return_value=b"\xff" * 8):
            status, text = self.main("--base", "73", "-n", "in.md")
        self.assertEqual(status, 0)
        table = [line for line in text.splitlines() if "warning" not in line]
        self.assertLessEqual(max(map(len, table)), 79)
        self.assertIn(
            "     5       1 2,073,071,593   2,073,071,593    98.6%  ████████████████████", table
        )
        self.assertIn("     1       1            73              73     0.0%  ▏", table)
        ascii_table = self.main("--base", "73", "-n", "in.md", LC_ALL="C")[1]
        self.assertIn("     1       1            73              73     0.0%  #\n", ascii_table)

    def test_2_5_a_drawn_seed_is_reported_and_repeats_the_run(self) -> None:
        seeds = set()
        for number in range(3):
            _, text = self.main("--base", "2", "in.md", f"{number}.md")
            match = re.search(r"\nseed (\d+) \(drawn; --seed \1 repeats it\)\n", text)
            seeds.add(match[1])
            self.main("--base", "2", "--seed", match[1], "in.md", f"again{number}.md")
            first, second = (self.folder / f"{name}{number}.md" for name in ("", "again"))
            self.assertEqual(first.read_bytes(), second.read_bytes())
            self.assertLess(int(match[1]), 2**64)
        self.assertEqual(len(seeds), 3)  # two of three are the same once in 6 * 10**18

    def test_4_dry_run_reports_and_writes_nothing(self) -> None:
        table = self.TABLE.format(*self.BARS) + "\n26 copies, 1,585 bytes, "
        for output, end in (
            ([], "would be written"),
            (["out.md"], "would be written to out.md"),
            (["-"], "would be written to standard output"),
        ):
            for option in "-n", "--dry-run":
                found = self.main("--base", "2", "--seed", "3", option, "in.md", *output)
                self.assertEqual(found, (0, f"{table}{end}\nseed 3\n{self.KEEP}"))
        self.assertEqual(self.names(), ["in.md"])
        self.write(b"", "out.md")
        message = "oversample: error: out.md: exists already; choose another name, or replace it with --force (from Python, overwrite=True)\n"
        self.assertEqual(self.main("--base", "2", "-n", "in.md", "out.md"), (1, message))
        self.assertEqual(self.main("--base", "2", "-nfq", "in.md", "out.md"), (0, ""))
        self.assertEqual((self.folder / "out.md").read_bytes(), b"")

    def test_4_quiet_is_errors_only(self) -> None:
        self.write(b"text\n" + document(1))
        self.assertEqual(self.main("--base", "2", "-q", "in.md", "out.md"), (0, ""))
        self.assertEqual(self.main("--base", "2", "-q", "--check", "in.md", "out.md"), (0, ""))
        self.write(b"QUESTION: a")
        status, text = self.main("--base", "2", "--quiet", "in.md", "o2.md")
        message = "in.md:1: error: expected ANSWER: after QUESTION: (line 1), found the end of the document\n"
        self.assertEqual((status, text), (1, message))

    def test_4_3_warnings_come_before_the_report(self) -> None:
        self.write(b"text\n" + document(1))
        status, text = self.main("--base", "2", "in.md", "out.md")
        self.assertEqual(
            (status, text.split("\n")[:2]),
            (
                0,
                [
                    "in.md:1: warning: text outside any pair is not copied: 'text'",
                    "weight   pairs   copies each          copies    share",
                ],
            ),
        )

    def test_1_8_a_malformed_document_is_reported_and_nothing_is_written(self) -> None:
        self.write(f"{Q}\n{W}\n{E}\n{A}\n".encode())
        expected = (
            "in.md:2: error: expected ANSWER: after QUESTION: (line 1), found OVERSAMPLE_WEIGHT:\n"
            "in.md:4: error: expected QUESTION: after <END_OF_SET> (line 3), found ANSWER:\n"
        )
        for options in [], ["-n"], ["--check"], ["-q"], ["-f"]:
            self.assertEqual(self.main("--base", "2", *options, "in.md", "out.md"), (1, expected))
        self.assertEqual(self.names(), ["in.md"])

    def test_1_10_the_errors_printed_are_bounded_their_count_is_not_hidden(self) -> None:
        self.write(b"QUESTION: a\n" * 1234)
        status, text = self.main("--base", "2", "in.md", "out.md")
        self.assertEqual(status, 1)
        self.assertEqual(text.count("\n"), 101)
        self.assertTrue(
            text.endswith("\noversample: error: 1,234 errors in all, the first 100 are shown\n")
        )
        self.write(b"x <!-- -->\n" * 1234 + document(1))
        status, text = self.main("--base", "2", "-n", "in.md")
        self.assertEqual(status, 0)
        self.assertIn(
            "\noversample: warning: 1,234 warnings in all, the first 100 are shown\n", text
        )
        self.write(b"QUESTION: a\n" * 100)
        self.assertEqual(self.main("--base", "2", "in.md", "out.md")[1].count("\n"), 100)

    def test_4_1_bad_usage_is_exit_2_and_one_line_behind_the_usage(self) -> None:
        number = f"expected a whole number from {{}} to {2**64 - 1}, found {{!r}}"
        base = "expected a whole or decimal number from 1 to 1000, found {!r}"
        good = ["--base", "2", "in.md", "out.md"]
        dash = "; expected two hyphens before an option, found "
        table = [
            ([], "the following arguments are required: INPUT, --base"),
            (["in.md", "out.md"], "the following arguments are required: --base"),
            (["--base", "2", "in.md"], "the following arguments are required: OUTPUT"),
            (["--base", "2", "--check", "in.md"], "the following arguments are required: OUTPUT"),
            (
                ["--check", *good[:-1], "-"],
                "argument --check: expected the name of a file as OUTPUT, found '-'",
            ),
            (["--check", "-n", *good], "argument -n/--dry-run: not allowed with argument --check"),
            ([*good, "x"], "unrecognized arguments: x"),
            ([*good, "--strip"], "unrecognized arguments: --strip"),
            ([*good, "--\x1b[2Jx"], "unrecognized arguments: --\\x1b[2Jx"),
            (["--bas", "2", *good[2:]], "the following arguments are required: --base"),
            (["--base"], "argument --base: expected one argument"),
            (
                ["\u2014base", *good[1:]],
                f"the following arguments are required: --base{dash}'\u2014base'",
            ),
            ([*good, "\u2013f"], f"unrecognized arguments: \u2013f{dash}'\u2013f'"),
        ]
        for text in (
            "0",
            "0.5",
            "-2",
            "nan",
            "inf",
            "1e9",
            "two",
            "1_0",
            "",
            " 2",
            "\u0662",
            "1000.1",
        ):
            shown = "nothing" if not text else base.format(text)
            message = base.replace("{!r}", "nothing") if not text else shown
            table.append((["--base", text, "in.md", "out.md"], f"argument --base: {message}"))
        for text in "-1", "1.5", str(2**64), "1_0", " 3", "\u0663", "x", "9" * 30:
            table.append((["--seed", text, *good], f"argument --seed: {number.format(0, text)}"))
        for text in "0", "-1", "1.5", "x":
            table.append(
                (["--max-copies", text, *good], f"argument --max-copies: {number.format(1, text)}")
            )
        for arguments, message in table:
            with self.subTest(arguments=arguments):
                status, text = self.main(*arguments)
                first, last = text.splitlines()
                self.assertEqual(first, "usage: oversample --base N [options] INPUT OUTPUT")
                self.assertEqual(
                    last,
                    f"oversample: error: {message}".replace("found '\u0662'", "found '\u0662'"),
                )
                self.assertEqual(status, 2)
        self.assertEqual(self.names(), ["in.md"])

    def test_4_3_what_is_quoted_cannot_drive_a_terminal(self) -> None:
        nasty = b"\x1b[31m\x00\x07\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xff\x7f"
        shown = "\\x1b[31m\\x00\\x07\\x9b\\u202e\\u2028\\xff\\x7f"
        name = os.fsdecode(b"\x1b[2J\n\xe2\x80\xae.md")
        self.write(
            nasty
            + b"\n"
            + HEAD.encode()
            + b"OVERSAMPLE_WEIGHT: "
            + nasty
            + b"\n**QUESTION:** "
            + nasty,
            name,
        )
        status, text = self.main("--base", "2", name, "out.md")
        self.assertEqual(status, 1)
        for line in text.splitlines():
            self.assertTrue(line.isprintable(), line)
            self.assertTrue(line.startswith("\\x1b[2J\\n\\u202e.md:"), line)
        self.assertIn(f"found '{shown}'", text)
        status, text = self.main("--base", "2", "in.md", name)
        self.assertTrue(text.startswith("oversample: error: \\x1b[2J\\n\\u202e.md: exists already"))
        status, text = self.main("--base", "2", "-f", "in.md", name)
        self.assertIn("written to \\x1b[2J\\n\\u202e.md\n", text)
        self.assertIn(
            "\\n\\u202e.md: exactly the 26", self.main("--base", "2", "--check", "in.md", name)[1]
        )

    def test_4_3_a_long_quotation_is_cut(self) -> None:
        self.assertEqual(oversample._quoted(b"x" * 50), "'" + "x" * 50 + "'")
        self.assertEqual(oversample._quoted(b"x" * 51), "'" + "x" * 47 + "...'")
        content = HEAD.encode() + b"OVERSAMPLE_WEIGHT: " + b"7" * 100_000 + b"\n<END_OF_SET>"
        ((_, message),) = problems(content)
        self.assertEqual(
            message, f"expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found '{'7' * 47}...'"
        )

    def test_4_2_not_enough_memory_is_one_line(self) -> None:
        with mock.patch("oversample._order", side_effect=MemoryError):
            found = self.main("--base", "2", "in.md", "out.md")
        message = (
            "oversample: error: not enough memory; use a smaller base or a cap (--max-copies)\n"
        )
        self.assertEqual(found, (1, message))
        self.assertEqual(self.names(), ["in.md"])

    def test_3_7_a_hyphen_reads_standard_input_and_writes_standard_output(self) -> None:
        content = (self.folder / "in.md").read_bytes()
        oversample.oversample("in.md", "expected.md", base=2, seed=8)
        expected = (self.folder / "expected.md").read_bytes()
        for source, output in ("-", "-"), ("in.md", "-"), ("-", "out.md"):
            done = command("--base", "2", "--seed", "8", source, output, input=content)
            written = done.stdout if output == "-" else (self.folder / output).read_bytes()
            self.assertEqual((done.returncode, written), (0, expected))
            self.assertIn(b"weight   pairs", done.stderr)
            if output != "-":
                self.assertEqual(done.stdout, b"")
        done = command("--base", "2", "-", "-", input=b"ANSWER: a")
        message = b"<stdin>:1: error: expected QUESTION: first, found ANSWER:\n"
        self.assertEqual((done.returncode, done.stdout, done.stderr), (1, b"", message))
        done = command("--base", "2", "--check", "-", "expected.md", input=content)
        self.assertEqual(
            done.stderr.decode(),
            "expected.md: exactly the 26 copies that <stdin> gives, in any order\n",
        )

    def test_4_help_and_version_go_to_standard_output(self) -> None:
        done = command("--version")
        self.assertEqual(
            (done.returncode, done.stdout.decode()), (0, f"oversample {oversample.__version__}\n")
        )
        for option in "-h", "--help":
            done = command(option)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            lines = done.stdout.decode().splitlines()
            self.assertLessEqual(max(map(len, lines)), 79)
            self.assertEqual(lines[2], oversample.__doc__.splitlines()[0])

    def test_4_help_that_cannot_be_written_is_one_line(self) -> None:
        with (
            mock.patch.object(sys, "stdout") as out,
            mock.patch.object(sys, "stderr", io.StringIO()) as err,
        ):
            out.flush.side_effect = OSError(28, "No space left on device")
            self.assertEqual(oversample.main(["--version"]), 1)
            sys.stdout.close()
        self.assertEqual(err.getvalue(), "oversample: error: no space left on device\n")

    def test_4_5_progress_is_shown_on_a_terminal_after_a_second_and_is_gone_at_the_end(
        self,
    ) -> None:
        class Terminal(io.StringIO):
            encoding = "utf-8"

            def isatty(self) -> bool:
                return True

        self.write(document(5, 5) + pair("long" * 100_000, 1))
        size = oversample.oversample("in.md", "x.md", base=2).bytes
        ticks = itertools.count(100.0, 0.6)
        with (
            mock.patch.object(sys, "stderr", Terminal()) as err,
            mock.patch("time.monotonic", lambda: next(ticks)),
        ):
            with mock.patch("os.get_terminal_size", return_value=os.terminal_size((40, 9))):
                self.assertEqual(oversample.main(["--base", "2", "in.md", "out.md"]), 0)
        *shown, rest = err.getvalue().split("\r\x1b[K")
        self.assertEqual(shown[0], "")
        self.assertGreater(len(shown), 5)
        for line in shown[1:]:
            self.assertRegex(line, r"^\d+% of 0\.0 GB, [01] MB/s, [\d,]+ s l?e?f?t?$")
            self.assertLess(len(line), 40)
        self.assertTrue(rest.startswith("weight "))

        class Gone(Terminal):
            def write(self, text: str) -> int:
                if text.startswith("\r"):
                    raise OSError(5, "Input/output error")
                return 0

        ticks = itertools.count(100.0, 0.6)
        with mock.patch.object(sys, "stderr", Gone()):
            with (
                mock.patch("time.monotonic", lambda: next(ticks)),
                mock.patch("os.get_terminal_size", side_effect=OSError(5, "gone")),
            ):
                self.assertEqual(oversample.main(["--base", "2", "-f", "in.md", "out.md"]), 0)
            self.assertNotIsInstance(sys.stderr, Gone)
        self.assertEqual(os.path.getsize("out.md"), size)
        for options, terminal, tick in (
            ([], io.StringIO, 0.6),
            (["-q"], Terminal, 0.6),
            ([], Terminal, 0.001),
        ):
            ticks = itertools.count(100.0, tick)
            with (
                mock.patch.object(sys, "stderr", terminal()) as err,
                mock.patch("time.monotonic", lambda: next(ticks)),
            ):
                self.assertEqual(
                    oversample.main(["--base", "2", "-f", *options, "in.md", "out.md"]), 0
                )
            self.assertNotIn("\r", err.getvalue())
        self.assertEqual(os.path.getsize("out.md"), size)

    def test_4_2_a_defect_of_the_program_is_not_told_as_an_error_of_its_user(self) -> None:
        class Odd:
            __str__ = lambda self: "odd"

            def __repr__(self) -> str:
                raise RuntimeError

        with self.assertRaises(RuntimeError):
            copies(1, Odd())
        for name in "_run", "parse", "_ratio", "_flush_help", "_say":
            with (
                self.subTest(name=name),
                mock.patch(f"oversample.{name}", side_effect=RuntimeError),
            ):
                with self.assertRaises(RuntimeError):
                    self.main("--base", "2", "in.md", "out.md")
        for name in "stdout", "stderr":
            with mock.patch.object(sys, name) as stream:
                stream.flush.side_effect = RuntimeError
                with self.subTest(name=name), self.assertRaises(RuntimeError):
                    oversample.main(["--base", "2", "-n", "in.md"])
                self.assertIs(getattr(sys, name), stream)

    def test_4_2_an_error_of_the_system_without_a_number_is_told_by_its_text(self) -> None:
        with mock.patch("oversample._run", side_effect=OSError("Odd")):
            self.assertEqual(self.main("--base", "2", "a", "b"), (1, "oversample: error: odd\n"))

    def test_4_help_needs_no_docstrings(self) -> None:
        script = str(SCRIPT)
        done = subprocess.run([sys.executable, "-OO", script, "--help"], stdout=subprocess.PIPE)
        sentence = oversample.__doc__.splitlines()[0].encode() + b"\n\n"
        expected = command("--help").stdout.replace(sentence, b"")
        self.assertEqual((done.returncode, done.stdout), (0, expected))
        self.assertRegex(oversample.__version__, r"^[0-9]+\.[0-9]+\.[0-9]+$")

    def test_4_1_a_seed_is_1_to_20_digits(self) -> None:
        for text in "", "/", ":", "1/", "1:", "0" * 20 + "7":
            with self.subTest(text=text):
                status, said = self.main("--base", "2", "--seed", text, "in.md", "out.md")
                shown = f"'{text}'" if text else "nothing"
                message = (
                    f"argument --seed: expected a whole number from 0 to {2**64 - 1}, found {shown}"
                )
                self.assertEqual(
                    (status, said.splitlines()[1]), (2, f"oversample: error: {message}")
                )

    def test_1_10_errors_that_are_not_kept_are_counted_too(self) -> None:
        self.write(b"QUESTION: a\n" * 1234)
        with mock.patch("oversample._Findings.__init__.__defaults__", (50,)):
            status, text = self.main("--base", "2", "in.md", "out.md")
        self.assertEqual((status, text.count("\n")), (1, 51))
        end = "\noversample: error: 1,234 errors in all, the first 50 are shown\n"
        self.assertTrue(text.endswith(end))

    def test_4_4_thousands_are_set_apart(self) -> None:
        self.write(b"\n".join(pair(str(number)) for number in range(1200)))
        _, text = self.main("--base", "2", "--seed", "1", "-n", "in.md")
        lines = text.splitlines()
        self.assertEqual(
            lines[1], "     1   1,200             2           2,400   100.0%  " + "█" * 20
        )
        self.assertEqual(lines[6], " total   1,200                         2,400   100.0%")
        self.assertTrue(lines[8].startswith("2,400 copies, "), lines[8])
        self.main("--base", "2", "--seed", "1", "-q", "in.md", "out.md")
        _, text = self.main("--base", "2", "--check", "in.md", "out.md")
        self.assertEqual(text, "out.md: exactly the 2,400 copies that in.md gives, in any order\n")
        self.write(pair("a", 5), "in.md")
        oversample.oversample("in.md", "out.md", base=4, overwrite=True)
        text = self.main("--base", "5", "--check", "in.md", "out.md")[1]
        message = "expected 3,125 copies of this pair in out.md, found 1,024"
        self.assertEqual(text, f"in.md:1: error: {message}\n")
        self.write(pair("b", 5), "in.md")
        text = self.main("--base", "4", "--check", "in.md", "out.md")[1]
        self.assertTrue(text.startswith("out.md:1: error: 1,024 copies match no pair: "), text)

    def test_4_1_main_returns_the_status_of_bad_usage_and_of_help(self) -> None:
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(oversample.main(["--base"]), 2)
            self.assertEqual(oversample.main(["--help"]), 0)
        after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        self.assertEqual(after, before)

    def test_3_7_standard_input_is_descriptor_0_by_its_name_and_stays_open(self) -> None:
        saved = os.dup(0)
        self.addCleanup(os.close, saved)
        self.addCleanup(os.dup2, saved, 0)
        for name, expected in (
            ("in.md", (0, "")),
            (".", (1, "oversample: error: <stdin>: is a directory\n")),
        ):
            descriptor = os.open(name, os.O_RDONLY)
            os.dup2(descriptor, 0)
            os.close(descriptor)
            with self.subTest(name=name):
                self.assertEqual(self.main("-q", "--base", "2", "-", "out.md"), expected)
                os.fstat(0)

    def test_4_3_a_missing_input_is_told_by_its_name_whatever_it_begins_with(self) -> None:
        for name in "+none.md", " none.md", "--none.md"[1:]:
            message = f"oversample: error: {name}: no such file or directory\n"
            with self.subTest(name=name):
                self.assertEqual(self.main("--base", "2", "--", name, "out.md"), (1, message))

    def test_4_2_where_there_is_no_sighup_there_is_none(self) -> None:
        with mock.patch.object(signal, "SIGHUP", create=True):
            del signal.SIGHUP
            before, seen = signal.getsignal(1), []
            with mock.patch("oversample._run", lambda _: seen.append(signal.getsignal(1)) or 0):
                self.assertEqual(self.main("-q", "--base", "2", "in.md", "out.md"), (0, ""))
            self.assertEqual(seen, [before])

    def test_4_4_the_bar_is_as_long_as_said_to_the_eighth(self) -> None:
        class Plain:
            text = ""

            def write(self, text: str) -> None:
                self.text += text

            def flush(self) -> None:
                pass

        class Wide(Plain):
            encoding = "UTF-8"

        with mock.patch.dict(os.environ, {"LC_ALL": "en_US.UTF-8"}):
            for kind, bars in (Plain, self.ASCII_BARS), (Wide, self.BARS):
                with mock.patch.object(sys, "stderr", kind()) as err:
                    self.assertEqual(oversample.main(["--base", "2", "-n", "in.md"]), 0)
                self.assertTrue(err.text.startswith(self.TABLE.format(*bars)), err.text)
            with mock.patch.object(sys, "stderr", Wide()):
                with mock.patch.dict(os.environ, {"LC_ALL": "", "LANG": "", "LC_CTYPE": "C"}):
                    self.assertEqual(oversample._bar(2.0), "##")
                with mock.patch.dict(os.environ, {"LC_ALL": "ut"}):
                    self.assertEqual(oversample._bar(2.0), "##")
                bars = [oversample._bar(n) for n in (0.01, 0.2, 1.1, 1.9, 1.95, 19.8)]
                self.assertEqual(bars, ["▏", "▎", "█▏", "█▉", "██ ", "█" * 19 + "▊"])
            with mock.patch.object(sys, "stderr", Plain()):
                bars = [oversample._bar(n) for n in (0.01, 1.4, 1.6, 19.6)]
                self.assertEqual(bars, ["#", "#", "##", "#" * 20])

    def test_4_5_the_line_of_progress_to_the_letter(self) -> None:
        times = [10.0, 10.5, 11.0, 11.25, 11.3125, 11.4375, 14.0]
        shown = io.StringIO()
        blocks = [bytes(10**6)] * 5 + [bytes(10**6 - 1)]
        with (
            mock.patch("time.monotonic", lambda: times.pop(0)),
            mock.patch.object(sys, "stderr", shown),
        ):
            with mock.patch("os.get_terminal_size", return_value=os.terminal_size((0, 0))) as asked:
                progress = oversample._progress(iter(blocks), 4 * 10**9)
                self.assertEqual(list(progress), blocks)
        self.assertEqual(times, [])
        self.assertEqual({tuple(call.args) for call in asked.mock_calls}, {(2,)})
        self.assertEqual(
            shown.getvalue().split("\r\x1b[K"),
            ["", "0% of 4.0 GB, 2 MB/s, 1,665 s left", "0% of 4.0 GB, 3 MB/s, 1,149 s left", "0% of 4.0 GB, 1 MB/s, 2,663 s left", ""],
        )  # fmt: skip

        block = mock.MagicMock(__len__=lambda _: 5_679_400_000)
        ticks, shown = itertools.count(10, 2), io.StringIO()
        with (
            mock.patch("time.monotonic", lambda: next(ticks)),
            mock.patch.object(sys, "stderr", shown),
        ):
            list(oversample._progress([block], 7_654_300_000_000))
        line = "0% of 7,654.3 GB, 2,840 MB/s, 2,693 s left"
        self.assertEqual(shown.getvalue().split("\r\x1b[K"), ["", line, ""])
        # Where the terminal tells no width, 80.
        for size in OSError(5, "gone"), os.terminal_size((0, 0)):
            ticks, shown = itertools.count(10, 2), io.StringIO()
            with (
                mock.patch("time.monotonic", lambda: next(ticks)),
                mock.patch.object(sys, "stderr", shown),
            ):
                with mock.patch("os.get_terminal_size", side_effect=[size]):
                    list(oversample._progress([b"a"], 10**100))
            self.assertEqual([len(line) for line in shown.getvalue().split("\r\x1b[K")], [0, 79, 0])

    def test_4_5_progress_counts_every_byte(self) -> None:
        for columns, shown_columns in (20, 19), (200, 34):
            ticks = itertools.count(10, 2)
            shown = io.StringIO()
            size = os.terminal_size((columns, 9))
            with (
                mock.patch("time.monotonic", lambda: next(ticks)),
                mock.patch.object(sys, "stderr", shown),
            ):
                with mock.patch("os.get_terminal_size", return_value=size):
                    list(oversample._progress([b"a"] * 4, 4))
            lines = shown.getvalue().split("\r\x1b[K")
            whole = [f"{done}% of 0.0 GB, 0 MB/s, {left} s left" for done, left in ((25, 6), (50, 4), (75, 2), (100, 0))]  # fmt: skip
            self.assertEqual(lines, ["", *(line[:shown_columns] for line in whole), ""])

    def test_4_5_the_line_of_progress_is_gone_before_an_error_is_told(self) -> None:
        class Terminal(io.StringIO):
            encoding = "utf-8"

            def isatty(self) -> bool:
                return True

        self.write(document(5, 5) + pair("long" * 100_000, 1))
        ticks = itertools.count(100.0, 0.6)
        real, calls = os.write, []

        def write(descriptor, data):
            calls.append(descriptor)
            if len(calls) > 5:
                raise OSError(28, "No space left on device")
            return real(descriptor, data)

        with mock.patch.object(sys, "stderr", Terminal()) as err:
            with mock.patch("time.monotonic", lambda: next(ticks)), mock.patch("os.write", write):
                self.assertEqual(oversample.main(["--base", "2", "in.md", "out.md"]), 1)
        end = "left\r\x1b[Koversample: error: out.md: no space left on device\n"
        self.assertTrue(err.getvalue().endswith(end), err.getvalue())

    def test_4_3_a_long_quotation_of_wide_characters_is_seen_to_be_cut(self) -> None:
        shown = oversample._quoted("\U0001f642".encode() * 51)
        self.assertEqual(shown, "'" + "\U0001f642" * 47 + "...'")


class Check(Case):
    """5. Is this output what the input and the options give?"""

    def setUp(self) -> None:
        super().setUp()
        self.write(document(1, 2, 3))
        oversample.oversample("in.md", "out.md", base=2, seed=1)
        self.good = (self.folder / "out.md").read_bytes()

    def differences(self, content: bytes | None = None, **options) -> list[tuple[str, int, str]]:
        if content is not None:
            self.write(content, "out.md")
        return [tuple(each) for each in check("in.md", "out.md", **{"base": 2, **options})]

    def test_5_1_what_was_written_passes_with_its_seed_and_without(self) -> None:
        generated = (each for each in documents(seed=3, count=200) if second_reading(each))
        for content in itertools.chain([SAMPLE.read_bytes()], generated):
            self.write(content)
            for options in (
                {"base": 2},
                {"base": 1.3, "strip_weights": True},
                {"base": 9, "max_copies": 2},
            ):
                oversample.oversample("in.md", "out.md", seed=4, overwrite=True, **options)
                with self.subTest(content=content[:2000], options=options):
                    self.assertEqual(self.differences(**options), [])
                    self.assertEqual(self.differences(seed=4, **options), [])

    def test_5_1_without_a_seed_any_order_passes_with_one_its_own_alone(self) -> None:
        copies = self.good[:-1].split(b"\n\nQUESTION")
        copies = [copies[0]] + [b"QUESTION" + each for each in copies[1:]]
        other = b"\n\n".join(sorted(copies)) + b"\n"
        self.assertEqual(self.differences(other), [])
        line = 1 + 7 * next(
            n for n, pair in enumerate(zip(sorted(copies), copies)) if len(set(pair)) > 1
        )
        message = "expected the order of seed 1, found the same copies in another"
        self.assertEqual(self.differences(other, seed=1), [("out.md", line, message)])
        self.assertEqual(self.differences(self.good, seed=1), [])

    def test_5_2_every_way_to_differ_is_said_with_its_lines(self) -> None:
        a, b, c = (pair(name, weight) for name, weight in (("a", 1), ("b", 2), ("c", 3)))
        join, good = b"\n\n".join, [a] * 2 + [b] * 4 + [c] * 8
        few = "expected 8 copies of this pair in out.md, found 7"
        stale = "the question is that of in.md:15, so the pair was edited since or the copy altered"
        text = "text that belongs to no copy: "
        altered, weighed = c.replace(b"c!", b"d!"), pair("c", 4)
        # fmt: off
        for name, content, expected in [
            ("one is missing", join(good[:-1]) + b"\n", [("in.md", 15, few)]),
            ("one too many", join(good + [a]) + b"\n", [("in.md", 1, "expected 2 copies of this pair in out.md, found 3")]),
            ("one for another", join(good[:-1] + [b]) + b"\n", [
                ("in.md", 8, "expected 4 copies of this pair in out.md, found 5"), ("in.md", 15, few)]),
            ("an altered one", join(good[:-1] + [altered]) + b"\n", [("out.md", 92, f"a copy matches no pair: {stale}"), ("in.md", 15, few)]),
            ("stale ones", join(good[:6] + [altered] * 8) + b"\n", [
                ("out.md", 43, f"8 copies match no pair: {stale}"), ("in.md", 15, few.replace("7", "0"))]),
            ("another weight", join(good[:-1] + [weighed]) + b"\n", [
                ("out.md", 92, "a copy matches no pair: but for the weight line it is the pair at in.md:15, so its weight was edited since or --strip-weights was given only once"), ("in.md", 15, few)]),
            ("no weight line", join(good[:-1] + [c.replace(b"OVERSAMPLE_WEIGHT: 3\n", b"")]) + b"\n", [
                ("out.md", 92, "a copy matches no pair: but for the weight line it is the pair at in.md:15, so its weight was edited since or --strip-weights was given only once"), ("in.md", 15, few)]),
            ("of no pair", join(good + [pair("z")]) + b"\n", [("out.md", 99, "a copy matches no pair: no pair of in.md has this question")]),
            ("text before", b" x\n" + join(good) + b"\n", [("out.md", 1, text + "'x'")]),
            ("a byte order mark", b"\xef\xbb\xbf" + join(good) + b"\n", [("out.md", 1, text + "'\\ufeff'")]),
            ("text between", join(good[:3]) + b"\n\n\nsome\nx\n" + join(good[3:]) + b"\n", [("out.md", 23, text + "'some'")]),
            ("text after", join(good) + b"\nx\n", [("out.md", 98, text + "'x'")]),
            ("a copy cut short", join(good + [a[:-1]]) + b"\n", [("out.md", 99, text + "'QUESTION: a?'")]),
            ("a wrong gap", join(good[:3]) + b"\n" + join(good[3:]) + b"\n", [("out.md", 20, "expected '\\n\\n' before this copy, found '\\n'")]),
            ("no gap", join(good[:3]) + join(good[3:]) + b"\n", [("out.md", 20, "expected '\\n\\n' before this copy, found nothing")]),
            ("a gap before the first", b"\n\n" + join(good) + b"\n", [("out.md", 1, "expected nothing before this copy, found '\\n\\n'")]),
            ("no end", join(good), [("out.md", 97, "expected '\\n' after the last copy, found nothing")]),
            ("a longer end", join(good) + b"\n\n", [("out.md", 97, "expected '\\n' after the last copy, found '\\n\\n'")]),
            ("a stray end", join(good) + b"<END_OF_SET>\n", [("out.md", 97, text + "'<END_OF_SET>'")]),
        ]:
            # fmt: on
            with self.subTest(name):
                self.assertEqual(self.differences(content), expected)
                self.assertEqual(self.differences(content, seed=1), expected)

    def test_5_2_an_empty_output_lacks_every_copy(self) -> None:
        self.assertEqual(
            [each[:2] for each in self.differences(b"")],
            [("out.md", 1), ("in.md", 1), ("in.md", 8), ("in.md", 15)],
        )

    def test_5_1_with_a_seed_it_is_byte_for_byte(self) -> None:
        for at in range(1, len(self.good), 3):
            changed = bytearray(self.good)
            changed[at] ^= 1
            with self.subTest(at=at):
                self.assertNotEqual(self.differences(bytes(changed), seed=1), [])
        for content in self.good + b"\n", self.good[:-1], b"\n" + self.good:
            self.assertNotEqual(self.differences(content, seed=1), [])

    def test_5_1_without_a_seed_every_byte_counts_too(self) -> None:
        for at in range(0, len(self.good), 3):
            changed = bytearray(self.good)
            changed[at] ^= 1
            with self.subTest(at=at):
                self.assertNotEqual(self.differences(bytes(changed)), [])
                self.assertNotEqual(self.differences(self.good[:at] + self.good[at + 1 :]), [])

    def test_5_1_identical_pairs_are_counted_together(self) -> None:
        self.write(b"\n\n".join([pair("a", 2), pair("b", 1), pair("a", 2)]))
        oversample.oversample("in.md", "out.md", base=2, overwrite=True)
        self.assertEqual(self.differences(), [])
        content = (self.folder / "out.md").read_bytes().replace(pair("a", 2) + b"\n\n", b"", 1)
        message = "expected 8 copies of this pair in out.md, found 7"
        self.assertEqual(self.differences(content), [("in.md", 1, message)])
        oversample.oversample("in.md", "out.md", base=1, overwrite=True)
        self.assertEqual(
            self.differences()[1], ("in.md", 8, "expected 2 copies of this pair in out.md, found 1")
        )

    def test_5_the_check_does_not_call_what_writes(self) -> None:
        names = "_blocks", "_publish", "_write", "_write_file"
        with contextlib.ExitStack() as stack:
            for name in names:
                stack.enter_context(mock.patch(f"oversample.{name}", side_effect=AssertionError))
            self.assertEqual(self.differences(), [])
            self.assertEqual(self.differences(seed=1), [])

    def test_5_a_copy_across_the_blocks_that_are_read_is_whole(self) -> None:
        self.write(pair("x" * 3_000_000, 1) + b"\n\n" + pair("y", 2))
        oversample.oversample("in.md", "out.md", base=2, overwrite=True)
        self.assertEqual(self.differences(), [])
        for step in range(1, 30):
            content = io.BytesIO(self.good)
            read = content.read
            content.read = lambda size: read(step)
            pieces = list(oversample._pieces(content))
            self.assertEqual(b"".join(pieces), self.good)
            self.assertEqual(len(pieces), 15)

    def test_5_the_command_says_so_in_one_line_or_says_how_not(self) -> None:
        status, text = self.main("--base", "2", "--check", "in.md", "out.md")
        self.assertEqual(
            (status, text), (0, "out.md: exactly the 14 copies that in.md gives, in any order\n")
        )
        status, text = self.main("--base", "2", "--check", "--seed", "1", "in.md", "out.md")
        self.assertEqual(
            (status, text),
            (0, "out.md: exactly the 14 copies that in.md gives, in the order of seed 1\n"),
        )
        status, text = self.main("--base", "1.5", "--check", "in.md", "out.md")
        self.assertEqual(status, 1)
        self.assertEqual(
            text,
            "in.md:8: error: expected 2 copies of this pair in out.md, found 4\nin.md:15: error: expected 3 copies of this pair in out.md, found 8\n",
        )
        status, text = self.main("--base", "1", "--check", "in.md", "out.md")
        self.assertIn("in.md:1: error: expected 1 copy of this pair in out.md, found 2\n", text)
        status, text = self.main("--base", "2", "--check", "in.md", "none.md")
        self.assertEqual(
            (status, text), (1, "oversample: error: none.md: no such file or directory\n")
        )
        self.assertEqual((self.folder / "out.md").read_bytes(), self.good)

    def test_5_a_file_that_can_be_read_but_once(self) -> None:
        for content, seed, status in (
            (self.good, "1", 0),
            (self.good, "2", 1),
            (b"x" + self.good, "1", 1),
        ):
            done = command(
                "--check", "--base", "2", "--seed", seed, "in.md", "/dev/stdin", input=content
            )
            self.assertEqual((done.returncode, b"Errno" in done.stderr), (status, False))

    def test_5_what_is_something_else_altogether_is_told_in_bounds(self) -> None:
        texts = b"".join(b"%d<END_OF_SET>" % number for number in range(1000)) + b"\n"
        strangers = b"\n\n".join(pair(str(number)) for number in range(1000)) + b"\n"
        for content in texts, strangers:
            with mock.patch("oversample._Findings.__init__.__defaults__", (50,)):
                shown = len(self.differences(content))
                text = self.main("--base", "2", "--check", "in.md", "out.md")[1]
                self.assertTrue(50 <= shown <= 53)
                self.assertIn(f"error: 1,003 errors in all, the first {shown} are shown\n", text)
            text = self.main("--base", "2", "--check", "in.md", "out.md")[1]
            self.assertEqual(text.count("\n"), 101)
            end = "oversample: error: 1,003 errors in all, the first 100 are shown\n"
            self.assertTrue(text.endswith(end))

    def test_5_2_a_marker_in_mid_line_begins_no_copy(self) -> None:
        message = "text that belongs to no copy: 'see QUESTION: x'"
        content = b"see QUESTION: x\n" + self.good
        self.assertEqual(self.differences(content), [("out.md", 1, message)])

    def test_5_2_a_weight_line_of_whatever_text_is_told_as_the_weight_line(self) -> None:
        copy = pair("a", 1)
        for line in b"OVERSAMPLE_WEIGHT:\n", b"OVERSAMPLE_WEIGHT: 1^ 2\n":
            changed = copy.replace(b"OVERSAMPLE_WEIGHT: 1\n", line)
            with self.subTest(line=line):
                found = self.differences(self.good.replace(copy, changed, 1))
                message = "a copy matches no pair: but for the weight line it is the pair at in.md:1, so its weight was edited since or --strip-weights was given only once"
                self.assertTrue(any(each[2].startswith(message) for each in found), found)

    def test_5_2_a_copy_in_mid_line_is_text(self) -> None:
        copies = self.good[:-1].split(b"\n\nQUESTION")
        content = copies[0] + b"  QUESTION" + b"\n\nQUESTION".join(copies[1:]) + b"\n"
        found = self.differences(content)
        name = copies[1][2:4].decode()
        message = f"text that belongs to no copy: 'QUESTION: {name}'"
        self.assertEqual((found[0], len(found)), (("out.md", 6, message), 2))

    def test_5_2_text_before_blank_lines_is_told_by_its_own_line(self) -> None:
        message = "text that belongs to no copy: 'x'"
        self.assertEqual(self.differences(b"x\n\n" + self.good), [("out.md", 1, message)])

    def test_5_2_a_marker_after_the_last_copy_is_text(self) -> None:
        message = "text that belongs to no copy: 'QUESTION:'"
        self.assertEqual(self.differences(self.good + b"QUESTION:"), [("out.md", 98, message)])

    def test_5_2_a_stranger_is_likened_to_the_first_pair_of_those_that_it_is_like(self) -> None:
        self.write(b"\n\n".join([pair("a", 1), pair("a", 2), pair("a", 3).replace(b"a!", b"b!")]))
        for stranger, message in [
            (pair("a", 4), "but for the weight line it is the pair at in.md:1, so its weight was edited since or --strip-weights was given only once"),
            (pair("a", 1).replace(b"a!", b"c!"), "the question is that of in.md:1, so the pair was edited since or the copy altered"),
        ]:  # fmt: skip
            found = self.differences(stranger + b"\n")
            self.assertEqual(found[0][:2], ("out.md", 1))
            self.assertRegex(found[0][2], rf"^a copy matches no pair: {message}\b")

    def test_5_1_the_first_copy_that_is_out_of_order_is_named(self) -> None:
        copies = self.good[:-1].split(b"\n\nQUESTION")
        copies = [copies[0]] + [b"QUESTION" + each for each in copies[1:]]
        message = "expected the order of seed 1, found the same copies in another"
        for at in range(len(copies) - 1):
            if copies[at] != copies[at + 1]:
                changed = [*copies[:at], copies[at + 1], copies[at], *copies[at + 2 :]]
                found = self.differences(b"\n\n".join(changed) + b"\n", seed=1)
                self.assertEqual(found, [("out.md", 1 + 7 * at, message)])

    def test_5_a_long_piece_is_read_in_blocks_that_grow(self) -> None:
        file = mock.Mock(read=mock.Mock(side_effect=io.BytesIO(bytes(2**20)).read))
        self.assertEqual(list(oversample._pieces(file)), [bytes(2**20)])
        asked = [call.args[0] for call in file.read.mock_calls]
        self.assertEqual(asked, [2**17, 2**17, 2**18, 2**19, 2**20])

    def test_6_the_names_of_a_difference_are_text(self) -> None:
        self.write(b"x" + self.good, "out.md")
        found = check(pathlib.Path("in.md"), pathlib.Path("out.md"), base=3)
        self.assertEqual([each.path for each in found], ["out.md", "in.md", "in.md", "in.md"])

    def test_5_2_a_stranger_is_counted_when_no_more_of_them_are_kept(self) -> None:
        strangers = [pair(str(number)) for number in range(60)]
        content = b"\n\n".join([*strangers, strangers[0]]) + b"\n"
        with mock.patch("oversample._Findings.__init__.__defaults__", (50,)):
            found = self.differences(content)
        self.assertEqual(found[0][2][:25], "2 copies match no pair: n")
        self.assertEqual(found[1][2][:25], "a copy matches no pair: n")

    def test_5_a_file_that_cannot_be_read_on_is_told_by_its_name(self) -> None:
        with mock.patch("oversample._pieces", side_effect=OSError(5, "Input/output error")):
            found = self.main("--base", "2", "--check", "in.md", "out.md")
        self.assertEqual(found, (1, "oversample: error: out.md: input/output error\n"))

    def test_5_the_strangers_that_are_kept_are_bounded(self) -> None:
        content = b"\n\n".join(pair(str(number)) for number in range(200)) + b"\n"
        kept = []
        real = oversample._Tally.strange

        def strange(tally, source):
            kept.append((len(tally.times), len(tally.strangers)))
            self.assertLessEqual(set(tally.found), set(tally.expected))
            self.assertEqual({type(each) for each in tally.times}, {int})
            self.assertEqual(
                {type(each) for row in tally.strangers.values() for each in row}, {int}
            )
            return real(tally, source)

        with mock.patch("oversample._Findings.__init__.__defaults__", (50,)):
            with mock.patch("oversample._Tally.strange", strange):
                self.differences(content)
        self.assertEqual(kept, [(50, 50)])


class Python(Case):
    """6. From Python."""

    def test_6_the_example_of_the_contract(self) -> None:
        self.write(document(1, 2, 3))
        summary = oversample.oversample("in.md", "out.md", base=2, seed=42)
        size = os.path.getsize("out.md")
        self.assertEqual(summary, (3, 14, size, 42))
        self.assertEqual((summary.pairs, summary.copies, summary.bytes, summary.seed), summary)
        drawn = oversample.oversample(pathlib.Path("in.md"), self.folder / "o2.md", base="2").seed
        self.assertIn(drawn, range(2**64))

    def test_6_question_and_answer_are_their_text_alone(self) -> None:
        text = f"QUESTION:\n\n a\n\nb \n\nANSWER: c\nANSWER : d\n\n\n{W} \n\n{E}".encode()
        (parsed,) = parse(text).pairs
        self.assertEqual((parsed.question, parsed.answer), (b"a\n\nb", b"c\nANSWER : d"))
        for each in parse(SAMPLE.read_bytes()).pairs:
            self.assertEqual(
                each.span, b"QUESTION: " + each.question + each.span[10 + len(each.question) :]
            )
            self.assertNotIn(b"OVERSAMPLE_WEIGHT", each.answer)
            self.assertIn(each.answer, each.span)
            self.assertEqual(each.answer, each.answer.strip())

    def test_6_parse_gives_pairs_separator_and_warnings(self) -> None:
        parsed = parse(b"x\n" + document(1, 5))
        self.assertEqual(parsed.pairs, (QAPair(pair("a", 1), 1, 2), QAPair(pair("b", 5), 5, 9)))
        self.assertEqual(parsed.separator, b"\n\n")
        self.assertEqual(parsed.warnings, ((1, "text outside any pair is not copied: 'x'"),))

    def test_6_a_document_error_is_a_value_error_with_all_its_problems(self) -> None:
        with self.assertRaises(ValueError) as caught:
            parse(f"{Q}\n{E}\n{E}".encode())
        error = caught.exception
        expected = (
            (2, "expected ANSWER: after QUESTION: (line 1), found <END_OF_SET>"),
            (3, "expected QUESTION: after <END_OF_SET> (line 2), found <END_OF_SET>"),
        )
        self.assertIs(type(error), DocumentError)
        self.assertEqual((error.problems, error.count), (expected, 2))
        self.assertEqual(str(error), f"line 2: {expected[0][1]} (and 1 more)")
        self.assertEqual(str(DocumentError(expected[:1])), f"line 2: {expected[0][1]}")

    def test_6_1_importing_has_no_side_effect(self) -> None:
        program = "import signal, sys; before = [signal.getsignal(s) for s in (2, 15)]; import oversample; print([signal.getsignal(s) for s in (2, 15)] == before, sorted(set(dir()) - {'before'})[-3:])"
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=HERE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.assertEqual(
            done.stdout.decode().split(), ["True", "['oversample',", "'signal',", "'sys']"]
        )

    def test_6_1_nothing_below_main_prints_or_exits(self) -> None:
        self.write(b"text\n" + document(1, 1) + b"\n" + document(1))
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            oversample.oversample("in.md", "out.md", base=2)
            check("in.md", "out.md", base=1)
            for arguments in ("in.md", "out.md"), ("none.md", "o.md"), ("out.md", "none/o.md"):
                with self.assertRaises(OSError):
                    oversample.oversample(*arguments, base=2)
            self.write(b"ANSWER:")
            with self.assertRaises(DocumentError):
                oversample.oversample("in.md", "o.md", base=2)
        self.assertEqual(out.getvalue(), "")

    def test_6_1_bad_arguments_are_value_errors_and_nothing_is_written(self) -> None:
        self.write(document(1))
        for options in (
            {"base": 0},
            {"base": 2, "seed": -1},
            {"base": 2, "max_copies": 0},
            {"base": None},
        ):
            for function in oversample.oversample, check:
                with self.subTest(options=options), self.assertRaises(ValueError):
                    function("in.md", "in.md" if function is check else "out.md", **options)
        self.assertEqual(self.names(), ["in.md"])

    def test_6_1_a_missing_file_is_an_os_error_by_its_name(self) -> None:
        with self.assertRaises(FileNotFoundError) as caught:
            oversample.oversample("none.md", "out.md", base=2)
        self.assertEqual(caught.exception.filename, "none.md")
        self.write(document(1))
        self.write(b"", "out.md")
        with self.assertRaises(FileExistsError) as caught:
            oversample.oversample("in.md", "out.md", base=2)
        self.assertEqual(caught.exception.filename, "out.md")

    def test_6_2_the_function_writes_exactly_the_bytes_of_the_command(self) -> None:
        self.write(b"\xef\xbb\xbf" + document(1, 2, 3).replace(b"\n", b"\r\n"))
        for arguments, options in [
            (["--base", "2"], {"base": 2}),
            (["--base", "1.3", "--strip-weights"], {"base": 1.3, "strip_weights": True}),
            (["--base", "10", "--max-copies", "7"], {"base": Decimal(10), "max_copies": 7}),
        ]:
            self.assertEqual(self.main("-qf", *arguments, "--seed", "5", "in.md", "a.md")[0], 0)
            oversample.oversample("in.md", "b.md", seed=5, overwrite=True, **options)
            self.assertEqual(
                (self.folder / "a.md").read_bytes(), (self.folder / "b.md").read_bytes()
            )

    def test_6_every_public_name_has_a_docstring(self) -> None:
        for name in oversample.__all__:
            with self.subTest(name=name):
                self.assertTrue(getattr(oversample, name).__doc__)

    def test_6_a_document_error_is_made_of_any_rows_and_can_be_pickled(self) -> None:
        rows = ((1, "one"), (2, "two"))
        for count, expected in (0, 2), (9, 9):
            error = DocumentError((row for row in rows), count)
            for each in error, pickle.loads(pickle.dumps(error)):
                self.assertEqual((each.problems, each.count), (rows, expected))
                self.assertEqual(each.args, (rows, expected))
        self.assertEqual(DocumentError(list(rows)).problems, rows)
        self.assertEqual(str(DocumentError(rows, 1235)), "line 1: one (and 1,234 more)")
        self.assertEqual((DocumentError(()).count, DocumentError(rows).count), (0, 2))

    def test_6_a_question_may_touch_its_marker(self) -> None:
        (parsed,) = parse(f"QUESTION:a\nANSWER:b\n{W}{E}".encode()).pairs
        self.assertEqual((parsed.question, parsed.answer), (b"a", b"b"))
        question, answer = (
            "to ANSWER: or\nANSWER me?",
            "an OVERSAMPLE_WEIGHT: of 9\nOVERSAMPLE_WEIGHT 9",
        )
        (parsed,) = parse(f"QUESTION: {question}\nANSWER: {answer}\n{W}{E}".encode()).pairs
        self.assertEqual(parsed.question, question.encode())
        self.assertEqual(parsed.answer, answer.encode())


@unittest.skipUnless(POSIX, "signals and descriptors are POSIX's")
class Faults(Case):
    """3.4, 4.2. The command as a process, and what a person, a disk or a neighbour does to it."""

    def setUp(self) -> None:
        super().setUp()
        self.content = document(3, 4, 5)
        self.write(self.content)

    # Runs the command with a pause between blocks, so that there is a middle to hit.
    SLOW = (
        "import sys, time, oversample\n"
        "blocks = oversample._blocks\n"
        "def slow(plan):\n"
        "    for block in blocks(plan):\n"
        "        yield block\n"
        "        time.sleep(0.5)\n"
        "oversample._blocks = slow\n"
        "sys.exit(oversample.main())\n"
    )

    def slow(self, *arguments: str, **options) -> subprocess.Popen:
        """The command, in the middle of its write."""
        run = [sys.executable, "-c", self.SLOW, "--base", "2", "--seed", "1", "in.md", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(HERE)}
        before = set(self.names())
        process = subprocess.Popen(
            run, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        limit = time.monotonic() + 30
        while not self.started(before) and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.01)
        return process

    def started(self, before: set[str]) -> bool:
        return any(os.path.getsize(name) for name in set(self.names()) - before)

    def finish(self, process: subprocess.Popen) -> tuple[int, str]:
        out, err = process.communicate(timeout=30)
        self.assertEqual(out, b"")
        self.assertEqual((self.folder / "in.md").read_bytes(), self.content)
        return process.returncode, err.decode()

    def test_4_2_a_signal_in_the_middle_of_the_write_leaves_all_as_it_was(self) -> None:
        for number, status in (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129):
            for old in None, b"old":
                if old:
                    self.write(old, "out.md")
                process = self.slow("out.md", *(["-f"] if old else []))
                process.send_signal(number)
                time.sleep(0.01)
                if process.poll() is None:
                    process.send_signal(number)  # an impatient person
                message = f"oversample: error: stopped by {number.name}\n"
                self.assertEqual(self.finish(process), (status, message))
                if old:
                    self.assertEqual((self.folder / "out.md").read_bytes(), old)
                    os.unlink("out.md")
                self.assertEqual(self.names(), ["in.md"])

    def test_4_2_two_signals_at_once_are_one_stop(self) -> None:
        for pair in itertools.permutations((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), 2):
            process = self.slow("out.md")
            for number in pair:
                process.send_signal(number)
            status, text = self.finish(process)
            self.assertIn(status, [128 + number for number in pair])
            self.assertRegex(text, r"^oversample: error: stopped by SIG[A-Z]+\n$")
            self.assertEqual(self.names(), ["in.md"])

    def restore_signals(self) -> None:
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            self.addCleanup(signal.signal, number, signal.getsignal(number))

    def test_4_2_a_signal_while_an_error_is_told_is_a_stop(self) -> None:
        def tell(*_arguments) -> int:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
            return 1

        self.restore_signals()
        with mock.patch("oversample._fail", tell):
            found = self.main("--base", "2", "none.md", "out.md")
        self.assertEqual(found, (143, "oversample: error: stopped by SIGTERM\n"))

    def test_4_2_the_end_of_the_program_is_not_interrupted(self) -> None:
        self.restore_signals()
        with mock.patch.object(sys, "argv", ["oversample", "-q", "--base", "2", "in.md", "out.md"]):
            self.assertEqual(oversample.main(), 0)
        self.assertEqual(signal.getsignal(signal.SIGTERM), signal.SIG_IGN)
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            os.kill(os.getpid(), number)

    def test_3_4_kill_9_leaves_the_name_as_it_was(self) -> None:
        for old in None, b"old":
            if old:
                self.write(old, "out.md")
            process = self.slow("out.md", *(["-f"] if old else []))
            process.kill()
            self.assertEqual(self.finish(process), (-9, ""))
            (left,) = set(self.names()) - {"in.md", "out.md"}
            self.assertRegex(left, r"^\.oversample-[0-9a-f]{16}\.tmp$")
            self.assertEqual("out.md" in self.names(), bool(old))
            if old:
                self.assertEqual((self.folder / "out.md").read_bytes(), old)
            os.unlink(left)

    def test_4_2_a_signal_that_is_ignored_stays_ignored(self) -> None:
        process = self.slow(
            "out.md", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
        )
        process.send_signal(signal.SIGHUP)
        self.assertEqual(self.finish(process)[0], 0)
        self.assertEqual(check("in.md", "out.md", base=2, seed=1), ())

    def test_4_2_a_signal_that_is_ignored_is_not_caught(self) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        seen = []
        with mock.patch("oversample._run", lambda _: seen.append(signal.getsignal(signal.SIGHUP))):
            self.main("--base", "2", "-n", "in.md")
        self.assertEqual(seen, [signal.SIG_IGN])

    def test_4_2_a_signal_while_the_input_is_waited_for(self) -> None:
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), "--base", "2", "-", "out.md"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process.stdin as pipe:
            pipe.write(self.content)
            pipe.flush()
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(30), 130)
        self.assertEqual(process.stderr.read(), b"oversample: error: stopped by SIGINT\n")
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(self.names(), ["in.md"])

    def test_4_2_signals_are_let_go_of_when_the_command_ends(self) -> None:
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        self.main("--base", "2", "-n", "in.md")
        self.assertEqual([signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)], before)

    def test_4_2_a_signal_to_a_run_in_this_process(self) -> None:
        def stop(*_arguments) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)

        self.restore_signals()
        with mock.patch("os.fsync", stop):
            found = self.main("--base", "2", "in.md", "out.md")
        self.assertEqual(found, (143, "oversample: error: stopped by SIGTERM\n"))
        self.assertEqual(self.names(), ["in.md"])

    def test_4_2_outside_the_main_thread_signals_are_left_alone(self) -> None:
        import threading

        found = []
        thread = threading.Thread(
            target=lambda: found.append(oversample.main(["-q", "--base", "2", "in.md", "out.md"]))
        )
        thread.start()
        thread.join()
        self.assertEqual(found, [0])

    def test_3_3_of_two_runs_at_once_one_writes_and_the_other_is_told(self) -> None:
        runs = [self.slow("out.md"), self.slow("out.md")]
        found = sorted(self.finish(run) for run in runs)
        message = "oversample: error: out.md: appeared while this ran, and is left as it is\n"
        self.assertEqual([found[0][0], found[1]], [0, (1, message)])
        self.assertEqual(check("in.md", "out.md", base=2, seed=1), ())
        self.assertEqual(self.names(), ["in.md", "out.md"])

    def test_3_4_a_limit_on_the_size_of_files(self) -> None:
        def limit() -> None:
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

        for old in None, b"old":
            if old:
                self.write(old, "out.md")
            done = command("--base", "2", "-f", "in.md", "out.md", preexec_fn=limit)
            message = b"oversample: error: out.md: file too large\n"
            self.assertEqual((done.returncode, done.stdout, done.stderr), (1, b"", message))
            self.assertEqual(self.names(), ["in.md", "out.md"] if old else ["in.md"])

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_3_7_a_full_disk_behind_standard_output(self) -> None:
        with open("/dev/full", "wb") as full:
            done = command("--base", "2", "in.md", "-", stdout=full)
            message = b"oversample: error: <stdout>: no space left on device\n"
            self.assertEqual((done.returncode, done.stderr), (1, message))
            environment = {
                key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"
            }
            done = command("--help", stdout=full, env=environment)
            self.assertEqual(
                (done.returncode, done.stderr), (1, message.replace(b"<stdout>: ", b""))
            )
            done = command("--base", "2", "in.md", "out.md", stderr=full)
            self.assertEqual((done.returncode, done.stdout), (0, b""))
        self.assertEqual(check("in.md", "out.md", base=2), ())

    def test_3_7_standard_output_is_descriptor_1_alone(self) -> None:
        saved = os.dup(1)
        self.addCleanup(os.close, saved)
        self.addCleanup(os.dup2, saved, 1)
        for name, expected in (
            ("out.md", (0, "")),
            (
                "in.md",
                (1, "oversample: error: <stdout>: is the input itself; choose another file\n"),
            ),
        ):
            with open(name, "ab") as file:
                os.dup2(file.fileno(), 1)
                found = self.main("-q", "--base", "2", "in.md", "-")
            self.assertEqual(found, expected)
        os.dup2(saved, 1)
        self.assertEqual(check("in.md", "out.md", base=2), ())

    def test_4_2_what_cannot_be_said_does_not_stop_the_work(self) -> None:
        class Closed(io.StringIO):
            def flush(self) -> None:
                raise BrokenPipeError

        with mock.patch.object(sys, "stderr", Closed()):
            self.assertEqual(oversample.main(["--base", "2", "in.md", "out.md"]), 0)
            self.assertIsNot(type(sys.stderr), Closed)

    def test_4_2_the_numbers_of_closed_streams_are_held(self) -> None:
        # Or the file that is opened next is written to by whatever prints.
        with mock.patch.object(sys, "stdout", None), mock.patch.object(sys, "stderr", None):
            with mock.patch("os.open") as opened:
                oversample._hold_streams()
            self.assertEqual(opened.mock_calls, 2 * [mock.call(os.devnull, os.O_RDONLY)])
            print("nowhere", file=sys.stderr)
            self.assertIsNotNone(sys.stdout)

    def test_3_7_standard_output_closed_by_its_reader(self) -> None:
        self.write(pair("x" * 1_000_000, 5))
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), "--base", "2", "in.md", "-"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.stdout.close()
        self.assertEqual(process.stderr.read(), b"oversample: error: <stdout>: broken pipe\n")
        process.stderr.close()
        self.assertEqual(process.wait(30), 1)

    def test_4_2_standard_streams_that_are_closed(self) -> None:
        def shell(line: str) -> subprocess.CompletedProcess:
            run = f'"{sys.executable}" "{SCRIPT}" {line}'
            return subprocess.run(
                ["sh", "-c", run],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

        for line, status, message in [
            ("--base 2 in.md out1.md 2>&-", 0, b""),
            ("--base 2 in.md out2.md -q >&-", 0, b""),
            ("--base 2 in.md out3.md -q <&-", 0, b""),
            ("--base 2 in.md out4.md -q <&- >&- 2>&-", 0, b""),
            ("--base 2 in.md - >&-", 1, b"oversample: error: <stdout>: bad file descriptor\n"),
            ("--base 2 - out.md <&-", 1, b"oversample: error: <stdin>: bad file descriptor\n"),
            ("--base 2 in.md - <&- >&-", 1, b"oversample: error: <stdout>: bad file descriptor\n"),
            ("--base 2 in.md - <&- >&- 2>&-", 1, b""),
            ("--base 2 - - <&- >&-", 1, b"oversample: error: <stdin>: bad file descriptor\n"),
            ("--base 0 in.md out.md 2>&-", 2, b""),
            ("--base 0 in.md out.md 2>/dev/full", 2, b""),
            ("--help >&-", 0, b""),
        ]:
            if "/dev/full" in line and not os.path.exists("/dev/full"):
                continue
            with self.subTest(line=line):
                done = shell(line)
                self.assertEqual(
                    (done.returncode, done.stdout, done.stderr), (status, b"", message)
                )
        for number in range(1, 5):
            self.assertEqual(check("in.md", f"out{number}.md", base=2), ())

    def test_3_7_an_input_that_is_a_pipe(self) -> None:
        os.mkfifo("pipe")
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), "-q", "--base", "2", "pipe", "out.md"]
        )
        with open("pipe", "wb") as pipe:
            pipe.write(self.content)
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(check("in.md", "out.md", base=2), ())

    def test_4_2_a_signal_while_the_handlers_are_given_back_is_nothing(self) -> None:
        numbers = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
        before = {number: signal.getsignal(number) for number in numbers}
        for number, handler in before.items():
            self.addCleanup(signal.signal, number, handler)
        real = signal.signal

        def call(number, handler):
            if handler == before[number]:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(0.01)
            return real(number, handler)

        real(signal.SIGTERM, before.setdefault(signal.SIGTERM, signal.SIG_DFL))
        with mock.patch("signal.signal", call):
            # SIGTERM last would end this process: its own handler is given back only once.
            with mock.patch.dict(before, {signal.SIGTERM: None, signal.SIGHUP: None}):
                found = self.main("-q", "--base", "2", "in.md", "out.md")
        self.assertEqual(found, (0, ""))


class Cost(Case):
    """1.10. Work and memory are linear in the document, counted rather than timed."""

    # fmt: off
    HOSTILE = [
        b"QUESTION: a\n", b"ANSWER: a\n", b"OVERSAMPLE_WEIGHT: 3\n", b"OVERSAMPLE_WEIGHT: ", b"<END_OF_SET>", b"<!--", b"<!-- -->", b"<!-- x", b"-->", b"\n", b" ", b"x\n", b"x <!-- --> ",
        b"QUESTION: a\nAnswer: b\n", b"QUESTION: a\nANSWER: b\n", b"Question: a\n\n**ANSWER:** b\n<END OF SET>\n", b"**QUESTION:** a\n<END_OF_SET>\n", b"\r\nQUESTION:", pair() + b"\n", pair("a", 9) + b"\n",
        b"QUESTION: a\nANSWER: b\nOVERSAMPLE_WEIGHT: 3\nx\n", b"<", b"QUESTION:\n", b"7",
    ]
    # fmt: on
    HEADS = [
        b"",
        b"QUESTION: ",
        b"QUESTION: a\nANSWER: ",
        b"QUESTION: a\nANSWER: b\nOVERSAMPLE_WEIGHT: ",
        pair() + b"\n",
        b"<!--",
    ]

    def work(self, content: bytes) -> tuple[int, int]:
        """How many calls a parse makes, of Python's and C's functions, and how many bytes they search."""
        calls = scanned = 0

        class Watched(bytes):
            def find(self, what, start=0, end=None):
                nonlocal scanned
                at = super().find(what, start, end)
                scanned += (at if at >= 0 else len(self) if end is None else end) - start
                return at

            def count(self, what, start=0, end=None):
                nonlocal scanned
                scanned += (len(self) if end is None else end) - start
                return super().count(what, start, end)

        class Pattern:
            def __init__(self, pattern):
                self.pattern = pattern

            def __getattr__(self, name):
                def call(text, start=0, end=None):
                    end = len(content) if end is None else end
                    nonlocal scanned
                    found = getattr(self.pattern, name)(text, start, end)
                    if name == "finditer":
                        scanned += end - start
                    elif name == "search":
                        scanned += (found.end() if found else end) - start
                    elif found:
                        scanned += found.end() - start
                    return found

                return call

        def count(_frame, event, _argument):
            nonlocal calls
            calls += event in ("call", "c_call")

        with contextlib.ExitStack() as stack:
            for name in "INSIDE", "OUTSIDE", "BLANK", "TEXT", "WEIGHT_TEXT", "WEIGHT_DIGIT", "LINE":
                stack.enter_context(
                    mock.patch(f"oversample.{name}", Pattern(getattr(oversample, name)))
                )
            parser = oversample._Parser(Watched(content))
            before = sys.getprofile()
            sys.setprofile(count)
            try:
                parser.parse()
            except DocumentError:
                pass
            finally:
                sys.setprofile(before)
        return calls, scanned

    def test_1_10_twice_the_document_is_at_most_twice_the_work(self) -> None:
        for head in self.HEADS:
            for piece in self.HOSTILE:
                with self.subTest(head=head, piece=piece):
                    count = 4000 // len(piece) + 50
                    once, twice = (
                        self.work(head + piece * count),
                        self.work(head + piece * 2 * count),
                    )
                    self.assertLess(twice[0], 2.2 * once[0] + 300)
                    self.assertLess(twice[1], 2.2 * once[1] + 2000)
                    self.assertLess(twice[1], 30 * len(head + piece * 2 * count) + 2000)

    def test_1_10_errors_beyond_many_are_counted_and_not_kept(self) -> None:
        with mock.patch("oversample._Findings.__init__.__defaults__", (10,)):
            with self.assertRaises(DocumentError) as caught:
                parse(b"Question: b\n" + b"QUESTION: a\nANSWER : b\n" * 25)
            self.assertEqual(len(parse(b"x <!-- -->" * 30 + b"\n" + pair()).warnings), 10)
        self.assertEqual((len(caught.exception.problems), caught.exception.count), (10, 25))

    def test_1_10_a_document_is_not_copied_to_be_read(self) -> None:
        import tracemalloc

        content = pair() + b"\n<!-- " + bytes(10**6) + b"-->\n"
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        parse(content)
        self.assertLess(tracemalloc.get_traced_memory()[1], 10**5)

    def test_1_10_the_first_100_000_errors_are_kept(self) -> None:
        with self.assertRaises(DocumentError) as caught:
            parse(b"QUESTION:\n" + b"QUESTION: a\n" * 100_000)
        self.assertEqual(
            (len(caught.exception.problems), caught.exception.count), (100_000, 100_002)
        )

    def test_1_10_near_misses_are_looked_for_only_while_messages_are_kept(self) -> None:
        for content in b"QUESTION: a\nANSWER : b\n" * 25, b"Question: a <!-- -->\n" * 25 + pair():
            with mock.patch("oversample._Findings.__init__.__defaults__", (10,)):
                with mock.patch("oversample._resembles", return_value=oversample.NOTHING) as looked:
                    problems(content)
            self.assertEqual(looked.call_count, 10)


class Agreement(unittest.TestCase):
    """1. Two readings of the format, by two methods, agree."""

    def test_1_20_000_generated_documents_are_read_alike(self) -> None:
        accepted = 0
        for content in documents(seed=4, count=20_000):
            expected = second_reading(content)
            try:
                found = [(each.span, each.weight, each.line) for each in parse(content).pairs]
            except DocumentError as error:
                found = None
                self.assertTrue(error.problems)
                self.assertEqual(
                    sorted(error.problems, key=lambda row: row[0]), list(error.problems)
                )
                self.assertLessEqual(error.problems[-1][0], content.count(b"\n") + 1)
            self.assertEqual(found, expected, content)
            accepted += found is not None
        self.assertTrue(8_000 < accepted < 14_000, accepted)

    def test_1_the_second_reading_reads_the_sample(self) -> None:
        found = second_reading(SAMPLE.read_bytes())
        self.assertEqual(Counter(weight for _, weight, _ in found), {1: 2, 2: 6, 3: 9, 4: 7, 5: 4})
        self.assertEqual(found, list(parse(SAMPLE.read_bytes()).pairs))


class Readme(Case):
    """The README shows what the program prints."""

    TEXT = README.read_text(encoding="utf-8")
    BLOCKS = re.findall(
        r"^(?:<!-- shown: (\w+) -->\n)?```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE
    )

    SHOWN = [
        "report",
        "format",
        "mistake",
        "help",
        "good",
        "stale",
        "rows",
        "info",
        "long",
        "python",
        "script",
        "spark",
    ]

    def shown(self, name: str) -> str:
        (block,) = [text for title, _, text in self.BLOCKS if title == name]
        return block

    def test_the_readme_is_held_to_what_it_shows(self) -> None:
        self.assertEqual([title for title, *_ in self.BLOCKS], self.SHOWN)

    def test_the_first_sentence_is_that_of_the_program(self) -> None:
        self.assertEqual(self.TEXT.splitlines()[2], oversample.__doc__.splitlines()[0])

    def test_the_output_of_the_first_command_is_as_shown(self) -> None:
        commands = re.findall(r"^    python (.*)$", self.TEXT, re.MULTILINE)
        self.assertEqual(commands[1], "-m unittest")
        script, *arguments = commands[0].split()
        self.assertEqual(script, "oversample.py")
        shutil.copytree(HERE / "sources", "sources")
        status, text = self.main(*arguments)
        shown = self.shown("report")
        seed = re.search(r"seed (\d+)", shown)[1]
        self.assertEqual((status, re.sub(r"(seed )\d+", rf"\g<1>{seed}", text)), (0, shown))

    def test_the_help_is_as_shown(self) -> None:
        self.assertEqual(command("--help").stdout.decode(), self.shown("help"))

    def test_the_format_is_as_shown(self) -> None:
        (parsed,) = parse(self.shown("format").encode()).pairs
        self.assertEqual((parsed.weight, parsed.line), (4, 1))

    def test_the_mistake_is_told_as_shown(self) -> None:
        text = self.shown("format").replace("OVERSAMPLE_WEIGHT", "OVERSAMPLE WEIGHT")
        self.write(text.encode())
        self.assertEqual(self.main("--base", "2", "in.md", "out.md"), (1, self.shown("mistake")))

    def test_the_check_says_what_is_shown(self) -> None:
        self.write(document(1, 2))
        oversample.oversample("in.md", "out.md", base=2, seed=3)
        self.assertEqual(
            self.main("--check", "--base", "2", "in.md", "out.md"), (0, self.shown("good"))
        )
        self.write(document(1, 2).replace(b"b!", b"better!"))
        self.assertEqual(
            self.main("--check", "--base", "2", "in.md", "out.md"), (1, self.shown("stale"))
        )

    def test_the_lines_of_python_run_as_shown(self) -> None:
        self.write(document(1, 2))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(self.shown("python"), {})
        self.assertEqual(out.getvalue().split(), ["2", "6", str(os.path.getsize("out.md")), "42"])

    def test_the_table_names_everything_that_is_public(self) -> None:
        names = re.findall(r"^\| `(\w+)", self.TEXT, re.MULTILINE)
        self.assertEqual({*names, "Document", "Summary", "Difference"}, set(oversample.__all__))


class LastMile(Case):
    """The way to training that the README shows, run as it is printed."""

    shown = Readme.shown
    BLOCKS = Readme.BLOCKS
    FILES = "train.jsonl", "valid.jsonl"
    ODD = "Naïve “日本” 🙂\u2028\x85\x7f"  # what splitlines() and careless writers stumble over

    def written(self, block: str) -> str:
        """Run a block as a script of its own; return what it printed."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(block, {"__name__": "__main__"})
        return out.getvalue()

    def files(self) -> list[bytes]:
        return [self.folder.joinpath(name).read_bytes() for name in self.FILES]

    def rows(self, name: str) -> list[dict]:
        lines = (self.folder / name).read_bytes().split(b"\n")
        self.assertEqual(lines.pop(), b"")
        return [json.loads(line) for line in lines]

    def assert_rows(self, kind: str, plain) -> None:
        """Whatever the row, it holds each pair as often as it should, on one side of the split."""
        self.written(self.shown("rows").replace("seed = chat", f"seed = {kind}"))
        valid = [plain(row) for row in self.rows("valid.jsonl")]
        train = [plain(row) for row in self.rows("train.jsonl")]
        pairs = parse((self.folder / "in.md").read_bytes()).pairs
        texts = {(p.question.decode(), p.answer.decode()): p.weight for p in pairs}
        self.assertEqual(len(valid), 2)  # a tenth of 20
        self.assertEqual(
            Counter(train), Counter({t: 2**w for t, w in texts.items() if t not in valid})
        )

    def test_every_kind_of_row_is_written_split_and_read_back(self) -> None:
        content = document(*[1, 2, 3, 4, 5] * 4).replace(b"a!", f"{self.ODD} a!".encode())
        self.write(content)
        self.assert_rows("chat", lambda row: tuple(each["content"] for each in row["messages"]))
        self.assertEqual(
            [message["role"] for message in self.rows("train.jsonl")[0]["messages"]],
            ["user", "assistant"],
        )
        self.assert_rows("prompt", lambda row: (row["prompt"][:-1], row["completion"]))
        self.assert_rows("alpaca", lambda row: (row["instruction"] + row["input"], row["output"]))
        self.assert_rows(
            "text",
            lambda row: (row["text"][: row["start"] - 2], row["text"][row["start"] : row["end"]]),
        )
        self.assertIn(self.ODD.encode(), b"".join(self.files()))

    def test_rows_are_the_same_each_time_and_twins_stay_together(self) -> None:
        twin = document(1).replace(b"a!", b"another!")
        self.write(document(*[1] * 10) + b"\n" + twin)
        self.written(self.shown("rows"))
        before = self.files()
        self.written(self.shown("rows"))
        self.assertEqual(self.files(), before)
        train, valid = (
            {row["messages"][0]["content"] for row in self.rows(name)} for name in self.FILES
        )
        self.assertFalse(train & valid)
        self.assertEqual(train | valid, {f"{name}?" for name in "abcdefghij"})

    def test_short_answers_are_left_out_by_the_line_as_shown(self) -> None:
        content = document(1, 1, 1).replace(b"a!", b"a" * 399)
        self.write(content.replace(b"b!", b"b" * 400).replace(b"c!", b"c" * 400))
        head, parsed, tail = self.shown("rows").partition("pairs = document.pairs\n")
        self.assertTrue(parsed)
        self.written(head + parsed + self.shown("long") + tail)
        rows = self.rows("train.jsonl") + self.rows("valid.jsonl")
        self.assertEqual({len(row["messages"][1]["content"]) for row in rows}, {400})

    def test_the_entry_for_llama_factory_names_the_fields_of_a_chat_row(self) -> None:
        self.write(document(1, 1))
        self.written(self.shown("rows"))
        (entry,) = json.loads(self.shown("info")).values()
        tags, row = entry["tags"], self.rows(entry["file_name"])[0]
        turns = row[entry["columns"]["messages"]]
        self.assertEqual(
            [set(turn) for turn in turns], 2 * [{tags["role_tag"], tags["content_tag"]}]
        )
        roles = [turn[tags["role_tag"]] for turn in turns]
        self.assertEqual(roles, [tags["user_tag"], tags["assistant_tag"]])

    def test_the_script_writes_records_and_tells_mistakes_by_line(self) -> None:
        self.write(document(1, 5))
        text = self.written(self.shown("script"))
        (run,) = self.rows("runs.jsonl")
        self.assertEqual(text, f"5 copies of 2 pairs, seed {run['seed']}\n")
        written = self.folder.joinpath("out.md").read_bytes()
        options = {name: run[name] for name in ("base", "strip_weights", "seed")}
        oversample.oversample("in.md", "again.md", **options)
        self.assertEqual(self.folder.joinpath("again.md").read_bytes(), written)
        self.write(document(1, 5).replace(b"ANSWER: b", b"Answer: b"))
        err = io.StringIO()
        with contextlib.redirect_stderr(err), self.assertRaises(SystemExit) as stop:
            self.written(self.shown("script"))
        self.assertRegex(err.getvalue(), r"\Ain\.md:\d+: expected ANSWER: after QUESTION: ")
        self.assertEqual(stop.exception.code, "1 to mend in in.md; out.md is as it was")
        self.assertEqual(self.folder.joinpath("out.md").read_bytes(), written)
        self.write(document(1, 5))
        self.written(self.shown("script"))
        self.assertEqual(self.rows("runs.jsonl")[0], run)
        self.assertEqual(len(self.rows("runs.jsonl")), 2)

    def test_the_last_tenth_stands_earlier_too_as_said(self) -> None:
        made = resample(parse(SAMPLE.read_bytes()).pairs, base=2, seed=1)
        tenth = len(made) // 10
        earlier = {each.span for each in made[:-tenth]}
        again = sum(each.span in earlier for each in made[-tenth:])
        self.assertEqual((len(made), tenth, again), (340, 34, 34))
        text = " ".join(Readme.TEXT.split())
        said = f"the last tenth is {tenth}, and all {again} stand earlier"
        self.assertRegex(text, f"Of the {len(made)} copies that `--base 2 --seed 1` [^.]*{said}")

    def test_the_table_of_bases_is_right(self) -> None:
        spread = {1: 3, 2: 18, 3: 22, 4: 28, 5: 11}
        rules = [lambda w: 1, lambda w: w, lambda w: copies(w, 1.3), lambda w: copies(w, 2)]
        totals = [sum(pairs * rule(w) for w, pairs in spread.items()) for rule in rules]
        for w, pairs in spread.items():
            cells = [f"{r(w)}: {pairs * r(w) / t:.1%}" for r, t in zip(rules, totals)]
            self.assertIn(f"| {w} | {pairs} | {' | '.join(cells)} |\n", Readme.TEXT)
        self.assertIn(f"| copies | 82 | {' | '.join(f'{t:,}' for t in totals)} |\n", Readme.TEXT)

    def test_the_dry_run_tells_the_table_and_writes_nothing(self) -> None:
        self.write(document(1, 2, 3))
        (line,) = re.findall(
            r"^    python oversample.py (.*--dry-run.*)$", Readme.TEXT, re.MULTILINE
        )
        status, text = self.main(*line.split())
        self.assertEqual((status, self.names()), (0, ["in.md"]))
        self.assertTrue(text.startswith("weight   pairs   copies each"), text)

    def spark(self, partitions: int) -> tuple[str, list[tuple[str, bytes]]]:
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.shuffle.partitions", str(partitions))
        session = builder.config("spark.sql.adaptive.enabled", "false").getOrCreate()
        try:
            session.sparkContext.setLogLevel("ERROR")
            text = self.written(self.shown("spark"))
            files = len(list(self.folder.glob("copies.parquet/part-*")))
            self.assertEqual(files, partitions)
            rows = session.read.parquet("copies.parquet").orderBy("key").collect()
            self.assertEqual(len({row.key for row in rows}), len(rows))
            return text, [(row.path.rpartition("/")[2], bytes(row.span)) for row in rows]
        finally:
            session.stop()
            shutil.rmtree("copies.parquet", ignore_errors=True)

    @unittest.skipUnless(importlib.util.find_spec("pyspark"), "pyspark is not installed")
    def test_spark_gives_the_copies_of_the_command_in_an_order_of_its_own(self) -> None:
        shutil.copy(SCRIPT, ".")
        os.mkdir("corpus")
        odd = document(1, 3).replace(b"a!", b"\xff\x00\xe9 a!").replace(b"\n", b"\r\n")
        for name, content in {"one": SAMPLE.read_bytes(), "odd": odd, "twin": odd}.items():
            self.write(content, f"corpus/{name}.md")
        self.write(document(1).replace(b"ANSWER", b"Answer"), "corpus/bad.md")
        expected = Counter()
        for name in "one", "odd", "twin":
            oversample.oversample(f"corpus/{name}.md", "out.md", base=2, overwrite=True)
            pairs = parse(self.folder.joinpath("out.md").read_bytes()).pairs
            expected += Counter((f"{name}.md", each.span) for each in pairs)
        with mock.patch.dict(os.environ, PYSPARK_PYTHON=sys.executable):
            text, rows = self.spark(2)
            self.assertEqual(self.spark(7), (text, rows))
        self.assertEqual(Counter(rows), expected)
        self.assertRegex(text, r"\A\S+/bad\.md:5: expected ANSWER: after QUESTION: [^\n]+\n\Z")


# The second reading -----

BOM = b"\xef\xbb\xbf"
QUESTION = b"QUESTION:"
ANSWER = b"ANSWER:"
WEIGHT = b"OVERSAMPLE_WEIGHT:"
END = b"<END_OF_SET>"
OPEN = b"<!--"
CLOSE = b"-->"

# Where the reading stands, and the one marker that may open a line there. Inside
# a comment nothing is a marker; behind the weight only END may follow.
NEXT_MARKER = {"outside": QUESTION, "question": ANSWER, "answer": WEIGHT, "weight": END}


def second_reading(document: bytes) -> list[tuple[bytes, int, int]] | None:
    """Return (span, weight, line) of every pair, None where the document is refused."""
    pairs = []
    state = "outside"
    text = b""  # what the current part (question, answer or weight) holds so far
    span_start = span_line = 0
    line_start = 0
    for number, line in enumerate(document.split(b"\n"), start=1):
        at = len(BOM) if number == 1 and line.startswith(BOM) else 0

        marker = marker_at(line, at)
        if marker and state != "comment":
            if marker != NEXT_MARKER[state]:
                return None
            if state in ("question", "answer") and not text.strip():
                return None
            if marker == QUESTION:
                span_start, span_line = line_start + at, number
            state = {QUESTION: "question", ANSWER: "answer", WEIGHT: "weight"}[marker]
            text = b""
            at += len(marker)

        # One turn for each comment or pair that begins or ends on this line.
        while True:
            if state == "comment":
                close = line.find(CLOSE, at)
                if close < 0:
                    break
                state, at = "outside", close + len(CLOSE)
            elif state == "outside":
                before, opened, _ = line[at:].partition(OPEN)
                if END in before:
                    return None
                if not opened:
                    break
                state, at = "comment", at + len(before) + len(OPEN)
            else:
                before, ended, _ = line[at:].partition(END)
                text += before
                if not ended:
                    text += b"\n"
                    break
                weight = weight_of(text) if state == "weight" else None
                if weight is None:
                    return None
                at += len(before) + len(END)
                pairs.append((document[span_start : line_start + at], weight, span_line))
                state = "outside"
        line_start += len(line) + 1
    return pairs if pairs and state == "outside" else None


def marker_at(line: bytes, at: int) -> bytes | None:
    """Return the marker whose first byte is line[at], None where there is none."""
    for marker in (QUESTION, ANSWER, WEIGHT):
        if line.startswith(marker, at):
            return marker
    return None


def weight_of(text: bytes) -> int | None:
    """Return the weight in the text between its marker and END, None if it is none."""
    # Only blanks and tabs come before the digit: it stands on its marker's own line.
    value = text.lstrip(b" \t")
    if value[:1] in (b"1", b"2", b"3", b"4", b"5") and not value[1:].strip():
        return int(value[:1])
    return None


# Text that may stand anywhere in a line, inside a pair, without being a marker.
# fmt: off
INLINE = [
    b"a", b"x y", b"4", b" ", b"  ", b"\t", b"\r", b"\f", b"\v", b"\x00", b"\xff\xfe", b"\xe2\x80",
    b"\x85", b"\xa0", b"\xe2\x80\xa8", b"\x1c", BOM, "\u201cq\u201d".encode(), "\u0664".encode(),
    b"<!--", b"-->", b"<!-->", b"<!--->", b"<!-- c -->", b"--", b">", b"<", b"<END_OF_SET",
    b"END_OF_SET>", b"<END OF SET>", b"<end_of_set>", b"<END_OF_SET >", b"Question: ", b"question:",
    b"QUESTION :", b"QUESTION", b":", b"**ANSWER:**", b"Answer:", b"ANSWER ", b"ANSWERS:",
    b"OVERSAMPLE WEIGHT: 3", b"OVERSAMPLE_WEIGHT 3", b"OVERSAMPLE_WEIGHT", b"WEIGHT: 3",
    b"# QUESTION: t", b" QUESTION: t", b"\tANSWER: t", b"  OVERSAMPLE_WEIGHT: 2", b"t QUESTION:",
    b"t ANSWER: t", b"t OVERSAMPLE_WEIGHT: 1", b"\rQUESTION: t", b"\rANSWER: t", b"\fANSWER: t",
    b"\vQUESTION:", b"\rOVERSAMPLE_WEIGHT: 5", BOM + b"QUESTION: t", BOM + b"ANSWER: t",
]
# fmt: on
SPACES = [b" ", b"\t", b"\r", b"\f", b"\v", b"\n", b"\r\n", b"\n\n", b" \n", b"\t\n"]
# fmt: off
COMMENTS = [
    b"<!---->", b"<!-->-->", b"<!--->-->", b"<!-- c -->", b"<!--\n-->", b"<!--\n\n-->",
    b"<!-- <!-- -->", b"<!--<!---->", b"<!-- c --><!-- d -->", b"<!--\nQUESTION: a\n-->",
    b"<!--\nANSWER: a\n-->", b"<!-- <END_OF_SET> -->",
    b"<!--\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>-->",
    b"<!--\nQUESTION: a\nANSWER: b\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>\n-->",
    b"<!-- c --> QUESTION: a", b"<!-- c -->QUESTION: a", b"<!--\n-->ANSWER: a",
    b"<!-- c -->OVERSAMPLE_WEIGHT: 3", b"--><!-- c -->", b"<!<!---->", b"<!-- - -- -> --->",
    b"t <!-- c --> t",
]
# fmt: on
# What INLINE holds is safe outside pairs too, but for what opens a comment there.
STRAY = [piece for piece in INLINE if OPEN not in piece]
# fmt: off
WEIGHTS = [
    b"4", b" 4 ", b"\t4", b"4\r", b" 1", b" 2", b" 3\t", b" 5", b"4\f", b"4\v", b" \t 2 \t ",
    b" 3\r\r", b" 4 \n", b"1\n\n", b"5\n\v\n", b" 2\r\n\f",
]
BAD_WEIGHTS = [
    b"", b" ", b"44", b"0", b"6", b"04", b"4.0", "\u0664".encode(), b"+4", b"-1", b"4 4", b"4x",
    b"x4", b"\n4", b" \n 4", b"\r4", b"\f4", b"\v4", b"4\x00", b"4\xa0", b"4\x85", b"4\x1c",
    b"4\n4", b"4 <!-- c -->", b"4\nt", b"\r\n4", b"=4", b":4", b"\xc2\xb2", BOM + b"4",
]
# fmt: on
LINE_ENDS = [
    (b"\n", b""),
    (b"\n", b"\r"),
    (b"\n", b"\r\n"),
    (b"\r\n", b"\n"),
    (b"\n\n", b"\n"),
]
MARKERS = [QUESTION, ANSWER, WEIGHT, END, OPEN, CLOSE, BOM]


def documents(seed: int, count: int) -> Iterator[bytes]:
    """Yield generated documents, the same for the same seed: valid ones, and mutants of them."""
    rng = random.Random(seed)
    last = b""
    for _ in range(count):
        chunks = valid_chunks(rng)
        if rng.random() < 0.3:
            yield b"".join(chunks)
            continue
        if rng.random() < 0.5:
            mutate_chunks(rng, chunks)
            document = b"".join(chunks)
        else:
            document = b"".join(chunks)
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                document = mutate_bytes(rng, document, last)
        last = document
        yield document


def valid_chunks(rng: random.Random) -> list[bytes]:
    """Return a valid document in chunks: markers, texts, weights, line ends and gaps."""
    end = b"\r\n" if rng.random() < 0.2 else b"\n"
    chunks = [BOM] if rng.random() < 0.15 else []
    if rng.random() < 0.3:
        chunks += [gap(rng), end]
    pairs = rng.choice((1, 1, 1, 2, 2, 3, 4, 6))
    for left in range(pairs - 1, -1, -1):
        pair = [QUESTION, part(rng, end), end, ANSWER, part(rng, end), end]
        pair += [WEIGHT, rng.choice(WEIGHTS), rng.choice((b"", end, end, end)), END]
        if rng.random() < 0.08:
            # A byte-identical neighbour is a pair of its own.
            chunks += [*pair, end]
        chunks += pair
        if left or rng.random() < 0.7:
            chunks += [gap(rng) if rng.random() < 0.5 else b"", end]
    return chunks


def part(rng: random.Random, end: bytes) -> bytes:
    """Return a question or an answer: never only white space."""
    pieces = rng.choices(INLINE, k=rng.choice((0, 1, 1, 2, 3)))
    while rng.random() < 0.35:
        pieces.insert(rng.randrange(len(pieces) + 1), end)
    pieces.insert(rng.randrange(len(pieces) + 1), b"t")
    return b" " + b"".join(pieces)


def gap(rng: random.Random) -> bytes:
    """Return what may stand between pairs: white space, comments and stray text."""
    kinds = (SPACES, SPACES, COMMENTS, COMMENTS, STRAY)
    return b"".join(rng.choice(rng.choice(kinds)) for _ in range(rng.choice((1, 1, 2, 3))))


def anything(rng: random.Random) -> bytes:
    return rng.choice(rng.choice((MARKERS, MARKERS, INLINE, SPACES, COMMENTS, BAD_WEIGHTS)))


def mutate_chunks(rng: random.Random, chunks: list[bytes]) -> None:
    """Delete, double, swap, insert, replace or empty a chunk; or spoil a weight."""
    at = rng.randrange(len(chunks))
    kind = rng.randrange(9)
    if kind == 0:
        del chunks[at]
    elif kind == 1:
        chunks.insert(at, chunks[at])
    elif kind == 2:
        other = rng.randrange(len(chunks))
        chunks[at], chunks[other] = chunks[other], chunks[at]
    elif kind == 3:
        chunks.insert(at, anything(rng))
    elif kind == 4:
        chunks[at] = anything(rng)
    elif kind == 5:
        chunks[chunks.index(WEIGHT) + 1] = rng.choice(BAD_WEIGHTS + WEIGHTS)
    elif kind == 6:
        # A question or an answer with nothing in it, or nearly nothing.
        marker = chunks.index(rng.choice((QUESTION, ANSWER)))
        blank = b"".join(rng.choices(SPACES, k=rng.randrange(3)))
        chunks[marker + 1] = blank + rng.choice((b"", b"", b"\x00", b"\xa0", b"\x1c", BOM))
    elif kind == 7:
        chunks[at] = rng.choice(SPACES) + chunks[at]
    else:
        chunks[at] += rng.choice(SPACES)


def mutate_bytes(rng: random.Random, document: bytes, other: bytes) -> bytes:
    """Change a line, a byte or a stretch, or the line ends; truncate; or splice with other."""
    at = rng.randrange(len(document) + 1)
    kind = rng.randrange(14)
    if kind < 5:
        lines = document.split(b"\n")
        line = rng.randrange(len(lines))
        if kind == 0:
            del lines[line]
        elif kind == 1:
            lines.insert(line, rng.choice(lines))
        elif kind == 2:
            target = rng.randrange(len(lines))
            lines[line], lines[target] = lines[target], lines[line]
        elif kind == 3:
            lines[line] = anything(rng)
        else:
            lines.insert(line, anything(rng) + rng.choice((b"", b"t")))
        return b"\n".join(lines)
    if kind == 5:
        return document[:at] + document[at + 1 :]
    if kind == 6:
        return document[:at] + rng.choice(SPACES) + document[at:]
    if kind == 7:
        return document[:at] + bytes([rng.randrange(256)]) + document[at + 1 :]
    if kind == 8:
        return document[:at] + anything(rng) + document[at:]
    if kind == 9:
        return document[:at] + document[at + rng.randrange(40) :]
    if kind == 10:
        return document[:at] if rng.random() < 0.5 else document[at:]
    if kind == 11:
        return document[:at] + other[rng.randrange(len(other) + 1) :]
    if kind == 12:
        old, new = rng.choice(LINE_ENDS)
        return document.replace(old, new, rng.choice((1, 2, -1)))
    return other + rng.choice((b"", b"\n", b" ")) + document


# Orders and outputs of fixed seeds: they never change.
GOLDEN = ["baacccccbcbbcc", "cccbcacbcbbcca", "cccacccbbccbba"]
DIGESTS = {
    (2, 1, False): "5839aa03e085d06dfd47a83b702a39a881aeed0f870b932f3b8f67209f97122c",
    (1.3, 2**64 - 1, False): "59aaac26d5f97f154024d53375adff625b3689c8e8ca794d06c77e5fa43efa4a",
    (2, 1, True): "3e614ac3052ceddcc1c5785b6e0c60762111931a027dfe55a175435ad0b1d6c8",
}


if __name__ == "__main__":
    unittest.main()
