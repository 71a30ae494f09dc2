"""The slow twin of draws: the published recipes in whole numbers of any size."""

from __future__ import annotations

BITS = 2**64


def draw(text: str, seed: int, purpose: int, replication: int = 0) -> float:
    """The slow twin: whole numbers of any size, one text after the other."""
    number = fnv1a(text) ^ split_mix((seed + 0x9E3779B97F4A7C15) % BITS)
    number = split_mix(number)
    stream = split_mix(((purpose << 32) + replication + 0xD1B54A32D192ED03) % BITS)
    return (split_mix((number + stream) % BITS) >> 11) / 2**53


def fnv1a(text: str) -> int:
    """FNV-1a, 64 bits, over the text in UTF-8."""
    number = 0xCBF29CE484222325
    for byte in text.encode():
        number = (number ^ byte) * 0x100000001B3 % BITS
    return number


def split_mix(x: int) -> int:
    """The finaliser of SplitMix64."""
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % BITS
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % BITS
    return x ^ (x >> 31)
