"""Every diagnosis, once: the gateway, the doctor, the command line and the docs read it here."""

from odoorway.diagnose.entries import controller, gateway, odoo, routing, server
from odoorway.model.diagnosis import Diagnosis

CATALOG: dict[str, Diagnosis] = {
    d.code: d
    for d in (
        *gateway.REQUEST,
        *gateway.HANDLER,
        *gateway.FORWARD,
        *odoo.ODOO,
        *routing.ROUTING,
        *controller.CONTROLLER,
        *server.LOGS,
        *server.SERVER,
    )
}


def diagnosis(code: str) -> Diagnosis:
    """Return the diagnosis of that *code*.

    Raises:
        KeyError: the catalogue has none; codes are written in ``entries`` only.
    """
    return CATALOG[code]
