"""The business processes, one file each: what happens in which order, and what undoes it.

They stand above every context, listen to facts and call services down. A newcomer reads the business here.
"""
