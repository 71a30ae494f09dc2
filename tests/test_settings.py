"""Settings come from a file, under variables, under options, and every mistake names its source."""

import traceback
from pathlib import Path

import pytest

from api.errors import InvalidSettings
from api.settings import Settings, load_settings
from engine.errors import MissingInput


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_anything_the_service_listens_on_this_machine_only():
    settings = load_settings(environment={})
    assert (settings.host, settings.port, settings.store) == ("127.0.0.1", 8000, Path("data/snapshots"))
    assert settings.max_body_bytes == 64 * 2**20
    assert settings == Settings()


def test_options_win_over_variables_and_variables_over_the_file(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text('store = "from-file"\nhost = "::1"\nport = 1000\nmax_outcomes = 7\n')
    variables = {"ROUTELAB_PORT": "2000", "ROUTELAB_HOST": "localhost"}
    settings = load_settings(file, {"port": 3000}, variables)
    found = (settings.store, settings.max_outcomes, settings.host, settings.port)
    assert found == (Path("from-file"), 7, "localhost", 3000)


def test_the_file_may_lie_here_or_be_named_by_a_variable(tmp_path):
    Path("routelab.toml").write_text("port = 1")
    Path("other.toml").write_text("port = 2")
    assert load_settings(environment={}).port == 1
    assert load_settings(environment={"ROUTELAB_SETTINGS": "other.toml"}).port == 2
    assert load_settings(tmp_path / "routelab.toml", environment={"ROUTELAB_SETTINGS": "other.toml"}).port == 1


def test_variables_of_others_are_left_alone():
    assert load_settings(environment={"ROUTELAB_BANK_LOG": "x", "HOME": "/", "PORT": "1"}) == Settings()


@pytest.mark.parametrize(
    ("content", "variables", "options", "wanted"),
    [
        ("prot = 1", {}, {}, "a.toml: prot is not a setting; did you mean port?"),
        ("[http]\nport = 1", {}, {}, "a.toml: http is not a setting"),
        ('port = "1"', {}, {}, "a.toml: port is '1', must be a valid integer. Port"),
        ("port = true", {}, {}, "a.toml: port is true"),
        ("port = 1.5", {}, {}, "a.toml: port is 1.5"),
        ("store = 3", {}, {}, "a.toml: store is 3, must be a text. Folder of snapshots"),
        ("port =", {}, {}, "a.toml: not a readable TOML file (Invalid value (at end of document))"),
        ("", {"ROUTELAB_PORT": "65536"}, {}, "ROUTELAB_PORT: port is 65536, must be less than or equal to 65535"),
        ("", {"ROUTELAB_PORT": "http"}, {}, "ROUTELAB_PORT: port is 'http', must be a valid integer"),
        ("", {"ROUTELAB_PROT": "1"}, {}, "ROUTELAB_PROT sets nothing; did you mean ROUTELAB_PORT?"),
        ("", {"ROUTELAB_HOST": ""}, {}, "ROUTELAB_HOST: host is ''"),
        ("", {}, {"port": -1}, "option --port: port is -1, must be greater than or equal to 0"),
        ("", {}, {"max_body_bytes": 0}, "option --max-body-bytes: max_body_bytes is 0"),
        ("port = 1\nport = 2", {}, {}, "a.toml: not a readable TOML file"),
    ],
)
def test_a_mistake_names_source_value_and_remedy(tmp_path, content, variables, options, wanted):
    file = tmp_path / "a.toml"
    file.write_text(content)
    with pytest.raises(InvalidSettings) as caught:
        load_settings(file, options, variables)
    assert wanted in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path):
    (tmp_path / "a.toml").write_text("port = -1\nhots = 'x'")
    with pytest.raises(InvalidSettings) as caught:
        load_settings(tmp_path / "a.toml", environment={"ROUTELAB_MAX_OUTCOMES": "0"})
    assert len(str(caught.value).splitlines()) == 3


def test_a_file_that_is_named_must_be_there():
    with pytest.raises(MissingInput, match=r"settings file gone.toml is not there"):
        load_settings(Path("gone.toml"), environment={})


def test_settings_cannot_change_under_a_running_service():
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1


# --- the platform -----------------------------------------------------------------------------------------------

SECRET = "hush-hush-never-shown"


def test_credentials_come_from_their_own_variables_or_ours_or_a_file(tmp_path):
    own = {"GENESYS_CLIENT_ID": "a", "GENESYS_CLIENT_SECRET": SECRET, "GENESYS_REGION": "eu_west_1"}
    settings = load_settings(environment=own)
    assert settings.has_platform
    found = settings.credentials()
    assert (found.client_id, found.client_secret, found.base_url) == ("a", SECRET, "https://api.mypurecloud.ie")
    both = load_settings(environment={**own, "ROUTELAB_GENESYS_CLIENT_ID": "b", "ROUTELAB_LIVE_OPEN_S": "0.5"})
    assert (both.genesys_client_id, both.live_open_s) == ("b", 0.5)
    (tmp_path / "a.toml").write_text(f'genesys_client_secret = "{SECRET}"\nlive_cache_s = 2')
    file = load_settings(tmp_path / "a.toml", environment={})
    assert (file.genesys_client_secret.get_secret_value(), file.live_cache_s) == (SECRET, 2.0)
    # What is empty is not set, and what others call theirs is left alone.
    assert not load_settings(environment={"GENESYS_CLIENT_ID": "", "GENESYS_ORGANISATION": "x"}).has_platform


@pytest.mark.parametrize("given", [SECRET * 100, [SECRET], {"x": SECRET}])
def test_the_secret_is_never_shown(given):
    settings = Settings(genesys_client_id="a", genesys_client_secret=SECRET, genesys_region="eu_west_1")
    for shown in (repr(settings), str(settings), settings.model_dump_json(), repr(settings.credentials())):
        assert SECRET not in shown
    with pytest.raises(InvalidSettings, match="genesys_client_secret is not shown") as caught:
        load_settings(options={"genesys_client_secret": given, "port": -1}, environment={})
    told = "".join(traceback.format_exception(caught.value))
    assert "port is -1" in told
    assert SECRET not in told


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"ROUTELAB_LIVE_STATUSES": "busy"}, "live_statuses is 'busy', must be 'idle' or 'idle,interacting"),
        ({"ROUTELAB_LIVE_OPEN_S": "0"}, "live_open_s is 0.0, must be greater than 0"),
        ({"ROUTELAB_LIVE_CACHE_S": "nan"}, "live_cache_s is nan"),
        ({"ROUTELAB_LIVE_THREADS": "0"}, "live_threads is 0"),
        ({"ROUTELAB_LIVE_CACHE": "1"}, "did you mean ROUTELAB_LIVE_CACHE_S?"),
    ],
)
def test_a_mistake_about_live_requests_is_named(environment, wanted):
    with pytest.raises(InvalidSettings) as caught:
        load_settings(environment=environment)
    assert wanted in str(caught.value)
