"""The co-coding page: a server for one study."""
