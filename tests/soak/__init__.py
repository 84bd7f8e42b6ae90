"""The proof that pages are not lost: the real poller, store and outbox in a world that fails at every boundary.

machine.py draws what happens, world.py holds the parts, oracle.py watches with a mind of its own, verdict.py judges
once all is quiet. `python -m tests.soak` runs it for long, tests/integration/test_soak.py in CI.
"""
