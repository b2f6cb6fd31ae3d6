"""What a person finds on Prefect's page: every phase, and forms whose fields say what they take."""

from __future__ import annotations

import pytest
from prefect.blocks.core import Block
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import ValidationError, validate

from blocks.prefect_server import ROOT
from blocks.registered import KINDS
from flows.deployments import of_phases, written
from flows.fields import BEGINNING, END, chosen
from tasks.steps import STEPS

DEPLOYED = {one["name"]: one for one in written()}


def schema(name: str) -> dict:
    """The form of a deployment, as Prefect makes it of the flow's signature."""
    return parameter_schema(load_flow_from_entrypoint(str(ROOT / DEPLOYED[name]["entrypoint"]))).model_dump()


def test_every_phase_has_a_deployment_that_ends_behind_it() -> None:
    assert {"night", "rerun-chunk", "review", "spot-check", "compare", "clean", "mend", "school"} <= set(DEPLOYED)
    night = {**DEPLOYED["night"], "flow_id": "f", "work_pool_name": "nightschool"}
    found = of_phases(night, ["school"])
    assert [one["parameters"] for one in found] == [
        {"recipe": "quickstart", "until_phase": phase} for phase in STEPS if phase != "school"
    ]
    assert len({one["name"] for one in found}) == len(found)
    assert {one["flow_id"] for one in found} == {"f"}
    assert all(one["description"] and one["tags"] == [*night["tags"], "phase"] for one in found)
    assert night["parameters"] == {"recipe": "quickstart"}


@pytest.mark.parametrize("name", [name for name in DEPLOYED if not name.startswith("night-until")])
def test_every_field_has_a_title_and_a_sentence(name: str) -> None:
    fields = schema(name)["properties"]
    assert fields
    for parameter, field in fields.items():
        assert field.get("description", "").endswith("."), parameter
        assert field["title"] != parameter, parameter


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_block_has_a_title_and_a_sentence(kind: type[Block]) -> None:
    assert kind.get_description()
    for name, field in kind.model_json_schema()["properties"].items():
        assert field.get("description", "").endswith("."), name
        assert field["description"][0].isupper(), name
        assert field["title"][0].isupper(), name


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("night", {"recipe": "quickstart", "until_phase": "answers", "sets": ["answers.samples=4"]}),
        ("night", {"recipe": "quickstart", "name": "monday-2", "from_phase": BEGINNING, "until_phase": END}),
        ("rerun-chunk", {"night": "smoke", "phase": "answers", "chunk": 3}),
        ("rerun-chunk", {"night": "smoke", "phase": "answers"}),
        ("clean", {"older_than_days": 30, "at_most_gb": None, "keep": ["smoke"]}),
    ],
)
def test_a_form_takes_what_fits(name: str, given: dict) -> None:
    validate(given, schema(name), raise_on_error=True)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("night", {"recipe": "no-such"}),
        ("night", {"recipe": "quickstart", "until_phase": "answer"}),
        ("night", {"recipe": "quickstart", "name": "../elsewhere"}),
        ("night", {"recipe": "quickstart", "sets": ["answers.samples"]}),
        ("rerun-chunk", {"night": "smoke", "phase": "answers", "chunk": -1}),
        ("rerun-chunk", {"night": "", "phase": "answers"}),
        ("clean", {"older_than_days": -1}),
    ],
)
def test_a_form_refuses_what_does_not(name: str, given: dict) -> None:
    with pytest.raises(ValidationError):
        validate(given, schema(name), raise_on_error=True)


def test_nothing_chosen_is_nothing() -> None:
    assert [chosen(word) for word in (BEGINNING, END, "none", "", "answers")] == [None, None, None, None, "answers"]
