{
    "name": "Failing webhooks",
    "summary": "Webhook routes that fail on purpose, each in its own way",
    "version": "19.0.1.0.0",
    "license": "Other OSI approved licence",
    "depends": ["base", "web"],
}
