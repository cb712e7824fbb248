# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks that a page closes what it opens, runs nothing and fetches nothing.

    python3 tests/cli/check_page.py FILE
"""

import html.parser
import sys

UNWANTED = ("<script", "src=", "href=", "http", "url(")
WITHOUT_END = ("meta",)


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in WITHOUT_END:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            sys.exit(f"error: </{tag}> closes what is not open")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        page = file.read()
    for unwanted in UNWANTED:
        if unwanted in page:
            sys.exit(f"error: the page has {unwanted}")
    tags = Tags()
    tags.feed(page)
    if tags.open:
        sys.exit(f"error: still open: {', '.join(tags.open)}")
    print("a page")


if __name__ == "__main__":
    main()
