"""What is in the packages, and what they ask of a system."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from lifeline_harness import packages
from lifeline_harness.profile import ADDON, LIBRARY, ROOT

LICENSES = ROOT / "host" / "python" / "licenses"
NATIVE = "cr8_lifeline/_native.abi3.so"


def names(zip_file: zipfile.ZipFile) -> set[str]:
    """Of all files; none is in it twice."""
    found = [name for name in zip_file.namelist() if not name.endswith("/")]
    assert len(found) == len(set(found))
    return set(found)


def wheel_in(zip_file: zipfile.ZipFile) -> tuple[str, bytes]:
    """Its name, and itself."""
    (path,) = [name for name in names(zip_file) if name.endswith(".whl")]
    return path.removeprefix("wheels/"), zip_file.read(path)


@pytest.fixture(scope="module")
def extension() -> zipfile.ZipFile:
    return zipfile.ZipFile(packages.extension())


@pytest.fixture(scope="module")
def wheel(extension: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name, content = wheel_in(extension)
    file = tmp_path_factory.mktemp("wheel") / name
    file.write_bytes(content)
    return file


def auditwheel(wheel: Path) -> str:
    """`auditwheel show`, on one line."""
    command = [sys.executable, "-m", "auditwheel", "show", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return re.sub(r"\s+", " ", done.stdout)


def test_the_wheel_is_for_every_linux_that_blender_is_for(wheel: Path) -> None:
    """Of glibc 2.28 or later; manylinux promises the little else that it needs: no OpenSSL."""
    tag = f"manylinux_2_28_{os.uname().machine}"
    assert wheel.name.endswith(f"-cp310-abi3-{tag}.whl")
    shown = auditwheel(wheel)
    assert f'is consistent with the following platform tag: "{tag}"' in shown
    assert "libssl" not in shown
    assert "libcrypto" not in shown


def test_no_openssl_is_compiled_in(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        (library,) = (name for name in packed.namelist() if name.endswith(".so"))
        content = packed.read(library)
    for word in (b"OpenSSL 3.", b"SSL_CTX_new", b"statem_clnt"):
        assert word not in content, word


def test_one_version_of_everything(extension: zipfile.ZipFile) -> None:
    manifest = extension.read("blender_manifest.toml").decode()
    (version,) = re.findall(r'^version = "(.+)"$', manifest, re.MULTILINE)
    (platform,) = re.findall(r'^platforms = \["(.+)"\]$', manifest, re.MULTILINE)
    assert packages.extension().name == f"cr8_router-{version}-{platform}.zip"
    assert packages.legacy().name == f"cr8_router-{version}-legacy-{platform}.zip"
    assert packages.library().name == f"cr8_lifeline_addon-{version}-py3-none-any.whl"
    assert wheel_in(extension)[0].startswith(f"cr8_lifeline-{version}-")
    assert f'"version": ({", ".join(version.split("."))}),' in (
        extension.read("__init__.py").decode()
    )


def files(package: Path) -> set[str]:
    """What it has, without what Python leaves in it."""
    return {
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_both_have_the_whole_addon_and_the_native_module(extension: zipfile.ZipFile) -> None:
    source = files(ADDON) | {f"lifeline/{name}" for name in files(LIBRARY)}
    assert source <= names(extension)
    wheel_zip = zipfile.ZipFile(io.BytesIO(wheel_in(extension)[1]))
    assert NATIVE in names(wheel_zip)
    with zipfile.ZipFile(packages.legacy()) as legacy:
        expected = {f"cr8_router/{name}" for name in source - {"blender_manifest.toml"}}
        assert expected | {f"cr8_router/lifeline/vendor/{NATIVE}"} <= names(legacy)
        assert "cr8_router/blender_manifest.toml" not in names(legacy)
        assert legacy.read(f"cr8_router/lifeline/vendor/{NATIVE}") == wheel_zip.read(NATIVE)


def test_the_library_is_a_wheel_of_its_own_beside_the_native_one() -> None:
    version = packages.library().name.split("-")[1]
    info = f"cr8_lifeline_addon-{version}.dist-info"
    with zipfile.ZipFile(packages.library()) as wheel_zip:
        expected = {f"lifeline/{name}" for name in files(LIBRARY)}
        assert {name for name in names(wheel_zip) if not name.startswith(info)} == expected
        told = wheel_zip.read(f"{info}/METADATA").decode()
        tags = wheel_zip.read(f"{info}/WHEEL").decode()
    assert "License-Expression: GPL-3.0-or-later" in told
    assert f"Requires-Dist: cr8-lifeline=={version}" in told
    assert "Root-Is-Purelib: true" in tags
    assert packages.native().name.startswith(f"cr8_lifeline-{version}-")


def test_the_licenses_are_in_all_three(extension: zipfile.ZipFile) -> None:
    def assert_licensed(zip_file: zipfile.ZipFile, place: Callable[[str], str]) -> None:
        for file in LICENSES.iterdir():
            assert zip_file.read(place(file.name)) == file.read_bytes()

    assert_licensed(extension, lambda name: f"licenses/{name}")
    wheel_name, wheel = wheel_in(extension)
    info = "-".join(wheel_name.split("-")[:2]) + ".dist-info"
    wheel_zip = zipfile.ZipFile(io.BytesIO(wheel))
    assert_licensed(wheel_zip, lambda name: f"{info}/licenses/licenses/{name}")
    with zipfile.ZipFile(packages.legacy()) as legacy:
        assert_licensed(legacy, lambda name: f"cr8_router/licenses/{name}")
