"""Crash drills: real nights as processes, really killed, and what that cost by the servers' own count."""
