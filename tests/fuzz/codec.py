"""`python -m tests.fuzz.codec --schema din --seconds 60`: fuzz the codec of a schema set, led by coverage."""

from __future__ import annotations

import argparse

from tests.fuzz import guided

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.codec", description=__doc__)
    parser.add_argument("--schema", required=True, help="the schema set, such as sap or iso20.dc")
    guided.add_options(parser)
    options = parser.parse_args()
    guided.main(options.schema, options)
