# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""tools/update-tables, a program without a suffix, as a module: its parser of what the accuracy tests
print, and how it writes losses."""
import importlib.machinery
import importlib.util
from pathlib import Path


def update_tables():
    path = Path(__file__).resolve().parent.parent.parent / "tools/update-tables"
    loader = importlib.machinery.SourceFileLoader("update_tables", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module
