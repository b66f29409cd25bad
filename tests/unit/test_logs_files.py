"""Which files of a log are read and in what order; packed, damaged, piped and growing ones."""

import gzip
import os
from collections import deque
from contextlib import suppress
from pathlib import Path

import pytest
from odoo_logs import RECORDED, read, told

from odoorway.doctor.logs.files import chunks, find
from odoorway.doctor.logs.follow import followed, piped
from odoorway.doctor.logs.lines import blocks, plain
from odoorway.doctor.logs.reading import Reading
from odoorway.errors import LogUnreadable

LOG = RECORDED["19_http_keyerror_traceback"]


def record(day: int, text: str = "fine") -> bytes:
    return b"2026-11-%02d 10:00:00,000 7 WARNING db odoo.models: %b \n" % (day, text.encode())


def content(path: Path) -> bytes:
    return b"".join(chunks(path, lambda _: None))


def test_rotated_files_are_read_oldest_first(tmp_path):
    """The order is of the times inside, whatever logrotate calls the files."""
    (tmp_path / "odoo.log").write_bytes(record(9))
    (tmp_path / "odoo.log.1").write_bytes(record(8))
    (tmp_path / "odoo.log.2.gz").write_bytes(gzip.compress(record(7)))
    (tmp_path / "odoo.log.10.gz").write_bytes(gzip.compress(record(2)))
    (tmp_path / "odoo.log-20261105.gz").write_bytes(gzip.compress(record(5)))
    (tmp_path / "odoo.log.2026-11-06").write_bytes(record(6))
    (tmp_path / "odoo.log.swp").write_bytes(record(1))
    found = find([tmp_path / "odoo.log"], rotated=True)
    assert [file.first[8:10] for file in found] == ["02", "05", "06", "07", "08", "09"]


def test_only_the_named_files_are_read(tmp_path):
    """Without --rotated, what lies beside is left alone; a file named twice is read once."""
    log, other = tmp_path / "odoo.log", tmp_path / "odoo.log.1"
    log.write_bytes(record(9))
    other.write_bytes(record(8))
    link = tmp_path / "link.log"
    link.symlink_to(log)
    assert [file.path for file in find([log, link, log])] == [log]
    assert [file.path for file in find([log, other])] == [other, log]


def test_gzip_of_several_members(tmp_path):
    """Files packed one after another into one, as `cat a.gz b.gz` does, are read whole."""
    path = tmp_path / "odoo.log.gz"
    path.write_bytes(gzip.compress(record(1)) + gzip.compress(record(2)))
    assert content(path) == record(1) + record(2)


def test_the_position_is_of_the_packed_file(tmp_path):
    """Progress is told in bytes on disk, so that it ends at the size of the file."""
    path = tmp_path / "odoo.log.gz"
    path.write_bytes(gzip.compress(record(1) * 50_000))
    seen: list[int] = []
    assert sum(map(len, chunks(path, seen.append))) == len(record(1)) * 50_000
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[-1] == path.stat().st_size


@pytest.mark.parametrize("cut", [9, 40, 300])
def test_a_cut_gzip_gives_what_it_holds(tmp_path, cut):
    """The part before the damage counts; the damage is told, with the file's name."""
    packed = gzip.compress(b"".join(record(1, os.urandom(30).hex()) for _ in range(60_000)))
    path = tmp_path / "odoo.log.gz"
    path.write_bytes(packed[:-cut])
    got = bytearray()
    with pytest.raises(LogUnreadable, match=r"odoo\.log\.gz: the rest is damaged"):
        deque(map(got.extend, chunks(path, lambda _: None)), maxlen=0)
    assert len(got) > 1_000_000


def test_a_damaged_gzip_is_told(tmp_path):
    """A byte changed on disk is an error of the file, not of the doctor."""
    packed = bytearray(gzip.compress(record(1, "x") * 1000))
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "odoo.log.gz"
    path.write_bytes(packed)
    with pytest.raises(LogUnreadable, match=r"odoo\.log\.gz"):
        content(path)


@pytest.mark.parametrize(
    ("start", "name"), [(b"BZh9", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd")]
)
def test_other_packers_are_named(tmp_path, start, name):
    """A file that is packed otherwise says how to read it."""
    path = tmp_path / "odoo.log.x"
    path.write_bytes(start + bytes(100))
    with pytest.raises(LogUnreadable, match=f"packed by {name}; unpack it"):
        find([path])


def test_missing_files_and_folders_are_told(tmp_path):
    with pytest.raises(LogUnreadable, match="No such file"):
        find([tmp_path / "nope.log"], rotated=True)
    with pytest.raises(LogUnreadable, match="Is a directory"):
        find([tmp_path])


def test_blocks_hold_whole_lines():
    """Lines are never cut, except one that has no end within megabytes."""
    assert list(blocks([b"a\nb", b"c", b"\nd\ne", None, b"f"])) == [b"a", b"bc\nd", None, b"ef"]
    endless = [b"x" * (1 << 20)] * 10
    cut = [block for block in blocks(endless) if block is not None]
    assert b"".join(cut) == b"x" * (10 << 20)
    assert max(map(len, cut)) <= 6 << 20


PREFIXES = {
    "docker compose": b"odoo-1  | ",
    "journalctl": b"Nov 23 22:31:40 srv1 odoo[18791]: ",
    "syslog": b"2026-11-23T22:31:40.123456+00:00 srv1 odoo-bin[18791]: ",
    "kubectl --timestamps": b"2026-11-23T22:31:40.123456789Z ",
}


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_what_a_log_collector_puts_before_each_line(prefix):
    """Lines of docker, journald and syslog are read like those of the file."""
    lines = [prefix + line for line in LOG.splitlines(keepends=True)]
    assert told(read(b"".join(lines))[1]) == told(read(LOG)[1])


def test_a_prefix_is_learned_from_records_only():
    """What a plain log's own lines begin with is never taken for a prefix."""
    cut = plain()
    table = b"name-1  | 2026-11-23 22:31:40,756 1 INFO not a record's beginning"
    assert cut(LOG) == LOG
    assert cut(table) == table


def test_windows_line_ends_and_colours():
    """A log copied from Windows, or written to a terminal in colour, reads the same."""
    expected = told(read(LOG)[1])
    (windows,) = read(LOG.replace(b"\n", b"\r\n"))[0].groups
    (linux,) = read(LOG)[0].groups
    assert windows == linux
    coloured = LOG.replace(b" ERROR ", b" \x1b[1;31m\x1b[1;49mERROR\x1b[0m ")
    assert told(read(coloured)[1]) == expected


class Growing:
    """A log on disk to which the next step is done each time the reader waits."""

    def __init__(self, path: Path, *steps) -> None:
        self.path = path
        self.steps = list(steps)

    def __call__(self) -> None:
        if not self.steps:
            raise KeyboardInterrupt
        self.steps.pop(0)(self.path)

    def read(self) -> list[bytes | None]:
        got = []
        with suppress(KeyboardInterrupt):
            for chunk in followed(self.path, self):
                got.append(chunk)  # noqa: PERF402  # what came before the interruption counts
        return got


def append(text: bytes):
    def step(path: Path) -> None:
        with path.open("ab") as file:
            file.write(text)

    return step


def rotate(path: Path) -> None:
    path.rename(path.with_suffix(".log.1"))


def test_a_growing_log(tmp_path):
    """What is there comes first, then each thing that is added, with a pause between."""
    path = tmp_path / "odoo.log"
    path.write_bytes(b"one\n")
    assert Growing(path, append(b"two\n"), append(b"three\n")).read() == [
        b"one\n", None, b"two\n", None, b"three\n", None,
    ]  # fmt: skip


def test_a_log_that_is_rotated_while_followed(tmp_path):
    """The old file is read to its end and the new one from its beginning."""
    path = tmp_path / "odoo.log"
    path.write_bytes(b"one\n")

    def rotated_and_written(path: Path) -> None:
        append(b"two\n")(path)
        rotate(path)
        path.write_bytes(b"three\n")

    growing = Growing(path, rotated_and_written, rotate, append(b"four\n"))
    assert b"".join(chunk or b"" for chunk in growing.read()) == b"one\ntwo\nthree\nfour\n"


def test_a_log_that_is_emptied_while_followed(tmp_path):
    """As logrotate's copytruncate does: reading goes on at the beginning."""
    path = tmp_path / "odoo.log"
    path.write_bytes(b"one and more\n")

    def emptied(path: Path) -> None:
        path.write_bytes(b"two\n")

    assert [chunk for chunk in Growing(path, emptied).read() if chunk] == [
        b"one and more\n", b"two\n",
    ]  # fmt: skip


def test_a_failure_is_told_when_the_log_falls_quiet():
    """The last failure needs no further line to be known, whatever its version's order is."""
    for name in ("19_http_keyerror_traceback", "14_http_keyerror_after_access_line"):
        known = list(Reading().read([RECORDED[name], None]))
        assert [found.group.kind for found in known] == ["KeyError"]


def test_a_pipe_that_falls_quiet():
    """A pipe gives what came, then a pause each time nothing came, and ends with its writer."""
    reader, writer = os.pipe()
    os.write(writer, b"one\n")
    coming = piped(reader, 0.0)
    assert [next(coming), next(coming)] == [b"one\n", None]
    os.write(writer, b"two\n")
    os.close(writer)
    assert list(coming) == [b"two\n"]
    os.close(reader)
