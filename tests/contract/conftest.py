"""The tests on the real wheels run where they are asked for: `make contract`."""


def pytest_addoption(parser):
    parser.addoption("--require-wheels", action="store_true", help="test the installed wheels of RAPIDS and CuPy")


def pytest_ignore_collect(collection_path, config):
    if collection_path.name == "test_wheels.py" and not config.getoption("--require-wheels", default=False):
        return True
    return None
