"""The main job, shown in a minute: `make demo`."""
