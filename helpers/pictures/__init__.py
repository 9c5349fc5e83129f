"""Pictures drawn from what really happened. Each function returns a `Picture`, which shows itself as the value of a cell."""

from .attempts import attempts
from .bars import bars
from .bits import bit_grid
from .cake import cake
from .costs import costs
from .crowd import crowd
from .cuts import cuts
from .deliveries import deliveries
from .duplex import duplex
from .handshake import handshake
from .layers import layers
from .levels import levels
from .messages import Message, messages
from .phone_line import phone_line
from .places import places
from .queues import queues
from .rallies import rallies
from .roads import roads
from .sequence import handler_life, rally
from .states import states
from .strips import strips
from .style import Picture
from .table import table
from .timeline import timeline
from .turns import turns
from .visits import visits

__all__ = ["Message", "Picture", "attempts", "bars", "bit_grid", "cake", "costs", "crowd", "cuts", "deliveries", "duplex", "handler_life", "handshake", "layers", "levels", "messages", "phone_line", "places", "queues", "rallies", "rally", "roads", "states", "strips", "table", "timeline", "turns", "visits"]
