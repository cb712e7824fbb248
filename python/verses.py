# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbered characters of the World English Bible, which is in the public domain, from the Debian
package `sword-text-web`."""

import html
import pathlib
import re
import struct
import zlib

import numpy

FOLDER = pathlib.Path("/usr/share/sword/modules/texts/ztext/engWEB2015eb")
# A character's number is its place in here; the text's others are left out.
ALPHABET = " !\"'(),-.:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PLAIN = str.maketrans("\u201c\u201d\u2018\u2019\u2014\u2013", "\"\"''--")


def text(part, folder=FOLDER):
    """The text of one part, "ot" (4.0 million characters, with the deuterocanonical books) or "nt"
    (0.9 million), in ALPHABET, without headings, footnotes, and more than one space in a row."""
    index, blocks = (pathlib.Path(folder) / f"{part}.bz{kind}" for kind in "sz")
    if not index.is_file():
        raise FileNotFoundError(f"{index}: no such file; install the Debian package "
                                "sword-text-web, or name another folder with --text")
    packed = blocks.read_bytes()
    # A record for each block: where it starts, its size, and that of its text.
    books = [zlib.decompress(packed[start:start + size]).decode()
             for start, size, _ in struct.iter_unpack("<III", index.read_bytes())]
    told = re.sub(r"<(note|title)\b[^>]*>.*?</\1>", " ", "".join(books), flags=re.DOTALL)
    told = html.unescape(re.sub(r"<[^>]*>", "", told)).translate(PLAIN)
    told = re.sub(f"[^{re.escape(ALPHABET)}\\s]", "", told)
    return re.sub(r"\s+", " ", told).strip()


def numbers(part, folder=FOLDER):
    """The text as numbers of characters, int64 (length,)."""
    codes = numpy.zeros(128, numpy.int64)
    codes[[ord(character) for character in ALPHABET]] = numpy.arange(len(ALPHABET))
    return codes[numpy.frombuffer(text(part, folder).encode("ascii"), numpy.uint8)]


def windows(tokens, count, length):
    """So many windows, spread evenly over the text: tokens (count, length) and, as labels, the one
    that comes after each, of the same shape."""
    starts = numpy.linspace(0, len(tokens) - length - 1, count).astype(numpy.int64)
    places = starts[:, numpy.newaxis] + numpy.arange(length)
    return tokens[places], tokens[places + 1]
