"""Patents as canonical tables: reading, checking, keeping, and cutting at a date."""
