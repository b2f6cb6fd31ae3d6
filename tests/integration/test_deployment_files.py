"""Compose file, job template and Slurm script: right by their own schemas, bound to loopback, and without a secret.

`compose-spec.json` is the schema of github.com/compose-spec/compose-spec, commit 170098b (Apache-2.0).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
import yaml

from blocks import prefect_server

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deployments"
SECRETS = ("POSTGRES_PASSWORD", "PREFECT_AUTH", "MINIO_USER", "MINIO_PASSWORD")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


def test_the_compose_file_is_one(compose: dict[str, Any]) -> None:
    spec = json.loads(Path(__file__).with_name("compose-spec.json").read_bytes())
    jsonschema.Draft7Validator(spec).validate(compose)
    services = compose["services"]
    assert {"server", "database", "worker", "minio"} <= set(services)
    assert {name for one in services.values() for name in one.get("depends_on", {})} <= set(services)
    mounted = {each.partition(":")[0] for one in services.values() for each in one.get("volumes", [])}
    assert mounted == set(compose["volumes"])
    healthy = [name for one in services.values() for name, how in one.get("depends_on", {}).items()
               if how["condition"] == "service_healthy"]  # fmt: skip
    assert all("healthcheck" in services[name] for name in healthy)


def test_only_loopback_sees_its_ports_and_every_image_is_of_one_version(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert re.fullmatch(r"nightschool:\$\{TAG:-latest\}|[a-z/]+:\S*\d\S*", service["image"]), name


def test_no_secret_is_in_it_and_without_one_nothing_starts(compose: dict[str, Any]) -> None:
    text = (FOLDER / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    assert asked == set(SECRETS)
    named = dict(line.split("=", 1) for line in (FOLDER / "env.example").read_text().splitlines() if "=" in line)
    assert named == dict.fromkeys(SECRETS, "")
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|AUTH|ACCESS_KEY|CONNECTION", name):
                assert re.search(r"\$\{\w+:\?[^}]*\}", value), f"{name} is written down"


def test_the_server_in_the_compose_file_is_set_up_as_ours_is(compose: dict[str, Any]) -> None:
    ours = prefect_server.environment(4200, ROOT)
    there = compose["services"]["server"]["environment"]
    same = [name for name in there if name.startswith("PREFECT_SERVER_") and name in ours]
    assert len(same) >= 6
    assert {name: there[name] for name in same} == {name: ours[name] for name in same}


def test_the_job_template_makes_a_job_that_kubernetes_knows() -> None:
    pytest.importorskip("prefect_kubernetes")
    from kubernetes_asyncio.client import ApiClient
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun
    from prefect_kubernetes.worker import KubernetesWorkerJobConfiguration

    template = json.loads((FOLDER / "kubernetes.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(template["variables"])
    wanted = {"name": "night", "command": "prefect flow-run execute", "env": {"PREFECT_API_URL": "http://h:4200/api"},
              "labels": {"night": "first"}, "gpus": 2}  # fmt: skip
    jsonschema.validate(wanted, template["variables"])
    names = set(re.findall(r"\{\{ (\w+) \}\}", json.dumps(template["job_configuration"])))
    assert names == set(template["variables"]["properties"])

    async def filled() -> tuple[dict[str, Any], dict[str, Any]]:
        nobody = PrefectClient("http://127.0.0.1:1/api")  # is asked for blocks, and the template names none
        made = await KubernetesWorkerJobConfiguration.from_template_and_values(template, wanted, client=nobody)
        made.prepare_for_flow_run(FlowRun(flow_id=uuid4(), name="first"))
        async with ApiClient() as api:
            known = api._ApiClient__deserialize(made.job_manifest, "V1Job")
            return made.job_manifest, api.sanitize_for_serialization(known)

    manifest, known = asyncio.run(filled())
    # Prefect insists on them here, where Kubernetes passes them over.
    assert [manifest["spec"]["template"]["spec"].pop(name) for name in ("parallelism", "completions")] == [1, 1]
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    limits = container["resources"]["limits"]
    limits["nvidia.com/gpu"] = str(limits["nvidia.com/gpu"])
    assert known == manifest, "what Kubernetes does not know would be left out"
    assert limits["nvidia.com/gpu"] == "2"
    assert container["envFrom"] == [{"secretRef": {"name": "nightschool"}}]
    assert not re.search(r"password|secretKey", json.dumps(manifest), re.IGNORECASE)


def test_the_slurm_script_starts_a_night_on_one_node_and_hands_the_end_on(tmp_path: Path) -> None:
    if lint := shutil.which("shellcheck"):
        subprocess.run([lint, FOLDER / "night.slurm"], check=True)
    subprocess.run(["bash", "-n", FOLDER / "night.slurm"], check=True)
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/bash\necho "$@" > told\n[ "$5" = fails ] && exit 7\nexit 0\n')
    python.chmod(0o755)
    env = {**os.environ, "SLURM_SUBMIT_DIR": str(tmp_path), "SLURM_JOB_NUM_NODES": "1", "SLURM_JOB_ID": "7"}
    command = ["bash", FOLDER / "night.slurm", "smoke", "fails"]
    assert subprocess.run(command, env=env).returncode == 7, "Slurm sees how the night ended"
    assert subprocess.run(command[:3], env=env).returncode == 0
    assert (tmp_path / "told").read_text().split() == ["-m", "flows.cli", "run", "smoke", "--set", "runner=processes"]
    assert subprocess.run(command[:2], env=env, capture_output=True).returncode == 2


def test_the_slurm_script_brings_ray_up_on_two_nodes(tmp_path: Path) -> None:
    """With `srun` and `scontrol` as Slurm would call them: the same commands on each node, here one after the other."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "scontrol").write_text("#!/bin/bash\nprintf 'one\\ntwo\\n'\n")
    (bin_ / "hostname").write_text('#!/bin/bash\necho "$NODE"\n')
    (bin_ / "srun").write_text('#!/bin/bash\nshift\nfor NODE in one two; do export NODE; "$@"; done\n')
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/bash\necho "$@" >> told\n')
    for path in (*bin_.iterdir(), python):
        path.chmod(0o755)
    env = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "SLURM_SUBMIT_DIR": str(tmp_path),
           "SLURM_JOB_NUM_NODES": "2", "SLURM_JOB_NODELIST": "[one,two]", "SLURM_JOB_ID": "7",
           "PREFECT_API_URL": "http://one:4200/api"}  # fmt: skip
    command = ["bash", FOLDER / "night.slurm", "smoke"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, "nobody listens there: it does not wait for ever"
    head, other = (tmp_path / "told").read_text().splitlines()
    assert "start" in head
    assert "--head --node-ip-address one --port 20007" in head
    assert "--address one:20007" in other
    env.pop("PREFECT_API_URL")
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "every node must reach the server" in done.stderr
