import stat
import struct
import zipfile
from io import BytesIO

import pytest

from expertise.errors import FileError
from expertise.files import archive
from expertise.files.archive import Archive


def zipped(*members, compression=zipfile.ZIP_DEFLATED):
    out = BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
    return out.getvalue()


def test_members_are_read_in_order(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(("sources/", ""), ("b.txt", "hoop"), ("sources/a.txt", "")))
    with Archive(path) as found:
        assert found.names == ("b.txt", "sources/a.txt")
        assert found.read("b.txt") == b"hoop"
        with pytest.raises(FileError, match=r"a\.zip: has no member 'c\.txt'"):
            found.read("c.txt")


@pytest.mark.parametrize("name", ["../a", "/tmp/a", "b/../../a", "C:/a", "b\\..\\a", "C:\\a"])
def test_names_that_lead_out_are_refused(name):
    info = zipfile.ZipInfo("x")
    info.filename = name
    with pytest.raises(FileError, match="leads outside the archive"):
        Archive(zipped((info, "x")))


def test_links_are_refused():
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(FileError, match="member 'link' is a symbolic link"):
        Archive(zipped((info, "/etc/passwd")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a.txt", "A.TXT"])
def test_names_occur_once(second):
    with pytest.raises(FileError, match="two members are called"):
        Archive(zipped(("a.txt", "1"), (second, "2")))


def test_limits_on_what_is_claimed(monkeypatch):
    with pytest.raises(FileError, match="unpacks to more than 100 times its size"):
        Archive(zipped(("a", b"\0" * 2_000_000)))
    with pytest.raises(FileError, match="member 'a' has more than 50 MB unpacked"):
        Archive(zipped(("a", b"\0" * 50_000_001)))
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    with pytest.raises(FileError, match="3 members; at most 2 are read"):
        Archive(zipped(("a", ""), ("b", ""), ("c", "")))
    monkeypatch.setattr(archive, "MAX_TOTAL", 1_000_000)
    with pytest.raises(FileError, match="more than 1 MB unpacked in all"):
        Archive(zipped(("a", b"\0" * 600_000), ("b", b"\1" * 600_000)))


def test_bytes_are_counted_whatever_is_claimed(monkeypatch):
    found = Archive(zipped(("a", b"\0" * 200_000), ("b", b"\0" * 200_000)))
    monkeypatch.setattr(archive, "MAX_TOTAL", 300_000)
    found.read("a")
    found.read("a")  # the same member counts once
    with pytest.raises(FileError, match="unpacked in all"):
        found.read("b")
    monkeypatch.setattr(archive, "MAX_MEMBER", 100_000)
    with pytest.raises(FileError, match="member 'a' has more than"):
        found.read("a")


def test_a_claimed_size_that_is_too_small_is_damage():
    data = bytearray(zipped(("a", b"\0" * 100_000)))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 10)
    with pytest.raises(FileError, match="archive, member 'a': damaged file"):
        Archive(bytes(data)).read("a")


def test_members_that_share_bytes_are_refused():
    data = bytearray(zipped(("a", "x" * 100), ("b", "y" * 100), compression=zipfile.ZIP_STORED))
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    struct.pack_into("<I", data, second + 42, 0)
    with pytest.raises(FileError, match="members a, b overlap"):
        Archive(bytes(data))


def test_encryption_is_refused():
    data = bytearray(zipped(("a", "x")))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(FileError, match="it is encrypted; save it without a password"):
        Archive(bytes(data))


def test_damage_is_called_damage(tmp_path):
    whole = zipped(("a", "x" * 1000))
    for cut in (0, 10, len(whole) // 2, len(whole) - 5):
        with pytest.raises(FileError, match="damaged file; fetch or export it again"):
            Archive(whole[:cut], "a.qdpx").read("a")
    broken = bytearray(whole)
    broken[35] ^= 255
    with pytest.raises(FileError, match=r"a\.qdpx, member 'a': damaged file"):
        Archive(bytes(broken), "a.qdpx").read("a")
    with pytest.raises(FileError, match="does not exist"):
        Archive(tmp_path / "a.zip")
