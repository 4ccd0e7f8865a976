"""Pure rules: what a message means and what is answered."""
