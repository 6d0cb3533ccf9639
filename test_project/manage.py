#!/usr/bin/env python
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # The repository root replaces this folder, so that every module has one name.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "test_project.settings")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
