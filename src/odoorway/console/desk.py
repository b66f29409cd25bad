"""What the console works with, and what every page is given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from odoorway.clock import Clock
from odoorway.console.latency import Latency
from odoorway.deliver.odoo.about import About
from odoorway.dispatch.handlers import Handlers
from odoorway.gateway import Gateway
from odoorway.journal.accounts import Accounts
from odoorway.journal.port import Journal
from odoorway.settings import Network

Paces = Mapping[str, tuple[int, int]]  # batch size and concurrency, by destination


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The parts of a running gateway that operators see and steer."""

    gateway: Gateway
    journal: Journal
    accounts: Accounts
    clock: Clock
    pace: Callable[[], Paces]
    latency: Latency
    wake: Callable[[], None]
    handlers: Handlers  # runs them outside the loop that serves pages and webhooks
    receiver: str  # the URL of the receiver
    odoo_urls: Mapping[str, str]  # of the destinations that are an Odoo
    test: Callable[[str, str, bytes], dict[str, str]]  # the headers of a signed request
    about: Mapping[str, Callable[[], Awaitable[About]]] = field(default_factory=dict)
    lag: Callable[[], float] = lambda: 0.0  # seconds; of the event loop
    max_rate: float = 0.0  # deliveries a second to a destination; 0 sets no limit
    login: bool = True  # a session is needed
    hosts: frozenset[str] = frozenset()  # names the console may be called by; none: any
    proxy: tuple[str, Network] | None = None  # the header that names the user, and whose it may be
    masked: tuple[str, ...] = field(default=())  # names of payload fields that are not shown
