"""Each route fails in one way; its path says in which."""

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError, ValidationError
from odoo.http import request, route

HOOK = {"type": "http", "auth": "public", "methods": ["POST"], "csrf": False}
RPC = {"type": "jsonrpc", "auth": "public", "methods": ["POST"]}


class Traps(http.Controller):
    @route("/traps/good", **HOOK)
    def good(self, **kw):
        return request.make_json_response({"ok": True})

    @route("/traps/get-only", type="http", auth="public", methods=["GET"])
    def get_only(self, **kw):
        return "x"

    @route("/traps/put-only", type="http", auth="public", methods=["PUT"], csrf=False)
    def put_only(self, **kw):
        return "x"

    @route("/traps/methods-text", type="http", auth="public", methods="POST", csrf=False)
    def methods_text(self, **kw):
        return "x"

    @route("/traps/csrf", type="http", auth="public", methods=["POST"])
    def csrf(self, **kw):
        return "x"

    @route("/traps/csrf-typo", type="http", auth="public", methods=["POST"], crsf=False)
    def csrf_typo(self, **kw):
        return "x"

    @route("/traps/auth-user", type="http", auth="user", methods=["POST"], csrf=False)
    def auth_user(self, **kw):
        return "x"

    @route("/traps/auth-missing", type="http", methods=["POST"], csrf=False)
    def auth_missing(self, **kw):
        return "x"

    @route("/traps/auth-user-rpc", type="jsonrpc", auth="user", methods=["POST"])
    def auth_user_rpc(self, **kw):
        return "x"

    @route("/traps/bearer", type="http", auth="bearer", methods=["POST"], csrf=False)
    def bearer(self, **kw):
        return "x"

    @route("/traps/bearer-csrf", type="http", auth="bearer", methods=["POST"])
    def bearer_csrf(self, **kw):
        return "x"

    @route("/traps/rpc", **RPC)
    def rpc(self, **kw):
        return {"got": sorted(kw)}

    @route("/traps/rpc-needs", **RPC)
    def rpc_needs(self, order, **kw):
        return {"got": order}

    @route("/traps/rpc-response", **RPC)
    def rpc_response(self, **kw):
        return http.Response("created", status=201)

    @route("/traps/rpc-raises", **RPC)
    def rpc_raises(self, kind="", **kw):
        return raises(kind)

    @route("/traps/http-raises", **HOOK)
    def http_raises(self, kind="", **kw):
        return raises(kind)

    @route("/traps/swallows", **HOOK)
    def swallows(self, **kw):
        try:
            raise ValidationError("no such order")
        except Exception as error:
            return request.make_json_response({"error": str(error)})

    @route("/traps/limited", max_content_length=1000, **HOOK)
    def limited(self, **kw):
        return str(len(request.httprequest.get_data()))

    @route("/traps/refuses", **HOOK)
    def refuses(self, **kw):
        return request.make_json_response({"error": "signature"}, status=401)

    @route("/traps/conflict", **HOOK)
    def conflict(self, **kw):
        return request.make_json_response({"error": "already there"}, status=409)

    @route("/traps/moved", **HOOK)
    def moved(self, **kw):
        return request.redirect("/traps/good")


def raises(kind):
    partner = request.env["res.partner"].sudo()
    order = request.env["sale.order"].sudo()
    match kind:
        case "user":
            raise UserError("the shop is closed")
        case "validation":
            raise ValidationError("the total is negative")
        case "access":
            raise AccessError("You are not allowed to access 'Order' (sale.order) records.")
        case "missing":
            raise MissingError("Record does not exist or has been deleted.")
        case "key":
            return {"a": 1}["order_id"]
        case "null":
            return partner.search([("id", "=", -1)]).name.upper()
        case "type":
            return "total: " + 12
        case "number":
            return order.create({"partner_id": 1, "amount_untaxed": 1, "client_order_ref": int("x")})
        case "selection":
            return partner.create({"name": "x", "type": "bogus"}).id
        case "unknown-field":
            return partner.create({"name": "x", "no_such_field": 1}).id
        case "unknown-model":
            return request.env["no.such.model"].sudo().search([]).ids
        case "xmlid":
            return request.env.ref("base.no_such_xmlid").id
        case "singleton":
            return partner.search([], limit=2).name
        case "reference":
            request.env["res.partner"].sudo().create({"name": "x", "country_id": 999999})
            request.env.flush_all()
        case "required":
            order.create({})
            request.env.flush_all()
        case "acl":
            return request.env["sale.order"].search([]).ids
        case "domain":
            return partner.search([("no_such_field", "=", 1)]).ids
        case "sql":
            request.env.cr.execute("SELEKT 1")
        case "read":
            return partner.browse(999999).name.strip()
        case "wrong-id":
            return partner.create({"name": "x", "country_id": "France"}).id
    return {"ok": True}
