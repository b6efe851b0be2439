"""Every read of protocols, courses and authorities."""
