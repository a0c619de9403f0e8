"""Data folders for servers that run as another user where we are root."""

import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def open_folder():
    """A temporary folder that other users may pass through, as they may not through pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="smartcourse-embedded-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
