{
    "name": "Order hook (benchmark)",
    "summary": "What a webhook written straight into Odoo looks like, to be measured against.",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "depends": ["sale_management"],
    "data": ["security/ir.model.access.csv"],
    "installable": True,
}
