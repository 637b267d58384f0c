; What the grammar could not read, and tokens that it had to invent.
(ERROR) @error
(MISSING) @missing
