"""The store in Redis: what several workers share, and what outlives each of them."""
