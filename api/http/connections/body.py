"""Where the body of a request ends: after a number of bytes, or after its last chunk."""

from __future__ import annotations

import re

from api.errors import MalformedRequest

# Longest line before a chunk, and all trailers together. Nobody needs either; whoever sends more means harm. [byte]
MOST_LINE_BYTES = 256
MOST_TRAILER_BYTES = 4096
# Framing may weigh as much as what it frames, and this: chunks of a byte each would keep the service busy. [byte]
FREE_FRAMING_BYTES = 16 * 1024

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n")
_SIZE_SO_FAR = re.compile(rb"[0-9A-Fa-f]{0,8}(?:(?<=.);[^\x00-\x08\x0a-\x1f\x7f]*)?\r?")
_TRAILER = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*)?")


class Sized:
    """A body whose length was told."""

    def __init__(self, n_bytes: int) -> None:
        self._left = n_bytes
        self.done = n_bytes == 0

    def take(self, unread: bytearray) -> bytes:
        """What has come of the body, taken out of what was not read yet."""
        found = bytes(unread[: self._left])
        del unread[: self._left]
        self._left -= len(found)
        self.done = self._left == 0
        return found


class Chunked:
    """A body in chunks; errors are `MalformedRequest`."""

    def __init__(self) -> None:
        self.done = False
        self._left = 0  # Of the chunk that is being read
        self._n_trailer_bytes = self._n_bytes = self._n_found = 0
        self._read = self._size

    def take(self, unread: bytearray) -> bytes:
        """What has come of the body, taken out of what was not read yet."""
        found, at = bytearray(), 0
        while not self.done:
            step = self._read(unread, at, found)
            if step == 0:
                break
            at += step
            self._n_bytes += step
            if self._n_bytes > 2 * (self._n_found + len(found)) + FREE_FRAMING_BYTES:
                raise MalformedRequest("the chunks of the body are tiny; send larger ones")
        del unread[:at]
        self._n_found += len(found)
        return bytes(found)

    # Each step returns how many bytes it took, 0 where more must come first.

    def _size(self, unread: bytearray, at: int, found: bytearray) -> int:
        size = _SIZE.match(unread, at, at + MOST_LINE_BYTES)
        if size is None:
            if len(unread) - at >= MOST_LINE_BYTES or not _SIZE_SO_FAR.fullmatch(unread, at):
                raise MalformedRequest("a chunk of the body does not begin with its size; write it in hexadecimal")
            return 0
        self._left = int(size[1], 16)
        self._read = self._data if self._left else self._trailer
        return size.end() - at

    def _data(self, unread: bytearray, at: int, found: bytearray) -> int:
        piece = unread[at : at + self._left]
        found += piece
        self._left -= len(piece)
        if self._left == 0:
            self._read = self._end
        return len(piece)

    def _end(self, unread: bytearray, at: int, found: bytearray) -> int:
        end = unread[at : at + 2]
        if not b"\r\n".startswith(end):
            raise MalformedRequest("a chunk of the body is longer than its size says; put the size right")
        if len(end) < 2:
            return 0
        self._read = self._size
        return 2

    def _trailer(self, unread: bytearray, at: int, found: bytearray) -> int:
        """Trailers are read over: no route asks for any."""
        end = unread.find(b"\r\n", at)
        if self._n_trailer_bytes + (len(unread) if end < 0 else end) - at > MOST_TRAILER_BYTES:
            raise MalformedRequest(
                f"the trailers of the body have more than {MOST_TRAILER_BYTES} bytes; leave them out"
            )
        if end < 0:
            return 0
        if not _TRAILER.fullmatch(unread, at, end):
            raise MalformedRequest("a line after the last chunk is no field; end the body with an empty line")
        self.done = end == at
        self._n_trailer_bytes += end + 2 - at
        return end + 2 - at
