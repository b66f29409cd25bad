"""Which requests are a webhook's, and which are those of people at work in Odoo."""

import re

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_ODOOS_OWN = re.compile(
    r"/(?:web(?!/hook/)|odoo|bus|longpolling|websocket|mail|discuss|im_livechat|calendar|my|shop"
    r"|website|report|base_import|base_setup|digest|survey|event|forum|slides|portal|knowledge"
    r"|spreadsheet|sign|documents|pos|onboarding|hr_attendance|html_editor)(?:/|$)"
)


def is_webhook(request: str) -> bool:
    """Whether ``METHOD /path`` is what a machine sends; the method may be unknown, as ``?``.

    A path of an addon, ``/web/hook/…`` and the APIs are; what Odoo's own pages send is not.
    """
    method, _, path = request.partition(" ")
    return method not in _SAFE_METHODS and not _ODOOS_OWN.match(path)
