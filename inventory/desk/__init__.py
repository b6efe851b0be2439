"""Pages that look across rooms: today, a patient's record, a lot's life, a dose's story."""
