"""The Celery set-up: queues, the sending of tasks, the schedule of beat, and what the broker gave up on."""
