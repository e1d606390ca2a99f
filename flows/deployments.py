"""What is deployed: read from ``prefect.yaml``, the same file that ``prefect deploy --all`` takes."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ConfigError
from pipeline.run_config import read_yaml

NAME = "prefect.yaml"


class Schedule(BaseModel):
    """When runs start by themselves; ``timezone``: of the cron, by default UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: str
    timezone: str | None = None
    active: bool = True


class Deployment(BaseModel):
    """A flow with its parameters, as one entry of the file; what only workers need is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    entrypoint: str
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    tags: tuple[str, ...] = ()
    concurrency_limit: int | None = None
    schedules: tuple[Schedule, ...] = ()


def find_file(given: Path | None) -> Path:
    """The file given, else the one in this folder, else the project's own.

    Raises:
        ConfigError: there is none.
    """
    own = Path(__file__).parents[1] / NAME
    for path in [given] if given else [Path(NAME), own]:
        if path.is_file():
            return path
    raise ConfigError(f"{given or NAME} does not exist: copy the project's {NAME} here and edit it")


def read_deployments(file: Path) -> list[Deployment]:
    """The deployments of a file.

    Raises:
        ConfigError: an entry is not a deployment, or two are of one name.
    """
    try:
        found = [Deployment.model_validate(entry) for entry in read_yaml(file).get("deployments") or []]
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigError(f"{file}: {faults}") from error
    names = [each.name for each in found]
    if len(set(names)) < len(names) or not names:
        raise ConfigError(f"{file} must hold deployments, each with a name of its own; it holds {names}")
    return found


def with_schedules(deployments: list[Deployment], asked: list[str]) -> list[Deployment]:
    """The deployments with schedules activated: ``NAME``, as the file has it, or ``NAME=CRON``, that one instead.

    Raises:
        ConfigError: there is no such deployment, or it has no schedule.
    """
    by_name = {each.name: each for each in deployments}
    for text in asked:
        name, _, cron = (part.strip() for part in text.partition("="))
        if name not in by_name:
            raise ConfigError(f"--schedule {name}: no such deployment, choose among {', '.join(by_name)}")
        of_file = by_name[name].schedules
        if not cron and not of_file:
            raise ConfigError(f"--schedule {name}: the file gives it no schedule, write {name}='0 6 * * 1'")
        zone = of_file[0].timezone if of_file else None
        active = tuple(each.model_copy(update={"active": True}) for each in of_file)
        schedules = (Schedule(cron=cron, timezone=zone),) if cron else active
        by_name[name] = by_name[name].model_copy(update={"schedules": schedules})
    return list(by_name.values())
