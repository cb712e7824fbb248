# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes inputs for the command-line tests without NumPy or torch.

    python3 make_inputs.py npy FILE TYPE SHAPE      zeros, such as '<f4' 5,1,28,28
    python3 make_inputs.py flip FILE PLACE BITS     bits of a byte flipped; from the end: PLACE < 0
    python3 make_inputs.py operator IN.pt2 OUT.pt2  the archive with relu made an unknown operator
    python3 make_inputs.py sql RESULTS.sqlite STATEMENT     changes a results file
    python3 make_inputs.py rows RESULTS.sqlite      all rows but those of meta, as text
    python3 make_inputs.py trials RESULTS.sqlite COLUMN...  trials without some columns, as text
    python3 make_inputs.py extremes FILE LABELS     the darkest and the brightest image of
                                                    fashion_mnist/test, and their classes
"""

import gzip
import sqlite3
import struct
import sys
import zipfile

FASHION_MNIST = "/usr/share/datasets/fashion-mnist/t10k-"


def write_npy(path, kind, sizes, data):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(sizes)!r}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(data)


def idx(name, header):
    with gzip.open(f"{FASHION_MNIST}{name}-ubyte.gz") as file:
        return file.read()[header:]


command, *arguments = sys.argv[1:]
if command == "npy":
    path, kind, shape = arguments
    sizes = [int(size) for size in shape.split(",")]
    count = int(kind[2:])
    for size in sizes:
        count *= size
    write_npy(path, kind, sizes, bytes(count))
elif command == "extremes":
    pixels, classes = idx("images-idx3", 16), idx("labels-idx1", 8)
    images = [pixels[at:at + 784] for at in range(0, len(pixels), 784)]
    light = [sum(image) for image in images]
    chosen = light.index(min(light)), light.index(max(light))
    write_npy(arguments[0], "<f4", (2, 1, 28, 28),
              b"".join(struct.pack("<f", byte / 255) for image in chosen for byte in images[image]))
    write_npy(arguments[1], "<i8", (2,), struct.pack("<2q", *(classes[image] for image in chosen)))
elif command == "flip":
    with open(arguments[0], "rb") as file:
        content = bytearray(file.read())
    content[int(arguments[1])] ^= int(arguments[2])
    with open(arguments[0], "wb") as file:
        file.write(content)
elif command == "sql":
    connection = sqlite3.connect(arguments[0])
    connection.execute(arguments[1])
    connection.commit()
elif command == "operator":
    with zipfile.ZipFile(arguments[0]) as old, zipfile.ZipFile(arguments[1], "w") as new:
        for entry in old.namelist():
            new.writestr(entry, old.read(entry).replace(b"aten.relu.default", b"ours.relu.default"))
elif command == "rows":
    connection = sqlite3.connect(arguments[0])
    for table in ("scenarios", "trials_wide", "outcomes", "faults"):
        for row in sorted(connection.execute(f"SELECT * FROM {table}"), key=repr):
            print(row)
elif command == "trials":
    connection = sqlite3.connect(arguments[0])
    rows = connection.execute("SELECT * FROM trials_wide ORDER BY scenario, trial")
    kept = [i for i, column in enumerate(rows.description) if column[0] not in arguments[1:]]
    for row in rows:
        print([row[i] for i in kept])
