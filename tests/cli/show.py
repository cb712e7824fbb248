# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Prints what a command-line test wants to see of JSON or of a results file.

    python3 show.py json EXPRESSION...   of Python, on one line; the JSON on stdin is called r
    python3 show.py sql RESULTS QUERY    a line for each row
"""

import json
import sqlite3
import sys

command, *arguments = sys.argv[1:]
if command == "json":
    names = {"r": json.load(sys.stdin)}
    print(*(eval(expression, names) for expression in arguments))
elif command == "sql":
    path, query = arguments
    for row in sqlite3.connect(path).execute(query):
        print(*row)
