"""Alerts at work: rules looked at behind runs and by time, deliveries sent, what people ask for done."""
