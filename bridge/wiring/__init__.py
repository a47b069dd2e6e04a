"""Which concrete room stands behind each door, and how a call walks through them."""
