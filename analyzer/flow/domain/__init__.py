"""Define what is known on one path: values, pages, states, and what was seen of them."""
