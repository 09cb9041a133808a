"""What the recorder tells people by itself: rules, what becomes of alerts, messages and their deliveries (pure)."""
