"""The order of the night: Prefect flows and the command line that starts them."""
