"""
What is known about Discord's gateway protocol, without a clock, randomness, event loop or socket.

Time and random numbers are arguments; deadlines and actions are results. So every rule can be tested by itself, and can be
read by itself.
"""
