"""EXI: grammars derived from message classes, and the code that reads and writes them."""
