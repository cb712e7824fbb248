# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# page_stands_alone.sh PAGE: how many lines name a script or a file elsewhere; then each element
# that is closed by another's end, and at last those that are never closed.
grep -c -E '<script|src=|href=' "$1"
$PYTHON - "$1" << 'END'
import html.parser
import sys

open_elements = []


class Page(html.parser.HTMLParser):
    def handle_starttag(self, tag, attributes):
        if tag != "meta":  # has no end
            open_elements.append(tag)

    def handle_endtag(self, tag):
        if open_elements.pop() != tag:
            print(tag, open_elements)


Page().feed(open(sys.argv[1]).read())
print(open_elements)
END
