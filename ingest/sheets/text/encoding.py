"""Which encoding a text has, told by all of it, and the same text in UTF-8."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ingest.sheets.content import Buffer, Content

_MARKS = {
    b"\xef\xbb\xbf": "UTF-8",
    b"\xff\xfe\x00\x00": "UTF-32-LE",
    b"\x00\x00\xfe\xff": "UTF-32-BE",
    b"\xff\xfe": "UTF-16-LE",
    b"\xfe\xff": "UTF-16-BE",
}
SAMPLE_BYTES = 1 << 18
_PIECE = 4 << 20
# Bytes of a text of one byte per letter that are looked at to tell which letters they are.
_LOOKED_AT = 1 << 20
_LETTERS = {
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp850": "DOS (850)",
    "mac_roman": "Mac Roman",
}


@dataclass(frozen=True, eq=False)
class Utf8:
    """A text in UTF-8."""

    data: Buffer
    encoding: str  # What it was in
    start: int = 0  # Bytes of a mark in front
    is_file: bool = False  # Whether it is the file as it lies on disk

    def sample(self) -> str:
        """The beginning, by which its form is told."""
        return bytes(self.data[self.start : self.start + SAMPLE_BYTES]).decode("utf-8", "ignore")


def as_utf8(content: Content) -> Utf8:
    """A text in UTF-8, whatever it is in."""
    data = content.data
    mark = next((mark for mark in _MARKS if data[:4].startswith(mark)), b"")
    encoding = _MARKS.get(mark) or _wide(bytes(data[:4096])) or "UTF-8"
    if encoding != "UTF-8":
        return Utf8(_recoded(content, data[len(mark) :], encoding), encoding.rsplit("-", 1)[0])
    wrong = first_wrong_byte(data)
    if wrong is None:
        return Utf8(data, "UTF-8", len(mark), not content.packed)
    encoding = _single_byte(content, wrong)
    return Utf8(_recoded(content, data, encoding), _LETTERS[encoding])


def first_wrong_byte(data: Buffer) -> int | None:
    """Place of the first byte that UTF-8 cannot have; None where there is none."""
    ends = pa.py_buffer(np.array([0, len(data)], np.int64))
    try:
        pa.LargeStringArray.from_buffers(1, ends, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        reader = codecs.getincrementaldecoder("utf-8")()
        for first in range(0, len(data), _PIECE):
            waiting = len(reader.getstate()[0])
            try:
                reader.decode(data[first : first + _PIECE], first + _PIECE >= len(data))
            except UnicodeDecodeError as error:
                return first - waiting + error.start
    return None


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Latin letters, digits and delimiters is 0."""
    if len(head) < 4:
        return None
    code = np.frombuffer(head[: len(head) // 2 * 2], np.uint8)
    even, odd = np.mean(code[0::2] == 0), np.mean(code[1::2] == 0)
    if odd > 0.4 and even < 0.05:
        return "UTF-16-LE"
    return "UTF-16-BE" if even > 0.4 and odd < 0.05 else None


def _recoded(content: Content, data: Buffer, encoding: str) -> bytes:
    reader, parts, line = codecs.getincrementaldecoder(encoding)(), bytearray(), 1
    try:
        for first in range(0, len(data), _PIECE):
            parts += reader.decode(data[first : first + _PIECE], first + _PIECE >= len(data)).encode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        line += parts.count(b"\n")
        raise content.refused(
            f"cannot be read as {encoding} ({error.reason}); export it again as UTF-8", line
        ) from error
    return bytes(parts)


def _single_byte(content: Content, wrong: int) -> str:
    """Which of the encodings of one byte per letter a text is in, by the letters that they give it."""
    data = content.data
    line = 1 + data[:wrong].count(b"\n")
    code = np.frombuffer(data, np.uint8)
    n_control = int(np.count_nonzero((code < 32) & ~np.isin(code, [9, 10, 11, 12, 13, 26])))
    if n_control > len(code) / 1000:
        raise content.refused("is no table: it holds bytes that no text has; export it as CSV or as a workbook")
    near = bytes(data[max(wrong - _LOOKED_AT // 4, 0) :][:_LOOKED_AT])
    if (n_letters := len(re.findall(rb"[\xc3-\xf4][\x80-\xbf]+", near))) > 3 * _n_wrong(near):
        shown = near[max(min(wrong, _LOOKED_AT // 4) - 20, 0) :][:30].decode("utf-8", "replace")
        raise content.refused(
            f"byte 0x{data[wrong]:02x} near {shown!r} is not UTF-8, though {n_letters} letters around it are; "
            "export the file again, or save it as CSV UTF-8",
            line,
        )
    return max(_LETTERS, key=lambda encoding: _fit(near, encoding))


def _n_wrong(near: bytes) -> int:
    return max(near.decode("utf-8", "replace").count("\ufffd"), 1)


_RUNS = re.compile(rb"[A-Za-z]*[\x80-\xff]+[A-Za-z\x80-\xff]*")
# Letters beyond ASCII of the languages that each encoding was made for.
_USUAL = {
    "cp1252": "äöüßÄÖÜéèêëàâçîïôûùœÉÈÀÇñáíóúÁÉÍÓÚÑåæøÅÆØãõÃÕìòÌÒ€",
    "cp1250": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰäöüßÄÖÜăâîșțşţđĐ",
    "cp1251": "абвгдежзийклмнопрстуфхцчшщъыьэюяАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯёЁіїєґІЇЄҐ",
    "cp1253": "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏ",
    "cp1254": "äöüßÄÖÜçÇğĞıİşŞâîû€",
    "cp850": "äöüßÄÖÜéèêëàâçîïôûùÉÈÀÇñáíóúÁÉÍÓÚÑåæøÅÆØ",
    "mac_roman": "äöüßÄÖÜéèêëàâçîïôûùœÉÈÀÇñáíóúÁÉÍÓÚÑåæøÅÆØãõÃÕìòÌÒ",
}
_SIGNS = "–—…•€£°·«»“”„‚‘’"
# Words of these have no letters of other alphabets.
_OWN_ALPHABET = {
    "cp1251": re.compile(r"[а-яёіїєґ]{2,}", re.IGNORECASE),
    "cp1253": re.compile(r"[α-ωάέήίόύώϊϋς]{2,}", re.IGNORECASE),
}
# In Portuguese `õ` stands before these; elsewhere it is what another encoding makes of the Hungarian `ő`.
_BEHIND_O = "eEsS"


def _fit(near: bytes, encoding: str) -> float:
    """How many of the letters beyond ASCII an encoding makes usual ones, less those that it makes signs in words."""
    total = 0.0
    for run in _RUNS.findall(near)[:5_000]:
        word = run.decode(encoding, "replace")
        if len(word) == 1:
            # What stands alone is a sign, such as the dash of 08:00 – 16:30, which DOS would make a letter.
            total += 0.5 if word in _SIGNS else -0.5 if word.isalpha() else 0
            continue
        for place, letter in enumerate(word):
            if letter.isascii():
                continue
            inside = 0 < place < len(word) - 1
            # Capitals within words are what small letters of another encoding look like.
            is_odd = letter.isupper() and place > 0 and word[place - 1].islower()
            if letter == "\ufffd":
                total -= 3
            elif letter in "ºª" and place == len(word) - 1:
                # `Nº` and `2ª`, which Windows-1250 would make `Nş`.
                total += 1
            elif encoding == "cp1252" and letter in "õÕ" and word[place + 1 : place + 2] not in _BEHIND_O:
                total -= 1
            elif letter in _USUAL[encoding]:
                total += 0.2 if is_odd else 1
            else:
                total -= 1 if letter.isalpha() or inside else 0.3
        if encoding in _OWN_ALPHABET and not _OWN_ALPHABET[encoding].fullmatch(word):
            total -= 2 * len(word)
    # The usual one wins where nothing speaks for another.
    return total + (0.5 if encoding == "cp1252" else 0)
