"""What must say the same in several files: dependencies for pip, conda and Binder, the Pythons that are tested, the two commands."""

import ast
import json
import os
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from tiny_course import REPOSITORY

CONDA_NAMES = {"matplotlib": "matplotlib-base"}
"""What conda-forge calls a package, where that is another name: matplotlib-base is the same without a window system."""


def pyproject() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))


def load(path: str) -> Any:
    return yaml.safe_load((REPOSITORY / path).read_text("utf-8"))


def conda_environment() -> tuple[dict[str, SpecifierSet], list[str]]:
    """The packages of environment.yml with their ranges, pip's among them, and what else pip is told."""
    packages, others = {}, []
    for entry in load("environment.yml")["dependencies"]:
        for text in [entry] if isinstance(entry, str) else entry["pip"]:
            if text.startswith("-"):
                others.append(text)
            elif not text.startswith("python="):
                wanted = Requirement(text)
                packages[canonicalize_name(wanted.name)] = wanted.specifier
    return packages, others


def test_conda_gets_what_pip_gets() -> None:
    wanted = [Requirement(text) for text in pyproject()["project"]["dependencies"]]
    packages, others = conda_environment()
    assert packages == {"pip": SpecifierSet(),
                        **{canonicalize_name(CONDA_NAMES.get(one.name, one.name)): one.specifier for one in wanted}}
    assert others == ["-e ."], "the course itself"


def test_what_the_helpers_import_is_declared() -> None:
    declared = {canonicalize_name(Requirement(text).name) for text in pyproject()["project"]["dependencies"]}
    sources, imported = packages_distributions(), set()
    for path in (REPOSITORY / "helpers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                imported.add(node.module.partition(".")[0])
    others = imported - sys.stdlib_module_names - {"helpers"}
    assert {"websockets", "zmq"} <= others, "the search finds nothing"
    assert not {name for name in others if not declared & {canonicalize_name(one) for one in sources.get(name, [])}}


def test_every_dependency_has_a_range() -> None:
    for text in pyproject()["project"]["dependencies"]:
        assert any(one.operator == ">=" for one in Requirement(text).specifier), text


def test_the_tested_pythons_are_the_oldest_and_the_newest() -> None:
    supported = SpecifierSet(pyproject()["project"]["requires-python"])
    pin = re.search(r"^  - python=([\d.]+)$", (REPOSITORY / "environment.yml").read_text("utf-8"), re.MULTILINE)
    container = load(".devcontainer/devcontainer.json")["image"]
    matrix = load(".github/workflows/tests.yml")["jobs"]["pytest"]["strategy"]["matrix"]
    oldest, newest = matrix["python"]
    assert str(supported) == f">={oldest}"
    assert pin and pin[1] == newest
    assert container == f"python:{newest}"
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]


def test_the_date_is_lifted_once_a_week() -> None:
    assert pyproject()["tool"]["uv"]["exclude-newer"]
    assert load(".github/workflows/weekly.yml")["jobs"]["newest"]["with"] == {"newest": True}
    lifting = [step for step in load(".github/workflows/tests.yml")["jobs"]["pytest"]["steps"] if step.get("if") == "inputs.newest"]
    assert len(lifting) == 1 and "UV_EXCLUDE_NEWER=" in lifting[0]["run"]


def test_ci_runs_the_commands_of_the_readme() -> None:
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    steps = [step.get("run") for step in load(".github/workflows/tests.yml")["jobs"]["pytest"]["steps"]]
    script = (REPOSITORY / ".ci" / "run").read_text("utf-8")
    for command in ("pip install uv", "uv run pytest"):
        assert command in readme and command in steps and command in script


def test_binder_and_codespaces_open_the_learners_copy() -> None:
    post_build = REPOSITORY / "postBuild"
    assert "\ncourse workbook\n" in post_build.read_text("utf-8")
    settings = "helpers/course/jupyter/labconfig/page_config.json"
    assert settings in post_build.read_text("utf-8") and (REPOSITORY / settings).exists()
    if os.name != "nt":
        assert os.access(post_build, os.X_OK)
    container = json.loads((REPOSITORY / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    assert container["updateContentCommand"].endswith("uv run course workbook")
    assert container["customizations"]["codespaces"]["openFiles"] == ["workbook/00_start_here.ipynb"]
