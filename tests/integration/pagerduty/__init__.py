"""The notifier for PagerDuty, and the stand-in that it and everybody else is tested with."""
