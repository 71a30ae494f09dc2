"""Settings of the service: a TOML file, under ROUTELAB_ variables, under options."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from api.errors import InvalidSettings
from engine.errors import MissingInput
from engine.setting import shown

if TYPE_CHECKING:
    from ingest.platform.credentials import Credentials

PREFIX = "ROUTELAB_"
# Names that other programs for the same platform read too, so they carry no prefix of ours.
PLATFORM_PREFIX = "GENESYS_"
FILE_VARIABLE = "ROUTELAB_SETTINGS"
DEFAULT_FILE = Path("routelab.toml")
MIB = 1024 * 1024
# A file that people write by hand; a larger one is another file.
MOST_BYTES = 4 * MIB


class Settings(BaseModel):
    """Everything about the service that can be chosen."""

    # Errors of this model must not show what was given: one of the values is a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    store: Path = Field(default=Path("data/snapshots"), strict=False, description="Folder of snapshots.")
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=255,
        description="Address to listen on; by default this machine only.",
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port; 0 takes any free one.")
    allowed_hosts: str = Field(
        default="",
        max_length=2000,
        pattern=r"^[A-Za-z0-9._:\[\], -]*$",
        description="Further names under which clients may address the service, separated by commas.",
    )
    max_body_bytes: int = Field(
        default=64 * MIB, ge=1024, le=4096 * MIB, description="Largest body of a request. [byte]"
    )
    max_interactions: int = Field(default=200_000, ge=1, le=10_000_000, description="Most inline interactions. [count]")
    max_outcomes: int = Field(default=50_000, ge=1, le=1_000_000, description="Most outcomes in one answer. [count]")
    open_snapshots: int = Field(default=4, ge=1, le=1000, description="Snapshots kept open. [count]")
    kept_fairness: int = Field(default=1000, ge=1, le=1_000_000, description="Fairness results kept. [count]")
    routing_threads: int = Field(default=4, ge=1, le=64, description="Routing requests answered at once. [count]")
    batch_threads: int = Field(default=2, ge=1, le=64, description="Batches simulated at once. [count]")
    most_memory_mib: int | None = Field(
        default=None,
        ge=64,
        le=1 << 30,
        description="Memory that all batches may take together; null for what the system has. [MiB]",
    )
    max_waiting: int = Field(default=100, ge=1, le=100_000, description="Requests that may wait for a thread. [count]")
    genesys_client_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Client credentials of Genesys Cloud; null for no platform.",
    )
    genesys_client_secret: SecretStr | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="Secret of that client; better in a variable than a file.",
    )
    genesys_base_url: str | None = Field(
        default=None, min_length=1, max_length=300, description="Address of the platform's API, or name its region."
    )
    genesys_region: str | None = Field(
        default=None, min_length=1, max_length=60, description="Region of the organisation, for example eu_west_1."
    )
    live_statuses: Literal["idle", "idle,interacting,communicating"] = Field(
        default="idle", description="Routing statuses of agents on queue who can take a live request."
    )
    live_cache_s: float = Field(
        default=5.0, ge=0, le=3600, allow_inf_nan=False, description="How long members read from the platform hold. [s]"
    )
    live_threads: int = Field(default=8, ge=1, le=64, description="Live requests answered at once. [count]")
    live_open_s: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="How long a platform that failed is left alone before it is tried again. [s]",
    )

    @property
    def has_platform(self) -> bool:
        """Whether somebody meant a platform to be asked."""
        return self.genesys_client_id is not None or self.genesys_client_secret is not None

    def credentials(self) -> Credentials:
        """What the platform wants to know of us.

        Returns
        -------
        Credentials
            Checked as far as that goes without asking the platform.

        Raises
        ------
        MissingInput
            If a part of them is not set, naming its variable.
        InvalidScenario
            If region or address cannot be.
        """
        from ingest.platform.credentials import Credentials

        secret = self.genesys_client_secret
        return Credentials.of(
            self.genesys_client_id,
            None if secret is None else secret.get_secret_value(),
            self.genesys_base_url,
            self.genesys_region,
        )


def load_settings(
    file: Path | None = None,
    options: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from all sources; options win over variables, variables over the file.

    Parameters
    ----------
    file : Path, optional
        TOML file; by default the one that ROUTELAB_SETTINGS names, else routelab.toml if it is there.
    options : mapping, optional
        Values by field, as a command line gives them.
    environment : mapping, optional
        By default that of the process. ROUTELAB_STORE sets `store`, GENESYS_REGION sets `genesys_region`, and so on.

    Returns
    -------
    Settings
        Checked.

    Raises
    ------
    InvalidSettings
        With every problem, naming its source, the value and the remedy.
    MissingInput
        If the file is not there.

    Examples
    --------
    >>> load_settings(options={"port": 9000}, environment={"ROUTELAB_PORT": "8001"}).port
    9000
    """
    environment = os.environ if environment is None else environment
    layers = [*_file_layer(file, environment), *_variables(environment)]
    layers += [(f"option --{name.replace('_', '-')}", name, value) for name, value in (options or {}).items()]
    values = {name: value for _, name, value in layers}
    source = {name: where for where, name, _ in layers}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise InvalidSettings(*(_sentence(e, source) for e in found)) from error


def _file_layer(file: Path | None, environment: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    named = environment.get(FILE_VARIABLE)
    path = file or (Path(named) if named else None)
    if path is None and not DEFAULT_FILE.is_file():
        return
    path = path or DEFAULT_FILE
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InvalidSettings(f"{path}: over {MOST_BYTES:,} bytes, which no file of settings has; name another")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingInput(f"settings file {path} is not there; name another or leave it out") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettings(f"{path}: not a readable TOML file ({error})") from error
    yield from ((str(path), name, value) for name, value in content.items())


def _variables(environment: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    fields = Settings.model_fields
    for variable, text in environment.items():
        # An empty variable, as containers pass it on, is one that is not set.
        if variable.startswith(PLATFORM_PREFIX) and variable.lower() in fields and text:
            yield variable, variable.lower(), text
    for variable, text in environment.items():
        name = variable.removeprefix(PREFIX).lower()
        if variable == FILE_VARIABLE or not variable.startswith(PREFIX):
            continue
        if name in fields:
            yield variable, name, _number(text, fields[name].annotation)
        # Other programs may share the prefix; a slip of the pen is more likely to be meant for us.
        elif near := get_close_matches(name, fields, n=1, cutoff=0.7):
            raise InvalidSettings(f"{variable} sets nothing; did you mean {PREFIX}{near[0].upper()}?")


def _number(text: str, kind: object) -> object:
    """The number that a text writes, where the setting is one; checks say the rest."""
    try:
        if kind is int:
            return int(text)
        return float(text) if kind is float else text
    except ValueError:
        return text


def _sentence(error: Any, source: Mapping[str, str]) -> str:
    name = str(error["loc"][0])
    where = source.get(name, "settings")
    if error["type"] == "extra_forbidden":
        near = get_close_matches(name, Settings.model_fields, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(Settings.model_fields)}"
        return f"{where}: {name} is not a setting; {hint}"
    field = Settings.model_fields[name]
    is_path = error["type"] == "path_type"
    reason = "must be a text" if is_path else error["msg"].replace("Input should be", "must be")
    found = "not shown" if field.annotation == SecretStr | None else shown(error["input"])
    return f"{where}: {name} is {found}, {reason}. {field.description}"
