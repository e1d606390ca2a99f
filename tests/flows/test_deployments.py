"""The deployments of prefect.yaml, and which of their schedules are asked for."""

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cases import PROJECT
from cronsim import CronSim

from flows.deployments import Deployment, find_file, read_deployments, with_schedules
from pipeline.errors import ConfigError

FILE = PROJECT / "prefect.yaml"
NAMES = ["ingest", "forecast", "opportunities", "report", "backtest", "watch"]


def schema(deployment: Deployment) -> dict[str, Any]:
    """The form that Prefect's page shows of a deployment's flow."""
    from prefect.flows import load_flow_from_entrypoint
    from prefect.utilities.callables import parameter_schema

    return parameter_schema(load_flow_from_entrypoint(deployment.entrypoint, use_placeholder_flow=False)).model_dump()


def test_the_six_are_there_and_rest_until_asked_for() -> None:
    found = read_deployments(FILE)
    assert [each.name for each in found] == NAMES
    assert not [one for each in found for one in each.schedules if one.active]
    for each in found:
        (schedule,) = each.schedules
        CronSim(schedule.cron, datetime.datetime(2026, 1, 1))
        assert "techconverge" in each.tags


def test_workers_take_them_from_one_pool_of_processes_in_their_own_folder() -> None:
    written = yaml.safe_load(FILE.read_text())
    assert written["pull"] == []
    for entry in written["deployments"]:
        assert entry["work_pool"] == {"name": "techconverge", "job_variables": {"working_dir": "."}}


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_one_of_the_flow_and_the_form_explains_each(name: str) -> None:
    (deployment,) = [each for each in read_deployments(FILE) if each.name == name]
    form = schema(deployment)
    assert set(deployment.parameters) <= set(form["properties"])
    assert set(form["required"]) <= set(deployment.parameters)  # so that a schedule can run it
    for about in form["properties"].values():
        assert about["description"]


@pytest.mark.parametrize("name", NAMES)
def test_prefect_accepts_the_parameters_as_they_are_in_the_file(name: str) -> None:
    from prefect.flows import load_flow_from_entrypoint

    (deployment,) = [each for each in read_deployments(FILE) if each.name == name]
    flow = load_flow_from_entrypoint(deployment.entrypoint, use_placeholder_flow=False)
    assert flow.name == name
    taken = flow.validate_parameters(deployment.parameters)
    assert {name: taken[name] for name in deployment.parameters} == deployment.parameters


def test_a_schedule_is_activated_by_name_or_replaced_by_another() -> None:
    found = {each.name: each for each in with_schedules(read_deployments(FILE), ["ingest", "report=5 6 * * 2"])}
    assert [(one.cron, one.active) for one in found["ingest"].schedules] == [("0 4 * * 1", True)]
    assert [(one.cron, one.active) for one in found["report"].schedules] == [("5 6 * * 2", True)]
    assert not found["forecast"].schedules[0].active


def test_another_time_stays_in_the_time_zone_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "prefect.yaml"
    path.write_text(
        "deployments: [{name: a, entrypoint: x.y, schedules: [{cron: '0 4 * * 1', timezone: Europe/Berlin}]}]"
    )
    (found,) = with_schedules(read_deployments(path), ["a=0 5 * * 1"])
    assert [(one.cron, one.timezone) for one in found.schedules] == [("0 5 * * 1", "Europe/Berlin")]


FAULTS = {
    "deployments: [{name: a}]": "entrypoint: Field required",
    "deployments: [{name: a, entrypoint: x.y}, {name: a, entrypoint: x.z}]": "a name of its own",
    "{}": "must hold deployments",
    "deployments: [{name: a, entrypoint: x.y, schedules: [{interval: 5}]}]": "cron: Field required",
}


@pytest.mark.parametrize(("text", "said"), FAULTS.items())
def test_a_file_that_is_none_is_refused_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "prefect.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_deployments(path)


def test_a_schedule_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="choose among ingest, forecast"):
        with_schedules(read_deployments(FILE), ["weekly"])
    with pytest.raises(ConfigError, match="no schedule"):
        with_schedules([Deployment(name="a", entrypoint="x.y")], ["a"])


def test_the_file_here_comes_before_the_project_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_file(None) == FILE
    (tmp_path / "prefect.yaml").write_text("deployments: []")
    assert find_file(None) == Path("prefect.yaml")
    with pytest.raises(ConfigError, match=r"other\.yaml does not exist"):
        find_file(Path("other.yaml"))


def test_a_flow_that_is_not_there_is_one_line() -> None:
    from flows.serve import _deployment

    for entrypoint in ("flows.forecast.nowhere", "nowhere.flow", "flows.deployments.find_file"):
        with pytest.raises(ConfigError, match="deployment a: "):
            _deployment(Deployment(name="a", entrypoint=entrypoint))
    with pytest.raises(ConfigError, match="cron"):
        _deployment(
            Deployment.model_validate(
                {"name": "a", "entrypoint": "flows.report.report", "schedules": [{"cron": "often"}]}
            )
        )
