"""What the clinic can hold and give: substances, formulations, products, suppliers."""
