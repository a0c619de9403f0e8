"""The Kafka sink: every fact for other systems, in order per aggregate (an optional extra; see README.md)."""
