import hashlib

import pytest

from expertise.errors import FileError
from expertise.files import safe
from expertise.files.safe import atomic, inside, sha256, write_atomically


def test_sha256_is_that_of_the_bytes(tmp_path):
    path = write_atomically(tmp_path / "a.txt", "hoop")
    assert sha256(path) == hashlib.sha256(b"hoop").hexdigest()


def test_sha256_of_what_cannot_be_read(tmp_path):
    with pytest.raises(FileError, match=r"b\.txt does not exist; check the path"):
        sha256(tmp_path / "b.txt")
    with pytest.raises(FileError, match="is a folder, not a file"):
        sha256(tmp_path)


def test_writing_replaces_the_whole_file(tmp_path):
    path = tmp_path / "a.txt"
    write_atomically(path, "a long first version")
    assert write_atomically(path, b"short").read_bytes() == b"short"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_while_writing_leaves_the_old_file(tmp_path):
    path = write_atomically(tmp_path / "a.txt", "old")

    def interrupted():
        with atomic(path) as file:
            file.write(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_to_replace_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_atomically(tmp_path / "a.txt", "old")
    monkeypatch.setattr(safe.os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_the_mode_of_a_file_is_kept(tmp_path):
    path = write_atomically(tmp_path / "a.txt", "old")
    assert path.stat().st_mode & 0o777 == 0o666 & ~safe._umask()
    path.chmod(0o640)
    write_atomically(path, "new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_writing_needs_its_folder(tmp_path):
    with pytest.raises(FileError, match="nowhere does not exist"):
        write_atomically(tmp_path / "nowhere" / "a.txt", "")


def test_inside_accepts_names_within(tmp_path):
    assert inside(tmp_path, "data/a.csv") == tmp_path.resolve() / "data" / "a.csv"
    assert inside(tmp_path, "data/../a.csv") == tmp_path.resolve() / "a.csv"


@pytest.mark.parametrize("name", ["../a.csv", "data/../../a.csv", "link/a.csv"])
def test_inside_refuses_what_leads_out(tmp_path, name):
    root = tmp_path / "study"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(FileError, match="leads outside study/; keep the study's files in it"):
        inside(root, name)


@pytest.mark.parametrize("name", ["/etc/passwd", "C:/a.csv", r"data\a.csv", "", "a\0b"])
def test_inside_refuses_what_is_not_relative(tmp_path, name):
    with pytest.raises(FileError, match="is not a relative path with forward slashes"):
        inside(tmp_path, name)
