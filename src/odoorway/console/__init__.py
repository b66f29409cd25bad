"""What operators see: metrics, and in time pages and an API. Never on the address of webhooks."""
