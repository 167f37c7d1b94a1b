"""What oversample promises, as tests. Each test names the clause it holds.

    python -m unittest

needs nothing but Python. Properties are tested on generated documents, against a
second reading of the format that shares no code with the first.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
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
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import unittest
from collections import Counter, namedtuple
from collections.abc import Iterator
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from unittest import mock

import oversample
from oversample import Document, DocumentError, QAPair, check, copies, parse, resample

HERE = pathlib.Path(oversample.__file__).resolve().parent
SCRIPT = HERE / "oversample.py"
SAMPLE = HERE / "sources" / "v2" / "v_2_1" / "tier_s_examples_master_document.md"
README = HERE / "README.md"
POSIX = os.name == "posix"


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
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        self.folder = pathlib.Path(folder.name)

    def write(self, content: bytes, name: str = "in.md") -> pathlib.Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def main(self, *arguments: str, encoding: str = "utf-8") -> tuple[int, str]:
        """The exit status and what was printed for people; nothing else may be printed."""
        err = io.TextIOWrapper(io.BytesIO(), encoding, "backslashreplace", write_through=True)
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(err):
            status = oversample.main(arguments)
        self.assertEqual(out.getvalue(), "")
        return status, err.buffer.getvalue().decode(encoding)

    def names(self) -> list[str]:
        return sorted(os.listdir(self.folder))


PAIR, OTHER = pair("a").decode(), pair("b").decode()  # six lines each
Q, A, W, E = "QUESTION: a", "ANSWER: b", "OVERSAMPLE_WEIGHT: 3", "<END_OF_SET>"
HEAD = "QUESTION: a\n\nANSWER: b\n"

# fmt: off
# Accepted, the whole of it one pair: (what it shows, document).
ACCEPTED = [
    ("1.1 a marker in mid-line is text", "QUESTION: QUESTION: x ANSWER: y\n\nANSWER: OVERSAMPLE_WEIGHT: 9\nsee QUESTION:\nOVERSAMPLE_WEIGHT: 1\n<END_OF_SET>"),
    ("1.1 a marker spelled otherwise is text", HEAD + "Question: c\n**ANSWER:** d\n ANSWER: e\nQUESTION : f\nOVERSAMPLE_WEIGHT 4\n<END OF SET>\n</END_OF_SET>\n" + W + "\n" + E),
    ("1.2 the end may share the line of the weight", HEAD + "OVERSAMPLE_WEIGHT: 3<END_OF_SET>"),
    ("1.2 the end may stand in mid-line", HEAD + "OVERSAMPLE_WEIGHT: 3\n\t <END_OF_SET>"),
    ("1.3 paragraphs", "QUESTION:\n\na\n\nb\nANSWER:\n\nc\n\nd\nOVERSAMPLE_WEIGHT:5\n\n \t\n<END_OF_SET>"),
    ("1.3 texts may touch their markers", "QUESTION:a\nANSWER:b\nOVERSAMPLE_WEIGHT:2<END_OF_SET>"),
    ("1.3 what is not ASCII white space is text", "QUESTION:\u00a0\nANSWER:\x00\n" + W + "\n" + E),
    ("1.3 white space of every kind before the end", HEAD + "OVERSAMPLE_WEIGHT: 3 \t\r\f\v\n\f\v\r\n <END_OF_SET>"),
    ("1.4 blanks and tabs around the weight", HEAD + "OVERSAMPLE_WEIGHT: \t 4 \t \n<END_OF_SET>"),
    ("1.6 a comment in a pair is text", "QUESTION: <!-- a\n\nANSWER: b -->\n<!-- <!--\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>"),
]

# Refused: (what it shows, document, [(line, message)]).
REFUSED = [
    ("1.3 a marker is missing", f"\n{Q}\n{W}\n{E}\n{Q}\n{A}\n{E}\n{Q}\n{A}\n{W}\n\n{PAIR}\n{Q}\n{A}\n{W}\n\n", [(3, "expected ANSWER: after QUESTION: (line 2), found OVERSAMPLE_WEIGHT:"), (7, "expected OVERSAMPLE_WEIGHT: after ANSWER: (line 6), found <END_OF_SET>"), (12, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 10), found QUESTION:"), (21, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 20), found the end of the document")]),
    ("1.3 a marker twice", f"{Q}\n{Q}\n{A}\n{W}\n{E}\n{Q}\n{A}\n{A}\n{W}\n{E}\n{Q}\n{A}\n{W}\n{W}\n{E}\n{PAIR}\n{E}", [(2, "expected ANSWER: after QUESTION: (line 1), found QUESTION:"), (8, "expected OVERSAMPLE_WEIGHT: after ANSWER: (line 7), found ANSWER:"), (14, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 13), found OVERSAMPLE_WEIGHT:"), (22, "expected QUESTION: after <END_OF_SET> (line 21), found <END_OF_SET>")]),
    ("1.3 question and answer change places", f"{A}\n{Q}\n{W}\n{E}", [(1, "expected QUESTION: first, found ANSWER:"), (3, "expected ANSWER: after QUESTION: (line 2), found OVERSAMPLE_WEIGHT:")]),
    ("1.2 an end in mid-word", f"{Q}\nANSWER: b{E}{W}\n{E}", [(2, "expected OVERSAMPLE_WEIGHT: after ANSWER: (line 2), found <END_OF_SET>"), (3, "expected QUESTION: after <END_OF_SET> (line 2), found <END_OF_SET>")]),
    ("1.2 an end in the question", f"QUESTION: a {E} b\n{A}\n{W}\n{E}", [(1, "expected ANSWER: after QUESTION: (line 1), found <END_OF_SET>"), (2, "expected QUESTION: after <END_OF_SET> (line 1), found ANSWER:")]),
    ("1.3 a blank text", f"QUESTION:\n\n{A}\n{W}\n{E}\n{Q}\nANSWER: \t\r\f\v\n{W}\n{E}\n{Q}\nANSWER:\n{PAIR}\nQUESTION:<END_OF_SET>", [(1, "expected text after QUESTION:, found ANSWER:"), (7, "expected text after ANSWER:, found OVERSAMPLE_WEIGHT:"), (11, "expected text after ANSWER:, found QUESTION:"), (18, "expected text after QUESTION:, found <END_OF_SET>")]),
    ("1.3 text or a comment behind the weight", f"{Q}\n{A}\n{W}\n\n  so\nthere\n{E}\n{HEAD}OVERSAMPLE_WEIGHT: 3 stars\n{E}\n{HEAD}OVERSAMPLE_WEIGHT: 3<!-- x -->{E}", [(5, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 3), found 'so'"), (11, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 11), found 'stars'"), (16, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 16), found '<!-- x -->'")]),
    ("1.3 an end misspelt behind the weight", f"{HEAD}OVERSAMPLE_WEIGHT: 3 <END OF SET>\n{PAIR}", [(4, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 4), found '<END OF SET>'")]),
    ("1.4 a bad weight before what is wrong behind it", f"{HEAD}OVERSAMPLE_WEIGHT: 9 so\n<END OF SET>\n{PAIR}", [(4, "expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found '9 so'")]),
    ("1.6 a marker outside", f"{PAIR}\n{W}\n{OTHER}", [(7, "expected QUESTION: after <END_OF_SET> (line 6), found OVERSAMPLE_WEIGHT:")]),
    ("1.6 a comment that never closes", f"{PAIR}\n<!-- a\n{Q}\n--", [(7, "expected --> after <!--, found the end of the document")]),
    ("1.6 a comment does not close itself", f"<!-->\n{PAIR}", [(1, "expected --> after <!--, found the end of the document")]),
    ("1.6 a comment in a comment", f"<!-- open\n{PAIR}\n<!-- x -->\n{OTHER}", [(1, "expected --> after <!--, found another <!-- (line 8)")]),
    ("1.6 reading goes on behind a comment in a comment", f"<!-- <!---->{A}\n{Q}\n{E}<!-- <!-- --> <!--<!---->\n{E}", [(1, "expected --> after <!--, found another <!-- (line 1)"), (3, "expected ANSWER: after QUESTION: (line 2), found <END_OF_SET>"), (3, "expected --> after <!--, found another <!-- (line 3)"), (3, "expected --> after <!--, found another <!-- (line 3)"), (4, "expected QUESTION: after <END_OF_SET> (line 3), found <END_OF_SET>")]),
    ("1.6 a comment behind a stray end is a comment", f"{E}\n<!--\n{A}\n-->\n{PAIR}", [(1, "expected QUESTION: first, found <END_OF_SET>")]),
    ("1.8 a section is one error, its first fault", f"{E}\n{Q}\n{W}\n{A}\n{E}\nQUESTION:\nOVERSAMPLE_WEIGHT: 9\nx\n{E}\n{Q}\n{A}\nOVERSAMPLE_WEIGHT: 9\nx\n{Q}\n{A}\n{W}\nx\n{A}\n{E}\n<!--", [(1, "expected QUESTION: first, found <END_OF_SET>"), (3, "expected ANSWER: after QUESTION: (line 2), found OVERSAMPLE_WEIGHT:"), (6, "expected text after QUESTION:, found OVERSAMPLE_WEIGHT:"), (12, "expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found '9'"), (17, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 16), found 'x'"), (20, "expected --> after <!--, found the end of the document")]),
    ("1.8 a section ends before the next question", f"{A}\n{W}\n{PAIR}\n{A}\n{Q}", [(1, "expected QUESTION: first, found ANSWER:"), (9, "expected QUESTION: after <END_OF_SET> (line 8), found ANSWER:"), (10, "expected ANSWER: after QUESTION: (line 10), found the end of the document")]),
    ("1.9a behind a byte order mark", f"\ufeffQuestion: a^b\n{A}\n{W}\n{E}", [(1, "expected QUESTION: first, found 'Question: a^b'")]),
    ("1.9a behind an end on the same line", f"{PAIR} QUESTION: c\n{A}", [(6, "expected QUESTION: after <END_OF_SET> (line 6), found ' QUESTION: c'")]),
    ("1.9a before an end on the same line", f"{Q}\nAnswer: b{E}", [(2, "expected ANSWER: after QUESTION: (line 1), found 'Answer: b'")]),
    ("1.9a the first of several", f"{Q}\nso\n  Answer: b  \n*Answer: c*\n{W}\n{E}", [(3, "expected ANSWER: after QUESTION: (line 1), found '  Answer: b'")]),
    ("1.9a a misspelt end goes before other text", f"{Q}\n{A}\nOVERSAMPLE_WEIGHT: 3 so\nso\n</END_OF_SET>\n{W}\n{E}", [(5, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 3), found '</END_OF_SET>'")]),
    ("1.9a not where the end is there", f"{Q}\n{A}\n{W}\nso\n<END OF SET>\n{E}", [(4, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 3), found 'so'")]),
    ("1.9a only the marker that is due", f"{Q}\nQuestion: c\n<END OF SET>\nOversample weight: 3\n{W}\n{E}", [(5, "expected ANSWER: after QUESTION: (line 1), found OVERSAMPLE_WEIGHT:")]),
    ("1.9a only if the marker is missing", f"{Q}\nAnswer: c\n{A}\n{E}", [(4, "expected OVERSAMPLE_WEIGHT: after ANSWER: (line 3), found <END_OF_SET>")]),
    ("1.9a not behind a marker on its line", f"QUESTION: Answer: b\n{W}\n{E}", [(2, "expected ANSWER: after QUESTION: (line 1), found OVERSAMPLE_WEIGHT:")]),
    ("1.9a not in a comment", f"{PAIR}\n<!--\nQuestion: a\n-->\n{A}", [(10, "expected QUESTION: after <END_OF_SET> (line 6), found ANSWER:")]),
    ("1.9a one alone of another marker changes nothing", f"{PAIR}\nAnswer: b\n{W}\n{E}", [(8, "expected QUESTION: after <END_OF_SET> (line 6), found OVERSAMPLE_WEIGHT:")]),
    ("1.9b a pair in bold", "**QUESTION:** a\n\n**ANSWER:** b\n\n**OVERSAMPLE_WEIGHT: 3**\n**END_OF_SET**\n", [(1, "expected QUESTION:, found '**QUESTION:** a'"), (3, "expected ANSWER:, found '**ANSWER:** b'"), (5, "expected OVERSAMPLE_WEIGHT:, found '**OVERSAMPLE_WEIGHT: 3**'"), (6, "expected <END_OF_SET>, found '**END_OF_SET**'")]),
    ("1.9b before a question, whose section is read", f"{PAIR}\nso\n Question: c\nAnswer: b\n{Q}\n{E}", [(8, "expected QUESTION:, found ' Question: c'"), (9, "expected ANSWER:, found 'Answer: b'"), (11, "expected ANSWER: after QUESTION: (line 10), found <END_OF_SET>")]),
    ("1.9b before another marker, whose section belongs to it", f"Question: c\nAnswer: b\n{W}\n{A}\n{E}\n{Q}\n{E}", [(1, "expected QUESTION:, found 'Question: c'"), (2, "expected ANSWER:, found 'Answer: b'"), (7, "expected ANSWER: after QUESTION: (line 6), found <END_OF_SET>")]),
    ("1.9b each such line, repeated ones too", f"Answer: b\nx\nQuestion: c\nANSWR: d\n{PAIR}", [(1, "expected ANSWER:, found 'Answer: b'"), (3, "expected QUESTION:, found 'Question: c'"), (4, "expected ANSWER:, found 'ANSWR: d'")]),
    ("1.9b comments are passed over", f"{PAIR}\nQuestion: c\n<!-- {OTHER} -->ANSWER: d\n{OTHER}", [(7, "expected QUESTION:, found 'Question: c'"), (13, "expected ANSWER:, found 'ANSWER: d'")]),
    ("1.9b a faulty comment is passed over too", f"Question: c\n<!-- <!-- -->\nAnswer: d\n{PAIR}", [(1, "expected QUESTION:, found 'Question: c'"), (2, "expected --> after <!--, found another <!-- (line 2)"), (3, "expected ANSWER:, found 'Answer: d'")]),
    ("1.9b behind a broken section", f"{Q}\n{E}Question: c\n<END OF SET>\n", [(2, "expected ANSWER: after QUESTION: (line 1), found <END_OF_SET>"), (2, "expected QUESTION:, found 'Question: c'"), (3, "expected <END_OF_SET>, found '<END OF SET>'")]),
    ("1.11 nothing", "", [(1, "expected a pair, QUESTION: to <END_OF_SET>, found an empty document")]),
    ("1.11 white space alone", "\ufeff \r\n\n\t\f\v", [(1, "expected a pair, QUESTION: to <END_OF_SET>, found an empty document")]),
    ("1.8 text alone", "\nDear all,\n", [(1, "expected a pair, QUESTION: to <END_OF_SET>, found none")]),
    ("1.9 far in a line", f"{Q}\n{' ' * 72}Answer:{' ' * 99}b\n{W}\n{E}", [(2, f"expected ANSWER: after QUESTION: (line 1), found '{' ' * 47}...'")]),
    ("1.9 far behind a marker, and before one", f"{Q}\n{'x' * 65_000}\nAnswer: b\n{'x' * 600_000}\n{W}\n{E}", [(3, "expected ANSWER: after QUESTION: (line 1), found 'Answer: b'")]),
    ("1.9 far behind a marker, outside", f"{PAIR}\n<!--{'x' * 99_000}-->\n{'x' * 65_000}\nQuestion: a\nAnswer: b\n", [(9, "expected QUESTION:, found 'Question: a'"), (10, "expected ANSWER:, found 'Answer: b'")]),
    *((f"1.10 100 errors are kept, and a row that reading stopped: {count}", f"{Q}\n" * count, [*((n + 1, f"expected ANSWER: after QUESTION: (line {n}), found QUESTION:") for n in range(1, min(count, 101))), last])
      for count, last in ((100, (100, "expected ANSWER: after QUESTION: (line 100), found the end of the document")), (101, (101, "reading stopped here, after 100 errors")), (999, (102, "reading stopped here, after 100 errors")))),
    ("1.10 a row that reading stopped, among misspelt lines", "Question: a\nAnswer: b\n" * 99, [*((n, "expected " + ("QUESTION:, found 'Question: a'" if n % 2 else "ANSWER:, found 'Answer: b'")) for n in range(1, 101)), (101, "reading stopped here, after 100 errors")]),
]

# Accepted with warnings: (what it shows, document, [(line, message)]).
WARNED = [
    ("1.6 white space, a byte order mark, comments", f"\ufeff \n{PAIR} \n<!-- {PAIR}\n{Q}\n{E} --><!---->\n\n{OTHER} <!-- QUESTION: --> \n<!--\n-->\t<!-- <!- !-- --!> <! -->", []),
    ("1.6 a comment that closes in an opening", f"<!-- <!--->\n{PAIR}<!-- <!-->", []),
    ("1.6 text in four places", f"# Title\n\n{PAIR} tail\n\n one\ntwo\n\n<!-- x --> three\n{OTHER}\nlast\nline", [(1, "text outside any pair is not copied: '# Title'"), (8, "text outside any pair is not copied: 'tail' and 3 more lines"), (13, "text outside any pair is not copied: 'three'"), (20, "text outside any pair is not copied: 'last' and 1 more line")]),
    ("1.6 what cannot be seen is escaped, a byte order mark that does not lead, too", f"x\ty\x1b[2J\x00\u202e\x85 'é'\n{PAIR}\n\ufeff\n", [(1, "text outside any pair is not copied: 'x\\ty\\x1b[2J\\x00\\u202e\\x85 'é''"), (8, "text outside any pair is not copied: '\\ufeff'")]),
    ("1.6 of a long line the beginning is quoted", f"{'xy' * 200}\n{PAIR}", [(1, "text outside any pair is not copied: 'xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyx...'")]),
    ("1.6 of 50 characters nothing is cut, of 51 four", f"{'🙂' * 50}\n<!-- -->{'🙂' * 51}\n{PAIR}", [(1, f"text outside any pair is not copied: '{'🙂' * 50}'"), (2, f"text outside any pair is not copied: '{'🙂' * 47}...'")]),
    ("1.7 the same pair; the same question, whatever else differs", f"{PAIR}\n{OTHER}\n{PAIR}\n{Q}\n{A}\n{W}{E}\nQUESTION:\n\n a?\n \nANSWER: c\nOVERSAMPLE_WEIGHT: 5{E}", [(13, "this pair has the same question as that of line 1; both are copied"), (22, "this pair has the same question as that of line 1; both are copied")]),
    ("1.7 another question is another pair", f"{PAIR}\n{PAIR.replace('a?', 'a ?')}", []),
    ("1.7 half of the pairs", f"{PAIR}\n{PAIR}", [(7, "1 of 2 pairs repeat an earlier question, first that of line 1: is this document an output?")]),
    ("1.7 more than half of the pairs", f"{OTHER}\n{PAIR}\n{PAIR}\n{OTHER}\n{PAIR}", [(13, "3 of 5 pairs repeat an earlier question, first that of line 7: is this document an output?")]),
    ("1.7 thousands of pairs", f"{PAIR}\n" * 1001, [(7, "1,000 of 1,001 pairs repeat an earlier question, first that of line 1: is this document an output?")]),
    ("1.7 warnings of every kind in order of line", f"{PAIR}\nx\n{OTHER}\n{PAIR}\ny\n", [(7, "text outside any pair is not copied: 'x'"), (14, "this pair has the same question as that of line 1; both are copied"), (20, "text outside any pair is not copied: 'y'")]),
    ("1.9 the first misspelt marker of several alike", f"{PAIR}\nx\n  Answer: b\n\nanswer: c\n", [(7, "text outside any pair is not copied: 'x' and 3 more lines; line 8 looks like ANSWER:")]),
    ("1.9 before a comment on the same line", f"Question: b<!-- -->\n{PAIR}", [(1, "text outside any pair is not copied: 'Question: b'; line 1 looks like QUESTION:")]),
    ("1.9b three of one marker, a heading too", f"Question: b\n{PAIR}## Question 12\n<!-- -->QUESTION: d\n{OTHER}", [(1, "text outside any pair is not copied: 'Question: b'; line 1 looks like QUESTION:"), (7, "text outside any pair is not copied: '## Question 12'; line 7 looks like QUESTION:"), (8, "text outside any pair is not copied: 'QUESTION: d'; line 8 looks like QUESTION:")]),
    ("1.9b two of different markers, a pair between", f"Question: b\n{PAIR}\nAnswer: c\n", [(1, "text outside any pair is not copied: 'Question: b'; line 1 looks like QUESTION:"), (8, "text outside any pair is not copied: 'Answer: c'; line 8 looks like ANSWER:")]),
    ("1.10 the first 100 warnings are kept", f"{PAIR}\n{OTHER}\n{PAIR}\n" + "x <!-- -->\n" * 999, [(13, "this pair has the same question as that of line 1; both are copied"), *((n, "text outside any pair is not copied: 'x'") for n in range(19, 118))]),
    ("1.10 the first 100 warnings are kept, of twins none", "x <!-- -->\n" * 999 + f"{PAIR}\n{PAIR}", [(n, "text outside any pair is not copied: 'x'") for n in range(1, 101)]),
]

# Refused: what stands in a weight's place, and how the error quotes it.
NO_WEIGHTS = [
    *((text, f"'{text}'") for text in ("0", "6", "9", "33", "03", "3.5", "+3", "-1", "three", "\u0663", "\uff13", "1_0", "3:", "'3'")),
    ("", "nothing"), ("\n3", "nothing"), (" x ", "'x'"), (" \t 8 \t", "'8'"), ("\f3", "'3'"), ("\v3", "'3'"), ("\r3", "'3'"), ("3\u00a0", "'3\\xa0'"), ("3\x00", "'3\\x00'"),
]

# Misspelt: (marker, the error where it is missing of lines 2 to 5, the next marker, how it is misspelt).
MISSPELT_LINES = [
    ("QUESTION:", (2, "expected QUESTION: first"), "ANSWER:", ["Question: a", "question: a", "**QUESTION:** a", "**Question**: a", "## QUESTION: a", "  QUESTION: a", "> QUESTION: a", "QUESTION a", "QUESTION", "## Question", "QUESTION : a", "QUESTION\uff1a a", "QUESTON: a", "QUESTIONS: a", "QEUSTION: a", "QUESTIOM: a", "1. Question: a", "Question: call her", "Question 12: call her", "**Question**: call her", "QUESTION call her", "QUESTION Call her", "**QUESTION** call her", "Q UESTION call her", "QUESTIONZ call her", "ZQUESTION call her", "QUESTION - O K, call her", "QUESTION[AB] call her", "QUESTION@AB call her", "UESTION: a", "QUESTINO: a", "QUETSION: a", "QUEZTION: a", "QUESZTION: a"]),
    ("ANSWER:", (3, "expected ANSWER: after QUESTION: (line 2)"), "OVERSAMPLE_WEIGHT:", ["Answer: b", "**ANSWER:** b", "\tANSWER: b", "ANSWER b", "ANSWR: b", "_ANSWER:_ b", "### Answer", "ANSWER; b", "Answer\uff1a call her", "ANSWERS: call her", "ANSWER call her", "_ANSWER_ call her", "ANSWER; call her", "ANSWE R call her", "ANWSER: b", "NASWER: b", "ANSWRE: b", "NSWER: b", "ANSWE: b", "NSWER", "ANSWE", "Answe", "\u201cAnswer\u201d: b"]),
    ("OVERSAMPLE_WEIGHT:", (4, "expected OVERSAMPLE_WEIGHT: after ANSWER: (line 3)"), "<END_OF_SET>", ["OVERSAMPLE WEIGHT: 3", "OVERSAMPLE_WEIGHT 3", "Oversample_Weight: 3", "OVERSAMPLE-WEIGHT: 3", "**OVERSAMPLE_WEIGHT: 3**", "OVERSAMPLE_WIEGHT: 3", "OVERSAMPLEWEIGHT: 3", "OVERSAMPLE_WEIGHT\uff1a3", " OVERSAMPLE_WEIGHT: 3", "OVERSAMPLE: WEIGHT: 3", "OVERSAMPLE WEIGHT of 3", "OVERSAMPLE_WEIGHT of 3", "OVERSAMPLE-WEIGHT of 3", "OVERSAMPLE_ZWEIGHT of 3", "OVERSAMPLE WEIGHTZ of 3", "OVERS AMPLE WEIGHT of 3", "OVERSAMPLE WEIGHT[AB] of 3", "OVERSAMPLE WEIGHT@AB of 3"]),
    ("<END_OF_SET>", (5, "expected <END_OF_SET> after OVERSAMPLE_WEIGHT: (line 4)"), "QUESTION:", ["<END OF SET>", "< END_OF_SET >", "<end_of_set>", "END_OF_SET", "<END_OF_SET", "</END_OF_SET>", "<END_OF_STE>", "<ENDOFSET>", "**<END_OF_SETS>**", "<END OF SET is here>", "END OF SET is here", "END O F SET is here", "<END_FO_SET>"]),
]
SOUND_LINES = ["I asked: what now?", "Answering you: no", "The answer: no", "A question of money", "Weigh it: 3", "Setting: home", "", "Questioning", "\u201cQuestion\u201d she said: no", "In the end of settlement", "call the QUESTION desk", "QUEXXION: no", "QUEAAION: no", "ANEWSR: no", "ANSWXXR: no", "QUEXION: no", "QUESXYION: no", "UESTIO: no", "NSWE: no", "SNAWER: no", "WEIGHT: 3", "OVERSAMPLE: 3", "END OF: no", "\u201cWhat, QUESTION: no"]

# Not plain text: (its name, how it may begin). Nearly so, and plain text, is what has no name.
FORMATS = [
    ("UTF-16 or UTF-32", [PAIR.encode("utf-16-le"), PAIR.encode("utf-16-be"), PAIR.encode("utf-32-le"), PAIR.encode("utf-32-be"), b"Q\0", b"abc\0" + pair(), b"\xef\xbb\xbf\0" + pair(), b"\0\0\xfe\xff", b"\xff\xfe", b"\xfe\xff", *(("\ufeff\u201c" + PAIR).encode(code) for code in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"))]),
    ("a Word document or a zip", [b"PK\3\4\x14\0\6\0", b"PK\5\6" + bytes(18), b"PK\3\4" + pair(), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xd0\xcf\x11\xe0\n" + pair()]),
    ("RTF", [b"{\\rtf1\\ansi\n" + pair() + b"}"]),
    ("PDF", [b"%PDF-1.7\n" + pair()]),
    ("", [start + b"\n" + pair() for start in (b"abcd\0", b"PK\3", b"\xd0\xcf\x11", b" %PDF", b"{\\rt", b"\xfe \xff")]),
]

# Hostile: what is repeated, and what stands before it.
HOSTILE = [
    b"QUESTION: a\n", b"ANSWER: a\n", b"OVERSAMPLE_WEIGHT: 3\n", b"OVERSAMPLE_WEIGHT: ", b"<END_OF_SET>", b"<!--", b"<!-- -->", b"<!-- x", b"-->", b"\n", b" ", b"x\n", b"x <!-- --> ", b"QUESTION: a\nAnswer: b\n", b"QUESTION: a\nANSWER: b\n", b"Question: a\n\n**ANSWER:** b\n<END OF SET>\n", b"**QUESTION:** a\n<END_OF_SET>\n", b"\r\nQUESTION:", pair() + b"\n", pair("a", 9) + b"\n",
    b"QUESTION: a\nANSWER: b\nOVERSAMPLE_WEIGHT: 3\nx\n", b"<", b"QUESTION:\n", b"7", b"Question: a\n", b"Question: a <!-- -->\n",
]
HEADS = [b"", b"QUESTION: ", b"QUESTION: a\nANSWER: ", b"QUESTION: a\nANSWER: b\nOVERSAMPLE_WEIGHT: ", pair() + b"\n", b"<!--"]
# (what it is, head, what is repeated, tail, how much memory 100,000 bytes of it may take).
LARGE = [
    ("a comment behind", pair() + b"<!--", b"x", b"-->", 50_000), ("a comment before", b"<!--", b"x", b"-->\n" + pair(), 50_000), ("stray lines", b"", b"x\n", pair(), 3 * 10**6), ("misspelt lines", b"", b"Question: b\n", pair(), 3 * 10**6),
    ("text and comments", b"", b"x <!-- -->\n", pair(), 10**6), ("comments in comments", b"", b"<!-- <!-- -->", b"", 200_000), ("empty lines in a pair", b"QUESTION: a", b"\n", b"\n" + pair()[11:], 3 * 10**6), ("questions", b"", b"QUESTION: a\n", b"", 3 * 10**6), ("stray ends", b"", b"<END_OF_SET>", b"", 3 * 10**6), ("misspelt pairs", b"", b"Question: a\nAnswer: b\n", b"", 3 * 10**6), ("a text of questions", b"QUESTION: ", b"\n QUESTION:", b"", 3 * 10**6),
]
# fmt: on


class Grammar(unittest.TestCase):
    """1. What is a document, what is not, and what it costs to tell."""

    maxDiff = None

    def assert_said(self, text: str, expected: list, title: str = "", said=problems) -> None:
        for end in "\n", "\r\n":
            with self.subTest(title, text=text, end=end):
                self.assertEqual(said(text.replace("\n", end).encode()), expected)

    def test_1_what_is_a_pair_is_taken_whole(self) -> None:
        for title, text in ACCEPTED:
            with self.subTest(title):
                parsed = parse(text.encode())
                self.assertEqual([each.span for each in parsed.pairs], [text.encode()])
                self.assertEqual(parsed.warnings, ())

    def test_1_8_what_is_malformed_is_refused_with_every_error_by_line(self) -> None:
        for title, text, expected in REFUSED:
            self.assert_said(text, expected, title)

    def test_1_6_1_7_what_is_odd_is_warned_about_by_line(self) -> None:
        for title, text, expected in WARNED:
            self.assert_said(text, expected, title, lambda each: [*parse(each).warnings])

    def test_1_spans_and_the_text_between_them_in_order_are_the_document(self) -> None:
        sound = (each for each in documents(seed=1, count=500) if not problems(each))
        for content in [SAMPLE.read_bytes(), *itertools.islice(sound, 200)]:
            rest, gaps = content, []
            for each in parse(content).pairs:
                before, span, rest = rest.partition(each.span)
                self.assertEqual(span, each.span)
                gaps.append(before)
            outside = re.sub(rb"(?s)<!--.*?-->", b".", b".".join([*gaps, rest]))
            with self.subTest(content=content):
                self.assertNotRegex(outside, rb"(?m)^(QUESTION|ANSWER|OVERSAMPLE_WEIGHT):|<END_OF")

    def test_1_every_byte_passes_through_as_it_is(self) -> None:
        for odd in (
            bytes(range(9)) + bytes(range(14, 256)), "“curly” — é 🙂 \u202e".encode(), "é".encode("latin-1"), b"\xff\xfe\x00 lone \xc3",
            b"line\r\nline\r\n  trailing  \r\n\ttab\t", b"\x1b[31m <!-- no comment in a pair \x00",
        ):  # fmt: skip
            span = pair("X").replace(b"X?", odd).replace(b"X!", b"also " + odd)
            with self.subTest(odd=odd):
                self.assertEqual(parse(b"\n" + span + b" \n").pairs, (QAPair(span, 1, 2),))

    def test_1_1_a_marker_stands_at_the_beginning_of_a_line_and_behind_no_other_byte(self) -> None:
        for byte in set(range(256)) - set(b"\n"):
            stray = b"text" + bytes([byte]) + b"QUESTION: no\n"
            inside = pair().replace(b"a!", b"a!" + bytes([byte]) + b"ANSWER: no")
            with self.subTest(byte=byte):
                self.assertEqual(parse(stray + inside).pairs, (QAPair(inside, 1, 2),))

    def test_1_3_a_pair_is_the_four_markers_once_each_in_that_order(self) -> None:
        for count in range(1, 6):
            for lines in itertools.product((Q, A, W, E), repeat=count):
                with self.subTest(lines=lines):
                    content = "\n".join(lines).encode()
                    self.assertEqual(not problems(content), lines == (Q, A, W, E))

    def test_1_4_a_weight_is_one_digit_from_1_to_5(self) -> None:
        for weight in 1, 2, 3, 4, 5:
            for form in "{}", " {}", "\t {}\t ", "{}\r", "{}\n\n", " {}\f\v":
                text = f"{HEAD}OVERSAMPLE_WEIGHT:{form.format(weight)}{E}".encode()
                with self.subTest(text=text):
                    self.assertEqual(parse(text).pairs, (QAPair(text, weight, 1),))
        for form, found in NO_WEIGHTS:
            message = f"expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found {found}"
            for end in E, f"\n{E}":
                self.assert_said(f"{HEAD}OVERSAMPLE_WEIGHT:{form}{end}", [(4, message)])

    def test_1_9a_the_error_stands_at_the_misspelt_line_or_at_the_next_marker(self) -> None:
        for marker, (line, message), following, texts in MISSPELT_LINES:
            for text in texts + SOUND_LINES:
                lines = ["", Q, A, W, E, PAIR]
                self.assertTrue(lines[line - 1].startswith(marker))
                lines[line - 1] = text
                # Behind a weight any text is out of place.
                if text in texts or text and line == 5:
                    found = (line, message + f", found '{text}'".replace("\t", "\\t"))
                else:
                    found = (line + 1, f"{message}, found {following}")
                self.assert_said("\n".join(lines), [found])

    def test_1_9b_every_two_different_misspelt_markers_are_errors(self) -> None:
        for (one, *_, first), (other, *_, second) in itertools.product(MISSPELT_LINES, repeat=2):
            for text, last in zip(first, reversed(second)):
                found = [(7, f"expected {one}, found '{text}'")]
                found += [(9, f"expected {other}, found '{last}'")]
                found = [(line, message.replace("\t", "\\t")) for line, message in found]
                content = f"{PAIR}\n{text}\nso\n{last}\n{OTHER}"
                self.assert_said(content, found if one != other else [])

    def test_1_11_other_formats_are_named_in_one_error_that_says_what_to_do(self) -> None:
        advice = ": save it as plain text, UTF-8 (in TextEdit, Format > Make Plain Text)"
        for name, contents in FORMATS:
            expected = [(1, f"expected plain text, found {name}{advice}")] if name else []
            for content in contents:
                with self.subTest(content=content):
                    self.assertEqual(problems(content), expected)

    def test_1_12_000_generated_documents_are_read_alike_by_a_second_method(self) -> None:
        kinds = Counter()
        for content in itertools.chain([SAMPLE.read_bytes()], documents(seed=4, count=12_000)):
            try:
                parsed = parse(content)
            except DocumentError as error:
                found = Reading([line for line, _ in error.problems])
            else:
                warnings = [line for line, _ in parsed.warnings]
                found = Reading([], [*parsed.pairs], parsed.separator, warnings)
            self.assertEqual(found, second_reading(content), content)
            kinds["pairs"] += bool(found.pairs)
            kinds["warnings"] += bool(found.warnings)
            kinds["errors"] += len(found.errors) > 1
        self.assertTrue(4_800 < kinds["pairs"] < 6_600, kinds)
        self.assertTrue(min(kinds.values()) > 1_200, kinds)

    def seconds(self, content: bytes) -> float:
        start = time.process_time()
        problems(content)
        return time.process_time() - start

    def test_1_10_four_times_the_document_is_not_twelve_times_the_time(self) -> None:
        # Linear is 4, quadratic 16; what takes under 20 ms at the larger size may be either.
        for head, piece in itertools.product(HEADS, HOSTILE):
            one, four = (head + piece * (size // len(piece)) for size in (40_000, 160_000))
            tries = (self.seconds(four) < max(0.02, 12 * self.seconds(one)) for _ in range(3))
            with self.subTest(head=head, piece=piece):
                self.assertTrue(any(tries))

    def test_1_10_memory_is_linear_and_a_comment_is_not_copied(self) -> None:
        self.addCleanup(tracemalloc.stop)
        tracemalloc.start()
        for title, head, piece, tail, limit in LARGE:
            content = head + piece * (100_000 // len(piece)) + tail
            tracemalloc.clear_traces()
            problems(content)
            peak = tracemalloc.get_traced_memory()[1]
            with self.subTest(title):
                self.assertLess(peak, limit)


# fmt: off
# Numbers with a repr() of their own, as NumPy's.
FLOAT = type("Float", (float,), {"__repr__": lambda _: "np.float64(1.3)", "__str__": lambda _: "1.3"})("1.3")
INT = type("Int64", (), {"__repr__": lambda _: "np.int64(2)", "__str__": lambda _: "2"})()

# (copies of weights 1 to 5, cap, bases that give them): numbers a person can check.
BASES = [
    ([1, 1, 1, 1, 1], None, [1, "1.0000000000000001"]), ([1, 2, 2, 3, 4], None, [1.3, "1.3", "1.30", "01.3", Decimal("1.3"), FLOAT]), ([2, 2, 3, 5, 8], None, [1.5]), ([3, 9, 27, 81, 243], None, [3]), ([10, 100, 1000, 10**4, 10**5], None, [10]), ([20, 400, 8000, 160_000, 3_200_000], None, [Decimal("2E1")]), ([1000, 10**6, 10**9, 10**12, 10**15], None, [1000, Decimal("1E3")]),
    ([2, 4, 8, 16, 32], None, [2, INT, "2", 2.0, "2.0", "0002", Decimal(2), Decimal("2E0"), Decimal("0.2E1")]), ([2, 4, 5, 5, 5], 5, [2]), ([2, 4, 8, 16, 31], 31, [2]), ([2, 4, 8, 16, 32], 32, [2]), ([2, 4, 8, 16, 32], 2**64, [2]), ([1, 1, 1, 1, 1], 1, [1000]), ([2, 2, 4, 6, 9], None, ["1." + "5" * 1000]),
    ([3, 6, 16, 39, 98], None, [2.5, "2.5", "2.5000000000000000000001"]), ([2, 6, 16, 39, 98], None, ["2.4999999999999999999999"]),  # beside a half by less than a float can tell
    ([2, 2, 4, 6, 10], None, ["1.58113883008418966599944677"]), ([2, 3, 4, 6, 10], None, ["1.58113883008418966599944678"]), ([1000, 999_999 + 1, 999_999_700, 999_999_600_000, 999_999_500_000_100], None, ["999.9999"]),
]
# Refused: bases, and how the error quotes them.
NO_BASES = [
    *((base, f"'{base}'") for base in (0, 0.5, -2, 1001, True, None, float("nan"), float("inf"), 1e9, 0.999, 1000.0001, b"2", [], *map(Decimal, ("NaN", "sNaN", "Infinity", "1E+999999999", "1E-999999999", "1000.01", f"1E+{MAX_EMAX}", f"1E{MIN_EMIN}")))),
    *((text, f"'{text}'") for text in ("two", "0", "0.99", "1000.1", "1e1", "nan", "inf", "1_0", " 2", "2 ", "+2", "-2", "2.", ".5", "1,3", "\u0662", "1.\u0662", "0x2", "2/1", "1.2.3", "00002")),
    *((text, f"'{text}'") for code in {*range(33, 127)} - {*b"0123456789"} for text in {f"1{chr(code)}", f"1.5{chr(code)}", f"1{chr(code)}5"} - {"1.5"}),
    (10**300, f"'1{'0' * 46}...'"), ("", "nothing"), ("2\n", "'2\\n'"), ("\x1b[2J", "'\\x1b[2J'"), ("\udcff", "'\\udcff'"), ("1." + "5" * 1001, f"'1.{'5' * 45}...'"),
]
NO_SEEDS = [(seed, f"'{seed}'") for seed in (-1, 2**64, 1.0, 1.5, "1", True, None)]
NO_CAPS = [(cap, f"'{cap}'") for cap in (0, -1, 1.5, 3.0, "3", True)]
BASE = "expected a number from 1 to 1000, like 1.3, found "
SEED, CAP = "expected a whole number, from 0 to 18446744073709551615, found ", "expected a whole number, 1 or more, found "
MANY = " are more than 2,147,483,648; use a smaller base or a cap (--max-copies)"
TOO_MANY_COPIES = [((3, 3, 3, 1000, None), "3,000,000,000 copies" + MANY), ((3, 3, 3, 1000, 2**40), "3,000,000,000 copies" + MANY), ((5, 1000, None), "1,000,000,000,000,000 copies" + MANY), ((5, 999, 2**31 + 1), "2,147,483,649 copies" + MANY)]
PAIRS = parse(document(1, 2, 3)).pairs
ORDERS = {0: "baacccccbcbbcc", 1: "cccbcacbcbbcca", 2**64 - 1: "cccacccbbccbba"}

# Refused: (what it shows, what is expected, arguments, calls). Of a
# third pair, a bad base that is let through would make a billion copies.
NUMBERS = [
    ("2.2 a base", BASE, NO_BASES, {"copies": lambda each: copies(1, each), "no pairs": lambda each: resample([], base=each, seed=1), "pairs": lambda each: resample(PAIRS[:2], base=each, seed=1)}),
    ("2.3 a cap", CAP, NO_CAPS, {"copies": lambda each: copies(1, 2, max_copies=each), "no pairs": lambda each: resample([], base=2, seed=1, max_copies=each), "pairs": lambda each: resample(PAIRS[:2], base=2, seed=1, max_copies=each)}),
    ("2.5 a seed", SEED, NO_SEEDS, {"no pairs": lambda each: resample([], base=2, seed=each), "pairs": lambda each: resample(PAIRS[:2], base=2, seed=each)}),
    ("6 a weight", "expected a whole number, from 1 to 5, found ", [(weight, f"'{weight}'") for weight in (0, 6, -1, 1.0, 2.0, "1", "3", True, None)], {"copies": lambda each: copies(each, 2), "pairs": lambda each: resample([QAPair(b"", each, 1)], base=2, seed=1)}),
    ("3.6 more than 2**31 copies", "", TOO_MANY_COPIES, {"pairs": lambda each: resample(parse(document(*each[:-2])).pairs, base=each[-2], seed=1, max_copies=each[-1])}),
]
# fmt: on


class Copies(unittest.TestCase):
    """2. How many copies, and in which order."""

    def test_2_1_2_3_6_0_a_pair_has_base_to_the_power_of_weight_copies_up_to_the_cap(self) -> None:
        for expected, cap, bases in BASES:
            for base in bases:
                with self.subTest(base=base, cap=cap):
                    found = [copies(weight, base, cap) for weight in range(1, 6)]
                    self.assertEqual(found, expected)

    def test_2_2_the_power_is_exact_and_rounded_halves_up(self) -> None:
        for whole, part in itertools.product((1, 2, 17, 999), range(0, 100, 7)):
            text = f"{whole}.{part:02}"
            for weight, base in itertools.product(range(1, 6), (text, Decimal(text), float(text))):
                with self.subTest(weight=weight, base=base):  # at most 25 digits, exact in 28
                    expected = (Decimal(text) ** weight).to_integral_value(ROUND_HALF_UP)
                    self.assertEqual(copies(weight, base), expected)

    def test_2_6_1_bad_numbers_are_refused_before_anything_is_done(self) -> None:
        for title, expected, rows, calls in NUMBERS:
            for (argument, found), (how, call) in itertools.product(rows, calls.items()):
                with self.subTest(title, how=how, argument=argument):
                    with self.assertRaises(ValueError) as caught:
                        call(argument)
                    self.assertEqual(str(caught.exception), expected + found)
        for base in 10**5000, -(10**5000):
            with self.assertRaises(ValueError):
                copies(1, base)

    def test_2_4_the_order_is_uniform(self) -> None:
        # Pearson's chi-square is above the limit for one fair shuffle in a hundred million;
        # the seeds are fixed, so it never is by chance. 24 permutations of four copies, and
        # 15 arrangements of 2 copies of a and 4 of b: 23 and 14 degrees of freedom.
        for weights, base, arrangements, limit in (((1,) * 4, 1, 24, 83.5), ((1, 2), 2, 15, 65.5)):
            pairs, draws = parse(document(*weights)).pairs, 6_000
            made = (resample(pairs, base=base, seed=seed) for seed in range(draws))
            found = Counter(bytes(each.line for each in order) for order in made)
            self.assertEqual(len(found), arrangements)
            expected = draws / arrangements
            self.assertLess(sum((n - expected) ** 2 / expected for n in found.values()), limit)

    def test_2_4_2_5_every_copy_is_there_in_an_order_that_is_for_good(self) -> None:
        for seed, order in ORDERS.items():
            made = resample(iter(PAIRS), base=2, seed=seed)
            self.assertEqual("".join(chr(each.span[10]) for each in made), order)
        self.assertEqual(resample([], base=2, seed=1), [])

    def test_2_5_the_shuffle_rests_on_random_alone(self) -> None:
        # As an independent second program would have it.
        for cap in None, 3:
            draw = random.Random(42).random
            expected = [each for each in PAIRS for _ in range(min(2**each.weight, cap or 8))]
            for last in reversed(range(1, len(expected))):
                other = int(draw() * (last + 1))
                expected[last], expected[other] = expected[other], expected[last]
            with mock.patch("random.shuffle", side_effect=AssertionError):
                with mock.patch.object(random.Random, "getrandbits", side_effect=AssertionError):
                    self.assertEqual(resample(PAIRS, base=2, seed=42, max_copies=cap), expected)


class Types(unittest.TestCase):
    """6. From Python: what is read, and what is refused."""

    def test_6_1_5_parse_gives_pairs_that_cannot_be_changed_separator_and_warnings(self) -> None:
        pairs = QAPair(pair("a", 1), 1, 2), QAPair(pair("b", 5), 5, 9)
        warnings = ((1, "text outside any pair is not copied: 'x'"),)
        parsed = parse(b"\xef\xbb\xbfx\n" + document(1, 5) + b" \n")
        self.assertEqual(parsed, Document(pairs, b"\n\n", warnings))
        for name in "span", "weight", "line", "question", "answer", "other":
            with self.subTest(name=name), self.assertRaises(AttributeError):
                setattr(parsed.pairs[0], name, None)

    def test_6_1_a_document_that_is_not_bytes_is_a_type_error(self) -> None:
        for content in "text", PAIR, 5, None, [1], io.BytesIO():
            with self.subTest(content=content), self.assertRaises(TypeError):
                parse(content)

    def test_6_a_bytearray_may_change_later_and_the_spans_do_not(self) -> None:
        content = bytearray(document(1))
        found = parse(content), parse(memoryview(content))
        content[:] = b"x" * len(content)
        for each in found:
            self.assertEqual(each.pairs, (QAPair(pair("a", 1), 1, 1),))
            self.assertIs(type(each.pairs[0].span), bytes)

    def test_6_question_and_answer_are_their_text_alone(self) -> None:
        for question, answer in (
            (b"a", b"b"), (b"a\n\nb", b"c\nANSWER : d"), (b"to ANSWER: or\nANSWER me?", b"an OVERSAMPLE_WEIGHT: of 9\nOVERSAMPLE_WEIGHT 9"), (b"\x00", b"\xa0"),
        ):  # fmt: skip
            for blank in b"", b" ", b"\n\n", b" \t\r\n\f\v":
                parts = [b"QUESTION:", question, b"\nANSWER:", answer, b"\nOVERSAMPLE_WEIGHT:4"]
                (found,) = parse(blank.join([*parts, b"<END_OF_SET>"])).pairs
                with self.subTest(span=found.span):
                    self.assertEqual((found.question, found.answer), (question, answer))

    def test_6_a_document_error_is_a_value_error_that_has_and_shows_its_problems(self) -> None:
        with self.assertRaises(ValueError) as caught:
            parse(f"{Q}\n{E}\n{E}".encode())
        first, second = (
            "expected ANSWER: after QUESTION: (line 1), found <END_OF_SET>",
            "expected QUESTION: after <END_OF_SET> (line 2), found <END_OF_SET>",
        )
        for rows, text in [
            (((2, first), (3, second)), f"line 2: {first}\nline 3: {second}"), (((2, first),), f"line 2: {first}"), ((), ""),
        ]:  # fmt: skip
            error = DocumentError(row for row in rows)
            for each in [
                error,
                pickle.loads(pickle.dumps(error)),
                *[caught.exception] * len(rows[1:]),
            ]:
                self.assertIs(type(each), DocumentError)
                self.assertEqual((each.problems, str(each)), (rows, text))


SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP, signal.SIGQUIT] if POSIX else [])]


def start(*arguments, program=(SCRIPT,), handler=signal.SIG_DFL, **options) -> subprocess.Popen:
    """The command, as a person runs it."""

    def setup() -> None:  # what the jobs of a script in the background ignore is as in a terminal
        for number in SIGNALS:
            signal.signal(number, handler)

    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    environment.pop("PYTHONUNBUFFERED", None)  # it hides what is left in a buffer at the end
    options.update(pipes, env=environment, bufsize=0)
    options["preexec_fn"] = setup if POSIX else None
    return subprocess.Popen([sys.executable, *program, *arguments], **options)


def finish(process: subprocess.Popen) -> tuple[int, bytes, str]:
    """The exit status, standard output, and standard error."""
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, err.decode()


@contextlib.contextmanager
def standing_in(number: int, file: int | str) -> Iterator[None]:
    """A standard stream is, by its number, another file for a while."""
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
    """All signals that stop a program, or these, have this handler for a while."""
    with contextlib.ExitStack() as stack:
        for number in numbers or SIGNALS:
            stack.callback(signal.signal, number, signal.signal(number, handler))
        yield


def own(*_) -> None:
    """A handler of a caller's own, that does nothing."""


def current() -> list:
    return [signal.getsignal(number) for number in SIGNALS]


@contextlib.contextmanager
def fed(*pieces: bytes, blocking: bool = True, last=lambda: None) -> Iterator[None]:
    """Standard input is a pipe, fed by another thread as fast as it is read."""
    import select

    reading, writing = os.pipe()
    os.set_blocking(reading, blocking)

    def feed() -> None:
        for piece in b"", *pieces:
            os.write(writing, piece)
            while select.select([reading], [], [], 0)[0]:
                time.sleep(0.001)
            time.sleep(0.003)  # there is nothing now: a program that gives up does it here
        last()
        os.close(writing)

    thread = threading.Thread(target=feed)
    with standing_in(0, reading), contextlib.ExitStack() as stack:
        stack.callback(thread.join)
        stack.callback(os.close, reading)
        thread.start()
        yield


def failing(name: str, number: int, when: bool = True):
    """A call of the system fails with this error, where it is to fail."""
    error = OSError(number, os.strerror(number))
    return mock.patch(f"os.{name}", side_effect=error) if when else contextlib.nullcontext()


def ordered(order: str, join: bytes = b"\n\n") -> bytes:
    """The output of document(1, 2, 3) in this order."""
    return join.join(pair(name, "_abc".index(name)) for name in order) + b"\n"


ABC = document(1, 2, 3)
GOOD = ordered("cccbcacbcbbcca")  # at base 2, in the order of seed 1
RUN = "--base", "2", "--seed", "1", "in.md", "out.md"
QUIET = *RUN, "-q"
EXISTS = "exists already; choose another name, or replace it with --force (from Python, overwrite=True)"  # fmt: skip
WAYS_OUT = "use a smaller base or a cap (--max-copies)"
SPELLING = "oversample: error: nothing was written; markers stand first on their line, spelled exactly QUESTION: ANSWER: OVERSAMPLE_WEIGHT: <END_OF_SET>\n"  # fmt: skip

# Outputs of fixed seeds: they never change.
DIGESTS = {
    (2, 1, False): "5839aa03e085d06dfd47a83b702a39a881aeed0f870b932f3b8f67209f97122c",
    (1.3, 2**64 - 1, False): "59aaac26d5f97f154024d53375adff625b3689c8e8ca794d06c77e5fa43efa4a",
    (2, 1, True): "3e614ac3052ceddcc1c5785b6e0c60762111931a027dfe55a175435ad0b1d6c8",
}

ONE, CRLF = pair(), pair().replace(b"\n", b"\r\n")
TEXT = b"QUESTION: a\n\nANSWER: OVERSAMPLE_WEIGHT: 3\n"

# fmt: off
# (what it shows, a document of which all pairs are the same, its output at base 1)
SEPARATORS = [
    ("an odd gap", ONE + b" \t\n\n \n" + ONE + b"\n\n\n", ONE + b" \t\n\n \n" + ONE + b"\n"),
    ("a gap of CRLF", CRLF + b"\r\n\r\n" + CRLF + b"\n", CRLF + b"\r\n\r\n" + CRLF + b"\r\n"),
    ("a gap of LF between pairs of CRLF", CRLF + b"\n" + CRLF, CRLF + b"\n" + CRLF + b"\n"),
    ("the commonest", ONE + b"\n" + ONE + b"\n\n" + ONE + b"\n\n" + ONE, b"\n\n".join([ONE] * 4) + b"\n"),
    ("none but comments", ONE + b"\n<!-- x -->\n" + ONE, ONE + b"\n\n" + ONE + b"\n"),
    ("comments and CRLF", CRLF + b"\r\n<!-- x -->\r\n" + CRLF, CRLF + b"\r\n\r\n" + CRLF + b"\r\n"),
]
# (what it shows, the rest of the pair, the same without its weight line)
STRIPPED = [
    ("its own line", b"\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>", b"\n<END_OF_SET>"),
    ("blank lines behind it", b"OVERSAMPLE_WEIGHT:\t3 \n\n <END_OF_SET>", b"\n <END_OF_SET>"),
    ("a bare CR ends no line", b"OVERSAMPLE_WEIGHT: 3\r<END_OF_SET>", b"<END_OF_SET>"),
    ("a shared line", b"OVERSAMPLE_WEIGHT: 3 <END_OF_SET>", b"<END_OF_SET>"),
    ("a shared line, no blank", b"OVERSAMPLE_WEIGHT:3<END_OF_SET>", b"<END_OF_SET>"),
]
# fmt: on


class Scene(Case):
    """A folder with a document of three pairs."""

    def setUp(self) -> None:
        super().setUp()
        self.write(ABC)

    def out(self, name: str = "out.md") -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def state(self) -> dict[str, tuple]:
        return {
            str(path): (*path.lstat()[:2], path.lstat().st_mtime_ns, path.is_file() and path.read_bytes())
            for path in self.folder.rglob("*")
        }  # fmt: skip

    def make(self, name: str = "out.md", links: bool = True, **options) -> None:
        """Write the output from Python, on a disk that has hard links or has none."""
        with failing("link", errno.EPERM, when=not links):
            oversample.oversample("in.md", name, base=2, seed=1, **options)


class Output(Scene):
    """3.1, 3.2, 6.2. What is written, by the function and by the command."""

    def output(self, content: bytes, **options) -> bytes | None:
        self.write(content)
        seed = oversample.oversample("in.md", "out.md", overwrite=True, **options).seed
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value]
        run = [word.replace("=True", "") for word in [*words, f"--seed={seed}"]]
        self.assertEqual(self.main("-qf", *run, "in.md", "6.2"), (0, ""))
        self.assertTrue(self.out("6.2") == self.out(), "6.2 the same bytes")
        return self.out()

    def test_3_1_copies_are_whole_spans_in_order_separated_as_the_pairs_are(self) -> None:
        for name, content, expected in SEPARATORS:
            with self.subTest(name):
                self.assertEqual(self.output(content, base=1), expected)
        self.assertEqual(self.output(ABC, base=2, seed=1), GOOD)
        capped = self.output(ABC, base=Decimal(10), seed=7, max_copies=5)
        self.assertEqual(capped, ordered("bcabbccccababaa"))

    def test_3_1_blocks_of_every_length_join_to_the_same_output(self) -> None:
        order = "abcabcabbcccaadbaacccabaccabacacbccacbbbcbbbacbcccbaaacaadabaacbcacabbbbbcaabbaccbcdabccbcadcaabbbba"  # fmt: skip
        for long, length in itertools.product("ad", (1, 100, 1_000, 3_000, 60_000, 200_000)):
            times = {**dict.fromkeys("abcd", 1), long: length}
            texts = {n: pair(n * times[n], 2 if n == "d" else 5) for n in "abcd"}
            expected = b"\n\n".join(texts[name] for name in order) + b"\n"
            found = self.output(b"\n\n".join(texts.values()), base=2, seed=3)
            self.assertTrue(found == expected, (long, length))

    def test_3_2_strip_weights_leaves_out_the_weight_line_and_nothing_else(self) -> None:
        for (name, tail, stripped), end in itertools.product(STRIPPED, (b"\n", b"\r\n")):
            given, kept = ((TEXT + each).replace(b"\n", end) for each in (tail, stripped))
            with self.subTest(name, end=end):
                self.assertEqual(self.output(given, base=1, strip_weights=True), kept + end)
                self.assertEqual(self.output(given, base=1), given + end)

    def test_2_5_the_sample_document_gives_the_same_bytes_for_good(self) -> None:
        for (base, seed, strip), digest in DIGESTS.items():
            found = self.output(SAMPLE.read_bytes(), base=base, seed=seed, strip_weights=strip)
            self.assertEqual(hashlib.sha256(found).hexdigest(), digest)


# fmt: off
# Output file: (OUTPUT, number of the error or 0, message); --force makes EXISTS no error.
# hard.md is the input, pipe a FIFO, 99 a descriptor of a file that has no name any more.
LINKS = {"link.md": "old.md", "new.md": "folder/new.md", "same.md": "./in.md", "lost": "none/x", "to-folder": "folder", "out": "/dev/stdout", "fds": "/dev/fd", "loop": "loop", "away.md": "none/../in.md"}
OUTPUTS = [
    *((name, 0, "") for name in ("out.md", "./folder/../out.md", "new.md", "folder/x")),
    *[(f"/dev/shm/{os.getpid()}.md", 0, "")] * os.access("/dev/shm", os.W_OK),
    *((name, errno.EINVAL, "is the input itself; choose another name") for name in ("in.md", "./in.md", "hard.md", "same.md", "folder/../in.md", "away.md", "none/../in.md")),
    *((name, errno.EISDIR, "expected a file name, found a folder") for name in ("folder", "to-folder", ".", "folder/", "/dev/fd", "/", "")),
    *((name, errno.ENOENT, "its folder does not exist") for name in ("none/", "none/out.md", "none/../x", "in.md/../x")), ("lost", errno.ENOENT, "no such file or directory"),
    ("in.md/x", errno.ENOTDIR, "not a directory"),
    *((name, errno.EINVAL, "is not a regular file; use - for standard output") for name in ("pipe", os.devnull)),
    ("old.md", errno.EEXIST, EXISTS), ("link.md", errno.EEXIST, EXISTS), ("loop", errno.ELOOP, "too many levels of symbolic links"),
    *((name, errno.EINVAL, "is an open descriptor; use - for standard output") for name in ("/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/99", "/dev/fd/98", "/proc/self/fd/99", "/proc/self/fd/1", "/proc/thread-self/fd/1", "//dev/stdout", "out", "./out", "fds/1")),
]
# fmt: on


@unittest.skipUnless(POSIX, "links, pipes and descriptors are POSIX's")
class Files(Scene):
    """3.3, 3.5, 3.6. Which file is written, its permissions, its size."""

    @unittest.skipUnless(os.path.exists("/proc/thread-self/fd"), "no Linux")
    def test_3_3_what_may_be_written_and_what_is_left_alone(self) -> None:
        os.mkdir("folder")
        for link, target in LINKS.items():
            os.symlink(target, link)
        os.link("in.md", "hard.md")
        os.mkfifo("pipe")
        for name in "log", "delme":
            self.write(b"log", name)
        # Standard output and input are files that a rename could replace.
        with standing_in(1, "log"), standing_in(0, "log"), open("delme", "rb") as deleted:
            os.unlink("delme")
            os.dup2(deleted.fileno(), 99)
            self.addCleanup(os.close, 99)
            for (name, number, message), force in itertools.product(OUTPUTS, (False, True)):
                self.write(b"old", "old.md")
                before, refused = self.state(), bool(number) and not (force and message == EXISTS)
                text = f"oversample: error: {name or repr('')}: {message}\n" if refused else ""
                arguments = [*RUN[:-1], "-q", name, *["--force"] * force]
                with self.subTest(name=name, force=force):
                    self.assertEqual(self.main("-n", *arguments), (refused, text))
                    self.assertEqual(self.state(), before)
                    self.assertEqual(self.main(*arguments), (refused, text))
                    if refused:
                        with self.assertRaises(OSError) as caught:
                            self.make(name, overwrite=force)
                        found = caught.exception.errno, caught.exception.filename, self.state()
                        self.assertEqual(found, (number, name, before))
                    else:  # 3.5: a link is followed
                        found = self.out(name), os.path.islink(name)
                        self.assertEqual(found, (GOOD, name in LINKS))
                        os.unlink(os.path.realpath(name))

    def test_3_3_the_input_is_known_by_its_link_and_as_standard_input_or_output(self) -> None:
        os.symlink("in.md", "link.md")
        for number, source, output, message in [
            (2, "link.md", "in.md", "in.md: is the input itself; choose another name"),
            (0, "-", "in.md", "in.md: is the input itself; choose another name"),
            (0, "-", "link.md", "link.md: is the input itself; choose another name"),
            (1, "link.md", "-", "<stdout>: is the input itself; choose another file"),
        ]:
            for option in "-f", "-n":
                with self.subTest(message, option=option), standing_in(number, "in.md"):
                    found = self.main("--base", "2", option, source, output)
                    self.assertEqual(found, (1, f"oversample: error: {message}\n"))
                    self.assertEqual(self.out("in.md"), ABC)

    def test_3_3_a_file_that_appears_during_the_run_is_left_alone(self) -> None:
        message = "oversample: error: out.md: was created meanwhile; left untouched\n"
        for links, content in itertools.product((True, False), (b"theirs", b"")):
            appear = mock.patch("os.fsync", lambda _: self.write(content, "out.md"))
            # Two runs. With hard links theirs is not opened, lest a stop take it for one of ours.
            opens = [os.open] * (2 if links else 4)
            call = mock.patch("os.open", lambda *each, opens=opens: opens.pop()(*each))
            with appear, call, failing("link", errno.EPERM, when=not links):
                self.assertEqual(self.main(*RUN), (1, message))
                self.assertEqual((self.names(), self.out()), (["in.md", "out.md"], content))
                os.unlink("out.md")
                self.assertRaises(FileExistsError, self.make)
            os.unlink("out.md")

    def test_3_5_permissions_are_any_new_files_or_the_old_ones_from_the_first_byte(self) -> None:
        write, seen = os.write, set()

        def spy(descriptor: int, data: bytes) -> int:
            seen.add(stat.S_IMODE(os.fstat(descriptor).st_mode))
            return write(descriptor, data)

        self.addCleanup(os.umask, os.umask(0))
        # (umask, permissions of the old file, if there is one, of the new one)
        rows = [
            (0o022, 0, 0o644), (0o077, 0, 0o600), (0o002, 0, 0o664), (0, 0, 0o666), (0o027, 0, 0o640),
            (0o022, 0o600, 0o600), (0o077, 0o666, 0o666), (0, 0o444, 0o444), (0o022, 0o4755, 0o755),
        ]  # fmt: skip
        for (mask, old, mode), links in itertools.product(rows, (True, False)):
            os.umask(mask)
            if old:
                self.write(b"old", "out.md").chmod(old)
            with mock.patch("os.write", spy), mock.patch("os.open", side_effect=os.open) as opened:
                self.make(links=links, overwrite=bool(old))
            seen.add(stat.S_IMODE(os.stat("out.md").st_mode))
            first = opened.call_args_list[0][0][2]
            self.assertEqual((first, seen), (0o600 if old else 0o666, {mode}))
            seen.clear()
            os.unlink("out.md")
        self.write(b"old", "out.md")
        with mock.patch("os.chown"), mock.patch("os.statvfs"):
            del os.chown, os.statvfs  # as on Windows
            self.make(overwrite=True)

    @unittest.skipUnless(POSIX and os.geteuid() == 0, "only root may give files away")
    def test_3_5_owner_and_group_are_kept_or_only_the_permissions_of_the_owner(self) -> None:
        os.chmod(".", 0o777)
        # (owner, group, who replaces the file, its owner, group, mode and size afterwards)
        for owner, group, who, *expected in [
            (1001, 2000, "root", 1001, 2000, 0o100651, 853), (1001, 2000, "another", 1000, 0, 0o100600, 853),
            (1001, 0, "denied", 0, 0, 0o100600, 853), (0, 2000, "denied", 0, 0, 0o100600, 853), (0, 0, "denied", 0, 0, 0o100651, 853),
        ]:  # fmt: skip
            self.write(b"old", "out.md").chmod(0o651)
            os.chown("out.md", owner, group)
            try:
                os.seteuid(1000 if who == "another" else 0)
                with failing("chown", errno.EPERM, when=who == "denied"):
                    self.make(overwrite=True)
            finally:
                os.seteuid(0)
            status = os.stat("out.md")
            found = [status.st_uid, status.st_gid, status.st_mode, status.st_size]
            self.assertEqual(found, expected)
            os.unlink("out.md")

    def test_3_6_more_than_the_free_space_is_refused_with_the_figures(self) -> None:
        os.mkdir("folder")
        os.symlink("folder/out.md", "link.md")
        message = f"oversample: error: link.md: the output needs 853 bytes, only {{}} are free; {WAYS_OUT}\n"  # fmt: skip
        for free, size, total, shown in [
            (852, 1, 99, "852"), (0, 512, 9, "0"), (2, 426, 9, "852"), (853, 1, 99, ""), (2, 427, 9, ""),
            (0, 0, 0, ""),  # no blocks at all: the system cannot tell
        ]:  # fmt: skip
            disk = mock.Mock(f_blocks=total, f_bavail=free, f_frsize=size, f_bfree=9e9, f_bsize=9e9)
            patch = mock.patch("os.statvfs", return_value=disk)
            with self.subTest(free=free, size=size), patch as asked:
                for option in "-nf", "-f":
                    found = self.main(*RUN[:5], "link.md", "-q", option)
                    self.assertEqual(found, (bool(shown), message.format(shown) if shown else ""))
                    asked.assert_called_with(os.path.realpath("folder"))
                self.assertEqual(self.out("link.md"), None if shown else GOOD)
                if shown:
                    self.assertRaisesRegex(OSError, f"Errno {errno.ENOSPC}", self.make, "link.md")

    def test_3_6_as_many_copies_as_are_possible_are_not_too_many(self) -> None:
        self.write(document(5))
        status, text = self.main("--base", "1000", "--max-copies", "2147483648", "-n", "in.md")
        self.assertEqual((status, text.count("2,147,483,648")), (0, 5))


@contextlib.contextmanager
def at_each_line(call) -> Iterator[None]:
    """Call this at each line of the program, from its first file on."""

    def trace(frame, event: str, _):
        ours = frame.f_code.co_filename == oversample.__file__
        if ours and event == "line" and opened.called:
            call()
        return trace if ours else None

    with mock.patch("os.open", side_effect=os.open) as opened, contextlib.ExitStack() as stack:
        stack.callback(sys.settrace, sys.gettrace())
        sys.settrace(trace)
        yield


class Whole(Scene):
    """3.4. Whole or absent, whatever goes wrong."""

    def assert_whole(self, *allowed: bytes | None) -> None:
        """The input is as it was, the output one of these, and nothing else is there."""
        self.assertEqual((self.out("in.md"), set(self.names()) - {"out.md"}), (ABC, {"in.md"}))
        self.assertIn(self.out(), allowed)

    def test_3_4_the_file_is_new_and_has_its_name_only_when_whole_and_on_disk(self) -> None:
        os.mkdir("folder")
        os.symlink("folder/out.md", "link.md")
        folder, events = os.path.realpath("folder"), []
        new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

        def spy(name: str):
            real = getattr(os, name)

            def call(*arguments):
                events.append((name, len(os.listdir("folder"))))
                if name == "open":
                    self.assertEqual((os.path.dirname(arguments[0]), arguments[1]), (folder, new))
                return real(*arguments)

            return mock.patch(f"os.{name}", call)

        for old, last in (0, "link"), (1, "replace"):
            with contextlib.ExitStack() as stack:
                for name in "open", "write", "fsync", "link", "replace":
                    stack.enter_context(spy(name))
                self.make("link.md", overwrite=bool(old))
            names = "open", *["write"] * (len(events) - 3), "fsync", last
            self.assertEqual(events, [(name, old + (name != "open")) for name in names])
            events.clear()

    def test_3_4_whatever_fails_or_stops_leaves_all_as_it_was(self) -> None:
        # Each system call in turn, an error in its place or a stop behind it; a stop at each line.
        failures = OSError(errno.ENOSPC, "No space left"), MemoryError(), KeyboardInterrupt()
        names = "open write fsync close chmod chown stat fstat statvfs urandom link replace unlink"
        calls = itertools.product([name for name in names.split() if hasattr(os, name)], failures)
        trials = [*calls, ("a line", KeyboardInterrupt())]
        ways = (None, True), (None, False), (b"old", True)  # what is replaced, and hard links
        for (name, failure), way in itertools.product(trials, ways):
            number = 0
            while self.fails(name, number, failure, *way):
                number += 1
        self.assertGreater(number, 20, "lines")

    def fails(self, name, number, failure, old, links) -> bool:
        """Whether there was such a call, or line, to fail."""
        pathlib.Path("out.md").unlink(missing_ok=True)
        if old:
            self.write(old, "out.md")
        real, calls, done = getattr(os, name, lambda: None), itertools.count(), False
        behind = isinstance(failure, KeyboardInterrupt)

        def call(*arguments, **options):
            if next(calls) != number:
                return real(*arguments, **options)
            if behind or name == "close":
                real(*arguments, **options)
            raise failure

        with at_each_line(call) if name == "a line" else mock.patch(f"os.{name}", call):
            with contextlib.suppress(type(failure)):
                self.make(links=links, overwrite=bool(old))
                done = True
        named = name in ("unlink", "a line") or behind and name in ("link", "replace", "close")
        with self.subTest(name, number=number, failure=failure, old=old, links=links):
            self.assert_whole(*[GOOD] if done else [old, GOOD] if named else [old])
        return next(calls) > number

    def test_3_4_where_there_are_no_hard_links_and_writes_are_short_it_is_as_whole(self) -> None:
        write = os.write
        for name in "EPERM", "ENOTSUP", "ENOSYS", "EMLINK", "EACCES", "EXDEV", "EIO":
            with mock.patch("os.write", lambda file, data: write(file, data[:7])):
                with failing("link", getattr(errno, name)):
                    self.make()
            self.assert_whole(GOOD)
            os.unlink("out.md")


# The command, held in the middle of its write, and again where it removes its file: it
# says so on standard output, and waits for a byte, or the end, of standard input.
MIDDLE = """
import os, sys, oversample
real, remove = os.write, os.unlink
def hold():
    real(1, b".")
    os.read(0, 1)
def write(descriptor, data):
    os.write = real
    written = real(descriptor, data[:7])
    hold()
    return written
def unlink(path):
    hold()
    remove(path)
os.write, os.unlink = write, unlink
sys.exit(oversample.main())
"""


@unittest.skipUnless(POSIX, "signals are POSIX's")
class Signals(Scene):
    """4.2, 3.4. What stops a run, and what does not."""

    def middle(self, name: str, old: bytes | None, **options) -> subprocess.Popen:
        """The command in the middle of its write to a folder of its own."""
        os.mkdir(name)
        if old:
            self.write(old, f"{name}/out.md")
        process = start(*RUN[:5], f"{name}/out.md", "-qf", program=("-c", MIDDLE), **options)
        self.addCleanup(process.kill)
        return process

    def test_4_2_3_4_a_signal_in_the_middle_of_the_write_leaves_all_as_it_was(self) -> None:
        statuses = zip([*SIGNALS, signal.SIGKILL], (130, 143, 129, 131, -9))
        for (number, status), old in itertools.product(statuses, (None, b"old")):
            folder, message = f"{number}{old}", ""
            with self.subTest(number=number, old=old):
                process = self.middle(folder, old)
                self.assertEqual(process.stdout.read(1), b".")
                names = set(os.listdir(folder))
                (temporary,) = names - {"out.md"}
                self.assertRegex(temporary, r"^\.oversample-[0-9a-f]{16}\.tmp$")
                process.send_signal(number)
                if status > 0:  # an impatient person, while the rest is cleaned up
                    self.assertEqual(process.stdout.read(1), b".")
                    for again in number, *SIGNALS:
                        process.send_signal(again)
                    names.remove(temporary)
                    message = f"oversample: error: stopped by {number.name}\n"
                found, out, err = finish(process)
                self.assertEqual((found, out.strip(b"."), err), (status, b"", message))
                left = set(os.listdir(folder)), self.out(f"{folder}/out.md")
                self.assertEqual(left, (names, old))

    def test_4_2_what_is_ignored_stays_ignored(self) -> None:
        process = self.middle("folder", None, handler=signal.SIG_IGN)
        self.assertEqual(process.stdout.read(1), b".")
        for number in SIGNALS:
            process.send_signal(number)
        status, _, err = finish(process)
        self.assertEqual((status, err, self.out("folder/out.md")), (0, "", GOOD))

    def test_4_2_3_7_a_signal_while_the_input_is_waited_for(self) -> None:
        main, number = threading.main_thread().ident, signal.SIGINT
        with handlers(own), fed(b"QUESTION: ", last=lambda: signal.pthread_kill(main, number)):
            found = self.main("--base", "2", "-", "out.md")
        self.assertEqual(found, (130, "oversample: error: stopped by SIGINT\n"))
        self.assertEqual(self.names(), ["in.md"])

    def test_4_2_a_caller_of_main_has_its_handlers_back(self) -> None:
        runs = [*QUIET, "-f"], ["--base", "2", "none", "x"], ["--base"], ["-h"], [*QUIET, "--check"]
        for handler, arguments in itertools.product((own, signal.SIG_DFL, signal.SIG_IGN), runs):
            with self.subTest(arguments, handler=handler), handlers(handler):
                with mock.patch.multiple(sys, stdout=io.StringIO(), stderr=io.StringIO()):
                    oversample.main(arguments)
                self.assertEqual(current(), [handler] * 4)

    def test_4_2_signals_that_arrive_at_once_are_one_stop(self) -> None:
        def call(_) -> None:
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            for number in SIGNALS * 2:
                os.kill(os.getpid(), number)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

        with handlers(own), mock.patch("os.fsync", call):
            found = self.main(*RUN)
            self.assertEqual(current(), [own] * 4)
        self.assertEqual(found, (129, "oversample: error: stopped by SIGHUP\n"))
        self.assertEqual(self.names(), ["in.md"])

    def test_4_2_a_signal_while_handlers_are_set_or_given_back_is_no_traceback(self) -> None:
        real, stopped = signal.signal, (130, "oversample: error: stopped by SIGINT\n")
        found, number, calls = [], 0, itertools.count()

        def call(*arguments):
            at = 2 * next(calls)  # even numbers come before a call, odd ones behind it
            if at == number:
                os.kill(os.getpid(), signal.SIGINT)
            before = real(*arguments)
            if at + 1 == number:
                os.kill(os.getpid(), signal.SIGINT)
            return before

        while 2 * next(calls) >= number:
            calls = itertools.count()
            with handlers(own), handlers(signal.default_int_handler, signal.SIGINT):
                with mock.patch("signal.signal", call):
                    found.append(self.main(*QUIET, "-f"))
                self.assertEqual(current(), [signal.default_int_handler, own, own, own])
            number += 1
        self.assertEqual((found[0], set(found)), (stopped, {stopped, (0, "")}))

    def test_4_2_outside_the_main_thread_signals_are_left_alone(self) -> None:
        found = []
        thread = threading.Thread(target=lambda: found.append(oversample.main(QUIET)))
        with handlers(own):
            thread.start()
            thread.join()
            self.assertEqual((found, current(), self.out()), ([0], [own] * 4, GOOD))


@unittest.skipUnless(POSIX, "descriptors and terminals are POSIX's")
class Streams(Scene):
    """3.7, 4.2, 4.5. Standard input, output, error; whole, closed, full, left, or a terminal."""

    def test_3_7_a_hyphen_reads_standard_input_and_writes_standard_output(self) -> None:
        self.write(b"ANSWER: a", "bad.md")
        report = REPORT.format("written to standard output")
        bad = "<stdin>:1: error: expected QUESTION: first, found ANSWER:\n" + SPELLING
        for stdin, files, expected, out, written in [
            ("in.md", "- -", (0, report), GOOD, None), ("in.md", "in.md -", (0, report), GOOD, None),
            ("bad.md", "- -", (1, bad), b"", None), ("in.md", "- out.md", (0, REPORT.format("written to out.md")), b"", GOOD),
        ]:  # fmt: skip
            self.write(b"", "stdout")
            with self.subTest(files), standing_in(0, stdin), standing_in(1, "stdout"):
                self.assertEqual(self.main(*RUN[:4], *files.split()), expected)
                os.fstat(0), os.fstat(1)  # they are still open
            self.assertEqual((self.out("stdout"), self.out()), (out, written))

    def test_3_7_an_input_that_would_block_is_read_to_its_true_end(self) -> None:
        checked = "out.md: exactly the 14 copies that <stdin> gives, in the order of seed 1\n"
        runs = itertools.product((False, True), (("-qf", ""), ("--check", checked)))
        for blocking, (option, expected) in runs:
            with self.subTest(option, blocking=blocking):
                with fed(ABC[:70], ABC[70:100], ABC[100:], blocking=blocking):
                    found = self.main(*RUN[:4], option, "-", "out.md")
                self.assertEqual((found, self.out()), ((0, expected), GOOD))

    def test_3_7_4_2_streams_that_are_closed_full_or_left_are_no_traceback(self) -> None:
        bad = "oversample: error: <{}>: bad file descriptor\n"
        command = f'run() {{ "{sys.executable}" "{SCRIPT}" --base 2 --seed 1 "$@"; }}; '
        for line, status, message in [
            ("run in.md 1.md 2>&-", 0, ""), ("run -q in.md 2.md >&-", 0, ""), ("run -q in.md 3.md <&-", 0, ""),
            ("run in.md 4.md <&- >&- 2>&-", 0, ""), ("run in.md 5.md 2>/dev/full", 0, ""),
            ("run in.md - >&-", 1, bad.format("stdout")), ("run - 7.md <&-", 1, bad.format("stdin")),
            ("run in.md - <&- >&- 2>&-", 1, ""), ("run none.md 7.md 2>&-", 1, ""), ("run -x 2>/dev/full", 2, ""), ("run none.md 7.md 2>/dev/full", 1, ""), ("run /dev/null - >/dev/null", 1, "/dev/null:1: error: expected a pair, QUESTION: to <END_OF_SET>, found an empty document\n" + SPELLING),
            ("run in.md - >/dev/full", 1, "oversample: error: <stdout>: no space left on device\n"),
            ("run --check in.md in.md 2>&- >&-", 1, ""), ("run --help >&-", 0, ""),
            ("(run in.md - --base 30; echo status $? >&2) | read line", 0, "status 1\n"),  # more than a pipe holds
        ]:  # fmt: skip
            if "/dev/full" not in line or os.path.exists("/dev/full"):
                shell = start("-c", command + line, program=(), executable="/bin/sh")
                with self.subTest(line=line):
                    self.assertEqual(finish(shell), (status, b"", message))
        written = [self.out(f"{number}.md") for number in (1, 2, 3, 4, 7)]
        self.assertEqual(written, [GOOD] * 4 + [None])
        with failing("write", errno.EPIPE):  # its reader has left
            self.assertEqual(self.main(*RUN[:5], "-"), (1, ""))

    def test_3_7_an_input_that_is_typed_ends_with_the_first_end_of_file(self) -> None:
        import pty

        keyboard, terminal = pty.openpty()
        os.write(keyboard, ABC + b"\x04ANSWER: not read\n" + b"\x04" * 9)
        with standing_in(0, terminal):
            self.assertEqual(self.main(*RUN[:4], "-q", "-", "out.md"), (0, ""))
        self.assertEqual(self.out(), GOOD)
        os.close(keyboard), os.close(terminal)

    def terminal(self, *arguments: str, out: int | str = "") -> tuple[int, str]:
        """The command with error, and output unless told otherwise, on a terminal."""
        import pty
        import tty

        master, slave = pty.openpty()
        tty.setraw(slave)
        with open(slave, "w", encoding="utf-8") as stream, mock.patch.object(sys, "stderr", stream):
            with standing_in(1, out or slave):
                status = oversample.main([*RUN[:5], *arguments])
        text = b""
        with contextlib.suppress(OSError), open(master, "rb", 0) as file:
            for block in iter(lambda: file.read(9999), b""):
                text += block
        return status, text.decode()

    def test_4_5_progress_is_drawn_on_a_terminal_and_the_next_line_overwrites_it(self) -> None:
        report, error = REPORT.format("written to out.md"), "out.md: no space left on device\n"
        shown = "6% written\r99% written\r100% written\r"  # the first copy, a block, the line end
        self.assertEqual(self.terminal("-f", "out.md"), (0, shown + report))
        self.assertEqual(self.out(), GOOD)
        self.assertEqual(self.terminal("-qf", "out.md"), (0, ""))
        with failing("fsync", errno.ENOSPC):
            found = self.terminal("-f", "out.md")
        self.assertEqual(found, (1, f"{shown}oversample: error: {error}"))
        self.write(pair("x" * 33_000, 5))  # at base 3, 243 blocks: a line for each percentage
        *percents, _ = self.terminal("--base", "3", "-f", "out.md")[1].split("% written\r")
        self.assertEqual([int(each) for each in percents], list(range(1, 101)))

    def test_3_7_no_progress_where_the_document_goes_or_may_go_to_the_terminal(self) -> None:
        report = REPORT.format("written to standard output")
        self.assertEqual(self.terminal("-"), (0, GOOD.decode() + report))
        read, pipe = os.pipe()
        self.assertEqual(self.terminal("-", out=pipe), (0, report))
        os.close(read), os.close(pipe)
        self.write(b"", "stdout")
        status, text = self.terminal("-", out="stdout")
        self.assertEqual((status, text.rpartition("\r")[2]), (0, report))
        self.assertEqual((text.count("\r"), self.out("stdout")), (3, GOOD))

    def test_4_2_what_cannot_be_said_does_not_stop_the_work(self) -> None:
        for error in BrokenPipeError(), OSError(errno.EIO, "Input/output error"), ValueError():
            with mock.patch.object(sys, "stderr", mock.Mock(encoding="utf-8")) as stream:
                stream.flush.side_effect = error
                self.assertEqual(oversample.main([*RUN, "-f"]), 0)
            self.assertEqual(self.out(), GOOD)


USAGE = "usage: oversample --base N [options] INPUT OUTPUT\noversample: error: "
REQUIRED = "the following arguments are required: "

HELP = "INPUT OUTPUT --base --seed --max-copies --strip-weights -n, --dry-run --check -f, --force -q, --quiet --version -h, --help"  # fmt: skip

# fmt: off
# Bad usage: (arguments, message).
BAD_USAGE = [
    ("", REQUIRED + "--base"), ("in.md out.md", REQUIRED + "--base"), ("--base 2", REQUIRED + "INPUT"),
    ("--base 2 in.md", REQUIRED + "OUTPUT"), ("in.md --base 2", REQUIRED + "OUTPUT"), ("--base 2 -f in.md", REQUIRED + "OUTPUT"),
    ("--base 2 --check in.md", REQUIRED + "OUTPUT"), ("--base 2 -n", REQUIRED + "INPUT"),
    ("--base 2 --check in.md -", "argument --check: expected the name of a file as OUTPUT, found '-'"),
    ("--base 2 --check -n in.md out.md", "argument -n/--dry-run: not allowed with argument --check"),
    *((f"--base 2 in.md out.md {option}", f"unrecognized arguments: {option}") for option in ("x", "-x", "--strip", "--forc", "--dry", "--see", "--chec", "--q", "\u2013f", "--no")),
    ("--bas 2 in.md out.md", REQUIRED + "--base"), ("--base", "argument --base: expected one argument"),
    ("--base 2 in.md out.md --\x1b[2Jx", "unrecognized arguments: --\\x1b[2Jx"),
    *((f"--base={text} in.md out.md", f"argument --base: {BASE}'{text}'") for text in ("0", "0.5", "-2", "nan", "inf", "1e9", "two", "1_0", "1000.1", "1001", "+2", "2.", ".5", "\u0662", "1/2", "2,5")),
    ("--base= in.md out.md", "argument --base: " + BASE + "nothing"), ("--base -2 in.md out.md", "argument --base: " + BASE + "'-2'"),
    *((f"--base 2 --seed={text} in.md out.md", f"argument --seed: {SEED}'{text}'") for text in ("-1", "1.5", "18446744073709551616", "1_0", "\u0663", "x", "+1")),
    (f"--base 2 --seed={'9' * 5000} in.md out.md", f"argument --seed: {SEED}'{'9' * 47}...'"),
    ("--base 2 --seed= in.md out.md", "argument --seed: " + SEED + "nothing"), ("--base 2 --seed -1 in.md out.md", "argument --seed: " + SEED + "'-1'"),
    *((f"--base 2 --max-copies={text} in.md out.md", f"argument --max-copies: {CAP}'{text}'") for text in ("0", "-1", "1.5", "x", "1_0", "\u0661")),
    ("--base 2 --max-copies= in.md out.md", "argument --max-copies: " + CAP + "nothing"),
]

KEPT = "the copies keep their weight lines; --strip-weights leaves them out\n"
AGAIN = "to repeat or --check it: --base "
# document(1, 2, 3) at base 2 and seed 1; {} how and where it is written.
REPORT = """\
weight  pairs  copies each  copies   share
     1      1            2       2   14.3%  █████
     2      1            4       4   28.6%  ██████████
     3      1            8       8   57.1%  ████████████████████
     4      0           16       0    0.0%
     5      0           32       0    0.0%
 total      3                   14  100.0%

14 copies, 853 bytes, {}
""" + KEPT + AGAIN + "2 --seed 1\n"
# Larger reports: (what it shows, document, arguments, all behind the table, some of its lines).
REPORTS = [
    ("one copy", document(1), "-n --base 1 --seed 0 in.md", "1 copy, 60 bytes, would be written\n" + KEPT + AGAIN + "1 --seed 0\n",
     ["     1      1            1       1  100.0%  ████████████████████", " total      1                    1  100.0%"]),
    ("wide columns", document(1, 1), "-n --base 1000 --seed 7 in.md", "2,000 copies, 121,999 bytes, would be written\n" + KEPT + AGAIN + "1000 --seed 7\n",
     ["weight  pairs            copies each  copies   share", "     1      2                  1,000   2,000  100.0%  ████████████████████", "     5      0  1,000,000,000,000,000       0    0.0%", " total      2                          2,000  100.0%"]),
    ("thousands", document(*[1] * 1200, 2), "--base 1.30 -n in.md --seed 0 --max-copies 3 out.md --strip-weights", "1,202 copies, 52,915 bytes, would be written to out.md\n" + AGAIN + "1.30 --seed 0 --max-copies 3 --strip-weights\n",
     ["weight  pairs  copies each  copies   share", "     1  1,200            1   1,200   99.8%  ████████████████████", "     2      1            2       2    0.2%  █", "     5      0            3       0    0.0%", " total  1,201                1,202  100.0%"]),
    ("millions", document(1, 2, 2, 4), "-n --base 73 --seed 18446744073709551615 --max-copies 2147483648 in.md -", "28,408,972 copies, 1,732,947,291 bytes, would be written to standard output\n" + KEPT + AGAIN + "73 --seed 18446744073709551615 --max-copies 2147483648\n",
     ["weight  pairs    copies each      copies   share", "     1      1             73          73    0.0%  █", "     2      2          5,329      10,658    0.0%  █", "     4      1     28,398,241  28,398,241  100.0%  ████████████████████", "     5      0  2,073,071,593           0    0.0%", " total      4                 28,408,972  100.0%"]),
]
NONE = "no such file or directory"
CHECKED = "out.md: exactly the 14 copies that in.md gives, in "
RENEW = "oversample: error: out.md is not what in.md and these options give; if these are right, run again with --force instead of --check to renew it\n"
NASTY, SAFE = b"\x1b[31m\x00\x07\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xff\x7f\r", r"\x1b[31m\x00\x07\x9b\u202e\u2028\xff\x7f"
NAME, SHOWN = "\x1b[2J\n\u202e.md", r"\x1b[2J\n\u202e.md"
ERRORS = "in.md:3: error: expected ANSWER: after QUESTION: (line 2), found OVERSAMPLE_WEIGHT:\nin.md:5: error: expected QUESTION: after <END_OF_SET> (line 4), found ANSWER:\n"
STRIPPED_ONCE = "out.md:1: error: this copy matches no pair; it is in.md:1 but for the weight line: the weight was edited, or only one of the two had --strip-weights\nin.md:1: error: expected 1 copy of this pair in out.md, found 0\n" + RENEW
FIVES = b"\n\n".join([pair("a", 5)] * 1024) + b"\n"

# The command: (what it shows, files beside in.md or instead of it, arguments, status, what
# is said, what out.md is if it is written).
COMMANDS = [
    ("4.4 the report", {}, "--base 2 --seed 1 in.md out.md", 0, REPORT.format("written to out.md"), GOOD),
    *(("4.4 a dry run", {}, f"--base 2 --seed 1 {files}", 0, REPORT.format(f"would be written{where}"), None)
      for files, where in (("-n in.md", ""), ("in.md --dry-run out.md", " to out.md"), ("-n in.md -", " to standard output"))),
    *(("4 quiet", {"in.md": b"x\n" + ABC}, f"--base 2 {option} -q in.md", 0, "", None) for option in ("-n", "--quiet -n", "-nf")),
    ("4 quiet", {"in.md": b"x\n" + ABC}, "--base 2 --seed 1 -q in.md out.md", 0, "", GOOD),
    ("4 no force", {"out.md": b"old"}, "--base 2 -n in.md out.md", 1, f"oversample: error: out.md: {EXISTS}\n", None),
    ("4 force, dry", {"out.md": b"old"}, "--base 2 -nfq in.md out.md", 0, "", None),
    ("4.1 a dash", {"-in.md": ABC}, "--base 2 --seed 1 -q ./-in.md ./out.md", 0, "", GOOD),
    *(("4.6 errors", {"in.md": b"x\nQUESTION: a\nOVERSAMPLE_WEIGHT: 9\n<END_OF_SET>\nANSWER: a\n"}, f"--base 2 {option} in.md out.md", 1, ERRORS + SPELLING, None) for option in ("", "-n", "--check", "-q", "-f")),
    *(("4.6 warnings", {"in.md": b"x\n<!-- -->\n" * count + ABC}, "--base 2 --seed 1 -n in.md", 0, "".join(f"in.md:{line}: warning: text outside any pair is not copied: 'x'\n" for line in range(1, 2 * min(count, 10), 2)) + more + REPORT.format("would be written"), None)
      for count, more in ((9, ""), (10, ""), (12, "oversample: warning: 2 more, not shown\n"), (11, "oversample: warning: 1 more, not shown\n"), (99, "oversample: warning: 89 more, not shown\n"), (100, "oversample: warning: at least 90 more, not shown\n"), (250, "oversample: warning: at least 90 more, not shown\n"))),
    *(("3.6 copies", {"in.md": document(5)}, f"--base 1000 in.md {output}", 1, f"oversample: error: 1,000,000,000,000,000 copies{MANY}\n", None) for output in ("out.md", "-", "-n", "-q out.md", "--check in.md")),
    *((f"4.2 input {name}", {}, ["--base", "2", name, *rest], 1, f"oversample: error: {message}\n", None)
      for rest in (["out.md"], ["--check", "in.md"], ["-n"])
      for name, message in (("none.md", f"none.md: {NONE}"), (".", ".: is a directory"), ("", f"'': {NONE}"), ("in.md/x", "in.md/x: not a directory"), ("./-none", f"./-none: {NONE}"), (NAME, f"{SHOWN}: {NONE}"), ("\udcff", f"\\udcff: {NONE}"))),
    ("4.3 a name", {NAME: NASTY + b"\n" + ABC}, ["--base", "2", "--seed", "1", "-n", NAME, NAME * 2], 0, f"{SHOWN}:1: warning: text outside any pair is not copied: '{SAFE}'\n" + REPORT.format(f"would be written to {SHOWN * 2}"), None),
    ("4.3 a name", {NAME: b""}, ["--base", "2", "in.md", NAME], 1, f"oversample: error: {SHOWN}: {EXISTS}\n", None),
    ("4.3 a name", {NAME: GOOD}, ["--base", "2", "--check", "in.md", NAME], 0, f"{SHOWN}: exactly the 14 copies that in.md gives, in any order\n", None),
    ("4.3 a weight", {NAME: b"QUESTION: a\nANSWER: b\nOVERSAMPLE_WEIGHT: " + NASTY}, ["--base", "2", NAME, "out.md"], 1, f"{SHOWN}:3: error: expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found '{SAFE}'\n" + SPELLING, None),
    ("5.2 a text", {"out.md": NASTY + b"\n" + GOOD}, "--base 2 --check in.md out.md", 1, f"out.md:1: error: text that belongs to no copy: '{SAFE}'\n" + RENEW, None),
    ("5.1 any order", {"out.md": GOOD}, "--base 2 --check in.md out.md", 0, CHECKED + "any order\n", None),
    ("5.1 its order", {"out.md": GOOD}, "--base 2 --check --seed 1 in.md out.md", 0, CHECKED + "the order of seed 1\n", None),
    ("5.1 quiet", {"out.md": GOOD, "in.md": b"x\n" + ABC}, "--base 2 -q --check --seed 1 in.md out.md", 0, "", None),
    ("5.1 another order", {"out.md": GOOD}, "--base 2 --check --seed 2 in.md out.md", 1, "out.md:1: error: expected the order of seed 2, found another\n" + RENEW, None),
    *(("5.2 numbers", {"out.md": GOOD}, f"--base 1.5 --check {option} in.md out.md", 1, "in.md:8: error: expected 2 copies of this pair in out.md, found 4\nin.md:15: error: expected 3 copies of this pair in out.md, found 8\n" + RENEW, None) for option in ("", "-q", "-f")),
    ("5.1 one copy", {"in.md": ONE, "out.md": ONE + b"\n"}, "--base 1 --check in.md out.md", 0, "out.md: exactly the 1 copy that in.md gives, in any order\n", None),
    ("5.2 thousands", {"in.md": document(5), "out.md": FIVES}, "--base 5 --check in.md out.md", 1, "in.md:1: error: expected 3,125 copies of this pair in out.md, found 1,024\n" + RENEW, None),
    ("5.2 at most 100", {"out.md": b"0<END_OF_SET>" * 200}, "--base 2 --check in.md out.md", 1, "out.md:1: error: text that belongs to no copy: '0<END_OF_SET>'\n" * 100 + RENEW, None),
    ("5.2 at most 100", {"in.md": b"\n".join(pair(str(number)) for number in range(300)), "out.md": b"\n"}, "--base 2 --check in.md out.md", 1, "".join(f"in.md:{line}: error: expected 2 copies of this pair in out.md, found 0\n" for line in range(1, 600, 6)) + RENEW, None),
    ("5.2 one", {"in.md": document(4), "out.md": FIVES}, "--base 1 --check in.md out.md", 1, "out.md:1: error: this copy matches no pair; it is in.md:1 but for the weight line: the weight was edited, or only one of the two had --strip-weights\nin.md:1: error: expected 1 copy of this pair in out.md, found 0\n" + RENEW, None),
    ("5.2 stripped now", {"in.md": ONE, "out.md": ONE + b"\n"}, "--base 1 --check --max-copies 1 --strip-weights in.md out.md", 1, STRIPPED_ONCE, None),
    ("5.2 stripped once", {"in.md": ONE, "out.md": ONE.replace(b"OVERSAMPLE_WEIGHT: 1\n", b"") + b"\n"}, "--base 1 --check in.md out.md", 1, STRIPPED_ONCE, None),
    *((f"5.3 output {name}", {}, ["--base", "2", "--check", "in.md", name], 1, f"oversample: error: {name or repr('')}: {message}\n", None)
      for name, message in (("none.md", NONE), ("", NONE), (".", "is not a regular file"), *((name, "is not a regular file") for name in ("/dev/zero", "/dev/null", "/dev/tty") if os.path.exists(name)))),
    *(("3.7 an input that fails", {}, f"--base 2 {files}", 1, "oversample: error: /proc/self/mem: input/output error\n", None) for files in ("/proc/self/mem out.md", "--check in.md /proc/self/mem") if os.path.exists("/proc/self/mem")),
]
# fmt: on


class Command(Scene):
    """4. The command."""

    def test_4_1_bad_usage_is_exit_2_and_one_line_behind_the_usage(self) -> None:
        for arguments, message in BAD_USAGE:
            with self.subTest(arguments=arguments):
                self.assertEqual(self.main(*arguments.split()), (2, f"{USAGE}{message}\n"))
        self.assertEqual(self.names(), ["in.md"])

    def test_4_what_the_command_says_and_writes(self) -> None:
        for name, files, arguments, status, text, written in COMMANDS:
            arguments = arguments.split() if isinstance(arguments, str) else arguments
            for file, content in {"in.md": ABC, **files}.items():
                self.write(content, file)
            before = self.state()
            with self.subTest(name, arguments=arguments):
                for encoding, block in ("utf-8", "█"), ("ascii", "#"), ("latin-1", "#"):
                    found = self.main(*arguments, encoding=encoding)
                    self.assertEqual(found, (status, text.replace("█", block)))  # 4.4
                    if written:
                        self.assertEqual(self.out(), written)
                        os.unlink("out.md")
                    self.assertEqual(self.state(), before)
            for file in self.names():
                os.unlink(file)

    def test_4_4_the_report_is_aligned_whatever_its_numbers_are(self) -> None:
        for name, content, arguments, end, lines in REPORTS:
            self.write(content)
            status, text = self.main(*arguments.split())
            table, _, rest = text.partition("\n\n")
            found = [line for line in table.split("\n") if line in lines]
            with self.subTest(name):
                self.assertEqual((status, found, rest), (0, lines, end))

    def test_4_1_options_stand_before_between_and_behind_the_files(self) -> None:
        chunks = ["--base", "2"], ["--seed=1"], ["-qf"], ["in.md"], ["out.md"]
        for order in itertools.permutations(chunks):
            if order.index(["in.md"]) < order.index(["out.md"]):
                found = self.main(*itertools.chain(*order))
                self.assertEqual((found, self.out()), ((0, ""), GOOD), order)
                os.unlink("out.md")

    def test_4_help_and_version_go_to_standard_output(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            for options in ["-h"], ["--help"], ["--base", "2", "x", "-h"], ["--version"]:
                self.assertEqual(oversample.main(options), 0)
        *helps, version = re.split("(?m)^(?=usage|oversample )", out.getvalue())[1:]
        self.assertEqual(helps, [helps[0]] * 3)
        self.assertEqual(helps[0].splitlines()[0], USAGE.splitlines()[0])
        options = re.findall(r"(?m)^  (?:-\w, )?--[\w-]+|^  [A-Z]+", helps[0])
        self.assertEqual(" ".join(" ".join(options).split()), HELP)
        self.assertRegex(version, r"\Aoversample [0-9]+\.[0-9]+\.[0-9]+\n\Z")
        self.assertEqual(finish(start("--version")), (0, version.encode(), ""))

    def test_4_4_the_last_line_repeats_the_run_and_checks_it(self) -> None:
        seeds = set()
        for options in [], ["--max-copies", "3"], ["--strip-weights"], ["--base", "1.30"]:
            for name, way in ("1.md", "-f"), ("2.md", "-n"):
                text = self.main("--base", "2", *options, way, "in.md", name)[1]
                again = text.splitlines()[-1].partition("check it: ")[2].split()
                seeds.add(re.fullmatch(r"\d{1,10}", again[3])[0])
                again = *again, "in.md", "again.md"
                self.assertEqual(self.main("-qf", *again), (0, ""))
                self.assertEqual(self.out(name), None if way == "-n" else self.out("again.md"))
                self.assertEqual(self.main("-q", "--check", *again), (0, ""))
        self.assertGreater(len(seeds), 6)  # two of eight are the same once in 10**8
        with mock.patch("os.urandom", side_effect=lambda size: b"\xff" * size):  # 2.5: 32 bits
            self.assertEqual(oversample.oversample("in.md", "out.md", base=2).seed, 2**32 - 1)

    def test_4_2_a_defect_of_the_program_is_not_told_as_an_error_of_its_user(self) -> None:
        errors = ValueError("odd"), RuntimeError("odd"), DocumentError([(1, "odd")]), KeyError()
        for error, name in itertools.product(errors, ("random.Random", "os.fsync")):
            with handlers(own):
                with mock.patch(name, side_effect=error), self.assertRaises(type(error)):
                    self.main(*RUN)
                self.assertEqual(current(), [own] * 4)  # its caller has them back even then
        self.assertEqual(self.names(), ["in.md"])
        with mock.patch("os.urandom", side_effect=OSError("Odd")):  # one without a number
            self.assertEqual(self.main(*RUN[:2], "in.md", "-n"), (1, "oversample: error: odd\n"))

    @unittest.skipUnless(sys.platform == "linux", "only Linux keeps to this limit")
    def test_4_2_not_enough_memory_is_one_line(self) -> None:
        import resource

        self.write(document(5))
        limits = resource.getrlimit(resource.RLIMIT_AS)
        for base, *files in ("2", "/dev/zero", "out.md"), ("73", "in.md", "-"):
            resource.setrlimit(resource.RLIMIT_AS, (2**29, limits[1]))
            try:
                found = self.main("--base", base, *files)
            finally:
                resource.setrlimit(resource.RLIMIT_AS, limits)
            message = "oversample: error: not enough memory for this document and base\n"
            self.assertEqual(found, (1, message))


# fmt: off
JOIN, SORTED = b"\n\n".join, [pair(name, "_abc".index(name)) for name in "aabbbbcccccccc"]
FEW, OVER = "expected 8 copies of this pair in out.md, found 7", "expected 4 copies of this pair in out.md, found 5"
C, STRANGE = pair("c", 3), "this copy matches no pair; "
EDITED = "in.md:15 has the same question: one of the two was edited"
WEIGHED = "it is in.md:15 but for the weight line: the weight was edited, or only one of the two had --strip-weights"
ORDER = "expected the order of seed 1, found another"
NOBODY, NO_COPY = "no pair of in.md has this question", "text that belongs to no copy: "
TWICE, TWIN = JOIN([pair("a", 2), pair("b", 1), pair("a", 2)]), pair("a", 3).replace(b"a!", b"b!")
TWINS = JOIN([pair("a", 1), TWIN, pair("a", 2)])
GONE = [("in.md", line, f"expected {due} copies of this pair in out.md, found 0") for line, due in ((1, 2), (8, 8), (15, 4))]

# Differences of a check at base 2: (what it shows, input, output, rows).
DIFFERENCES = [
    ("in any order", ABC, JOIN(SORTED) + b"\n", []),
    ("one is missing", ABC, JOIN(SORTED[:-1]) + b"\n", [("in.md", 15, FEW)]),
    ("one too many", ABC, JOIN([*SORTED, ONE]) + b"\n", [("in.md", 1, "expected 2 copies of this pair in out.md, found 3")]),
    ("one for another", ABC, JOIN([*SORTED[:-1], SORTED[2]]) + b"\n", [("in.md", 8, OVER), ("in.md", 15, FEW)]),
    ("an altered one", ABC, JOIN([*SORTED[:-1], C.replace(b"c!", b"d!")]) + b"\n", [("out.md", 92, STRANGE + EDITED), ("in.md", 15, FEW)]),
    ("an altered one first, longer than its pair", ABC, JOIN([C.replace(b"c!", b"c!\n" * 300), *SORTED[:-1]]) + b"\n", [("out.md", 1, STRANGE + EDITED), ("in.md", 15, FEW)]),
    ("stale ones", ABC, JOIN([*SORTED[:6], *[C.replace(b"c!", b"d!")] * 8]) + b"\n", [("out.md", 43, STRANGE + EDITED), ("in.md", 15, FEW.replace("7", "0"))]),
    ("another weight", ABC, JOIN([*SORTED[:-1], pair("c", 4)]) + b"\n", [("out.md", 92, STRANGE + WEIGHED), ("in.md", 15, FEW)]),
    ("no weight line", ABC, JOIN([*SORTED[:-1], C.replace(b"OVERSAMPLE_WEIGHT: 3\n", b"")]) + b"\n", [("out.md", 92, STRANGE + WEIGHED), ("in.md", 15, FEW)]),
    ("no weight", ABC, JOIN([*SORTED[:-1], C.replace(b" 3\n", b"\n")]) + b"\n", [("out.md", 92, STRANGE + WEIGHED), ("in.md", 15, FEW)]),
    ("of no pair", ABC, JOIN([*SORTED, pair("z")]) + b"\n", [("out.md", 99, STRANGE + NOBODY)]),
    ("two of no pair, and one", ABC, JOIN([pair("z"), *SORTED[:4], pair("y"), *SORTED[4:], pair("z")]) + b"\n", [("out.md", 1, STRANGE + NOBODY), ("out.md", 36, STRANGE + NOBODY)]),
    ("text behind one of no pair", ABC, JOIN([pair("z"), *SORTED]) + b"\nx\n", [("out.md", 1, STRANGE + NOBODY), ("out.md", 105, NO_COPY + "'x'")]),
    ("text before", ABC, b" x\n" + JOIN(SORTED) + b"\n", [("out.md", 1, NO_COPY + "'x'")]),
    ("text before, blank lines around it", ABC, b"\n\nx\n\n" + JOIN(SORTED) + b"\n", [("out.md", 3, NO_COPY + "'x'")]),
    ("a byte order mark", ABC, b"\xef\xbb\xbf" + JOIN(SORTED) + b"\n", [("out.md", 1, NO_COPY + "'\\ufeff'")]),
    ("a marker in mid-line", ABC, b"see QUESTION: x\n" + JOIN(SORTED) + b"\n", [("out.md", 1, NO_COPY + "'see QUESTION: x'")]),
    ("text between", ABC, JOIN(SORTED[:3]) + b"\n\n\nsome\nx\n" + JOIN(SORTED[3:]) + b"\n", [("out.md", 23, NO_COPY + "'some'")]),
    ("text after", ABC, JOIN(SORTED) + b"\nx\n", [("out.md", 98, NO_COPY + "'x'")]),
    ("a marker after", ABC, JOIN(SORTED) + b"\nQUESTION:", [("out.md", 98, NO_COPY + "'QUESTION:'")]),
    ("a copy cut short", ABC, JOIN([*SORTED, ONE[:-1]]) + b"\n", [("out.md", 99, NO_COPY + "'QUESTION: a?'")]),
    ("a copy in mid-line", ABC, JOIN(SORTED[:2]) + b"  " + JOIN(SORTED[2:]) + b"\n", [("out.md", 13, NO_COPY + "'QUESTION: b?'"), ("in.md", 8, "expected 4 copies of this pair in out.md, found 3")]),
    ("a wrong gap", ABC, JOIN(SORTED[:3]) + b"\n" + JOIN(SORTED[3:]) + b"\n", [("out.md", 20, "expected '\\n\\n' here, found '\\n'")]),
    ("no gap", ABC, JOIN(SORTED[:3]) + JOIN(SORTED[3:]) + b"\n", [("out.md", 20, "expected '\\n\\n' here, found nothing")]),
    ("a gap before the first", ABC, b"\n\n" + JOIN(SORTED) + b"\n", [("out.md", 1, "expected nothing here, found '\\n\\n'")]),
    ("no line end", ABC, JOIN(SORTED), [("out.md", 97, "expected '\\n' here, found nothing")]),
    ("a longer end", ABC, JOIN(SORTED) + b"\n\n", [("out.md", 97, "expected '\\n' here, found '\\n\\n'")]),
    ("a stray end", ABC, JOIN(SORTED) + b"<END_OF_SET>\n", [("out.md", 97, NO_COPY + "'<END_OF_SET>'")]),
    ("nothing", ABC, b"", [("out.md", 1, "expected '\\n' here, found nothing"), ("in.md", 1, "expected 2 copies of this pair in out.md, found 0"), ("in.md", 8, "expected 4 copies of this pair in out.md, found 0"), ("in.md", 15, FEW.replace("7", "0"))]),
    ("5.1 the same pair twice", TWICE, JOIN([pair("a", 2)] * 8 + [pair("b")] * 2) + b"\n", []),
    ("5.1 the same pair twice, once too few", TWICE, JOIN([pair("a", 2)] * 7 + [pair("b")] * 2) + b"\n", [("in.md", 1, FEW)]),
    ("a weight of the first of two pairs", TWINS, pair("a", 4) + b"\n", [("out.md", 1, STRANGE + WEIGHED.replace("15", "1")), *GONE]),
    ("a weight of the second", TWINS, TWIN.replace(b" 3", b" 5") + b"\n", [("out.md", 1, STRANGE + WEIGHED.replace("15", "8")), *GONE]),
    ("the question of all", TWINS, TWIN.replace(b"b!", b"c!") + b"\n", [("out.md", 1, STRANGE + EDITED.replace("15", "1")), *GONE]),
]
# fmt: on


class Check(Scene):
    """5. Is this output what the input and the options give?"""

    def differences(self, content: bytes | None = None, **options) -> list[tuple[str, int, str]]:
        if content is not None:
            self.write(content, "out.md")
        return [tuple(each) for each in check("in.md", "out.md", **{"base": 2, **options})]

    def test_5_1_what_was_written_passes_with_its_seed_and_without(self) -> None:
        crlf, long = ABC.replace(b"\n", b"\r\n"), document(1) + pair("x" * 300_000)
        runs = {"base": 2}, {"base": 1.3, "strip_weights": True}, {"base": 9, "max_copies": 2}
        for content in SAMPLE.read_bytes(), document(1), ONE + b"\n" + ONE, crlf, long:
            self.write(content)
            for options in runs:
                oversample.oversample("in.md", "out.md", seed=4, overwrite=True, **options)
                found = [self.differences(**options), self.differences(seed=4, **options)]
                self.assertEqual(found, [[], []], options)

    def test_5_2_every_way_to_differ_is_said_with_its_lines(self) -> None:
        for name, source, content, expected in DIFFERENCES:
            self.write(source)
            with self.subTest(name):
                self.assertEqual(self.differences(content), expected)
                found = self.differences(content, seed=1)
                self.assertEqual([row for row in found if row[2] != ORDER], expected)

    def test_5_1_with_a_seed_the_first_copy_out_of_order_is_named(self) -> None:
        order = "cccbcacbcbbcca"
        for at in range(13):
            if order[at] != order[at + 1]:
                changed = ordered(order[:at] + order[at + 1] + order[at] + order[at + 2 :])
                expected = [("out.md", 1 + 7 * at, "expected the order of seed 1, found another")]
                self.assertEqual(self.differences(changed, seed=1), expected)
                self.assertEqual(self.differences(), [])

    def test_5_1_every_byte_counts_with_a_seed_and_without(self) -> None:
        for at in range(0, len(GOOD), 2):
            options = {"seed": 1} if at % 4 else {}
            changed = GOOD[:at] + bytes([GOOD[at] ^ 1]) + GOOD[at + 1 :]
            self.assertNotEqual(self.differences(changed, **options), [], at)
            self.assertNotEqual(self.differences(GOOD[:at] + GOOD[at + 1 :], **options), [], at)

    def test_5_3_memory_and_time_are_bounded_whatever_the_output_is(self) -> None:
        self.addCleanup(tracemalloc.stop)
        self.write(JOIN([pair("x" * 1000, 5), pair("y" * 1000, 5)]))
        oversample.oversample("in.md", "good.md", base=5)  # 13 MB
        good = self.out("good.md")
        strange = JOIN(pair(str(number)) for number in range(30_000)) + b"\n"
        many = [("out.md", 1 + 7 * number) for number in range(100)]
        for content, row in [
            (b"", [("out.md", 1)]), (good[:5000] + b"\n\n", [("out.md", 15)]), (good[:5000], [("out.md", 15)]), (good, []),
            (b"0<END_OF_SET>" * 200_000, [("out.md", 1)] * 100), (strange, many),
        ]:  # fmt: skip
            self.write(content, "out.md")
            if len(content) < 9999:
                os.truncate("out.md", 300 * 2**20)
            tracemalloc.start()
            begun = time.process_time()
            found = [each[:2] for each in self.differences(base=5)]
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            self.assertEqual(found, row)
            self.assertLess(peak, 2**20)
            self.assertLess(time.process_time() - begun, 1)

    def test_5_1_gaps_longer_than_every_pair_are_no_reason_to_stop(self) -> None:
        for length in 70_000, 140_000, 400_000:
            join = b"\n" * length
            self.write(join.join([pair("a", 1), pair("b", 1)]))
            oversample.oversample("in.md", "out.md", base=2, seed=1, overwrite=True)
            self.assertEqual([self.differences(), self.differences(seed=1)], [[], []])
            first = self.out()[: len(pair()) * 2 + length]
            for content in first + b"\n", first + b"x\n", first + join:
                self.assertNotEqual(self.differences(content), [])

    @unittest.skipUnless(POSIX, "pipes are POSIX's")
    def test_5_3_a_pipe_is_refused_and_5_the_check_writes_nothing(self) -> None:
        os.mkfifo("pipe")
        self.write(GOOD, "out.md")
        before, forbidden = self.state(), mock.Mock(side_effect=AssertionError)
        names = "write", "link", "replace", "rename", "unlink", "chmod", "open", "fsync"
        with mock.patch.multiple("os", **dict.fromkeys(names, forbidden)):
            message = "oversample: error: pipe: is not a regular file\n"
            self.assertEqual(self.main("--check", *RUN[:5], "pipe"), (1, message))
            self.assertEqual(self.main("--check", *RUN, "-f")[0], 0)
            self.assertEqual(self.main("--check", *RUN, "--base", "3")[0], 1)
        self.assertEqual(self.state(), before)


class Python(Scene):
    """6. From Python: oversample(), check(), the module."""

    def test_6_the_signatures_and_names_are_those_of_the_contract(self) -> None:
        options = "*, base, seed=None, max_copies=None, strip_weights=False"
        for function, expected in [
            (oversample.oversample, f"(source, destination, {options}, overwrite=False)"),
            (check, f"(source, destination, {options})"), (oversample.main, "(argv=None)"),
        ]:  # fmt: skip
            with mock.patch.object(function, "__annotations__", {}):
                self.assertEqual(str(inspect.signature(function)), expected)
        public = "Difference Document DocumentError QAPair Summary check copies oversample parse resample"
        self.assertEqual(sorted(oversample.__all__), public.split())
        for name in oversample.__all__:
            self.assertTrue(getattr(oversample, name).__doc__, name)

    def test_6_a_summary_and_differences_have_names(self) -> None:
        summary = oversample.oversample("in.md", pathlib.Path("out.md"), base=2, seed=1)
        self.assertEqual((summary, self.out()), ((3, 14, 853, 1), GOOD))
        self.assertEqual((summary.pairs, summary.copies, summary.bytes, summary.seed), summary)
        self.assertEqual(check("in.md", "out.md", base="2"), ())
        last = check(pathlib.Path("in.md"), pathlib.Path("out.md"), base=3)[-1]
        expected = "in.md", 15, "expected 27 copies of this pair in out.md, found 8"
        self.assertEqual((last.path, last.line, last.message), expected)

    def test_6_1_what_is_not_a_path_is_a_type_error_and_is_neither_opened_nor_closed(self) -> None:
        with open("in.md", "rb") as file:
            for bad in file.fileno(), True, 1, None, 1.5, file:
                for function in oversample.oversample, check:
                    for arguments in (bad, "out.md"), ("in.md", bad):
                        with mock.patch("builtins.open", side_effect=AssertionError):
                            with self.assertRaises(TypeError, msg=arguments):
                                function(*arguments, base=2)
                        os.fstat(1)
            self.assertEqual(file.read(), ABC)
        self.assertEqual(self.names(), ["in.md"])

    def test_6_1_bad_numbers_are_value_errors_before_a_file_is_opened(self) -> None:
        functions = oversample.oversample, check
        for name, limits, rows in [  # None is a seed here: one is drawn
            ("base", BASE, NO_BASES), ("seed", SEED, NO_SEEDS[:-1]), ("max_copies", CAP, NO_CAPS),
        ]:  # fmt: skip
            for function, (number, found) in itertools.product(functions, rows):
                with self.subTest(number=number), self.assertRaises(ValueError) as caught:
                    function("none.md", "out.md", **{"base": 2, name: number})
                self.assertEqual(str(caught.exception), limits + found)

    def test_6_1_nothing_below_main_prints_or_touches_signals(self) -> None:
        self.write(b"text\n" + document(1, 1) + b"\n" + document(1))
        self.write(b"ANSWER:", "bad.md")
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
            with mock.patch("signal.signal", side_effect=AssertionError):
                for source, base in itertools.product(("in.md", "bad.md"), (2, 3)):
                    for function in oversample.oversample, check:
                        with contextlib.suppress(OSError, DocumentError):
                            function(source, "out.md", base=base)
        self.assertEqual(out.getvalue(), "")

    def test_6_1_importing_has_no_side_effect(self) -> None:
        program = """if True:
            import os, signal, sys, threading
            state = lambda: ([signal.getsignal(n) for n in range(1, 20)], os.listdir(), os.getcwd(),
                threading.active_count(), dict(os.environ), list(sys.argv), sys.excepthook)
            before = state()
            import oversample
            sys.exit(state() != before)
        """
        self.assertEqual(finish(start(program=("-W", "error", "-c", program))), (0, b"", ""))


def run(block: str) -> tuple[int, str]:
    """Run a block as a script of its own; return its exit status and all that it printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            exec(block, {"__name__": "__main__"})
        except SystemExit as stop:
            print(stop.code)  # as Python does with a text
            return 1, out.getvalue()
    return 0, out.getvalue()


PAGE = README.read_text(encoding="utf-8")
FLAT = " ".join(PAGE.split())
BLOCKS = dict(re.findall(r"(?ms)^(?:<!-- shown: (\w+) -->\n)?```\w*\n(.*?)^```$", PAGE))
HELD = "report own format mistake help check hook rows axolotl info python spark"


class Readme(Case):
    """The README shows what the program prints."""

    def test_every_block_is_held_by_a_test(self) -> None:
        self.assertEqual(" ".join(BLOCKS), HELD)
        self.assertEqual(len(re.findall(r"(?m)^\s*(?:```|~~~)", PAGE)), 2 * len(BLOCKS))

    def test_the_first_screen_is_small_and_so_is_the_page(self) -> None:
        unfolded = re.sub(r"<details>.*?</details>\n", "", PAGE, flags=re.DOTALL)
        first, _, _ = PAGE.partition("\n## ")
        sizes = [text.count("\n") for text in (first, PAGE, unfolded)]
        self.assertTrue(all(map(int.__le__, sizes, [40, 360, 190])), sizes)
        for text in BLOCKS["report"], BLOCKS["own"], "see [Recipes](#recipes)":
            self.assertIn(text, first)
        self.assertIn("\n## Recipes\n", PAGE)
        self.assertNotRegex(PAGE, "</summary>(?!\n\n)", "GitHub wants a blank line there")

    def test_the_output_of_the_first_command_is_as_shown(self) -> None:
        first, second = re.findall(r"(?m)^    python (.*)$", PAGE)
        script, *arguments = first.split()
        self.assertEqual((script, second), ("oversample.py", "-m unittest"))
        shutil.copytree(HERE / "sources", "sources")
        status, text = self.main(*arguments)
        found, shown = (re.sub(r"\d{1,10}\n\Z", "", each) for each in (text, BLOCKS["report"]))
        self.assertEqual((status, found), (0, shown))

    def test_the_command_for_ones_own_document_runs_as_shown(self) -> None:
        python, script, *arguments = BLOCKS["own"].split()
        self.assertEqual((python, script), ("python3", "oversample.py"))
        self.write(document(1, 2), arguments[-2])
        status, _ = self.main(*arguments)
        self.assertEqual((status, self.names()), (0, sorted(arguments[-2:])))

    def test_the_help_is_as_shown_and_the_page_begins_alike(self) -> None:
        self.assertEqual(finish(start("--help")), (0, BLOCKS["help"].encode(), ""))
        self.assertEqual(PAGE.splitlines()[2], oversample.__doc__.splitlines()[0])

    def test_the_format_and_a_mistake_are_as_shown(self) -> None:
        text = BLOCKS["format"].encode()
        self.assertEqual(parse(text).pairs, ((text.strip(), 4, 1),))
        self.write(text.replace(b"OVERSAMPLE_WEIGHT", b"OVERSAMPLE WEIGHT"))
        self.assertEqual(self.main("--base", "2", "in.md", "out.md"), (1, BLOCKS["mistake"]))

    def test_the_check_says_what_is_shown_before_and_after_an_edit(self) -> None:
        line = "$ python3 oversample.py --check --base 2 in.md out.md\n"
        nothing, good, stale = BLOCKS["check"].split(line)
        self.write(document(1, 2))
        oversample.oversample("in.md", "out.md", base=2, seed=3)
        self.assertEqual((nothing, *self.main(*line.split()[3:])), ("", 0, good))
        self.write(document(1, 2).replace(b"b!", b"better!"))
        self.assertEqual(self.main(*line.split()[3:]), (1, stale))

    def test_with_one_seed_an_edited_line_changes_as_many_lines_as_there_are_copies(self) -> None:
        outputs = []
        for answer, seed in (b"c!", 42), (b"see!", 42), (b"see!", 43):
            self.write(document(1, 2, 3, 4, 5).replace(b"c!", answer))
            oversample.oversample("in.md", "out.md", base=2, seed=seed, overwrite=True)
            outputs.append((self.folder / "out.md").read_bytes().split(b"\n"))
        changed = [sum(map(bytes.__ne__, outputs[0], each)) for each in outputs]
        self.assertEqual(changed[:2], [0, 8])
        self.assertGreater(changed[2], 100)
        self.assertIn("one line edited in a pair of weight 3 changes 8 lines", FLAT)

    @unittest.skipUnless(POSIX and shutil.which("git"), "needs git and a shell")
    def test_the_git_hook_stops_the_commit_of_a_stale_output(self) -> None:
        shutil.copy(SCRIPT, ".")
        os.mkdir("bin")
        python = self.write(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'.encode(), "bin/python3")
        environment = {name: text for name, text in os.environ.items() if name[:4] != "GIT_"}
        environment.update(HOME=os.getcwd(), XDG_CONFIG_HOME=os.getcwd(), GIT_CONFIG_NOSYSTEM="1")
        environment["PATH"] = f"{python.parent}:{os.environ['PATH']}"

        def git(*words: str) -> tuple[int, str]:
            words = ["git", "-c", "user.name=a", "-c", "user.email=b", *words]
            done = subprocess.run(words, env=environment, capture_output=True, timeout=60)
            return done.returncode, (done.stdout + done.stderr).decode()

        git("init", "-q")
        os.makedirs(".git/hooks", exist_ok=True)
        hook = self.write(BLOCKS["hook"].encode(), ".git/hooks/pre-commit")
        self.assertIn("three lines, with your options and names, as `.git/hooks/pre-commit`", FLAT)
        self.assertEqual(BLOCKS["hook"].count("\n"), 3)
        for path in python, hook:
            path.chmod(0o755)
        self.write(document(1, 2))
        oversample.oversample("in.md", "out.md", base=2, seed=42)
        git("add", "in.md", "out.md")
        self.assertEqual(git("commit", "-q", "-m", "fresh"), (0, ""))
        self.write(document(1, 2).replace(b"b!", b"better!"))
        stale = BLOCKS["check"].split("in.md out.md\n")[2]  # of an output of another seed
        stale = stale.replace("out.md:8", "out.md:1")
        self.assertEqual(git("commit", "-q", "-a", "-m", "stale"), (1, stale))
        oversample.oversample("in.md", "out.md", base=2, seed=42, overwrite=True)
        self.assertEqual(git("commit", "-q", "-a", "-m", "renewed"), (0, ""))
        self.assertEqual(git("log", "--format=%s"), (0, "renewed\nfresh\n"))

    def test_the_lines_of_python_run_as_shown(self) -> None:
        self.write(document(1, 2))
        self.assertEqual(run(BLOCKS["python"]), (0, "2 6 365 42\n"))
        self.assertEqual(check("in.md", "out.md", base=2, seed=42), ())

    def test_the_table_names_everything_that_is_public(self) -> None:
        names = re.findall(r"^\| `(\w+)`? *[(|]", PAGE, re.MULTILINE)
        self.assertEqual({*names, "Document", "Summary", "Difference"}, set(oversample.__all__))


# fmt: off
BAD = document(1, 2).replace(b"ANSWER: a", b"Answer: a").replace(b"T: 2", b"T: 9")
SAME = pair("x") + b"\n" + pair("c").replace(b"c?", b"\r\n c?") + b"\n" + pair("a")
BAD_LINES = "{0}:3: error: expected ANSWER: after QUESTION: (line 1), found 'Answer: a!'\n{0}:12: error: expected a weight, 1 to 5, after OVERSAMPLE_WEIGHT:, found '9'\n"
# What stops the recipe: (what it shows, the documents that are there, all that is said).
MISTAKES = [
    ("no document", {}, "in.md: No such file or directory\n"),
    ("a malformed document", {"in.md": BAD}, BAD_LINES.format("in.md")),
    ("one for validation", {"in.md": document(1), "validation.md": BAD}, BAD_LINES.format("validation.md")),
    ("a warning, and a question in both", {"in.md": ABC + b"Dear all", "validation.md": SAME}, "in.md:21: warning: text outside any pair is not copied: 'Dear all'\nin.md:1: error: validation.md:14 has the same question\nin.md:15: error: validation.md:7 has the same question\nnothing was written; keep each question in one document\n"),
]
# fmt: on


class LastMile(Case):
    """The way to training that the README shows, run as it is printed."""

    FILES = "train.jsonl", "valid.jsonl"
    ODD = "Naïve “日本” 🙂\u2028\x85\x7f"  # what splitlines() and careless writers stumble over

    def script(self, **settings: object) -> str:
        """The recipe with these settings in place of its own, each on the line that names it."""
        text = BLOCKS["rows"]
        for name, value in settings.items():
            text, times = re.subn(rf"(?m)^{name} = [^#\n]*", f"{name} = {value}  ", text)
            self.assertEqual(times, 1, name)
        return text

    def files(self) -> list[bytes]:
        return [self.folder.joinpath(name).read_bytes() for name in self.FILES]

    def rows(self, name: str) -> list[dict]:
        lines = (self.folder / name).read_bytes().split(b"\n")
        self.assertEqual(lines.pop(), b"")
        return [json.loads(line) for line in lines]

    def test_every_kind_of_row_is_written_split_and_read_back(self) -> None:
        content = document(*[1, 2, 3, 4, 5] * 4).replace(b"a!", f"{self.ODD} a!".encode())
        self.write(content)
        weights = {(p.question.decode(), p.answer.decode()): p.weight for p in parse(content).pairs}
        for kind, plain in {
            "chat": lambda row: tuple(turn["content"] for turn in row["messages"]),
            "prompt": lambda row: (row["prompt"][:-1], row["completion"]),
            "alpaca": lambda row: (row["instruction"] + row["input"], row["output"]),
            "text": lambda r: (r["text"][: r["start"] - 2], r["text"][r["start"] : r["end"]]),
        }.items():
            with self.subTest(kind=kind):
                run(self.script(kind=repr(kind)))
                train, valid = [[plain(row) for row in self.rows(name)] for name in self.FILES]
                expected = {text: 2**w for text, w in weights.items() if text not in valid}
                self.assertEqual((Counter(train), len(set(valid)), len(valid)), (expected, 2, 2))
                self.assertIn(self.ODD.encode(), b"".join(self.files()))

    def test_rows_are_the_same_each_time_and_twins_stay_together(self) -> None:
        content = document(*[1] * 20).replace(b"QUESTION: ", b"QUESTION: Dear me, ")
        self.write(content + content.replace(b"Dear me", b"Dear\r\n me"))
        run(BLOCKS["rows"])
        before = self.files()
        self.assertEqual((run(BLOCKS["rows"])[0], self.files()), (0, before))
        asked = [{row["messages"][0]["content"] for row in self.rows(name)} for name in self.FILES]
        train, valid = ({" ".join(question.split()) for question in each} for each in asked)
        self.assertEqual((len(train), len(valid), train & valid), (18, 2, set()))

    def test_a_validation_document_of_ones_own_is_taken_once_each_and_whole(self) -> None:
        self.write(document(1, 2))
        self.write(pair("x", 5) + b"\n" + pair("y", 1) + b"\n", "validation.md")
        said = run(self.script(kind="'prompt'"))
        train, valid = map(self.rows, self.FILES)
        self.assertEqual(valid, [{"prompt": f"{n}?\n", "completion": f"{n}!"} for n in "xy"])
        each = "{} rows to {}.jsonl, up to 38 characters\n"
        self.assertEqual(said, (0, each.format(6, "train") + each.format(2, "valid")))
        self.assertEqual(Counter(row["completion"] for row in train), {"a!": 2, "b!": 4})

    def test_what_is_wrong_with_the_documents_is_said_and_no_rows_are_written(self) -> None:
        for name, documents, expected in MISTAKES:
            for file, content in documents.items():
                self.write(content, file)
            with self.subTest(name):
                self.assertEqual(run(BLOCKS["rows"]), (1, expected))
                self.assertEqual(self.names(), [*documents])

    def test_system_prompt_markers_and_cap_are_one_setting_each(self) -> None:
        self.write(document(1, 5))
        self.write(pair("x"), "validation.md")
        q, a, asked = "QUESTION: x?", "ANSWER: x!", "Be kind.\n\nQUESTION: x?"
        turns = ("system", "Be kind."), ("user", q), ("assistant", a)
        for kind, expected in {
            "chat": {"messages": [{"role": role, "content": text} for role, text in turns]},
            "prompt": {"prompt": f"{asked}\n", "completion": a},
            "alpaca": {"instruction": asked, "input": "", "output": a},
            "text": {"text": f"{asked}\n\n{a}", "start": 24, "end": 34},
        }.items():
            with self.subTest(kind=kind):
                run(self.script(kind=repr(kind), system="'Be kind.'", keep_markers=True))
                self.assertEqual(self.rows("valid.jsonl"), [expected])
        run(self.script(kind="'text'"))
        self.assertEqual(self.rows("valid.jsonl"), [{"text": "x?\n\nx!", "start": 4, "end": 6}])
        run(self.script(**{"base, max_copies, seed": "2, 3, 7"}))
        train = [row["messages"][1]["content"].encode() for row in self.rows("train.jsonl")]
        capped = resample(parse(document(1, 5)).pairs, base=2, seed=7, max_copies=3)
        self.assertEqual(train, [each.answer for each in capped])

    def test_the_settings_of_the_trainers_name_the_files_and_fields_of_chat_rows(self) -> None:
        paths = re.findall(r"^(\w+): \[{path: ([\w.]+), ", BLOCKS["axolotl"], re.MULTILINE)
        self.assertEqual(paths, [*zip(("datasets", "test_datasets"), self.FILES)])
        self.write(document(1, 1))
        run(self.script(system="'Be kind.'"))
        entries = json.loads(BLOCKS["info"])
        self.assertEqual([each["file_name"] for each in entries.values()], [*self.FILES])
        self.assertIn("`dataset: {}`, `eval_dataset: {}`".format(*entries), PAGE)
        for entry in entries.values():
            tags, (row, *_) = entry["tags"], self.rows(entry["file_name"])
            turns = row[entry["columns"]["messages"]]
            for turn, name in zip(turns, ("system", "user", "assistant")):
                self.assertEqual([*turn], [tags["role_tag"], tags["content_tag"]])
                self.assertEqual(turn[tags["role_tag"]], tags[f"{name}_tag"])

    def test_the_last_tenth_is_trained_on_too_as_said(self) -> None:
        made = resample(parse(SAMPLE.read_bytes()).pairs, base=2, seed=1)
        tenth = len(made) // 10
        earlier = {each.span for each in made[:-tenth]}
        again = sum(each.span in earlier for each in made[-tenth:])
        self.assertEqual((len(made), tenth, again), (340, 34, 34))
        self.assertRegex(FLAT, "the 340 copies .* holds out 34, and trains on all 34, too")

    def test_the_table_of_bases_is_right(self) -> None:
        spread = {1: 3, 2: 18, 3: 22, 4: 28, 5: 11}
        rules = [lambda w: 1, lambda w: w, lambda w: copies(w, 1.3), lambda w: copies(w, 2)]
        totals = [sum(pairs * rule(w) for w, pairs in spread.items()) for rule in rules]
        for w, pairs in spread.items():
            cells = [f"{r(w)}: {pairs * r(w) / t:.1%}" for r, t in zip(rules, totals)]
            self.assertIn(f"| {w} | {pairs} | {' | '.join(cells)} |\n", PAGE)
        self.assertIn(f"| copies | 82 | {' | '.join(f'{t:,}' for t in totals)} |\n", PAGE)

    def test_the_dry_run_can_be_typed_as_shown(self) -> None:
        self.write(document(1, 2, 3))
        (line,) = re.findall(r"`python3 oversample.py (.*--dry-run.*)`", PAGE)
        self.assertEqual((self.main(*line.split())[0], self.names()), (0, ["in.md"]))

    def spark(self, partitions: int) -> tuple[int, str, list[tuple[str, bytes]]]:
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.shuffle.partitions", str(partitions))
        session = builder.config("spark.sql.adaptive.enabled", "false").getOrCreate()
        try:
            session.sparkContext.setLogLevel("ERROR")
            status, text = run(BLOCKS["spark"])
            self.assertEqual(len(list(self.folder.glob("copies.parquet/part-*"))), partitions)
            rows = session.read.parquet("copies.parquet").orderBy("key").collect()
            text = re.search(r"[^/\n]*\n[^\n]*\n\Z", text)[0]  # Spark has warnings of its own
            return status, text, [(row.path.rpartition("/")[2], bytes(row.span)) for row in rows]
        finally:
            session.stop()
            shutil.rmtree("copies.parquet", ignore_errors=True)

    @unittest.skipUnless(importlib.util.find_spec("pyspark"), "pyspark is not installed")
    def test_spark_gives_the_copies_of_the_command_in_an_order_of_its_own(self) -> None:
        shutil.copy(SCRIPT, ".")
        os.mkdir("corpus")
        expected = Counter()
        odd = document(1, 3).replace(b"a!", b"\xff\x00\xe9 a!").replace(b"\n", b"\r\n")
        for name, content in {"one": SAMPLE.read_bytes(), "odd": odd, "twin": odd}.items():
            self.write(content, f"corpus/{name}.md")
            oversample.oversample(f"corpus/{name}.md", "out.md", base=2, overwrite=True)
            pairs = parse(self.folder.joinpath("out.md").read_bytes()).pairs
            expected += Counter((f"{name}.md", each.span) for each in pairs)
        self.write(document(1).replace(b"ANSWER", b"Answer"), "corpus/bad.md")
        self.write(b"no document", "corpus/notes.txt")
        with mock.patch.dict(os.environ, PYSPARK_PYTHON=sys.executable):
            status, text, rows = self.spark(2)
            self.assertEqual(self.spark(7), (status, text, rows))
        found = "bad.md:3: error: expected ANSWER: after QUESTION: (line 1), found 'Answer: a!'\n"
        found += "left out: 1 malformed documents\n"
        self.assertEqual((status, text, Counter(rows)), (1, found, expected))


# The second reading: line by line, from the contract alone ------------------------------------

BOM = b"\xef\xbb\xbf"
QUESTION, ANSWER, WEIGHT, END = b"QUESTION:", b"ANSWER:", b"OVERSAMPLE_WEIGHT:", b"<END_OF_SET>"
OPEN = b"<!--"
OTHER_FORMATS = (b"\xff\xfe", b"\xfe\xff", b"PK\3\4", b"PK\5\6", b"\xd0\xcf\x11\xe0", b"{\\rtf", b"%PDF")  # fmt: skip
# Where text ends: in a comment, outside pairs, and in a section.
STOPS = {"comment": b"(-->)", "outside": b"(<!--|<END_OF_SET>)", "section": b"(<END_OF_SET>)"}

# What there is in a document, a pair as (span, weight, line); of a refused one, errors alone.
Reading = namedtuple("Reading", "errors pairs separator warnings", defaults=([], b"", []))

# All that is one letter off the name of a marker, ? for any letter: more, another, less, swapped.
LETTERS = {QUESTION: "QUESTION", ANSWER: "ANSWER", WEIGHT: "OVERSAMPLEWEIGHT", END: "ENDOFSET"}
ONE_OFF = {
    head + other: marker
    for marker, name in LETTERS.items()
    for head, tail in ((name[:at], name[at:]) for at in range(len(name) + 1))
    for other in ("?" + tail, "?" + tail[1:], tail[1:], tail[1::-1] + tail[2:])
}


@lru_cache(10_000)
def misspelt(line: bytes) -> bytes | None:
    """Return the marker that a line misspells (1.9), None if it misspells none."""
    text = line[:80].decode("utf-8", "replace")
    capitals, last = "", "-"
    for each in itertools.dropwhile(lambda each: not each.isalnum(), text):
        if not ("A" <= each <= "Z" or each in "_ -" and last not in "_ -"):
            break
        capitals, last = capitals + each, each
    for part in text.replace("\uff1a", ":").partition(":")[0], text, capitals:
        letters = "".join(filter(str.isalpha, part)).upper()
        cuts = range(len(letters))
        for form in letters, *(letters[:at] + "?" + letters[at + 1 :] for at in cuts):
            if form in ONE_OFF:
                return ONE_OFF[form]
    return None


def second_reading(document: bytes) -> Reading:
    """Read a document: sections are collected, part by part, and judged when they end."""
    if document.startswith(OTHER_FORMATS) or b"\0" in document[:4]:
        return Reading([1])
    pairs, edges, warnings, errors = [], [], [], []
    lines, place, start, offset = document.split(b"\n"), "outside", 0, 0
    comment, comment_line = b"", 0
    stretches = [[]]  # of text outside pairs since the last marker: [(line, text), ...]
    parts = []  # of the section: [marker, line, [(line, text), ...]]
    silent = False  # the section belongs to misspelt markers before it

    def add_part(marker: bytes | None, number: int) -> None:
        nonlocal silent
        if not parts:
            texts = itertools.chain(*stretches)
            kinds = [(line, kind) for line, text in texts if (kind := misspelt(text))]
            lost = len({kind for _, kind in kinds}) > 1
            errors.extend(line for line, _ in kinds if lost)
            silent = lost and marker != QUESTION
            for stretch in stretches:
                warnings.extend([line for line, text in stretch if text.strip()][:1])
        parts.append([marker, number, []])

    def close_section(stop: int, follower: bytes | None, number: int) -> None:
        fault = first_fault(stretches, [*parts, [follower, number, []]])
        if fault is None:
            weight = int(parts[2][2][0][1].strip()[:1])
            pairs.append((document[start:stop], weight, parts[0][1]))
            edges.append((start, stop))
        elif not silent:
            errors.append(fault)
        stretches[:] = [[]]
        parts.clear()

    for number, line in enumerate(lines, 1):
        at = len(BOM) if number == 1 and line.startswith(BOM) else 0
        marker = next((m for m in (QUESTION, ANSWER, WEIGHT) if line.startswith(m, at)), None)
        if marker and place != "comment":
            if marker == QUESTION and parts:
                close_section(0, QUESTION, number)
            if not parts:
                place, start = "section", offset + at
            add_part(marker, number)
            at += len(marker)
        while True:  # a turn for each comment or section that begins or ends on this line
            text, found, *_ = *re.split(STOPS[place], line[at:], maxsplit=1), b""
            at += len(text + found)
            if place == "comment":
                comment += text + b"\n"
            else:
                (parts[-1][2] if parts else stretches[-1]).append((number, text))
            if not found:
                break
            if place == "comment":
                errors += [comment_line] * (OPEN in comment)
                place = "outside"
                stretches.append([])
            elif found == OPEN:
                place, comment, comment_line = "comment", b"", number
            else:
                add_part(END, number)
                close_section(offset + at, None, number)
                place = "outside"
        offset += len(line) + 1

    if parts:
        close_section(0, None, len(lines) - (lines[-1] == b""))
    add_part(None, 0)
    errors += [comment_line] * (place == "comment")
    if errors or not pairs:
        return Reading(sorted(errors) or [1])
    between = [document[one[1] : other[0]] for one, other in zip(edges, edges[1:])]
    gaps = Counter(gap for gap in between if not gap.strip()).most_common(1)
    blank_line = b"\r\n\r\n" if b"\r\n" in pairs[0][0] else b"\n\n"
    questions = [re.split(rb"(?m)^ANSWER:", span)[0][9:].strip() for span, _, _ in pairs]
    twins = [line for at, (_, _, line) in enumerate(pairs) if questions[at] in questions[:at]]
    warnings += twins[:1] if 2 * len(twins) >= len(pairs) else twins  # 1.7
    return Reading([], pairs, gaps[0][0] if gaps else blank_line, sorted(warnings))


def first_fault(stretches: list, parts: list) -> int | None:
    """Return the line of the error of a section (1.8, 1.9), None if it is a pair."""

    def line_of(marker: bytes, texts: list, found: int) -> int:
        return next((number for number, text in texts if misspelt(text) == marker), found)

    if parts[0][0] != QUESTION:
        return line_of(QUESTION, list(itertools.chain(*stretches)), parts[0][1])
    for (marker, number, texts), here, due in zip(parts, parts[1:], (ANSWER, WEIGHT, END)):
        found, found_line, _ = here
        (_, behind), *whole_lines = texts  # what is behind a marker on its line is no line
        if marker == WEIGHT:
            weight = re.match(rb"[ \t]*[1-5](?=[\s<]|\Z)", behind)
            if not weight:
                return number
            if found != END and line_of(END, whole_lines, 0):
                return line_of(END, whole_lines, 0)
            for line, text in [(number, behind[weight.end() :]), *whole_lines]:
                if text.strip():
                    return line
        elif not b"".join(text for _, text in texts).strip():
            return number
        if found != due:
            return line_of(due, whole_lines, found_line)
    return None


# Documents, valid ones and mutants of them ----------------------------------------------------

# fmt: off
# Text that may stand anywhere in a line, inside a pair, without being a marker.
INLINE = [
    b"a", b"x y", b"4", b" ", b"  ", b"\t", b"\r", b"\f", b"\v", b"\x00", b"\xff\xfe", b"\xe2\x80", b"\x85", b"\xa0", b"\xe2\x80\xa8", b"\x1c", BOM, "\u201cq\u201d".encode(), "\u0664".encode(), b"<!--", b"-->", b"<!-->", b"<!--->", b"<!-- c -->", b"--", b">", b"<", b"<END_OF_SET", b"END_OF_SET>", b"<END OF SET>", b"<end_of_set>", b"<END_OF_SET >", b"Question: ", b"question:",
    b"QUESTION :", b"QUESTION", b":", b"**ANSWER:**", b"Answer:", b"ANSWER ", b"ANSWERS:", b"OVERSAMPLE WEIGHT: 3", b"OVERSAMPLE_WEIGHT 3", b"OVERSAMPLE_WEIGHT", b"WEIGHT: 3", b"# QUESTION: t", b" QUESTION: t", b"\tANSWER: t", b"  OVERSAMPLE_WEIGHT: 2", b"t QUESTION:", b"t ANSWER: t", b"t OVERSAMPLE_WEIGHT: 1", b"\rQUESTION: t", b"\rANSWER: t", b"\fANSWER: t", b"\vQUESTION:", b"\rOVERSAMPLE_WEIGHT: 5", BOM + b"QUESTION: t", BOM + b"ANSWER: t",
]
SPACES = [b" ", b"\t", b"\r", b"\f", b"\v", b"\n", b"\r\n", b"\n\n", b" \n", b"\t\n"]
COMMENTS = [
    b"<!---->", b"<!-->-->", b"<!--->-->", b"<!-- c -->", b"<!--\n-->", b"<!--\n\n-->", b"<!-- <!-- -->", b"<!--<!---->", b"<!-- c --><!-- d -->", b"<!--\nQUESTION: a\n-->", b"<!--\nANSWER: a\n-->", b"<!-- <END_OF_SET> -->", b"<!--\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>-->", b"<!--\nQUESTION: a\nANSWER: b\nOVERSAMPLE_WEIGHT: 3\n<END_OF_SET>\n-->",
    b"<!-- c --> QUESTION: a", b"<!-- c -->QUESTION: a", b"<!--\n-->ANSWER: a", b"<!-- c -->OVERSAMPLE_WEIGHT: 3", b"--><!-- c -->", b"<!<!---->", b"<!-- - -- -> --->", b"t <!-- c --> t",
]
# Lines that misspell a marker: outside pairs one is a warning, two different ones are errors.
MISSES = [b"Question: t", b"## Question 12", b" QUESTION: t", b"QUESTON t", b"**ANSWER:** t", b"ANWSER: t", b"answer\xef\xbc\x9a t", b"Oversample weight: 3", b"OVERSAMPLE_WEIGHTS: 3", b"OVERSAMPLE WEIGHT of 3", b"<END OF SET>", b"END_OF_STE", b"</END_OF_SET>"]
# What INLINE holds is safe outside pairs too, but for what opens a comment there.
STRAY = [piece for piece in INLINE if OPEN not in piece]
WEIGHTS = [b"4", b" 4 ", b"\t4", b"4\r", b" 1", b" 2", b" 3\t", b" 5", b"4\f", b"4\v", b" \t 2 \t ", b" 3\r\r", b" 4 \n", b"1\n\n", b"5\n\v\n", b" 2\r\n\f"]
BAD_WEIGHTS = [b"", b" ", b"44", b"0", b"6", b"04", b"4.0", "\u0664".encode(), b"+4", b"-1", b"4 4", b"4x", b"x4", b"\n4", b" \n 4", b"\r4", b"\f4", b"\v4", b"4\x00", b"4\xa0", b"4\x85", b"4\x1c", b"4\n4", b"4 <!-- c -->", b"4\nt", b"\r\n4", b"=4", b":4", b"\xc2\xb2", BOM + b"4"]
LINE_ENDS = [(b"\n", b""), (b"\n", b"\r"), (b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"\n\n", b"\n")]
MARKERS = [QUESTION, ANSWER, WEIGHT, END, OPEN, b"-->", BOM]
# fmt: on


def documents(seed: int, count: int) -> Iterator[bytes]:
    """Yield generated documents, the same for the same seed: valid ones, and mutants of them."""
    rng = random.Random(seed)
    last = b""
    for _ in range(count):
        chunks = valid_chunks(rng)
        kind = rng.random()
        if 0.3 < kind < 0.65:
            mutate_chunks(rng, chunks)
        document = b"".join(chunks)
        if kind > 0.65:
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                document = mutate_bytes(rng, document, last)
        if kind > 0.99:
            document = rng.choice((*OTHER_FORMATS, b"PK", b"\0")) + document
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
        if rng.random() < 0.1:  # a twin is a pair of its own
            answer = pair[4] if rng.random() < 0.5 else part(rng, end)
            chunks += [*pair[:4], answer, *pair[5:], end]
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
    """Return what may stand between pairs: white space, comments, misspelt markers, text."""
    if rng.random() < 0.15:
        misses = rng.choices(MISSES, k=rng.choice((1, 1, 2, 3)))
        if rng.random() < 0.3:
            misses.insert(rng.randrange(len(misses) + 1), rng.choice(COMMENTS))
        return rng.choice((b"\n", b"\n\n", b"\r\n", b" ")).join([b"", *misses])
    kinds = (SPACES, SPACES, COMMENTS, COMMENTS, STRAY)
    return b"".join(rng.choice(rng.choice(kinds)) for _ in range(rng.choice((1, 1, 2, 3))))


def anything(rng: random.Random) -> bytes:
    return rng.choice(rng.choice((MARKERS, MARKERS, INLINE, SPACES, COMMENTS, BAD_WEIGHTS, MISSES)))


def mutate_chunks(rng: random.Random, chunks: list[bytes]) -> None:
    """Delete, double, insert, replace, lengthen, swap or empty a chunk; or spoil a weight."""
    at, other = rng.randrange(len(chunks)), rng.randrange(len(chunks))
    kind, one, space = rng.randrange(9), chunks[at], rng.choice(SPACES)
    if kind < 6:
        new = [anything(rng)]
        chunks[at : at + 1] = [[], [one, one], [*new, one], new, [space + one], [one + space]][kind]
    elif kind == 6:
        chunks[at], chunks[other] = chunks[other], one
    elif kind == 7:
        chunks[chunks.index(WEIGHT) + 1] = rng.choice(BAD_WEIGHTS + WEIGHTS)
    else:  # a question or an answer with nothing in it, or nearly nothing
        blank = b"".join(rng.choices(SPACES, k=rng.randrange(3)))
        nearly = rng.choice((b"", b"", b"\x00", b"\xa0", b"\x1c", BOM))
        chunks[chunks.index(rng.choice((QUESTION, ANSWER))) + 1] = blank + nearly


def mutate_bytes(rng: random.Random, document: bytes, other: bytes) -> bytes:
    """Change a line, a byte or a stretch, or the line ends; truncate; or splice with other."""
    at, kind, new = rng.randrange(len(document) + 1), rng.randrange(14), anything(rng)
    if kind < 5:
        lines = document.split(b"\n")
        line, target = rng.randrange(len(lines)), rng.randrange(len(lines))
        one, two = lines[line], lines[target]
        if kind == 4:
            lines[line], lines[target] = two, one
        else:
            grown = new + rng.choice((b"", b"t"))
            lines[line : line + 1] = [[], [two, one], [new], [grown, one]][kind]
        return b"\n".join(lines)
    head, tail = document[:at], document[at:]
    old, end = rng.choice(LINE_ENDS)
    return (
        head + tail[1:], head + rng.choice(SPACES) + tail, head + bytes([rng.randrange(256)]) + tail[1:], head + new + tail, head + tail[rng.randrange(40) :],
        rng.choice((head, tail)), head + other[rng.randrange(len(other) + 1) :], document.replace(old, end, rng.choice((1, 2, -1))), other + rng.choice((b"", b"\n", b" ")) + document,
    )[kind - 5]  # fmt: skip


if __name__ == "__main__":
    unittest.main()
