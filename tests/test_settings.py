"""Settings come from a file, under variables, under options, and every mistake names its source."""

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
        ("port = true", {}, {}, "a.toml: port is True"),
        ("port = 1.5", {}, {}, "a.toml: port is 1.5"),
        ("store = 3", {}, {}, "a.toml: store is 3"),
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
