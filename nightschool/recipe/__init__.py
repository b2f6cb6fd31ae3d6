"""Recipes: what a person decides, typed and checked before anything runs."""
