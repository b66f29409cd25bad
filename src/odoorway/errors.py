"""Every error Odoorway raises on purpose.

OdoorwayError
├── DeclarationError      hooks.py is wrong: the integrator's, raised at import
├── HandlerError          a handler returned something that is no command: the integrator's
├── SettingsError         a setting is missing or wrong: who deploys it
├── JournalUnavailable    nothing is known to be stored: operations
│   ├── JournalFull       the journal's limit is reached
│   ├── JournalSlow       a question would take too long: who asks for less is answered
│   └── JournalLocked     another process writes this journal
├── LogUnreadable         a log of Odoo's cannot be read: who runs the doctor
├── DestinationError      Odoo cannot do what a command needs: its administrator
├── RefusedRequest        a request is refused: the sender's (receive.refusal)
└── Signal                raised by a handler to say what becomes of its delivery
    ├── Skip              nothing to do
    ├── Reject            a person has to look: dead letter now
    └── RetryLater        the same again after a time
"""


class OdoorwayError(Exception):
    """The root of every error Odoorway raises on purpose."""


class DeclarationError(OdoorwayError):
    """hooks.py declares something that cannot work; the message says what to write instead."""


class HandlerError(OdoorwayError):
    """A handler returned something that is no command; the message says what to return."""

    code = "handler.no-command"  # the diagnosis


class SettingsError(OdoorwayError):
    """A setting is missing, unknown or wrong; the message names the variable and the flag."""


class JournalUnavailable(OdoorwayError):
    """The journal could not do it; nothing is known to be stored and it may be tried again."""


class JournalFull(JournalUnavailable):
    """The journal holds as much as its limit allows; delivering or raising the limit helps."""


class JournalSlow(JournalUnavailable):
    """A person's question took too long and was given up; asking for less helps."""


class JournalLocked(JournalUnavailable):
    """Another process writes this journal file; one process writes a file."""


class LogUnreadable(OdoorwayError):
    """A log of Odoo's cannot be read, or is no log of Odoo's; the message names it."""


class DestinationError(OdoorwayError):
    """Odoo cannot be asked, or its user may not do it; the message says what to do."""


class Signal(OdoorwayError):
    """What a handler raises to decide its delivery's outcome itself."""


class Skip(Signal):
    """Settle the delivery as ``skipped``: there is nothing to do for this event."""

    def __init__(self, reason: str) -> None:
        """Give the *reason* a person reads beside the delivery."""
        super().__init__(reason)
        self.reason = reason


class Reject(Signal):
    """Settle the delivery as ``dead`` at once: only a person can help."""

    def __init__(self, reason: str) -> None:
        """Give the *reason* a person reads beside the dead letter."""
        super().__init__(reason)
        self.reason = reason


class RetryLater(Signal):
    """Run the same delivery again *after* that many seconds; counts as an attempt."""

    def __init__(self, after: float, reason: str) -> None:
        """Give the seconds to wait and the *reason* a person reads."""
        super().__init__(reason)
        self.after = after
        self.reason = reason
