"""What judges stations and vehicles: the standards' tables, written down by hand. Nothing else imports it."""
