"""Sends loads so that a record Odoo refuses holds back no other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.ledger import Ledger
from odoorway.deliver.odoo.load import Block, Load, Text, check, loads
from odoorway.deliver.odoo.refusal import Refused, Unusable, unexpected
from odoorway.deliver.odoo.schedule import Entry
from odoorway.deliver.odoo.values import Unwritable
from odoorway.deliver.outcome import judge_load_message
from odoorway.deliver.port import Verdict
from odoorway.model.delivery import Outcome
from odoorway.transform.plan import as_written

# What lies in the model, the columns or the user's rights, so the same for every row of a call,
# and a conflict, which Odoo has already tried five times.
_ALL_GUILTY = {"odoo.access-denied", "odoo.unknown-model", "odoo.unknown-field", "odoo.conflict"}
_AGAIN = 4  # a conflict inside `load` is asked again at once: the other transaction has ended


class Writer:
    """Writes the stages of a batch, one `load` a model and form."""

    def __init__(self, odoo: Odoo, ledger: Ledger) -> None:
        """Note what becomes of each entry in *ledger*."""
        self._odoo, self._ledger = odoo, ledger
        self.loads = 0  # that wrote something

    async def write(self, stage: Sequence[Entry]) -> None:
        """Write the entries that an open job still wants.

        Raises:
            Unusable: Odoo is down; what was written so far is noted.
        """
        text = Text(self._ledger.ids)
        now = [
            replace(one, record=as_written(one.record, self._ledger.there))
            for one in stage
            if self._ledger.wanted(one)
        ]
        entries = [one for one in now if self._writable(one, text)]
        for load in loads([entry.record for entry in entries], text):
            await _Sending(self, entries, load).send(load)

    def _writable(self, entry: Entry, text: Text) -> bool:
        try:
            check(entry.record, text)
        except Unwritable as error:
            detail = f"{entry.record.xid}: {error}"
            verdict = Verdict(outcome=Outcome.DEAD, code="odoo.invalid-value", detail=detail)
            self._ledger.fail(entry.jobs, verdict)
            return False
        return True

    async def ask(self, load: Load) -> Mapping[str, Any]:
        """Return what `load` answers; conflicts are tried again at once.

        Raises:
            Refused: the call as a whole failed, and no row is named.
        """
        for _ in range(_AGAIN):
            answer = await self._once(load)
            if not _only_conflicts(answer):
                return answer
        return await self._once(load)

    async def _once(self, load: Load) -> Mapping[str, Any]:
        answer = await self._odoo.ask(load.model, "load", **load.body)
        if not isinstance(answer, dict) or not _are_messages(answer.get("messages")):
            raise unexpected(load.model, "load", answer)
        return answer

    def wanted(self, entry: Entry) -> bool:
        """Tell whether an open job wants the entry written."""
        return self._ledger.wanted(entry)

    def written(self, entries: Iterable[Entry], ids: Sequence[int]) -> None:
        """Note a load that went well."""
        self.loads += 1
        for entry, ident in zip(entries, ids, strict=True):
            self._ledger.written(entry, ident)

    def fail(self, entry: Entry, verdict: Verdict) -> None:
        """Settle the jobs of an entry that Odoo refused, naming its record."""
        detail = f"{entry.record.model} {entry.record.xid}: {verdict.detail}"
        self._ledger.fail(entry.jobs, replace(verdict, detail=detail))


class _Sending:
    """One load on its way: rows that Odoo names are dropped, unnamed ones found by halving."""

    def __init__(self, writer: Writer, entries: Sequence[Entry], load: Load) -> None:
        self._writer, self._entries = writer, entries
        # A search for one bad row fails as often as the load can be halved; a little more means
        # that nothing works, and asking row by row would only keep Odoo busy.
        self._patience = 3 * len(load.blocks).bit_length() + 2
        self._failures = 0
        self._second = set[int]()  # records that get a second try

    async def send(self, load: Load) -> None:
        load = load.of(b for b in load.blocks if self._writer.wanted(self._entry(b)))
        if not load.blocks:
            return
        try:
            answer = await self._writer.ask(load)
        except Unusable:
            raise
        except Refused as refused:
            await self._divide(load, refused.verdict)
            return
        await self._sort_out(load, answer)

    async def _sort_out(self, load: Load, answer: Mapping[str, Any]) -> None:
        ids = answer.get("ids")
        if isinstance(ids, list) and [type(one) for one in ids] == [int] * len(load.blocks):
            self._failures = 0
            self._writer.written(map(self._entry, load.blocks), ids)
            return
        guilty = _guilty(load, answer["messages"])
        again = [block for block, verdict in guilty if self._may_be_our_own(block, verdict)]
        for block, verdict in guilty:
            if block not in again:
                self._writer.fail(self._entry(block), verdict)
        if guilty:
            await self.send(load.of(b for b in load.blocks if b not in again))
            await self.send(load.of(again))
        else:
            await self._divide(load, unexpected(load.model, "load", answer).verdict)

    def _may_be_our_own(self, block: Block, verdict: Verdict) -> bool:
        """Tell, once a record, whether to look again.

        The value that is there already may be of a repeat of this record, which was written
        meanwhile: then its external ID is known now, and a second try updates it.
        """
        first = verdict.code == "odoo.not-unique" and block.record not in self._second
        self._second.add(block.record)
        return first

    async def _divide(self, load: Load, verdict: Verdict) -> None:
        """Blame the only row, or all rows of a cause they share; else look into each half."""
        self._failures += 1
        if len(load.blocks) == 1 or verdict.code in _ALL_GUILTY:
            self._fail(load, verdict)
        elif self._failures > self._patience:
            self._fail(load, _again(verdict))
        else:
            middle = len(load.blocks) // 2
            await self.send(load.of(load.blocks[:middle]))
            await self.send(load.of(load.blocks[middle:]))

    def _fail(self, load: Load, verdict: Verdict) -> None:
        for block in load.blocks:
            self._writer.fail(self._entry(block), verdict)

    def _entry(self, block: Block) -> Entry:
        return self._entries[block.record]


def _again(verdict: Verdict) -> Verdict:
    """Return the verdict of those that were never tried alone: it may not be their fault."""
    detail = f"one of many that failed together: {verdict.detail}"
    return Verdict(outcome=Outcome.RETRY, code="odoo.server-error", detail=detail)


def _are_messages(told: object) -> bool:
    return isinstance(told, list) and all(isinstance(one, dict) for one in told)


def _errors(messages: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in messages if one.get("type") == "error" and _names_a_row(one)]


def _names_a_row(message: Mapping[str, Any]) -> bool:
    rows = message.get("rows")
    return isinstance(rows, dict) and type(rows.get("from")) is int


def _only_conflicts(answer: Mapping[str, Any]) -> bool:
    errors = _errors(answer["messages"])
    return bool(errors) and all(judge_load_message(e).code == "odoo.conflict" for e in errors)


def _guilty(load: Load, messages: Iterable[Mapping[str, Any]]) -> list[tuple[Block, Verdict]]:
    """Return the blocks that Odoo names, each with the verdict of its first message.

    When writing all rows together fails, Odoo puts that error first and names the first row for
    it, guilty or not and without a field, then tries row by row. So such a message counts only
    when no other row is named; if it was right after all, the next try names that row alone.
    """
    errors = _errors(messages)
    named: dict[int, tuple[Block, Verdict]] = {}
    for message in errors:
        block = load.block_at(message["rows"]["from"])
        if block is not None:
            named.setdefault(block.record, (block, judge_load_message(message)))
    doubtful = len(named) > 1 and "field" not in errors[0]
    return list(named.values())[1:] if doubtful else list(named.values())
