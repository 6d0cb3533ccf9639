import logging
import sys

WIDTH = 160
COLOURS = {
    "dumper.middleware": 36,
    "dumper.invalidation": 35,
    "dumper.site": 34,
    "test_project.timing": 32,
}


class ConsoleFormatter(logging.Formatter):
    """Short lines, one colour for each logger; plain when no one is watching."""

    def __init__(self):
        super().__init__("%(name)-19s  %(message)s")
        self.colourful = sys.stderr.isatty()

    def formatMessage(self, record):
        # Loading the shop names hundreds of paths at once.
        line = super().formatMessage(record)
        if len(line) > WIDTH:
            line = line[:WIDTH] + " ..."
        if not self.colourful:
            return line
        return f"\x1b[{COLOURS.get(record.name, 0)}m{line}\x1b[0m"
