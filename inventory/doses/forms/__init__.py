"""What is typed on the pages of the doses room, read into what the services ask for."""
