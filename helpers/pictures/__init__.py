"""Pictures drawn from what really happened. Each function returns a `Picture`, which shows itself as the value of a cell."""

from .cuts import cuts
from .places import places
from .style import Picture

__all__ = ["Picture", "cuts", "places"]
