"""The command line: what it prints, where, and with which exit status."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dvdt
from dvdt.backends import cache
from dvdt.dsl.cli import main

LIF = """\
model cell:
    tau*dv/dt = E_L - v + R*I
    tau = 20 ms      # membrane time constant
    E_L = -70 mV     # rest
    R = 100 Mohm     # resistance
    I = 0 nA         # input
    v(0) = E_L
    spike when v > -50 mV: v = E_L
"""
NOISY = "dv/dt = -v/(10 ms) + 1 mV*xi*(10 ms)^-0.5\nv(0) = 0 mV\n"


class Printed:
    """Runs a command and keeps what it said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, status: int = 0) -> str:
        assert main(arguments) == status
        said = self._capsys.readouterr()
        assert (said.err == "") == (status == 0)
        return said.out if status == 0 else said.err


@pytest.fixture
def dvdt_says(capsys: pytest.CaptureFixture[str]) -> Printed:
    return Printed(capsys)


@pytest.fixture
def cell(tmp_path: Path) -> str:
    file = tmp_path / "cell.dvdt"
    file.write_text(LIF)
    return str(file)


def test_models_lists_all_and_shows_one(dvdt_says: Printed) -> None:
    listed = dvdt_says("models")
    assert all(row.name in listed for row in dvdt.models())
    shown = dvdt_says("models", "AELIF")
    assert dvdt.Model(shown) == dvdt.model("adex")
    assert "did you mean 'adex'?" in dvdt_says("models", "adx", status=2)


def test_models_filters(dvdt_says: Printed) -> None:
    izh = dvdt_says("models", "izh")
    assert "  izhikevich_tonic_bursting" in izh
    assert "  adex" not in izh
    norse = dvdt_says("models", "--from", "norse")
    assert norse.splitlines()[0] == "Izhikevich cells of Norse"
    assert "ngc_lif" not in norse
    assert len(dvdt_says("models", "burst", "--from", "norse").splitlines()) == 5
    assert "no model of norse has 'adex'" in dvdt_says("models", "adex", "--from", "norse", status=2)
    assert "did you mean 'Norse'" in dvdt_says("models", "--from", "nors", status=2)
    assert dvdt_says("models", "lif").startswith("model lif:")


def test_check_reports_every_mistake_of_every_model(dvdt_says: Printed, cell: str, tmp_path: Path) -> None:
    assert dvdt_says("check", cell).startswith("cell: no mistakes (1 state, 4 parameters)")
    wrong = tmp_path / "wrong.dvdt"
    wrong.write_text(LIF.replace("R*I", "I") + LIF.replace("cell", "other").replace("-50 mV: v", "-50 mV: V"))
    report = dvdt_says("check", str(wrong), status=1)
    assert report.count("error[") == 2
    assert f"{wrong}, line 2" in report
    assert f"{wrong}, line 16" in report
    assert "Traceback" not in report
    assert "cannot be read" in dvdt_says("check", str(tmp_path / "missing.dvdt"), status=2)
    (tmp_path / "neuron.dvdt").write_text("x = 1")
    assert f"did you mean {tmp_path / 'neuron.dvdt'}?" in dvdt_says("check", str(tmp_path / "neurn.dvdt"), status=2)
    assert f"there is no folder {tmp_path / 'models'}" in dvdt_says("check", str(tmp_path / "models" / "neuron.dvdt"), status=2)


def test_explain_names_the_scheme_and_refuses_one_that_cannot(dvdt_says: Printed, cell: str) -> None:
    assert "exact" in dvdt_says("explain", cell)
    assert "heun" in dvdt_says("explain", cell, "--method", "heun", "--dt", "0.05ms")
    assert "exact" in dvdt_says("explain", "adex", "--method", "exact", status=2)
    assert "stable up to dt = 1 ms" in dvdt_says("explain", "lif", "--method", "euler", "--set", "tau=0.5ms")
    assert "tua" in dvdt_says("explain", "lif", "--set", "tua=0.5ms", status=2)


def test_run_takes_values_drives_and_writes_files(dvdt_says: Printed, cell: str, tmp_path: Path) -> None:
    table = tmp_path / "current.csv"
    table.write_text("t (ms),other (pA),I (pA)\n" + "".join(f"{t},7,{300 if t >= 50 else 0}\n" for t in range(0, 200, 10)))
    out, figure = tmp_path / "result.npz", tmp_path / "figure.png"
    said = dvdt_says(
        "run",
        cell,
        "--drive",
        f"I={table}",
        "--set",
        "tau=10",
        "--set",
        "v=-60mV",
        "--record",
        "v",
        "--out",
        str(out),
        "--plot",
        str(figure),
    )
    assert "0.2 s in 2000 steps" in said
    result = dvdt.load_result(out)
    assert figure.stat().st_size > 10_000
    # the same run from Python, and against the closed form: T = tau*log(R*I/(R*I - theta)) from E_L, with R*I = 30 mV, theta = 20 mV
    period = 10 * np.log(30 / (30 - 20))
    assert result["v"][0, 0] == -60
    assert np.diff(result.spikes.t * 1e3) == pytest.approx(period, abs=0.1)
    assert result.spikes.t[0] > 0.05


def test_a_run_that_ends_before_its_time_speaks_to_people_in_a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "boom.dvdt").write_text("dv/dt = v^2/(1 mV*ms)\nv(0) = 1 mV\nmethod euler\n")
    assert main(("run", str(tmp_path / "boom.dvdt"), "--duration", "10ms")) == 1
    said = capsys.readouterr()
    assert "model      boom, 1 neuron" in said.out
    assert said.err.endswith("the results up to there stand above\n")


def test_results_are_written_as_what_the_name_says(dvdt_says: Printed, cell: str, tmp_path: Path) -> None:
    said = dvdt_says("run", cell, "--duration", "1ms", "--out", str(tmp_path / "x.csv"), status=2)
    assert f"--out {tmp_path / 'x.csv'}: results are arrays in one .npz file, such as {tmp_path / 'x.npz'}" in said
    assert not list(tmp_path.glob("x.*"))


def test_run_takes_as_many_neurons_as_make_a_difference(dvdt_says: Printed, cell: str, tmp_path: Path) -> None:
    noisy = tmp_path / "noisy.dvdt"
    noisy.write_text(NOISY)
    assert "cell, 1 neuron\n" in dvdt_says("run", cell, "--duration", "10ms")
    assert "noisy, 50 neurons\n" in dvdt_says("run", str(noisy), "--duration", "10ms", "--method", "euler")
    assert "noisy, 3 neurons\n" in dvdt_says("run", str(noisy), "--duration", "10ms", "--method", "euler", "--n", "3")


def test_run_of_a_text_that_says_nothing(dvdt_says: Printed, tmp_path: Path) -> None:
    (tmp_path / "empty.dvdt").write_text("# nothing yet\n")
    assert "nothing to run" in dvdt_says("run", str(tmp_path / "empty.dvdt"), status=2)


def test_run_without_spikes_says_so(dvdt_says: Printed, cell: str) -> None:
    assert "spikes     none" in dvdt_says("run", cell, "--duration", "1ms")


def test_run_chooses_a_model_of_a_file(dvdt_says: Printed, tmp_path: Path) -> None:
    two = tmp_path / "two.dvdt"
    two.write_text(LIF + "model second(cell):\n    tau = 5 ms\n")
    assert "second, 1 neuron" in dvdt_says("run", str(two), "--model", "second", "--duration", "5 ms")
    assert "cell, second" in dvdt_says("run", str(two), status=2)
    assert "'third'" in dvdt_says("run", str(two), "--model", "third", status=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "tua=1 ms"], "'tau'"),
        (["--set", "I=1 mV"], "I"),
        (["--set", "I"], "NAME=VALUE"),
        (["--set", "I=1 nA", "--set", "I=2 nA"], "twice"),
        (["--drive", "I=missing.csv"], "missing.csv"),
        (["--record", "V"], "'v'"),
        (["--method", "rk5"], "rk4"),
        (["--dt", "0 ms"], "dt"),
        (["--duration", "1 mV"], "duration"),
        (["--n", "0"], "n"),
        (["--backend", "gpu"], "cpu"),
        (["--out", "nowhere/result.npz"], "nowhere"),
        (["--plot", "nowhere/figure.png"], "nowhere"),
        (["--plot", "figure.xyz"], "png"),
        (["--plot", "figure"], "ending"),
        (["--plot", "."], "folder"),
        (["--out", "."], "folder"),
    ],
)
def test_run_says_what_is_wrong_with_a_call(
    dvdt_says: Printed, cell: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    status = main(["run", cell, *arguments])
    said = capsys.readouterr()
    assert status in (1, 2)
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


@pytest.mark.parametrize("option", ["--out", "--plot"])
def test_a_folder_that_cannot_be_written_to_shows_before_the_run(
    option: str, cell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system is made to say no, because it says yes to an administrator."""
    monkeypatch.setattr("dvdt.dsl.cli_run.os.access", lambda path, mode: Path(path) != tmp_path)
    assert main(["run", cell, option, str(tmp_path / "x.png")]) == 2
    said = capsys.readouterr()
    assert f"the folder {tmp_path} cannot be written to" in said.err
    assert said.out == ""


def test_cache_says_where_it_is_and_is_cleared(
    dvdt_says: Printed, cell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kernels"
    monkeypatch.setenv("DVDT_CACHE_DIR", str(folder))
    assert dvdt_says("cache") == f"{folder}: 0.0 MB\n"
    (folder / "mine.txt").write_text("not of dvdt")
    cache.write("something", {})
    assert dvdt_says("cache", "--clear") == f"removed 1 file from {folder}\n"
    assert [file.name for file in folder.iterdir()] == ["mine.txt"]
    folder.chmod(0o777)
    assert "chmod 700" in dvdt_says("cache", status=1)


def test_the_module_is_the_command() -> None:
    run = subprocess.run([sys.executable, "-m", "dvdt", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == f"dvdt {dvdt.__version__}"
    assert subprocess.run([sys.executable, "-m", "dvdt", "fly"], capture_output=True).returncode == 2


def test_a_run_with_a_checkpoint_is_gone_on_with(dvdt_says: Printed, cell: str, tmp_path: Path) -> None:
    kept, out = str(tmp_path / "x.ckpt"), str(tmp_path / "r.npz")
    options = ("--set", "I=300pA", "--record", "v", "--backend", "reference", "--checkpoint", kept, "--every", "10ms")
    dvdt_says("run", cell, "--duration", "20ms", *options)
    assert "gone on from" in dvdt_says("run", cell, "--duration", "50ms", *options, "--out", out)
    whole = dvdt.simulate(dvdt.load(cell)["cell"], "50 ms", record=["v"], parameters={"I": "300 pA"}, backend="reference")
    assert np.array_equal(dvdt.load_result(out)["v"], whole["v"])
    assert "gone on from" in dvdt_says("resume", kept, "--out", out)
    assert np.array_equal(dvdt.load_result(out)["v"], whole["v"])
    other = dvdt_says("run", cell, "--duration", "50ms", *options, "--seed", "2", "--set", "R=50Mohm", status=2)
    assert "seed is 1 there and 2 here" in other
    assert "parameters['R'] is set only here" in other
    assert "cannot be read" in dvdt_says("resume", str(tmp_path / "missing"), status=2)
    assert "every" in dvdt_says("run", cell, "--every", "10ms", status=2)


def test_ctrl_c_writes_what_there_is_and_a_checkpoint(cell: str, tmp_path: Path) -> None:
    out, kept = tmp_path / "r.npz", tmp_path / "x.ckpt"
    code = "import sys; from dvdt.dsl.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "run", cell, "--duration", "1000s", "--backend", "reference"]
    command += ["--checkpoint", str(kept), "--every", "1ms", "--out", str(out)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (kept.exists() and dvdt.Simulation.load(kept).steps > 0):
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    printed, complaint = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "interrupted at" in complaint
    assert "dvdt.resume" in complaint
    assert "saved" in printed
    assert dvdt.load_result(out).report.steps == dvdt.Simulation.load(kept).steps
