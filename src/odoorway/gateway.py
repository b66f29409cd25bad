"""What hooks.py declares: a gateway, its sources, their routes."""

import fnmatch
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from odoorway.errors import DeclarationError
from odoorway.model.delivery import Planned
from odoorway.model.destination import DEFAULT, Definition, HttpDefinition, OdooDefinition
from odoorway.model.event import Event
from odoorway.model.source import SourceDefinition

Handler = Callable[..., Any]
OnBreach = Literal["tell", "dead", "note"]
_SOURCE_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Route:
    """A source's topics, the handler they go to, and the destination its commands go to."""

    name: str
    source: str
    topics: tuple[str, ...]
    handler: Handler = field(repr=False)
    payload: Any  # the annotation of the handler's first parameter
    wants_event: bool
    destination: str
    hold: bool
    on_breach: OnBreach = "tell"

    def matches(self, topic: str) -> bool:
        """Tell whether *topic* is one of this route's; ``*`` and ``orders/*`` are patterns."""
        return self.pattern(topic) is not None

    def pattern(self, topic: str) -> str | None:
        """Return the first of this route's topics and patterns that *topic* fits."""
        return next((one for one in self.topics if fnmatch.fnmatchcase(topic, one)), None)

    @property
    def planned(self) -> Planned:
        """What the journal needs to know to plan a delivery on this route."""
        return Planned(route=self.name, destination=self.destination, hold=self.hold)


class Source:
    """Who sends; made by ``Gateway.source``."""

    def __init__(self, gateway: "Gateway", name: str, definition: SourceDefinition) -> None:
        """Belong to *gateway* under *name*."""
        self._gateway = gateway
        self.name = name
        self.definition = definition

    def on(
        self,
        *topics: str,
        name: str | None = None,
        destination: str = DEFAULT,
        hold: bool = False,
        on_breach: OnBreach = "tell",
    ) -> Callable[[Handler], Handler]:
        """Declare the decorated function as the handler of *topics*; it is returned unchanged.

        ``name`` is the route's, by default the function's; ``destination`` is the name of one
        that the gateway declares, by default the Odoo of the settings. With ``hold`` a dead letter
        stops the later deliveries that share its ordering key until a person replays it.
        ``on_breach`` is what becomes of a delivery that is written but not as its ``expect=`` says:
        ``"tell"`` makes it a problem that a person sees, ``"dead"`` a dead letter, ``"note"`` notes
        it beside the delivery.

        Raises:
            DeclarationError: no topic, a name taken, or a handler that cannot be called.
        """
        if not topics or not all(isinstance(topic, str) and topic for topic in topics):
            raise DeclarationError(
                f"source {self.name!r}: .on() needs the topics to take, like"
                ' .on("orders/create"), or .on("*") for all'
            )

        if on_breach not in get_args(OnBreach):
            raise DeclarationError(
                f"source {self.name!r}: on_breach= is {on_breach!r}; use 'tell', 'dead' or 'note'"
            )

        def declare(handler: Handler) -> Handler:
            payload, wants_event = _signature(handler)
            self._gateway.add(
                Route(
                    name=name or handler.__name__,
                    source=self.name,
                    topics=topics,
                    handler=handler,
                    payload=payload,
                    wants_event=wants_event,
                    destination=destination,
                    hold=hold,
                    on_breach=on_breach,
                )
            )
            return handler

        return declare


class Gateway:
    """All that one hooks.py declares."""

    def __init__(self) -> None:
        """Start with no source and no route."""
        self.sources: dict[str, Source] = {}
        self.routes: dict[str, Route] = {}
        self.destinations: dict[str, Definition] = {}

    def source(self, name: str, definition: SourceDefinition) -> Source:
        """Declare a source; its endpoint is ``/in/<name>``.

        Raises:
            DeclarationError: the name is malformed or taken, or *definition* is no source.
        """
        if not isinstance(name, str) or not _SOURCE_NAME.fullmatch(name):
            raise DeclarationError(
                f"source name {name!r}: use lower-case letters, digits and '-', like 'shop-eu'"
                " (it becomes the URL and a part of every external ID)"
            )
        if name in self.sources:
            raise DeclarationError(
                f"source {name!r} is declared twice; give the second another name"
            )
        if not isinstance(definition, SourceDefinition):
            raise DeclarationError(
                f"source {name!r}: {definition!r} is no source definition; write for example"
                ' shopify.source(secret="env:SHOPIFY_SECRET")'
            )
        self.sources[name] = Source(self, name, definition)
        return self.sources[name]

    def odoo(  # noqa: PLR0913 - each is one fact about it
        self,
        name: str,
        *,
        url: str,
        database: str,
        api_key: str,
        login: str = "",
        protocol: str = "auto",
    ) -> str:
        """Declare one more Odoo database; return its name, for ``.on(destination=...)``.

        Each text may be ``env:NAME``, to be read from the environment.

        Raises:
            DeclarationError: the name is malformed or taken.
        """
        return self._declare(
            OdooDefinition(
                name=name,
                url=url,
                database=database,
                api_key=api_key,
                login=login,
                protocol=protocol,
            )
        )

    def http(self, name: str, *, url: str, secret: str | None = None) -> str:
        """Declare an outside system that handlers ``Forward`` to; return its name.

        With ``secret``, a literal or ``env:NAME``, all that goes there is signed.

        Raises:
            DeclarationError: the name is malformed or taken.
        """
        return self._declare(HttpDefinition(name=name, url=url, secret=secret))

    def _declare(self, definition: Definition) -> str:
        name = definition.name
        if not isinstance(name, str) or not _SOURCE_NAME.fullmatch(name):
            raise DeclarationError(
                f"destination name {name!r}: use lower-case letters, digits and '-', like 'odoo-fr'"
            )
        if name in {*self.destinations, DEFAULT}:
            raise DeclarationError(f"destination {name!r} is declared twice, or is the default")
        self.destinations[name] = definition
        return name

    @property
    def used(self) -> tuple[str, ...]:
        """The destinations that routes go to; the default where there is no route yet."""
        return tuple(dict.fromkeys(r.destination for r in self.routes.values())) or (DEFAULT,)

    def on(self, source: str, *topics: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a handler for a source by its name; options as for ``Source.on``.

        Raises:
            DeclarationError: no source of that name is declared.
        """
        if source not in self.sources:
            known = ", ".join(sorted(self.sources)) or "none yet"
            raise DeclarationError(
                f"unknown source {source!r}; declared are: {known}. Declare it first with"
                f" gateway.source({source!r}, ...)"
            )
        return self.sources[source].on(*topics, **options)

    def add(self, route: Route) -> None:
        """Take a route; names are unique over the whole gateway.

        Raises:
            DeclarationError: another route has that name, or its destination is not declared.
        """
        if route.destination not in {*self.destinations, DEFAULT}:
            known = ", ".join([DEFAULT, *self.destinations])
            raise DeclarationError(
                f"route {route.name!r}: unknown destination {route.destination!r}; declared are:"
                f" {known}. Declare it first with gateway.odoo(...) or gateway.http(...)"
            )
        if route.name in self.routes:
            raise DeclarationError(
                f"two routes are named {route.name!r}; rename one function or write"
                f' .on(..., name="another-name")'
            )
        self.routes[route.name] = route

    def routes_for(self, source: str, topic: str) -> Iterator[Route]:
        """Yield the routes an event of that source and topic takes, in order of declaration."""
        return (r for r in self.routes.values() if r.source == source and r.matches(topic))


def topic_class(topic: str, taken: Iterable[Route]) -> str:
    """Return the declared pattern of the routes *taken* that *topic* fits, or ``other``: few."""
    return next((pattern for route in taken if (pattern := route.pattern(topic))), "other")


def _signature(handler: Handler) -> tuple[Any, bool]:
    """Return the payload's annotation and whether a second parameter takes the Event."""
    label = getattr(handler, "__name__", repr(handler))
    if not inspect.isfunction(handler):
        raise DeclarationError(f"{label}: a handler is a plain function, def {label}(order: Order)")
    if inspect.iscoroutinefunction(handler):
        raise DeclarationError(
            f"{label}: a handler is a pure function; write def, not async def, and return"
            " commands instead of calling out"
        )
    try:
        hints = typing.get_type_hints(handler, include_extras=True)
    except NameError as error:
        raise DeclarationError(f"{label}: its annotations cannot be read: {error}") from error
    names = [
        p.name
        for p in inspect.signature(handler).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if not names or names[0] not in hints:
        raise DeclarationError(
            f"{label}: annotate the payload, def {label}(order: shopify.Order); dict takes any"
            " JSON object and bytes the raw body"
        )
    if len(names) > 2 or (len(names) == 2 and hints.get(names[1]) is not Event):  # noqa: PLR2004
        raise DeclarationError(
            f"{label}: after the payload only one parameter is given, write event: Event"
        )
    return hints[names[0]], len(names) == 2  # noqa: PLR2004
