"""What a contest takes: folders that run without nightschool."""
