"""Members of a ZIP archive, read within limits; nothing is ever unpacked to disk."""

import stat
import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path, PurePosixPath
from types import TracebackType

from expertise.errors import FileError, listed
from expertise.files.safe import unreadable

MAX_MEMBER = 50_000_000
MAX_TOTAL = 100_000_000
MAX_RATIO = 100
MAX_MEMBERS = 5_000
SMALL = 1_000_000  # below this a high ratio is harmless: blank sheets compress well
_PIECE = 1 << 16
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, OSError)


class Archive:
    """A ZIP archive that was judged before anything is read from it.

    Refused on opening: more than 5,000 members, one of more than 50 MB, more
    than 100 MB in all, a ratio above 100, names that lead out of the archive,
    occur twice or are symbolic links, members that overlap, encryption, damage.
    While reading, bytes are counted as they come out: the sizes an archive
    claims are not believed.

    Parameters
    ----------
    path
        The archive, or its bytes.
    name
        What messages call it; the file's name unless told otherwise.

    Raises
    ------
    FileError
        On opening and on reading, with the first limit that is passed.
    """

    def __init__(self, path: str | Path | bytes, name: str | None = None) -> None:
        self.name = name or ("archive" if isinstance(path, bytes) else Path(path).name)
        self._inflated: dict[str, int] = {}
        try:
            self._zip = zipfile.ZipFile(BytesIO(path) if isinstance(path, bytes) else path)
        except _DAMAGED as error:
            if isinstance(error, OSError) and error.errno and not isinstance(path, bytes):
                raise unreadable(path, error) from None
            raise self._damaged() from None
        try:
            self._judge(self._zip.infolist())
        except BaseException:
            self._zip.close()
            raise

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the files in the archive, in its own order."""
        return tuple(info.filename for info in self._zip.infolist() if not info.is_dir())

    def read(self, member: str) -> bytes:
        """Return the bytes of one member, counted while they are inflated."""
        if member not in self.names:
            raise FileError(f"{self.name}: has no member {member!r}")
        info = self._zip.getinfo(member)
        pieces: list[bytes] = []
        size = 0
        try:
            with self._zip.open(info) as file:
                while piece := file.read(_PIECE):
                    size += len(piece)
                    self._inflated[member] = size
                    self._within(member, size, sum(self._inflated.values()))
                    pieces.append(piece)
        except _DAMAGED:
            raise self._damaged(member) from None
        return b"".join(pieces)

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def __enter__(self) -> "Archive":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _judge(self, members: list[zipfile.ZipInfo]) -> None:
        if len(members) > MAX_MEMBERS:
            raise self._refused(f"{len(members):,} members; at most {MAX_MEMBERS:,} are read")
        seen: set[str] = set()
        for info in members:
            self._judge_name(info)
            if (key := info.filename.rstrip("/").casefold()) in seen:
                raise self._refused(f"two members are called {info.filename!r}")
            seen.add(key)
            if info.flag_bits & 0x1:
                raise self._refused("it is encrypted; save it without a password")
            self._within(info.filename, info.file_size, 0)
            if info.file_size > max(SMALL, MAX_RATIO * info.compress_size):
                raise self._refused(
                    f"member {info.filename!r} unpacks to more than {MAX_RATIO} times its size"
                )
        self._within("", 0, sum(info.file_size for info in members))
        self._judge_overlap(members)

    def _judge_name(self, info: zipfile.ZipInfo) -> None:
        name, raw = info.filename, info.orig_filename
        path = PurePosixPath(name)
        drive = len(name) > 1 and name[1] == ":"
        if (
            not name
            or path.is_absolute()
            or ".." in path.parts
            or "\\" in raw
            or "\0" in raw
            or drive
        ):
            raise self._refused(f"member {raw!r} leads outside the archive")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise self._refused(f"member {name!r} is a symbolic link")

    def _judge_overlap(self, members: list[zipfile.ZipInfo]) -> None:
        """Refuse entries that share bytes: a small file can claim gigabytes that way."""
        end, before = 0, ""
        for info in sorted(members, key=lambda info: info.header_offset):
            if info.header_offset < end:
                raise self._refused(f"members {listed([before, info.filename])} overlap")
            end, before = info.header_offset + 30 + info.compress_size, info.filename

    def _within(self, member: str, size: int, total: int) -> None:
        if size > MAX_MEMBER:
            raise self._refused(
                f"member {member!r} has more than {MAX_MEMBER // 1_000_000} MB unpacked"
            )
        if total > MAX_TOTAL:
            raise self._refused(f"more than {MAX_TOTAL // 1_000_000} MB unpacked in all")

    def _refused(self, what: str) -> FileError:
        return FileError(f"{self.name} is refused: {what}")

    def _damaged(self, member: str = "") -> FileError:
        place = f", member {member!r}" if member else ""
        return FileError(f"{self.name}{place}: damaged file; fetch or export it again")
