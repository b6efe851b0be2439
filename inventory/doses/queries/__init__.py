"""What is read of doses: the state the gate decides on, one dose's story, lists."""
