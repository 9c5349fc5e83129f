"""The exercises of the notebooks and `check`, which judges an answer."""

from .engine import check
from .verdict import Verdict

__all__ = ["Verdict", "check"]
