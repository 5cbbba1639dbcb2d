"""Checks a report of train: check_page.py PAGE.html RUN.json

Well-formed XML and HTML, no scripts, nothing from elsewhere, and the numbers of the run.
"""

import html.parser
import json
import re
import sys
import xml.etree.ElementTree as tree

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(html.parser.HTMLParser):
    """As a browser reads it: every element is closed where it was opened."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"


def rows_of(table):
    for row in table.iter(XHTML + "tr"):
        name = row.find(XHTML + "th")
        yield "".join(name.itertext()), [
            float(cell.get("data-value", "nan")) for cell in row.findall(XHTML + "td")
        ]


def same(a, b):
    return a == b or (a != a and b is None)


page_path, json_path = sys.argv[1:]
text = open(page_path, encoding="utf-8").read()
run = json.load(open(json_path))
reader = Reader()
reader.feed(text)
assert not reader.open, f"never closed: {reader.open}"
root = tree.fromstring(text)
for element in root.iter():
    plain = element.tag.split("}")[-1]
    assert plain not in ("script", "link", "iframe", "object", "img", "foreignObject"), plain
    for name, value in element.attrib.items():
        assert not name.startswith("on") and name not in ("src", "href"), (plain, name, value)
assert "url(" not in text and "@import" not in text

tables = {table.get("class"): table for table in root.iter(XHTML + "table")}
shown = list(rows_of(tables["coefficients"]))[1:]
assert len(shown) == len(run["coefficients"])
for (name, cells), expected in zip(shown, run["coefficients"]):
    # What XML forbids is shown as a replacement character.
    assert name == re.sub("[\x00-\x1f]", "\ufffd", expected["name"]), (name, expected)
    assert same(cells[0], expected["estimate"]), (name, cells, expected)
    assert same(cells[1], expected["std_error"]), (name, cells, expected)
    assert same(cells[4], expected["t"]), (name, cells, expected)
for name, cells in rows_of(tables["statistics"]):
    assert same(cells[0], run[name]), (name, cells, run[name])
captions = ["".join(each.itertext()) for each in root.iter(XHTML + "figcaption")]
assert len(list(root.iter(SVG + "svg"))) >= len(captions)
print(json.dumps({"rows": len(shown), "pictures": captions}))
