"""The durable engine under the business processes; it knows runs and steps, and no step by name."""
