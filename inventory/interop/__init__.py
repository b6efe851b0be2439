"""What comes in from elsewhere: spreadsheets of patients and stock."""
