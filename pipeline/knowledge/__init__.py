"""What is known of the patents and of a firm, in chunks that can be found again and cited."""
