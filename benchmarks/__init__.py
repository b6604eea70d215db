"""Scripts behind every figure that the documents quote."""
