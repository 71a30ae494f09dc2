"""Who we are on the platform, and where the platform is: checked before anything is sent."""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass, field
from difflib import get_close_matches
from urllib.parse import urlsplit

from engine.errors import InvalidScenario, MissingInput

#: Region name -> host of its API.
REGIONS = {
    "us_east_1": "api.mypurecloud.com",
    "us_east_2": "api.use2.us-gov-pure.cloud",
    "us_west_2": "api.usw2.pure.cloud",
    "ca_central_1": "api.cac1.pure.cloud",
    "mx_central_1": "api.mxc1.pure.cloud",
    "sa_east_1": "api.sae1.pure.cloud",
    "eu_west_1": "api.mypurecloud.ie",
    "eu_west_2": "api.euw2.pure.cloud",
    "eu_central_1": "api.mypurecloud.de",
    "eu_central_2": "api.euc2.pure.cloud",
    "eusc_de_east_1": "api.edee1.eusc-pure.cloud",
    "me_central_1": "api.mec1.pure.cloud",
    "ap_south_1": "api.aps1.pure.cloud",
    "ap_southeast_1": "api.apse1.pure.cloud",
    "ap_southeast_2": "api.mypurecloud.com.au",
    "ap_northeast_1": "api.mypurecloud.jp",
    "ap_northeast_2": "api.apne2.pure.cloud",
    "ap_northeast_3": "api.apne3.pure.cloud",
}


@dataclass(frozen=True)
class Credentials:
    """An OAuth client of the kind *client credentials*, and the address of its organisation's API.

    Parameters
    ----------
    client_id : str
        The OAuth client's id.
    client_secret : str
        Its secret; never shown.
    base_url : str
        Scheme and host of the API without a trailing slash, such as ``https://api.mypurecloud.ie``.

    Examples
    --------
    >>> Credentials.of("id", "hidden", region="eu-west-1")
    Credentials(client_id='id', base_url='https://api.mypurecloud.ie')
    """

    client_id: str
    client_secret: str = field(repr=False)
    base_url: str

    @classmethod
    def of(
        cls,
        client_id: str | None,
        client_secret: str | None,
        base_url: str | None = None,
        region: str | None = None,
    ) -> Credentials:
        """Check what a user gave and find the address.

        Parameters
        ----------
        client_id : str or None
            The OAuth client's id.
        client_secret : str or None
            Its secret.
        base_url : str, optional
            Address of the API; http only on this machine.
        region : str, optional
            Name of a region, such as ``eu_west_1`` or ``eu-west-1``.

        Returns
        -------
        Credentials
            Id, secret and address, ready for use.

        Raises
        ------
        MissingInput
            If the id, the secret, or both address and region are missing.
        InvalidScenario
            If one of them cannot be right.
        """
        return cls(
            client_id=_plain(client_id, "client id", "GENESYS_CLIENT_ID", forbidden=":"),
            client_secret=_plain(client_secret, "client secret", "GENESYS_CLIENT_SECRET"),
            base_url=_address(_given(base_url), _given(region)),
        )


class Secrets(set[str]):
    """What must not be shown, and does not show itself.

    Examples
    --------
    >>> Secrets({"a", "b"})
    Secrets(2 hidden)
    """

    def __repr__(self) -> str:
        return f"Secrets({len(self)} hidden)"

    @classmethod
    def of(cls, credentials: Credentials) -> Secrets:
        """Start with the secret, in the forms it is sent in."""
        pair = f"{credentials.client_id}:{credentials.client_secret}"
        return cls({credentials.client_secret, base64.b64encode(pair.encode()).decode()})


def _given(text: str | None) -> str | None:
    """None for what is blank; a pasted value often brings a line end along."""
    return (text or "").strip() or None


def _plain(text: str | None, what: str, variable: str, forbidden: str = "") -> str:
    """The text itself; errors never quote it."""
    value = _given(text)
    if value is None:
        raise MissingInput(
            f"no {what} of the platform: set {variable}; an administrator finds it under Integrations > OAuth"
        )
    odd = [place for place, c in enumerate(value, 1) if not "!" <= c <= "~" or c in forbidden]
    if odd:
        raise InvalidScenario(
            f"{variable}: character {odd[0]} of {len(value)} is not one that a {what} can have; want plain "
            "ASCII letters, digits and signs without blanks, so copy it again"
        )
    return value


def _address(base_url: str | None, region: str | None) -> str:
    if base_url is None and region is None:
        raise MissingInput(
            "no region of the platform: set GENESYS_REGION, such as eu_west_1, or GENESYS_BASE_URL, such as "
            "https://api.mypurecloud.ie"
        )
    of_region = None if region is None else f"https://{_host(region)}"
    if base_url is None:
        return str(of_region)
    url = _checked(base_url)
    if of_region not in (None, url):
        raise InvalidScenario(
            f"GENESYS_BASE_URL is {url}, but GENESYS_REGION {region} is at {of_region}; give one of the two"
        )
    return url


def _host(region: str) -> str:
    name = region.lower().replace("-", "_")
    if name not in REGIONS:
        near = get_close_matches(name, REGIONS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(REGIONS)}"
        raise InvalidScenario(f"GENESYS_REGION {region!r} is not a region of Genesys Cloud; {hint}")
    return REGIONS[name]


def _checked(base_url: str) -> str:
    """Scheme and host of an address that a secret may be sent to."""
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port  # both may raise
    except ValueError:
        host = None
    if not host or "@" in base_url:
        # Not quoted: somebody may have put a password in it.
        raise InvalidScenario(f"GENESYS_BASE_URL is not an address; {_LIKE}")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise InvalidScenario(f"GENESYS_BASE_URL {base_url!r}: a secret is sent there, so it must be https; {_LIKE}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidScenario(f"GENESYS_BASE_URL {base_url!r}: leave out what follows the host; {_LIKE}")
    if host.startswith(("login.", "apps.")):
        api = host.replace("login.", "api.", 1).replace("apps.", "api.", 1)
        raise InvalidScenario(f"GENESYS_BASE_URL {base_url!r} is not the API; use https://{api}")
    return f"{parts.scheme}://{parts.netloc.lower()}"


_LIKE = "want one like https://api.mypurecloud.ie, or set GENESYS_REGION instead"


def is_loopback(host: str) -> bool:
    """Whether a host, named without a port, is this machine itself.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("127.0.0.1.example.com")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
