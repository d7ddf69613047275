"""Where jobs run, and how signals end them."""
