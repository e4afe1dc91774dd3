"""What is idiomatic in each framework; none of these knows another."""
