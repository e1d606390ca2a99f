"""From ranked pairs to what one firm can make of them."""
