"""One display for all tests of a worker; a stage for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from lifeline_harness import processes
from lifeline_harness.blender import Blender
from lifeline_harness.display import SMALL, Display
from lifeline_harness.profile import Profile

from tests.blender.stage import Setting, Stage, staged

MakeStage = Callable[..., Stage]

TEST_SECONDS = 120


def limit_time(items: list[pytest.Item], folder: Path) -> None:
    """A Blender that hangs in one of the folder's tests must not hold up the rest."""
    for item in items:
        if item.path.is_relative_to(folder) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    limit_time(items, Path(__file__).parent)


@pytest.fixture(scope="session")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    processes.adopt_orphans()
    with Display.start(tmp_path_factory.mktemp("display"), SMALL) as display:
        yield display


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .blend that nobody has edited."""
    folder = tmp_path_factory.mktemp("template")
    file = folder / "template.blend"
    save = f"import bpy; bpy.ops.wm.save_as_mainfile(filepath={str(file)!r})"
    profile = Profile(folder, addon=False)
    with Blender.start(profile, background=True, arguments=["--python-expr", save]) as blender:
        assert blender.wait_exit(90) == 0
    return file


@pytest.fixture
def make_stage(tmp_path: Path, display: Display, template: Path) -> Iterator[MakeStage]:
    """Set up a scenario, with other settings than the compressed ones if they are named.

    options: further ones of the server's command line.
    """
    with ExitStack() as stack:

        def make(*, options: Sequence[str] = (), **settings: Setting) -> Stage:
            return stack.enter_context(staged(tmp_path, display, template, options, **settings))

        yield make
