import math

from bsoid_gpu.doctor.result import at_least, at_most, failed, information


def test_the_bound_itself_passes():
    assert at_least("recall", 1.0, 1.0, "").passed
    assert not at_least("recall", 0.999, 1.0, "").passed
    assert at_most("heights", 0.25, 0.25, "").passed
    assert not at_most("heights", 0.26, 0.25, "").passed


def test_what_is_no_number_fails():
    for compare in (at_least, at_most):
        result = compare("features", math.nan, 1.0, "")
        assert not result.passed
        assert result.measured is None


def test_information_has_no_bound_and_passes():
    result = information("build", "took 3 s")
    assert result.passed
    assert result.bound is None


def test_an_error_is_one_line():
    result = failed("layout", RuntimeError("no kernel image\nis available"))
    assert not result.passed
    assert result.text == "RuntimeError: no kernel image is available"
