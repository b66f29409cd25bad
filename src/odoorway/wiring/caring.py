"""What a running gateway does beside delivering: measures, tells people, forgets what is old."""

from collections.abc import Mapping
from pathlib import Path

from odoorway.clock import Clock
from odoorway.console.alerts import Watch
from odoorway.console.desk import Desk
from odoorway.console.lag import Lag
from odoorway.console.secret_age import note_secrets
from odoorway.console.sending import AppriseSender
from odoorway.dispatch.retention import Keep, Retention
from odoorway.journal.port import Journal
from odoorway.settings import Settings
from odoorway.wiring.supervise import Part


async def caring(  # noqa: PLR0913, PLR0917 - the composition root gives each part
    desk: Desk,
    settings: Settings,
    journal: Journal,
    clock: Clock,
    secrets: Mapping[str, str],
    lag: Lag,
) -> list[Part]:
    """Return what measures, watches and forgets; *secrets* tell whose were changed.

    Raises:
        SettingsError: an address to tell is none.
    """
    retention = Retention(journal, clock, _keep(settings))
    parts = [
        Part(name="retention", run=retention.run),
        Part(name="latency", run=desk.latency.run),
        Part(name="lag", run=lag.run),
    ]
    urls = settings.alerts.get_secret_value().split()
    if urls:
        watch = Watch(
            journal,
            AppriseSender(urls),
            clock,
            sources=list(desk.gateway.sources),
            backlog=settings.alert_backlog,
            folder=_folder(settings),
            names=desk.pace,
            about=desk.about,
        )
        parts.append(Part(name="alerts", run=watch.run))
    await note_secrets(desk.accounts, secrets, clock.now())
    return parts


def _keep(settings: Settings) -> Keep:
    return Keep(
        delivered=settings.keep_days,
        skipped=settings.keep_skipped_days,
        dead=settings.keep_dead_days,
        rejected=settings.keep_rejected_days,
        size=settings.keep_size * 1_000_000,
    )


def _folder(settings: Settings) -> Path | None:
    if settings.journal == "memory":
        return None
    return Path(settings.journal.removeprefix("sqlite:///")).resolve().parent
