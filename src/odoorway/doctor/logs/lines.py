"""Blocks of whole lines from chunks that end anywhere; what others write before a line is cut."""

import re
from collections.abc import Callable, Iterable, Iterator

_LONGEST = 4 << 20  # bytes of a line; a longer one is cut, so that memory stays bounded
_RECORD = rb"(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ [A-Z]+ )"
_PREFIXES = (
    rb"[\w.-]{1,80} {1,40}\| {1,2}",  # docker compose logs
    rb"[A-Z][a-z]{2} {1,2}\d{1,2} [\d:]{8} [\w.-]{1,80} [^\s:]{1,80}: ",  # journalctl, syslog
    rb"\d{4}-\d\d-\d\dT[\d:.+Z-]{8,30} (?:[\w.-]{1,80} [^\s:]{1,80}: )?",  # with ISO times
)


def blocks(chunks: Iterable[bytes | None]) -> Iterator[bytes | None]:
    """Yield whole lines, joined, without the last line's end; None where the chunks pause."""
    rest = b""
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        whole, end, tail = chunk.rpartition(b"\n")
        if end:
            yield rest + whole
        rest = tail if end else rest + tail
        if len(rest) > _LONGEST:
            yield rest
            rest = b""
    if rest:
        yield rest


def plain() -> Callable[[bytes], bytes]:
    """Return a function that cuts from each line of a block what a log collector put before it.

    It learns from the first record that it sees with such a prefix and then cuts that one only.
    """
    known: list[re.Pattern[bytes]] = []
    done = False

    def cut(block: bytes) -> bytes:
        nonlocal done
        if not done:
            known.extend(_prefix(block))
            done = bool(known) or re.search(rb"^" + _RECORD, block, re.MULTILINE) is not None
        return known[0].sub(b"", block) if known else block

    return cut


def _prefix(block: bytes) -> list[re.Pattern[bytes]]:
    """Return what stands before the records of *block*, in a list of at most one."""
    for prefix in _PREFIXES:
        if re.search(rb"^" + prefix + _RECORD, block, re.MULTILINE):
            return [re.compile(rb"^" + prefix, re.MULTILINE)]
    return []
