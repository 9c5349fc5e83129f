"""The `course` command: open the learner's copy, give a notebook afresh, look for trouble, refresh stored outputs, serve echo."""

from .checkup import doctor
from .cli import main

__all__ = ["doctor", "main"]
