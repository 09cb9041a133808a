"""Channels of alerts: how a message leaves the recorder. What is to be sent, and when, others decide."""
