"""`odoorway doctor`: why a webhook into Odoo fails, with or without the gateway."""

import typer

from odoorway.cli import doctor_addons, doctor_explain, doctor_logs, doctor_probe

doctor = typer.Typer(
    no_args_is_help=True,
    help="Find why a webhook into Odoo fails, and what fixes it; needs no gateway.",
)
doctor.command("explain")(doctor_explain.explain)
doctor.command("addons")(doctor_addons.addons)
doctor.command("probe")(doctor_probe.probe)
doctor.command("logs")(doctor_logs.logs)
