"""Credentials are checked before anything is sent, and the secret is never shown."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidScenario, MissingInput, RoutingError
from ingest.platform.credentials import REGIONS, Credentials, is_loopback

SECRET = "s3cr3t-Value_9"


def of(**changes):
    return Credentials.of(**{"client_id": "id", "client_secret": SECRET, "region": "eu_west_1", **changes})


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_a_region_is_found_in_both_spellings(region):
    for spelling in (region, region.replace("_", "-"), region.upper(), f" {region}\n"):
        assert of(region=spelling).base_url == f"https://{REGIONS[region]}"


def test_regions_are_those_of_the_platform():
    """Each at its own host, which starts with api. as the login address is made from it."""
    assert len(set(REGIONS.values())) == len(REGIONS) == 18
    assert all(host.startswith("api.") for host in REGIONS.values())
    assert REGIONS["eu_central_1"] == "api.mypurecloud.de"
    assert REGIONS["us_east_2"] == "api.use2.us-gov-pure.cloud"


def test_an_unknown_region_names_the_nearest():
    with pytest.raises(InvalidScenario, match=r"GENESYS_REGION 'eu_wst_1'.*did you mean eu_west_1"):
        of(region="eu_wst_1")
    with pytest.raises(InvalidScenario, match="known are us_east_1"):
        of(region="mars")


@pytest.mark.parametrize(
    ("given_url", "used"),
    [
        ("https://api.mypurecloud.ie", "https://api.mypurecloud.ie"),
        ("https://api.mypurecloud.ie///", "https://api.mypurecloud.ie"),
        ("HTTPS://API.mypurecloud.ie/\n", "https://api.mypurecloud.ie"),
        ("https://gateway.example.com:8443", "https://gateway.example.com:8443"),
        ("http://127.0.0.1:8010", "http://127.0.0.1:8010"),
        ("http://localhost:8010/", "http://localhost:8010"),
        ("http://[::1]:8010", "http://[::1]:8010"),
    ],
)
def test_an_address_is_a_scheme_and_a_host(given_url, used):
    assert of(base_url=given_url, region=None).base_url == used


@pytest.mark.parametrize(
    "url",
    [
        "api.mypurecloud.ie", "http://api.mypurecloud.ie", "http://127.0.0.1.example.com", "ftp://127.0.0.1",
        "https://api.mypurecloud.ie/api/v2", "https://api.mypurecloud.ie?x=1", "https://", "https://[::1",
        "https://api.mypurecloud.ie:port", "file:///etc/passwd", "https://host#x",
    ],
)  # fmt: skip
def test_another_address_is_refused_by_name(url):
    with pytest.raises(InvalidScenario, match="GENESYS_BASE_URL"):
        of(base_url=url, region=None)


def test_a_neighbour_of_the_api_is_told_the_right_address():
    with pytest.raises(InvalidScenario, match=r"use https://api\.mypurecloud\.ie"):
        of(base_url="https://login.mypurecloud.ie", region=None)


def test_region_and_address_may_agree_but_not_differ():
    assert of(base_url="https://api.mypurecloud.ie/").base_url == "https://api.mypurecloud.ie"
    with pytest.raises(InvalidScenario, match="give one of the two"):
        of(base_url="https://api.mypurecloud.de")


@pytest.mark.parametrize(
    ("missing", "variable"),
    [("client_id", "GENESYS_CLIENT_ID"), ("client_secret", "GENESYS_CLIENT_SECRET"), ("region", "GENESYS_REGION")],
)
@pytest.mark.parametrize("blank", [None, "", " \n"])
def test_what_is_missing_is_named(missing, variable, blank):
    with pytest.raises(MissingInput, match=variable):
        of(**{missing: blank})


def test_the_secret_is_ascii():
    with pytest.raises(InvalidScenario, match=r"GENESYS_CLIENT_SECRET: character 4 of 8 .*ASCII"):
        of(client_secret="abc\u00e9defg")


def test_an_id_has_no_colon_as_it_would_end_there():
    with pytest.raises(InvalidScenario, match="GENESYS_CLIENT_ID"):
        of(client_id="a:b")
    assert of(client_secret="a:b").client_secret == "a:b"


def test_a_pasted_line_end_is_dropped():
    assert of(client_secret=f"{SECRET}\n") == of()


def test_the_secret_is_not_shown():
    assert SECRET not in repr(of()) + str(of()) + f"{of()}"
    assert pickle.loads(pickle.dumps(of())) == of()


@given(st.text(min_size=12, max_size=30), st.text(max_size=30))
def test_no_error_quotes_a_secret(secret, region):
    try:
        shown = repr(of(client_secret=f"zq7{secret}", region=region))
    except RoutingError as error:
        shown = str(error)
    assert "zq7" not in shown


@given(st.text(max_size=30))
def test_an_address_with_a_password_is_refused_unquoted(password):
    with pytest.raises(InvalidScenario) as caught:
        of(base_url=f"https://user:zq7{password}@api.mypurecloud.ie", region=None)
    assert "zq7" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.8.0.1", "::1", "[::1]"])
def test_this_machine_has_several_names(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example.com", "127.0.0.1.example.com", ""])
def test_others_are_not_this_machine(host):
    assert not is_loopback(host)
