"""Know the functions of one tree by their text and their bodies; nothing is interpreted."""
