"""Files that `tdshm convert` writes are read by other programs, and the other way round: sox, pandas, pyarrow."""

import shutil
import subprocess

import numpy as np
import pytest

SOX = shutil.which("sox")
needs_sox = pytest.mark.skipif(SOX is None, reason="sox is not on this machine: install the package sox")
# sox counts in 32-bit integers inside, whatever it reads and writes.
SOX_STEP = 2.0**-24
NAMES = ["tx", "hand, left", 'say "hi"']


def signal(length=4000):
    """Three channels of 32-bit floats: a sine, a ramp, and powers of two."""
    at = np.arange(length)
    return np.stack([np.sin(at / 20), at / length - 0.5, 2.0 ** -(at % 30)]).astype(np.float32)


@pytest.fixture
def convert(command, tmp_path):
    def run(source, target, *arguments):
        paths = [str(tmp_path / source), str(tmp_path / target)]
        done = subprocess.run([command, "convert", *paths, *arguments], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stderr
        return done.stderr

    return run


@pytest.fixture
def clip(tmp_path):
    """A clip of those channels at 100 Hz, which nobody but us has written."""
    tracks = "".join(
        "   {\n      name = " + name + "\n      data = " + " ".join(repr(float(v)) for v in channel) + "\n   }\n"
        for name, channel in zip(NAMES, signal())
    )
    text = "{\n   rate = 100\n   start = 0\n   tracklength = 4000\n   tracks = 3\n" + tracks + "}\n"
    (tmp_path / "a.clip").write_text(text)
    return "a.clip"


def sox(*arguments):
    done = subprocess.run([SOX, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr.decode()


@needs_sox
@pytest.mark.parametrize("kind", ["wav", "aiff"])
def test_sox_reads_our_sound(convert, clip, tmp_path, kind):
    convert(clip, f"a.{kind}")

    def info(flag):
        return subprocess.check_output(["soxi", flag, str(tmp_path / f"a.{kind}")], text=True).strip()

    assert (info("-c"), info("-r"), info("-s"), info("-e")) == ("3", "100", "4000", "Floating Point PCM")
    raw, _ = sox(tmp_path / f"a.{kind}", "-t", "f32", "-")
    assert np.abs(np.frombuffer(raw, "<f4").reshape(-1, 3).T - signal()).max() <= SOX_STEP
    _, stat = sox(tmp_path / f"a.{kind}", "-n", "stat")
    said = dict(line.split(":", 1) for line in stat.splitlines() if ":" in line)
    assert float(said["Samples read"]) == 12000
    assert abs(float(said["Maximum amplitude"]) - 1.0) < 1e-5
    assert abs(float(said["Minimum amplitude"]) - signal().min()) < 1e-5


@needs_sox
@pytest.mark.parametrize(
    "kind, encoding, bits",
    [(kind, "signed-integer", bits) for kind in ("wav", "aiff", "aifc") for bits in (16, 24, 32)]
    + [("wav", "unsigned-integer", 8), ("aiff", "signed-integer", 8), ("aifc", "signed-integer", 8)]
    + [("wav", "floating-point", 32), ("aifc", "floating-point", 32)],
)
def test_we_read_the_sound_of_sox(convert, tmp_path, kind, encoding, bits):
    pq = pytest.importorskip("pyarrow.parquet")
    raw = tmp_path / "a.raw"
    raw.write_bytes(signal().T.astype("<f4").tobytes())
    # The extension is the kind for us, and AIFF-C has that of AIFF.
    to = tmp_path / ("a.wav" if kind == "wav" else "a.aif")
    sox("-D", "-t", "f32", "-r", 8000, "-c", 3, raw, "-t", kind, "-b", bits, "-e", encoding, to)
    convert(to.name, "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column_names == ["chan1", "chan2", "chan3"]
    assert table.schema.metadata[b"tdshm.sample_rate"] == b"8000"
    got = np.stack([table.column(at).to_numpy() for at in range(3)])
    # What sox rounds to, and that full scale is one step below 1.
    step = SOX_STEP if encoding == "floating-point" else 2.0 ** (1 - min(bits, 24))
    assert np.abs(got - signal()).max() <= 1.01 * step


def test_pandas_and_pyarrow_read_our_tables(convert, clip, tmp_path):
    pd = pytest.importorskip("pandas")
    pq = pytest.importorskip("pyarrow.parquet")
    convert(clip, "a.csv")
    convert(clip, "a.parquet")
    table = pd.read_csv(tmp_path / "a.csv", dtype=np.float32)
    assert list(table.columns) == NAMES
    assert np.array_equal(table.to_numpy().T, signal())
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert list(frame.columns) == NAMES and (frame.dtypes == np.float32).all()
    assert np.array_equal(frame.to_numpy().T, signal())
    metadata = pq.read_schema(tmp_path / "a.parquet").metadata
    assert (metadata[b"tdshm.sample_rate"], metadata[b"tdshm.start"]) == (b"100", b"0")


@pytest.mark.parametrize("compression", ["snappy", None])
@pytest.mark.parametrize("version", ["1.0", "2.6"])
def test_we_read_the_tables_of_pandas_and_pyarrow(convert, tmp_path, compression, version):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({
        "f": signal(50_000)[0],
        "d": signal(50_000)[1].astype(np.float64),
        "i": np.arange(50_000, dtype=np.int64) % 7 - 3,
        "u": np.full(50_000, 2**32 - 256, dtype=np.uint32),
        "b": np.arange(50_000) % 2 == 0,
        "gap": pd.array([None if at % 3 else at for at in range(50_000)], dtype="Int32"),
        "when": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(50_000), "ms"),
        "text": ["x"] * 50_000,
    })
    frame.to_parquet(tmp_path / "a.parquet", compression=compression, version=version, row_group_size=7_001)
    said = convert("a.parquet", "b.csv", "--rate", "100")
    assert '"when" (times)' in said and '"text" (text)' in said and "last digits are lost" in said
    got = pd.read_csv(tmp_path / "b.csv", dtype=np.float32)
    assert list(got.columns) == ["f", "d", "i", "u", "b", "gap"]
    expected = frame[list(got.columns)].astype({"gap": "Float32"}).to_numpy(np.float32, na_value=np.nan)
    assert np.array_equal(got.to_numpy(), expected, equal_nan=True)
    # And a table, as pandas writes it.
    frame[["f", "d"]].to_csv(tmp_path / "c.csv", index=False)
    convert("c.csv", "d.parquet", "--rate", "100")
    back = pd.read_parquet(tmp_path / "d.parquet")
    assert np.array_equal(back["f"].to_numpy(), frame["f"].to_numpy())


def test_what_is_packed_otherwise_is_refused(command, tmp_path):
    pd = pytest.importorskip("pandas")
    pd.DataFrame({"a": [1.0, 2.0]}).to_parquet(tmp_path / "a.parquet", compression="zstd")
    arguments = [command, "convert", str(tmp_path / "a.parquet"), str(tmp_path / "b.csv")]
    done = subprocess.run(arguments, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and 'compression="snappy"' in done.stderr and "ZSTD" in done.stderr, done.stderr
    assert not (tmp_path / "b.csv").exists()
