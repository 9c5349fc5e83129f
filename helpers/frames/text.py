"""UTF-8 that is checked while it comes (RFC 6455, section 8.1)."""

import codecs


class Utf8:
    """Tells the first octet that is wrong, whatever pieces the text comes in.

    Wrong is an octet after which no further octets could make valid UTF-8 any more (RFC 3629, section 4).
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, data: bytes) -> int | None:
        """Where in ``data`` the first wrong octet stands, or None. Nothing may be fed after one."""
        held = len(self._decoder.getstate()[0])
        try:
            self._decoder.decode(data)
        except UnicodeDecodeError as error:
            place = error.start if error.reason == "invalid start byte" else error.end
            return place - held
        kept = self._decoder.getstate()[0]
        if kept[:1] == b"\xed" and kept[1:2] >= b"\xa0":
            return len(data) - 1  # half of a surrogate, for which Python waits one octet longer
        return None

    @property
    def whole(self) -> bool:
        """Whether the text could end here: not in the middle of a character."""
        return not self._decoder.getstate()[0]
