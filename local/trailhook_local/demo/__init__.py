"""The demonstration: real deliveries through the product's own code, and an account that anybody can check."""
