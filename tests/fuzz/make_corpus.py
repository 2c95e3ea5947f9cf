#!/usr/bin/env python3
# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""Writes the seeds in tests/fuzz/corpus: inputs of a few bytes that reach every loss of a program,
both types, short and long rows, in place and not, masked and with bad values."""
import random
import shutil
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"


def main():
    random.seed(20)
    shutil.rmtree(CORPUS, ignore_errors=True)
    CORPUS.mkdir()
    number = 0
    for narrow in (0, 1):
        for loss in range(6):
            for options in (0b00000000, 0b00010000, 0b00101000, 0b00000111)[:4 if loss == 0 else 3]:
                # policy, type, loss; then whatever parameters, shapes and logits come
                head = bytes([number % 3, narrow, loss])
                tail = bytes(random.randrange(256) for _ in range(24 + number))
                middle = bytes([number % 3, 3 + number, options])
                (CORPUS / f"seed{number:02}").write_bytes(head + middle + tail)
                number += 1


if __name__ == "__main__":
    main()
