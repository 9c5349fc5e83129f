"""A web page in an output of a notebook, which runs a script of yours and tells the notebook what happened (notebook 11)."""

from .page import Page, Said

__all__ = ["Page", "Said"]
