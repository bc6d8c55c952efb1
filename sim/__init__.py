"""One run: what an intersection is, what a controller is asked, the loop, and what came out."""
