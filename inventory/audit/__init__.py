"""The trail: every act leaves one hash-chained entry in its own transaction; every look at a patient is logged."""
