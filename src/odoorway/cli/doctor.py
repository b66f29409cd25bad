"""`odoorway doctor`: why a webhook into Odoo fails, with or without the gateway."""

import typer

from odoorway.cli.lazy import Later, LazyGroup

COMMANDS = {
    "explain": Later(
        "doctor_explain:explain",
        "Explain a code, or a status, an answer, a traceback or log lines from standard input.",
    ),
    "addons": Later(
        "doctor_addons:addons",
        "Read Odoo addons, without running them, for faults of their webhooks.",
    ),
    "probe": Later(
        "doctor_probe:probe",
        "Find why a URL of Odoo refuses a webhook, with a few careful requests.",
    ),
    "logs": Later(
        "doctor_logs:logs",
        "Read Odoo's log (14 to 19): what failed, how often, in which line, why, and what"
        " fixes it.",
    ),
}


class Doctor(LazyGroup):
    """Every command of `odoorway doctor`."""

    later = COMMANDS


doctor = typer.Typer(
    cls=Doctor,
    no_args_is_help=True,
    help="Find why a webhook into Odoo fails, and what fixes it; needs no gateway.",
)
