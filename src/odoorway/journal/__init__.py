"""The durable queue: events, deliveries, attempts, rejections."""
