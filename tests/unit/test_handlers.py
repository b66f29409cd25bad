"""Handlers in processes of their own: whatever one does costs itself alone."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from hostility import do
from odoorway import Event, Gateway, Reject, Upsert, find
from odoorway.dispatch.handler_process import HandlerLimits, Task
from odoorway.dispatch.handlers import HandlerProcesses
from odoorway.model.delivery import Outcome
from odoorway.sources import hmac
from odoorway.transform.run import Asks, Commands, Settled, Transformed

KEPT: list[bytes] = []


def hostile(payload: dict, event: Event) -> Any:
    """Do what the topic says, or what any hostile handler does."""
    match event.topic:
        case "leak":
            KEPT.append(bytes(60 << 20))
        case "object":
            return Upsert("a.b", ("k", 1), {"x": object()})
        case "recurse":
            return hostile(payload, event)
        case "asks":
            return asking(event)
        case "reject":
            raise Reject("look")
        case "interrupt":
            raise KeyboardInterrupt
    returned = do(event.topic)
    return Upsert("a.b", ("k", event.id), {"x": 1}) if returned is None else returned


def task(number: int, topic: str) -> Task:
    event = Event(
        id=f"evt_{number}", source="shop", topic=topic, idempotency_key=str(number),
        ordering_key=str(number), version=None, received_at=1.0, headers=(), body=b"{}",
        body_hash="",
    )  # fmt: skip
    return Task("hostile", event)


@pytest.fixture
async def handlers() -> AsyncIterator[HandlerProcesses]:
    gateway = Gateway()
    shop = gateway.source("shop", hmac.source(secret="s", header="X-S"))
    shop.on("*")(hostile)
    limits = HandlerLimits(seconds=1.0, memory=200 << 20, processes=2)
    made = HandlerProcesses(gateway.routes, limits)
    yield made
    await made.close()


def of(result: Transformed) -> tuple[str, str]:
    assert isinstance(result, Settled)
    return result.outcome.value, result.code


@pytest.mark.parametrize(
    ("topic", "outcome", "code", "word"),
    [
        ("loop", "retry", "handler.timeout", "within 1 s"),
        ("hang", "retry", "handler.timeout", "within 1 s"),
        ("exit", "dead", "handler.failed", "SystemExit: 3"),
        ("interrupt", "dead", "handler.failed", "KeyboardInterrupt"),
        ("os-exit", "retry", "handler.died", "exit status 7"),
        ("kill", "retry", "handler.died", "SIGKILL"),
        ("segfault", "retry", "handler.died", "SIGSEGV"),
        ("kill-group", "retry", "handler.died", "SIGKILL"),
        ("allocate", "dead", "handler.failed", "MemoryError"),
        ("huge", "dead", "handler.too-large", "commands"),
        ("object", "dead", "handler.no-command", "object object"),
        ("recurse", "dead", "handler.failed", "RecursionError"),
        ("reject", "dead", "handler.rejected", "look"),
    ],
)
async def test_the_guilty_one_is_named_and_all_others_are_done(
    handlers: HandlerProcesses, topic: str, outcome: str, code: str, word: str
) -> None:
    """One of forty does it, in the middle of a chunk; thirty-nine have their commands."""
    tasks = [task(number, topic if number == 20 else "good") for number in range(40)]
    results = await asyncio.wait_for(handlers.run(tasks), 60)
    fine = [one for one in results if isinstance(one, Commands)]
    assert [one.commands[0] for one in fine] == [
        Upsert("a.b", ("k", f"evt_{number}"), {"x": 1}) for number in range(40) if number != 20
    ]
    guilty = results[20]
    assert of(guilty) == (outcome, code)
    assert isinstance(guilty, Settled)
    assert word in guilty.detail
    assert guilty.alone == (guilty.outcome is Outcome.RETRY)
    again = await asyncio.wait_for(handlers.run([task(1, "good")]), 60)
    assert isinstance(again[0], Commands)


async def test_who_starts_the_processes_is_started_anew(handlers: HandlerProcesses) -> None:
    """A handler that kills its parent goes on; when its own process ends, a new one is had."""
    for topic in ("kill-parent", "os-exit", "os-exit", "good"):
        (result,) = await asyncio.wait_for(handlers.run([task(1, topic)]), 60)
    assert isinstance(result, Commands)


async def test_what_a_handler_keeps_is_no_fault_of_those_after_it(
    handlers: HandlerProcesses,
) -> None:
    """A process that holds more and more retires between two events."""
    results = await asyncio.wait_for(handlers.run([task(n, "leak") for n in range(24)]), 60)
    assert {type(one) for one in results} == {Commands}


async def test_the_gateway_s_loop_goes_on_meanwhile(handlers: HandlerProcesses) -> None:
    """While handlers block their processes, the loop turns: a counter says so, not a clock."""
    turns = 0
    running = asyncio.create_task(handlers.run([task(n, "loop") for n in range(2)]))
    while not running.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 100


async def test_no_process_is_left() -> None:
    """Closing ends the workers and the process that starts them."""
    gateway = Gateway()
    gateway.source("shop", hmac.source(secret="s", header="X-S")).on("*")(pid)
    made = HandlerProcesses(gateway.routes, HandlerLimits(processes=1))
    (told,) = await made.run([Task("pid", task(1, "x").event)])
    assert isinstance(told, Commands)
    upsert = told.commands[0]
    assert isinstance(upsert, Upsert)
    await made.close()
    for one in upsert.values.values():
        await asyncio.wait_for(gone(one), 20)


async def test_what_a_handler_forks_ends_with_its_worker() -> None:
    """Also where the worker itself ends well."""
    gateway = Gateway()
    gateway.source("shop", hmac.source(secret="s", header="X-S")).on("*")(forking)
    made = HandlerProcesses(gateway.routes, HandlerLimits(processes=1))
    (told,) = await made.run([Task("forking", task(1, "x").event)])
    assert isinstance(told, Commands)
    upsert = told.commands[0]
    assert isinstance(upsert, Upsert)
    await made.close()
    await asyncio.wait_for(gone(upsert.values["child"]), 20)


def forking(payload: dict) -> Upsert:
    child = os.fork()
    while not child:
        time.sleep(3600)
    return Upsert("a.b", ("k", 1), {"child": child})


async def gone(process: int) -> None:
    while os.path.exists(f"/proc/{process}"):  # noqa: ASYNC110, ASYNC240, PTH110 - nobody tells when a grandchild is gone
        await asyncio.sleep(0.01)


def pid(payload: dict) -> Upsert:
    return Upsert("a.b", ("k", 1), {"own": os.getpid(), "parent": os.getppid()})


def asking(event: Event) -> Any:
    """Return a generator: such a handler asks."""
    found = yield find("res.partner", email="x", fields=["name"])
    return Upsert("a.b", ("k", event.id), {"x": found["name"]})


async def test_a_handler_that_asks_is_run_again_with_its_answers(
    handlers: HandlerProcesses,
) -> None:
    """In whichever process: nothing of it is kept between the two runs."""
    first = task(1, "asks")
    (result,) = await handlers.run([first])
    assert result == Asks((find("res.partner", email="x", fields=["name"]),))
    answers = (({"id": 7, "name": "Ada"},),)
    (result,) = await handlers.run([replace(first, answers=answers)])
    assert isinstance(result, Commands)
    assert result.commands == (Upsert("a.b", ("k", "evt_1"), {"x": "Ada"}),)
