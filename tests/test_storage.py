"""Folders by URL: brought whole and checked, published with their record last."""

import json
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from pipeline import cli
from pipeline.errors import ArtifactError, ConfigError, CorpusError
from pipeline.storage import RECORD, Copy, local_copies

KEY = "planted-secret-9c1"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The URL of a bucket of a server that speaks S3, on loopback; its address and keys in the environment alone."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "tester")
        patch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        fsspec.filesystem("s3").mkdir("shared")
        yield "s3://shared"
    server.stop()


@pytest.fixture(params=["s3", "memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place where nothing is yet, on each kind of storage."""
    name = tmp_path.name
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/{name}/run"
    return f"memory://{name}/run" if request.param == "memory" else f"file://{tmp_path}/share/run"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def read(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def stored(url: str) -> dict[str, bytes]:
    """What lies at a URL."""
    fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return {path.removeprefix(root).lstrip("/"): fs.cat_file(path) for path in fs.find(root)}


def published(url: str, folder: Path, **files: str) -> None:
    with local_copies([url], folder) as (path,):
        write(Path(path), **files)


def test_what_was_made_is_brought_on_another_machine(url: str, tmp_path: Path) -> None:
    published(url, tmp_path / "one", run_json="{}", fusion__a_json="[1]")
    with local_copies(["forecast", url, f"--out={url}"], tmp_path / "two") as (word, path, out):
        assert word == "forecast" and out == f"--out={path}"
        assert Path(path).name == "run"
        assert read(Path(path)) == {"run.json": "{}", "fusion/a.json": "[1]"}
    record = json.loads(stored(url)[RECORD])
    assert record["whole"] and set(record["files"]) == {"run.json", "fusion/a.json"}


def test_what_changed_is_published_and_what_went_is_gone(url: str, tmp_path: Path) -> None:
    published(url, tmp_path / "one", a_csv="1", b_csv="2")
    with local_copies([url], tmp_path / "two") as (path,):
        write(Path(path), a_csv="3")
        (Path(path) / "b.csv").unlink()
    assert set(stored(url)) == {"a.csv", RECORD}
    with local_copies([url], tmp_path / "one") as (path,):
        assert read(Path(path)) == {"a.csv": "3"}


def test_nothing_is_published_of_what_failed(url: str, tmp_path: Path) -> None:
    with pytest.raises(KeyError), local_copies([url], tmp_path / "one") as (path,):
        write(Path(path), a_csv="1")
        raise KeyError
    assert stored(url) == {}
    with local_copies([url], tmp_path / "one") as (path,):
        assert read(Path(path)) == {"a.csv": "1"}  # what is nowhere else is not thrown away
    assert stored(url)["a.csv"] == b"1"


def test_half_a_run_is_never_read(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published(url, tmp_path / "one", a_csv="1", b_csv="2")
    fs = Copy(url, tmp_path / "one")._fs  # fsspec has one for all that ask alike
    put = fs.put_file

    def fails_at_b(local: str, remote: str) -> None:
        if remote.endswith("b.csv"):
            raise OSError("the connection was lost")
        put(local, remote)

    monkeypatch.setattr(fs, "put_file", fails_at_b)
    with (
        pytest.raises(ArtifactError, match="cannot be reached: the connection was lost"),
        local_copies([url], tmp_path / "one") as (path,),
    ):
        write(Path(path), a_csv="3", b_csv="4")
    with pytest.raises(ArtifactError, match="its writer stopped"), local_copies([url], tmp_path / "two"):
        pass
    monkeypatch.setattr(fs, "put_file", put)
    with local_copies([url], tmp_path / "one"):
        pass  # its writer may do it again
    with local_copies([url], tmp_path / "two") as (path,):
        assert read(Path(path)) == {"a.csv": "3", "b.csv": "4"}


def test_a_damaged_file_is_not_taken(url: str, tmp_path: Path) -> None:
    published(url, tmp_path / "one", a_csv="1")
    fs, root = fsspec.core.url_to_fs(url)
    fs.pipe_file(f"{root}/a.csv", b"2")
    with pytest.raises(ArtifactError, match="is not what published"), local_copies([url], tmp_path / "two"):
        pass


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", ".hidden"])
def test_a_record_cannot_name_files_outside_the_folder(name: str, tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}/hostile"
    record = {"whole": True, "files": {name: "0" * 64}}
    fsspec.filesystem("memory").pipe_file(f"/{tmp_path.name}/hostile/{RECORD}", json.dumps(record).encode())
    with pytest.raises(ArtifactError, match="is damaged: it names"), local_copies([url], tmp_path / "here"):
        pass


def test_files_of_others_are_left_alone(url: str, tmp_path: Path) -> None:
    fs, root = fsspec.core.url_to_fs(url)
    fs.makedirs(root, exist_ok=True)
    fs.pipe_file(f"{root}/theirs.txt", b"1")
    with pytest.raises(ArtifactError, match="not published by this program"), local_copies([url], tmp_path / "here"):
        pass
    assert stored(url) == {"theirs.txt": b"1"}


def test_a_single_file_is_brought(tmp_path: Path) -> None:
    fsspec.filesystem("memory").pipe_file(f"/{tmp_path.name}/export.csv", b"id,date")
    with local_copies([f"memory://{tmp_path.name}/export.csv"], tmp_path / "here") as (path,):
        assert Path(path).name == "export.csv" and Path(path).read_text() == "id,date"


def test_a_copy_of_what_is_there_no_more_is_not_used(url: str, tmp_path: Path) -> None:
    published(url, tmp_path / "one", a_csv="1")
    fs, root = fsspec.core.url_to_fs(url)
    fs.rm(root, recursive=True)
    with local_copies([url], tmp_path / "one") as (path,):
        assert not Path(path).exists()


def test_web_addresses_and_paths_are_as_they_were(tmp_path: Path) -> None:
    words = ["--base-url", "https://example.org/x", "--base-url=http://127.0.0.1:1", "runs/x", "a:b"]
    with local_copies(words, tmp_path) as local:
        assert local == words


@pytest.mark.parametrize(
    ("url", "said"), [("sftp://me:secret@host/run", "no password"), ("nosuch://host/run", "nosuch")]
)
def test_urls_that_cannot_be_used_are_told(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said), local_copies([url], tmp_path):
        pass


def test_the_command_takes_and_gives_urls(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TECHCONVERGE_CACHE", str(tmp_path / "cache"))
    table = "patent_id,date,ipc\n" + "".join(f"US{n},2010-01-{n + 1:02d},A01B 1/00;H01L 1/00\n" for n in range(9))
    fsspec.filesystem("s3").pipe_file(f"{bucket}/exports/table.csv", table.encode())
    cli.run(["ingest", f"{bucket}/exports/table.csv", "--out", f"{bucket}/corpus"])
    kept = stored(f"{bucket}/corpus")
    assert {"manifest.json", "patents.parquet", RECORD} <= set(kept)
    assert not any(KEY.encode() in content for content in kept.values())
    monkeypatch.setenv("TECHCONVERGE_CACHE", str(tmp_path / "elsewhere"))
    cli.run(["corpus", "describe", f"{bucket}/corpus"])
    assert "9 patents known" in capsys.readouterr().out
    with pytest.raises(CorpusError, match="is not a corpus"):
        cli.run(["corpus", "describe", f"{bucket}/nothing"])
    with pytest.raises(SystemExit):
        cli.run(["corpus", "describe", f"{bucket}/corpus", "--no-such-option"])
