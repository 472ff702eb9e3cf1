"""The stubs: complete, right, and enough for what users write."""

import pathlib
import subprocess
import sys

import pytest
import typed

import tdshm

HERE = pathlib.Path(__file__).parent


def run(tmp_path, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_package_says_that_it_is_typed():
    assert (pathlib.Path(tdshm.__file__).parent / "py.typed").is_file()
    assert (pathlib.Path(tdshm.__file__).parent / "_tdshm.pyi").is_file()


@pytest.mark.skipif(sys.version_info < (3, 10), reason="mypy reads numpy's stubs from 3.10 on")
def test_stubs_are_what_the_module_is(tmp_path):
    run(tmp_path, "mypy.stubtest", "tdshm", "--concise", "--ignore-disjoint-bases")


@pytest.mark.skipif(sys.version_info < (3, 10), reason="mypy reads numpy's stubs from 3.10 on")
def test_what_users_write_is_typed(tmp_path):
    run(tmp_path, "mypy", "--strict", "--cache-dir", str(tmp_path), str(HERE / "typed.py"))


def test_and_runs(name):
    assert typed.channels(name) == {"tx": 0.5, "ty": 2.0}
    assert typed.image(name) == 7 * 4 * 3 * 4
    assert typed.errors("py_nobody_sends_this") == 2
