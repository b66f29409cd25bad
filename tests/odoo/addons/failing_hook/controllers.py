from odoo.exceptions import UserError
from odoo.http import Controller, request, route

WEBHOOK = {"auth": "public", "methods": ["POST"], "csrf": False}


class FailingHook(Controller):
    @route("/failing/key", type="http", **WEBHOOK)
    def key(self, **_):
        payload = request.get_json_data()
        return str(payload["order_id"])

    @route("/failing/required", type="http", **WEBHOOK)
    def required(self, **_):
        return str(request.env["res.country"].sudo().create({"name": "Nowhere"}).id)

    @route("/failing/refused", type="jsonrpc", **WEBHOOK)
    def refused(self, **_):
        raise UserError("This order is closed.")

    @route("/failing/csrf", type="http", auth="public", methods=["POST"])
    def csrf(self, **_):
        return "never"

    @route("/failing/conflict", type="http", **WEBHOOK)
    def conflict(self, **_):
        country = request.env.ref("base.be").sudo()
        code = country.phone_code
        request.env.cr.execute("SELECT pg_sleep(0.5)")
        country.phone_code = code + 1
        return "written"

    @route("/failing/not", type="http", **WEBHOOK)
    def succeeds(self, **_):
        return "fine"
