"""Reports: documents that leave the house and that an auditor can check."""
