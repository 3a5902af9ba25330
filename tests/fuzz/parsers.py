"""`python -m tests.fuzz.parsers --parser framer --seconds 60`: fuzz what takes other bytes, led by coverage."""

from __future__ import annotations

import argparse

from tests.fuzz import guided

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.parsers", description=__doc__)
    parser.add_argument("--parser", required=True, help="framer, sdp, client_hello, json or xml")
    guided.add_options(parser)
    options = parser.parse_args()
    guided.main(options.parser, options)
