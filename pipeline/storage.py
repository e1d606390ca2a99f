"""Folders and files by URL, on whatever fsspec reaches: each has a copy here to work on, and what changes is published.

In a published folder lies a record of its files with their hashes. It says first that they are being written, and last
that they are whole: so nobody takes half a run for one, and what is brought here is checked. Keys come from the
environment, as the storage's own tools take them.
"""

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline import __version__
from pipeline.artifacts import atomic_path, locked, sha256_file
from pipeline.errors import ArtifactError, ConfigError

RECORD = "published.json"
_URL = re.compile(r"(?P<option>--[\w-]+=)?(?P<url>(?!https?:)[a-z][a-z0-9+]*://.+)")


@contextlib.contextmanager
def local_copies(words: Sequence[str], folder: Path) -> Iterator[list[str]]:
    """The words with a path below ``folder`` for every URL among them, also as ``--option=URL``.

    What is published there is brought first; what was changed or made since is published when all went well. A web
    address is no such URL.

    Raises:
        ConfigError: a URL of no storage that is installed, or one that holds a password.
        ArtifactError: the storage cannot be reached, or holds something half written, damaged or not ours.
    """
    copies: list[Copy] = []
    local: list[str] = []
    for word in words:
        found = _URL.fullmatch(word)
        if found:
            copies.append(Copy(found["url"], folder))
            copies[-1].bring()
        local.append(f"{found['option'] or ''}{copies[-1].path}" if found else word)
    yield local
    for copy in copies:
        copy.publish()


class Copy:
    """What lies at a URL, and its copy on this machine."""

    def __init__(self, url: str, folder: Path) -> None:
        if re.match(r"[a-z0-9+]+://[^/]*:[^/]*@", url):
            raise ConfigError("a URL must hold no password: keys come from the environment")
        self.url = url.rstrip("/")
        place = folder / hashlib.sha256(self.url.encode()).hexdigest()[:32]
        self.path = place / self.url.rpartition("/")[2]
        self._unpublished = place / "unpublished"  # marks what was made here and is nowhere else
        try:
            from fsspec.core import url_to_fs

            of_folders = {"auto_mkdir": True} if url.startswith("file:") else {}  # elsewhere a name makes its folders
            self._fs, self._root = url_to_fs(self.url, use_listings_cache=False, **of_folders)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"{self.url}: {error}; pip install 'techconverge[cluster]' for s3://") from error

    def bring(self) -> None:
        """Make the copy what is published, or take the file that lies there; raises as ``local_copies`` does."""
        with locked(self.path, wait=True), self._reached():
            record = self._record()
            if record and not record["whole"] and not self._unpublished.exists():
                raise ArtifactError(f"{self.url} is being written, or its writer stopped: run it again, or remove it")
            if record and record["whole"]:
                self._bring_files(record["files"])
            elif self._fs.isfile(self._root):
                self._bring_file(self._root, self.path, None)
            elif not self._unpublished.exists():
                shutil.rmtree(self.path, ignore_errors=True)  # of a publication that is there no more
                if record is None and self._fs.exists(self._root) and self._fs.ls(self._root, detail=False):
                    raise ArtifactError(f"{self.url} holds files that were not published by this program")
                self._unpublished.touch()

    def publish(self) -> None:
        """Publish the copy, the record last, if it is a folder that differs from what is published."""
        with locked(self.path, wait=True), self._reached():
            if self.path.is_dir():
                files = {name: sha256_file(self.path / name) for name in self._names()}
                before = self._record() or {"whole": False, "files": {}}
                if before != {"whole": True, "files": files}:
                    self._unpublished.touch()
                    self._write_files(files, before)
            self._unpublished.unlink(missing_ok=True)

    def _write_files(self, files: dict[str, str], before: dict[str, Any]) -> None:
        self._write_record(before["files"] | files, whole=False)
        there = before["files"] if before["whole"] else {}  # of what was left half written nothing is sure
        for name, digest in files.items():
            if there.get(name) != digest:
                self._fs.put_file(str(self.path / name), self._at(name))
        for name in before["files"].keys() - files.keys():
            with contextlib.suppress(FileNotFoundError):
                self._fs.rm_file(self._at(name))
        self._write_record(files, whole=True)

    def _write_record(self, files: dict[str, str], whole: bool) -> None:
        record = {"techconverge": __version__, "whole": whole, "files": files}
        self._fs.pipe_file(self._at(RECORD), json.dumps(record, indent=2).encode())

    def _record(self) -> dict[str, Any] | None:
        try:
            told = json.loads(self._fs.cat_file(self._at(RECORD)))
            files = {str(name): str(digest) for name, digest in told["files"].items()}
            whole = bool(told["whole"])
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(f"{self._at(RECORD)} is damaged: {error}") from error
        for name in files:
            parts = PurePosixPath(name).parts
            if not parts or name.startswith("/") or any(part.startswith(".") for part in parts):
                raise ArtifactError(f"{self._at(RECORD)} is damaged: it names {name!r}")
        return {"whole": whole, "files": files}

    def _bring_files(self, files: dict[str, str]) -> None:
        for name, digest in files.items():
            path = self.path / name
            if not (path.is_file() and sha256_file(path) == digest):
                self._bring_file(self._at(name), path, digest)
        for name in self._names() - files.keys():
            (self.path / name).unlink()

    def _bring_file(self, remote: str, path: Path, digest: str | None) -> None:
        with atomic_path(path) as temporary:
            self._fs.get_file(remote, str(temporary))
            if digest and sha256_file(temporary) != digest:
                raise ArtifactError(f"{remote} is not what {RECORD} says: it is damaged, or is being written")

    def _names(self) -> set[str]:
        """The files of the copy, hidden ones left out."""
        names = (path.relative_to(self.path) for path in self.path.rglob("*") if path.is_file())
        return {name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)}

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (ArtifactError, ConfigError):
            raise
        except Exception as error:  # every storage has errors of its own
            raise ArtifactError(f"{self.url} cannot be reached: {' '.join(str(error).split())}") from error
