"""For all tests: a folder for compiled loops, less to collect, an exit code for a dead worker."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

DIED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Leave the tests themselves out of what the collector of garbage goes through: they stay."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the loops that are compiled in a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADCLI_CACHE", str(tmp_path_factory.mktemp("kept", numbered=True)))
        yield


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_testnodedown(node: object, error: object) -> None:
    """Remember that a worker ended in the middle: its tests and those behind it did not run."""
    if error:
        node.config.stash[DIED] = True  # type: ignore[attr-defined]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Exit with 3 if a worker died: `scripts/test` runs everything again then."""
    if session.config.stash.get(DIED, False):
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
