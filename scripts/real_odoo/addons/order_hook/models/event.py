from odoo import fields, models


class OrderHookEvent(models.Model):
    _name = "order_hook.event"
    _description = "A webhook as it was received"

    body = fields.Text(required=True)
