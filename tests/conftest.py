"""Keep the runs of the tests out of the cache of whoever runs them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_FOLDER = tempfile.mkdtemp(prefix="offlint-tests-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
os.environ["OFFLINT_CACHE_DIR"] = _FOLDER
