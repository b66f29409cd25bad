from odoo.http import Controller, request, route


class OrderHook(Controller):
    @route("/api/webhook/order", type="http", auth="public", methods=["POST"], csrf=False)
    def order(self, **_):
        """Create a sales order from a Shopify order, in the request."""
        body = request.get_json_data()
        order = request.env["sale.order"].sudo().create(
            {
                "partner_id": self._partner(body).id,
                "client_order_ref": body.get("name"),
                "order_line": [(0, 0, values) for values in self._lines(body)],
            }
        )
        return request.make_json_response({"id": order.id})

    @route("/api/webhook/contact", type="http", auth="public", methods=["POST"], csrf=False)
    def contact(self, **_):
        """Create a contact, in the request."""
        values = {name: value for name, value in request.get_json_data().items() if name != "id"}
        contact = request.env["res.partner"].sudo().create(values)
        return request.make_json_response({"id": contact.id})

    @route("/api/webhook/insert", type="http", auth="public", methods=["POST"], csrf=False)
    def insert(self, **_):
        """Store the body and nothing else."""
        text = request.httprequest.get_data(as_text=True)
        event = request.env["order_hook.event"].sudo().create({"body": text})
        return request.make_json_response({"id": event.id})

    def _partner(self, body):
        customer = body.get("customer") or {}
        email = body.get("email") or customer.get("email")
        partners = request.env["res.partner"].sudo()
        names = (customer.get("first_name"), customer.get("last_name"))
        name = " ".join(part for part in names if part) or email
        found = partners.search([("email", "=", email)], limit=1)
        return found or partners.create({"name": name, "email": email})

    def _lines(self, body):
        items = body["line_items"]
        found = request.env["product.product"].sudo().search(
            [("default_code", "in", [item["sku"] for item in items])]
        )
        products = {product.default_code: product.id for product in found}
        for item in items:
            yield {
                "product_id": products[item["sku"]],
                "product_uom_qty": item["quantity"],
                "price_unit": float(item["price"]),
            }
