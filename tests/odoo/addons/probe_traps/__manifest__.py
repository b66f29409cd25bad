{
    "name": "Probe traps",
    "summary": "Routes that fail on purpose, for the tests of `odoorway doctor probe`.",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "depends": ["sale_management", "base_automation"],
    "installable": True,
}
