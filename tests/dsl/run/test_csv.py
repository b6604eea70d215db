"""Currents from text files."""

import numpy as np
import pytest

import dvdt

PASSIVE = "dv/dt = I/C : mV\nC = 100 pF\nI = 0 pA\nv(0) = 0 mV"


def write(tmp_path, text):
    path = tmp_path / "current.csv"
    path.write_text(text, encoding="utf-8")
    return path


def charge(series, duration):
    """The integral of the current, in pA ms, as a capacitor collects it: exact for Euler's scheme on a held input."""
    result = dvdt.simulate(PASSIVE, duration, parameters={"I": series}, method="euler", backend="reference")
    return result.final_state["v"][0] * 100


def test_units_of_the_header_and_the_time_column(tmp_path):
    path = write(tmp_path, "t (ms),I (nA)\n0,0.1\n1,0.2\n2,-0.1\n")
    assert charge(dvdt.from_csv(path), "3 ms") == pytest.approx(200.0)
    assert charge(dvdt.from_csv(path), "5 ms") == pytest.approx(0.0, abs=1e-9)  # the last value holds on


@pytest.mark.parametrize(
    "text",
    [
        "time [s];I [pA]\n0;1\n0.001;2\n",
        "I (pA)\tt (ms)\n1\t0\n2\t1\n",
        '"t (us)","I (pA)"\n0,1\n1e3,2\n\n',
        "\ufefft (ms), I (pA), other (mV)\r\n0, 1, 7\r\n1, 2, 8\r\n",
    ],
)
def test_the_same_in_other_spellings(tmp_path, text):
    assert charge(dvdt.from_csv(write(tmp_path, text), column="I"), "2 ms") == pytest.approx(3.0)


def test_no_time_column_and_no_unit(tmp_path):
    path = write(tmp_path, "I\n1\n2\n")
    assert charge(dvdt.from_csv(path, dt="1 ms"), "2 ms") == pytest.approx(3.0)  # pA, as the model writes
    assert charge(dvdt.from_csv(path, dt="1 ms", unit="nA"), "2 ms") == pytest.approx(3000.0)
    with pytest.raises(dvdt.UsageError, match="dt="):
        dvdt.from_csv(path)


def test_a_column_in_the_wrong_unit(tmp_path):
    series = dvdt.from_csv(write(tmp_path, "t (ms),I (mV)\n0,1\n1,2\n"))
    with pytest.raises(dvdt.UsageError, match="I"):
        dvdt.Population(PASSIVE, parameters={"I": series})


WRONG = {
    "no header": ("0,1\n1,2\n", {}, "header"),
    "empty": ("", {}, "empty"),
    "header alone": ("t (ms),I (pA)\n", {}, "0 rows"),
    "one row": ("t (ms),I (pA)\n0,1\n", {}, "1 row"),
    "a word in a cell": ("t (ms),I (pA)\n0,1\n1,oops\n", {}, "line 3, column 'I': 'oops'"),
    "an empty cell": ("t (ms),I (pA)\n0,1\n1,\n", {}, "line 3, column 'I'"),
    "a short row": ("t (ms),I (pA)\n0,1\n1\n", {}, "line 3, column 'I'"),
    "nan": ("t (ms),I (pA)\n0,1\n1,nan\n", {}, "line 3, column 'I'"),
    "infinite": ("t (ms),I (pA)\n0,1\n1,inf\n", {}, "line 3, column 'I'"),
    "a word in the time column": ("t (ms),I (pA)\n0,1\nx,2\n", {}, "line 3, column 't'"),
    "missing column": ("t (ms),Iext (pA)\n0,1\n1,2\n", {"column": "I_ext"}, "'Iext'"),
    "several columns": ("t (ms),a,b\n0,1,1\n1,2,2\n", {}, "column="),
    "the time alone": ("t (ms)\n0\n1\n", {}, "column"),
    "uneven times": ("t (ms),I (pA)\n0,1\n1,2\n2.1,3\n3,4\n4,5\n", {}, "line 4"),
    "times that fall": ("t (ms),I (pA)\n1,1\n0,2\n", {}, "increase"),
    "times that stand": ("t (ms),I (pA)\n0,1\n0,2\n", {}, "increase"),
    "times that begin late": ("t (ms),I (pA)\n5,1\n6,2\n", {}, "5"),
    "time without unit": ("t,I (pA)\n0,1\n1,2\n", {}, "unit"),
    "time in volt": ("t (mV),I (pA)\n0,1\n1,2\n", {}, "'t'"),
    "two units": ("t (ms),I (pA)\n0,1\n1,2\n", {"unit": "nA"}, "nA"),
    "two intervals": ("t (ms),I (pA)\n0,1\n1,2\n", {"dt": "2 ms"}, "dt="),
    "a name twice": ("t (ms),I (pA),I (nA)\n0,1,1\n1,2,2\n", {"column": "I"}, "two columns"),
    "a row between others": ("t (ms),I (pA)\n0,1\n2,1\n1,3\n3,3\n", {}, "1 ms stands after 2 ms"),
    "a separator at the end": ("t (ms),I (pA),\n0,1,\n1,2,\n", {}, "column 3 of the header has no name"),
    "a decimal comma": ("t (ms);I (pA)\n0;1,5\n1;2,5\n", {}, "decimal point"),
    "Python's own numbers": ("t (ms),I (pA)\n0,1\n1,1_0\n", {}, "'1_0' is not a number"),
    "digits of another script": ("t (ms),I (pA)\n0,1\n1,\u0661\n", {}, "is not a number"),
    "a comment": ("# stimulus\nt (ms),I (pA)\n0,1\n1,2\n", {}, "begins with `#`"),
    "an extra cell": ("t (ms),I (pA)\n0,1\n1,2,3\n", {}, "line 3"),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_refused(tmp_path, case):
    text, arguments, words = WRONG[case]
    path = write(tmp_path, text)
    with pytest.raises(dvdt.UsageError) as caught:
        dvdt.from_csv(path, **arguments)
    assert words in str(caught.value)
    assert "current.csv" in str(caught.value)


def test_what_is_no_path_and_no_name(tmp_path):
    with pytest.raises(dvdt.UsageError, match="from_csv: expected a path"):
        dvdt.from_csv(3)
    with pytest.raises(dvdt.UsageError, match="from_csv: column"):
        dvdt.from_csv(write(tmp_path, "t (ms),I (pA)\n0,1\n1,2\n"), column=1)


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(dvdt.UsageError, match=r"missing\.csv"):
        dvdt.from_csv(tmp_path / "missing.csv")
    with pytest.raises(dvdt.UsageError, match="cannot be read"):
        dvdt.from_csv(tmp_path)
    (tmp_path / "binary.csv").write_bytes(np.arange(200, dtype=np.uint8).tobytes())
    with pytest.raises(dvdt.UsageError, match="UTF-8"):
        dvdt.from_csv(tmp_path / "binary.csv")
