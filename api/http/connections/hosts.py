"""Under which names a service may be addressed: a page of elsewhere whose name was pointed here must not read it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from api.errors import InvalidSettings, WrongHost

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{0,5}))?")
MOST_KNOWN = 64


class Hosts:
    """The names of one service.

    Parameters
    ----------
    names : iterable of str
        Beside the names of this machine for itself and the address that a client has connected to.

    Raises
    ------
    InvalidSettings
        If one cannot be a host.

    Examples
    --------
    >>> Hosts(["planning.example"]).check(b"Planning.Example.:8000", "10.0.0.7")
    >>> Hosts([]).check(b"10.0.0.7", "10.0.0.7")
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {_given(name) for name in names} | {"localhost"}
        self._known: set[tuple[bytes, str]] = set()

    def check(self, host: bytes, local: str) -> None:
        """Raise `WrongHost` unless the field Host names this service; `local` is the address connected to."""
        if (host, local) in self._known:
            return
        name = _name(host.decode("latin-1"))
        if name is None or not (name in self._names or _is_loopback(name) or name == _plain_address(local)):
            raise WrongHost(
                f"the field Host is {host[:80].decode('latin-1')!a}, which is no name of this service; ask under "
                "its own address, or add the name to the setting allowed_hosts (ROUTELAB_ALLOWED_HOSTS)"
            )
        if len(self._known) < MOST_KNOWN:
            self._known.add((host, local))


def _given(name: str) -> str:
    # Which of its networks an address is in says nothing to others.
    bare = name.partition("%")[0]
    try:
        found = _name(f"[{bare}]" if bare.count(":") > 1 and not bare.startswith("[") else bare.encode("idna").decode())
    except UnicodeError:
        found = None
    if found is None:
        raise InvalidSettings(f"{name[:80]!r} is no host; write names or addresses as in planning.example, 10.0.0.7")
    return found


def _name(host: str) -> str | None:
    """Name or address without its port, in one spelling."""
    found = _HOST.fullmatch(host)
    if not found or int(found[2] or 0) > 65535:
        return None
    name = found[1].lower()
    if name.startswith("["):
        return _plain_address(name[1:-1])
    return name.removesuffix(".") or None


def _plain_address(text: str) -> str | None:
    """An address in one spelling, that of version 4 where it has one."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _is_loopback(name: str) -> bool:
    address = _plain_address(name)
    return address is not None and ipaddress.ip_address(address).is_loopback
